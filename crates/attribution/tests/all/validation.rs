//! Validation on later paths, on made and on real data.
use crate::shared;
use safar_attribution::{
    ModelSpec, ReadOptions, read_paths,
    validation::{
        Class, Predictions, Reason, Recommendation, Source, StabilitySettings, ValidationError, recommend, stability,
    },
};
use safar_model::{ChannelId, PathRef, Paths, PathsBuilder};
use std::collections::HashMap;

fn read(rows: &str) -> (Paths, Vec<String>) {
    let text = format!("path;total_conversions;total_null\n{rows}");
    read_paths(text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn recommended(
    models: &[ModelSpec],
    earlier: &Paths,
    later: &Paths,
    channels: &[String],
) -> Result<Recommendation, ValidationError> {
    let predict = |model: &ModelSpec| Predictions::make(model, earlier, later, channels).unwrap();
    let tried: Vec<_> = models.iter().map(|model| (model.clone(), predict(model), None)).collect();
    recommend(&tried, earlier, later)
}

fn models(names: &[&str]) -> Vec<ModelSpec> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

const RULES: [&str; 10] = [
    "first",
    "last",
    "last_non_direct",
    "linear",
    "position",
    "position_decay",
    "time_decay",
    "amplitude_j",
    "participation",
    "custom:first=1,last=1",
];

#[test]
fn credits_become_probabilities_as_documented() {
    let (earlier, channels) = read("Ads;10;90\nMail;40;60\nAds > Mail;20;30\n");
    let (later, _) = read("Ads;1;1\n;7;2\nMail;0;1\nAds > Mail > Mail;1;0\n");
    let linear = Predictions::make(&ModelSpec::Linear, &earlier, &later, &channels).unwrap();
    let Source::Credits { platt } = linear.source else { panic!("{:?}", linear.source) };
    // Ads: (10 + 10) / 150 touches, Mail: (40 + 10) / 150.
    let (ads, mail) = (20.0 / 150.0, 50.0 / 150.0);
    let scores = [ads, mail, (ads + mail + mail) / 3.0];
    for (got, score) in linear.probabilities().zip(scores) {
        assert!((got - platt.probability(score)).abs() < 1e-12);
    }
    assert!(platt.slope > 0.0 && linear.moved == 0.0);
    assert_eq!((linear.probabilities().len(), linear.score().people, linear.untouched), (3, 4.0, 9.0));
}

/// Whether people convert has nothing to do with their path.
#[test]
fn without_a_signal_nothing_is_recommended() {
    let mut state = 5_u64;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let mut draw = |people: usize| {
        let mut paths = PathsBuilder::default();
        for _ in 0..people {
            let length = 1 + (unit() * 4.0) as usize;
            let path: Vec<_> = (0..length).map(|_| ChannelId((unit() * 4.0) as u32)).collect();
            let conversions = f64::from(u8::from(unit() < 0.2));
            paths.push(PathRef { channels: &path, ages: None, conversions, value: 0.0, nulls: 1.0 - conversions });
        }
        paths.finish()
    };
    let (earlier, later) = (draw(4_000), draw(2_000));
    let channels: Vec<_> = ["a", "b", "c", "d"].map(String::from).to_vec();
    let all = [&RULES[..], &["shapley", "leave_one_out", "shao_li"]].concat();
    let found = recommended(&models(&all), &earlier, &later, &channels).unwrap();
    assert_eq!(found.choice, None);
    let Reason::NothingBeatsTheBaseRate { gain } = found.reason else { panic!("{:?}", found.reason) };
    assert!(gain.mean <= gain.error);
    assert!(Recommendation::CAVEAT.contains("association unless an experiment calibrates it"));
    let base = Predictions::base_rate(&earlier, &later, &channels).unwrap().score();
    assert_eq!((base.auc, base.gain.mean, base.log_loss), (0.5, 0.0, base.base.log_loss));
}

#[test]
fn a_channel_that_converts_is_found_by_every_rule() {
    // On paths of one touch all rules say the same, and it is right.
    let (earlier, channels) = read("Ads;100;9900\nMail;300;700\nSocial;10;990\n");
    let (later, _) = read("Ads;50;4950\nMail;150;350\nSocial;5;495\n");
    let found = recommended(&models(&RULES), &earlier, &later, &channels).unwrap();
    let chosen = &found.candidates[found.choice.unwrap()];
    assert_eq!((&chosen.model, chosen.class), (&ModelSpec::First, Class::Rule));
    let exact = [(50.0, 0.01), (4950.0, 0.99), (150.0, 0.3), (350.0, 0.7), (5.0, 0.01), (495.0, 0.99)];
    let loss: f64 = -exact.iter().map(|(n, p): &(f64, f64)| n * p.ln()).sum::<f64>() / 6000.0;
    assert!((chosen.score.log_loss / loss - 1.0).abs() < 1e-4, "{chosen:?} {loss}");
}

#[test]
fn what_cannot_be_validated_is_refused() {
    let (both, channels) = read("Ads;1;1\n");
    let (only, _) = read("Ads;1;0\n");
    let refused = |earlier, later| Predictions::make(&ModelSpec::Last, earlier, later, &channels).unwrap_err();
    assert!(matches!(refused(&both, &only), ValidationError::OneOutcome { which: "later", .. }));
    assert!(matches!(refused(&only, &both), ValidationError::OneOutcome { which: "earlier", .. }));
    assert!(matches!(recommend(&[], &both, &both), Err(ValidationError::NoCandidates)));
    let settings = StabilitySettings::default();
    let weeks = |weeks: &[Paths]| stability(&ModelSpec::Last, weeks, &channels, &settings).unwrap_err();
    assert_eq!(weeks(std::slice::from_ref(&both)), ValidationError::TooFewWeeks { got: 1 });
    assert_eq!(weeks(&[both.clone(), read("Ads;0;7\n").0]), ValidationError::NothingCredited { week: 2 });
    let few = StabilitySettings { replicates: 5, ..settings };
    let error = stability(&ModelSpec::Last, &[both.clone(), both.clone()], &channels, &few).unwrap_err();
    assert_eq!(error.to_string(), "replicates is 5; it must be at least 19");
}

#[test]
fn distances_of_weeks_by_hand() {
    let (first, channels) = read("Ads;60;0\nMail;40;0\n");
    let (second, third) = (read("Ads;50;0\nMail;50;0\n").0, read("Ads;9;0\nMail;1;0\n").0);
    let found = stability(&ModelSpec::Last, &[first, second, third], &channels, &StabilitySettings::default()).unwrap();
    assert!((found.distances[0] - 0.1).abs() < 1e-12 && (found.distances[1] - 0.4).abs() < 1e-12);
    assert!((found.distance - 0.25).abs() < 1e-12);
    assert!((found.ranges[0].low - 0.5).abs() < 1e-12 && (found.ranges[0].high - 0.9).abs() < 1e-12);
    // Normal approximation of noise with p = 119/210: E|difference| = sqrt(2/π) × sqrt(p (1 − p) (1/n + 1/m)).
    let p: f64 = 119.0 / 210.0;
    for (noise, n, m) in [(found.noise[0], 100.0, 100.0), (found.noise[1], 100.0, 10.0)] {
        let want = (2.0 / std::f64::consts::PI * p * (1.0 - p) * (1.0 / n + 1.0 / m)).sqrt();
        assert!((noise / want - 1.0).abs() < 0.25, "{noise} {want}");
    }
}

/// Weeks drawn from one process move by noise only, and weeks of a process that changes by more.
#[test]
fn noise_is_told_from_change() {
    let mut state = 3_u64;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let mut week = |ads: f64| {
        let mut paths = PathsBuilder::default();
        for _ in 0..400 {
            let path: Vec<_> = (0..2).map(|_| ChannelId(u32::from(unit() > ads))).collect();
            let conversions = f64::from(u8::from(unit() < 0.3));
            paths.push(PathRef { channels: &path, ages: None, conversions, value: 0.0, nulls: 1.0 - conversions });
        }
        paths.finish()
    };
    let same: Vec<_> = (0..6).map(|_| week(0.5)).collect();
    let changing: Vec<_> = (0..6).map(|index| week(if index % 2 == 0 { 0.35 } else { 0.65 })).collect();
    let channels = ["Ads".to_string(), "Mail".to_string()];
    for spec in ["linear", "markov", "participation"] {
        let run = |weeks: &[Paths]| stability(&spec.parse().unwrap(), weeks, &channels, &StabilitySettings::default());
        let (same, changing) = (run(&same).unwrap(), run(&changing).unwrap());
        assert!(same.p > 0.02, "{spec}: {same:?}");
        assert!((0.4..2.0).contains(&(same.distance / same.noise_floor)), "{spec}: {same:?}");
        assert!(changing.p == 0.01 && changing.distance > 2.0 * changing.noise_floor, "{spec}: {changing:?}");
        assert_eq!(run(&[]).unwrap_err(), ValidationError::TooFewWeeks { got: 0 });
    }
}

#[test]
fn threads_do_not_matter() {
    let (week, channels) = read("Ads > Mail;30;10\nMail;12;40\nAds;9;33\n");
    let weeks = [week.clone(), week];
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let settings = StabilitySettings { replicates: 40, seed: 9 };
        pool.install(|| stability(&"markov".parse().unwrap(), &weeks, &channels, &settings).unwrap())
    };
    assert_eq!(run(1), run(2));
}

/// Day of the last touch, path, whether it converted.
type Journey = (usize, Vec<ChannelId>, bool);

/// Journeys of July 2018.
fn july() -> Option<(Vec<Journey>, Vec<String>)> {
    let file = shared("data/journeys/july2018/touchpoints.csv")?;
    let mut index = HashMap::<String, usize>::new();
    let (mut journeys, mut channels) = (Vec::<Journey>::new(), Vec::<String>::new());
    for row in csv::Reader::from_path(file).unwrap().records() {
        let row = row.unwrap();
        let channel = channels.iter().position(|name| *name == row[4]).unwrap_or_else(|| {
            channels.push(row[4].into());
            channels.len() - 1
        });
        let journey = *index.entry(row[1].into()).or_insert_with(|| {
            journeys.push((0, vec![], false));
            journeys.len() - 1
        });
        let (day, path, converted) = &mut journeys[journey];
        *day = row[2][8..10].parse().unwrap();
        path.push(ChannelId(channel as u32));
        *converted |= &row[6] == "1";
    }
    Some((journeys, channels))
}

fn paths<'a>(journeys: impl Iterator<Item = &'a Journey>) -> Paths {
    let mut paths = PathsBuilder::default();
    for (_, path, converted) in journeys {
        let conversions = f64::from(u8::from(*converted));
        paths.push(PathRef { channels: path, ages: None, conversions, value: 0.0, nulls: 1.0 - conversions });
    }
    paths.finish()
}

