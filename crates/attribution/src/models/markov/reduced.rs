//! What is left of a chain to iterate over.
//!
//! Two kinds of states need no iteration. A state entered from one other state only has that state's q (unless it
//! holds the removed channel itself). And what lies before the loops of the chain, or behind them, is settled by one
//! pass in the right order. In chains of high order that is most states.
use super::{chain::Chain, ranks::Ranks};
use crate::{Result, Stop};
use std::ops::Range;

/// The states that remain, as nodes: first those before all loops, then the core, then those behind all loops.
pub(super) struct Reduced {
    /// Node → state.
    pub(super) states: Vec<u32>,
    /// Nodes of the core.
    pub(super) core: Range<usize>,
    /// The flows into node t are `starts[t]..starts[t + 1]`; those from core nodes come first.
    starts: Vec<u32>,
    pub(super) sources: Vec<u32>,
    /// As parts of all that flows into the node; what comes from START is the part that is missing from 1.
    pub(super) parts: Vec<f64>,
    /// By node of the core: where its flows from the core end.
    cores: Vec<u32>,
    /// By node of the core: all that flows into it.
    pub(super) totals: Vec<f64>,
    /// By node of the core: states of one group are corrected together.
    pub(super) groups: Vec<u8>,
    /// For each of the chain's ends: the node with its q, for channels that its own state does not hold.
    pub(super) ends: Vec<u32>,
}

impl Reduced {
    pub(super) fn new(chain: &Chain<'_>, order: usize, stop: &Stop) -> Result<Self> {
        let kept = Kept::new(chain, order, stop)?;
        let (order, core) = peel(chain, &kept, stop)?;
        let mut node_of = vec![0; kept.states.len()];
        (0_u32..).zip(&order).for_each(|(node, place)| node_of[*place as usize] = node);
        let states: Vec<u32> = order.into_iter().map(|place| kept.states[place as usize]).collect();
        let edges = states.iter().map(|state| chain.inflows(*state as usize).len()).sum();
        let mut reduced = Self {
            core,
            starts: Vec::with_capacity(states.len() + 1),
            sources: Vec::with_capacity(edges),
            parts: Vec::with_capacity(edges),
            cores: vec![],
            totals: vec![],
            groups: vec![],
            ends: chain.ends.iter().map(|(state, _)| node_of[kept.place(*state)]).collect(),
            states: vec![],
        };
        reduced.starts.push(0);
        for (at, state) in states.iter().map(|state| *state as usize).enumerate() {
            stop.check()?;
            let total = chain.inflow(state);
            let is_core = reduced.core.contains(&at);
            for from_core in [true, false] {
                for edge in chain.inflows(state) {
                    let node = node_of[kept.place(chain.sources[edge])];
                    if reduced.core.contains(&(node as usize)) == from_core {
                        reduced.sources.push(node);
                        reduced.parts.push(chain.flows[edge] / total);
                    }
                }
                let edges = index(reduced.sources.len());
                if !from_core {
                    reduced.starts.push(edges);
                } else if is_core {
                    reduced.cores.push(edges);
                }
            }
            if is_core {
                reduced.totals.push(total);
                reduced.groups.push(group(chain, state));
            }
        }
        reduced.states = states;
        Ok(reduced)
    }

    /// The flows into `node`, as places in `sources` and `parts`.
    #[inline]
    pub(super) fn inflows(&self, node: usize) -> Range<usize> {
        self.starts[node] as usize..self.starts[node + 1] as usize
    }

    /// Those from the core into a node of the core.
    #[inline]
    pub(super) fn core_inflows(&self, node: usize) -> Range<usize> {
        self.starts[node] as usize..self.cores[node - self.core.start] as usize
    }
}

/// The group of a state: its newest touch, or as many channels with numbers in a row as make 256 groups at most.
fn group(chain: &Chain<'_>, state: usize) -> u8 {
    let many = chain.channels.div_ceil(GROUPS_MAX).max(1);
    u8::try_from(chain.newest(state) / many).unwrap_or(u8::MAX)
}

const GROUPS_MAX: usize = 256;

/// The states whose q is found, and for every state which of them has its q.
struct Kept {
    /// Ascending.
    states: Vec<u32>,
    /// By state: a place in `states`.
    places: Vec<u32>,
}

impl Kept {
    fn new(chain: &Chain<'_>, order: usize, stop: &Stop) -> Result<Self> {
        let mut places = aliases(chain, order, stop)?;
        let states: Vec<u32> =
            (0..).zip(&places).filter(|(state, alias)| state == *alias).map(|(state, _)| state).collect();
        let ranks = Ranks::new(places.len(), states.iter().copied());
        places.iter_mut().for_each(|alias| *alias = ranks.place(*alias));
        Ok(Self { states, places })
    }

