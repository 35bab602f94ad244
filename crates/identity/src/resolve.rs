//! Links to people: oldest link first, no link that breaks a rule.
use crate::{
    IdentityGraph, Link, LinkKind, PersonMap,
    devices::{self, Sighting},
    graph::Row,
    map::{Owner, Timelines},
    part::{All, Numbers},
    union::{Refused, Sets},
};
use hashbrown::{HashMap, HashSet};
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
pub(crate) enum Ends {
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

/// Links by what they ask for.
#[derive(Default)]
pub(crate) struct Work {
    /// Links between identifiers of one kind, by [`IdentityGraph::turn`].
    joins: Vec<(Turn, u32)>,
    /// Pairs that somebody took apart, the smaller number first, and when.
    splits: Vec<((u32, u32), Micros)>,
    /// When somebody last joined such a pair by hand.
    merges: HashMap<(u32, u32), Micros>,
    seen: Vec<Seen>,
    /// Device, person and row.
    device_splits: Vec<(u32, u32, u32)>,
}

/// When it is a link's turn to join: likely ones after all certain ones, the most likely first; then by time; then by
/// the two identifiers.
type Turn = (u64, Micros, u64);

impl IdentityGraph {
    /// Resolves every link. The result depends on the set of links only, not on their order or repetition.
    #[must_use]
    pub fn resolve(&self) -> Resolution {
        let (map, refused) = self.resolve_rows();
        let conflicts = refused.into_iter().map(|(row, rule)| self.conflict(&map, row, rule)).collect();
        Resolution { map, conflicts }
    }

    /// The people, and the rows that would break a rule.
    pub(crate) fn resolve_rows(&self) -> (PersonMap, Vec<(u32, ConflictRule)>) {
        let (numbers, mut work) = (All(self.ids.len()), self.work(0..self.rows.len() as u32));
        let (mut sets, refused) = self.join(&numbers, &mut work);
        let (mut owners, mut timelines) = (vec![Owner::one(0); self.ids.len()], Timelines::default());
        self.own(&numbers, &mut sets, work, &mut owners, &mut timelines);
        (PersonMap::new(Arc::clone(&self.ids), owners, timelines, &self.settings), refused)
    }

    pub(crate) fn conflict(&self, map: &PersonMap, number: u32, rule: ConflictRule) -> Conflict {
        let row = &self.rows[number as usize];
        let person = |id| map.owner(id, row.at);
        Conflict { link: self.link(number), rule, person_a: person(row.a), person_b: person(row.b) }
    }

    /// Sorts rows by what they ask for.
    pub(crate) fn work(&self, rows: impl Iterator<Item = u32>) -> Work {
        let mut work = Work::default();
        for number in rows {
            let row = &self.rows[number as usize];
            let rare = self.rare(number);
            let pair = (row.a.min(row.b), row.a.max(row.b));
            match (row.kind, row.ends()) {
                (LinkKind::Split, Ends::Device { device, person }) => work.device_splits.push((device, person, number)),
                (LinkKind::Split, Ends::Alike) => work.splits.push((pair, row.at)),
                _ if rare.confidence < self.settings.min_confidence => {}
                (_, Ends::Device { device, person }) => {
                    work.seen.push(Seen { device, person, at: rare.valid_from.unwrap_or(row.at), row: number });
                }
                (kind, Ends::Alike) if rare.valid_to.is_none() => {
                    if kind == LinkKind::Merge {
                        let last = work.merges.entry(pair).or_insert(row.at);
                        *last = row.at.max(*last);
                    }
                    work.joins.push((self.turn(number), number));
                }
                (_, Ends::Alike) => {}
            }
        }
        work
    }

    /// The sets of identifiers that belong together, one set a person or device, and the links that would break a rule.
    pub(crate) fn join(&self, numbers: &impl Numbers, work: &mut Work) -> (Sets, Vec<(u32, ConflictRule)>) {
        let (mut sets, limited) = self.sets(numbers);
        for &(pair, at) in &work.splits {
            // What was taken apart and later joined by hand is joined.
            if work.merges.get(&pair).is_none_or(|&joined| joined <= at) {
                sets.split(numbers.of(pair.0), numbers.of(pair.1));
            }
        }
        work.joins.sort_unstable_by(|x, y| x.0.cmp(&y.0).then_with(|| self.compare(x.1, y.1)));
        let (mut refused, mut pairs) = (Vec::new(), HashSet::new());
        for &(_, number) in &work.joins {
            let Row { a, b, .. } = self.rows[number as usize];
            if let Err(why) = sets.join(numbers.of(a), numbers.of(b))
                && pairs.insert((a.min(b), a.max(b)))
            {
                let rule = match why {
                    Refused::Split => ConflictRule::Split,
                    Refused::Limit(column) => {
                        let (namespace, limit) = limited[column].clone();
                        ConflictRule::Limit { namespace, limit }
                    }
                };
                refused.push((number, rule));
            }
        }
        (sets, refused)
    }

