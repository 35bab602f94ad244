//! Public journeys, as touches and as the paths that their publishers (or the standard tools) make of them.
use crate::kit::*;
use safar_journey::{JourneyRules, NullPaths, Windows};
use safar_model::key_of;
use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf};

fn journeys(dataset: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var_os("SAFAR_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = shared.join("data/journeys").join(dataset);
    if folder.exists() {
        Some(folder)
    } else {
        eprintln!("skipped: {} is absent", folder.display());
        None
    }
}

/// In these sets every row is a touch, a row with `conversion` = 1 is a conversion as well, and a path ends with each conversion:
/// what a person does afterwards is a new path, null if it does not end well. No look-back applies.
fn rebuilt(dataset: &str) {
    let Some(folder) = journeys(dataset) else { return };
    let mut reader = csv::Reader::from_path(folder.join("touchpoints.csv")).expect("touches");
    let mut rows = vec![];
    for (index, record) in reader.records().enumerate() {
        let record = record.expect("a row");
        let instant: jiff::Timestamp = format!("{}Z", record[2].trim_end_matches('Z')).parse().expect("a time");
        let kind = if &record[5] == "impression" { "impression" } else { "click" };
        let name = if &record[6] == "1" { "conversion" } else { "touch" };
        rows.push(event(
            key_of("user", &record[0]),
            instant.as_microsecond(),
            &format!("event_id={index};interaction={kind};name={name};channel={};value={}", &record[4], &record[7]),
        ));
    }
    let ever = 36_500;
    let windows = Windows {
        click_days: NonZeroU32::new(ever).expect("a century"),
        view_days: ever,
        null_paths: NullPaths::Journeys,
        ..Windows::default()
    };
    let (out, findings) = build(&JourneyRules { windows, ..JourneyRules::default() }, &rows);
    let mut found: BTreeMap<String, [f64; 3]> = BTreeMap::new();
    let weights = ["conversions", "value", "nulls"].map(|column| floats(&out.paths, column));
    for (row, walk) in walks(&out.paths, "channels").into_iter().enumerate() {
        let entry = found.entry(walk).or_default();
        (0..3).for_each(|index| entry[index] += weights[index][row]);
    }
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_path(folder.join("paths.csv")).expect("paths");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let expected: BTreeMap<String, [f64; 3]> = reader
        .records()
        .map(|record| record.expect("a row"))
        .map(|record| (record[0].to_owned(), [number(&record[1]), number(&record[2]), number(&record[3])]))
        .collect();
    assert_eq!(found.len(), expected.len());
    for (walk, weights) in &expected {
        assert_eq!(found.get(walk), Some(weights), "{walk}");
    }
    assert_eq!(out.touchpoints.num_rows(), rows.len());
    assert_eq!(out.sessions.num_rows(), 0);
    assert_eq!(findings, safar_journey::Findings::default());
}

#[test]
fn kaggle_mta_touches_make_its_paths() {
    rebuilt("kaggle_mta");
}

#[test]
fn july2018_touches_make_its_paths() {
    rebuilt("july2018");
}

#[test]
fn simple_shop_touches_make_its_paths() {
    rebuilt("simple_shop");
}
