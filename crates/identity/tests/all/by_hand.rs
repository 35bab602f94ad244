//! What somebody joined or took apart by hand.
use super::{link, login, on, resolve, user};
use safar_identity::{IdentityGraph, IdentitySettings, Link, LinkKind};
use safar_model::{DAY_US, key_of};

const ADA: (&str, &str) = ("user", "ada");
const MAIL: (&str, &str) = ("email", "e1");

fn by_hand(kind: LinkKind, a: (&str, &str), b: (&str, &str), day: i64) -> Link {
    Link { kind, ..link(a, b, day * DAY_US) }
}

#[test]
fn the_last_act_by_hand_between_two_identifiers_holds() {
    let seen = link(ADA, MAIL, 0);
    let split = by_hand(LinkKind::Split, ADA, MAIL, 10);
    let merge = |day| by_hand(LinkKind::Merge, MAIL, ADA, day);
    let joined = |links: &[Link]| resolve(links).map.person("email", "e1", 0) == user("ada");
    assert!(joined(std::slice::from_ref(&seen)));
    assert!(!joined(&[seen.clone(), split.clone()]));
    assert!(!joined(&[seen.clone(), split.clone(), merge(9)]));
    assert!(joined(&[seen.clone(), split.clone(), merge(11)]));
    assert!(!joined(&[seen, merge(11), split, by_hand(LinkKind::Split, ADA, MAIL, 12)]));
}

#[test]
fn a_device_taken_from_a_person_is_its_own_again_and_may_be_given_back() {
    let device = ("anonymous", "desk");
    let logins = [login("desk", "ada", 1), login("desk", "ada", 5)];
    let split = by_hand(LinkKind::Split, device, ADA, 6);
    let owner = |more: &[Link]| {
        let links: Vec<Link> = logins.iter().chain(more).cloned().collect();
        resolve(&links).map.person_of(&on("desk", None), 20 * DAY_US)
    };
    assert_eq!(owner(&[]), user("ada"));
    assert_eq!(owner(std::slice::from_ref(&split)), Some(key_of("anonymous", "desk")));
    // Only the logins of the first three days are cancelled.
    assert_eq!(owner(&[Link { valid_to: Some(3 * DAY_US), ..split.clone() }]), user("ada"));
    assert_eq!(owner(&[split, by_hand(LinkKind::Merge, ADA, device, 7)]), user("ada"));
}

#[test]
fn joining_by_hand_obeys_the_rules() {
    let resolution = resolve(&[by_hand(LinkKind::Merge, ADA, ("user", "ben"), 3)]);
    assert_eq!(resolution.conflicts.len(), 1);
    assert_eq!(resolution.conflicts[0].rule.to_string(), "a person has at most 1 user");
    assert_ne!(resolution.map.person("user", "ben", 0), user("ada"));
}

/// A likely link never takes the place of a certain one, though it is older.
#[test]
fn certain_links_come_before_likely_ones() {
    let mut graph =
        IdentityGraph::new(IdentitySettings { min_confidence: 0.5, ..IdentitySettings::default() }).expect("they work");
    let likely =
        |user: &str, confidence| Link { kind: LinkKind::Match, confidence, ..link(("crm", "c1"), ("user", user), 1) };
    graph.add_all(&[likely("eve", 0.9), likely("joe", 0.8), link(("crm", "c1"), ADA, 50 * DAY_US)]);
    assert_eq!(graph.resolve().map.person("crm", "c1", 0), graph.resolve().map.person("user", "ada", 0));
    assert_eq!(graph.resolve().conflicts.len(), 2);
    let mut without =
        IdentityGraph::new(IdentitySettings { min_confidence: 0.5, ..IdentitySettings::default() }).expect("they work");
    without.add_all(&[likely("joe", 0.8), likely("eve", 0.9)]);
    let map = without.resolve().map;
    assert_eq!(map.person("crm", "c1", 0), map.person("user", "eve", 0), "the likelier first");
}

#[test]
fn why_two_are_one_names_the_act() {
    let links = [by_hand(LinkKind::Merge, ADA, ("phone", "p1"), 3), link(MAIL, ("phone", "p1"), 4)];
    let graph = super::graph(&links);
    let why = graph.why(&graph.resolve().map, ADA, MAIL);
    assert_eq!(why, links);
}

#[test]
fn why_two_are_apart_names_the_act() {
    let split = by_hand(LinkKind::Split, ADA, MAIL, 9);
    let graph = super::graph(&[link(ADA, MAIL, 1), link(MAIL, ("phone", "p1"), 2), split.clone()]);
    let map = graph.resolve().map;
    assert!(graph.why(&map, ADA, ("phone", "p1")).is_empty());
    assert_eq!(graph.splits(&map, ("phone", "p1"), ADA), [split]);
    assert!(graph.splits(&map, MAIL, ("phone", "p1")).is_empty(), "they are one");
}
