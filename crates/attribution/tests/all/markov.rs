//! Chains: the choice of their order, their solvers, and the chances they give.
use crate::made::{made_up, names, paths, row, run, spec};
use crate::shared;
use safar_attribution::{ModelSpec, ReadOptions, Solver, attribute, read_paths};
use safar_model::{ChannelId, PathRef, Paths};
use std::{fs::File, io::BufReader};

fn real(dataset: &str) -> Option<(Paths, Vec<String>)> {
    let file = File::open(shared(&format!("data/journeys/{dataset}/paths.csv"))?).unwrap();
    Some(read_paths(BufReader::new(file), &ReadOptions::default()).unwrap())
}

fn chance(model: &ModelSpec, paths: &Paths, names: &[String], path: &[u32]) -> f64 {
    let channels: Vec<_> = path.iter().map(|channel| ChannelId(*channel)).collect();
    let path = PathRef { channels: &channels, ages: None, conversions: 0.0, value: 0.0, nulls: 0.0 };
    model.build().fit(paths, names).unwrap().probability(path).unwrap()
}

/// The orders that cross-validation by how paths end is known to choose on public data.
#[test]
fn the_order_is_chosen_by_held_out_outcomes() {
    for (dataset, order) in [("ca_pathdata", 1), ("july2018", 3)] {
        let Some((paths, names)) = real(dataset) else { return };
        for seed in 1..=5 {
            let auto = spec(&format!("markov:order=auto,most=6,seed={seed}"));
            let markov = attribute(&auto, &paths, &names).unwrap().diagnostics.markov.unwrap();
            let choice = markov.choice.unwrap();
            assert_eq!((choice.best(), markov.order), (order, order), "{dataset}, seed {seed}: {choice:?}");
            assert_eq!((choice.losses.len(), choice.folds, choice.seed), (6, 8, seed));
            // A long memory fits noise.
            assert!(choice.losses[5] > choice.base_loss, "{dataset}, seed {seed}: {choice:?}");
        }
    }
}

#[test]
fn the_chosen_order_is_the_order_used() {
    let rows = made_up(60, 6);
    let auto = run(&spec("markov:order=auto,most=3"), &rows);
    let order = auto.diagnostics.markov.as_ref().unwrap().order;
    assert_eq!(auto.credits, run(&spec(&format!("markov:order={order}")), &rows).credits);
    // Paths of one touch: no order remembers more than another.
    let choice = run(&spec("markov:order=auto"), &[row(&[1], 3.0, 4.0)]).diagnostics.markov.unwrap().choice.unwrap();
    assert_eq!((choice.losses.len(), choice.best()), (1, 1));
}

/// By hand, with the weight of one person for each shorter context.
#[test]
fn chances_are_the_odds_out_of_the_end_state() {
    let rows = paths(&[row(&[0], 2.0, 1.0), row(&[1, 0], 1.0, 0.0)]);
    let (one, two, names) = (spec("markov"), spec("markov:order=2"), names());
    let all = (3.0 + 0.5) / (4.0 + 1.0);
    let after_0 = (3.0 + all) / (4.0 + 1.0);
    for (model, path, want) in [
        (&one, &[0][..], after_0),
        (&one, &[1, 0], after_0),
        (&one, &[1], all),
        (&two, &[0], (2.0 + after_0) / (3.0 + 1.0)),
        (&two, &[1, 0], (1.0 + after_0) / (1.0 + 1.0)),
        (&two, &[3, 0], after_0),
        (&two, &[0, 3], all),
        (&two, &[], all),
    ] {
        assert!((chance(model, &rows, &names, path) - want).abs() < 1e-15, "{model} {path:?}");
    }
}

/// The chances that a chain gives to the paths it was fitted on say more than their rate does.
#[test]
fn chances_say_more_than_the_rate_of_all() {
    let Some((paths, names)) = real("july2018") else { return };
    let loss = |chance_of: &dyn Fn(PathRef<'_>) -> f64| -> f64 {
        let of = |path: PathRef<'_>| {
            let chance = chance_of(path);
            -path.conversions * chance.ln() - path.nulls * (1.0 - chance).ln()
        };
        paths.iter().map(of).sum()
    };
    let rate = 1838.0 / (1838.0 + 7668.0);
    let mut before = loss(&|_| rate);
    for order in [1, 2, 3] {
        let fitted = spec(&format!("markov:order={order}")).build().fit(&paths, &names).unwrap();
        let now = loss(&|path| fitted.probability(path).unwrap());
        assert!(now < before, "order {order}: {now} is not below {before}");
        before = now;
    }
}

#[test]
fn a_solver_can_be_asked_for() {
    let rows = made_up(200, 6);
    for order in [1, 3] {
        let solved = |solver: &str| run(&spec(&format!("markov:order={order},solver={solver}")), &rows);
        let (exact, iterative) = (solved("exact"), solved("iterative"));
        assert_eq!(exact.diagnostics.markov.unwrap().solver, Solver::Direct);
        let Solver::Iterative { residual, .. } = iterative.diagnostics.markov.unwrap().solver else { panic!() };
        assert!(residual < 1e-12, "{residual}");
        for (a, b) in exact.credits.iter().zip(&iterative.credits) {
            assert!((a.conversions - b.conversions).abs() < 1e-9 && (a.value - b.value).abs() < 1e-9, "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_chain_too_large_for_elimination_says_so() {
    let channels: Vec<_> = made_up(3000, 6).into_iter().flat_map(|row| row.channels).collect();
    let rows = paths(&[row(&channels, 1.0, 1.0)]);
    let exact = attribute(&spec("markov:order=20,solver=exact"), &rows, &names()).unwrap_err().to_string();
    assert!(exact.starts_with("markov is exact up to 4096 states here, got "), "{exact}");
    assert!(exact.ends_with("; choose solver=iterative or a lower order"), "{exact}");
    attribute(&spec("markov:order=20"), &rows, &names()).unwrap();
}
