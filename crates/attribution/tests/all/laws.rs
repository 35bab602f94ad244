//! What every model obeys, whatever the paths.
use proptest::prelude::*;
use safar_attribution::{Attribution, CustomWeights, ModelSpec, attribute};
use safar_model::{ChannelId, DAY_US, PathRef, Paths, PathsBuilder};

/// One path in the making: channels, ages (or none), conversions, value, nulls.
#[derive(Clone, Debug)]
struct Row {
    channels: Vec<u32>,
    ages: Option<Vec<i64>>,
    conversions: f64,
    value: f64,
    nulls: f64,
}

const CHANNELS: u32 = 6;

fn names() -> Vec<String> {
    (0..CHANNELS).map(|channel| if channel == 0 { "Direct".into() } else { format!("c{channel}") }).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let counts = || prop_oneof![Just(0.0), (1_u32..50).prop_map(f64::from), 0.01..5.0];
    let value = prop_oneof![Just(0.0), -1e3..1e4, (0..99_i32).prop_map(f64::from)];
    let row = (prop::collection::vec((0..CHANNELS, 0..90 * DAY_US), 0..9), counts(), value, counts());
    (prop::collection::vec(row, 0..30), any::<bool>()).prop_map(|(rows, aged)| {
        let row = |(touches, conversions, value, nulls): (Vec<(u32, i64)>, _, _, _)| Row {
            ages: aged.then(|| touches.iter().map(|touch| touch.1).collect()),
            channels: touches.into_iter().map(|touch| touch.0).collect(),
            conversions,
            value,
            nulls,
        };
        rows.into_iter().map(row).collect()
    })
}

fn specs() -> impl Strategy<Value = ModelSpec> {
    let share = 0.0..=0.5_f64;
    let weights = prop::collection::vec(0.1..9.0_f64, 1..5);
    prop_oneof![
        Just(ModelSpec::First),
        Just(ModelSpec::Last),
        Just(ModelSpec::LastNonDirect { direct: vec!["direct".into()] }),
        Just(ModelSpec::Linear),
        (0.01..=0.5_f64, share).prop_map(|(first, last)| ModelSpec::Position { first, last }),
        Just(ModelSpec::PositionDecay),
        (1..60 * DAY_US).prop_map(|half_life| ModelSpec::TimeDecay { half_life }),
        (1..12_u32).prop_map(|order| ModelSpec::Markov { order }),
        (0.0..1.0, 0.0..1.0, 0.1..1.0).prop_map(|(first, middle, last)| ModelSpec::Custom(CustomWeights::Ends {
            first,
            middle,
            last
        })),
        Just(ModelSpec::AmplitudeJ),
        Just(ModelSpec::Shapley),
        Just(ModelSpec::ShapleyRate { most: None }),
        (1..3_u32).prop_map(|order| ModelSpec::ShapleyMarkov { order }),
        Just(ModelSpec::LeaveOneOut),
        Just(ModelSpec::ShaoLi),
        (weights, any::<bool>())
            .prop_map(|(weights, from_last)| ModelSpec::Custom(CustomWeights::Places { weights, from_last })),
    ]
}

fn paths(rows: &[Row]) -> Paths {
    let mut paths = PathsBuilder::default();
    for row in rows {
        let channels: Vec<_> = row.channels.iter().map(|channel| ChannelId(*channel)).collect();
        let Row { conversions, value, nulls, .. } = *row;
        paths.push(PathRef { channels: &channels, ages: row.ages.as_deref(), conversions, value, nulls });
    }
    paths.finish()
}

fn run(spec: &ModelSpec, rows: &[Row]) -> Attribution {
    attribute(spec, &paths(rows), &names()).unwrap()
}

/// Both results say the same, where `size` is what they are about.
fn same(a: &Attribution, b: &Attribution, order: impl Fn(usize) -> usize, times: f64) -> Result<(), TestCaseError> {
    for index in 0..a.credits.len() {
        let (a, b) = (a.credits[index], b.credits[order(index)]);
        for (a, b) in [(a.conversions, b.conversions), (a.value, b.value)] {
            prop_assert!((a * times - b).abs() <= 1e-7 * (1.0 + (a * times).abs()), "{a} times {times} is not {b}");
        }
    }
    Ok(())
}

