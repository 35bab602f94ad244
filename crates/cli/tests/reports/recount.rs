//! What several reports say of paths, counted once more by plain loops over their rows.
use super::{number, rows, with_sample};
use safar_testkit::Shop;
use std::collections::{BTreeMap, BTreeSet};

const DAY_US: i64 = 86_400_000_000;

pub struct Path {
    pub person: String,
    pub conversions: f64,
    pub value: f64,
    pub nulls: f64,
    pub channels: Vec<String>,
    /// Of the outcome.
    pub at: i64,
    pub ages: Vec<i64>,
}

pub fn paths(shop: &Shop) -> Vec<Path> {
    let text = shop.sql(
        "select person_id, conversions, value, nulls, array_to_string(channels, '>'), cast(occurred_at as bigint), \
         array_to_string(ages_us, '>') \
         from paths where goal = 'purchase'",
    );
    let items = |cell: &str| -> Vec<String> {
        cell.trim_matches('"').split('>').filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    let path = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        Path {
            person: cells[0].to_owned(),
            conversions: number(cells[1]),
            value: number(cells[2]),
            nulls: number(cells[3]),
            channels: items(cells[4]),
            at: cells[5].parse().unwrap(),
            ages: items(cells[6]).iter().map(|age| age.parse().unwrap()).collect(),
        }
    };
    text.lines().map(path).collect()
}

/// What a model gives each touch of a path.
fn weights(model: &str, ages: &[i64]) -> Vec<f64> {
    let last = ages.len() - 1;
    let weight = |(place, age): (usize, &i64)| match (model, place) {
        ("first", 0) => 1.0,
        ("last", place) if place == last => 1.0,
        ("linear", _) => 1.0,
        ("position", place) if place == 0 || place == last => 0.4,
        ("position", _) => 0.2 / (last as f64 - 1.0),
        ("time_decay", _) => (-(*age as f64) / (7 * DAY_US) as f64).exp2(),
        _ => 0.0,
    };
    let weights: Vec<f64> = ages.iter().enumerate().map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

fn assert_same(expected: &BTreeMap<String, Vec<f64>>, found: &BTreeMap<String, Vec<f64>>, what: &str) {
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>(), "{what}");
    for (name, numbers) in expected {
        for (expected, found) in numbers.iter().zip(&found[name]) {
            assert!((expected - found).abs() < 1e-6, "{what} {name}: {numbers:?}, {found:?}");
        }
    }
}

#[test]
fn credits_are_what_rules_give_each_touch() {
    let shop = with_sample();
    let paths = paths(&shop);
    for model in ["first", "last", "linear", "position", "time_decay"] {
        let mut expected: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        expected.insert("(unattributed)".to_owned(), vec![0.0; 2]);
        for path in &paths {
            let touches = match path.channels.as_slice() {
                [] => vec![("(unattributed)", 1.0)],
                touches => touches.iter().map(String::as_str).zip(weights(model, &path.ages)).collect(),
            };
            for (label, weight) in touches {
                let sums = expected.entry(label.to_owned()).or_insert_with(|| vec![0.0; 2]);
                sums[0] += weight * path.conversions;
                sums[1] += weight * path.value;
            }
        }
        let found = rows(&shop, &["attribute", "--model", model]).into_iter();
        // From the end: names of models hold commas.
        let found = found.map(|row| {
            let row = &row[row.len() - 3..];
            (row[0].clone(), vec![number(&row[1]), number(&row[2])])
        });
        let found = found.collect();
        assert_same(&expected, &found, model);
    }
}

#[test]
fn steps_and_lags_are_those_of_each_path() {
    let shop = with_sample();
    let (mut steps, mut lags) = (BTreeMap::<String, Vec<f64>>::new(), BTreeMap::<String, Vec<f64>>::new());
    let mut people: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in &paths(&shop) {
        if path.conversions != 0.0 || path.value != 0.0 {
            let days = path.ages.first().map(|age| (age / DAY_US).to_string()).unwrap_or_default();
            let sums = lags.entry(days).or_insert_with(|| vec![0.0; 2]);
            sums[0] += path.conversions;
            sums[1] += path.value;
        }
        for (weight, end) in [(path.conversions, "(conversion)"), (path.nulls, "(no conversion)")] {
            let places: Vec<&str> =
                ["(start)"].into_iter().chain(path.channels.iter().map(String::as_str)).chain([end]).collect();
            for (place, step) in places.windows(2).enumerate().filter(|_| weight > 0.0) {
                let name = format!("{} to {}", step[0], step[1]);
                let sums = steps.entry(name.clone()).or_insert_with(|| vec![0.0; 2]);
                sums[0] += weight;
                sums[1] += if places[..=place].contains(&step[1]) { weight } else { 0.0 };
                people.entry(name).or_default().insert(path.person.clone());
            }
        }
    }
    for (name, sums) in &mut steps {
        sums.push(people[name].len() as f64);
    }
    let flow = rows(&shop, &["flow", "--limit", "0"]).into_iter();
    let found =
        flow.map(|row| (format!("{} to {}", row[0], row[1]), vec![number(&row[3]), number(&row[6]), number(&row[2])]));
    assert_same(&steps, &found.collect(), "flow");
    let found = rows(&shop, &["paths", "--show", "lags"]).into_iter();
    let found = found.map(|row| (row[0].clone(), vec![number(&row[1]), number(&row[2])])).collect();
    assert_same(&lags, &found, "lags");
}
