//! Ready paths: any format, one meaning with `safar attribute --paths`, and nothing of two files lost.
use crate::support::Shop;
use arrow::{
    array::{ArrayRef, Float64Array, RecordBatch, StringArray},
    datatypes::{Field, Schema},
};
use proptest::prelude::*;
use safar_attribution::{ReadOptions, read_paths};
use safar_ingest::SavedMapping;
use safar_model::Table;
use std::{collections::BTreeMap, sync::Arc};

/// Goal and channels → conversions, value, people without a conversion.
fn stored(shop: &Shop) -> BTreeMap<(String, String), [f64; 3]> {
    let number = |text: &String| text.parse::<f64>().unwrap();
    let rows = shop.rows(Table::Paths).into_iter().map(|row| {
        let channels = row["channels"].trim_matches(['[', ']']).to_owned();
        assert_eq!(row["length"].parse(), Ok(channels.split(", ").filter(|name| !name.is_empty()).count()));
        ((row["goal"].clone(), channels), ["conversions", "value", "nulls"].map(|column| number(&row[column])))
    });
    let (count, all) = (shop.rows(Table::Paths).len(), rows.collect::<BTreeMap<_, _>>());
    assert_eq!(all.len(), count, "a path is one row");
    all
}

fn goals(shop: &Shop) -> Vec<String> {
    let mut goals: Vec<_> = stored(shop).into_keys().map(|(goal, _)| goal).collect();
    goals.dedup();
    goals
}

fn sums(shop: &Shop, goal: &str) -> f64 {
    stored(shop).iter().filter(|((found, _), _)| found == goal).map(|(_, sums)| sums[0]).sum()
}

#[test]
fn files_of_one_goal_are_added_up_and_others_kept_apart() {
    let shop = Shop::new();
    let file = |name: &str, count: u32| shop.write(name, format!("path;conversions\nA > B;{count}\n"));
    let files =
        [file("paths.2025.csv", 1), file("paths.2026.csv", 2), file("north/shop.csv", 4), file("south/shop.csv", 8)];
    let report = shop.import(&files.each_ref().map(String::as_str)).unwrap();
    assert_eq!((report.paths, report.rejected_total()), (4, 0));
    assert_eq!(goals(&shop), ["paths.2025", "paths.2026", "shop"]);
    assert_eq!(report.goals.iter().cloned().collect::<Vec<_>>(), goals(&shop));
    assert_eq!(["paths.2025", "paths.2026", "shop"].map(|goal| sums(&shop, goal)), [1.0, 2.0, 12.0]);
    let noted: Vec<_> = report.files.iter().filter(|file| !file.notes.is_empty()).collect();
    assert_eq!(noted.len(), 1);
    assert!(noted[0].name.ends_with("south/shop.csv") && noted[0].notes[0].contains("`shop`"), "{:?}", noted[0]);
    // By itself, a file replaces what was imported under its goal.
    shop.import(&[&files[2]]).unwrap();
    assert_eq!(sums(&shop, "shop"), 4.0);
}

#[test]
fn the_goal_can_be_chosen_and_is_never_that_of_events() {
    let mut shop = Shop::new();
    shop.settings.goals = vec!["purchase".into()];
    let file = shop.write("Purchase.csv.gz", "path;conversions\nA;1\n");
    shop.import(&[&file]).unwrap();
    assert_eq!(goals(&shop), ["Purchase"]);
    let file = shop.write("purchase.csv", "path;conversions\nA;1\n");
    let error = shop.import(&[&file]).unwrap_err().to_string();
    assert!(error.contains("purchase.csv") && error.contains("--set goal=NAME"), "{error}");
    shop.options.constants = vec![("goal".into(), "till".into())];
    shop.import(&[&file]).unwrap();
    assert_eq!(
        (goals(&shop), shop.preview(&file).unwrap()[0].goal.as_deref()),
        (vec!["Purchase".into(), "till".into()], Some("till"))
    );
    for (name, wrong) in [("purchase", "`purchase`"), (" ", "no name")] {
        shop.options.constants = vec![("goal".into(), name.into())];
        assert!(shop.import(&[&file]).unwrap_err().to_string().contains(wrong));
    }
    let error = shop.take("events.csv", "ts,event\n2025-01-01,x\n").unwrap_err().to_string();
    assert!(error.contains("events.csv holds none"), "{error}");
    shop.options.constants.clear();
    shop.settings.mappings = vec![SavedMapping {
        name: "agency".into(),
        files: "agency-*.csv".into(),
        constants: [("goal".to_owned(), "lead".to_owned())].into(),
        ..SavedMapping::default()
    }];
    shop.take("agency-7.csv", "path;conversions\nA;3\n").unwrap();
    assert_eq!(sums(&shop, "lead"), 3.0);
    // Two columns that may both be the conversions: neither is taken for the other.
    let error = shop.take("two.csv", "path,conversions,total_conversions\nA,1,2\n").unwrap_err().to_string();
    assert!(error.contains("`conversions` and `total_conversions`"), "{error}");
}

