//! Shapley values of what a Markov chain converts.
mod exact;
mod game;
mod order;
mod sampled;

use super::normalise;
use crate::{AttributionModel, Credit, Diagnostics, FittedModel, Result, SampledDiagnostics, Stop};
use game::Game;
use safar_model::{PathRef, Paths};

/// Shapley values of the game in which a set of channels earns what a Markov chain converts when every state that
/// holds another channel leads to a loss.
///
/// Exact where every set can be solved: up to 20 channels, of chains of order 2 too; fewer where states are thousands. Beyond,
/// and on request, the mean of what each channel adds over random orders of the channels, drawn in pairs of an order and its reverse (Castro,
/// Gómez, Tejada 2009; antithetic pairs as in Mitchell, Cooper, Frank, Holmes 2022). Each order shares all
/// conversions, so the credits sum to them either way. [`Diagnostics::sampled`] says what was drawn and how far off it
/// may be.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"shapley_markov".parse().unwrap(), &paths, &channels).unwrap().credits;
/// // Alone in the chain, A would bring 10 conversions and B 35; together they bring 80.
/// assert!((credits[0].conversions - 27.5).abs() < 1e-9 && (credits[1].conversions - 52.5).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ShapleyMarkov {
    /// Of the chain, at least 1.
    pub order: u32,
    /// How many orders of the channels are drawn, at least 4, rounded up to even. Where not given: exact, or up to
    /// [`ShapleyMarkov::SAMPLES`] where that is out of reach.
    pub samples: Option<u32>,
    /// Of the draws.
    pub seed: u64,
}

impl ShapleyMarkov {
    /// How many orders are drawn where the exact values are out of reach and no number is given; in large chains down to 100,
    /// so that it does not take more than minutes.
    pub const SAMPLES: u32 = 1000;
}

struct Fitted {
    credits: Vec<Credit>,
    sampled: Option<SampledDiagnostics>,
}

impl AttributionModel for ShapleyMarkov {
    fn fit_until(&self, paths: &Paths, channels: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>> {
        let game = Game::new(paths, channels, self.order.max(1) as usize, stop)?;
        if self.samples.is_none() && exact::pays(&game) {
            let credits = game.by_channel(&exact::values(&game, stop)?);
            return Ok(Box::new(Fitted { credits, sampled: None }));
        }
        let drawn = sampled::values(&game, self.samples, self.seed, stop)?;
        let errors = game.by_channel(&drawn.errors);
        let sampled = SampledDiagnostics { samples: drawn.samples, seed: self.seed, errors };
        Ok(Box::new(Fitted { credits: game.by_channel(&drawn.values), sampled: Some(sampled) }))
    }
}

impl FittedModel for Fitted {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        for (share, channel) in shares.iter_mut().zip(path.channels) {
            *share = self.credits[channel.0 as usize].conversions.max(0.0);
        }
        normalise(shares);
    }

    fn is_per_touch(&self) -> bool {
        false
    }

    fn credits_until(&self, _: &Paths, _: usize, _: &Stop) -> Result<Vec<Credit>> {
        Ok(self.credits.clone())
    }

