//! Shapley values of what a Markov chain converts.
mod exact;
mod game;
mod sampled;

use super::normalise;
use crate::{AttributionModel, Credit, Diagnostics, FittedModel, Result, SampledDiagnostics};
use game::Game;
use safar_model::{PathRef, Paths};

/// Shapley values of the game in which a set of channels earns what a Markov chain converts when every state that
/// holds another channel leads to a loss.
///
/// Exact where every set can be solved: up to 20 channels, fewer in large chains. Beyond, and on request, the mean of
/// what each channel adds over random orders of the channels, drawn in pairs of an order and its reverse (Castro,
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
    /// How many orders of the channels are drawn, at least 4, rounded up to even. Where not given: exact, or
    /// [`ShapleyMarkov::SAMPLES`] where that is out of reach.
    pub samples: Option<u32>,
    /// Of the draws.
    pub seed: u64,
}

impl ShapleyMarkov {
    /// How many orders are drawn where the exact values are out of reach and no number is given.
    pub const SAMPLES: u32 = 1000;
}

struct Fitted {
    credits: Vec<Credit>,
    sampled: Option<SampledDiagnostics>,
}

impl AttributionModel for ShapleyMarkov {
    fn fit(&self, paths: &Paths, channels: &[String]) -> Result<Box<dyn FittedModel>> {
        let game = Game::new(paths, channels, self.order.max(1) as usize);
        let samples = match self.samples {
            None if game.players.len() <= exact::most(&game) => None,
            None => Some(Self::SAMPLES),
            Some(samples) => Some(samples),
        };
        let Some(samples) = samples else {
            let credits = game.by_channel(&exact::values(&game));
            return Ok(Box::new(Fitted { credits, sampled: None }));
        };
        let drawn = sampled::values(&game, samples, self.seed)?;
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

    fn credits(&self, _: &Paths, _: usize) -> Vec<Credit> {
        self.credits.clone()
    }

    fn diagnostics(&self) -> Diagnostics {
        Diagnostics { sampled: self.sampled.clone(), ..Diagnostics::default() }
    }
}
