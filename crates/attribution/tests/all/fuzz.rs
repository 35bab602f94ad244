//! Whatever paths come, nothing panics: models answer with numbers, or refuse with a sentence.
use crate::made::{Row, made_up, paths, spec};
use proptest::prelude::*;
use safar_attribution::experiment::{self, Arm, Before, Geo, geo_hold_out, hold_out};
use safar_attribution::hazard::{HazardSettings, attribute_hazard};
use safar_attribution::uncertainty::{Bootstrap, bootstrap};
use safar_attribution::validation::{Predictions, StabilitySettings, stability};
use safar_attribution::{
    Error, ModelSpec, Transform, WEIGHT_MAX, all_models, attribute, credits_by_place, total, transform,
};
use safar_model::{ChannelId, DAY_US, Paths, TimelineRef, Timelines};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|channel| format!("c{channel}")).collect()
}

/// Numbers as they should be, at the ends of their range, and beyond it.
fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (0..9_u32).prop_map(f64::from),
        2 => 0.0..1e6_f64,
        1 => prop::sample::select(vec![0.0, -0.0, 5e-324, 1e-300, 1e90, WEIGHT_MAX]),
        1 => prop::sample::select(vec![-1.0, -1e-300, 1.1 * WEIGHT_MAX, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]),
    ]
}

/// Paths of any length, ages of any size, also such as no clock gives.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let age = prop_oneof![0..1_i64 << 45, prop::sample::select(vec![0, -1, i64::MIN, i64::MAX])];
    let touches = prop_oneof![
        9 => prop::collection::vec((0..8_u32, age.clone()), 0..7),
        1 => prop::collection::vec((0..3_u32, age), 200..400),
    ];
    let row = (touches, numbers(), numbers(), any::<bool>(), numbers());
    (prop::collection::vec(row, 0..12), any::<bool>()).prop_map(|(rows, aged)| {
        let row = |(touches, conversions, value, refunded, nulls): (Vec<(u32, i64)>, f64, f64, bool, f64)| Row {
            ages: aged.then(|| touches.iter().map(|touch| touch.1).collect()),
            channels: touches.into_iter().map(|touch| touch.0).collect(),
            conversions,
            value: if refunded { -value } else { value },
            nulls,
        };
        rows.into_iter().map(row).collect()
    })
}

/// The first weight that no path may have.
fn unsound(rows: &[Row]) -> Option<usize> {
    let count = |x: f64| (0.0..=WEIGHT_MAX).contains(&x);
    rows.iter().position(|row| !count(row.conversions) || !count(row.nulls) || !count(row.value.abs()))
}

