//! What the bootstrap promises: intervals that cover, draws that depend on nothing but their number, sums that hold.
use crate::shared;
use proptest::prelude::*;
use safar_attribution::uncertainty::{Bootstrap, BootstrapError, Measure, Record, Resamples, bootstrap};
use safar_attribution::{ModelSpec, ReadOptions, attribute, read_paths};
use safar_model::{ChannelId, PathRef, Paths, PathsBuilder};
use std::{fs::File, io::BufReader};

/// Channels, conversions, value, nulls.
type Row<'a> = (&'a [u32], f64, f64, f64);

fn paths(rows: &[Row<'_>]) -> Paths {
    let mut paths = PathsBuilder::default();
    for (channels, conversions, value, nulls) in rows.iter().copied() {
        let channels: Vec<_> = channels.iter().copied().map(ChannelId).collect();
        paths.push(PathRef { channels: &channels, ages: None, conversions, value, nulls });
    }
    paths.finish()
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|channel| format!("c{channel}")).collect()
}

fn spec(text: &str) -> ModelSpec {
    text.parse().unwrap()
}

fn settings(replicates: u32, seed: u64) -> Bootstrap {
    Bootstrap { replicates, seed, level: 0.9 }
}

fn run(model: &str, rows: &[Row<'_>], settings: Bootstrap) -> Resamples {
    bootstrap(&spec(model), &paths(rows), &names(4), None, settings).unwrap()
}

/// Every model, with settings that small data can take.
const MODELS: [&str; 21] = [
    "first",
    "last",
    "last_non_direct:direct=c3",
    "linear",
    "position",
    "position_decay",
    "time_decay:half_life=2d",
    "custom:weights=3/2/1",
    "amplitude_j",
    "participation",
    "shapley",
    "markov",
    "markov:order=2",
    "shapley_rate",
    "leave_one_out",
    "shapley_markov",
    "w_shaped",
    "adobe_j",
    "shao_li",
    "logistic:bags=3",
    "markov:order=auto,most=2",
];

/// No model of paths is left out above.
#[test]
fn every_model_is_resampled_here() {
    let named: Vec<_> = MODELS.iter().map(|model| spec(model).name()).collect();
    for model in safar_attribution::all_models() {
        assert!(named.contains(&model.name()), "{model}");
    }
}

const SHOP: [Row<'static>; 9] = [
    (&[0, 1], 90.0, 900.0, 300.0),
    (&[1], 60.0, 480.0, 700.0),
    (&[2, 1, 2], 45.0, 610.0, 80.0),
    (&[0, 2, 1], 33.0, 200.0, 95.0),
    (&[3], 25.5, 150.0, 410.0),
    (&[3, 0, 3, 1], 12.0, 99.0, 51.0),
    (&[2], 0.0, -40.0, 60.0),
    (&[1, 1, 3], 2.0, 30.0, 4.0),
    (&[], 21.0, 140.0, 0.0),
];

/// Truth: paths arise at known rates; a data set is a Poisson number of each.
#[test]
fn nine_intervals_in_ten_cover_the_truth() {
    const TRIALS: u32 = 400;
    // The counts of SHOP are the rates; the truth is what the model says of them.
    let data_set = |counts: &dyn Fn(usize) -> f64| {
        let row = |(index, row): (usize, &Row<'static>)| {
            (row.0, counts(2 * index), counts(2 * index) * 8.0, counts(2 * index + 1))
        };
        SHOP.iter().enumerate().map(row).collect::<Vec<_>>()
    };
    let rates: Vec<f64> = SHOP.iter().flat_map(|row| [row.1, row.3]).collect();
    let data_sets: Vec<_> = samples(&rates, TRIALS).iter().map(|counts| data_set(&|index| counts[index])).collect();
    for model in ["linear", "shapley", "markov"] {
        let truth = attribute(&spec(model), &paths(&data_set(&|index| rates[index])), &names(4)).unwrap();
        let of_all: f64 = rates.iter().step_by(2).sum();
        let (mut met, mut shares_met) = ([0.0; 4], [0.0; 4]);
        for (trial, data) in data_sets.iter().enumerate() {
            let result = run(model, data, settings(99, 1_000_000 + trial as u64));
            for (channel, estimates) in result.estimates().iter().take(4).enumerate() {
                let want = truth.credits[channel].conversions;
                let (amount, share) = (estimates.conversions.unwrap(), estimates.conversion_share.unwrap());
                met[channel] += f64::from(amount.low <= want && want <= amount.high);
                shares_met[channel] += f64::from(share.low <= want / of_all && want / of_all <= share.high);
            }
        }
        // Coverage over the trials: standard error 1.5 points; 4 of them, and a point for what a percentile interval
        // of such counts is off by itself.
        let off = 4.0 * (0.9 * 0.1 / f64::from(TRIALS)).sqrt() + 0.01;
        for met in met.into_iter().chain(shares_met) {
            let met = met / f64::from(TRIALS);
            assert!((met - 0.9).abs() < off, "{model}: {met} of the intervals cover");
        }
    }
}

/// Poisson draws of every rate: resamples of that many people on a channel each.
fn samples(rates: &[f64], how_many: u32) -> Vec<Vec<f64>> {
    let channels: Vec<u32> = (0..).take(rates.len()).collect();
    let rows: Vec<Row<'_>> = channels.chunks(1).zip(rates).map(|(path, rate)| (path, *rate, 0.0, 0.0)).collect();
    let drawn = bootstrap(&ModelSpec::First, &paths(&rows), &names(rates.len()), None, settings(how_many, 77)).unwrap();
    drawn.replicates().map(|row| row[..rates.len()].iter().map(|credit| credit.conversions).collect()).collect()
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let shop = paths(&SHOP);
    for model in MODELS {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bootstrap(&spec(model), &shop, &names(4), None, settings(37, 5)).unwrap())
        };
        assert_eq!(on(1), on(2), "{model}");
    }
}

