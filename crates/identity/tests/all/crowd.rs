//! People who share devices, hand them over and leave junk: pairwise precision and recall against the truth.
use safar_identity::{EventIds, IdentityGraph, IdentitySettings, Link, PersonMap, normalise};
use safar_simulate::{Crowd, Sighting};
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

fn map(seen: &[Sighting], ids: &[Ids]) -> PersonMap {
    let mut graph = IdentityGraph::new(IdentitySettings::default()).expect("the defaults work");
    for (sighting, ids) in seen.iter().zip(ids) {
        for (a, b) in event_ids(ids).pairs() {
            graph.add(&Link::new(a.0, a.1, b.0, b.1, sighting.at)).expect("normalised ids make links");
        }
    }
    graph.resolve().map
}

/// Connected components of raw identifiers, blocked values left out: what most tools do.
fn naive(ids: &[Ids]) -> Vec<i64> {
    let mut numbers: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut parent: Vec<usize> = Vec::new();
    fn root(parent: &[usize], mut at: usize) -> usize {
        while parent[at] != at {
            at = parent[at];
        }
        at
    }
    let mut of_event = Vec::new();
    for ids in ids {
        let mut first = None;
        for (namespace, id) in ids.iter().enumerate() {
            let Some(id) = id else { continue };
            let number = *numbers.entry((namespace, id)).or_insert_with(|| {
                parent.push(parent.len());
                parent.len() - 1
            });
            let (a, b) = (root(&parent, number), root(&parent, *first.get_or_insert(number)));
            parent[a.max(b)] = a.min(b);
        }
        of_event.push(first.expect("every sighting has an identifier"));
    }
    of_event.into_iter().map(|number| root(&parent, number) as i64).collect()
}

/// Pairwise precision and recall of events, and precision of B-cubed.
fn score(people: &[i64], seen: &[Sighting]) -> (f64, f64, f64) {
    let pairs = |sizes: &BTreeMap<(i64, i64), f64>| sizes.values().map(|n| n * (n - 1.0) / 2.0).sum::<f64>();
    let (mut both, mut guessed, mut true_) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (&person, sighting) in people.iter().zip(seen) {
        *both.entry((person, i64::from(sighting.person))).or_insert(0.0) += 1.0;
        *guessed.entry((person, 0)).or_insert(0.0) += 1.0;
        *true_.entry((0, i64::from(sighting.person))).or_insert(0.0) += 1.0;
    }
    let together = pairs(&both);
    let cubed: f64 = both.iter().map(|(&(person, _), n)| n * n / guessed[&(person, 0)]).sum();
    (together / pairs(&guessed), together / pairs(&true_), cubed / seen.len() as f64)
}

#[test]
fn people_are_found_precisely_where_devices_are_shared_and_handed_over() {
    let settings = IdentitySettings::default();
    let seen = Crowd { people: 2_000, days: 90, seed: 11 }.sightings();
    let ids: Vec<Ids> = seen.iter().map(|sighting| normal(sighting, &settings)).collect();
    // Junk is gone: no identifier that is left was junk.
    assert!(ids.iter().flatten().flatten().all(|id| !id.contains("null") && id != "0" && id != "guest"));
    let map = map(&seen, &ids);
    let people: Vec<i64> =
        seen.iter().zip(&ids).filter_map(|(sighting, ids)| map.person_of(&event_ids(ids), sighting.at)).collect();
    assert_eq!(people.len(), seen.len());
    let (precision, recall, cubed) = score(&people, &seen);
    let (naive_precision, naive_recall, _) = score(&naive(&ids), &seen);
    let told = format!(
        "precision {precision:.4} (naive {naive_precision:.4}), recall {recall:.4} (naive {naive_recall:.4}), B-cubed precision {cubed:.4}"
    );
    assert!(precision >= 0.99 && cubed >= 0.99, "{told}");
    assert!(naive_precision < 0.7, "the crowd is no test: {told}");
    // The naive graph joins whatever anything links, so no method that reads the same links can recall more.
    assert!(recall >= 0.95 * naive_recall, "{told}");

    // No two accounts are ever one person, junk or not.
    let mut users: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    let rows = map.rows();
    for row in rows.iter().filter(|row| row.namespace == "user") {
        users.entry(row.person_id).or_default().insert(row.identifier);
    }
    assert!(users.values().all(|of_one| of_one.len() == 1));
}
