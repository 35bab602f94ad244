//! Accepted pairs to groups of records.
use super::{Matches, Pair};
use crate::{Link, LinkKind, union::Sets};
use safar_model::Micros;
use serde::{Deserialize, Serialize};

/// What accepted pairs make together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Whatever a chain of accepted pairs connects is one person.
    #[default]
    Connected,
    /// A person has at most one record of each namespace: the most probable pairs first, pairs that would bring two
    /// together are left out.
    OneToOne,
}

impl Matches<'_> {
    /// The accepted pairs that stand: all of them, or those that keep a person's records to one a namespace.
    fn standing(&self) -> (Sets, Vec<Pair>) {
        let records = self.records;
        let limits = match self.grouping {
            Grouping::Connected => Vec::new(),
            Grouping::OneToOne => vec![1; records.namespaces()],
        };
        let mut sets = Sets::new(records.len(), limits, |record| Some(records.namespace(record)));
        // Most probable first, as they come.
        let standing = self.accepted().filter(|pair| sets.join(pair.a, pair.b).is_ok()).copied().collect();
        (sets, standing)
    }

    /// The groups of at least two records that are one person, each ascending, by their first record.
    #[must_use]
    pub fn people(&self) -> Vec<Vec<u32>> {
        let (mut sets, _) = self.standing();
        let mut groups = vec![Vec::new(); self.records.len()];
        let mut first = vec![u32::MAX; self.records.len()];
        for record in 0..self.records.len() as u32 {
            let root = sets.root(record) as usize;
            first[root] = first[root].min(record);
            groups[first[root] as usize].push(record);
        }
        groups.retain(|group: &Vec<u32>| group.len() > 1);
        groups
    }

    /// The accepted pairs as links of the kind `match` between identifiers, with their probability as confidence.
    /// Records with one identifier need none. A probability that rounds to 1 is told as the number next below: likely is
    /// never certain.
    #[must_use]
    pub fn links(&self, observed_at: Micros, source: &str) -> Vec<Link> {
        let (_, standing) = self.standing();
        let link = |pair: &Pair| {
            let (a, b) = (self.records.id(pair.a), self.records.id(pair.b));
            (a != b).then(|| Link {
                kind: LinkKind::Match,
                confidence: pair.probability.min(1.0_f64.next_down()),
                source: Some(source.to_owned()),
                ..Link::new(a.0.to_owned(), a.1.to_owned(), b.0.to_owned(), b.1.to_owned(), observed_at)
            })
        };
        standing.iter().filter_map(link).collect()
    }
}
