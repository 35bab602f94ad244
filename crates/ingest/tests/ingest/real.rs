//! Real files, and files laid out as real tools lay them out.
use crate::support::{Shop, shared};
use safar_model::Table;
use std::{collections::BTreeMap, fs};

#[test]
fn touchpoints_of_three_data_sets() {
    for (name, rows) in [("july2018", None), ("kaggle_mta", None), ("simple_shop", Some(()))] {
        let Some(file) = shared(&format!("data/journeys/{name}/touchpoints.csv")) else { return };
        let text = fs::read_to_string(&file).unwrap();
        // The first rows are enough to see that the shape is read; the whole of the smallest shows the rest.
        let cut: String = if rows.is_some() {
            text.clone()
        } else {
            text.lines().take(20_001).flat_map(|line| [line, "\n"]).collect()
        };
        let lines = cut.lines().count() as u64 - 1;
        let shop = Shop::new();
        let report = shop.take("touchpoints.csv", &cut).unwrap();
        assert_eq!((report.rows, report.rejected_total()), (lines, 0), "{name}");
        assert_eq!(report.stored, lines, "{name}: rows carry their number, so none repeats");
        let again = shop.import(&[&shop.path("touchpoints.csv").to_string_lossy()]).unwrap();
        assert_eq!((again.stored, again.duplicates), (0, lines));
        let mut expected: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut reader = csv::Reader::from_reader(cut.as_bytes());
        for record in reader.records().map(Result::unwrap) {
            let (touches, conversions) = expected.entry(record[4].to_owned()).or_default();
            *touches += 1;
            *conversions += u64::from(&record[6] == "1");
        }
        let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for row in shop.rows(Table::Events) {
            let (touches, conversions) = found.entry(row["channel"].clone()).or_default();
            *touches += 1;
            *conversions += u64::from(row["name"] == "conversion");
        }
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn ready_paths_replace_those_of_their_name() {
    let Some(file) = shared("data/journeys/kaggle_mta/paths.csv") else { return };
    let shop = Shop::new();
    let other = shop.write("other.csv", "path;total_conversions\na > b;2\nb;1\na>b;1\n");
    shop.import(&[&other]).unwrap();
    let report = shop.import(&[&file]).unwrap();
    let lines = fs::read_to_string(&file).unwrap().lines().count() as u64 - 1;
    assert_eq!((report.paths, report.rejected_total()), (lines, 0));
    let rows = shop.rows(Table::Paths);
    let sum = |goal: &str, column: &str| -> f64 {
        rows.iter().filter(|row| row["goal"] == goal).map(|row| row[column].parse::<f64>().unwrap()).sum()
    };
    assert_eq!((sum("other", "conversions"), sum("other", "nulls")), (4.0, 0.0));
    let mut expected = [0.0; 3];
    let text = fs::read_to_string(&file).unwrap();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(';').collect();
        expected.iter_mut().zip(&cells[1..]).for_each(|(sum, cell)| *sum += cell.parse::<f64>().unwrap());
    }
    assert_eq!(["conversions", "value", "nulls"].map(|column| sum("paths", column)), expected);
    assert_eq!(shop.import(&[&file]).unwrap().paths, lines);
    assert_eq!(shop.rows(Table::Paths), rows);
}

/// Exports that are no events say so and say what is missing; none is imported by mistake.
#[test]
fn exports_of_other_tools() {
    let Some(folder) = shared("data/imports/synthetic_ui_exports") else { return };
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut shop = Shop::new();
    shop.options.now = Some(1_795_219_200_000_000); // 2026-11-21
    for path in files {
        let file = path.to_string_lossy().into_owned();
        let outcome = shop.import(&[&file]);
        if file.ends_with("ga4_bigquery_export_event.ndjson") {
            assert_eq!(outcome.unwrap().stored, 1);
            continue;
        }
        let error = outcome.map(|report| format!("{file}: {report:?}")).expect_err("no events").to_string();
        assert!(error.contains(&file), "{error}");
        assert!(
            error.contains("does not look like events") || error.contains("neither CSV") || error.contains("no header"),
            "{error}"
        );
    }
    let event = shop.rows(Table::Events).remove(0);
    for (column, expected) in [
        ("name", "purchase"),
        ("occurred_at", "2026-09-01T10:00:00.123456Z"),
        ("anonymous_id", "123456.7654321"),
        ("user_id", "u-42"),
        ("page_url", "https://shop.example.com/checkout?utm_source=google&utm_medium=cpc&gclid=abc"),
        ("click_id", "abc"),
        ("referrer", "https://www.google.com/"),
        ("order_id", "o-1001"),
        ("value", "129.9"),
        ("channel", "Paid Search"),
    ] {
        assert_eq!(event.get(column).map(String::as_str), Some(expected), "{column}");
    }
}
