//! What becomes of people when one map gives way to another.
use crate::{PersonMap, map::Step, union::Sets};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// What becomes of people.
///
/// People are told apart by the identifiers of persons (user, CRM, e-mail, phone, custom); a device that another person
/// owns at some time, though no person was joined or taken apart, is told as a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapChange {
    /// How many people have the same identifiers as before.
    pub kept: u64,
    /// How many of those have another id.
    pub renamed: u64,
    /// Several who are one now.
    pub merged: Vec<Regrouped>,
    /// One who is several now.
    pub split: Vec<Regrouped>,
    /// Several whose identifiers are shared out among several in another way.
    pub moved: Vec<Regrouped>,
    /// Devices that belong to somebody else at some time.
    pub devices: Vec<DeviceChange>,
}

/// People who have the same identifiers between them, before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regrouped {
    /// Who they were, ascending.
    pub before: Vec<i64>,
    /// Who they are, ascending.
    pub after: Vec<i64>,
    /// Namespace and identifier of each of their identifiers, in order.
    pub identifiers: Vec<(String, String)>,
}

/// A device whose owners differ: from when on, and who; the first from `i64::MIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceChange {
    /// Its namespace.
    pub namespace: String,
    /// The device.
    pub identifier: String,
    /// Who owned it.
    pub before: Vec<(i64, i64)>,
    /// Who owns it.
    pub after: Vec<(i64, i64)>,
}

/// People of both maps by dense numbers, joined where they share an identifier.
#[derive(Default)]
struct Both {
    /// Person, and whether of the new map.
    numbers: HashMap<(i64, bool), u32>,
    edges: Vec<(u32, u32)>,
}

impl Both {
    fn number(&mut self, person: i64, new: bool) -> u32 {
        let fresh = self.numbers.len() as u32;
        *self.numbers.entry((person, new)).or_insert(fresh)
    }
}

impl PersonMap {
    /// What becomes of people when `old` gives way to `new`; `is_device` tells namespaces of devices. Everything is in the
    /// order of person ids and identifiers.
    #[must_use]
    pub fn change(old: &Self, new: &Self, is_device: impl Fn(&str) -> bool) -> MapChange {
        let mut both = Both::default();
        Self::beside(old, new, |(namespace, _), before, after| {
            if !is_device(namespace) {
                for (&(_, before), &(_, after)) in before.iter().zip(after) {
                    let ends = (both.number(before, false), both.number(after, true));
                    both.edges.push(ends);
                }
            }
        });
        let mut sets = Sets::new(both.numbers.len(), Vec::new(), |_| None);
        for (a, b) in both.edges {
            // Without limits nothing is refused.
            let _joined = sets.join(a, b);
        }
        let mut groups: HashMap<u32, Regrouped> = HashMap::new();
        let mut group_of = |person: i64, new: bool| both.numbers.get(&(person, new)).map(|&number| sets.root(number));
        let mut people: Vec<(i64, bool)> = both.numbers.keys().copied().collect();
        people.sort_unstable();
        for (person, new) in people {
            let group = group_of(person, new).map(|root| groups.entry(root).or_default());
            let Some(Regrouped { before, after, .. }) = group else { continue };
            if new { after } else { before }.push(person);
        }
        let mut change = MapChange::default();
        Self::beside(old, new, |(namespace, identifier), before, after| {
            if is_device(namespace) {
                let mut told = |steps: &[Step], new| told(steps, |person| group_of(person, new));
                if told(before, false) != told(after, true) {
                    change.devices.push(DeviceChange {
                        namespace: namespace.to_owned(),
                        identifier: identifier.to_owned(),
                        before: before.to_vec(),
                        after: after.to_vec(),
                    });
                }
            } else if let Some(group) = group_of(before[0].1, false).and_then(|root| groups.get_mut(&root))
                && group.before.len() + group.after.len() > 2
            {
                group.identifiers.push((namespace.to_owned(), identifier.to_owned()));
            }
        });
        let in_order: BTreeMap<Vec<i64>, Regrouped> =
            groups.into_values().map(|group| (group.before.clone(), group)).collect();
        for mut group in in_order.into_values() {
            group.identifiers.sort_unstable();
            match (group.before.len(), group.after.len()) {
                (1, 1) => {
                    change.kept += 1;
                    change.renamed += u64::from(group.before != group.after);
                }
                (_, 1) => change.merged.push(group),
                (1, _) => change.split.push(group),
                _ => change.moved.push(group),
            }
        }
        change.devices.sort_unstable_by(|x, y| (&x.namespace, &x.identifier).cmp(&(&y.namespace, &y.identifier)));
        change
    }
}

/// A device's owners by group, where they have one, else by their own id: equal where only names changed.
fn told(steps: &[Step], mut group: impl FnMut(i64) -> Option<u32>) -> Vec<(i64, Result<u32, i64>)> {
    let mut told: Vec<_> = steps.iter().map(|&(from, person)| (from, group(person).ok_or(person))).collect();
    told.dedup_by(|later, earlier| later.1 == earlier.1);
    told
}
