//! Probable matches: parameters that are known, a list whose truth is known, and settings that cannot work.
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use safar_identity::{
    IdentityGraph, IdentitySettings, LinkKind,
    matching::{Comparison, Grouping, MatchError, MatchSettings, Matches, Records, find},
};
use safar_simulate::{REGISTER_FIELDS, Register, Score};
use std::collections::BTreeMap;

pub(super) fn settings(comparisons: &[&str], blocks: &[&str]) -> MatchSettings {
    MatchSettings {
        comparisons: comparisons.iter().map(|text| text.parse().expect("a comparison")).collect(),
        blocks: blocks.iter().map(|text| text.parse().expect("a rule")).collect(),
        random_pairs: 100_000,
        ..MatchSettings::default()
    }
}

fn register_settings() -> MatchSettings {
    let comparisons = [
        "given_name*: exact, jaro_winkler 0.88",
        "surname*: exact, jaro_winkler 0.92, jaro_winkler 0.85",
        "born: exact, damerau 1, days 366",
        "street: exact, levenshtein 2",
        "postcode*: exact, damerau 1",
    ];
    settings(&comparisons, &["given_name+born", "surname", "postcode+street:4", "born"])
}

fn register(people: u32, seed: u64) -> (Records, Vec<u32>) {
    let mut records = Records::new(REGISTER_FIELDS);
    let entries = Register { people, seed }.entries();
    for (number, entry) in entries.iter().enumerate() {
        records.push("crm", &number.to_string(), &entry.values.each_ref().map(Option::as_deref)).expect("it fits");
    }
    (records, entries.iter().map(|entry| entry.person).collect())
}

/// The group of each record, alone where it is in none.
fn groups(matches: &Matches<'_>, records: usize) -> Vec<i64> {
    let mut of: Vec<i64> = (0..records as i64).collect();
    for group in matches.people() {
        group.iter().for_each(|&record| of[record as usize] = i64::from(group[0]));
    }
    of
}

#[test]
fn a_list_with_typing_errors_is_sorted_out() {
    let (records, truth) = register(1_000, 5);
    let settings = register_settings();
    let matches = find(&records, &settings).expect("they work");
    let people = groups(&matches, records.len());
    let score = Score::of(people.iter().copied().zip(truth.iter().copied())).expect("records");
    assert!(score.precision >= 0.99 && score.recall >= 0.93, "{score:?}");
    // Equal names and birthdays only, which is what is left without the layer.
    let mut seen = BTreeMap::new();
    let exact: Vec<i64> = (0_u32..)
        .zip(Register { people: 1_000, seed: 5 }.entries())
        .map(|(record, entry)| *seen.entry(entry.values[..3].to_vec()).or_insert(i64::from(record)))
        .collect();
    let exact = Score::of(exact.into_iter().zip(truth.iter().copied())).expect("records");
    assert!(score.recall > exact.recall + 0.2, "{score:?} against {exact:?}");
    // Probabilities mean what they say: of the pairs told, as many are true as expected.
    let told: f64 = matches.pairs.iter().map(|pair| pair.probability).sum();
    let is = matches.pairs.iter().filter(|pair| truth[pair.a as usize] == truth[pair.b as usize]).count() as f64;
    assert!((told / is - 1.0).abs() < 0.05, "{told} expected, {is} true");
}

#[test]
fn evidence_adds_up_and_names_values() {
    let (records, _) = register(400, 6);
    let settings = register_settings();
    let matches = find(&records, &settings).expect("they work");
    assert!(!matches.pairs.is_empty());
    for pair in &matches.pairs {
        let evidence = matches.evidence(pair);
        let sum = matches.model.prior_bits() + evidence.iter().map(|field| field.bits).sum::<f64>();
        assert!((sum - pair.bits).abs() < 1e-9, "{sum} and {}", pair.bits);
        for field in evidence {
            let missing = field.a.is_none() || field.b.is_none();
            assert_eq!(missing, field.level == "missing");
            assert!(!missing || field.bits == 0.0, "what is missing says nothing");
            assert!(field.level != "exact" || field.a == field.b && field.bits > 0.0, "{field:?}");
        }
    }
    // The strongest level of each field is for one person, and no alikeness is against.
    for (comparison, levels) in &matches.model.comparisons {
        assert!(levels[0].bits() > 0.0 && levels[levels.len() - 1].bits() < 0.0, "{comparison}: {levels:?}");
    }
}

