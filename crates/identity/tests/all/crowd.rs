//! People who share devices, hand them over and leave junk: pairwise precision and recall against the truth.
use super::matching;
use safar_identity::{
    EventIds, IdentityGraph, IdentitySettings, Link, NamespaceRule, PersonMap,
    matching::{Records, find},
    normalise,
};
use safar_model::DAY_US;
use safar_simulate::{Crowd, REGISTER_FIELDS, Score, Sighting, components};
use std::collections::{BTreeMap, BTreeSet};

/// An event's identifiers, normalised: device, user, e-mail, crm.
type Ids = [Option<String>; 4];

fn normal(sighting: &Sighting, settings: &IdentitySettings) -> Ids {
    let of = |namespace: &str, raw: &Option<String>| {
        normalise(namespace, raw.as_deref()?, settings).id().map(std::borrow::Cow::into_owned)
    };
    let Sighting { device, user, email, crm, .. } = sighting;
    [of("anonymous", device), of("user", user), of("email", email), of("crm", crm)]
}

fn event_ids([device, user, email, crm]: &Ids) -> EventIds<'_> {
    EventIds {
        anonymous_id: device.as_deref(),
        user_id: user.as_deref(),
        email_hash: email.as_deref(),
        crm_id: crm.as_deref(),
        phone_hash: None,
    }
}

fn map(seen: &[Sighting], ids: &[Ids], settings: IdentitySettings) -> PersonMap {
    graph(seen, ids, settings).resolve().map
}

fn graph(seen: &[Sighting], ids: &[Ids], settings: IdentitySettings) -> IdentityGraph {
    let mut graph = IdentityGraph::new(settings).expect("they work");
    for (sighting, ids) in seen.iter().zip(ids) {
        for (a, b) in event_ids(ids).pairs() {
            graph.add(&Link::new(a.0, a.1, b.0, b.1, sighting.at)).expect("normalised ids make links");
        }
    }
    graph
}

/// Connected components of identifiers: what most tools do.
fn naive(ids: &[Ids]) -> Vec<i64> {
    components(ids.iter().map(|ids| (0..4).zip(ids).filter_map(|(space, id)| Some((space, id.as_ref()?))).collect()))
}

/// Whose each event is.
fn people(seen: &[Sighting], ids: &[Ids], map: &PersonMap) -> Vec<i64> {
    let people: Vec<i64> =
        seen.iter().zip(ids).filter_map(|(sighting, ids)| map.person_of(&event_ids(ids), sighting.at)).collect();
    assert_eq!(people.len(), seen.len());
    people
}

fn score(people: &[i64], seen: &[Sighting]) -> Score {
    Score::of(people.iter().copied().zip(seen.iter().map(|sighting| sighting.person))).expect("sightings")
}

#[test]
fn people_are_found_precisely_where_devices_are_shared_and_handed_over() {
    let settings = IdentitySettings::default();
    let seen = Crowd { people: 2_000, days: 90, seed: 11, careless: 0 }.sightings();
    let ids: Vec<Ids> = seen.iter().map(|sighting| normal(sighting, &settings)).collect();
    // Junk is gone: no identifier that is left was junk.
    assert!(ids.iter().flatten().flatten().all(|id| !id.contains("null") && id != "0" && id != "guest"));
    let map = map(&seen, &ids, settings);
    let people = people(&seen, &ids, &map);
    let (ours, naive) = (score(&people, &seen), score(&naive(&ids), &seen));
    let told = format!("{ours:.4?}, naive {naive:.4?}");
    assert!(ours.precision >= 0.99 && ours.cubed_precision >= 0.99, "{told}");
    assert!(naive.precision < 0.7, "the crowd is no test: {told}");
    // The naive graph joins whatever anything links, so no method that reads the same links can recall more; what is lost
    // are visits without a login on shared devices.
    assert!(ours.recall >= 0.95 * naive.recall && ours.cubed_recall >= 0.95 * naive.cubed_recall, "{told}");

    // No two accounts are ever one person, junk or not.
    let mut users: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    let rows = map.rows();
    for row in rows.iter().filter(|row| row.namespace == "user") {
        users.entry(row.person_id).or_default().insert(row.identifier);
    }
    assert!(users.values().all(|of_one| of_one.len() == 1));
}

