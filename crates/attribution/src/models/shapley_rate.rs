use super::{count, shapley::uses};
use crate::{AttributionModel, Error, FittedModel, Result, Stop};
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
    /// Paths of more distinct channels stay unattributed; no limit where not given, but see [`ShapleyRate::STEPS_MAX`].
    pub most: Option<usize>,
}

impl ShapleyRate {
    /// How many steps may be taken in all, a minute or two. For each set that converts, those within it are looked up, 8 steps
    /// each, or all sets that convert are gone over, whichever are fewer. Data that need more are refused
    /// ([`Error::TooManySets`]) with a limit that would do.
    pub const STEPS_MAX: f64 = 1e10;
}

type Set = Vec<ChannelId>;

struct Fitted {
    most: usize,
    /// By set of channels, ascending: each one's part of the set's conversions.
    parts: HashMap<Set, Vec<f64>, FixedState>,
}

impl AttributionModel for ShapleyRate {
    fn fit_until(&self, paths: &Paths, _: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>> {
        let most = self.most.unwrap_or(usize::MAX);
        let mut counts = Counts::new();
        for path in paths.iter() {
            stop.check()?;
            add_path(&mut counts, path);
        }
        let rates = counts.iter().filter(|(set, (converted, _))| *converted > 0.0 && set.len() <= most);
        let rates: Vec<_> = rates.map(|(set, (converted, all))| (set.as_slice(), converted / all)).collect();
        affordable(&rates)?;
        let rates = Rates { table: rates.iter().copied().collect(), list: rates };
        let parts = rates.list.par_iter().map(|(set, _)| Ok((set.to_vec(), rates.parts(set, stop)?)));
        let parts: Vec<_> = parts.collect::<Result<_>>()?;
        Ok(Box::new(Fitted { most, parts: parts.into_iter().collect() }))
    }
}

/// How often sets are looked up where those of more than `most` channels are left out; `sizes` counts sets by theirs.
fn steps(sizes: &[usize], most: usize) -> f64 {
    let sets = sizes[..=most.min(sizes.len() - 1)].iter().sum::<usize>();
    // Looking a set up costs as much as passing by several.
    let each = |size: usize| if is_enumerated(size, sets) { 8.0 * count(1 << size) } else { count(sets) };
    sizes.iter().enumerate().take(most.saturating_add(1)).map(|(size, sets)| count(*sets) * each(size)).sum()
}

/// Whether all sets within one of `size` channels are fewer than the `sets` there are.
fn is_enumerated(size: usize, sets: usize) -> bool {
    size < 32 && 1 << size <= sets
}

/// Refuses what would take too long.
fn affordable(rates: &[(&[ChannelId], f64)]) -> Result<()> {
    let mut sizes = vec![0; rates.iter().map(|(set, _)| set.len()).max().unwrap_or(0) + 1];
    rates.iter().for_each(|(set, _)| sizes[set.len()] += 1);
    let largest = sizes.len() - 1;
    let needed = steps(&sizes, largest);
    if needed <= ShapleyRate::STEPS_MAX {
        return Ok(());
    }
    let most = (1..largest).rev().find(|most| steps(&sizes, *most) <= ShapleyRate::STEPS_MAX).unwrap_or(1);
    Err(Error::TooManySets { model: "shapley_rate", sets: rates.len(), steps: needed, most })
}

/// Conversion rates of the sets that convert: in order, and to look up.
struct Rates<'a> {
    list: Vec<(&'a [ChannelId], f64)>,
    table: HashMap<&'a [ChannelId], f64, FixedState>,
}

/// By set of channels: conversions, and all who walked it.
type Counts = BTreeMap<Set, (f64, f64)>;

fn add_path(counts: &mut Counts, path: PathRef<'_>) {
    let (converted, all) = counts.entry(set(path.channels)).or_default();
    *converted += path.conversions;
    *all += path.conversions + path.nulls;
}

fn set(path: &[ChannelId]) -> Set {
    let mut set = path.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}

impl Rates<'_> {
    /// Each channel's part of what `set` converts.
    fn parts(&self, set: &[ChannelId], stop: &Stop) -> Result<Vec<f64>> {
        let values = self.values(set, stop)?;
        let (sum, size) = values.iter().fold((0.0, 0.0), |(sum, size), value| (sum + value, size + f64::abs(*value)));
        if sum <= 1e-12 * size {
            return Ok(vec![1.0 / count(set.len()); set.len()]);
        }
        Ok(values.iter().map(|value| value / sum).collect())
    }

