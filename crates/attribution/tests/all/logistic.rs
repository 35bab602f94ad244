//! Bagged logistic regression.
use crate::made::{made_up, names, paths, row, run, spec};
use crate::shared;
use safar_attribution::{ReadOptions, attribute, read_paths};
use std::{fs::File, io::BufReader};

/// One channel that triples the odds and one that leaves them alone, met independently of each other.
#[test]
fn credit_goes_to_what_raises_the_odds() {
    let rows =
        [row(&[], 1000.0, 9000.0), row(&[1], 2500.0, 7500.0), row(&[2], 1000.0, 9000.0), row(&[1, 2], 2500.0, 7500.0)];
    let result = run(&spec("logistic"), &rows);
    let logistic = result.diagnostics.logistic.unwrap();
    assert_eq!((logistic.bags, logistic.seed, logistic.unsettled), (100, 1, 0));
    assert!((logistic.coefficients[1] - 3_f64.ln()).abs() < 0.02, "{logistic:?}");
    assert!(logistic.coefficients[2].abs() < 0.02, "{logistic:?}");
    assert_eq!(logistic.coefficients[3], 0.0);
    // Half of all conversions would be 3,500: nearly all of the paths with channel 1 are its own.
    assert!(result.credits[1].conversions > 4900.0, "{:?}", result.credits);
}

#[test]
fn paths_without_a_lift_are_shared_equally_and_said_so() {
    let rows = [row(&[1], 0.0, 90.0), row(&[2], 60.0, 30.0), row(&[1, 3, 1], 10.0, 400.0), row(&[2, 1, 2], 40.0, 20.0)];
    let all = paths(&rows);
    let fitted = spec("logistic").build().fit(&all, &names()).unwrap();
    let shares = |path: usize| {
        let mut shares = vec![0.0; all.get(path).channels.len()];
        fitted.shares(all.get(path), &mut shares);
        shares
    };
    assert_eq!(shares(3), [0.5, 0.0, 0.5]);
    assert_eq!(shares(2), [0.25, 0.5, 0.25]);
    let result = run(&spec("logistic"), &rows);
    let credits: Vec<_> = result.credits.iter().map(|credit| credit.conversions).collect();
    assert_eq!(credits[1..4], [5.0, 100.0, 5.0]);
    let even = result.diagnostics.logistic.unwrap().even;
    assert_eq!((even.conversions, even.value), (10.0, 20.0));
}

#[test]
fn the_same_seed_gives_the_same_and_another_seed_another_result() {
    let rows = made_up(50, 6);
    let [a, b, again] = [1, 2, 1].map(|seed| run(&spec(&format!("logistic:bags=10,seed={seed}")), &rows));
    assert_eq!(a, again);
    assert_ne!(a.credits, b.credits);
}

#[test]
fn chances_say_more_than_the_rate_of_all() {
    for dataset in ["july2018", "kaggle_mta", "simple_shop"] {
        let Some(file) = shared(&format!("data/journeys/{dataset}/paths.csv")) else { return };
        let (paths, names) = read_paths(BufReader::new(File::open(file).unwrap()), &ReadOptions::default()).unwrap();
        let fitted = spec("logistic:bags=20").build().fit(&paths, &names).unwrap();
        let (conversions, nulls) = paths.iter().fold((0.0, 0.0), |(c, n), path| (c + path.conversions, n + path.nulls));
        let loss = |chance: f64, c: f64, n: f64| -c * chance.ln() - n * (1.0 - chance).ln();
        let of_all = loss(conversions / (conversions + nulls), conversions, nulls);
        let own: f64 =
            paths.iter().map(|path| loss(fitted.probability(path).unwrap(), path.conversions, path.nulls)).sum();
        assert!(own < of_all, "{dataset}: {own} is not below {of_all}");
        let result = attribute(&spec("logistic:bags=20"), &paths, &names).unwrap();
        assert_eq!(result.diagnostics.logistic.unwrap().unsettled, 0, "{dataset}");
    }
}
