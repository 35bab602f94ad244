//! Bagged logistic regression.
mod bag;
mod regression;

use super::{count, normalise, shapley::uses};
use crate::{
    AttributionModel, Diagnostics, Error, FittedModel, LogisticDiagnostics, Result, Stop, attribute::total_where,
    names::by_name, random::Random,
};
use bag::{Bag, Set};
use rayon::prelude::*;
use safar_model::{ChannelId, PathRef, Paths};

/// The bagged logistic regression of Shao and Li (2011), section 3.1.
///
/// The log-odds that a person converts are an intercept plus one coefficient for each channel that the path holds,
/// once or more often. Each of `bags` regressions sees half of the people and half of the channels, both drawn (the
/// halves that the paper finds best); a channel's coefficient is the mean over the regressions that saw it. The
/// coefficients are penalised by `l2` / 2 × their squares; half a conversion and half a loss without channels keep
/// the intercept finite where everybody converts.
///
/// The paper stops at coefficients. Here a path's conversions are shared by what its channels take off the log-odds
/// when they are left out: their positive coefficients over the sum of those, each shared equally by the channel's
/// touches. Where no channel of a path raises the odds, its channels share equally: without people who met no channel
/// the intercept is a guess, and so is how far below it everybody is. [`LogisticDiagnostics::even`] says how much that
/// was; where it is much, the regression tells little.
///
/// [`FittedModel::probability`] is the mean of what the regressions say.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"logistic:bags=20,seed=1".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let (a, b) = (credits[0].conversions, credits[1].conversions);
/// assert!((a + b - 80.0).abs() < 1e-9 && a < b);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Logistic {
    /// Regressions, at least 1.
    pub bags: u32,
    /// Penalty, in people; above 0.
    pub l2: f64,
    /// Of the draws.
    pub seed: u64,
}

/// A regression's matrix would be large beyond, and minutes would pass.
const CHANNELS_MAX: usize = 1000;

struct Fitted {
    bags: Vec<Bag>,
    diagnostics: LogisticDiagnostics,
}

impl AttributionModel for Logistic {
    fn fit_until(&self, paths: &Paths, channels: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>> {
        let mut present = vec![false; channels.len()];
        paths.touches().iter().for_each(|channel| present[channel.0 as usize] = true);
        let features: Vec<_> = by_name(channels).into_iter().filter(|channel| present[*channel]).collect();
        if features.len() > CHANNELS_MAX {
            let (most, got) = (CHANNELS_MAX, features.len());
            return Err(Error::TooManyChannels { model: "logistic", unit: "channels", most, got });
        }
        let sets = Set::of(paths, &features, channels.len(), stop)?;
        let draw = |bag: u32| Bag::fit(&sets, features.len(), self.l2, Random::new(self.seed, u64::from(bag)), stop);
        let mut bags: Vec<_> = (0..self.bags.max(1)).into_par_iter().map(draw).collect::<Result<_>>()?;

        let mut coefficients = vec![0.0; channels.len()];
        for (feature, channel) in features.iter().enumerate() {
            let seen = bags.iter().filter_map(|bag| bag.coefficients[feature]);
            let (sum, times) = seen.fold((0.0, 0), |(sum, times), coefficient| (sum + coefficient, times + 1));
            coefficients[*channel] = if times > 0 { sum / count(times) } else { 0.0 };
        }
        let helps = |path: &PathRef<'_>| path.channels.iter().any(|channel| coefficients[channel.0 as usize] > 0.0);
        let diagnostics = LogisticDiagnostics {
            even: total_where(paths, |path| !path.channels.is_empty() && !helps(&path)),
            intercept: bags.iter().map(|bag| bag.intercept).sum::<f64>() / count(bags.len()),
            coefficients,
            bags: bags.len(),
            seed: self.seed,
            unsettled: bags.iter().filter(|bag| !bag.settled).count(),
        };
        bags.iter_mut().for_each(|bag| bag.number_by_channel(&features, channels.len()));
        Ok(Box::new(Fitted { bags, diagnostics }))
    }
}

/// The distinct channels of a path.
fn distinct(path: &[ChannelId]) -> impl Iterator<Item = usize> + Clone {
    let firsts = path.iter().enumerate().filter(|(place, channel)| !path[..*place].contains(channel));
    firsts.map(|(_, channel)| channel.0 as usize)
}

impl FittedModel for Fitted {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        for ((share, channel), uses) in shares.iter_mut().zip(path.channels).zip(uses(path.channels)) {
            *share = self.diagnostics.coefficients[channel.0 as usize].max(0.0) / count(uses);
        }
        if shares.iter().all(|share| *share == 0.0) {
            shares.iter_mut().zip(uses(path.channels)).for_each(|(share, uses)| *share = 1.0 / count(uses));
        }
        normalise(shares);
    }

    fn probability(&self, path: PathRef<'_>) -> Option<f64> {
        let distinct = distinct(path.channels);
        let chance = |bag: &Bag| {
            let lifts = distinct.clone().filter_map(|channel| bag.coefficients[channel]);
            regression::chance(bag.intercept + lifts.sum::<f64>())
        };
        Some(self.bags.iter().map(chance).sum::<f64>() / count(self.bags.len()))
    }

    fn diagnostics(&self) -> Diagnostics {
        Diagnostics { logistic: Some(self.diagnostics.clone()), ..Diagnostics::default() }
    }
}
