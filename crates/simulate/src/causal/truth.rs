//! What advertising really did: the same people in every world of channels switched on and off.
use super::{ADS, CHANNELS, draws::Draws, life::Rules, process::Process};
use rayon::prelude::*;
use serde::Serialize;

/// How many worlds there are: one for every set of channels.
const WORLDS: usize = 1 << ADS;
/// People in one unit of parallel work.
const CHUNK: u32 = 1 << 10;

/// What every channel really did to a number of people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truth {
    /// The channels that can be switched off, in the order of the numbers below.
    pub channels: [&'static str; ADS],
    /// How many people.
    pub people: u32,
    /// Of the draws.
    pub seed: u64,
    /// With all channels on.
    pub conversions: u64,
    /// With all channels off.
    pub conversions_without: u64,
    /// By channel: conversions that are lost when it alone is switched off.
    pub removal: [f64; ADS],
    /// By channel: its Shapley value over all 64 worlds; they sum to [`Truth::incremental`].
    pub shapley: [f64; ADS],
}

impl Truth {
    /// Lives every life in all 64 worlds, each with the same luck, on all threads.
    ///
    /// ```
    /// use safar_simulate::causal::{Truth, scenario};
    /// let truth = Truth::of(&scenario("S0").unwrap().process, 2_000, 1);
    /// let sum: f64 = truth.shapley.iter().sum();
    /// assert!(truth.incremental() > 0.0 && (sum - truth.incremental()).abs() < 1e-9);
    /// // Where advertising does nothing, nothing is lost without it.
    /// let idle = Truth::of(&scenario("S4").unwrap().process, 500, 1);
    /// assert_eq!((idle.incremental(), idle.removal), (0.0, [0.0; 6]));
    /// ```
    #[must_use]
    pub fn of(process: &Process, people: u32, seed: u64) -> Self {
        let counts = count(process, people, seed);
        let worth = |on: usize| counts[on] as f64;
        let all = WORLDS - 1;
        let mut removal = [0.0; ADS];
        let mut shapley = [0.0; ADS];
        for ad in 0..ADS {
            removal[ad] = worth(all) - worth(all ^ (1 << ad));
            for without in (0..WORLDS).filter(|on| on & (1 << ad) == 0) {
                let others = without.count_ones() as usize;
                shapley[ad] += (worth(without | 1 << ad) - worth(without)) * orders(others);
            }
        }
        let [conversions, conversions_without] = [counts[all], counts[0]];
        let mut channels = [""; ADS];
        channels.copy_from_slice(&CHANNELS[..ADS]);
        Self { channels, people, seed, conversions, conversions_without, removal, shapley }
    }

    /// Conversions that would not have been without advertising.
    ///
    /// ```
    /// use safar_simulate::causal::{Truth, scenario};
    /// let truth = Truth::of(&scenario("S5").unwrap().process, 300, 2);
    /// assert_eq!(truth.incremental(), truth.conversions as f64 - truth.conversions_without as f64);
    /// ```
    #[must_use]
    pub fn incremental(&self) -> f64 {
        self.conversions as f64 - self.conversions_without as f64
    }
}

/// The share of all orders of the channels in which exactly these `others` come before a given one.
fn orders(others: usize) -> f64 {
    let factorial = |n: usize| (1..=n).product::<usize>() as f64;
    factorial(others) * factorial(ADS - 1 - others) / factorial(ADS)
}

/// Conversions in every world.
fn count(process: &Process, people: u32, seed: u64) -> Vec<u64> {
    let rules = Rules::new(process);
    let chunk = |chunk: u32| {
        let mut counts = vec![0_u64; WORLDS];
        let mut draws = Draws::default();
        for person in chunk * CHUNK..((chunk + 1) * CHUNK).min(people) {
            draws.draw(process, seed, u64::from(person));
            let never = process.never(&draws);
            for (on, count) in counts.iter_mut().enumerate() {
                *count += u64::from(rules.live(&draws, on as u32 & !never, |_| ()).is_some());
            }
        }
        counts
    };
    (0..people.div_ceil(CHUNK)).into_par_iter().map(chunk).reduce(
        || vec![0; WORLDS],
        |mut sums, part| {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            sums
        },
    )
}