/// Pairs drawn from a model whose `m` and `u` are known give them back.
#[test]
fn known_parameters_are_found_again() {
    let (m, values) = ([0.9, 0.8, 0.7], [20_u64, 50, 200]);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut below = |most: u64| ((u128::from(rng.next_u64()) * u128::from(most)) >> 64) as u64;
    let mut records = Records::new(["block", "other", "x", "y", "z"]);
    for person in 0..4_000_u64 {
        let own = values.map(&mut below);
        let blocks = [person / 10, below(400)].map(|block| block.to_string());
        for copy in 0..2 {
            let texts = [0, 1, 2].map(|field| {
                let agrees = copy == 0 || below(1_000) < (m[field] * 1_000.0) as u64;
                // Who does not agree has any other value.
                (if agrees { own[field] } else { (own[field] + 1 + below(values[field] - 1)) % values[field] })
                    .to_string()
            });
            let row = [&blocks[0], &blocks[1], &texts[0], &texts[1], &texts[2]].map(|text| Some(text.as_str()));
            records.push("crm", &format!("{person}-{copy}"), &row).expect("it fits");
        }
    }
    let settings = settings(&["x: exact", "y: exact", "z: exact"], &["block", "other"]);
    let model = find(&records, &settings).expect("they work").model;
    for (field, (_, levels)) in model.comparisons.iter().enumerate() {
        let u = 1.0 / values[field] as f64;
        assert!((levels[0].m - m[field]).abs() < 0.03, "m of {field}: {levels:?}");
        assert!((levels[0].u / u - 1.0).abs() < 0.1, "u of {field}: {levels:?}");
    }
    // 4,000 of the pairs of 8,000 records are one person's.
    let prior = 4_000.0 / (8_000.0 * 7_999.0 / 2.0);
    assert!((model.prior / prior - 1.0).abs() < 0.1, "{} against {prior}", model.prior);
}

#[test]
fn rare_values_weigh_more_than_frequent_ones() {
    let (records, _) = register(800, 7);
    let settings = register_settings();
    let matches = find(&records, &settings).expect("they work");
    let mut of_name: BTreeMap<String, f64> = BTreeMap::new();
    for pair in &matches.pairs {
        let name = matches.evidence(pair).swap_remove(0);
        if name.level == "exact" {
            of_name.insert(name.a.expect("a value"), name.bits);
        }
    }
    let different = of_name.values().map(|bits| bits.to_bits()).collect::<std::collections::BTreeSet<_>>();
    assert!(different.len() > 5, "{of_name:?}");
}

#[test]
fn one_to_one_keeps_one_record_of_each_system() {
    let mut records = Records::new(["name", "born"]);
    for number in 0..60 {
        let (name, born) = (format!("name{number}"), format!("19{number:02}-01-01"));
        for (system, id) in [("shop", "a"), ("crm", "a"), ("crm", "b")] {
            records.push(system, &format!("{number}{id}"), &[Some(&name), Some(&born)]).expect("it fits");
        }
    }
    let mut settings = settings(&["name: exact", "born: exact"], &["name", "born"]);
    settings.accept = 0.6;
    let connected = find(&records, &settings).expect("they work");
    assert!(connected.people().iter().all(|group| group.len() == 3) && connected.people().len() == 60);
    let one_to_one = MatchSettings { groups: Grouping::OneToOne, ..settings.clone() };
    let single = find(&records, &one_to_one).expect("they work");
    assert!(single.people().iter().all(|group| group.len() == 2) && single.people().len() == 60);
    assert_eq!((connected.links(0, "list").len(), single.links(0, "list").len()), (180, 60));
}

