//! Laws of the graph, worked examples, and a crowd whose truth is known.
mod by_hand;
mod change;
mod crowd;
mod live;
mod matching;

use proptest::{collection::vec, option, prelude::*};
use safar_identity::{
    ConflictRule, EventIds, IdentityGraph, IdentitySettings, Link, LinkKind, MapError, NamespaceRule, PersonMap,
    PersonRow, Resolution,
};
use safar_model::{DAY_US, key_of};

fn graph(links: &[Link]) -> IdentityGraph {
    let mut graph = IdentityGraph::new(IdentitySettings::default()).expect("the defaults work");
    let refused = graph.add_all(links);
    assert!(refused.is_empty(), "{refused:?}");
    graph
}

fn resolve(links: &[Link]) -> Resolution {
    graph(links).resolve()
}

fn link(a: (&str, &str), b: (&str, &str), at: i64) -> Link {
    Link::new(a.0.into(), a.1.into(), b.0.into(), b.1.into(), at)
}

fn login(device: &str, user: &str, day: i64) -> Link {
    link(("anonymous", device), ("user", user), day * DAY_US)
}

fn on<'a>(device: &'a str, user: Option<&'a str>) -> EventIds<'a> {
    EventIds { anonymous_id: Some(device), user_id: user, ..EventIds::default() }
}

fn user(name: &str) -> Option<i64> {
    Some(key_of("user", name))
}

/// Few identifiers and instants, so that everything meets.
fn any_link() -> impl Strategy<Value = Link> {
    let end = (prop::sample::select(vec!["anonymous", "user", "email", "phone", "crm", "loyalty"]), 0..6);
    let kind = prop_oneof![8 => Just(LinkKind::Event), 1 => Just(LinkKind::Split)];
    let span = (option::weighted(0.1, 0_i64..20), option::weighted(0.1, 20_i64..60));
    (end.clone(), end, 0_i64..60, kind, option::weighted(0.5, "[a-c]"), span)
        .prop_filter("two ends", |(a, b, ..)| a != b)
        .prop_map(|(a, b, day, kind, event_id, (from, to))| Link {
            kind,
            event_id,
            valid_from: from.map(|day| day * DAY_US),
            valid_to: to.map(|day| day * DAY_US),
            ..link((a.0, &format!("i{}", a.1)), (b.0, &format!("i{}", b.1)), day * DAY_US)
        })
}

fn told(resolution: &Resolution) -> String {
    format!("{:?}", resolution.map.rows())
}

/// Conflicts without which end of a link came first.
fn conflicts(resolution: &Resolution) -> Vec<String> {
    let end = |namespace: &str, id: &str, person: i64| format!("{namespace} {id} {person}");
    let of_one = resolution.conflicts.iter().map(|conflict| {
        let link = &conflict.link;
        let mut ends = [end(&link.ns_a, &link.id_a, conflict.person_a), end(&link.ns_b, &link.id_b, conflict.person_b)];
        ends.sort();
        format!("{ends:?} {} {:?} {}", link.observed_at, link.event_id, conflict.rule)
    });
    of_one.collect()
}

