//! What every model obeys, whatever the paths.
use crate::made::{CHANNELS, Row, names, paths, row, rows, run, spec};
use proptest::prelude::*;
use safar_attribution::{
    Attribution, CustomWeights, ModelSpec, Order, ReadOptions, SolverChoice, all_models, attribute, read_paths,
};
use safar_model::DAY_US;

fn specs() -> impl Strategy<Value = ModelSpec> {
    let share = 0.0..=0.5_f64;
    let weights = prop::collection::vec(0.1..9.0_f64, 1..5);
    let solver = prop::sample::select(vec![SolverChoice::Auto, SolverChoice::Exact, SolverChoice::Iterative]);
    let markov = |(order, solver)| ModelSpec::Markov { order: Order::Fixed(order), solver };
    prop_oneof![
        10 => prop::sample::select(all_models()),
        1 => (0.01..=0.5_f64, share).prop_map(|(first, last)| ModelSpec::Position { first, last }),
        1 => (1..60 * DAY_US).prop_map(|half_life| ModelSpec::TimeDecay { half_life }),
        2 => (1..12_u32, solver).prop_map(markov),
        1 => (1..6_u32, 0..9_u64).prop_map(|(most, seed)| ModelSpec::Markov {
            order: Order::Auto { most, seed },
            solver: SolverChoice::Auto
        }),
        1 => (0.0..1.0, 0.0..1.0, 0.1..1.0).prop_map(|(first, middle, last)| ModelSpec::Custom(CustomWeights::Ends {
            first,
            middle,
            last
        })),
        1 => (1..4_u32, prop::option::of(4..9_u32), 0..9_u64)
            .prop_map(|(order, samples, seed)| ModelSpec::ShapleyMarkov { order, samples, seed }),
        1 => (1..9_u32, 0.01..9.0, 0..9_u64).prop_map(|(bags, l2, seed)| ModelSpec::Logistic { bags, l2, seed }),
        1 => (weights, any::<bool>())
            .prop_map(|(weights, from_last)| ModelSpec::Custom(CustomWeights::Places { weights, from_last })),
    ]
}

/// What is drawn goes by the names of channels.
fn draws(spec: &ModelSpec) -> bool {
    matches!(
        spec,
        ModelSpec::Markov { order: Order::Auto { .. }, .. }
            | ModelSpec::ShapleyMarkov { samples: Some(_), .. }
            | ModelSpec::Logistic { .. }
    )
}