#[test]
fn every_format_says_the_same() {
    const ROWS: [(&str, f64, f64, f64); 3] = [("A > B", 2.0, 10.5, 1.0), ("", 3.0, 0.0, 0.0), ("B", 1.0, -4.0, 0.0)];
    let csv = ROWS.iter().fold("path;conv;value;nulls\n".to_owned(), |text, (path, conversions, value, nulls)| {
        text + &format!("{path};{conversions};{value};{nulls}\n")
    });
    let object = |(path, conversions, value, nulls): &(&str, f64, f64, f64)| {
        serde_json::json!({"path": path, "total_conversions": conversions, "total_conversion_value": value, "total_null": nulls})
            .to_string()
    };
    let objects: Vec<String> = ROWS.iter().map(object).collect();
    let names = ["Path", "Total conversions", "total_conversion_value", "total_null"];
    let number =
        |of: fn(&(&str, f64, f64, f64)) -> f64| -> ArrayRef { Arc::new(ROWS.iter().map(of).collect::<Float64Array>()) };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ROWS.iter().map(|row| Some(row.0)).collect::<StringArray>()),
        number(|row| row.1),
        number(|row| row.2),
        number(|row| row.3),
    ];
    let fields = names.iter().zip(&columns).map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), schema.clone(), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    let files = [
        ("paths.csv", csv.into_bytes()),
        ("paths.ndjson", objects.join("\n").into_bytes()),
        ("paths.json", format!("[{}]", objects.join(",\n")).into_bytes()),
        ("paths.parquet", writer.into_inner().unwrap()),
    ];
    let mut seen = Vec::new();
    for (name, bytes) in files {
        let shop = Shop::new();
        let report = shop.take(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((report.rows, report.paths, report.rejected_total()), (3, 3, 0), "{name}: {:?}", shop.rejects());
        seen.push(stored(&shop));
    }
    let goal = |path: &str| ("paths".to_owned(), path.to_owned());
    assert_eq!(seen[0][&goal("A, B")], [2.0, 10.5, 1.0]);
    assert_eq!(seen[0][&goal("")], [3.0, 0.0, 0.0], "nothing came before these");
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
}

#[test]
fn rows_that_are_none_are_told() {
    let shop = Shop::new();
    let text = "{\"path\":\"A\",\"conversions\":1}\n{\"path\":[\"A\",\"B\"],\"conversions\":1}\n{\"path\":\"A\"}\n[1]\n{\"path\":\"A >\",\"conversions\":1}\n{\"path\":\"A\",\"conversions\":-1}\n";
    let report = shop.take("p.ndjson", text).unwrap();
    assert_eq!((report.rows, report.paths), (6, 1));
    let expected = [
        "2 | path | [\"A\",\"B\"] | a list or object: write channels with `>` between them, and plain numbers",
        "3 | total_conversions |  | not a number",
        "4 | - | - | not a JSON object",
        "5 | path | A > | a channel without a name in the path",
        "6 | conversions | -1 | negative count: counts are 0 or more, a refund is a negative value",
    ];
    assert_eq!(shop.rejects(), expected);
    // The decimal sign is that of the column, as everywhere.
    let comma = Shop::new();
    comma.take("c.csv", "path;conversions;value\nA;1;12,50\nB;1;1.204\n").unwrap();
    assert_eq!(stored(&comma).values().map(|sums| sums[1]).sum::<f64>(), 1216.5);
    // Events that name a page `path` and tell how often it converted stay events.
    let events = Shop::new();
    assert_eq!(events.take("e.csv", "ts,event,path,conversions\n2025-01-01,x,/a,1\n").unwrap().stored, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A row that one door refuses is refused by the other, and both add up the others alike.
    #[test]
    fn both_doors_read_alike(rows in proptest::collection::vec(
        (
            proptest::collection::vec(prop_oneof!["[AB]", "[AB]", Just(String::new()), "[ab]{1,3} [c-e]"], 0..4),
            prop_oneof![Just(" > "), Just(">"), Just("> ")],
            prop_oneof!["[0-9]{1,3}", "[0-9]\\.[05]", Just("-1".to_owned()), Just(String::new()), Just("x".to_owned())],
            prop_oneof!["-?[0-9]{1,3}", Just(String::new())],
            prop_oneof!["[0-9]", Just(String::new()), Just("-2".to_owned())],
        ), 1..20)
    ) {
        const HEAD: &str = "path;total_conversions;total_conversion_value;total_null\n";
        let lines: Vec<String> = rows.iter()
            .map(|(steps, separator, conversions, value, nulls)| format!("{};{conversions};{value};{nulls}\n", steps.join(separator)))
            .collect();
        let read = |line: &String| read_paths(format!("{HEAD}{line}").as_bytes(), &ReadOptions::default());
        let good: String = lines.iter().filter(|line| read(line).is_ok()).cloned().collect();
        let (paths, names) = read_paths(format!("{HEAD}{good}").as_bytes(), &ReadOptions::default()).unwrap();
        let mut expected: BTreeMap<(String, String), [f64; 3]> = BTreeMap::new();
        for path in paths.iter() {
            let channels: Vec<&str> = path.channels.iter().map(|at| names[at.0 as usize].as_str()).collect();
            let sums = expected.entry(("p".to_owned(), channels.join(", "))).or_default();
            sums.iter_mut().zip([path.conversions, path.value, path.nulls]).for_each(|(sum, more)| *sum += more);
        }
        let shop = Shop::new();
        let report = shop.take("p.csv", format!("{HEAD}{}", lines.concat())).unwrap();
        let refused = lines.iter().filter(|line| read(line).is_err()).count() as u64;
        prop_assert_eq!(report.rejected_total(), refused, "{:?}", shop.rejects());
        prop_assert_eq!(stored(&shop), expected);
    }
}
