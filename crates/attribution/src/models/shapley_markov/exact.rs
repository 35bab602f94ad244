//! Every set is solved, and sets share work: players come in or stay out one by one, and as soon as all players of a state
//! are in, the state is eliminated, once for all sets that agree so far.
//!
//! Elimination is that of Grassmann, Taksar and Heyman, as in [`direct`](crate::models::markov::direct), on the flows into
//! each state. Where paths end is one more row: what came there by way of a state is told of what came to the state. What
//! has come by way of players who stay out, when all have been decided on, is what the set loses.
use super::game::Game;
use crate::models::count;
use crate::{Credit, Result, Stop, sum::Sum};
use rayon::prelude::*;

/// Sets of more players would not fit in memory.
const PLAYERS_MAX: usize = 20;
/// Multiplications that a game may cost, minutes at most.
const COST_MAX: f64 = 3e11;
/// Tables of more states would fill memory: a dozen of them are kept at a time.
const STATES_MAX: usize = 2048;
/// Players that are decided on by several threads, the first ones.
const FORKS: usize = 8;

/// Whether all sets can be solved.
pub(super) fn pays(game: &Game<'_>) -> bool {
    game.players.len() <= PLAYERS_MAX && game.chain.states() <= STATES_MAX && cost(game) <= COST_MAX
}

/// About how many multiplications all sets cost. States are kept in one table while no player of theirs stays out, so about
/// half of those of each player are gone.
fn cost(game: &Game<'_>) -> f64 {
    let n = game.players.len();
    let players = players(game);
    let mut sum = count(players.len()).powi(2);
    for left in (1..=n).rev() {
        // Of the sets decided on so far, all but the last `left` players, one table each.
        let (mut there, mut ready) = (0.0, 0.0);
        for state in &players {
            let [decided, last] = [left, left - 1].map(|left| (state >> left).count_ones());
            let is_ready = state & ((1 << (left - 1)) - 1) == 0;
            if state & ((1 << left) - 1) != 0 {
                let chance = 0.5_f64.powi(decided.cast_signed());
                there += chance;
                ready += if is_ready && last > decided { chance } else { 0.0 };
            }
        }
        // Twice as much as the mean table costs, since tables differ.
        sum += count(1 << (n - left)) * 2.0 * there * there * (1.0 + ready);
    }
    sum
}

/// By state: its players as bits.
fn players(game: &Game<'_>) -> Vec<u32> {
    (0..game.chain.states())
        .map(|state| {
            let mut set = 0;
            game.chain.holds(state, |channel| set |= 1_u32 << game.player(channel));
            set
        })
        .collect()
}

/// The value of each player.
pub(super) fn values(game: &Game<'_>, stop: &Stop) -> Result<Vec<Credit>> {
    let n = game.players.len();
    let mut worth = vec![Credit::default(); 1 << n];
    Table::new(game).decide((n, FORKS), &mut worth, stop)?;
    worth.par_iter_mut().zip(covered(game)).for_each(|(worth, short)| {
        // What was lost, so far.
        worth.conversions = game.long.conversions - worth.conversions + short.conversions;
        worth.value = game.long.value - worth.value + short.value;
    });
    // A set of s others is met with the chance s! (n − s − 1)! / n!.
    let mut chance = vec![1.0 / count(n.max(1)); n];
    (1..n).for_each(|s| chance[s] = chance[s - 1] * count(s) / count(n - s));
    let value = |player: usize| {
        stop.check()?;
        let (mut conversions, mut value) = (Sum::default(), Sum::default());
        for set in (0..1_usize << n).filter(|set| set >> player & 1 == 0) {
            let (with, without) = (worth[set | 1 << player], worth[set]);
            let chance = chance[set.count_ones() as usize];
            conversions.add(chance * (with.conversions - without.conversions));
            value.add(chance * (with.value - without.value));
        }
        Ok(Credit { conversions: conversions.get(), value: value.get() })
    };
    (0..n).into_par_iter().map(value).collect()
}

/// Flows backwards from what is left of a chain: each row is a state, and the last two are the ends of paths, weighed by
/// conversions and by value.
struct Table {
    /// Players of each state, as bits; ascending by the lowest player backwards, so that those decided on first come last.
    states: Vec<u32>,
    /// [row × states + state]: what came from the state.
    back: Vec<f64>,
    /// What came from START.
    clean: Vec<f64>,
    /// What came by way of players who stay out.
    past: Vec<f64>,
}

/// Rows of the ends of paths.
const ENDS: usize = 2;

