//! What the hazard models promise whatever the timelines, and what they find where the answer is plain.
use proptest::prelude::*;
use safar_attribution::{
    Credit, Error, Stop,
    hazard::{
        HazardAttribution, HazardSettings, Role, attribute_hazard, attribute_timelines, attribute_timelines_with,
        bootstrap_timelines, bootstrap_timelines_with,
    },
    uncertainty::{Bootstrap, BootstrapError, Watch},
};
use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};

fn names() -> Vec<String> {
    ["Direct", "Paid search", "E-mail", "Display"].map(String::from).to_vec()
}

/// Few rounds: laws hold at every one.
fn quick(settings: HazardSettings) -> HazardSettings {
    HazardSettings { rounds: 6, levels: settings.levels.min(3), ..settings }
}

fn total(result: &HazardAttribution, of: impl Fn(&Credit) -> f64) -> f64 {
    result.credits.iter().map(&of).sum::<f64>() + of(&result.baseline)
}

/// People in the making: length of the window, touches, outcomes with values; times in parts of the window.
type Person = (i64, Vec<(u32, f64)>, Vec<(f64, f64)>);

fn people() -> impl Strategy<Value = Vec<Person>> {
    let touches = prop::collection::vec((0..4_u32, 0.0..=1.0), 0..12);
    let outcomes = prop::collection::vec((0.0..=1.0, -20.0..100.0), 0..3);
    prop::collection::vec((0..60 * DAY_US, touches, outcomes), 0..12)
}

fn timelines(people: &[Person]) -> Timelines {
    let mut lines = Timelines::default();
    for (length, touches, outcomes) in people {
        let at = |part: f64| 5 * DAY_US + (part * *length as f64) as i64;
        let mut touches = touches.clone();
        touches.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut outcomes = outcomes.clone();
        outcomes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let channels: Vec<_> = touches.iter().map(|touch| ChannelId(touch.0)).collect();
        let times: Vec<_> = touches.iter().map(|touch| at(touch.1)).collect();
        let (outcomes, values): (Vec<_>, Vec<_>) = outcomes.iter().map(|one| (at(one.0), one.1)).unzip();
        let line = TimelineRef {
            from: at(0.0),
            until: at(1.0),
            channels: &channels,
            times: &times,
            outcomes: &outcomes,
            values: &values,
        };
        lines.push(line).unwrap();
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn credits_and_baseline_are_all_there_is(people in people(), plain: bool) {
        let settings = quick(if plain { HazardSettings::plain() } else { HazardSettings::default() });
        let lines = timelines(&people);
        let result = attribute_hazard(&settings, &lines, &names()).unwrap();
        let value: f64 = lines.iter().flat_map(|line| line.values.to_vec()).sum();
        prop_assert!((total(&result, |credit| credit.conversions) - lines.outcomes() as f64).abs() < 1e-9);
        prop_assert!((total(&result, |credit| credit.value) - value).abs() < 1e-7);
        prop_assert!(result.credits.iter().all(|credit| credit.conversions >= -1e-12 && credit.value.is_finite()));
        prop_assert!(result.baseline.conversions >= -1e-9, "{result:?}");
        prop_assert_eq!(result.credits[0], Credit::default(), "direct visits earn nothing");
        prop_assert!(result.diagnostics.log_likelihood.is_finite());
    }

    #[test]
    fn credits_of_some_outcomes_and_of_the_others_are_those_of_all(people in people(), every in 1_usize..4, loose in -9.0..9.0) {
        let settings = quick(HazardSettings::default());
        let lines = timelines(&people);
        let all = attribute_hazard(&settings, &lines, &names()).unwrap();
        let [some, others] = [true, false].map(|first| {
            let mut part = lines.clone();
            part.count_only((0..lines.outcomes()).map(|outcome| (outcome % every == 0) == first).collect());
            if first && !lines.is_empty() {
                part.add_loose(loose).unwrap();
            }
            attribute_hazard(&settings, &part, &names()).unwrap()
        });
        prop_assert_eq!(&some.diagnostics, &all.diagnostics, "all are learned from");
        for (channel, whole) in all.credits.iter().enumerate() {
            let sum = some.credits[channel].conversions + others.credits[channel].conversions;
            prop_assert!((sum - whole.conversions).abs() < 1e-9);
            let sum = some.credits[channel].value + others.credits[channel].value;
            prop_assert!((sum - whole.value).abs() < 1e-7);
        }
        let counted = (0..lines.outcomes()).filter(|outcome| outcome % every == 0).count() as f64;
        prop_assert!((total(&some, |credit| credit.conversions) - counted).abs() < 1e-9);
        let money = if lines.is_empty() { 0.0 } else { loose };
        let value = total(&some, |credit| credit.value) + total(&others, |credit| credit.value);
        prop_assert!((value - total(&all, |credit| credit.value) - money).abs() < 1e-7);
    }

    #[test]
    fn no_channel_earns_without_touches(people in people()) {
        let mut people = people;
        people.iter_mut().for_each(|person| person.1.retain(|touch| touch.0 != 3));
        let result = attribute_hazard(&quick(HazardSettings::default()), &timelines(&people), &names()).unwrap();
        prop_assert_eq!(result.credits[3], Credit::default());
    }
}

/// 400 people; every second is shown an advertisement on day 10, of whom half buy within two days; of the others, a few
/// buy, any time.
fn shown() -> Timelines {
    let mut lines = Timelines::default();
    for person in 0..400_i64 {
        let shown = person % 2 == 0;
        let outcome = match person % 20 {
            0 | 4 | 8 | 12 | 16 => Some(10 * DAY_US + 1 + (person * 7_919 % 400) * DAY_US / 200),
            1 => Some((person * 104_729 % 400) * DAY_US / 20),
            _ => None,
        };
        let until = outcome.unwrap_or(20 * DAY_US);
        let line = TimelineRef {
            from: 0,
            until,
            channels: &[ChannelId(3)][..usize::from(shown)],
            times: &[10 * DAY_US][..usize::from(shown)],
            outcomes: &[until][..usize::from(outcome.is_some())],
            values: &[10.0][..usize::from(outcome.is_some())],
        };
        lines.push(line).unwrap();
    }
    lines
}

#[test]
fn an_effect_that_leaps_to_the_eye_is_found() {
    let lines = shown();
    for settings in [HazardSettings::plain(), HazardSettings::default()] {
        let result = attribute_hazard(&settings, &lines, &names()).unwrap();
        // 100 of the 200 who were shown it; of the 200 others 20 bought in 20 days.
        let credit = result.credits[3];
        assert!((85.0..=100.0).contains(&credit.conversions), "{credit:?}");
        assert!((credit.value - 10.0 * credit.conversions).abs() < 1e-9);
        let half_life = result.diagnostics.channels[3].half_life as f64 / DAY_US as f64;
        assert!((0.3..1.5).contains(&half_life), "{half_life} days");
        assert_eq!(result.diagnostics.channels[3].role, Role::Push);
    }
}

#[test]
fn what_a_channel_is_can_be_told_and_is_said() {
    let (model, lines) = ("hazard".parse().unwrap(), shown());
    let guessed = attribute_timelines(&model, &lines, &names()).unwrap().diagnostics.hazard.unwrap();
    assert!(guessed.channels.iter().all(|channel| channel.guessed));
    let roles = [None, None, None, Some(Role::Direct)];
    let told = attribute_timelines_with(&model, &lines, &names(), &roles, &Stop::default()).unwrap();
    let about = told.diagnostics.hazard.unwrap();
    let marks: Vec<_> = about.channels.iter().map(|channel| (channel.role, channel.guessed)).collect();
    let want = [(Role::Direct, true), (Role::Pull, true), (Role::Reach, true), (Role::Direct, false)];
    assert_eq!(marks, want);
    assert_eq!(told.credits[3], Credit::default(), "direct visits earn nothing");
    // 20 days in steps of a thirtieth.
    assert_eq!(about.step, 20 * DAY_US / 30);
    let settings = Bootstrap { replicates: 2, ..Bootstrap::default() };
    let watch = Watch { stop: &Stop::default(), told: &|_| {} };
    let drawn = bootstrap_timelines_with(&model, &lines, None, &names(), &roles, settings, watch).unwrap();
    assert_eq!(drawn.point.credits[3], Credit::default());
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let lines = shown();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| attribute_hazard(&quick(HazardSettings::default()), &lines, &names()).unwrap())
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn intervals_hold_what_leaps_to_the_eye() {
    let lines = shown();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let settings = Bootstrap { replicates: 40, ..Bootstrap::default() };
        pool.install(|| bootstrap_timelines(&"hazard".parse().unwrap(), &lines, None, &names(), settings).unwrap())
    };
    let found = run(1);
    assert_eq!(found, run(3));
    let display = found.estimates()[3].conversions.unwrap();
    // 100 of 400 people, nearly all for one reason: the standard error is about √100.
    assert!((7.0..13.0).contains(&display.error) && display.low < 95.0 && display.high > 95.0, "{display:?}");
    assert_eq!(found.estimates()[0].conversions.unwrap().high, 0.0, "direct visits earn nothing");
}

