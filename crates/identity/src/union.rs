//! Union-find over dense numbers, with limits on what a set may hold.
use hashbrown::HashMap;

/// Why two sets stay apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Together they would hold more members of this column than allowed.
    Limit(usize),
    /// Two of their members were split.
    Split,
}

pub(crate) struct Sets {
    parent: Vec<u32>,
    /// By root.
    size: Vec<u32>,
    /// Most members of each limited column.
    limits: Vec<u16>,
    /// By root, `limits.len()` numbers each: how many members of each column.
    counts: Vec<u16>,
    /// By root: pairs that must stay apart, the member inside first.
    splits: HashMap<u32, Vec<(u32, u32)>>,
}

impl Sets {
    /// `len` sets of one member; `column` gives the limited column that a member counts in.
    pub(crate) fn new(len: usize, limits: Vec<u16>, column: impl Fn(u32) -> Option<usize>) -> Self {
        let mut counts = vec![0; len * limits.len()];
        if !limits.is_empty() {
            for member in 0..len {
                if let Some(column) = column(member as u32) {
                    counts[member * limits.len() + column] = 1;
                }
            }
        }
        Self { parent: (0..len as u32).collect(), size: vec![1; len], limits, counts, splits: HashMap::new() }
    }

    /// Forbids that `a` and `b` ever share a set. Before any union.
    pub(crate) fn split(&mut self, a: u32, b: u32) {
        self.splits.entry(a).or_default().push((a, b));
        self.splits.entry(b).or_default().push((b, a));
    }

    pub(crate) fn root(&mut self, mut member: u32) -> u32 {
        loop {
            let parent = self.parent[member as usize];
            if parent == member {
                return member;
            }
            let above = self.parent[parent as usize];
            self.parent[member as usize] = above;
            member = above;
        }
    }

    /// Joins the sets of `a` and `b` unless a rule forbids it.
    pub(crate) fn join(&mut self, a: u32, b: u32) -> Result<(), Refused> {
        let (mut big, mut small) = (self.root(a), self.root(b));
        if big == small {
            return Ok(());
        }
        if self.size[big as usize] < self.size[small as usize] {
            (big, small) = (small, big);
        }
        let columns = self.limits.len();
        let (at_big, at_small) = (big as usize * columns, small as usize * columns);
        for column in 0..columns {
            let more = self.counts[at_small + column];
            // A set is never refused for what it already holds.
            if more > 0 && self.counts[at_big + column].saturating_add(more) > self.limits[column] {
                return Err(Refused::Limit(column));
            }
        }
        if self.is_split(big, small) {
            return Err(Refused::Split);
        }
        for column in 0..columns {
            self.counts[at_big + column] += self.counts[at_small + column];
        }
        if let Some(moved) = self.splits.remove(&small) {
            self.splits.entry(big).or_default().extend(moved);
        }
        self.parent[small as usize] = big;
        self.size[big as usize] += self.size[small as usize];
        Ok(())
    }

    fn is_split(&mut self, a: u32, b: u32) -> bool {
        let pairs = |root| self.splits.get(&root).map_or(0, Vec::len);
        let (few, many) = if pairs(a) <= pairs(b) { (a, b) } else { (b, a) };
        for at in 0..pairs(few) {
            let (_, outside) = self.splits[&few][at];
            if self.root(outside) == many {
                return true;
            }
        }
        false
    }
}