proptest! {
    #[test]
    fn order_and_repetition_of_links_do_not_matter(
        (links, shuffled) in vec(any_link(), 0..40).prop_flat_map(|links| (Just(links.clone()), Just(links).prop_shuffle())),
        swap in any::<bool>(),
    ) {
        let first = resolve(&links);
        let mut others: Vec<Link> = shuffled.iter().cloned().chain(shuffled.iter().take(5).cloned()).collect();
        if swap {
            for link in &mut others {
                std::mem::swap(&mut link.ns_a, &mut link.ns_b);
                std::mem::swap(&mut link.id_a, &mut link.id_b);
            }
        }
        let second = resolve(&others);
        prop_assert_eq!(told(&first), told(&second));
        prop_assert_eq!(conflicts(&first), conflicts(&second));
        prop_assert!(PersonMap::diff(&first.map, &second.map).is_empty());
    }

    #[test]
    fn an_unrelated_link_changes_no_other_person(links in vec(any_link(), 0..30), day in 0_i64..60) {
        let before = resolve(&links);
        let mut more = links;
        more.push(login("another-device", "another-user", day));
        let after = resolve(&more);
        let known: Vec<PersonRow<'_>> =
            after.map.rows().into_iter().filter(|row| !row.identifier.starts_with("another")).collect();
        prop_assert_eq!(before.map.rows(), known);
        let mut dirty = vec![key_of("anonymous", "another-device"), key_of("user", "another-user")];
        dirty.sort_unstable();
        prop_assert_eq!(PersonMap::diff(&before.map, &after.map), dirty);
    }

    /// A link that comes later in time never renames a person: whoever it was, the id lives on in one of its names.
    #[test]
    fn ids_are_stable_when_later_identifiers_join(links in vec(any_link(), 1..30), late in any_link()) {
        let before = resolve(&links).map;
        let mut more = links;
        more.push(Link { observed_at: 100 * DAY_US, kind: LinkKind::Event, valid_from: None, valid_to: None, ..late });
        let after = resolve(&more).map;
        let person = |map: &PersonMap, namespace: &str, id: &str| map.person(namespace, id, 100 * DAY_US);
        let old: Vec<i64> = before.rows().iter().map(|row| row.person_id).collect();
        for row in before.rows().iter().filter(|row| row.namespace != "anonymous") {
            let now = person(&after, row.namespace, row.identifier).expect("it stays known");
            prop_assert!(now == row.person_id || old.contains(&now), "a known person took a new name");
        }
    }

    #[test]
    fn one_person_at_each_instant_and_within_the_rules(links in vec(any_link(), 0..40)) {
        let map = resolve(&links).map;
        let rows = map.rows();
        let mut by_id: Vec<&PersonRow<'_>> = rows.iter().collect();
        by_id.sort_by_key(|row| (row.namespace, row.identifier, row.valid_from));
        for rows in by_id.chunk_by(|x, y| (x.namespace, x.identifier) == (y.namespace, y.identifier)) {
            prop_assert_eq!(rows[0].valid_from, None);
            prop_assert_eq!(rows[rows.len() - 1].valid_to, None);
            prop_assert!(rows.windows(2).all(|two| two[0].valid_to == two[1].valid_from && two[0].valid_to.is_some()));
            prop_assert!(rows[0].namespace == "anonymous" || rows.len() == 1);
            for row in rows {
                let at = row.valid_from.unwrap_or(i64::MIN);
                prop_assert_eq!(map.person(row.namespace, row.identifier, at), Some(row.person_id));
                let last = row.valid_to.map_or(i64::MAX, |to| to - 1);
                prop_assert_eq!(map.person(row.namespace, row.identifier, last), Some(row.person_id));
            }
        }
        for row in &rows {
            let has = |namespace: &str| {
                let same = |other: &&PersonRow<'_>| other.person_id == row.person_id && other.namespace == namespace;
                rows.iter().filter(same).count()
            };
            prop_assert!(has("user") <= 1 && has("crm") <= 1 && has("email") <= 5);
        }
        for link in links.iter().filter(|link| link.kind == LinkKind::Split) {
            if link.ns_a != "anonymous" && link.ns_b != "anonymous" {
                prop_assert_ne!(map.person(&link.ns_a, &link.id_a, 0), map.person(&link.ns_b, &link.id_b, 0));
            }
        }
    }

    #[test]
    fn rows_read_back_are_the_map(links in vec(any_link(), 0..40)) {
        let map = resolve(&links).map;
        let rows = map.rows();
        let read = PersonMap::from_rows(rows.iter().rev().copied(), &IdentitySettings::default()).expect("rows of a map");
        prop_assert_eq!(read.rows(), rows);
        prop_assert!(PersonMap::diff(&map, &read).is_empty());
    }

    /// The evidence is a chain of the log's own links from one to the other, and exists wherever both are one person.
    #[test]
    fn why_leads_from_one_to_the_other(links in vec(any_link(), 1..25)) {
        let graph = graph(&links);
        let map = graph.resolve().map;
        let rows = map.rows();
        for x in &rows {
            for y in &rows {
                let (a, b) = ((x.namespace, x.identifier), (y.namespace, y.identifier));
                if a == b || x.person_id != y.person_id {
                    continue;
                }
                let chain = graph.why(&map, a, b);
                prop_assert!(!chain.is_empty(), "{a:?} {b:?}");
                let mut at = a;
                for link in &chain {
                    prop_assert!(links.contains(link));
                    let ends = [(link.ns_a.as_str(), link.id_a.as_str()), (link.ns_b.as_str(), link.id_b.as_str())];
                    at = if at == ends[0] { ends[1] } else { prop_assert_eq!(at, ends[1]); ends[0] };
                }
                prop_assert_eq!(at, b);
            }
        }
    }
}