    fn diagnostics(&self) -> Diagnostics {
        Diagnostics { sampled: self.sampled.clone(), ..Diagnostics::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safar_model::{ChannelId, PathsBuilder};

    fn made_up(channels: u32, rows: u32) -> (Paths, Vec<String>) {
        let mut state = 11_u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            (state >> 9) % below
        };
        let mut paths = PathsBuilder::default();
        for _ in 0..rows {
            let length = 1 + random(9);
            let path: Vec<_> = (0..length).map(|_| ChannelId(random(channels).min(random(channels)))).collect();
            let (conversions, nulls) = (f64::from(random(4)), f64::from(random(30)));
            let value = conversions * 11.0 - 5.0 * f64::from(random(3));
            paths.push(PathRef { channels: &path, ages: None, conversions, value, nulls });
        }
        (paths.finish(), (0..channels).map(|channel| format!("c{channel:02}")).collect())
    }

    fn game<'a>(paths: &'a Paths, names: &[String], order: usize) -> Game<'a> {
        Game::new(paths, names, order, &Stop::default()).unwrap()
    }

    fn close(a: Credit, b: Credit, about: &str) {
        let apart = [a.conversions - b.conversions, a.value - b.value];
        let size = 1.0 + b.conversions.abs() + b.value.abs();
        assert!(apart.iter().all(|apart| apart.abs() < 1e-9 * size), "{about}: {a:?} {b:?}");
    }

    /// Values by solving every set on its own.
    #[test]
    fn shared_work_finds_what_solving_each_set_finds() {
        for (channels, rows, order) in [(1, 9, 1), (5, 40, 1), (7, 200, 1), (7, 200, 2), (6, 90, 3), (4, 30, 6)] {
            let (paths, names) = made_up(channels, rows);
            let game = game(&paths, &names, order);
            let n = game.players.len();
            let covers = |set: usize, path: &[usize]| path.iter().all(|player| set >> player & 1 == 1);
            let worth = |set: usize| {
                let mut worth = game.worth(|player| set >> player & 1 == 1);
                for (path, credit) in game.short.iter().filter(|(path, _)| covers(set, path)) {
                    assert!(!path.is_empty());
                    worth.conversions += credit.conversions;
                    worth.value += credit.value;
                }
                worth
            };
            let found = exact::values(&game, &Stop::default()).unwrap();
            for (player, found) in found.iter().enumerate() {
                let mut want = Credit::default();
                for set in (0..1_usize << n).filter(|set| set >> player & 1 == 0) {
                    let others = set.count_ones() as usize;
                    // 1 ÷ (n × (n − 1 over others)).
                    let over = (1..=others).fold(1.0, |over, i| over * (n - i) as f64 / i as f64);
                    let chance = 1.0 / (n as f64 * over);
                    let (with, without) = (worth(set | 1 << player), worth(set));
                    want.conversions += chance * (with.conversions - without.conversions);
                    want.value += chance * (with.value - without.value);
                }
                close(*found, want, &format!("{channels} channels, order {order}, player {player}"));
            }
        }
    }

    #[test]
    fn eliminating_and_sweeping_along_an_order_find_what_solving_each_set_finds() {
        for (channels, rows, order) in [(8, 200, 1), (8, 200, 2), (6, 90, 3)] {
            let (paths, names) = made_up(channels, rows);
            let game = game(&paths, &names, order);
            let n = game.players.len();
            let place: Vec<usize> = (0..n).map(|player| (player * 5 + 2) % n).collect();
            let totals = (0..game.chain.states()).map(|state| game.chain.inflow(state));
            for solver in [order::Solver::Eliminates, order::Solver::Sweeps { totals: totals.collect() }] {
                for (at, lost) in solver.lost(&game, &place, &Stop::default()).unwrap().into_iter().enumerate() {
                    let worth = game.worth(|player| place[player] <= at);
                    let kept = Credit {
                        conversions: game.long.conversions - lost.conversions,
                        value: game.long.value - lost.value,
                    };
                    close(kept, worth, &format!("order {order}, place {at}"));
                }
            }
        }
    }

    #[test]
    fn twenty_channels_are_exact() {
        let (paths, names) = made_up(20, 400);
        for order in [1, 2] {
            let game = game(&paths, &names, order);
            assert!(game.players.len() == 20 && exact::pays(&game), "order {order}: {} states", game.chain.states());
        }
        let fitted = ShapleyMarkov { order: 1, samples: None, seed: 1 }.fit(&paths, &names).unwrap();
        assert_eq!(fitted.diagnostics().sampled, None);
        let all: f64 = fitted.credits(&paths, 20).iter().map(|credit| credit.conversions).sum();
        let conversions: f64 = paths.iter().map(|path| path.conversions).sum();
        assert!((all - conversions).abs() < 1e-9 * conversions, "{all} of {conversions}");
    }

    #[test]
    fn large_chains_are_drawn() {
        let (paths, names) = made_up(60, 8000);
        let game = game(&paths, &names, 3);
        let solver = order::Solver::new(&game, &Stop::default());
        assert!(!exact::pays(&game) && matches!(solver, Ok(order::Solver::Sweeps { .. })));
        let drawn = sampled::values(&game, Some(4), 7, &Stop::default()).unwrap();
        let all: f64 = drawn.values.iter().map(|credit| credit.conversions).sum();
        let short: f64 = game.short.iter().map(|(_, credit)| credit.conversions).sum();
        assert!((all - game.long.conversions - short).abs() < 1e-9 * all, "{all}");
    }
}
