//! Path exploration: people add up at every place, and against counting by hand.
use proptest::prelude::*;
use safar_journey::explorer::{Explorer, Flow, Place};
use std::collections::BTreeMap;

const NAMES: [&str; 6] = ["start", "a", "b", "c", "d", "e"];

fn name(step: u32) -> &'static str {
    NAMES[step as usize]
}

/// The walk as it counts: no step after itself, at most `depth` after the first.
fn counted(walk: &[u32], depth: usize) -> Vec<u32> {
    let mut walk = walk.to_vec();
    walk.dedup();
    walk.truncate(depth + 1);
    walk
}

proptest! {
    #[test]
    fn whoever_comes_to_a_place_leaves_it_or_ends(
        walks in proptest::collection::vec(proptest::collection::vec(0_u32..6, 1..9), 0..40),
        depth in 1_usize..6,
        width in 0_usize..7,
    ) {
        let mut explorer = Explorer::new(depth);
        let walks: Vec<Vec<u32>> = walks.into_iter().map(|mut walk| { walk.insert(0, 0); walk }).collect();
        walks.iter().for_each(|walk| explorer.add(walk.iter().copied()));
        prop_assert_eq!(explorer.people(), walks.len() as u64);
        let flows = explorer.flows(width, name);
        let walks: Vec<Vec<u32>> = walks.iter().map(|walk| counted(walk, depth)).collect();
        for level in 0..depth {
            let of = |flow: &&Flow| flow.level == level;
            // Everybody who is there at all leaves or ends.
            let there = walks.iter().filter(|walk| walk.len() > level).count() as u64;
            prop_assert_eq!(flows.iter().filter(of).map(|flow| flow.people).sum::<u64>(), there);
            let mut arrived: BTreeMap<Place, u64> = BTreeMap::new();
            let mut left: BTreeMap<Place, u64> = BTreeMap::new();
            for flow in flows.iter().filter(of) {
                if flow.to != Place::End {
                    *arrived.entry(flow.to).or_default() += flow.people;
                }
            }
            for flow in flows.iter().filter(|flow| flow.level == level + 1) {
                *left.entry(flow.from).or_default() += flow.people;
            }
            if level + 1 < depth {
                prop_assert_eq!(&arrived, &left);
            }
            // Named steps hold the people that counting by hand gives; no other step has more.
            let mut by_hand: BTreeMap<u32, u64> = BTreeMap::new();
            for walk in walks.iter().filter(|walk| walk.len() > level + 1) {
                *by_hand.entry(walk[level + 1]).or_default() += 1;
            }
            let named: Vec<u64> = arrived.iter().filter_map(|(place, people)| match place {
                Place::Step(step) => { assert_eq!(by_hand[step], *people); Some(*people) }
                _ => None,
            }).collect();
            prop_assert_eq!(named.len(), by_hand.len().min(width));
            let most: Vec<u64> = { let mut all: Vec<u64> = by_hand.into_values().collect(); all.sort_by(|a, b| b.cmp(a)); all };
            prop_assert_eq!(named.iter().sum::<u64>(), most.iter().take(width).sum::<u64>());
        }
    }
}

#[test]
fn three_people_by_hand() {
    let mut explorer = Explorer::new(2);
    explorer.add([0, 1, 1, 2, 3]);
    explorer.add([0, 1]);
    explorer.add([0, 2]);
    // The second of them comes by again, and goes where only the third had gone.
    explorer.add_again([0, 2]);
    let flow = |level, from, to, people, transitions| Flow { level, from, to, people, transitions };
    let step = Place::Step;
    assert_eq!(
        explorer.flows(1, name),
        [
            flow(0, step(0), step(1), 2, 2),
            flow(0, step(0), Place::Others, 1, 2),
            flow(1, step(1), step(2), 1, 1),
            flow(1, step(1), Place::End, 1, 1),
            flow(1, Place::Others, Place::End, 1, 2),
        ]
    );
}