/// Credits of value by a chain are ill-conditioned where refunds nearly cancel the removal effects; then only
/// conservation can be asked of them.
fn well_posed(result: &Attribution) -> bool {
    if let Some(raw) = &result.diagnostics.raw {
        let (sum, size) = raw.iter().fold((0.0, 0.0), |(s, t), x| (s + x, t + f64::abs(*x)));
        // Its value is scaled by sums that can cancel as well and are not shown.
        let value: f64 = result.credits.iter().map(|credit| credit.value.abs()).sum();
        return f64::abs(sum) > 1e-3 * size && value < 1e5;
    }
    result.diagnostics.markov.as_ref().is_none_or(|markov| {
        let (sum, size) = markov.value_removal_effects.iter().fold((0.0, 0.0), |(s, t), x| (s + x, t + f64::abs(*x)));
        size == 0.0 || f64::abs(sum) > 1e-3 * size && size < 1e3
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost_and_nothing_is_no_number(rows in rows(), spec in specs()) {
        let result = run(&spec, &rows);
        for (total, given, unattributed) in [
            (rows.iter().map(|row| row.conversions).collect::<Vec<_>>(),
             result.credits.iter().map(|credit| credit.conversions).collect::<Vec<_>>(), result.unattributed.conversions),
            (rows.iter().map(|row| row.value).collect(),
             result.credits.iter().map(|credit| credit.value).collect(), result.unattributed.value),
        ] {
            prop_assert!(given.iter().all(|credit| credit.is_finite()) && unattributed.is_finite());
            let size: f64 = total.iter().chain(&given).map(|x| x.abs()).sum();
            let gap = total.iter().sum::<f64>() - given.iter().sum::<f64>() - unattributed;
            prop_assert!(gap.abs() <= 1e-9 * size, "{spec}: {gap} of {size} is missing");
        }
        if matches!(spec, ModelSpec::ShaoLi | ModelSpec::ShapleyRate { .. }) {
            return Ok(());
        }
        prop_assert!(result.credits.iter().all(|credit| credit.conversions >= -1e-9), "{spec}: {result:?}");
        let untouched: f64 = rows.iter().filter(|row| row.channels.is_empty()).map(|row| row.conversions).sum();
        prop_assert!((result.unattributed.conversions - untouched).abs() <= 1e-9 * (1.0 + untouched));
    }

    #[test]
    fn shares_of_a_path_sum_to_1(rows in rows(), spec in specs()) {
        let all = paths(&rows);
        let fitted = spec.build().fit(&all, &names()).unwrap();
        for path in all.iter().filter(|path| !path.channels.is_empty()) {
            let mut shares = vec![0.0; path.channels.len()];
            fitted.shares(path, &mut shares);
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{spec}: {shares:?}");
            let signed = matches!(spec, ModelSpec::ShapleyRate { .. });
            prop_assert!(signed || shares.iter().all(|share| *share >= 0.0));
        }
    }

    #[test]
    fn the_order_of_paths_does_not_matter(mut rows in rows(), spec in specs(), seed in any::<u64>()) {
        let before = run(&spec, &rows);
        rows.sort_by_key(|row| (seed ^ row.conversions.to_bits()).rotate_left(row.channels.len() as u32 * 7));
        let after = run(&spec, &rows);
        if well_posed(&before) {
            same(&before, &after, |index| index, 1.0)?;
        }
    }

    #[test]
    fn names_do_not_matter(mut rows in rows(), spec in specs(), turn in 0..CHANNELS) {
        let spec = if matches!(spec, ModelSpec::LastNonDirect { .. }) { ModelSpec::Last } else { spec };
        let before = run(&spec, &rows);
        let turned = |channel: u32| (channel + turn) % CHANNELS;
        rows.iter_mut().flat_map(|row| &mut row.channels).for_each(|channel| *channel = turned(*channel));
        let after = run(&spec, &rows);
        if well_posed(&before) {
            same(&before, &after, |index| turned(index as u32) as usize, 1.0)?;
        }
    }

    #[test]
    fn ten_times_the_people_earn_ten_times_the_credit(mut rows in rows(), spec in specs()) {
        let before = run(&spec, &rows);
        for row in &mut rows {
            (row.conversions, row.value, row.nulls) = (row.conversions * 10.0, row.value * 10.0, row.nulls * 10.0);
        }
        let after = run(&spec, &rows);
        if well_posed(&before) {
            same(&before, &after, |index| index, 10.0)?;
        }
    }

    #[test]
    fn splitting_a_path_in_two_equal_ones_changes_nothing(rows in rows(), spec in specs()) {
        let before = run(&spec, &rows);
        let halves: Vec<_> = rows.iter().flat_map(|row| {
            let half = Row { conversions: row.conversions / 2.0, value: row.value / 2.0, nulls: row.nulls / 2.0, ..row.clone() };
            [half.clone(), half]
        }).collect();
        let after = run(&spec, &halves);
        if well_posed(&before) {
            same(&before, &after, |index| index, 1.0)?;
        }
    }

    #[test]
    fn extreme_weights_stay_numbers(mut rows in rows(), spec in specs(), far in prop::sample::select(vec![1e-300, 1e100, 1e-90, 1e60])) {
        for row in rows.iter_mut().step_by(2) {
            (row.conversions, row.value, row.nulls) = (row.conversions.min(1.0) * far, row.value.signum() * far, row.nulls.min(1.0) * far);
        }
        let result = run(&spec, &rows);
        prop_assert!(result.credits.iter().all(|credit| !credit.conversions.is_nan() && !credit.value.is_nan()), "{result:?}");
    }
}

/// A game's values depend on what a channel adds, and on nothing else.
#[test]
fn shapley_values_are_efficient_symmetric_and_give_nothing_to_null_players() {
    let row = |channels: &[u32], conversions, nulls| Row {
        channels: channels.to_vec(),
        ages: None,
        conversions,
        value: conversions * 2.0,
        nulls,
    };
    // 1 and 2 stand in mirrored paths; 3 never comes before a conversion.
    let rows = [
        row(&[1, 4], 3.0, 2.0),
        row(&[2, 4], 3.0, 2.0),
        row(&[1, 2], 2.0, 1.0),
        row(&[2, 1], 2.0, 1.0),
        row(&[3], 0.0, 9.0),
    ];
    for spec in ["shapley", "shapley_rate", "shapley_markov", "shapley_markov:order=2"] {
        let credits = run(&spec.parse().unwrap(), &rows).credits;
        let sum: f64 = credits.iter().map(|credit| credit.conversions).sum();
        assert!((sum - 10.0).abs() < 1e-12, "{spec}: {credits:?}");
        assert!((credits[1].conversions - credits[2].conversions).abs() < 1e-12, "{spec}: {credits:?}");
        assert!(credits[3].conversions.abs() < 1e-12, "{spec}: {credits:?}");
    }
}

#[test]
fn presets_print_the_weights_they_stand_for() {
    let shares = |spec: &str, n: u32| {
        let row = Row { channels: (0..n).collect(), ages: None, conversions: 100.0, value: 0.0, nulls: 0.0 };
        let credits = run(&spec.parse().unwrap(), &[row]).credits;
        credits.iter().take(n as usize).map(|credit| credit.conversions.round()).collect::<Vec<_>>()
    };
    // Adobe Analytics and Amplitude documentation.
    for (spec, n, want) in [
        ("adobe_j", 1, vec![100.0]),
        ("adobe_j", 2, vec![25.0, 75.0]),
        ("adobe_j", 4, vec![20.0, 10.0, 10.0, 60.0]),
        ("adobe_inverse_j", 2, vec![75.0, 25.0]),
        ("adobe_inverse_j", 3, vec![60.0, 20.0, 20.0]),
        ("amplitude_j", 2, vec![30.0, 70.0]),
        ("amplitude_j", 4, vec![10.0, 10.0, 20.0, 60.0]),
        ("google_position", 2, vec![50.0, 50.0]),
        ("google_position", 3, vec![40.0, 20.0, 40.0]),
        ("participation", 2, vec![100.0, 100.0]),
        ("custom:weights=5/3/2", 2, vec![63.0, 38.0]),
        ("custom:weights=5/3/2,from=last", 4, vec![0.0, 20.0, 30.0, 50.0]),
    ] {
        assert_eq!(shares(spec, n), want, "{spec} on {n}");
    }
    assert_eq!("Adobe-J".parse::<ModelSpec>().unwrap().to_string(), "custom:first=20,middle=20,last=60");
    for preset in safar_attribution::PRESETS {
        let spec: ModelSpec = preset.name.parse().unwrap();
        assert_eq!(spec, preset.spec.parse().unwrap());
        assert_eq!(spec.to_string(), preset.spec);
    }
}

#[test]
fn participation_overlaps_and_says_so() {
    let row =
        |channels: &[u32]| Row { channels: channels.to_vec(), ages: None, conversions: 1.0, value: 5.0, nulls: 0.0 };
    let result = run(&ModelSpec::Participation, &[row(&[1, 2, 1]), row(&[])]);
    assert!(result.diagnostics.overlapping);
    assert_eq!((result.credits[1].conversions, result.credits[2].value), (1.0, 5.0));
    assert_eq!(result.unattributed.conversions, 1.0);
}

#[test]
fn a_game_of_too_many_channels_says_how_many_it_takes() {
    let names: Vec<_> = (0..21).map(|channel| channel.to_string()).collect();
    let row = Row { channels: (0..21).collect(), ages: None, conversions: 1.0, value: 0.0, nulls: 0.0 };
    let error = attribute(&ModelSpec::ShapleyMarkov { order: 1 }, &paths(&[row]), &names).unwrap_err().to_string();
    assert_eq!(error, "shapley_markov is exact up to 20 channels here, got 21; group rare channels first");
}

#[test]
fn bad_weights_and_nameless_channels_are_named() {
    let row = Row { channels: vec![1], ages: None, conversions: -1.0, value: 0.0, nulls: 0.0 };
    let error = attribute(&ModelSpec::First, &paths(std::slice::from_ref(&row)), &names()).unwrap_err().to_string();
    assert!(error.starts_with("path 0 has conversions -1;"), "{error}");
    let error = attribute(&ModelSpec::First, &paths(&[Row { conversions: 1.0, ..row }]), &names()[..1]).unwrap_err();
    assert!(error.to_string().starts_with("a path holds channel number 1, but only 1 names"), "{error}");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let rows: Vec<_> = (0..70_000_u32)
        .map(|row| Row {
            channels: (0..1 + row % 7).map(|touch| row.wrapping_mul(touch * 2 + 3) / 7 % CHANNELS).collect(),
            ages: None,
            conversions: f64::from(row % 3),
            value: f64::from(row % 11) * 0.1,
            nulls: f64::from(row % 5),
        })
        .collect();
    let all = paths(&rows);
    for spec in ["linear", "markov:order=1", "markov:order=3", "markov:order=5"] {
        let spec: ModelSpec = spec.parse().unwrap();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| attribute(&spec, &all, &names()).unwrap())
        };
        assert_eq!(on(1), on(3), "{spec}");
    }
}

#[test]
fn where_nothing_converts_every_credit_is_0() {
    let row = Row { channels: vec![1, 2], ages: None, conversions: 0.0, value: 0.0, nulls: 5.0 };
    let result = run(&ModelSpec::Markov { order: 1 }, std::slice::from_ref(&row));
    let markov = result.diagnostics.markov.unwrap();
    assert_eq!((markov.base, markov.removal_effects), (0.0, vec![0.0; CHANNELS as usize]));
    assert!(result.credits.iter().all(|credit| credit.conversions == 0.0 && credit.value == 0.0));
    // Value that no conversion stands behind and no people walked: nobody can be found to have earned it.
    let lost = Row { conversions: 0.0, nulls: 0.0, value: -7.0, ..row };
    assert_eq!(run(&ModelSpec::Markov { order: 1 }, &[lost]).unattributed.value, -7.0);
}
