//! Links to people: oldest link first, no link that breaks a rule.
use crate::{
    IdentityGraph, Link, LinkKind, PersonMap,
    devices::{self, Sighting},
    graph::Row,
    map::{Owner, Timelines},
    union::{Refused, Sets},
};
use hashbrown::HashSet;
use safar_model::Micros;
use std::{cmp::Ordering, fmt, sync::Arc};

/// What the links say.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// Which person each linked identifier belongs to, and when.
    pub map: PersonMap,
    /// Links that join nobody because they would break a rule: one of each pair of identifiers, oldest first.
    pub conflicts: Vec<Conflict>,
}

/// A link that would break a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The link, as added; the oldest of its pair.
    pub link: Link,
    /// The rule.
    pub rule: ConflictRule,
    /// The person of the link's first identifier.
    pub person_a: i64,
    /// The person of its second identifier.
    pub person_b: i64,
}

/// The rule that a link would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConflictRule {
    /// The person would have more identifiers of the namespace than allowed.
    Limit {
        /// The namespace.
        namespace: String,
        /// How many are allowed; 1 for unique namespaces.
        limit: u32,
    },
    /// Two identifiers of the person were split by hand.
    Split,
}

impl fmt::Display for ConflictRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { namespace, limit } => write!(f, "a person has at most {limit} {namespace}"),
            Self::Split => f.write_str("two of the identifiers were split by hand"),
        }
    }
}

/// Two ends of a link: who they are.
enum Ends {
    Device { device: u32, person: u32 },
    Alike,
}

/// A device seen with an identifier of a person.
struct Seen {
    device: u32,
    person: u32,
    at: Micros,
    row: u32,
}

impl IdentityGraph {
    /// Resolves every link. The result depends on the set of links only, not on their order or repetition.
    #[must_use]
    pub fn resolve(&self) -> Resolution {
        let (mut sets, limited) = self.sets();
        let (mut joins, mut seen, mut device_splits) = (Vec::new(), Vec::new(), Vec::new());
        for (row, number) in self.rows.iter().zip(0_u32..) {
            let rare = self.rare(number);
            match (row.kind, row.ends()) {
                (LinkKind::Split, Ends::Device { device, person }) => device_splits.push((device, person, number)),
                (LinkKind::Split, Ends::Alike) => sets.split(row.a, row.b),
                _ if rare.confidence < self.settings.min_confidence => {}
                (_, Ends::Device { device, person }) => {
                    seen.push(Seen { device, person, at: rare.valid_from.unwrap_or(row.at), row: number });
                }
                (_, Ends::Alike) if rare.valid_to.is_none() => joins.push((row.at, self.tie(row), number)),
                (_, Ends::Alike) => {}
            }
        }
        let refused = self.join(&mut sets, joins);
        let names = self.smallest(&mut sets);
        let mut owners: Vec<Owner> =
            (0..self.ids.len() as u32).map(|id| Owner::one(self.ids.key(names[sets.root(id) as usize]))).collect();
        drop(names);
        device_splits.sort_unstable();
        seen.retain(|seen| !self.is_split(&device_splits, seen));
        let timelines = self.own_devices(&mut sets, seen, &mut owners);
        let map = PersonMap::new(Arc::clone(&self.ids), owners, timelines, &self.settings);
        let conflicts = refused.into_iter().map(|(number, why)| {
            let row = &self.rows[number as usize];
            let rule = match why {
                Refused::Split => ConflictRule::Split,
                Refused::Limit(column) => {
                    let (namespace, limit) = limited[column].clone();
                    ConflictRule::Limit { namespace, limit }
                }
            };
            let person = |id| map.owner(id, row.at);
            Conflict { link: self.link(number), rule, person_a: person(row.a), person_b: person(row.b) }
        });
        let conflicts = conflicts.collect();
        Resolution { map, conflicts }
    }

    /// One set an identifier, and the limited namespaces by column.
    fn sets(&self) -> (Sets, Vec<(String, u32)>) {
        let spaces = self.ids.spaces();
        let mut limited: Vec<(String, u32)> =
            spaces.iter().filter_map(|name| Some((name.clone(), self.settings.rule(name).max()?))).collect();
        // Which of two broken rules a conflict names must not depend on which namespace came first.
        limited.sort_by_key(|(name, _)| (self.settings.rank(name), name.clone()));
        let columns: Vec<Option<usize>> =
            spaces.iter().map(|name| limited.iter().position(|(limited, _)| limited == name)).collect();
        // `IdentitySettings::check` keeps limits far below 2^16.
        let limits = limited.iter().map(|&(_, limit)| u16::try_from(limit).unwrap_or(u16::MAX)).collect();
        let sets = Sets::new(self.ids.len(), limits, |id| columns[usize::from(self.ids.space(id))]);
        (sets, limited)
    }

