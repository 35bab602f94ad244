//! What is lost as players come in one after another.
use super::game::Game;
use crate::models::count;
use crate::{Credit, Result, Stop, sum::sum};

/// How a chain is solved, player by player: what was found of those who are in serves for those who come.
pub(super) enum Solver {
    /// Small or dense chains: a state is eliminated (Grassmann, Taksar and Heyman 1985) as soon as all its players are in.
    Eliminates,
    /// Large chains: sweeps (Gauss and Seidel) over the states whose players are in, from where the last ones ended.
    Sweeps {
        /// Flow into each state.
        totals: Vec<f64>,
    },
}

/// Sweeps after a player has come in, about.
const SWEEPS: f64 = 40.0;
/// Sweeps end when the remaining relative error is this small, far below that of the draws.
const TOLERANCE: f64 = 1e-10;
/// A relative change of this size may be rounding.
const NOISE: f64 = 1e-14;
/// Sweeps at most.
const SWEEPS_MAX: usize = 100_000;
/// Tables of more states would fill memory.
const STATES_MAX: usize = 2048;

impl Solver {
    /// The cheaper one.
    pub(super) fn new(game: &Game<'_>, stop: &Stop) -> Result<Self> {
        let states = game.chain.states();
        if states <= STATES_MAX && eliminating(game) <= sweeping(game) {
            return Ok(Self::Eliminates);
        }
        let mut totals = Vec::with_capacity(states);
        stop.each(0..states, |state| {
            let flows = &game.chain.flows[game.chain.inflows(state)];
            totals.push(sum(flows.iter().copied()) + game.chain.entry(state));
        })?;
        Ok(Self::Sweeps { totals })
    }

    /// Multiplications for one order of all players, about.
    pub(super) fn cost(&self, game: &Game<'_>) -> f64 {
        match self {
            Self::Eliminates => eliminating(game),
            Self::Sweeps { .. } => sweeping(game),
        }
    }

    /// What is lost when only the first of the players are in, one more each time, paths shorter than a state aside. `place`
    /// says at which place each player comes in.
    pub(super) fn lost(&self, game: &Game<'_>, place: &[usize], stop: &Stop) -> Result<Vec<Credit>> {
        // By state: the place of the last of its players.
        let mut ready = vec![0; game.chain.states()];
        for (state, ready) in ready.iter_mut().enumerate() {
            game.chain.holds(state, |channel| *ready = place[game.player(channel)].max(*ready));
        }
        match self {
            Self::Eliminates => eliminate(game, &ready, place.len(), stop),
            Self::Sweeps { totals } => sweep(game, totals, &ready, place.len(), stop),
        }
    }
}

fn eliminating(game: &Game<'_>) -> f64 {
    let states = count(game.chain.states());
    states * states * (states / 3.0 + 2.0) + 100.0
}

fn sweeping(game: &Game<'_>) -> f64 {
    SWEEPS * count(game.chain.sources.len() + game.chain.states()) * count(game.players.len()) + 100.0
}

/// The states that are ready first come last; the ends of paths, by conversions and by value, are two more rows, as in
/// [`exact`](super::exact). What has come to these by way of states that are not ready is lost.
fn eliminate(game: &Game<'_>, ready: &[usize], players: usize, stop: &Stop) -> Result<Vec<Credit>> {
    let chain = &game.chain;
    let n = ready.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|state| std::cmp::Reverse(ready[*state]));
    let mut row_of = vec![0; n];
    order.iter().enumerate().for_each(|(row, state)| row_of[*state] = row);
    let mut back = vec![0.0; n * n];
    let mut ends = [vec![0.0; n], vec![0.0; n]];
    let mut clean = vec![0.0; n];
    for (row, &state) in order.iter().enumerate() {
        clean[row] = chain.entry(state);
        for edge in chain.inflows(state) {
            back[row * n + row_of[chain.sources[edge] as usize]] += chain.flows[edge];
        }
    }
    for (state, end) in &chain.ends {
        let column = row_of[*state as usize];
        ends[0][column] += end.conversions;
        ends[1][column] += end.value;
    }
    let mut left = n;
    (0..players)
        .map(|at| {
            while left > 0 && ready[order[left - 1]] <= at {
                stop.check()?;
                left -= 1;
                let (before, from) = back.split_at_mut(left * n);
                let from = &mut from[..left];
                let (before_clean, own) = clean.split_at_mut(left);
                let total = sum(from.iter().copied()) + own[0];
                // Shares of what came in, at most 1: values by themselves may be too large to be parted by flows that are tiny.
                from.iter_mut().for_each(|from| *from /= total);
                let own = own[0] / total;
                let add = |to: &mut [f64]| {
                    let through = to[left];
                    if through != 0.0 {
                        to[..left].iter_mut().zip(&*from).for_each(|(to, from)| *to += through * from);
                    }
                    through
                };
                for (row, clean) in before.chunks_exact_mut(n).zip(before_clean) {
                    *clean += add(row) * own;
                }
                ends.iter_mut().for_each(|end| {
                    add(end);
                });
            }
            let [conversions, value] = [0, 1].map(|end| sum(ends[end][..left].iter().copied()));
            Ok(Credit { conversions, value })
        })
        .collect()
}

/// q, the part of a state's flow that came by way of players who are not in, is 1 while the state is not ready, and then the
/// mean of q over its inflow, 0 from START. It only falls as players come in.
fn sweep(game: &Game<'_>, totals: &[f64], ready: &[usize], players: usize, stop: &Stop) -> Result<Vec<Credit>> {
    let chain = &game.chain;
    let mut q = vec![1.0; ready.len()];
    let mut by_ready: Vec<usize> = (0..ready.len()).collect();
    by_ready.sort_by_key(|state| ready[*state]);
    let (mut come, mut free) = (0, vec![]);
    (0..players)
        .map(|at| {
            let before = come;
            while come < by_ready.len() && ready[by_ready[come]] <= at {
                free.push(by_ready[come]);
                come += 1;
            }
            if come > before {
                free.sort_unstable();
                settle(game, totals, &free, &mut q, stop)?;
            }
            let lost = |of: fn(&crate::models::markov::chain::End) -> f64| {
                sum(chain.ends.iter().map(|(state, end)| of(end) * q[*state as usize]))
            };
            Ok(Credit { conversions: lost(|end| end.conversions), value: lost(|end| end.value) })
        })
        .collect()
}

/// Sweeps over the states in `free` until what is left of the error is small.
fn settle(game: &Game<'_>, totals: &[f64], free: &[usize], q: &mut [f64], stop: &Stop) -> Result<()> {
    let chain = &game.chain;
    let (mut last, mut slowest) = (f64::INFINITY, 0.0_f64);
    for _ in 0..SWEEPS_MAX {
        let (mut changed, mut size) = (0.0, 0.0);
        stop.each(0..free.len(), |at| {
            let state = free[at];
            let edges = chain.inflows(state);
            let past: f64 = edges.map(|edge| chain.flows[edge] * q[chain.sources[edge] as usize]).sum();
            changed += (totals[state] * q[state] - past).abs();
            size += past;
            q[state] = past / totals[state];
        })?;
        if changed <= NOISE * size {
            break;
        }
        let fall = changed / last;
        if fall < 1.0 {
            slowest = slowest.max(fall);
            if changed / (1.0 - slowest) <= TOLERANCE * size {
                break;
            }
        }
        last = changed;
    }
    Ok(())
}
