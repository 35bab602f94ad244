//! People that follow new links are those of all links together.
use super::{any_link, conflicts, graph, link, login, resolve, told, user};
use proptest::{collection::vec, prelude::*};
use safar_identity::{IdentityGraph, IdentitySettings, Link, LinkKind, LiveMap, PersonMap, Resolution};
use safar_model::DAY_US;

/// As [`any_link`], with links of each kind and doubtful ones.
fn any_kind() -> impl Strategy<Value = Link> {
    let kinds = [LinkKind::Event, LinkKind::Alias, LinkKind::Match, LinkKind::Merge, LinkKind::Split];
    (any_link(), prop::sample::select(kinds.to_vec()), prop::sample::select(vec![0.5, 0.9, 1.0])).prop_map(
        |(link, kind, confidence)| match link.kind {
            LinkKind::Split => link,
            _ => Link { kind, confidence, ..link },
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn links_in_any_portions_give_the_people_of_all_links(portions in vec(vec(any_kind(), 0..12), 1..6), start in 0_usize..4) {
        let settings = IdentitySettings { min_confidence: 0.6, ..IdentitySettings::default() };
        let mut all = IdentityGraph::new(settings.clone()).expect("they work");
        let start = start.min(portions.len());
        for links in &portions[..start] {
            all.add_all(links);
        }
        let mut live = LiveMap::new(all.clone());
        for links in &portions[start..] {
            let before = PersonMap::from_rows(live.map().rows(), &settings).expect("rows of a map");
            let update = live.add_all(links);
            all.add_all(links);
            let whole = all.resolve();
            prop_assert_eq!(live.map().rows(), whole.map.rows());
            prop_assert_eq!(update.changed, PersonMap::diff(&before, &whole.map));
            let kept = Resolution { map: live.map().clone(), conflicts: live.conflicts() };
            prop_assert_eq!(conflicts(&kept), conflicts(&whole));
        }
    }
}

#[test]
fn a_login_moves_a_device_and_nobody_else() {
    let settled: Vec<Link> = (0..50).map(|n| login(&format!("d{n}"), &format!("u{n}"), 1)).collect();
    let mut live = LiveMap::new(graph(&settled));
    let update = live.add_all(&[login("d7", "u8", 5)]);
    let mut both = [user("u7"), user("u8")].map(|id| id.expect("a person"));
    both.sort_unstable();
    assert_eq!((update.refused, update.changed), (vec![], both.to_vec()));
    assert_eq!(live.map().person("anonymous", "d7", 6 * DAY_US), user("u8"));
    // The same again changes nobody.
    assert_eq!(live.add_all(&[login("d7", "u8", 5)]).changed, Vec::<i64>::new());
}

#[test]
fn what_joins_two_people_moves_the_devices_of_both() {
    let mut live =
        LiveMap::new(graph(&[login("phone", "ada", 1), link(("anonymous", "tv"), ("email", "e1"), 2 * DAY_US)]));
    live.add_all(&[link(("user", "ada"), ("email", "e1"), 3 * DAY_US)]);
    assert_eq!(live.map().person("anonymous", "tv", 0), user("ada"));
    let refused = live.add_all(&[link(("user", "null"), ("email", "e1"), 4 * DAY_US)]).refused;
    assert_eq!(refused.len(), 1, "junk is told");
    let whole = resolve(&[
        login("phone", "ada", 1),
        link(("anonymous", "tv"), ("email", "e1"), 2 * DAY_US),
        link(("user", "ada"), ("email", "e1"), 3 * DAY_US),
    ]);
    assert_eq!(format!("{:?}", live.map().rows()), told(&whole));
}
