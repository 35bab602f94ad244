//! Why two identifiers are one person.
use crate::{IdentityGraph, Link, LinkKind, PersonMap};
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;

impl IdentityGraph {
    /// The shortest chain of links that makes two identifiers, as (namespace, identifier), one person in `map`; of
    /// equally short ones the oldest. Empty where they are not one person at any time.
    ///
    /// Reads the whole log once: a question of a person, not of a rebuild.
    #[must_use]
    pub fn why(&self, map: &PersonMap, a: (&str, &str), b: (&str, &str)) -> Vec<Link> {
        let (Some(from), Some(to)) = (self.ids.find(a.0, a.1), self.ids.find(b.0, b.1)) else { return Vec::new() };
        let others = map.people_of(b.0, b.1);
        let shared = map.people_of(a.0, a.1).into_iter().filter(|person| others.contains(person));
        shared.map(|person| self.chain(map, person, from, to)).find(|chain| !chain.is_empty()).unwrap_or_default()
    }

    /// What somebody decided that keeps two identifiers, as (namespace, identifier), two people in `map`: links of the kind
    /// `split` with one end at each of the two, at any time, the oldest first.
    #[must_use]
    pub fn splits(&self, map: &PersonMap, a: (&str, &str), b: (&str, &str)) -> Vec<Link> {
        let [a, b] = [a, b].map(|(namespace, identifier)| map.people_of(namespace, identifier));
        let of = |id: u32, people: &[i64]| {
            let (namespace, identifier) = self.ids.get(id);
            map.people_of(namespace, identifier).iter().any(|person| people.contains(person))
        };
        let splits = (0_u32..).zip(&self.rows).filter(|(_, row)| {
            let parts = || (of(row.a, &a) && of(row.b, &b)) || (of(row.a, &b) && of(row.b, &a));
            row.kind == LinkKind::Split && parts()
        });
        let mut rows: Vec<u32> = splits.map(|(row, _)| row).collect();
        rows.sort_by(|&x, &y| self.compare(x, y));
        rows.into_iter().map(|row| self.link(row)).collect()
    }

    /// Breadth first over the links between identifiers of one person.
    fn chain(&self, map: &PersonMap, person: i64, from: u32, to: u32) -> Vec<Link> {
        let members = map.members(person).filter_map(|(namespace, id)| self.ids.find(namespace, id)).collect();
        let mut rows: Vec<u32> = (0_u32..).take(self.rows.len()).filter(|&row| self.holds(&members, row)).collect();
        rows.sort_by(|&x, &y| self.compare(x, y));
        let mut links: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
        for row in rows {
            let (a, b) = (self.rows[row as usize].a, self.rows[row as usize].b);
            links.entry(a).or_default().push((b, row));
            links.entry(b).or_default().push((a, row));
        }
        let mut came: HashMap<u32, (u32, u32)> = HashMap::new();
        let mut next = VecDeque::from([from]);
        while let Some(id) = next.pop_front() {
            for &(other, row) in links.get(&id).into_iter().flatten() {
                if other != from && !came.contains_key(&other) {
                    came.insert(other, (id, row));
                    next.push_back(other);
                }
            }
        }
        let mut chain = Vec::new();
        let mut id = to;
        while let Some(&(before, row)) = came.get(&id) {
            chain.push(self.link(row));
            id = before;
        }
        chain.reverse();
        chain
    }

    /// Whether the link joins two of these identifiers.
    fn holds(&self, members: &HashSet<u32>, number: u32) -> bool {
        let row = &self.rows[number as usize];
        let rare = self.rare(number);
        members.contains(&row.a)
            && members.contains(&row.b)
            && row.kind != LinkKind::Split
            && rare.confidence >= self.settings.min_confidence
            && (rare.valid_to.is_none() || row.devices.0 != row.devices.1)
    }
}