#[test]
fn real_journeys_are_scored() {
    let Some((journeys, channels)) = july() else { return };
    // Every third journey is kept for testing: the halves are alike.
    let part = |kept: bool| {
        let chosen = journeys.iter().enumerate().filter(move |(at, _)| (at % 3 == 0) == kept);
        paths(chosen.map(|(_, journey)| journey))
    };
    let (earlier, later) = (part(false), part(true));
    let found = recommended(&models(&["first", "last", "linear"]), &earlier, &later, &channels).unwrap();
    let by_name = |name: &str| found.candidates.iter().find(|candidate| candidate.model.name() == name).unwrap();
    let (linear, last) = (by_name("linear").score, by_name("last").score);
    // The same by numpy, scipy.optimize.minimize (a logistic curve without Platt's targets) and scipy.stats.rankdata.
    for (got, want) in [(linear.base.log_loss, 0.49664), (linear.log_loss, 0.49127), (linear.auc, 0.5483)] {
        assert!((got - want).abs() < 1e-4, "{got} instead of {want}");
    }
    // Channels that close many journeys for each of their touches are those of short journeys: no rising curve.
    assert_eq!((last.auc, last.gain.mean), (0.5, 0.0));
    assert!(found.choice.is_some() && found.shift.is_none(), "{found:?}");
    let predictions = Predictions::make(&ModelSpec::Linear, &earlier, &later, &channels).unwrap();
    let in_bins: f64 = predictions.calibration(0.95).iter().map(|bin| bin.people).sum();
    assert_eq!((in_bins, linear.people), (linear.people, f64::from(u32::try_from(later.len()).unwrap())));
}