/// What is drawn goes by counts of people.
fn draws_people(spec: &ModelSpec) -> bool {
    draws(spec) && !matches!(spec, ModelSpec::ShapleyMarkov { .. })
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
        prop_assume!(spec != ModelSpec::Participation);
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
        prop_assume!(spec != ModelSpec::Participation);
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
    fn chances_are_chances(rows in rows(), spec in specs()) {
        let all = paths(&rows);
        let fitted = spec.build().fit(&all, &names()).unwrap();
        for path in all.iter() {
            if let Some(chance) = fitted.probability(path) {
                prop_assert!(chance > 0.0 && chance < 1.0, "{spec}: {chance}");
            }
        }
    }

    #[test]
    fn names_do_not_matter(mut rows in rows(), spec in specs(), turn in 0..CHANNELS) {
        prop_assume!(!draws(&spec));
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
    fn how_channels_are_numbered_does_not_matter(mut rows in rows(), spec in specs(), turn in 0..CHANNELS) {
        let before = run(&spec, &rows);
        let turned = |channel: u32| (channel + turn) % CHANNELS;
        rows.iter_mut().flat_map(|row| &mut row.channels).for_each(|channel| *channel = turned(*channel));
        let mut names = names();
        names.rotate_right(turn as usize);
        let after = attribute(&spec, &paths(&rows), &names).unwrap();
        if well_posed(&before) {
            same(&before, &after, |index| turned(index as u32) as usize, 1.0)?;
        }
    }

    #[test]
    fn channels_in_mirrored_paths_earn_the_same(mut rows in rows(), spec in specs()) {
        prop_assume!(!draws(&spec));
        let mirror = |channel: &u32| match channel { 1 => 2, 2 => 1, other => *other };
        let mirrored: Vec<_> = rows
            .iter()
            .map(|row| Row { channels: row.channels.iter().map(mirror).collect(), ..row.clone() })
            .collect();
        rows.extend(mirrored);
        let result = run(&spec, &rows);
        if well_posed(&result) {
            let (one, other) = (result.credits[1], result.credits[2]);
            for (a, b) in [(one.conversions, other.conversions), (one.value, other.value)] {
                prop_assert!((a - b).abs() <= 1e-7 * (1.0 + a.abs()), "{spec}: {one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_channel_that_nobody_met_before_converting_earns_nothing(mut rows in rows(), spec in specs()) {
        rows.iter_mut().for_each(|row| row.channels.iter_mut().for_each(|channel| *channel = (*channel).min(4)));
        rows.push(Row { value: 0.0, ..row(&[5, 5], 0.0, 7.0) });
        let result = run(&spec, &rows);
        prop_assert!(result.credits[5].conversions.abs() < 1e-9, "{spec}: {result:?}");
        if well_posed(&result) {
            prop_assert!(result.credits[5].value.abs() < 1e-6, "{spec}: {result:?}");
        }
    }

    /// Shapley values are linear in the game: where a path's value is the sum of two, so are the credits.
    #[test]
    fn credits_of_shapley_games_add_up(
        rows in rows(), with in prop::collection::vec(-50.0..90.0_f64, 30),
        game in prop::sample::select(vec!["shapley", "shapley_markov", "shapley_markov:order=2", "shapley_markov:samples=6"]),
    ) {
        let valued = |value: &dyn Fn(f64, f64) -> f64| {
            let rows: Vec<_> =
                rows.iter().zip(&with).map(|(row, b)| Row { value: value(row.value, *b), ..row.clone() }).collect();
            run(&spec(game), &rows).credits
        };
        let (a, b, both) = (valued(&|a, _| a), valued(&|_, b| b), valued(&|a, b| a + b));
        let size: f64 = rows.iter().zip(&with).map(|(row, b)| row.value.abs() + b.abs()).sum();
        for channel in 0..CHANNELS as usize {
            let gap = a[channel].value + b[channel].value - both[channel].value;
            prop_assert!(gap.abs() <= 1e-9 * (1.0 + size), "{game}: {gap}");
        }
    }

    #[test]
    fn ten_times_the_people_earn_ten_times_the_credit(mut rows in rows(), spec in specs()) {
        prop_assume!(!draws_people(&spec));
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
    // 1 and 2 stand in mirrored paths; 3 never comes before a conversion.
    let rows = [
        row(&[1, 4], 3.0, 2.0),
        row(&[2, 4], 3.0, 2.0),
        row(&[1, 2], 2.0, 1.0),
        row(&[2, 1], 2.0, 1.0),
        row(&[3], 0.0, 9.0),
    ];
    for game in ["shapley", "shapley_rate", "shapley_markov", "shapley_markov:order=2"] {
        let credits = run(&spec(game), &rows).credits;
        let sum: f64 = credits.iter().map(|credit| credit.conversions).sum();
        assert!((sum - 10.0).abs() < 1e-12, "{game}: {credits:?}");
        assert!((credits[1].conversions - credits[2].conversions).abs() < 1e-12, "{game}: {credits:?}");
        assert!(credits[3].conversions.abs() < 1e-12, "{game}: {credits:?}");
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
    for model in
        ["linear", "markov:order=1", "markov:order=3", "markov:order=5", "shapley_markov:samples=70", "logistic:bags=5"]
    {
        let spec = spec(model);
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
    let result = run(&spec("markov"), std::slice::from_ref(&row));
    let markov = result.diagnostics.markov.unwrap();
    assert_eq!((markov.base, markov.removal_effects), (0.0, vec![0.0; CHANNELS as usize]));
    assert!(result.credits.iter().all(|credit| credit.conversions == 0.0 && credit.value == 0.0));
    // Value that no conversion stands behind and no people walked: nobody can be found to have earned it.
    let lost = Row { conversions: 0.0, nulls: 0.0, value: -7.0, ..row };
    assert_eq!(run(&spec("markov"), &[lost]).unattributed.value, -7.0);
}

/// Models that enumerate or draw must cope with nothing, too.
#[test]
fn every_model_takes_inputs_with_next_to_nothing_in_them() {
    let nothing = Row { value: 0.0, ..row(&[], 0.0, 0.0) };
    let cases: [&[Row]; 6] = [
        &[],
        std::slice::from_ref(&nothing),
        &[row(&[], 3.0, 1.0)],
        &[row(&[1], 0.0, 0.0)],
        &[row(&[1], 1.0, 0.0)],
        &[Row { ages: Some(vec![0]), ..row(&[1], 0.0, 1.0) }],
    ];
    for rows in cases {
        for model in all_models() {
            let result = run(&model, rows);
            let given: f64 = result.credits.iter().map(|credit| credit.conversions).sum();
            let all: f64 = rows.iter().map(|row| row.conversions).sum();
            assert!((given + result.unattributed.conversions - all).abs() < 1e-12, "{model}: {result:?}");
        }
    }
    let (paths, names) = read_paths("path;conversions\n".as_bytes(), &ReadOptions::default()).unwrap();
    for model in all_models() {
        assert_eq!(attribute(&model, &paths, &names).unwrap().credits, []);
    }
}
