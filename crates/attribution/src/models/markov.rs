//! Removal effects in a Markov chain of any order (Anderl, Becker, von Wangenheim, Schumann 2016), solved exactly.
pub(super) mod chain;
mod coarse;
pub(super) mod direct;
mod exits;
mod inflows;
mod order;
mod ranks;
mod reduced;
mod sweeps;
mod transitions;

use super::normalise;
use crate::{
    AttributionModel, Credit, Diagnostics, Error, FittedModel, MarkovDiagnostics, Order, Result, Solver, SolverChoice,
    Stop, sum::sum,
};
use chain::Chain;
use exits::Exits;
use safar_model::{PathRef, Paths};

/// A chain whose states are the windows of the last `order` touches.
///
/// A path shorter than `order` is one state of its own length. Each path adds START → s₁ → … → CONVERSION or LOSS
/// with its counts; repeats and loops are kept. A channel's removal effect is the part of P(conversion) that is lost
/// when every state that holds the channel leads to a loss. Credit is the removal effect over the sum of removal
/// effects, times all conversions of paths with a touch; credit of value is the same with value in place of
/// conversions.
///
/// What is not defined is settled so: where nothing converts, all effects and credits are 0. Where the effects on
/// value sum to 0 although value is there (refunds that cancel), value is shared by the effects on conversions;
/// where these are 0 too (value without any conversion), it stays unattributed.
///
/// [`FittedModel::probability`] is the chance that a path which *ended* as the given one did ended in a conversion:
/// conversions over conversions and losses out of its end state. It is what hold-out log-loss of whole paths needs;
/// the chance to convert some time later, of someone who may go on, is another. Seldom seen states say little, so
/// each rate is drawn towards that of the state one touch shorter with the weight of one person (and so on, down to
/// the rate of all paths, drawn towards one half); a state never seen says what the shorter one says.
///
/// With [`Order::Auto`] the order is the one with the least log-loss of those chances on held-out people, by eight-fold
/// cross-validation; [`MarkovDiagnostics::choice`] holds the loss of each.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"markov:order=1".parse().unwrap(), &paths, &channels).unwrap().credits;
/// // Half of those who come to B come from A: without A, 10 + 35 conversions are lost, without B 70.
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [31.0, 49.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Markov {
    /// How many touches a state remembers.
    pub order: Order,
    /// How removal effects are found.
    pub solver: SolverChoice,
}

/// What is lost when a channel is removed, in conversions and in value.
type Lost = Credit;

struct Fitted {
    diagnostics: MarkovDiagnostics,
    /// Of all paths with a touch.
    total: Credit,
    exits: Exits,
}

impl AttributionModel for Markov {
    fn fit_until(&self, paths: &Paths, channels: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>> {
        let choice = match self.order {
            Order::Fixed(_) => None,
            Order::Auto { most, seed } => Some(order::choose(paths, channels, most, seed, stop)?),
        };
        let order = match (&choice, self.order) {
            (Some(choice), _) => choice.best(),
            (None, Order::Fixed(order)) => order.max(1),
            (None, Order::Auto { .. }) => 1,
        };
        let mut chain = Chain::count(paths, channels.len(), order as usize, stop)?;
        let states = chain.states();
        if self.solver == SolverChoice::Exact && states > direct::STATES_MAX {
            let way_out = "choose solver=iterative or a lower order";
            return Err(Error::TooManyStates { model: "markov", most: direct::STATES_MAX, got: states, way_out });
        }
        let exact = match self.solver {
            SolverChoice::Auto => direct::pays(&chain),
            SolverChoice::Exact => true,
            SolverChoice::Iterative => false,
        };
        let (lost, solver) = if exact {
            let lost = |channel| direct::lost(&chain, |other| other == channel, stop);
            ((0..channels.len()).map(lost).collect::<Result<_>>()?, Solver::Direct)
        } else {
            sweeps::lost(&mut chain, order as usize, stop)?
        };
        let effects = |of: fn(&Credit) -> f64| -> Vec<f64> {
            let all = of(&chain.seen);
            let effect = |(lost, short)| if all == 0.0 { 0.0 } else { (of(lost) + of(short)) / all };
            lost.iter().zip(&chain.short).map(effect).collect()
        };
        let diagnostics = MarkovDiagnostics {
            order,
            choice,
            states: states + chain.short_ends.iter().filter(|(path, _)| !path.is_empty()).count(),
            base: if chain.people > 0.0 { chain.seen.conversions / chain.people } else { 0.0 },
            removal_effects: effects(|credit| credit.conversions),
            value_removal_effects: effects(|credit| credit.value),
            solver,
        };
        let total = crate::attribute::total_where(paths, |path| !path.channels.is_empty());
        let exits = Exits::new(&chain, order as usize, stop)?;
        Ok(Box::new(Fitted { diagnostics, total, exits }))
    }
}

impl FittedModel for Fitted {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        for (share, channel) in shares.iter_mut().zip(path.channels) {
            *share = self.diagnostics.removal_effects[channel.0 as usize];
        }
        normalise(shares);
    }

    fn is_per_touch(&self) -> bool {
        false
    }

    fn probability(&self, path: PathRef<'_>) -> Option<f64> {
        Some(self.exits.probability(path.channels))
    }

    fn credits_until(&self, _: &Paths, channels: usize, _: &Stop) -> Result<Vec<Credit>> {
        let MarkovDiagnostics { removal_effects, value_removal_effects, .. } = &self.diagnostics;
        let mut credits = vec![Credit::default(); channels];
        if let Some(parts) = parts(removal_effects) {
            parts.zip(&mut credits).for_each(|(part, credit)| credit.conversions = part * self.total.conversions);
        }
        if let Some(parts) = parts(value_removal_effects) {
            parts.zip(&mut credits).for_each(|(part, credit)| credit.value = part * self.total.value);
        } else if let Some(parts) = parts(removal_effects) {
            parts.zip(&mut credits).for_each(|(part, credit)| credit.value = part * self.total.value);
        }
        Ok(credits)
    }

    fn diagnostics(&self) -> Diagnostics {
        Diagnostics { markov: Some(self.diagnostics.clone()), ..Diagnostics::default() }
    }
}

/// Each effect over their sum; `None` where they sum to 0 up to rounding.
fn parts(effects: &[f64]) -> Option<impl Iterator<Item = f64>> {
    let all = sum(effects.iter().copied());
    let size = sum(effects.iter().map(|effect| effect.abs()));
    (all.abs() > 1e-12 * size).then(|| effects.iter().map(move |effect| effect / all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use safar_model::{ChannelId, PathsBuilder};

    /// Paths with a memory: long, full of repeats, some channels rare.
    pub(super) fn paths(seed: u32, channels: u32) -> Paths {
        let mut state = seed;
        let mut random = |below: u32| {
            state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            (state >> 9) % below
        };
        let mut paths = PathsBuilder::default();
        for _ in 0..50 {
            let mut path = vec![ChannelId(random(channels))];
            while random(20) > 0 {
                let last = path[path.len() - 1];
                path.push(if random(3) == 0 { last } else { ChannelId(random(channels).min(random(channels))) });
            }
            let (conversions, nulls) = (f64::from(random(3)), f64::from(random(40)));
            paths.push(PathRef { channels: &path, ages: None, conversions, value: conversions * 7.0 - 3.0, nulls });
        }
        paths.finish()
    }

    /// A chain of 11 channels, and what each one's removal loses by elimination.
    fn chain(paths: &Paths, order: usize) -> (Chain<'_>, Vec<Lost>) {
        let stop = Stop::default();
        let chain = Chain::count(paths, 11, order, &stop).unwrap();
        let lost = |channel| direct::lost(&chain, |other| other == channel, &stop).unwrap();
        let direct = (0..11).map(lost).collect();
        (chain, direct)
    }

    fn agree(direct: &[Lost], swept: &[Lost], about: &str) {
        for (a, b) in direct.iter().zip(swept) {
            assert!((a.conversions - b.conversions).abs() <= 1e-11 * a.conversions, "{about}: {a:?} {b:?}");
            let size = a.value.abs() + a.conversions;
            assert!((a.value - b.value).abs() <= 1e-10 * size, "{about}: {a:?} {b:?}");
        }
    }

    #[test]
    fn sweeps_and_elimination_agree() {
        for (seed, order) in [(1, 1), (2, 2), (3, 3), (4, 5), (5, 17)] {
            let paths = paths(seed, 11);
            let (mut chain, direct) = chain(&paths, order);
            let reduced = reduced::Reduced::new(&chain, order, &Stop::default()).unwrap();
            let narrow = sweeps::solve::<4>(&chain, &reduced, &Stop::default()).unwrap().0;
            agree(&direct, &narrow, &format!("4 lanes, order {order}"));
            let swept = sweeps::lost(&mut chain, order, &Stop::default()).unwrap().0;
            agree(&direct, &swept, &format!("order {order}"));
        }
    }

    /// Two crowds go round the same channels in opposite directions, for long: which of the two it is, the newest
    /// touch does not tell, so that coarse corrections are of little help. Two more channels are met by few of one.
    #[test]
    fn long_memories_are_solved_too() {
        let mut builder = PathsBuilder::default();
        let mut push = |path: Vec<u32>, conversions, nulls| {
            let channels: Vec<_> = path.into_iter().map(ChannelId).collect();
            let value = 3.0 * conversions - 1.0;
            builder.push(PathRef { channels: &channels, ages: None, conversions, value, nulls });
        };
        push((0..3000).map(|touch| touch % 9).collect(), 4.0, 1.0);
        push((0..3000).map(|touch| 8 - touch % 9).collect(), 1.0, 7.0);
        push([9].into_iter().chain((0..40).map(|touch| touch % 9)).collect(), 2.0, 5.0);
        push((0..40).map(|touch| touch % 9).chain([0, 8, 10, 8, 7, 6]).collect(), 1.0, 1.0);
        let paths = builder.finish();
        let (mut chain, direct) = chain(&paths, 2);
        let (swept, solver) = sweeps::lost(&mut chain, 2, &Stop::default()).unwrap();
        agree(&direct, &swept, "crowds");
        let Solver::Iterative { sweeps, residual } = solver else { panic!("{solver:?}") };
        assert!(sweeps < 5000 && residual <= 1e-13, "{sweeps} sweeps, {residual}");
    }
}
