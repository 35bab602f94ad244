//! Matches in a list whose truth is known, with the fields, levels and rules of Splink's own example for FEBRL 3
//! (moj-analytical-services/splink, docs/demos/examples/duckdb/febrl3).
use super::{Outcome, Watch, tell};
use safar_identity::matching::{MatchSettings, Matches, Records, find};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

const COMPARISONS: [&str; 6] = [
    "given_name: exact, jaro_winkler 0.92, jaro_winkler 0.88, jaro_winkler 0.7",
    "surname: exact, jaro_winkler 0.92, jaro_winkler 0.88, jaro_winkler 0.7",
    "date_of_birth: exact, damerau 1, days 30, days 365, days 3652",
    "soc_sec_id: exact, damerau 2",
    "street_number*: exact",
    "postcode*: exact",
];
const BLOCKS: [&str; 5] = ["soc_sec_id", "given_name", "surname", "date_of_birth", "postcode"];

pub fn find_in(file: &Path) -> Outcome {
    let mut reader = csv::Reader::from_path(file)?;
    let head = reader.headers()?.clone();
    let of = |name: &str| head.iter().position(|field| field == name).ok_or_else(|| format!("no column `{name}`"));
    let (id, entity) = (of("rec_id")?, of("entity")?);
    let fields: Vec<&str> = head.iter().filter(|name| !["rec_id", "entity"].contains(name)).collect();
    let places = fields.iter().map(|field| of(field)).collect::<Result<Vec<_>, _>>()?;
    let (mut records, mut truth) = (Records::new(fields.iter().copied()), Vec::new());
    for row in reader.records() {
        let row = row?;
        records.push("list", &row[id], &places.iter().map(|&place| row.get(place)).collect::<Vec<_>>())?;
        truth.push(row[entity].to_owned());
    }
    let settings = MatchSettings {
        comparisons: COMPARISONS.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        blocks: BLOCKS.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        accept: 0.95,
        review: 0.0001,
        ..MatchSettings::default()
    };
    let watch = Watch::start();
    let matches = find(&records, &settings)?;
    let measured = watch.read();
    let shares = shares(&matches, &truth);
    tell("matches", measured, json!({ "tool": "Safar", "compared": matches.compared, "shares": shares }));
    Ok(())
}

/// Precision and recall of pairs: at probability ½, at 0.95, where F1 is best, and of the groups at 0.95.
fn shares(matches: &Matches<'_>, truth: &[String]) -> Value {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    truth.iter().for_each(|entity| *sizes.entry(entity).or_default() += 1);
    let all = sizes.values().map(|size| size * (size - 1) / 2).sum::<u64>() as f64;
    let same = |a: u32, b: u32| truth[a as usize] == truth[b as usize];
    let share = |right: u64, told: u64| {
        let (precision, recall) = (right as f64 / told as f64, right as f64 / all);
        json!({ "precision": precision, "recall": recall, "f1": 2.0 * right as f64 / (told as f64 + all), "told": told })
    };
    let (mut right, mut told, mut best) = (0, 0, (0.0, json!(null)));
    let mut at = BTreeMap::new();
    for (place, pair) in matches.pairs.iter().enumerate() {
        told += 1;
        right += u64::from(same(pair.a, pair.b));
        let next = matches.pairs.get(place + 1);
        for (name, least) in [("half", 0.5), ("most", 0.95)] {
            if pair.probability >= least && next.is_none_or(|next| next.probability < least) {
                at.insert(name, share(right, told));
            }
        }
        let f1 = 2.0 * right as f64 / (told as f64 + all);
        if f1 > best.0 && next.is_none_or(|next| next.bits < pair.bits) {
            best = (f1, share(right, told));
        }
    }
    let (mut right, mut told) = (0, 0);
    for group in matches.people() {
        for (at, &a) in group.iter().enumerate() {
            told += group.len() as u64 - at as u64 - 1;
            right += group[at + 1..].iter().filter(|&&b| same(a, b)).count() as u64;
        }
    }
    json!({ "half": at.get("half"), "most": at.get("most"), "best": best.1, "groups": share(right, told) })
}
