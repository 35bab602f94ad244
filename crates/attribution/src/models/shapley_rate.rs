use super::{count, shapley::uses};
use crate::{AttributionModel, FittedModel, Result};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use safar_model::{ChannelId, PathRef, Paths};
use std::collections::BTreeMap;

/// Shapley values of conversion rates: a set of channels is worth the conversion rate of the paths with exactly these
/// channels, within each set that converts; the values are scaled to the set's conversions (as DP6's
/// marketing_attribution_models does, and Google's Ads Data Hub describes).
///
/// A channel that does worse in company than alone can get negative credit. Where the rates of a set cancel to
/// nothing, its channels share equally.
#[derive(Clone, Copy, Debug)]
pub struct ShapleyRate {
    /// Paths of more distinct channels stay unattributed; no limit where not given.
    pub most: Option<usize>,
}

type Set = Vec<ChannelId>;

struct Fitted {
    most: usize,
    /// By set of channels, ascending: each one's part of the set's conversions.
    parts: HashMap<Set, Vec<f64>, FixedState>,
}

impl AttributionModel for ShapleyRate {
    fn fit(&self, paths: &Paths, _: &[String]) -> Result<Box<dyn FittedModel>> {
        let most = self.most.unwrap_or(usize::MAX);
        let mut counts = BTreeMap::<Set, (f64, f64)>::new();
        for path in paths.iter() {
            let (converted, all) = counts.entry(set(path.channels)).or_default();
            *converted += path.conversions;
            *all += path.conversions + path.nulls;
        }
        let rates = counts.iter().filter(|(set, (converted, _))| *converted > 0.0 && set.len() <= most);
        let rates: Vec<_> = rates.map(|(set, (converted, all))| (set.as_slice(), converted / all)).collect();
        let parts = rates.iter().map(|(set, _)| (set.to_vec(), parts(set, &rates))).collect();
        Ok(Box::new(Fitted { most, parts }))
    }
}

fn set(path: &[ChannelId]) -> Set {
    let mut set = path.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}

/// Each channel's part of what `set` converts. A set T within it with rate v(T) adds v(T) × (t − 1)! (n − t)! / n! to
/// its members and takes v(T) × t! (n − t − 1)! / n! from the others.
fn parts(set: &[ChannelId], rates: &[(&[ChannelId], f64)]) -> Vec<f64> {
    let n = set.len();
    let mut values = vec![0.0; n];
    let mut is_member = vec![false; n];
    for (other, rate) in rates.iter().filter(|(other, _)| !other.is_empty() && other.len() <= n) {
        is_member.fill(false);
        let mut place = 0;
        let within = other.iter().all(|channel| {
            while place < n && set[place] < *channel {
                place += 1;
            }
            let found = place < n && set[place] == *channel;
            if found {
                is_member[place] = true;
            }
            found
        });
        if within {
            // (t − 1)! (n − t)! / n! = 1 / (t × n over t), and the other is 1 / ((n − t) × n over t).
            let t = other.len();
            let over = (1..=t).fold(1.0, |over, i| over * count(n - t + i) / count(i));
            let (gain, loss) = (rate / (count(t) * over), if t < n { rate / (count(n - t) * over) } else { 0.0 });
            values.iter_mut().zip(&is_member).for_each(|(value, is)| *value += if *is { gain } else { -loss });
        }
    }
    let (sum, size) = values.iter().fold((0.0, 0.0), |(sum, size), value| (sum + value, size + f64::abs(*value)));
    if sum <= 1e-12 * size {
        return vec![1.0 / count(n); n];
    }
    values.iter().map(|value| value / sum).collect()
}

impl FittedModel for Fitted {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        let set = set(path.channels);
        if set.len() > self.most {
            return;
        }
        let parts = self.parts.get(&set);
        for ((share, channel), uses) in shares.iter_mut().zip(path.channels).zip(uses(path.channels)) {
            // Value without conversions has no rate to go by and is shared equally.
            let place = set.binary_search(channel).unwrap_or(0);
            *share = parts.map_or(1.0 / count(set.len()), |parts| parts[place]) / count(uses);
        }
    }
}