#[test]
fn intervals_of_what_cannot_be_are_refused() {
    let run = |model: &str, people: Option<&[u64]>, replicates| {
        let settings = Bootstrap { replicates, ..Bootstrap::default() };
        bootstrap_timelines(&model.parse().unwrap(), &shown(), people, &names(), settings).unwrap_err()
    };
    let error = run("hazard", Some(&[1, 2]), 2);
    assert_eq!(error.to_string(), "2 ids were given for 400 timelines; give one id for each");
    assert_eq!(run("linear", None, 2), BootstrapError::Model(Error::NeedsPaths { model: "linear" }));
    assert!(matches!(run("hazard", None, 1), BootstrapError::Replicates { got: 1, .. }));
}

#[test]
fn nobody_is_no_problem_and_what_cannot_be_is_refused() {
    let nobody = Timelines::default();
    let result = attribute_hazard(&HazardSettings::default(), &nobody, &names()).unwrap();
    assert_eq!((result.baseline, result.credits.len()), (Credit::default(), 4));
    let error = attribute_hazard(&HazardSettings::default(), &shown(), &names()[..3]).unwrap_err();
    assert_eq!(error, Error::UnnamedChannel { channel: 3, names: 3 });
    let error = attribute_hazard(&HazardSettings { moods: 10, ..Default::default() }, &nobody, &names()).unwrap_err();
    assert_eq!(error.to_string(), "moods is 10; use 1 to 9");
    // Steps of a minute over 20 days are more than a person may have.
    let minutes = HazardSettings { step: Some(DAY_US / 1_440), ..HazardSettings::plain() };
    let error = attribute_hazard(&minutes, &shown(), &names()).unwrap_err().to_string();
    assert_eq!(error, "step is 60000000 µs; use at least a 10000th of the whole observation of 20.0 days");
    let mut dear = Timelines::default();
    let line = TimelineRef { from: 0, until: 9, channels: &[], times: &[], outcomes: &[5], values: &[2e100] };
    dear.push(line).unwrap();
    let error = attribute_hazard(&HazardSettings::plain(), &dear, &names()).unwrap_err();
    assert_eq!(error, Error::BadValue { person: 0, got: 2e100 });
}
