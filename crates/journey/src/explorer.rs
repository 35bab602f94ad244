//! Path exploration: what people did next, step after step, with an honest rest.
use hashbrown::HashMap;
use std::{collections::BTreeMap, ops::AddAssign};

/// What stands at one place of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A step by its number.
    Step(u32),
    /// Steps that fewer people took than those that are named.
    Others,
    /// The walk has ended.
    End,
}

/// How many people went from one place to another and how often, `level` steps (from 0) after the walk began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// How many steps before `from` is.
    pub level: usize,
    /// Where they were.
    pub from: Place,
    /// Where they went.
    pub to: Place,
    /// How many, by the first walk of each.
    pub people: u64,
    /// In how many walks, the later ones of people among them.
    pub transitions: u64,
}

/// Walks that all start alike, the first of each person and those that follow; equal walks are counted together.
#[derive(Clone, Debug)]
pub struct Explorer {
    depth: usize,
    walks: HashMap<Box<[u32]>, Count>,
}

/// Of walks.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    people: u64,
    transitions: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.people += other.people;
        self.transitions += other.transitions;
    }
}

impl Explorer {
    /// Walks of at most `depth` steps after the first; what comes later is left away.
    #[must_use]
    pub fn new(depth: usize) -> Self {
        Self { depth, walks: HashMap::new() }
    }

    /// Counts one person's first walk: its steps in order, the one that all start with first. A step that follows itself counts
    /// once, and a walk without steps is none.
    pub fn add(&mut self, steps: impl IntoIterator<Item = u32>) {
        self.count(steps, Count { people: 1, transitions: 1 });
    }

    /// Counts another walk of somebody who was counted.
    pub fn add_again(&mut self, steps: impl IntoIterator<Item = u32>) {
        self.count(steps, Count { people: 0, transitions: 1 });
    }

    fn count(&mut self, steps: impl IntoIterator<Item = u32>, count: Count) {
        let mut walk: Vec<u32> = vec![];
        for step in steps {
            if walk.last() != Some(&step) {
                if walk.len() > self.depth {
                    break;
                }
                walk.push(step);
            }
        }
        if !walk.is_empty() {
            *self.walks.entry(walk.into()).or_default() += count;
        }
    }

    /// How many people walked.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.walks.values().map(|count| count.people).sum()
    }

    /// The flows from level to level, by level, then the most people first. At each level the `width` steps that most people
    /// took are named (of equally frequent ones those with the lesser name); all others are [`Place::Others`], and nobody is
    /// left away: the people who come to a place are those who leave it or end there.
    #[must_use]
    pub fn flows<'n>(&self, width: usize, name: impl Fn(u32) -> &'n str) -> Vec<Flow> {
        let named: Vec<Vec<u32>> = (0..=self.depth).map(|level| self.most_frequent(level, width, &name)).collect();
        let place = |walk: &[u32], level: usize| match walk.get(level) {
            None => Place::End,
            Some(step) if named[level].contains(step) => Place::Step(*step),
            Some(_) => Place::Others,
        };
        let mut found: BTreeMap<(usize, Place, Place), Count> = BTreeMap::new();
        for (walk, count) in &self.walks {
            for level in 0..walk.len().min(self.depth) {
                *found.entry((level, place(walk, level), place(walk, level + 1))).or_default() += *count;
            }
        }
        let flow = |((level, from, to), Count { people, transitions })| Flow { level, from, to, people, transitions };
        let mut flows: Vec<Flow> = found.into_iter().map(flow).collect();
        let text = |place: Place| match place {
            Place::Step(step) => (0, name(step)),
            Place::Others => (1, ""),
            Place::End => (2, ""),
        };
        flows.sort_by(|a, b| {
            let last = |flow: &Flow| (text(flow.from), text(flow.to));
            a.level.cmp(&b.level).then(b.people.cmp(&a.people)).then_with(|| last(a).cmp(&last(b)))
        });
        flows
    }

    fn most_frequent<'n>(&self, level: usize, width: usize, name: &impl Fn(u32) -> &'n str) -> Vec<u32> {
        let mut people: HashMap<u32, u64> = HashMap::new();
        for (walk, count) in &self.walks {
            if let Some(step) = walk.get(level).filter(|_| count.people > 0) {
                *people.entry(*step).or_default() += count.people;
            }
        }
        let mut steps: Vec<(u32, u64)> = people.into_iter().collect();
        steps.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| name(a.0).cmp(name(b.0))));
        steps.truncate(width);
        steps.into_iter().map(|(step, _)| step).collect()
    }
}
