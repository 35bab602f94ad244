use super::markov::{chain::Chain, direct};
use super::{count, normalise};
use crate::{AttributionModel, Credit, Error, FittedModel, Result, sum::Sum};
use rayon::prelude::*;
use safar_model::{PathRef, Paths};

/// Shapley values of the game in which a set of channels earns what a Markov chain converts when every state that
/// holds another channel leads to a loss. Exact: every set is solved, so channels are few.
#[derive(Clone, Copy, Debug)]
pub struct ShapleyMarkov {
    /// Of the chain, at least 1.
    pub order: u32,
}

/// Sets of more channels would not fit in memory.
const CHANNELS_MAX: usize = 20;
/// Multiplications that a game may cost, minutes at most.
const COST_MAX: f64 = 1e12;

struct Fitted {
    credits: Vec<Credit>,
}

impl AttributionModel for ShapleyMarkov {
    fn fit(&self, paths: &Paths, channels: &[String]) -> Result<Box<dyn FittedModel>> {
        let order = self.order.max(1) as usize;
        let chain = Chain::count(paths, channels.len(), order);
        let mut players: Vec<_> = paths.touches().iter().map(|channel| channel.0 as usize).collect();
        players.sort_unstable();
        players.dedup();
        let n = players.len();
        let affordable = (COST_MAX / (count(chain.states()).powi(3) / 3.0 + 100.0)).log2().max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 40")]
        let most = CHANNELS_MAX.min(affordable as usize);
        if n > most {
            return Err(Error::TooManyChannels { model: "shapley_markov", unit: "channels here", most, got: n });
        }
        let mut bit_of = vec![0_usize; channels.len()];
        players.iter().enumerate().for_each(|(bit, channel)| bit_of[*channel] = 1 << bit);

        // Paths shorter than a state are earned by every set that covers them.
        let mut short = vec![Credit::default(); 1 << n];
        let counted = |path: &PathRef<'_>| path.conversions + path.nulls > 0.0;
        for path in paths.iter().filter(|path| counted(path) && (1..order).contains(&path.channels.len())) {
            let earned = &mut short[path.channels.iter().fold(0, |set, channel| set | bit_of[channel.0 as usize])];
            earned.conversions += path.conversions;
            earned.value += path.value;
        }
        for bit in 0..n {
            for set in (0..1 << n).filter(|set| set >> bit & 1 == 1) {
                let without = short[set ^ (1 << bit)];
                short[set].conversions += without.conversions;
                short[set].value += without.value;
            }
        }
        let all_short = short[(1 << n) - 1];
        let all = Credit {
            conversions: chain.seen.conversions - all_short.conversions,
            value: chain.seen.value - all_short.value,
        };
        let worth = (0..1_usize << n).into_par_iter().map(|set| {
            let lost = direct::lost(&chain, |channel| set & bit_of[channel] == 0);
            Credit {
                conversions: all.conversions - lost.conversions + short[set].conversions,
                value: all.value - lost.value + short[set].value,
            }
        });
        let worth: Vec<Credit> = worth.collect();
        let mut credits = vec![Credit::default(); channels.len()];
        // A set of s others is met with the chance s! (n − s − 1)! / n!.
        let mut chance = vec![1.0 / count(n.max(1)); n];
        (1..n).for_each(|s| chance[s] = chance[s - 1] * count(s) / count(n - s));
        for (bit, channel) in players.iter().enumerate() {
            let (mut conversions, mut value) = (Sum::default(), Sum::default());
            for set in (0..1_usize << n).filter(|set| set >> bit & 1 == 0) {
                let (with, without) = (worth[set | 1 << bit], worth[set]);
                let chance = chance[set.count_ones() as usize];
                conversions.add(chance * (with.conversions - without.conversions));
                value.add(chance * (with.value - without.value));
            }
            credits[*channel] = Credit { conversions: conversions.get(), value: value.get() };
        }
        Ok(Box::new(Fitted { credits }))
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

    fn credits(&self, _: &Paths, _: usize) -> Vec<Credit> {
        self.credits.clone()
    }
}