/// Where the last login holds until the next, more is recalled and people are as precise. Connected components join whatever any
/// link joins, so no method that reads the same links can recall more than they do.
#[test]
fn the_last_login_holding_recalls_more_and_stays_precise() {
    let defaults = IdentitySettings::default();
    let mut holding = defaults.clone();
    holding.devices.last_login_days = 180;
    for seed in 1..=5 {
        let seen = Crowd { people: 2_000, days: 180, seed, careless: 0 }.sightings();
        let ids: Vec<Ids> = seen.iter().map(|sighting| normal(sighting, &defaults)).collect();
        let [usual, held] = [&defaults, &holding].map(|settings| {
            let map = map(&seen, &ids, settings.clone());
            score(&people(&seen, &ids, &map), &seen)
        });
        let naive = score(&naive(&ids), &seen);
        let told = format!("seed {seed}: {held:.4?}, usual {usual:.4?}, naive {naive:.4?}");
        assert!(held.precision >= 0.99 && held.cubed_precision >= 0.99, "{told}");
        assert!(held.recall > usual.recall && held.cubed_recall > usual.cubed_recall, "{told}");
        assert!(held.recall >= 0.98 * naive.recall && held.cubed_recall >= 0.98 * naive.cubed_recall, "{told}");
    }
}

/// Where people are in a customer list twice, and what they left at the till names no account, probable matches find what no
/// link joins: more is recalled than by connected components, of raw identifiers or of clean ones.
#[test]
fn with_a_customer_list_more_is_recalled_than_by_the_naive_graph() {
    let mut settings = IdentitySettings { min_confidence: 0.99, ..IdentitySettings::default() };
    settings.namespaces.insert("crm".into(), NamespaceRule::default());
    settings.devices.last_login_days = 180;
    for seed in 1..=5 {
        let crowd = Crowd { people: 2_000, days: 180, seed, careless: 0 };
        let (mut seen, list) = (crowd.sightings(), crowd.customers());
        seen.extend(list.sightings);
        seen.sort_by_key(|sighting| sighting.at);
        let ids: Vec<Ids> = seen.iter().map(|sighting| normal(sighting, &settings)).collect();
        let mut records = Records::new(REGISTER_FIELDS);
        for (id, entry) in &list.records {
            records.push("crm", id, &entry.values.each_ref().map(Option::as_deref)).expect("it fits");
        }
        let comparisons = [
            "given_name*: exact, jaro_winkler 0.88",
            "surname*: exact, jaro_winkler 0.92, jaro_winkler 0.85",
            "born: exact, damerau 1, days 366",
            "street: exact, levenshtein 2",
        ];
        let matching = matching::settings(&comparisons, &["born", "given_name+surname", "given_name+postcode"]);
        let matches = find(&records, &matching).expect("they work").links(180 * DAY_US, "list");

        let mut graph = graph(&seen, &ids, settings.clone());
        assert!(graph.add_all(&matches).is_empty());
        let ours = score(&people(&seen, &ids, &graph.resolve().map), &seen);
        assert!(ours.precision >= 0.99 && ours.cubed_precision >= 0.99, "seed {seed}: {ours:.4?}");
        let raw = |sighting: &Sighting| {
            let Sighting { device, user, email, crm, .. } = sighting.clone();
            [device, user, email, crm]
        };
        for ids in [ids, seen.iter().map(raw).collect()] {
            let naive = score(&naive(&ids), &seen);
            let told = format!("seed {seed}: {ours:.4?}, naive {naive:.4?}");
            assert!(ours.recall >= naive.recall && ours.cubed_recall >= naive.cubed_recall, "{told}");
        }
    }
}
