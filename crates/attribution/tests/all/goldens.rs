//! Tiny cases whose answers are exact fractions.
use crate::shared;
use safar_attribution::{
    ModelSpec, attribute, credits_by_place,
    models::{ExactSet, exact_set_values},
};
use safar_model::{ChannelId, DAY_US, PathRef, Paths, PathsBuilder};
use serde_json::Value;

fn fraction(text: &Value) -> f64 {
    let text = text.as_str().map_or_else(|| text.to_string(), String::from);
    let ratio: num_rational::Ratio<i64> = text.parse().unwrap();
    *ratio.numer() as f64 / *ratio.denom() as f64
}

fn close(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= 1e-12 * want.abs().max(1.0), "{what}: {got} instead of {want}");
}

fn load() -> Option<serde_json::Map<String, Value>> {
    let text = std::fs::read_to_string(shared("reference/attribution/goldens.json")?).unwrap();
    Some(serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap().clone())
}

fn paths_of(case: &Value) -> (Paths, Vec<String>) {
    let (mut paths, mut names) = (PathsBuilder::default(), Vec::<String>::new());
    for path in case["paths"].as_array().unwrap() {
        let channels = path["path"].as_array().unwrap().iter().map(|name| {
            let name = name.as_str().unwrap();
            let index = names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.into());
                names.len() - 1
            });
            ChannelId(index as u32)
        });
        let channels: Vec<_> = channels.collect();
        paths.push(PathRef {
            channels: &channels,
            ages: None,
            conversions: fraction(&path["conversions"]),
            value: fraction(&path["value"]),
            nulls: fraction(&path["null"]),
        });
    }
    (paths.finish(), names)
}

/// Keys of a case, and how they are spelled here.
const RULES_AND_MARKOV: [(&str, &str); 11] = [
    ("first", "first"),
    ("last", "last"),
    ("linear", "linear"),
    ("position_40_20_40", "position:first=0.4,last=0.4"),
    ("position_decay", "position_decay"),
    ("last_non_direct", "last_non_direct:direct=DIRECT"),
    ("markov_1", "markov"),
    ("markov_2", "markov:order=2"),
    ("markov_3", "markov:order=3"),
    ("markov_4", "markov:order=4"),
    ("markov_inf", "markov:order=999"),
];

const GAMES: [(&str, &str); 6] = [
    ("shapley_subset_sum", "shapley"),
    ("shapley_dp6_convrate", "shapley_rate"),
    ("shapley_markov_1", "shapley_markov"),
    ("shapley_markov_2", "shapley_markov:order=2"),
    ("fractribution_leave_one_out", "leave_one_out"),
    ("shao_li_raw", "shao_li"),
];

const EXACT_SETS: [(&str, ExactSet); 2] =
    [("shapley_exact_set_raw", ExactSet::Conversions), ("shapley_convrate_exact_set_grand_coalition", ExactSet::Rate)];

/// What is there is compared: a key that no test knows is a hole.
#[test]
fn every_key_of_the_goldens_is_compared() {
    let Some(goldens) = load() else { return };
    let known = RULES_AND_MARKOV.iter().chain(&GAMES).map(|(key, _)| *key);
    let known: Vec<_> = known.chain(EXACT_SETS.map(|(key, _)| key)).chain(["paths", "shapley_ordered"]).collect();
    for (name, case) in &goldens {
        let keys = case.as_object().unwrap().keys();
        let missed: Vec<_> = if case.get("paths").is_some() {
            keys.filter(|key| !known.contains(&key.as_str())).collect()
        } else {
            assert!(TIME_DECAY.contains(&name.as_str()), "no test compares {name}");
            keys.filter(|key| !["days_before", "half_life_days", "weights"].contains(&key.as_str())).collect()
        };
        assert!(missed.is_empty(), "no test compares {missed:?} of {name}");
    }
}

#[test]
fn every_golden_of_exact_sets_is_met() {
    let Some(goldens) = load() else { return };
    let mut met = 0;
    for (name, case) in goldens.iter().filter(|(_, case)| case.get("paths").is_some()) {
        let (paths, names) = paths_of(case);
        for (key, of) in EXACT_SETS {
            let got = exact_set_values(&paths, names.len(), of);
            assert_eq!(case[key].as_object().unwrap().len(), names.len(), "{name}, {key}");
            for (channel, got) in names.iter().zip(got) {
                close(got, fraction(&case[key][channel]), &format!("{name}, {key}, {channel}"));
                met += 1;
            }
        }
    }
    assert!(met >= 40, "only {met} numbers were compared");
}

