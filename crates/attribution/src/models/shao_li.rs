use super::{count, normalise};
use crate::{
    AttributionModel, Credit, Diagnostics, FittedModel, Result, Stop, attribute::total_where, sum::Sum, sum::sum,
};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use safar_model::{ChannelId, PathRef, Paths};

/// The second-order probabilistic model of Shao and Li (2011), equations 2 and 3, path by path.
///
/// Channel i of a path with the distinct channels S earns, for each conversion,
/// p(i) + Σ_j (p(i, j) − p(i) − p(j)) / (2 (|S| − 1)) over the others j, where p is the conversion rate of the paths
/// that hold i, or i and j. Those sums ([`Diagnostics::raw`]) are no conversions; credits are scaled to sum to the
/// conversions of paths with a touch. Where the sums cancel to 0, everything stays unattributed.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"shao_li".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [33.0, 47.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ShaoLi;

struct Fitted {
    rates: HashMap<(ChannelId, ChannelId), f64, FixedState>,
    raw: Vec<Credit>,
    total: Credit,
}

impl AttributionModel for ShaoLi {
    fn fit_until(&self, paths: &Paths, channels: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>> {
        let mut counts = HashMap::<(ChannelId, ChannelId), (f64, f64), FixedState>::default();
        for path in paths.iter() {
            stop.check()?;
            let set = set(path.channels);
            // A channel alone stands as the pair with itself.
            for (place, first) in set.iter().enumerate() {
                for second in &set[place..] {
                    let (converted, all) = counts.entry((*first, *second)).or_default();
                    *converted += path.conversions;
                    *all += path.conversions + path.nulls;
                }
            }
        }
        let counts = counts.into_iter().filter(|(_, (_, all))| *all > 0.0);
        let rates = counts.map(|(pair, (converted, all))| (pair, converted / all)).collect();
        let mut fitted = Fitted { rates, raw: vec![], total: total_where(paths, |path| !path.channels.is_empty()) };
        let mut sums = vec![(Sum::default(), Sum::default()); channels.len()];
        for path in paths.iter().filter(|path| path.conversions != 0.0 || path.value != 0.0) {
            stop.check()?;
            for (channel, worth) in fitted.worth(path.channels) {
                let (conversions, value) = &mut sums[channel.0 as usize];
                conversions.add(worth * path.conversions);
                value.add(worth * path.value);
            }
        }
        let raw =
            sums.into_iter().map(|(conversions, value)| Credit { conversions: conversions.get(), value: value.get() });
        fitted.raw = raw.collect();
        Ok(Box::new(fitted))
    }
}

fn set(path: &[ChannelId]) -> Vec<ChannelId> {
    let mut set = path.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}

impl Fitted {
    /// What each distinct channel of a path earns for a conversion, before scaling.
    fn worth(&self, path: &[ChannelId]) -> Vec<(ChannelId, f64)> {
        let set = set(path);
        let rate = |a: ChannelId, b: ChannelId| self.rates.get(&(a.min(b), a.max(b))).copied().unwrap_or(0.0);
        let worth = |one: &ChannelId| {
            let others = set.iter().filter(|other| *other != one);
            let gained = sum(others.map(|other| rate(*one, *other) - rate(*one, *one) - rate(*other, *other)));
            (*one, rate(*one, *one) + gained / count(2 * (set.len() - 1).max(1)))
        };
        set.iter().map(worth).collect()
    }
}

impl FittedModel for Fitted {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        let worth = self.worth(path.channels);
        for (share, (channel, uses)) in
            shares.iter_mut().zip(path.channels.iter().zip(super::shapley::uses(path.channels)))
        {
            let own = worth.iter().find(|(other, _)| other == channel).map_or(0.0, |(_, worth)| *worth);
            *share = own.max(0.0) / count(uses);
        }
        normalise(shares);
    }

    fn is_per_touch(&self) -> bool {
        false
    }

    fn credits_until(&self, _: &Paths, _: usize, _: &Stop) -> Result<Vec<Credit>> {
        let factor = |of: fn(&Credit) -> f64, total: f64| {
            let (all, size) = (sum(self.raw.iter().map(of)), sum(self.raw.iter().map(|raw| of(raw).abs())));
            if all.abs() > 1e-12 * size { total / all } else { 0.0 }
        };
        let conversions = factor(|raw| raw.conversions, self.total.conversions);
        let value = factor(|raw| raw.value, self.total.value);
        let scaled = |raw: &Credit| Credit { conversions: raw.conversions * conversions, value: raw.value * value };
        Ok(self.raw.iter().map(scaled).collect())
    }

    fn diagnostics(&self) -> Diagnostics {
        let raw = self.raw.iter().map(|raw| raw.conversions).collect();
        Diagnostics { raw: Some(raw), ..Diagnostics::default() }
    }
}
