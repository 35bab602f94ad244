//! What becomes of people when rules change.
use super::{any_link, graph, link, login};
use proptest::{collection::vec, prelude::*};
use safar_identity::{IdentityGraph, IdentitySettings, Link, MapChange, NamespaceRule, PersonMap};
use safar_model::{DAY_US, key_of};
use std::collections::BTreeSet;

fn is_device(namespace: &str) -> bool {
    namespace == "anonymous"
}

fn change(old: &PersonMap, new: &PersonMap) -> MapChange {
    PersonMap::change(old, new, is_device)
}

/// Ids of people with an identifier of persons.
fn people(map: &PersonMap) -> BTreeSet<i64> {
    map.rows().iter().filter(|row| !is_device(row.namespace)).map(|row| row.person_id).collect()
}

fn any_settings() -> impl Strategy<Value = IdentitySettings> {
    (any::<bool>(), 1_u32..4, any::<bool>()).prop_map(|(unique, limit, returning)| {
        let mut settings = IdentitySettings::default();
        settings.devices.returning_is_shared = returning;
        settings.namespaces.insert("user".into(), NamespaceRule { unique, ..NamespaceRule::default() });
        settings.namespaces.insert("email".into(), NamespaceRule { limit: Some(limit), ..NamespaceRule::default() });
        settings
    })
}

fn resolved(links: &[Link], settings: &IdentitySettings) -> PersonMap {
    let mut graph = IdentityGraph::new(settings.clone()).expect("they work");
    graph.add_all(links);
    graph.resolve().map
}

proptest! {
    #[test]
    fn everyone_is_accounted_for(links in vec(any_link(), 0..40), a in any_settings(), b in any_settings()) {
        let (old, new) = (resolved(&links, &a), resolved(&links, &b));
        let forth = change(&old, &new);
        let groups = || forth.merged.iter().chain(&forth.split).chain(&forth.moved);
        let before: usize = groups().map(|group| group.before.len()).sum();
        let after: usize = groups().map(|group| group.after.len()).sum();
        prop_assert_eq!(forth.kept + before as u64, people(&old).len() as u64);
        prop_assert_eq!(forth.kept + after as u64, people(&new).len() as u64);
        // Backwards, merged and split change places.
        let back = change(&new, &old);
        prop_assert_eq!((back.kept, back.devices.len()), (forth.kept, forth.devices.len()));
        prop_assert_eq!((back.merged.len(), back.split.len()), (forth.split.len(), forth.merged.len()));
        prop_assert_eq!(change(&old, &old), MapChange { kept: people(&old).len() as u64, ..MapChange::default() });
    }
}

#[test]
fn merged_split_and_moved_are_told_apart() {
    let (ada, ben, mail) = (("user", "ada"), ("user", "ben"), ("email", "e1"));
    let links = [link(ada, mail, 1), link(ben, mail, 2)];
    let one_user = graph(&links).resolve().map;
    let mut free = IdentitySettings::default();
    free.namespaces.insert("user".into(), NamespaceRule::default());
    let any_user = resolved(&links, &free);
    let merged = change(&one_user, &any_user);
    assert_eq!((merged.kept, merged.merged.len(), merged.split.len()), (0, 1, 0));
    let mut both = vec![key_of("user", "ada"), key_of("user", "ben")];
    both.sort_unstable();
    assert_eq!((&merged.merged[0].before, &merged.merged[0].after), (&both, &vec![key_of("user", "ada")]));
    assert_eq!(merged.merged[0].identifiers.len(), 3);
    assert_eq!(change(&any_user, &one_user).split[0].after, both);
    // The address goes from one to the other: two before, two after.
    let moved = change(&one_user, &graph(&[link(ben, mail, 1), link(ada, mail, 2)]).resolve().map);
    assert_eq!((moved.moved.len(), moved.kept), (1, 0));
}

#[test]
fn a_device_that_changes_hands_is_no_split_person() {
    let once = graph(&[login("d", "ada", 1), login("d", "ben", 50)]).resolve().map;
    let shared = graph(&[login("d", "ada", 1), login("d", "ben", 50), login("d", "ada", 60)]).resolve().map;
    let change = change(&once, &shared);
    assert_eq!((change.kept, change.merged.len() + change.split.len() + change.moved.len()), (2, 0));
    assert_eq!(change.devices.len(), 1);
    assert_eq!(change.devices[0].before, [(i64::MIN, key_of("user", "ada")), (50 * DAY_US, key_of("user", "ben"))]);
}