/// By the day of the last touch, whoever ends early has converted and whoever has not goes on: the last week is not
/// like the others, which shows.
#[test]
fn real_weeks_that_are_not_alike_are_told() {
    let Some((journeys, channels)) = july() else { return };
    let week = |journey: &Journey| ((journey.0 - 1) / 7).min(3);
    let weeks: Vec<_> = (0..4).map(|at| paths(journeys.iter().filter(move |journey| week(journey) == at))).collect();
    let earlier = paths(journeys.iter().filter(|journey| week(journey) < 3));
    let candidates = models(&["first", "linear", "leave_one_out"]);
    let found = recommended(&candidates, &earlier, &weeks[3], &channels).unwrap();
    let shift = found.shift.unwrap();
    assert!(shift.earlier > 2.0 * shift.later && shift.p < 1e-9, "{shift:?}");
    assert_eq!(found.choice, None, "{found:?}");
    let settings = StabilitySettings { replicates: 19, seed: 1 };
    for model in &candidates {
        let steady = stability(model, &weeks, &channels, &settings).unwrap();
        assert!(steady.shares.iter().all(|shares| (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9));
        assert!(steady.noise_floor > 0.01, "{model}: {steady:?}");
        // First touches are much the same in every week.
        let is_told = steady.noise_floor < steady.distance;
        assert!(is_told || *model == ModelSpec::First, "{model}: {steady:?}");
    }
}