#[test]
fn links_join_nobody_until_the_settings_say_so() {
    let (records, _) = register(300, 8);
    let settings = register_settings();
    let links = find(&records, &settings).expect("they work").links(5, "customers.csv");
    assert!(links.len() > 50);
    assert!(links.iter().all(|link| link.kind == LinkKind::Match && link.confidence >= 0.99 && link.confidence <= 1.0));
    let people = |min_confidence: f64| {
        let mut identity = IdentitySettings { min_confidence, ..IdentitySettings::default() };
        // The list holds people more than once, so its ids are not unique.
        identity.namespaces.insert("crm".into(), safar_identity::NamespaceRule::default());
        let mut graph = IdentityGraph::new(identity).expect("they work");
        assert!(graph.add_all(&links).is_empty());
        let map = graph.resolve().map;
        map.rows().iter().map(|row| row.person_id).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(people(0.9) < people(1.0));
    let certain = links.iter().filter(|link| link.confidence >= 1.0).count();
    assert_eq!(certain, 0, "no match is certain");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    /// Which record comes first changes no pair and no probability.
    #[test]
    fn order_of_records_does_not_matter(seed in 0_u64..1_000) {
        let entries = Register { people: 120, seed }.entries();
        let settings = register_settings();
        let told = |order: &[usize]| {
            let mut records = Records::new(REGISTER_FIELDS);
            for &number in order {
                let values = entries[number].values.each_ref().map(Option::as_deref);
                records.push("crm", &number.to_string(), &values).expect("it fits");
            }
            let matches = find(&records, &settings).expect("they work");
            let mut pairs: Vec<(String, String, i64)> = matches.pairs.iter().map(|pair| {
                let (a, b) = (records.id(pair.a).1.to_owned(), records.id(pair.b).1.to_owned());
                let (a, b) = if a < b { (a, b) } else { (b, a) };
                (a, b, (pair.bits * 1e6).round() as i64)
            }).collect();
            pairs.sort();
            pairs
        };
        let forwards: Vec<usize> = (0..entries.len()).collect();
        let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
        prop_assert_eq!(told(&forwards), told(&backwards));
    }
}

#[test]
fn large_blocks_are_skipped_and_told_and_too_many_pairs_are_an_error() {
    let (records, _) = register(500, 9);
    let wide = |block_records, pairs| MatchSettings {
        block_records,
        pairs,
        ..settings(&["surname: exact", "born: exact"], &["town", "born+surname:1", "postcode"])
    };
    let error = find(&records, &wide(5_000, 1_000)).err().expect("too many").to_string();
    assert!(error.contains("1000 are allowed") && error.contains("\"town\""), "{error}");
    let narrow = wide(20, 100_000);
    let matches = find(&records, &narrow).expect("they work");
    assert!(matches.skipped.iter().any(|block| block.rule == "town" && block.records > 20));
    assert!(matches.skipped.iter().all(|block| block.rule == "town"), "{:?}", matches.skipped);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let check = |comparisons: &[&str], blocks: &[&str]| settings(comparisons, blocks).check();
    assert_eq!(check(&[], &["a"]), Err(MatchError::NoComparison));
    assert_eq!(check(&["a: exact"], &[]), Err(MatchError::NoBlock));
    assert_eq!(check(&["a: exact", "a: exact"], &["b"]), Err(MatchError::FieldTwice("a".into())));
    assert_eq!(check(&["a: exact"], &["a", "a+b"]), Err(MatchError::Untrained("a".into())));
    let many: Vec<String> = (0..17).map(|n| format!("f{n}: exact")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(check(&many, &["b"]), Err(MatchError::TooMany(17, "comparisons", 16)));
    let mut thresholds = settings(&["a: exact"], &["b"]);
    (thresholds.review, thresholds.accept) = (0.9, 0.5);
    assert!(thresholds.check().unwrap_err().to_string().starts_with("review is 0.9 and accept is 0.5"));
    for (text, part) in [
        ("surname", "`surname` is no comparison"),
        (": exact", "is no comparison"),
        ("a: close", "`close` is no similarity"),
    ] {
        let error = text.parse::<Comparison>().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    for text in ["", "a+", "a:0", "a:x", "+b"] {
        assert!(matches!(text.parse::<safar_identity::matching::Blocking>(), Err(MatchError::Blocking(_))), "{text}");
    }
    let mut records = Records::new(["a", "b"]);
    assert!(matches!(records.push("crm", "1", &[None]), Err(MatchError::Values { .. })));
    let unknown = settings(&["c: exact"], &["a"]);
    let error = find(&records, &unknown).err().expect("no field").to_string();
    assert_eq!(error, "there is no field `c`; the fields are a, b");
    let known = settings(&["b: exact"], &["a"]);
    assert_eq!(find(&records, &known).err(), Some(MatchError::NoPair));
}