    /// Joins what may be joined, oldest first; returns one refused row of each pair of identifiers.
    fn join(&self, sets: &mut Sets, mut joins: Vec<(Micros, u64, u32)>) -> Vec<(u32, Refused)> {
        joins.sort_unstable_by(|x, y| (x.0, x.1).cmp(&(y.0, y.1)).then_with(|| self.compare(x.2, y.2)));
        let (mut refused, mut pairs) = (Vec::new(), HashSet::new());
        for (_, _, number) in joins {
            let Row { a, b, .. } = self.rows[number as usize];
            if let Err(why) = sets.join(a, b)
                && pairs.insert((a.min(b), a.max(b)))
            {
                refused.push((number, why));
            }
        }
        refused
    }

    /// A number for a pair of identifiers, the same whichever comes first and on every machine.
    fn tie(&self, row: &Row) -> u64 {
        let (a, b) = (self.ids.key(row.a), self.ids.key(row.b));
        (a.min(b) as u64).rotate_left(29) ^ a.max(b) as u64
    }

    /// An order of rows that does not depend on when they were added.
    pub(crate) fn compare(&self, x: u32, y: u32) -> Ordering {
        let (x, y) = (self.link(x), self.link(y));
        let place = |link: &Link| {
            let (a, b) = ((link.ns_a.clone(), link.id_a.clone()), (link.ns_b.clone(), link.id_b.clone()));
            let ends = if a <= b { (a, b) } else { (b, a) };
            (link.observed_at, ends, link.kind, link.source.clone(), link.event_id.clone())
        };
        place(&x).cmp(&place(&y))
    }

    /// By root of a set: its smallest member by (first observed, priority, text).
    fn smallest(&self, sets: &mut Sets) -> Vec<u32> {
        let spaces = self.ids.spaces();
        let ranks: Vec<_> = spaces.iter().map(|name| (self.settings.rank(name), name)).collect();
        let place = |id: u32| (self.ids.first_seen(id), ranks[usize::from(self.ids.space(id))]);
        let mut names: Vec<u32> = (0..self.ids.len() as u32).collect();
        for id in 0..self.ids.len() as u32 {
            let root = sets.root(id);
            let best = names[root as usize];
            if best == id {
                continue;
            }
            let order = place(id).cmp(&place(best)).then_with(|| self.ids.get(id).1.cmp(self.ids.get(best).1));
            if order == Ordering::Less {
                names[root as usize] = id;
            }
        }
        names
    }

    /// Whether somebody cancelled this link of a device, at its time.
    fn is_split(&self, splits: &[(u32, u32, u32)], seen: &Seen) -> bool {
        let pair = (seen.device, seen.person);
        let start = splits.partition_point(|split| (split.0, split.1) < pair);
        splits[start..].iter().take_while(|split| (split.0, split.1) == pair).any(|split| {
            let span = self.rare(split.2);
            span.valid_from.is_none_or(|from| from <= seen.at) && span.valid_to.is_none_or(|to| seen.at < to)
        })
    }

    /// Replaces the owner of every device that was seen with a person.
    fn own_devices(&self, sets: &mut Sets, mut seen: Vec<Seen>, owners: &mut [Owner]) -> Timelines {
        for seen in &mut seen {
            seen.device = sets.root(seen.device);
        }
        seen.sort_unstable_by_key(|seen| (seen.device, seen.at));
        let (mut timelines, mut sightings) = (Timelines::default(), Vec::new());
        for group in seen.chunk_by(|x, y| x.device == y.device) {
            sightings.clear();
            sightings.extend(group.iter().map(|seen| {
                let rare = self.rare(seen.row);
                // Persons' identifiers are never devices, so their owner is final.
                let person = owners[seen.person as usize].always();
                Sighting { at: seen.at, person, from: rare.valid_from, to: rare.valid_to }
            }));
            let device = &mut owners[group[0].device as usize];
            *device = devices::own(&mut sightings, device.always(), &self.settings.devices, &mut timelines);
        }
        for id in 0..owners.len() as u32 {
            owners[id as usize] = owners[sets.root(id) as usize];
        }
        timelines
    }
}

impl Row {
    fn ends(&self) -> Ends {
        match self.devices {
            (true, false) => Ends::Device { device: self.a, person: self.b },
            (false, true) => Ends::Device { device: self.b, person: self.a },
            _ => Ends::Alike,
        }
    }
}
