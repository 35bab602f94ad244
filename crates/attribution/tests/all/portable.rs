//! The same numbers on every machine: what is pinned here was found on one, digit for digit. A compiler, a library of logarithms
//! or a number of threads that changes a digit changes results that people compare.
use safar_attribution::{
    ReadOptions, attribute,
    experiment::{Arm, Measure, Settings, hold_out},
    hazard::{HazardSettings, attribute_hazard},
    read_paths,
    validation::Predictions,
};
use safar_model::{ChannelId, DAY_US, PathRef, PathsBuilder, TimelineRef, Timelines};

const PINNED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/portable.txt");

fn timelines() -> Timelines {
    let mut lines = Timelines::default();
    for person in 0..300_i64 {
        let shown = (person % 9) * DAY_US + person * 1_234_567;
        let outcome = match person % 15 {
            0 | 4 | 8 => Some(shown + 1 + (person * 7_919 % 100) * DAY_US / 60),
            1 | 7 => Some((person * 104_729 % 400) * DAY_US / 20),
            _ => None,
        };
        let until = outcome.unwrap_or(20 * DAY_US);
        let touches = [(0, shown), (person % 3, shown + DAY_US / 3), (person % 2, shown + 3 * DAY_US / 7)];
        let touches = touches.into_iter().filter(|(_, at)| person % 4 != 3 && *at <= until);
        let (channels, times): (Vec<_>, Vec<_>) = touches.map(|(channel, at)| (ChannelId(channel as u32), at)).unzip();
        let (outcomes, values) = (&[until][..usize::from(outcome.is_some())], &[1.5][..usize::from(outcome.is_some())]);
        let line = TimelineRef { from: 0, until, channels: &channels, times: &times, outcomes, values };
        lines.push(line).unwrap();
    }
    lines
}

fn found() -> Vec<(&'static str, f64)> {
    let mut found = vec![];
    let mut aged = PathsBuilder::default();
    let (channels, ages) = ([0, 1, 2, 1].map(ChannelId), [DAY_US * 9 + 1, DAY_US * 5 / 3, DAY_US / 7, 999]);
    aged.push(PathRef { channels: &channels, ages: Some(&ages), conversions: 1.0, value: 1.0, nulls: 0.0 });
    let names = ["Display", "Search", "Mail"].map(String::from);
    let decay = attribute(&"time_decay:half_life=3d".parse().unwrap(), &aged.finish(), &names).unwrap();
    found.extend(decay.credits.iter().map(|credit| ("time_decay by age", credit.conversions)));

    let text =
        "path;conversions;value;null\nA > B > C > B > A;7;70;90\nB;20;81;80\nA > B;5;50;50\nC > C;1;3;9\nA;3;3;77\n";
    let (paths, channels) = read_paths(text.as_bytes(), &ReadOptions::default()).unwrap();
    for model in
        ["time_decay:half_life=36h", "markov:order=auto,most=3", "shao_li", "logistic:bags=5", "shapley_markov"]
    {
        let result = attribute(&model.parse().unwrap(), &paths, &channels).unwrap();
        found.extend(result.credits.iter().map(|credit| (model, credit.conversions)));
        let choice = result.diagnostics.markov.and_then(|markov| markov.choice);
        found.extend(choice.iter().flat_map(|choice| &choice.losses).map(|loss| ("markov losses", *loss)));
    }
    let predictions = Predictions::make(&"linear".parse().unwrap(), &paths, &paths, &channels).unwrap();
    let score = predictions.score();
    found.extend([("log-loss", score.log_loss), ("gain", score.gain.mean), ("gain's error", score.gain.error)]);
    found.extend(predictions.probabilities().map(|probability| ("probability", probability)));

    let arm = |people: f64, converters: f64| {
        let measure = Measure { sum: converters, squares: converters, before: None };
        Arm { people, exposed: None, converters, conversions: measure, value: measure }
    };
    let lift = hold_out(&arm(50_000.0, 1234.0), &arm(50_500.0, 1100.0), &Settings::default()).unwrap().converters;
    found.extend([("lift's low", lift.absolute.low), ("lift's high", lift.absolute.high)]);

    let settings = HazardSettings { levels: 3, moods: 2, rounds: 12, ..HazardSettings::default() };
    let hazard = attribute_hazard(&settings, &timelines(), &names).unwrap();
    found.push(("hazard's log-likelihood", hazard.diagnostics.log_likelihood));
    found.extend(hazard.credits.iter().map(|credit| ("hazard", credit.conversions)));
    found.push(("hazard's mood half-life", hazard.diagnostics.mood_half_life.unwrap()));
    found
}

#[test]
fn every_digit_is_the_pinned_one() {
    let lines: Vec<String> = found().iter().map(|(name, number)| format!("{name}: {number:?}\n")).collect();
    let pinned = std::fs::read_to_string(PINNED).unwrap();
    assert_eq!(lines.concat(), pinned, "pin other numbers only where a definition changed");
}