#[test]
fn a_device_handed_over_is_split_at_the_login() {
    let map = resolve(&[login("tablet", "ada", 10), login("tablet", "ben", 40)]).map;
    let person = |day: i64| map.person_of(&on("tablet", None), day * DAY_US);
    // Before the first login the first owner is filled in.
    assert_eq!([person(0), person(10), person(39)], [user("ada"); 3]);
    assert_eq!([person(40), person(1_000)], [user("ben"); 2]);
    // An account on the event wins over the device's owner.
    assert_eq!(map.person_of(&on("tablet", Some("ada")), 50 * DAY_US), user("ada"));
    assert_eq!(map.person_of(&on("tablet", Some("stranger")), 50 * DAY_US), user("stranger"));
}

#[test]
fn a_shared_device_belongs_to_who_logged_in_and_else_to_itself() {
    let map = resolve(&[login("desk", "ada", 10), login("desk", "ben", 11), login("desk", "ada", 12)]).map;
    let minute = DAY_US / 1_440;
    let person = |at: i64| map.person_of(&on("desk", None), at);
    let own = Some(key_of("anonymous", "desk"));
    assert_eq!([person(0), person(10 * DAY_US + 31 * minute), person(20 * DAY_US)], [own; 3]);
    assert_eq!([person(10 * DAY_US - 20 * minute), person(10 * DAY_US + 29 * minute)], [user("ada"); 2]);
    assert_eq!(person(11 * DAY_US), user("ben"));
    assert_eq!(map.person_of(&on("desk", Some("ben")), 20 * DAY_US), user("ben"));
}

/// What docs/adr/0012-ids-follow-what-was-observed.md says of names.
#[test]
fn late_history_renames_only_by_an_older_identifier() {
    let (ada, mail, card) = (("user", "ada"), ("email", "e1"), ("crm", "c1"));
    let named = |links: &[Link]| resolve(links).map.person("user", "ada", 0);
    let known = [link(ada, mail, 10 * DAY_US)];
    assert_eq!(named(&known), user("ada"));
    let with = |late: Link| named(&[known[0].clone(), late]);
    assert_eq!(with(link(ada, mail, DAY_US)), user("ada"), "an earlier sighting of the same two");
    assert_eq!(with(link(ada, card, 20 * DAY_US)), user("ada"), "what joins later");
    assert_eq!(with(link(mail, card, DAY_US)), Some(key_of("crm", "c1")), "an older identifier");
    let late = [known[0].clone(), link(mail, card, DAY_US)];
    let reversed = [late[1].clone(), late[0].clone()];
    assert_eq!(named(&late), named(&reversed), "whichever was stored first");
}

#[test]
fn who_is_unknown_is_their_own_person() {
    let map = PersonMap::empty(&IdentitySettings::default());
    assert_eq!(map.person_of(&on("new", None), 0), Some(key_of("anonymous", "new")));
    assert_eq!(map.person_of(&on("new", Some("eve")), 0), user("eve"));
    assert_eq!(map.person_of(&EventIds::default(), 0), None);
}

#[test]
fn a_second_account_on_one_address_is_a_conflict_and_no_merge() {
    let email = ("email", "e1");
    let links = [link(email, ("user", "ada"), 1), link(("user", "ben"), email, 2), link(email, ("user", "ben"), 3)];
    let resolution = resolve(&links);
    let conflict = &resolution.conflicts[..];
    assert_eq!(conflict.len(), 1, "one a pair");
    assert_eq!(conflict[0].link, links[1]);
    assert_eq!(conflict[0].rule, ConflictRule::Limit { namespace: "user".into(), limit: 1 });
    assert_eq!((Some(conflict[0].person_a), Some(conflict[0].person_b)), (user("ben"), Some(key_of("user", "ada"))));
    assert_eq!(resolution.map.person("email", "e1", 0), user("ada"));
}

