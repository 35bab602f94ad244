//! People that follow new links, at the cost of what the links concern.
use crate::{
    Conflict, ConflictRule, GraphError, IdentityGraph, Link, PersonMap,
    map::Owner,
    part::{Numbers, Part},
    resolve::Ends,
};
use hashbrown::HashMap;
use std::{collections::BTreeSet, sync::Arc};

/// No row.
const NONE: u32 = u32::MAX;

/// A graph and its people, kept equal to what [`IdentityGraph::resolve`] would say of all links so far.
///
/// A new link is resolved with what it can reach: the identifiers that links join with its own, however the rules
/// decided about them; their devices, where the person changed; and the devices it names. Nothing else is read, so the
/// time depends on the new links and on how many identifiers and sightings those people and devices have, not on the size
/// of the graph.
#[derive(Clone, Debug)]
pub struct LiveMap {
    graph: IdentityGraph,
    map: PersonMap,
    /// Pair of identifiers, the smaller number first: the refused row and the rule.
    refused: HashMap<(u32, u32), (u32, ConflictRule)>,
    /// By row: the next row of each of its two identifiers, in the same list.
    next: Vec<[u32; 2]>,
    /// By identifier: its latest link with an identifier of its kind, and of a device with a person.
    first: Vec<[u32; 2]>,
}

/// What new links changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Links that cannot be taken, by index.
    pub refused: Vec<(usize, GraphError)>,
    /// The persons whose identifiers differ from before, ascending: as [`PersonMap::diff`].
    pub changed: Vec<i64>,
}

impl LiveMap {
    /// Resolves a graph, and keeps it.
    #[must_use]
    pub fn new(graph: IdentityGraph) -> Self {
        let (map, refused) = graph.resolve_rows();
        let mut live = Self { map, refused: HashMap::new(), next: Vec::new(), first: Vec::new(), graph };
        live.thread();
        live.refuse(refused);
        live
    }

    /// The people, now.
    #[must_use]
    pub fn map(&self) -> &PersonMap {
        &self.map
    }

    /// The links, for [`IdentityGraph::why`].
    #[must_use]
    pub fn graph(&self) -> &IdentityGraph {
        &self.graph
    }

    /// Links that join nobody because they would break a rule, in the order of [`crate::Resolution::conflicts`].
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut rows: Vec<_> = self.refused.values().map(|(row, rule)| (self.graph.turn(*row), *row, rule)).collect();
        rows.sort_unstable_by(|x, y| x.0.cmp(&y.0).then_with(|| self.graph.compare(x.1, y.1)));
        rows.into_iter().map(|(_, row, rule)| self.graph.conflict(&self.map, row, rule.clone())).collect()
    }

    /// Adds links, and resolves again what they can reach.
    pub fn add_all<T: AsRef<str>>(&mut self, links: &[Link<T>]) -> Update {
        let start = self.graph.len() as u32;
        // Shared identifiers would be copied before they grow.
        self.map.lend_ids();
        let refused = self.graph.add_all(links);
        self.thread();
        self.map.take_ids(Arc::clone(&self.graph.ids));

        let (mut people, mut devices) = (Vec::new(), Vec::new());
        for row in &self.graph.rows[start as usize..] {
            match row.ends() {
                Ends::Alike if row.devices.0 => devices.extend([row.a, row.b]),
                Ends::Alike => people.extend([row.a, row.b]),
                Ends::Device { device, person } => {
                    devices.push(device);
                    // A person may be named by whoever was observed first.
                    if self.graph.ids.first_seen(person) == row.at {
                        people.push(person);
                    }
                }
            }
        }
        let mut changed = BTreeSet::new();
        let renamed = self.resolve(people, false, &mut changed);
        let logins = renamed.into_iter().flat_map(|id| self.rows_of(id, 1));
        devices.extend(logins.map(|row| match self.graph.rows[row as usize].ends() {
            Ends::Device { device, .. } => device,
            Ends::Alike => self.graph.rows[row as usize].a,
        }));
        self.resolve(devices, true, &mut changed);
        self.map.drop_stale();
        Update { refused, changed: changed.into_iter().collect() }
    }

    /// Resolves whatever is linked with `seeds`; returns the identifiers whose owner is another one now.
    fn resolve(&mut self, seeds: Vec<u32>, devices: bool, changed: &mut BTreeSet<i64>) -> Vec<u32> {
        let (part, mut rows) = self.reach(seeds);
        for row in &rows {
            let row = &self.graph.rows[*row as usize];
            self.refused.remove(&(row.a.min(row.b), row.a.max(row.b)));
        }
        if devices {
            rows.extend(part.ids.iter().flat_map(|&id| self.rows_of(id, 1)));
        }
        let mut work = self.graph.work(rows.into_iter());
        let (mut sets, refused) = self.graph.join(&part, &mut work);
        self.refuse(refused);
        let before: Vec<Owner> = part.ids.iter().map(|&id| self.map.owners[id as usize]).collect();
        self.graph.own(&part, &mut sets, work, &mut self.map.owners, &mut self.map.timelines);
        let others = part.ids.into_iter().zip(before).filter(|&(id, before)| self.map.replaced(id, before, changed));
        others.map(|(id, _)| id).collect()
    }

    /// Everything that a chain of links connects with `seeds`, and those links.
    fn reach(&self, seeds: Vec<u32>) -> (Part, Vec<u32>) {
        let (mut part, mut rows, mut at) = (Part::default(), Vec::new(), 0);
        seeds.into_iter().for_each(|id| part.insert(id));
        while at < part.len() {
            let id = part.ids[at];
            for number in self.rows_of(id, 0) {
                let row = &self.graph.rows[number as usize];
                // Both ends are reached, so each row is taken at one of them.
                if row.a == id {
                    rows.push(number);
                }
                part.insert(if row.a == id { row.b } else { row.a });
            }
            at += 1;
        }
        (part, rows)
    }

    /// The rows of an identifier: with its kind (0), or of a device with a person (1).
    fn rows_of(&self, id: u32, list: usize) -> impl Iterator<Item = u32> {
        let some = |row: u32| (row != NONE).then_some(row);
        std::iter::successors(some(self.first[id as usize][list]), move |&row| {
            some(self.next[row as usize][usize::from(self.graph.rows[row as usize].a != id)])
        })
    }

    /// Puts rows that are not in the lists into them.
    fn thread(&mut self) {
        self.first.resize(self.graph.ids.len(), [NONE; 2]);
        for number in self.next.len()..self.graph.len() {
            let row = &self.graph.rows[number];
            let list = usize::from(matches!(row.ends(), Ends::Device { .. }));
            let next = [row.a, row.b].map(|id| std::mem::replace(&mut self.first[id as usize][list], number as u32));
            self.next.push(next);
        }
    }

    fn refuse(&mut self, refused: Vec<(u32, ConflictRule)>) {
        for (number, rule) in refused {
            let row = &self.graph.rows[number as usize];
            self.refused.insert((row.a.min(row.b), row.a.max(row.b)), (number, rule));
        }
    }
}