    /// Writes the owners of all of `numbers`: the name of their set, or who owns their device. Owners of other people's
    /// identifiers must be there already.
    pub(crate) fn own(
        &self,
        numbers: &impl Numbers,
        sets: &mut Sets,
        work: Work,
        owners: &mut [Owner],
        timelines: &mut Timelines,
    ) {
        let names = self.smallest(numbers, sets);
        for number in 0..numbers.len() as u32 {
            let name = names[sets.root(number) as usize];
            owners[numbers.id(number) as usize] = Owner::one(self.ids.key(numbers.id(name)));
        }
        drop(names);
        self.own_devices(numbers, sets, work, owners, timelines);
    }

    /// One set an identifier, and the limited namespaces by column.
    fn sets(&self, numbers: &impl Numbers) -> (Sets, Vec<(String, u32)>) {
        let spaces = self.ids.spaces();
        let mut limited: Vec<(String, u32)> =
            spaces.iter().filter_map(|name| Some((name.clone(), self.settings.rule(name).max()?))).collect();
        // Which of two broken rules a conflict names must not depend on which namespace came first.
        limited.sort_by_key(|(name, _)| (self.settings.rank(name), name.clone()));
        let columns: Vec<Option<usize>> =
            spaces.iter().map(|name| limited.iter().position(|(limited, _)| limited == name)).collect();
        // `IdentitySettings::check` keeps limits far below 2^16.
        let limits = limited.iter().map(|&(_, limit)| u16::try_from(limit).unwrap_or(u16::MAX)).collect();
        let column = |number| columns[usize::from(self.ids.space(numbers.id(number)))];
        (Sets::new(numbers.len(), limits, column), limited)
    }

    pub(crate) fn turn(&self, number: u32) -> Turn {
        let row = &self.rows[number as usize];
        let likely = row.kind == LinkKind::Match;
        // Bits of numbers from 0 to 1 ascend with them.
        let doubt = if likely { u64::MAX - self.rare(number).confidence.to_bits() } else { 0 };
        // A number for the pair, the same whichever comes first and on every machine.
        let (a, b) = (self.ids.key(row.a), self.ids.key(row.b));
        (doubt, row.at, (a.min(b) as u64).rotate_left(29) ^ a.max(b) as u64)
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
    fn smallest(&self, numbers: &impl Numbers, sets: &mut Sets) -> Vec<u32> {
        let spaces = self.ids.spaces();
        let ranks: Vec<_> = spaces.iter().map(|name| (self.settings.rank(name), name)).collect();
        let place = |id: u32| (self.ids.first_seen(id), ranks[usize::from(self.ids.space(id))]);
        let mut names: Vec<u32> = (0..numbers.len() as u32).collect();
        for number in 0..numbers.len() as u32 {
            let root = sets.root(number);
            if names[root as usize] == number {
                continue;
            }
            let (id, best) = (numbers.id(number), numbers.id(names[root as usize]));
            let order = place(id).cmp(&place(best)).then_with(|| self.ids.get(id).1.cmp(self.ids.get(best).1));
            if order == Ordering::Less {
                names[root as usize] = number;
            }
        }
        names
    }

    /// Whether somebody cancelled this link of a device, at its time; a later link by hand is not cancelled.
    fn is_split(&self, splits: &[(u32, u32, u32)], seen: &Seen) -> bool {
        let pair = (seen.device, seen.person);
        let row = &self.rows[seen.row as usize];
        let start = splits.partition_point(|split| (split.0, split.1) < pair);
        splits[start..].iter().take_while(|split| (split.0, split.1) == pair).any(|split| {
            let span = self.rare(split.2);
            let answered = row.kind == LinkKind::Merge && row.at > self.rows[split.2 as usize].at;
            !answered
                && span.valid_from.is_none_or(|from| from <= seen.at)
                && span.valid_to.is_none_or(|to| seen.at < to)
        })
    }

    /// Replaces the owner of every device that was seen with a person.
    fn own_devices(
        &self,
        numbers: &impl Numbers,
        sets: &mut Sets,
        work: Work,
        owners: &mut [Owner],
        timelines: &mut Timelines,
    ) {
        let Work { mut seen, device_splits: mut splits, .. } = work;
        splits.sort_unstable();
        seen.retain(|seen| !self.is_split(&splits, seen));
        for seen in &mut seen {
            seen.device = numbers.id(sets.root(numbers.of(seen.device)));
        }
        seen.sort_unstable_by_key(|seen| (seen.device, seen.at));
        let mut sightings = Vec::new();
        for group in seen.chunk_by(|x, y| x.device == y.device) {
            sightings.clear();
            sightings.extend(group.iter().map(|seen| {
                let rare = self.rare(seen.row);
                // Persons' identifiers are never devices, so their owner is final.
                let person = owners[seen.person as usize].always();
                Sighting { at: seen.at, person, from: rare.valid_from, to: rare.valid_to }
            }));
            let device = &mut owners[group[0].device as usize];
            *device = devices::own(&mut sightings, device.always(), &self.settings.devices, timelines);
        }
        for number in 0..numbers.len() as u32 {
            owners[numbers.id(number) as usize] = owners[numbers.id(sets.root(number)) as usize];
        }
    }
}

impl Row {
    pub(crate) fn ends(&self) -> Ends {
        match self.devices {
            (true, false) => Ends::Device { device: self.a, person: self.b },
            (false, true) => Ends::Device { device: self.b, person: self.a },
            _ => Ends::Alike,
        }
    }
}