impl Table {
    fn new(game: &Game<'_>) -> Self {
        let chain = &game.chain;
        let players = players(game);
        let n = players.len();
        let mut order: Vec<usize> = (0..n).collect();
        // The state that is ready last, whose lowest player is the first one, comes first.
        order.sort_by_key(|state| players[*state].trailing_zeros());
        let mut place = vec![0; n];
        order.iter().enumerate().for_each(|(row, state)| place[*state] = row);
        let mut back = vec![0.0; (n + ENDS) * n];
        let (mut clean, past) = (vec![0.0; n + ENDS], vec![0.0; n + ENDS]);
        for (row, &state) in order.iter().enumerate() {
            clean[row] = chain.entry(state);
            for edge in chain.inflows(state) {
                back[row * n + place[chain.sources[edge] as usize]] += chain.flows[edge];
            }
        }
        for (state, end) in &chain.ends {
            let column = place[*state as usize];
            back[n * n + column] += end.conversions;
            back[(n + 1) * n + column] += end.value;
        }
        Self { states: order.into_iter().map(|state| players[state]).collect(), back, clean, past }
    }

    /// Decides on the last of `left` players, both ways, and so on, the first `forks` of them at the same time; writes by set
    /// of those left what is lost.
    fn decide(self, (left, forks): (usize, usize), lost: &mut [Credit], stop: &Stop) -> Result<()> {
        if left == 0 {
            let [conversions, value] = [0, 1].map(|end| self.past[end]);
            lost[0] = Credit { conversions, value };
            return Ok(());
        }
        let player = left - 1;
        let (without, with) = lost.split_at_mut(1 << player);
        let out = self.leave_out(player);
        if forks > 0 {
            let inside = self.bring_in(player, stop)?;
            let (without, with) = rayon::join(
                || out.decide((player, forks - 1), without, stop),
                || inside.decide((player, forks - 1), with, stop),
            );
            without.and(with)
        } else {
            out.decide((player, 0), without, stop)?;
            self.bring_in(player, stop)?.decide((player, 0), with, stop)
        }
    }

    /// All states that hold the player lead to a loss.
    fn leave_out(&self, player: usize) -> Self {
        let n = self.states.len();
        let kept: Vec<usize> = (0..n).filter(|state| self.states[*state] >> player & 1 == 0).collect();
        let gone: Vec<usize> = (0..n).filter(|state| self.states[*state] >> player & 1 == 1).collect();
        let rows = || kept.iter().copied().chain(n..n + ENDS);
        let mut back = Vec::with_capacity((kept.len() + ENDS) * kept.len());
        let mut past = Vec::with_capacity(kept.len() + ENDS);
        for row in rows() {
            let from = &self.back[row * n..(row + 1) * n];
            back.extend(kept.iter().map(|state| from[*state]));
            past.push(self.past[row] + gone.iter().map(|state| from[*state]).sum::<f64>());
        }
        let clean = rows().map(|row| self.clean[row]).collect();
        Self { states: kept.iter().map(|state| self.states[*state]).collect(), back, clean, past }
    }

    /// The player is in: states that hold no player who is not are eliminated. They are the last ones.
    fn bring_in(mut self, player: usize, stop: &Stop) -> Result<Self> {
        let n = self.states.len();
        let kept = self.states.partition_point(|state| (state.trailing_zeros() as usize) < player);
        for last in (kept..n).rev() {
            stop.check()?;
            let (before, rest) = self.back.split_at_mut(last * n);
            let (from, after) = rest.split_at_mut(n);
            let from = &mut from[..last];
            let total = from.iter().sum::<f64>() + self.clean[last] + self.past[last];
            // Shares of what came in, at most 1: values by themselves may be too large to be parted by flows that are tiny.
            from.iter_mut().for_each(|from| *from /= total);
            let (clean, past) = (self.clean[last] / total, self.past[last] / total);
            let to_rows = before.chunks_exact_mut(n).enumerate();
            // Behind it are states that were eliminated before it, then the ends.
            let ends = after[(n - 1 - last) * n..].chunks_exact_mut(n).enumerate().map(|(end, row)| (n + end, row));
            for (row, to) in to_rows.chain(ends) {
                let through = to[last];
                if through == 0.0 {
                    continue;
                }
                to[..last].iter_mut().zip(&*from).for_each(|(to, from)| *to += through * from);
                self.clean[row] += through * clean;
                self.past[row] += through * past;
            }
        }
        let mut back = Vec::with_capacity((kept + ENDS) * kept);
        for row in (0..kept).chain(n..n + ENDS) {
            back.extend_from_slice(&self.back[row * n..row * n + kept]);
        }
        self.clean.drain(kept..n);
        self.past.drain(kept..n);
        self.states.truncate(kept);
        self.back = back;
        Ok(self)
    }
}

/// By set: what paths shorter than a state bring to it.
fn covered(game: &Game<'_>) -> Vec<Credit> {
    let n = game.players.len();
    let mut short = vec![Credit::default(); 1 << n];
    for (set, credit) in &game.short {
        let earned = &mut short[set.iter().fold(0, |set, player| set | 1 << player)];
        earned.conversions += credit.conversions;
        earned.value += credit.value;
    }
    for player in 0..n {
        for set in (0..1 << n).filter(|set| set >> player & 1 == 1) {
            let without = short[set ^ (1 << player)];
            short[set].conversions += without.conversions;
            short[set].value += without.value;
        }
    }
    short
}