    #[inline]
    fn place(&self, state: u32) -> usize {
        self.places[state as usize] as usize
    }
}

/// The kept states in the order of nodes, by their places: those before all loops, the core, those behind all loops; and
/// where the core is.
fn peel(chain: &Chain<'_>, kept: &Kept, stop: &Stop) -> Result<(Vec<u32>, Range<usize>)> {
    let n = kept.states.len();
    let inflows = |place: usize| chain.inflows(kept.states[place] as usize);
    let source = |edge: usize| kept.place(chain.sources[edge]);

    // Successors of kept states, to peel from the front: those of a state end where those of the next begin.
    let mut nexts_end = vec![0_u32; n + 1];
    stop.each(0..n, |place| inflows(place).for_each(|edge| nexts_end[source(edge) + 1] += 1))?;
    (0..n).for_each(|place| nexts_end[place + 1] += nexts_end[place]);
    let mut nexts = vec![0_u32; nexts_end[n] as usize];
    stop.each(0..n, |place| {
        for edge in inflows(place) {
            let end = &mut nexts_end[source(edge)];
            nexts[*end as usize] = index(place);
            *end += 1;
        }
    })?;
    let nexts_of = |place: usize| {
        let start = if place == 0 { 0 } else { nexts_end[place - 1] };
        &nexts[start as usize..nexts_end[place] as usize]
    };

    let mut waits: Vec<u32> = (0..n).map(|place| index(inflows(place).len())).collect();
    let mut order: Vec<u32> = (0..n).filter(|place| waits[*place] == 0).map(index).collect();
    let mut done = 0;
    while done < order.len() {
        stop.check()?;
        for next in nexts_of(order[done] as usize) {
            waits[*next as usize] -= 1;
            if waits[*next as usize] == 0 {
                order.push(*next);
            }
        }
        done += 1;
    }
    // A state of the front waits for nothing any more; u32::MAX marks what is peeled from the back.
    let mut leads: Vec<u32> = (0..n).map(|place| index(nexts_of(place).len())).collect();
    drop((nexts, nexts_end));
    let in_core = |place: usize, waits: &[u32]| waits[place] > 0 && waits[place] != u32::MAX;
    let mut back: Vec<u32> = (0..n).filter(|place| in_core(*place, &waits) && leads[*place] == 0).map(index).collect();
    let mut done = 0;
    while done < back.len() {
        stop.check()?;
        let place = back[done] as usize;
        waits[place] = u32::MAX;
        for edge in inflows(place) {
            let before = source(edge);
            leads[before] -= 1;
            if leads[before] == 0 && in_core(before, &waits) {
                back.push(index(before));
            }
        }
        done += 1;
    }
    let first = order.len();
    order.extend((0..n).filter(|place| in_core(*place, &waits)).map(index));
    let core = first..order.len();
    order.extend(back.into_iter().rev());
    Ok((order, core))
}

/// For each state the one whose q it shares, itself where it shares none.
///
/// A state that is entered from one other state only is passed over. Up to order − 1 of them in a row may be: then
/// every touch that they hold is held by the state before or the state behind as well, which both know of it.
fn aliases(chain: &Chain<'_>, order: usize, stop: &Stop) -> Result<Vec<u32>> {
    let n = chain.states();
    let most = u8::try_from(order - 1).unwrap_or(u8::MAX);
    let mut entered = vec![false; n];
    chain.entries.iter().for_each(|(state, _)| entered[*state as usize] = true);
    let only_source = |state: usize| {
        let edges = chain.inflows(state);
        (!entered[state] && edges.len() == 1).then(|| chain.sources[edges.start] as usize)
    };
    const OPEN: u32 = u32::MAX;
    let mut alias = vec![OPEN; n];
    let mut passed = vec![0_u8; n];
    let mut chain_up = vec![];
    for first in 0..n {
        stop.check()?;
        let mut state = first;
        while alias[state] == OPEN {
            match only_source(state) {
                Some(before) if chain_up.len() < n => {
                    chain_up.push(state);
                    state = before;
                }
                _ => alias[state] = index(state),
            }
        }
        while let Some(next) = chain_up.pop() {
            if passed[state] < most {
                (alias[next], passed[next]) = (alias[state], passed[state] + 1);
            } else {
                alias[next] = index(next);
            }
            state = next;
        }
    }
    Ok(alias)
}

/// States and transitions are fewer than 2^32: each takes part in a path that is in memory.
#[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32")]
fn index(of: usize) -> u32 {
    of as u32
}