fn models() -> impl Strategy<Value = ModelSpec> {
    let more = ["markov:order=3,solver=iterative", "markov:order=40", "markov:order=auto", "shapley_rate:most=2"];
    let more = more.into_iter().chain(["shapley_markov:order=2,samples=4", "logistic:bags=2", "custom:weights=1/0/2"]);
    prop::sample::select(all_models().into_iter().chain(more.map(spec)).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn models_answer_or_refuse(rows in rows(), model in models(), count in prop::sample::select(vec![0, 3, 8])) {
        let (paths, names) = (paths(&rows), names(count));
        let answer = attribute(&model, &paths, &names);
        let unnamed = paths.channel_count() > count;
        match (&answer, unsound(&rows)) {
            (Err(Error::UnnamedChannel { .. }), _) => prop_assert!(unnamed),
            (Err(Error::BadWeight { index, .. }), bad) => prop_assert_eq!(Some(*index), bad),
            (Err(_), bad) => prop_assert!(bad.is_none() && !unnamed),
            (Ok(result), bad) => {
                prop_assert!(bad.is_none() && !unnamed);
                prop_assert_eq!(result.credits.len(), count);
                for credit in result.credits.iter().chain([&result.unattributed]) {
                    prop_assert!(!credit.conversions.is_nan() && !credit.value.is_nan(), "{model}: {credit:?}");
                }
            }
        }
        let _ = total(&paths);
        let _ = credits_by_place(&model, &paths, &names);
        let settings = Bootstrap { replicates: 2, ..Bootstrap::default() };
        if let Ok(drawn) = bootstrap(&model, &paths, &names, None, settings) {
            prop_assert!(answer.is_ok());
            let _ = drawn.estimates();
        }
    }

    #[test]
    fn transforms_change_or_refuse(rows in rows(), steps in prop::collection::vec(prop::sample::select(vec![
        "exposure", "unique", "first", "frequency", "remove_direct:direct=c1|c2", "remove_last_direct:direct=c1",
    ]), 0..4)) {
        let steps: Vec<Transform> = steps.iter().map(|step| step.parse().unwrap()).collect();
        let before = paths(&rows);
        match transform(&steps, &before, &names(8)) {
            Err(error) => prop_assert!(unsound(&rows).is_some(), "{error}"),
            Ok((after, channels)) => {
                prop_assert!(after.channel_count() <= channels.len());
                prop_assert!(after.len() == before.len() && after.touchpoints() <= before.touchpoints());
                prop_assert_eq!(total(&after), total(&before));
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_of_transforms_panic(text in ".{0,40}") {
        let _ = text.parse::<Transform>();
        let _ = format!("remove_direct:{text}").parse::<Transform>();
        let _ = format!("remove_last_direct:direct={text}").parse::<Transform>();
    }
}

/// As many channels as 16 bits number, most of them on no path: models pay for those they meet.
#[test]
fn tens_of_thousands_of_channels_are_no_trouble() {
    let mut rows = made_up(60, 12);
    rows.iter_mut().flat_map(|row| &mut row.channels).for_each(|channel| *channel = 65_534 - *channel * 5_957);
    let (paths, names) = (paths(&rows), names(65_535));
    let all: f64 = rows.iter().map(|row| row.conversions).sum();
    let more = ["markov:order=2,solver=iterative", "markov:order=5", "shapley_markov:samples=4"].map(spec);
    for model in all_models().into_iter().filter(|model| *model != ModelSpec::Participation).chain(more) {
        let result = attribute(&model, &paths, &names).unwrap();
        let given: f64 = result.credits.iter().map(|credit| credit.conversions).sum();
        assert!((given + result.unattributed.conversions - all).abs() < 1e-9 * all, "{model}: {given} of {all}");
        assert_eq!(result.credits[1].conversions, 0.0, "{model}");
    }
}

#[test]
fn no_paths_are_paths() {
    for model in all_models() {
        let result = attribute(&model, &Paths::default(), &names(2)).unwrap();
        assert!(result.credits.iter().all(|credit| credit.conversions == 0.0 && credit.value == 0.0), "{model}");
    }
}

fn arms() -> impl Strategy<Value = Arm> {
    let measure = || (numbers(), numbers(), any::<bool>(), prop::option::of((numbers(), numbers(), numbers())));
    (numbers(), prop::option::of(numbers()), numbers(), measure(), measure()).prop_map(
        |(people, exposed, converters, conversions, value)| {
            let of =
                |(sum, squares, refunded, before): (f64, f64, bool, Option<(f64, f64, f64)>)| experiment::Measure {
                    sum: if refunded { -sum } else { sum },
                    squares,
                    before: before.map(|(sum, squares, product)| Before { sum, squares, product }),
                };
            Arm { people, exposed, converters, conversions: of(conversions), value: of(value) }
        },
    )
}

fn tests() -> impl Strategy<Value = experiment::Settings> {
    let odd =
        || prop_oneof![4 => 0.01..0.99_f64, 1 => prop::sample::select(vec![0.0, 1.0, -1.0, f64::NAN, f64::INFINITY])];
    (odd(), odd(), prop::option::of(odd()), 0..300_u32).prop_map(|(level, power, treated_share, draws)| {
        experiment::Settings { level, power, treated_share, draws, ..experiment::Settings::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn hold_outs_answer_or_refuse(arms in [arms(), arms()], settings in tests()) {
        if let Ok(found) = hold_out(&arms[0], &arms[1], &settings) {
            for lift in [&found.converters, &found.conversions, &found.value] {
                prop_assert!(!lift.absolute.value.is_nan(), "{lift:?}");
                prop_assert!(lift.detectable_part().is_none_or(|part| part >= 0.0), "{lift:?}");
            }
        }
    }

    #[test]
    fn hold_outs_of_regions_answer_or_refuse(
        regions in prop::collection::vec((any::<bool>(), numbers(), numbers(), numbers(), prop::option::of(numbers())), 0..9),
        all_known in any::<bool>(),
        settings in tests(),
    ) {
        let geo = |(treated, people, conversions, value, before): &(bool, f64, f64, f64, Option<f64>)| Geo {
            treated: *treated,
            people: *people,
            conversions: *conversions,
            value: -*value,
            before: if all_known { Some(before.unwrap_or(1.0)) } else { *before },
        };
        let regions: Vec<Geo> = regions.iter().map(geo).collect();
        if let Ok(found) = geo_hold_out(&regions, &settings) {
            prop_assert_eq!(found.treated + found.control, regions.len());
        }
    }

}

proptest! {
    // Learned again and again.
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn predictions_and_stability_answer_or_refuse(
        weeks in prop::collection::vec(rows(), 0..4),
        model in models(),
        count in prop::sample::select(vec![3, 8]),
    ) {
        let (weeks, names): (Vec<Paths>, _) = (weeks.iter().map(|rows| paths(rows)).collect(), names(count));
        if let [earlier, later, ..] = &weeks[..]
            && let Ok(predictions) = Predictions::make(&model, earlier, later, &names)
        {
            let score = predictions.score();
            prop_assert!((0.0..=1.0).contains(&score.auc), "{model}: {score:?}");
            prop_assert!(score.log_loss >= 0.0 && predictions.probabilities().all(|p| p > 0.0 && p < 1.0), "{model}");
            let _ = predictions.calibration(0.95);
        }
        let settings = StabilitySettings { replicates: 19, seed: 1 };
        if let Ok(found) = stability(&model, &weeks, &names, &settings) {
            prop_assert!(found.p > 0.0 && found.p <= 1.0, "{model}: {found:?}");
        }
    }

    #[test]
    fn timelines_of_any_time_are_learned_or_refused(
        people in prop::collection::vec(
            (prop::collection::vec(instants(), 2..9), prop::collection::vec((0..4_u32, numbers()), 0..7), 0..4_usize), 0..9,
        ),
        plain in any::<bool>(),
    ) {
        let mut lines = Timelines::default();
        for (instants, events, outcomes) in people {
            let mut instants = instants;
            instants.sort_unstable();
            let (from, until) = (instants[0], instants[instants.len() - 1]);
            let touches = events.len().min(instants.len());
            let outcomes = outcomes.min(touches);
            let channels: Vec<_> = events[..touches].iter().map(|event| ChannelId(event.0)).collect();
            let values: Vec<_> = events[..outcomes].iter().map(|event| event.1).collect();
            // What cannot be is refused here.
            let _ = lines.push(TimelineRef {
                from,
                until,
                channels: &channels,
                times: &instants[..touches],
                outcomes: &instants[instants.len() - outcomes..],
                values: &values,
            });
        }
        let settings = if plain { HazardSettings::plain() } else { HazardSettings::default() };
        let settings = HazardSettings { rounds: 3, levels: settings.levels.min(3), ..settings };
        if let Ok(found) = attribute_hazard(&settings, &lines, &names(4)) {
            let all: f64 = found.credits.iter().map(|credit| credit.conversions).sum::<f64>() + found.baseline.conversions;
            prop_assert!((all - lines.outcomes() as f64).abs() < 1e-6, "{found:?}");
            prop_assert!(found.credits.iter().all(|credit| credit.conversions >= -1e-9), "{found:?}");
        } else {
            prop_assert!(lines.iter().any(|line| line.values.iter().any(|value| value.abs() > WEIGHT_MAX)));
        }
    }
}

/// Instants near each other, and such as no clock gives.
fn instants() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 0..40 * DAY_US,
        1 => 0..5_i64,
        1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1 << 60, i64::MAX]),
    ]
}
