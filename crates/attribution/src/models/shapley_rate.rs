use super::{count, shapley::uses};
use crate::{AttributionModel, FittedModel, Result};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;
use safar_model::{ChannelId, PathRef, Paths};
use std::collections::BTreeMap;

/// Shapley values of conversion rates: a set of channels is worth the conversion rate of the paths with exactly these
/// channels, within each set that converts; the values are scaled to the set's conversions (as DP6's
/// marketing_attribution_models does, and Google's Ads Data Hub describes).
///
/// A channel that does worse in company than alone can get negative credit. Where the rates of a set cancel to
/// nothing, its channels share equally.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"shapley_rate".parse().unwrap(), &paths, &channels).unwrap().credits;
/// // On A > B, A adds (10 % + 50 % − 20 %) / 2 and B adds (20 % + 50 % − 10 %) / 2: two parts and three of 50.
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [30.0, 50.0]);
/// ```
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
        let rates = Rates { table: rates.iter().copied().collect(), list: rates };
        let parts = rates.list.par_iter().map(|(set, _)| (set.to_vec(), rates.parts(set))).collect::<Vec<_>>();
        Ok(Box::new(Fitted { most, parts: parts.into_iter().collect() }))
    }
}

/// Conversion rates of the sets that convert: in order, and to look up.
struct Rates<'a> {
    list: Vec<(&'a [ChannelId], f64)>,
    table: HashMap<&'a [ChannelId], f64, FixedState>,
}

fn set(path: &[ChannelId]) -> Set {
    let mut set = path.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}

impl Rates<'_> {
    /// Each channel's part of what `set` converts.
    fn parts(&self, set: &[ChannelId]) -> Vec<f64> {
        let mut values = vec![0.0; set.len()];
        let mut is_member = vec![false; set.len()];
        // All sets within this one, or all sets there are, whichever are fewer.
        if set.len() < 32 && 1 << set.len() <= self.list.len() {
            let mut within = vec![];
            for members in 1_u32..1 << set.len() {
                is_member.iter_mut().enumerate().for_each(|(place, is)| *is = members >> place & 1 == 1);
                within.clear();
                within.extend(set.iter().zip(&is_member).filter(|(_, is)| **is).map(|(channel, _)| *channel));
                if let Some(rate) = self.table.get(within.as_slice()) {
                    add(&mut values, &is_member, within.len(), *rate);
                }
            }
        } else {
            for (other, rate) in self.list.iter().filter(|(other, _)| !other.is_empty()) {
                if find(set, other, &mut is_member) {
                    add(&mut values, &is_member, other.len(), *rate);
                }
            }
        }
        let (sum, size) = values.iter().fold((0.0, 0.0), |(sum, size), value| (sum + value, size + f64::abs(*value)));
        if sum <= 1e-12 * size {
            return vec![1.0 / count(set.len()); set.len()];
        }
        values.iter().map(|value| value / sum).collect()
    }
}

/// Whether `other` is within `set`, both ascending; then `is_member` says which channels of `set` are in it.
fn find(set: &[ChannelId], other: &[ChannelId], is_member: &mut [bool]) -> bool {
    is_member.fill(false);
    let mut place = 0;
    other.len() <= set.len()
        && other.iter().all(|channel| {
            while place < set.len() && set[place] < *channel {
                place += 1;
            }
            let found = place < set.len() && set[place] == *channel;
            if found {
                is_member[place] = true;
            }
            found
        })
}

/// A set of t out of n with rate v adds v × (t − 1)! (n − t)! / n! to its members and takes v × t! (n − t − 1)! / n!
/// from the others.
fn add(values: &mut [f64], is_member: &[bool], t: usize, rate: f64) {
    // These are 1 / (t × n over t) and 1 / ((n − t) × n over t).
    let n = values.len();
    let over = (1..=t).fold(1.0, |over, i| over * count(n - t + i) / count(i));
    let (gain, loss) = (rate / (count(t) * over), if t < n { rate / (count(n - t) * over) } else { 0.0 });
    values.iter_mut().zip(is_member).for_each(|(value, is)| *value += if *is { gain } else { -loss });
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