/// Resamples that were worked out by another program, in Python: what a seed gives, it gives on every machine.
#[test]
fn the_same_seed_gives_the_same_numbers() {
    let rows: [Row<'_>; 3] = [(&[0], 1.0, 5.0, 0.0), (&[1], 2.5, 0.0, 0.0), (&[2], 1000.0, 0.0, 0.0)];
    let first = run("first", &rows, settings(6, 42));
    let drawn = |channel: usize| first.replicates().map(|row| row[channel].conversions).collect::<Vec<_>>();
    assert_eq!(drawn(0), [3.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
    assert_eq!(drawn(1), [3.0, 4.0, 3.0, 2.0, 3.0, 1.0]);
    assert_eq!(drawn(2), [1016.0, 1016.0, 973.0, 988.0, 1044.0, 1071.0]);
    let record = |path, person| Record { path, person, conversions: 1.0, value: 0.0, nulls: 0.0 };
    let rows: [Row<'_>; 2] = [(&[0], 1.0, 0.0, 0.0), (&[1], 2.0, 0.0, 0.0)];
    let records = [record(1, 77), record(0, u64::MAX), record(1, u64::MAX)];
    let first = bootstrap(&ModelSpec::First, &paths(&rows), &names(2), Some(&records), settings(6, 42)).unwrap();
    let drawn = |channel: usize| first.replicates().map(|row| row[channel].conversions).collect::<Vec<_>>();
    assert_eq!(drawn(0), [2.0, 0.0, 0.0, 1.0, 2.0, 1.0]);
    assert_eq!(drawn(1), [5.0, 1.0, 1.0, 2.0, 2.0, 1.0]);
}

/// The same file, its lines in another order and its channels numbered as they then first appear.
#[test]
fn the_order_of_paths_and_the_numbers_of_channels_do_not_matter() {
    let moved: Vec<u32> = vec![2, 3, 1, 0];
    let number_of = |channel: u32| moved.iter().position(|old| *old == channel).unwrap() as u32;
    let rows: Vec<(Vec<u32>, f64, f64, f64)> = SHOP
        .iter()
        .rev()
        .map(|row| (row.0.iter().map(|channel| number_of(*channel)).collect(), row.1, row.2, row.3))
        .collect();
    let other: Vec<Row<'_>> = rows.iter().map(|row| (row.0.as_slice(), row.1, row.2, row.3)).collect();
    let other_names: Vec<_> = moved.iter().map(|old| format!("c{old}")).collect();
    for model in MODELS {
        let first = bootstrap(&spec(model), &paths(&SHOP), &names(4), None, settings(20, 3)).unwrap();
        let second = bootstrap(&spec(model), &paths(&other), &other_names, None, settings(20, 3)).unwrap();
        for (a, b) in first.replicates().zip(second.replicates()) {
            for (new, old) in moved.iter().map(|old| *old as usize).chain([4]).enumerate() {
                let apart = [a[old].conversions - b[new].conversions, a[old].value - b[new].value];
                assert!(apart.iter().all(|apart| apart.abs() < 1e-6), "{model}: {:?} {:?}", a[old], b[new]);
            }
        }
    }
}

#[test]
fn a_person_with_several_paths_moves_as_one() {
    // 40 people with five conversions each, on paths of one channel, and once as 200 people with one.
    let rows: [Row<'_>; 2] = [(&[0], 120.0, 600.0, 0.0), (&[1], 80.0, 400.0, 0.0)];
    let records = |per_person: u64| -> Vec<Record> {
        let record = |index: u64| Record {
            path: usize::from(index >= 120),
            person: index % (200 / per_person),
            conversions: 1.0,
            value: 5.0,
            nulls: 0.0,
        };
        (0..200).map(record).collect()
    };
    let width = |records: Option<&[Record]>| {
        let wide = bootstrap(&ModelSpec::Linear, &paths(&rows), &names(2), records, settings(999, 3)).unwrap();
        let conversions = wide.estimate(|row| row[0].conversions + row[1].conversions).unwrap();
        assert_eq!(conversions.point, 200.0);
        (conversions.error, conversions.high - conversions.low)
    };
    let (alone, alone_width) = width(Some(&records(1)));
    let (together, together_width) = width(Some(&records(5)));
    let (counts, _) = width(None);
    // Standard errors: √200 for 200 people, √40 × 5 for 40; each is known to 1/√(2 × 999), 2.2 %.
    for (got, want) in [(alone, 200_f64.sqrt()), (counts, 200_f64.sqrt()), (together, 40_f64.sqrt() * 5.0)] {
        assert!((got / want - 1.0).abs() < 0.09, "{got} instead of {want}");
    }
    assert!(together_width > 1.9 * alone_width, "{together_width} against {alone_width}");
}

#[test]
fn the_order_of_records_does_not_matter() {
    let rows: [Row<'_>; 2] = [(&[0], 3.0, 1.5, 1.0), (&[1, 0], 2.0, 6.0, 2.0)];
    let record = |path, person, conversions, value, nulls| Record { path, person, conversions, value, nulls };
    let mut records = [
        record(0, 1, 2.0, 4.0, 0.0),
        record(1, 1, 1.0, 3.0, 0.0),
        record(0, 2, 1.0, -2.5, 1.0),
        record(1, 9, 1.0, 3.0, 2.0),
    ];
    for model in ["linear", "markov"] {
        let run = |records: &[Record]| {
            let result = bootstrap(&spec(model), &paths(&rows), &names(2), Some(records), settings(50, 8)).unwrap();
            result.estimates().iter().map(|channel| channel.value.unwrap().low).collect::<Vec<_>>()
        };
        let before = run(&records);
        records.reverse();
        for (a, b) in before.iter().zip(run(&records)) {
            assert!((a - b).abs() < 1e-12, "{model}: {a} {b}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Credits and unattributed of a resample sum to the people drawn, which do not depend on the model.
    #[test]
    fn every_resample_is_shared_in_full(
        rows in prop::collection::vec(
            (prop::collection::vec(0..4_u32, 0..5), 0..40_u32, -50.0..200.0_f64, 0..30_u32), 1..10,
        ),
        model in prop::sample::select(MODELS.into_iter().filter(|model| *model != "participation").collect::<Vec<_>>()),
        seed in any::<u64>(),
    ) {
        let rows: Vec<Row<'_>> = rows
            .iter()
            .map(|row| (row.0.as_slice(), f64::from(row.1) / 2.0, row.2, f64::from(row.3)))
            .collect();
        let got = run(model, &rows, settings(10, seed));
        let want = run("last", &rows, settings(10, seed));
        for (got, want) in got.replicates().zip(want.replicates()) {
            for measure in [Measure::Conversions, Measure::Value] {
                let sum = |row: &[_]| row.iter().map(|credit| measure.of(credit)).sum::<f64>();
                let size = got.iter().chain(want).map(|credit| measure.of(credit).abs()).sum::<f64>();
                prop_assert!((sum(got) - sum(want)).abs() <= 1e-8 * size, "{model}: {got:?} {want:?}");
            }
        }
    }
}

#[test]
fn refunds_and_value_without_conversions_move_with_their_people() {
    let rows: [Row<'_>; 3] = [(&[0], 4.0, -20.0, 0.0), (&[1], 0.0, -7.0, 3.0), (&[2], 0.0, 0.0, 3.0)];
    let result = run("linear", &rows, settings(400, 2));
    for row in result.replicates() {
        assert_eq!(row[0].value, row[0].conversions * -5.0);
        assert_eq!((row[1].value % 7.0, row[1].conversions), (0.0, 0.0));
        assert_eq!((row[2].value, row[2].conversions), (0.0, 0.0));
    }
    let refund = result.estimates()[1].value.unwrap();
    assert!((refund.mean + 7.0).abs() < 4.0 * 7.0 / 20.0 && refund.low < -7.0 && refund.high == 0.0, "{refund:?}");
    // All value is refunds: a share of it says nothing.
    assert_eq!(result.estimates()[0].value_share, None);
    assert!(result.estimates()[0].conversion_share.is_some());
}

#[test]
fn costs_get_intervals_and_say_where_there_are_none() {
    let rows: [Row<'_>; 3] = [(&[0], 100.0, 1000.0, 0.0), (&[1], 1.0, 10.0, 0.0), (&[2], 0.0, 0.0, 5.0)];
    let result = run("last", &rows, settings(500, 6));
    let cost = result.cost_per_conversion(0, 250.0).unwrap();
    let back = result.return_on_cost(0, 250.0).unwrap();
    let conversions = result.estimates()[0].conversions.unwrap();
    assert_eq!((cost.point, back.point), (2.5, 4.0));
    // A cost per conversion falls where conversions rise, so its interval is theirs upside down.
    assert!((cost.low - 250.0 / conversions.high).abs() < 0.02, "{cost:?}");
    assert!((cost.high - 250.0 / conversions.low).abs() < 0.02, "{cost:?}");
    assert!((back.low - conversions.low * 10.0 / 250.0).abs() < 1e-12, "{back:?}");
    // One conversion: in more than a third of the resamples there is none.
    let cost = result.cost_per_conversion(1, 50.0).unwrap();
    assert_eq!((cost.point, cost.mean, cost.high), (50.0, f64::INFINITY, f64::INFINITY));
    assert!(cost.low.is_finite());
    assert_eq!(result.cost_per_conversion(2, 9.0).unwrap().point, f64::INFINITY);
    assert_eq!(result.cost_per_conversion(2, 0.0), None);
    assert_eq!(result.cost_per_conversion(4, 9.0), None);
    assert_eq!(result.return_on_cost(1, 0.0), None);
    assert_eq!(result.return_on_cost(2, 5.0).unwrap().high, 0.0);
}

#[test]
fn ranks_add_up_and_follow_the_counts() {
    let rows: [Row<'_>; 4] =
        [(&[0], 100.0, 0.0, 0.0), (&[1], 80.0, 0.0, 0.0), (&[2], 20.0, 0.0, 0.0), (&[3], 20.0, 0.0, 0.0)];
    let result = run("last", &rows, settings(2000, 9));
    let ranks = result.ranks(Measure::Conversions, &[2, 0, 1, 3]).unwrap();
    for a in 0..4 {
        assert!((ranks.rank[a].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((ranks.rank.iter().map(|of| of[a]).sum::<f64>() - 1.0).abs() < 1e-12);
        for b in 0..4 {
            assert!((ranks.above[a][b] + ranks.above[b][a] - 1.0).abs() < 1e-12);
        }
    }
    // A difference of 20 with a standard error of √180: above in Φ(1.49) = 93 % of resamples.
    assert!((ranks.above[1][2] - 0.932).abs() < 4.0 * 0.0057 + 0.005, "{}", ranks.above[1][2]);
    assert!((ranks.above[0][3] - 0.5).abs() < 4.0 * 0.0112, "{}", ranks.above[0][3]);
    assert!(ranks.above[1][0] > 0.999 && ranks.rank[1][0] > 0.9);
    // 20 and 20 are equal on the paths as they are; 100 and 80 change places in 7 % of the resamples, more than the tails.
    assert_eq!(ranks.point, [2, 0, 1, 2]);
    assert_eq!((ranks.low, ranks.high), (vec![2, 0, 0, 2], vec![3, 1, 1, 3]));
    let narrow = run("last", &rows, Bootstrap { level: 0.8, ..settings(2000, 9) });
    let narrow = narrow.ranks(Measure::Conversions, &[2, 0, 1, 3]).unwrap();
    assert_eq!((narrow.low, narrow.high), (vec![2, 0, 1, 2], vec![3, 0, 1, 3]));
    // No value anywhere: all are tied, and share all ranks.
    let ties = result.ranks(Measure::Value, &[0, 1]).unwrap();
    assert_eq!((ties.above[0][1], ties.rank[0][0]), (0.5, 0.5));
    // Always together, so always equal; the sums of their thirds are rounded differently.
    let together: [Row<'_>; 3] =
        [(&[0, 1, 2], 7.0, 0.0, 0.0), (&[1, 2, 0, 2], 9.1, 0.0, 0.0), (&[1, 0], 0.3, 0.0, 0.0)];
    let together = run("linear", &together, settings(100, 4)).ranks(Measure::Conversions, &[0, 1]).unwrap();
    assert_eq!(together.above[0][1], 0.5);
    let error = result.ranks(Measure::Value, &[4]).unwrap_err().to_string();
    assert_eq!(error, "channel number 4 was to be ranked, but there are only 4");
    let error = result.ranks(Measure::Value, &[0; 1001]).unwrap_err().to_string();
    assert_eq!(error, "1001 channels were to be ranked; rank 1000 at most, such as those with the most credit");
}

#[test]
fn bad_settings_and_records_are_named() {
    let rows: [Row<'_>; 1] = [(&[0], 2.0, 6.0, 1.0)];
    let good = Record { path: 0, person: 1, conversions: 2.0, value: 6.0, nulls: 1.0 };
    let error = |records: &[Record], settings| {
        bootstrap(&ModelSpec::Linear, &paths(&rows), &names(1), Some(records), settings).unwrap_err().to_string()
    };
    let fine = settings(10, 1);
    assert!(error(&[good], settings(1, 1)).starts_with("1 resamples were asked for; ask for 2 to "));
    assert!(error(&[good], Bootstrap { level: 1.0, ..fine }).starts_with("1 is no level of an interval;"));
    assert!(error(&[good], Bootstrap { level: f64::NAN, ..fine }).starts_with("NaN is no level"));
    assert!(
        error(&[Record { path: 1, ..good }], fine).starts_with("record 0 is of path 1, but there are only 1 paths")
    );
    assert!(error(&[Record { nulls: -1.0, ..good }], fine).starts_with("record 0 has nulls -1;"));
    assert!(error(&[Record { value: f64::NAN, ..good }], fine).starts_with("record 0 has value NaN;"));
    assert!(error(&[good, good], fine).starts_with("the records of path 0 sum to conversions 4, the path has 2;"));
    let large = |conversions, value| {
        let paths = paths(&[(&[0], conversions, value, 0.0)]);
        bootstrap(&ModelSpec::Linear, &paths, &names(1), None, fine).unwrap_err()
    };
    let at = |what, got| BootstrapError::TooLarge { path: 0, what, got };
    assert_eq!(large(1e91, 0.0), at("conversions", 1e91));
    assert_eq!(large(1e-100, 1.0), at("value a conversion", 1e100));
    let error = bootstrap(&ModelSpec::Linear, &paths(&rows), &[], None, fine).unwrap_err().to_string();
    assert!(error.starts_with("a path holds channel number 0, but only 0 names"), "{error}");
}

/// On real paths the bootstrap is centred on the estimate, and errors are those of Poisson counts where these are known.
#[test]
fn errors_on_real_paths_are_those_of_counts() {
    let Some(file) = shared("data/journeys/ca_pathdata/paths.csv") else { return };
    let (paths, names) = read_paths(BufReader::new(File::open(file).unwrap()), &ReadOptions::default()).unwrap();
    let result = bootstrap(&ModelSpec::Last, &paths, &names, None, settings(200, 11)).unwrap();
    for estimates in result.estimates() {
        let Some(conversions) = estimates.conversions.filter(|estimate| estimate.point > 0.0) else { continue };
        // All credit of a conversion goes to one channel, so credits are sums of Poisson draws.
        let want = conversions.point.sqrt();
        assert!((conversions.error / want - 1.0).abs() < 4.5 / 400_f64.sqrt(), "{conversions:?}");
        assert!((conversions.mean - conversions.point).abs() < 4.5 * want / 200_f64.sqrt(), "{conversions:?}");
    }
}