    /// The Shapley value of each channel of `set` in the game in which each set within it is worth its rate.
    fn values(&self, set: &[ChannelId], stop: &Stop) -> Result<Vec<f64>> {
        let mut values = vec![0.0; set.len()];
        // All sets within this one, or all sets there are, whichever are fewer.
        if !is_enumerated(set.len(), self.list.len()) {
            for some in self.list.chunks(1024) {
                stop.check()?;
                scan(some, set, &mut values);
            }
            return Ok(values);
        }
        let mut is_member = vec![false; set.len()];
        let mut within = vec![];
        stop.each(1..1 << set.len(), |members| {
            is_member.iter_mut().enumerate().for_each(|(place, is)| *is = members >> place & 1 == 1);
            within.clear();
            within.extend(set.iter().zip(&is_member).filter(|(_, is)| **is).map(|(channel, _)| *channel));
            if let Some(rate) = self.table.get(within.as_slice()) {
                add(&mut values, &is_member, within.len(), *rate);
            }
        })?;
        Ok(values)
    }
}

/// Adds to the values of the channels of `set` what those of the `others` that are within it are worth.
fn scan(others: &[(&[ChannelId], f64)], set: &[ChannelId], values: &mut [f64]) {
    let mut is_member = vec![false; set.len()];
    for (other, rate) in others.iter().filter(|(other, _)| !other.is_empty()) {
        if find(set, other, &mut is_member) {
            add(values, &is_member, other.len(), *rate);
        }
    }
}

/// What a set of channels is worth in [`exact_set_values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExactSet {
    /// The conversions of the paths with exactly these channels.
    Conversions,
    /// The conversion rate of these paths.
    Rate,
}

/// By channel: its Shapley value in the game of all channels of `paths` in which a set is worth what the paths with exactly
/// these channels have, and nothing where there are none. Not scaled to conversions, and negative for many: what the paths of
/// smaller sets have is not counted for the larger ones. Some tools call this their Shapley model; [`ShapleyRate`] plays the
/// game of rates within each set that converts.
///
/// The sum of the values is what the set of all channels is worth. Channels that no path holds are no players, and have 0.
///
/// ```
/// # use safar_attribution::{ReadOptions, read_paths};
/// use safar_attribution::models::{ExactSet, exact_set_values};
/// let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // A adds 10 to nobody and 50 − 20 to B; B adds 20 and 50 − 10.
/// assert_eq!(exact_set_values(&paths, channels.len(), ExactSet::Conversions), [20.0, 30.0]);
/// ```
#[must_use]
pub fn exact_set_values(paths: &Paths, channels: usize, of: ExactSet) -> Vec<f64> {
    let mut all: Set = paths.touches().to_vec();
    all.sort_unstable();
    all.dedup();
    let mut counts = Counts::new();
    paths.iter().for_each(|path| add_path(&mut counts, path));
    let worth = |(converted, people): &(f64, f64)| match of {
        ExactSet::Conversions => *converted,
        ExactSet::Rate => converted / people,
    };
    let list = counts.iter().filter(|(_, (converted, _))| *converted > 0.0);
    let list: Vec<_> = list.map(|(set, counts)| (set.as_slice(), worth(counts))).collect();
    // One game: every set is looked at once.
    let mut values = vec![0.0; all.len()];
    scan(&list, &all, &mut values);
    let mut by_channel = vec![0.0; channels.max(paths.channel_count())];
    all.iter().zip(values).for_each(|(channel, value)| by_channel[channel.0 as usize] = value);
    by_channel
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