#[test]
fn every_golden_of_rules_and_markov_is_met() {
    let Some(goldens) = load() else { return };
    let mut met = 0;
    for (name, case) in goldens.iter().filter(|(_, case)| case.get("paths").is_some()) {
        let (paths, names) = paths_of(case);
        for (key, spec) in RULES_AND_MARKOV {
            let spec: ModelSpec = spec.parse().unwrap();
            let got = attribute(&spec, &paths, &names).unwrap();
            let want = &case[key];
            for (index, channel) in names.iter().enumerate() {
                let what = format!("{name}, {spec}, {channel}");
                close(got.credits[index].conversions, fraction(&want["conv"][channel]), &what);
                close(got.credits[index].value, fraction(&want["value"][channel]), &what);
                if let Some(markov) = &got.diagnostics.markov {
                    close(markov.base, fraction(&want["base"]), &what);
                    close(markov.removal_effects[index], fraction(&want["removal_effect"][channel]), &what);
                    let value = fraction(&want["value_weighted_removal_effect"][channel]);
                    close(markov.value_removal_effects[index], value, &what);
                }
                met += 1;
            }
        }
    }
    assert!(met > 200, "only {met} numbers were compared");
}

const TIME_DECAY: [&str; 2] = ["T1_time_decay_half_life", "T2_time_decay_half_life_1d"];

#[test]
fn time_decay_halves_with_every_half_life() {
    let Some(goldens) = load() else { return };
    for name in TIME_DECAY {
        let case = &goldens[name];
        let ages: Vec<_> =
            case["days_before"].as_array().unwrap().iter().map(|days| days.as_i64().unwrap() * DAY_US).collect();
        let channels: Vec<_> = (0..ages.len() as u32).map(ChannelId).collect();
        let names: Vec<_> = channels.iter().map(|channel| channel.0.to_string()).collect();
        let mut paths = PathsBuilder::default();
        paths.push(PathRef { channels: &channels, ages: Some(&ages), conversions: 1.0, value: 10.0, nulls: 0.0 });
        let spec: ModelSpec = format!("time_decay:half_life={}d", case["half_life_days"]).parse().unwrap();
        let got = attribute(&spec, &paths.finish(), &names).unwrap();
        assert!(!got.diagnostics.assumed_ages);
        for (credit, want) in got.credits.iter().zip(case["weights"].as_array().unwrap()) {
            close(credit.conversions, fraction(want), name);
            close(credit.value, 10.0 * fraction(want), name);
        }
    }
}

#[test]
fn every_golden_of_games_and_probabilities_is_met() {
    let Some(goldens) = load() else { return };
    let mut met = 0;
    for (name, case) in goldens.iter().filter(|(_, case)| case.get("paths").is_some()) {
        let (paths, names) = paths_of(case);
        for (key, spec) in GAMES {
            let spec: ModelSpec = spec.parse().unwrap();
            let got = attribute(&spec, &paths, &names).unwrap();
            for (index, channel) in names.iter().enumerate() {
                let what = format!("{name}, {spec}, {channel}");
                let conversions = got.diagnostics.raw.as_ref().map_or(got.credits[index].conversions, |raw| raw[index]);
                let want = case[key].get("conv").unwrap_or(&case[key]);
                close(conversions, want.get(channel).map_or(0.0, fraction), &what);
                if let Some(value) = case[key].get("value") {
                    close(got.credits[index].value, fraction(&value[channel]), &what);
                }
                met += 1;
            }
        }
        let table = credits_by_place(&"shapley".parse().unwrap(), &paths, &names).unwrap();
        let want = case["shapley_ordered"].as_object().unwrap();
        assert_eq!(table.len(), want.len(), "{name}");
        for row in table {
            let what = format!("{}@{}", names[row.channel], row.place);
            close(row.credit.conversions, fraction(&want[&what]), &what);
        }
    }
    assert!(met > 100, "only {met} numbers were compared");
}
