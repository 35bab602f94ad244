//! What is left of a chain to iterate over.
//!
//! Two kinds of states need no iteration. A state entered from one other state only has that state's q (unless it
//! holds the removed channel itself). And what lies before the loops of the chain, or behind them, is settled by one
//! pass in the right order. In chains of high order that is most states.
use super::chain::Chain;

/// The states that remain, as nodes: first those before all loops, then the core, then those behind all loops.
pub(super) struct Reduced {
    /// Node → state.
    pub(super) states: Vec<u32>,
    /// Nodes of the core.
    pub(super) core: std::ops::Range<usize>,
    /// The flows into node t are `starts[t]..starts[t + 1]`; those from core nodes come first, up to `cores[t]`.
    pub(super) starts: Vec<u32>,
    pub(super) cores: Vec<u32>,
    pub(super) sources: Vec<u32>,
    /// As parts of all that flows into the node; what comes from START is the part that is missing from 1.
    pub(super) parts: Vec<f64>,
    /// All that flows into each node.
    pub(super) totals: Vec<f64>,
    /// Of each node: states of one group are corrected together.
    pub(super) groups: Vec<u8>,
    /// For each of the chain's ends: the node with its q, for channels that its own state does not hold.
    pub(super) ends: Vec<u32>,
}

impl Reduced {
    pub(super) fn new(chain: &Chain<'_>, order: usize) -> Self {
        let alias = aliases(chain, order);
        let source = |edge: usize| alias[chain.sources[edge] as usize] as usize;
        let (states, core) = peel(chain, &alias);
        let mut node_of = vec![u32::MAX; chain.states()];
        (0_u32..).zip(&states).for_each(|(node, state)| node_of[*state as usize] = node);
        let edges = states.iter().map(|state| chain.inflows(*state as usize).len()).sum();
        let mut reduced = Self {
            core,
            starts: Vec::with_capacity(states.len() + 1),
            cores: Vec::with_capacity(states.len()),
            sources: Vec::with_capacity(edges),
            parts: Vec::with_capacity(edges),
            totals: Vec::with_capacity(states.len()),
            groups: states.iter().map(|state| group(chain, *state as usize)).collect(),
            ends: chain.ends.iter().map(|(state, _)| node_of[alias[*state as usize] as usize]).collect(),
            states: vec![],
        };
        reduced.starts.push(0);
        for state in states.iter().map(|state| *state as usize) {
            let total = chain.flows[chain.inflows(state)].iter().sum::<f64>() + chain.entries[state];
            for from_core in [true, false] {
                for edge in chain.inflows(state) {
                    let node = node_of[source(edge)];
                    if reduced.core.contains(&(node as usize)) == from_core {
                        reduced.sources.push(node);
                        reduced.parts.push(chain.flows[edge] / total);
                    }
                }
                let edges = index(reduced.sources.len());
                if from_core { reduced.cores.push(edges) } else { reduced.starts.push(edges) }
            }
            reduced.totals.push(total);
        }
        reduced.states = states;
        reduced
    }
}

/// The group of a state: its newest touch, or as many channels with numbers in a row as make 256 groups at most.
fn group(chain: &Chain<'_>, state: usize) -> u8 {
    let many = chain.channels.div_ceil(GROUPS_MAX).max(1);
    u8::try_from(chain.newest(state) / many).unwrap_or(u8::MAX)
}

const GROUPS_MAX: usize = 256;

/// The states that `alias` leaves: those before all loops, the core, those behind all loops; and where the core is.
fn peel(chain: &Chain<'_>, alias: &[u32]) -> (Vec<u32>, std::ops::Range<usize>) {
    let n = alias.len();
    let kept = |state: usize| alias[state] as usize == state;
    let source = |edge: usize| alias[chain.sources[edge] as usize] as usize;

    // Successors of kept states, to peel from the front.
    let mut nexts_start = vec![0_u32; n + 1];
    for state in (0..n).filter(|state| kept(*state)) {
        chain.inflows(state).for_each(|edge| nexts_start[source(edge) + 1] += 1);
    }
    (0..n).for_each(|state| nexts_start[state + 1] += nexts_start[state]);
    let mut nexts = vec![0_u32; nexts_start[n] as usize];
    let mut fill = nexts_start.clone();
    for state in (0..n).filter(|state| kept(*state)) {
        for edge in chain.inflows(state) {
            let place = &mut fill[source(edge)];
            nexts[*place as usize] = index(state);
            *place += 1;
        }
    }
    drop(fill);
    let nexts_of = |state: usize| &nexts[nexts_start[state] as usize..nexts_start[state + 1] as usize];

    let mut waits: Vec<u32> = (0..n).map(|state| index(chain.inflows(state).len())).collect();
    let mut states: Vec<u32> = (0..n).filter(|state| kept(*state) && waits[*state] == 0).map(index).collect();
    let mut done = 0;
    while done < states.len() {
        for next in nexts_of(states[done] as usize) {
            waits[*next as usize] -= 1;
            if waits[*next as usize] == 0 {
                states.push(*next);
            }
        }
        done += 1;
    }
    // A state of the front waits for nothing any more; u32::MAX marks what is peeled from the back.
    let mut leads: Vec<u32> = (0..n).map(|state| index(nexts_of(state).len())).collect();
    drop((nexts, nexts_start));
    let in_core = |state: usize, waits: &[u32]| kept(state) && waits[state] > 0 && waits[state] != u32::MAX;
    let mut back: Vec<u32> = (0..n).filter(|state| in_core(*state, &waits) && leads[*state] == 0).map(index).collect();
    let mut done = 0;
    while done < back.len() {
        let state = back[done] as usize;
        waits[state] = u32::MAX;
        for edge in chain.inflows(state) {
            let before = source(edge);
            leads[before] -= 1;
            if leads[before] == 0 && in_core(before, &waits) {
                back.push(index(before));
            }
        }
        done += 1;
    }
    let first = states.len();
    states.extend((0..n).filter(|state| in_core(*state, &waits)).map(index));
    let core = first..states.len();
    states.extend(back.into_iter().rev());
    (states, core)
}

/// For each state the one whose q it shares, itself where it shares none.
///
/// A state that is entered from one other state only is passed over. Up to order − 1 of them in a row may be: then
/// every touch that they hold is held by the state before or the state behind as well, which both know of it.
fn aliases(chain: &Chain<'_>, order: usize) -> Vec<u32> {
    let n = chain.states();
    let only_source = |state: usize| {
        let edges = chain.inflows(state);
        (chain.entries[state] == 0.0 && edges.len() == 1).then(|| chain.sources[edges.start] as usize)
    };
    const OPEN: u32 = u32::MAX;
    let mut alias = vec![OPEN; n];
    let mut passed = vec![0_u32; n];
    let mut chain_up = vec![];
    for first in 0..n {
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
            let hops = passed[state] + 1;
            if (hops as usize) < order {
                (alias[next], passed[next]) = (alias[state], hops);
            } else {
                alias[next] = index(next);
            }
            state = next;
        }
    }
    alias
}

/// States and transitions are fewer than 2^32: each takes part in a path that is in memory.
#[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32")]
fn index(of: usize) -> u32 {
    of as u32
}