#[test]
fn a_limit_bounds_and_a_custom_namespace_obeys_its_rule() {
    let mut settings = IdentitySettings::default();
    settings.namespaces.insert("loyalty".into(), NamespaceRule { limit: Some(2), ..NamespaceRule::default() });
    let mut graph = IdentityGraph::new(settings).expect("they work");
    for (day, card) in ["k1", "k2", "k3"].into_iter().enumerate() {
        graph.add(&link(("loyalty", card), ("user", "ada"), day as i64)).expect("a link");
    }
    let Resolution { map, conflicts } = graph.resolve();
    assert_eq!(map.person("loyalty", "k2", 0), user("ada"));
    assert_eq!(map.person("loyalty", "k3", 0), Some(key_of("loyalty", "k3")));
    assert_eq!(conflicts[0].rule.to_string(), "a person has at most 2 loyalty");
}

#[test]
fn a_split_by_hand_holds_against_every_path() {
    let (a, b, c) = (("user", "ada"), ("email", "e1"), ("phone", "p1"));
    let split = Link { kind: LinkKind::Split, ..link(a, c, 90) };
    let resolution = resolve(&[link(a, b, 1), link(b, c, 2), split]);
    assert_ne!(resolution.map.person("user", "ada", 0), resolution.map.person("phone", "p1", 0));
    assert_eq!(resolution.conflicts[0].rule, ConflictRule::Split);
}

#[test]
fn ended_and_doubtful_links_join_nobody() {
    let ended = Link { valid_to: Some(5), ..link(("user", "ada"), ("email", "e1"), 1) };
    let doubtful = Link { kind: LinkKind::Match, confidence: 0.8, ..link(("user", "ada"), ("email", "e2"), 1) };
    let map = resolve(&[ended, doubtful]).map;
    assert_eq!(map.person("email", "e1", 0), Some(key_of("email", "e1")));
    assert_eq!(map.person("email", "e2", 0), Some(key_of("email", "e2")));
}

#[test]
fn junk_is_refused_and_the_rest_is_taken() {
    let mut graph = IdentityGraph::new(IdentitySettings::default()).expect("the defaults work");
    let good = login("d1", "ada", 1);
    let bad = [
        login("d1", "null", 1),
        login("00000000", "ada", 1),
        link(("user", "ada"), ("user", "ada"), 1),
        link(("", "x"), ("user", "ada"), 1),
        Link { confidence: f64::NAN, ..good.clone() },
        Link { valid_from: Some(2), valid_to: Some(1), ..good.clone() },
    ];
    let links: Vec<Link> = bad.into_iter().chain([good]).collect();
    let refused: Vec<usize> = graph.add_all(&links).into_iter().map(|(index, _)| index).collect();
    assert_eq!(refused, [0, 1, 2, 3, 4, 5]);
    assert_eq!((graph.len(), graph.resolve().map.len()), (1, 2));
    assert_eq!(
        graph.add(&links[0]).unwrap_err().to_string(),
        "user `null` is no identifier: the value is a placeholder that programs write where they know nobody"
    );
}

#[test]
fn rows_that_are_no_map_are_refused() {
    let row = PersonRow { person_id: 5, namespace: "anonymous", identifier: "d", valid_from: None, valid_to: Some(10) };
    let read = |rows: &[PersonRow<'static>]| PersonMap::from_rows(rows.iter().copied(), &IdentitySettings::default());
    let overlap = PersonRow { valid_from: Some(9), valid_to: None, ..row };
    assert_eq!(read(&[row, overlap]).err(), Some(MapError::Overlap("anonymous".into(), "d".into())));
    assert!(matches!(read(&[PersonRow { person_id: -1, ..row }]).err(), Some(MapError::Negative(..))));
    let map = read(&[row]).expect("a map");
    assert_eq!(
        [map.person("anonymous", "d", 9), map.person("anonymous", "d", 10)],
        [Some(5), Some(key_of("anonymous", "d"))]
    );
}

#[test]
fn settings_that_cannot_work_are_named() {
    let rule = |unique, limit| {
        let mut settings = IdentitySettings::default();
        settings.namespaces.insert("loyalty".into(), NamespaceRule { unique, limit, device: false });
        settings.check().map_err(|error| error.to_string())
    };
    assert_eq!(rule(true, Some(1)), Ok(()));
    assert!(rule(true, Some(2)).unwrap_err().contains("`loyalty` is unique but has the limit 2"));
    assert!(rule(false, Some(0)).unwrap_err().contains("limit 0"));
    let country = IdentitySettings { phone_country: Some("+49".into()), ..IdentitySettings::default() };
    assert!(country.check().unwrap_err().to_string().contains("`+49` is no calling code"));
}
