//! What a model is, and the one way to run it.
use crate::{Error, ModelSpec, Result, Stop, WEIGHT_MAX, sum::Sum};
use rayon::prelude::*;
use safar_model::{PathRef, Paths};
use std::ops::Range;

/// What one channel (or nobody) earned.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Credit {
    /// In conversions.
    pub conversions: f64,
    /// In the currency of the paths; negative where refunds prevail.
    pub value: f64,
}

/// A way to share conversions among the touches that led to them.
///
/// ```
/// use safar_attribution::{AttributionModel, models::Linear};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value\nA > B;8;80\nB;4;60\n;1;5\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // The paths `A > B` and `B`, of 8 and 4 conversions.
/// let fitted = Linear.fit(&paths, &channels).unwrap();
/// let mut shares = [0.0; 2];
/// fitted.shares(paths.get(0), &mut shares);
/// assert_eq!(shares, [0.5, 0.5]);
/// assert_eq!(fitted.credits(&paths, 2)[1].conversions, 8.0);
/// ```
pub trait AttributionModel: Send + Sync {
    /// Learns from all paths, those that did not convert too; rule models learn nothing. `channels` names each
    /// channel by its index. The paths must be sound, as [`attribute`] checks.
    ///
    /// # Errors
    /// Where the model cannot take paths like these (too many channels for an exact game).
    fn fit(&self, paths: &Paths, channels: &[String]) -> Result<Box<dyn FittedModel>> {
        self.fit_until(paths, channels, &Stop::default())
    }

    /// The same, until `stop` is asked for.
    ///
    /// # Errors
    /// As [`AttributionModel::fit`]; [`Error::Stopped`].
    fn fit_until(&self, paths: &Paths, channels: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>>;
}

/// A model that is ready to give credit.
pub trait FittedModel: Send + Sync {
    /// Writes one share for each touch of `path`. `shares` comes zeroed and as long as `path.channels`, which is
    /// not empty. The shares of a path sum to 1, except where the model does not [conserve](FittedModel::conserves);
    /// they are all 0 where the model leaves the path unattributed.
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]);

    /// Whether a channel's credit is the sum of its touches' shares. Where it is not (Markov: credit belongs to
    /// the whole set of paths), [`shares`](FittedModel::shares) says how the model ranks the touches of one path.
    fn is_per_touch(&self) -> bool {
        true
    }

    /// Whether credits sum to the conversions, as those of every model but participation do.
    fn conserves(&self) -> bool {
        true
    }

    /// The chance, 0 to 1, that a person whose path was `path` and ended there converted; `None` where the model does
    /// not say, as rule models do not. Channels must be among those that were fitted.
    fn probability(&self, _path: PathRef<'_>) -> Option<f64> {
        None
    }

    /// The credit of each of `channels` channels over all `paths`, the same paths that were fitted.
    fn credits(&self, paths: &Paths, channels: usize) -> Vec<Credit> {
        // Nobody asks for this stop, and nothing else keeps credits back.
        self.credits_until(paths, channels, &Stop::default()).unwrap_or_default()
    }

    /// The same, until `stop` is asked for.
    ///
    /// # Errors
    /// [`Error::Stopped`] alone.
    fn credits_until(&self, paths: &Paths, channels: usize, stop: &Stop) -> Result<Vec<Credit>> {
        credits_of_shares(paths, channels, |path, shares| self.shares(path, shares), stop)
    }

    /// What the model can say about itself.
    fn diagnostics(&self) -> Diagnostics {
        Diagnostics::default()
    }
}

/// What a model can say about itself beyond its credits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics {
    /// The paths carry no times, so touches counted as one day apart and the last one as happening at the outcome.
    pub assumed_ages: bool,
    /// Of a Markov chain.
    pub markov: Option<MarkovDiagnostics>,
    /// By channel: what a model gives before it is scaled to conversions (Shao and Li).
    pub raw: Option<Vec<f64>>,
    /// Of models whose credits are means over random draws.
    pub sampled: Option<SampledDiagnostics>,
    /// Of a logistic regression.
    pub logistic: Option<LogisticDiagnostics>,
    /// Of a model of cause.
    pub hazard: Option<Box<crate::hazard::HazardDiagnostics>>,
    /// The credits sum to more than the conversions, on purpose (participation).
    pub overlapping: bool,
}

/// What a Markov chain says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkovDiagnostics {
    /// How many touches a state remembers.
    pub order: u32,
    /// How the order was chosen; `None` where it was given.
    pub choice: Option<OrderChoice>,
    /// States of the chain, without start, conversion and loss.
    pub states: usize,
    /// Probability that a path with at least one touch converts.
    pub base: f64,
    /// By channel: the part of that probability that is lost when every state holding the channel leads to a loss.
    /// All 0 where nothing converts.
    pub removal_effects: Vec<f64>,
    /// By channel: the same for expected value. All 0 where the values of all paths sum to 0.
    pub value_removal_effects: Vec<f64>,
    /// How the removal effects were found.
    pub solver: Solver,
}

/// How the order of a chain was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderChoice {
    /// Hold-out log-loss a person (natural logarithm) of order 1, 2, … Orders beyond the longest path say the same
    /// as that of its length and are left out.
    pub losses: Vec<f64>,
    /// The same when every path is given the rate of all: what remembering nothing loses.
    pub base_loss: f64,
    /// Parts that people were dealt to.
    pub folds: usize,
    /// Of the dealing.
    pub seed: u64,
}

impl OrderChoice {
    /// The order with the least loss; the lowest of those that tie.
    ///
    /// ```
    /// use safar_attribution::OrderChoice;
    /// let choice = OrderChoice { losses: vec![0.31, 0.28, 0.28, 0.3], base_loss: 0.35, folds: 8, seed: 1 };
    /// assert_eq!(choice.best(), 2);
    /// ```
    #[must_use]
    pub fn best(&self) -> u32 {
        let best = (1..).zip(&self.losses).min_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(1, |(order, _)| order)
    }
}

/// What a model says about draws behind its credits.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledDiagnostics {
    /// How many orders of the channels were drawn.
    pub samples: u32,
    /// Of the draws.
    pub seed: u64,
    /// By channel: the standard error of its credit.
    pub errors: Vec<Credit>,
}

/// What a logistic regression says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticDiagnostics {
    /// Mean log-odds of a path before its channels add theirs.
    pub intercept: f64,
    /// By channel: what its presence adds to the log-odds, mean over the regressions that saw the channel; 0 where
    /// none did.
    pub coefficients: Vec<f64>,
    /// Regressions.
    pub bags: usize,
    /// Of the draws.
    pub seed: u64,
    /// Of paths none of whose channels raises the odds: their channels shared it equally.
    pub even: Credit,
    /// Regressions that had not settled when their steps were used up.
    pub unsettled: usize,
}

/// How linear systems were solved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Solver {
    /// By elimination, exact up to rounding.
    Direct,
    /// By sweeps until rounding.
    Iterative {
        /// The most sweeps that any channel took.
        sweeps: usize,
        /// The largest estimate, over channels, of the remaining relative error.
        residual: f64,
    },
}

/// Credits of every channel, and what belongs to no channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// The model that gave them.
    pub model: ModelSpec,
    /// By channel index, one for each given name.
    pub credits: Vec<Credit>,
    /// Conversions and value of the paths with no touch, and what the model cannot share: by Markov, value where
    /// nothing converts; by `shapley_rate`, paths of more channels than its limit; by `shao_li`, sums that cancel.
    pub unattributed: Credit,
    /// What the model says about itself.
    pub diagnostics: Diagnostics,
}

/// Fits `model` to `paths` and adds up the credit of each channel. `channels` names the channels by their index.
///
/// The credits and `unattributed` sum to the conversions and the value of all paths, up to rounding (relative 1e-9).
///
/// # Errors
/// A channel without a name; counts that are negative or not finite; values that are not finite; too many channels
/// for a model that enumerates coalitions.
///
/// ```
/// use safar_attribution::attribute;
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value\nA > B;8;80\nB;4;60\n;1;5\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // `A > B` with 8 conversions, `B` with 4, and 1 that no touch came before.
/// let result = attribute(&"last".parse().unwrap(), &paths, &channels).unwrap();
/// assert_eq!((result.credits[1].conversions, result.unattributed.conversions), (12.0, 1.0));
/// let markov = attribute(&"markov".parse().unwrap(), &paths, &channels).unwrap();
/// assert_eq!(markov.diagnostics.markov.unwrap().states, 2);
/// ```
pub fn attribute(model: &ModelSpec, paths: &Paths, channels: &[String]) -> Result<Attribution> {
    attribute_until(model, paths, channels, &Stop::default())
}

/// The same, until `stop` is asked for.
///
/// # Errors
/// As [`attribute`]; [`Error::Stopped`].
///
/// ```
/// use safar_attribution::{Error, Stop, attribute_until};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value\nA > B;8;80\nB;4;60\n;1;5\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let (model, stop) = ("last".parse().unwrap(), Stop::default());
/// let result = attribute_until(&model, &paths, &channels, &stop).unwrap();
/// assert_eq!(result.credits[1].conversions, 12.0);
/// stop.stop();
/// assert_eq!(attribute_until(&model, &paths, &channels, &stop), Err(Error::Stopped));
/// ```
pub fn attribute_until(model: &ModelSpec, paths: &Paths, channels: &[String], stop: &Stop) -> Result<Attribution> {
    let fitted = fit(model, paths, channels, stop)?;
    attribution(model, fitted.as_ref(), paths, channels.len(), stop)
}

/// [`attribute_until`] of a model that was fitted to the same paths before.
///
/// # Errors
/// As [`attribute`], but for those of fitting; [`Error::Stopped`].
///
/// ```
/// use safar_attribution::{ModelSpec, Stop, attribute, attribute_fitted};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let model: ModelSpec = "markov".parse().unwrap();
/// let fitted = model.build().fit(&paths, &channels).unwrap();
/// let credits = attribute_fitted(&model, fitted.as_ref(), &paths, &channels, &Stop::default());
/// assert_eq!(credits, attribute(&model, &paths, &channels));
/// ```
pub fn attribute_fitted(
    model: &ModelSpec,
    fitted: &dyn FittedModel,
    paths: &Paths,
    channels: &[String],
    stop: &Stop,
) -> Result<Attribution> {
    check(paths, channels.len())?;
    attribution(model, fitted, paths, channels.len(), stop)
}

/// [`attribute_until`] and [`credits_by_place`] of one fit.
///
/// # Errors
/// As [`credits_by_place`]; [`Error::Stopped`].
///
/// ```
/// use safar_attribution::{Stop, attribute_with_places};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value\nA > B;8;80\nB;4;60\n;1;5\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // `A > B` with 8 conversions, `B` with 4.
/// let (model, stop) = ("linear".parse().unwrap(), Stop::default());
/// let (credits, places) = attribute_with_places(&model, &paths, &channels, &stop).unwrap();
/// assert_eq!(credits.credits[1].conversions, 8.0);
/// assert_eq!(places.iter().map(|row| row.credit.conversions).collect::<Vec<_>>(), [4.0, 4.0, 4.0]);
/// ```
pub fn attribute_with_places(
    model: &ModelSpec,
    paths: &Paths,
    channels: &[String],
    stop: &Stop,
) -> Result<(Attribution, Vec<PlaceCredit>)> {
    let fitted = fit(model, paths, channels, stop)?;
    let places = by_place(model, fitted.as_ref(), paths, channels.len(), stop)?;
    Ok((attribution(model, fitted.as_ref(), paths, channels.len(), stop)?, places))
}

fn fit(model: &ModelSpec, paths: &Paths, channels: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>> {
    check(paths, channels.len())?;
    model.build().fit_until(paths, channels, stop)
}

fn attribution(
    model: &ModelSpec,
    fitted: &dyn FittedModel,
    paths: &Paths,
    channels: usize,
    stop: &Stop,
) -> Result<Attribution> {
    let credits = fitted.credits_until(paths, channels, stop)?;
    let mut diagnostics = fitted.diagnostics();
    diagnostics.overlapping = !fitted.conserves();
    let total = total(paths);
    // What no channel has is what is left of the total. Where every path has its credit, that is exactly the paths
    // with no touch; the difference is only taken where the model kept something back, so that nobody sees a
    // rounding error as an unattributed conversion.
    let mut unattributed = total_where(paths, |path| path.channels.is_empty());
    let mut given = [Sum::default(), Sum::default()];
    let mut size = [Sum::default(), Sum::default()];
    for credit in &credits {
        given[0].add(credit.conversions);
        given[1].add(credit.value);
        size[0].add(credit.conversions.abs());
        size[1].add(credit.value.abs());
    }
    let kept = |total: f64, given: Sum, size: Sum, without: &mut f64| {
        let rest = total - given.get();
        if (rest - *without).abs() > 1e-9 * total.abs().max(size.get()) {
            *without = rest;
        }
    };
    if fitted.conserves() {
        kept(total.conversions, given[0], size[0], &mut unattributed.conversions);
        kept(total.value, given[1], size[1], &mut unattributed.value);
    }
    Ok(Attribution { model: model.clone(), credits, unattributed, diagnostics })
}

/// What a channel earned at one place of paths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaceCredit {
    /// Index of the channel.
    pub channel: usize,
    /// From 1, the first touch.
    pub place: usize,
    /// What it earned there.
    pub credit: Credit,
}

/// Credits by channel and place, ascending by both; places at which a channel never stands are left out.
///
/// With the model `shapley` these are the ordered Shapley values of Zhao, Mahboobi and Bagheri (2018).
///
/// # Errors
/// As [`attribute`]; and models whose credit is not given touch by touch (Markov) have no such table.
///
/// ```
/// use safar_attribution::credits_by_place;
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value\nA > B;8;80\nB;4;60\n;1;5\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // `A > B` with 8 conversions, `B` with 4: channel 1, B, stands at both places.
/// let table = credits_by_place(&"shapley".parse().unwrap(), &paths, &channels).unwrap();
/// let rows: Vec<_> = table.iter().map(|row| (row.channel, row.place, row.credit.conversions)).collect();
/// assert_eq!(rows, [(0, 1, 4.0), (1, 1, 4.0), (1, 2, 4.0)]);
/// ```
pub fn credits_by_place(model: &ModelSpec, paths: &Paths, channels: &[String]) -> Result<Vec<PlaceCredit>> {
    let stop = Stop::default();
    by_place(model, fit(model, paths, channels, &stop)?.as_ref(), paths, channels.len(), &stop)
}

fn by_place(
    model: &ModelSpec,
    fitted: &dyn FittedModel,
    paths: &Paths,
    channels: usize,
    stop: &Stop,
) -> Result<Vec<PlaceCredit>> {
    if !fitted.is_per_touch() {
        return Err(Error::NotPerTouch { model: model.name() });
    }
    let mut sums = vec![Vec::<(Sum, Sum)>::new(); channels];
    let mut met = vec![Vec::<bool>::new(); channels];
    let mut shares = vec![];
    for path in paths.iter().filter(|path| !path.channels.is_empty()) {
        stop.check()?;
        shares.clear();
        shares.resize(path.channels.len(), 0.0);
        fitted.shares(path, &mut shares);
        for (place, (channel, share)) in path.channels.iter().zip(&shares).enumerate() {
            let (sums, met) = (&mut sums[channel.0 as usize], &mut met[channel.0 as usize]);
            if sums.len() <= place {
                sums.resize(place + 1, Default::default());
                met.resize(place + 1, false);
            }
            met[place] = true;
            sums[place].0.add(share * path.conversions);
            sums[place].1.add(share * path.value);
        }
    }
    let mut table = vec![];
    for (channel, (sums, met)) in sums.into_iter().zip(met).enumerate() {
        for (place, (conversions, value)) in sums.into_iter().enumerate().filter(|(place, _)| met[*place]) {
            let credit = Credit { conversions: conversions.get(), value: value.get() };
            table.push(PlaceCredit { channel, place: place + 1, credit });
        }
    }
    Ok(table)
}

/// Counts are finite and at least 0, values finite, and every channel has a name.
pub(crate) fn check(paths: &Paths, names: usize) -> Result<()> {
    let highest = paths.channel_count();
    if highest > names {
        return Err(Error::UnnamedChannel { channel: highest - 1, names });
    }
    for (index, path) in paths.iter().enumerate() {
        let counts = [("conversions", path.conversions), ("nulls", path.nulls)];
        let bad = counts.into_iter().find(|(_, got)| !(0.0..=WEIGHT_MAX).contains(got));
        let bad = bad.or_else(|| (!(-WEIGHT_MAX..=WEIGHT_MAX).contains(&path.value)).then_some(("value", path.value)));
        if let Some((what, got)) = bad {
            return Err(Error::BadWeight { index, what, got });
        }
    }
    Ok(())
}

/// Conversions and value of all paths: what every model shares out.
///
/// ```
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value\nA > B;8;80\nB;4;60\n;1;5\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // 8 + 4 conversions on paths, and 1 that no touch came before.
/// let total = safar_attribution::total(&paths);
/// assert_eq!((total.conversions, total.value), (13.0, 145.0));
/// ```
#[must_use]
pub fn total(paths: &Paths) -> Credit {
    total_where(paths, |_| true)
}

/// Conversions and value of the paths that `keep` keeps.
pub(crate) fn total_where(paths: &Paths, keep: impl Fn(PathRef<'_>) -> bool) -> Credit {
    let (mut conversions, mut value) = (Sum::default(), Sum::default());
    for path in paths.iter().filter(|path| keep(*path)) {
        conversions.add(path.conversions);
        value.add(path.value);
    }
    Credit { conversions: conversions.get(), value: value.get() }
}

/// Paths in one unit of parallel work. Fixed, so that sums are grouped alike whatever the number of threads.
const CHUNK: usize = 1 << 15;

/// Works through the paths in chunks, on all threads, and returns one result for each chunk, in order.
pub(crate) fn in_chunks<T: Send>(paths: &Paths, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let chunks = paths.len().div_ceil(CHUNK);
    let range = |chunk: usize| chunk * CHUNK..((chunk + 1) * CHUNK).min(paths.len());
    (0..chunks).into_par_iter().map(|chunk| work(range(chunk))).collect()
}

/// Adds up the shares of touches by channel.
pub(crate) fn credits_of_shares(
    paths: &Paths,
    channels: usize,
    shares_of: impl Fn(PathRef<'_>, &mut [f64]) + Sync,
    stop: &Stop,
) -> Result<Vec<Credit>> {
    let parts = in_chunks(paths, |range| {
        let mut sums = vec![(Sum::default(), Sum::default()); channels];
        let mut shares = vec![];
        for path in range.map(|index| paths.get(index)) {
            stop.check()?;
            if path.channels.is_empty() || (path.conversions == 0.0 && path.value == 0.0) {
                continue;
            }
            shares.clear();
            shares.resize(path.channels.len(), 0.0);
            shares_of(path, &mut shares);
            for (channel, share) in path.channels.iter().zip(&shares) {
                let (conversions, value) = &mut sums[channel.0 as usize];
                conversions.add(share * path.conversions);
                value.add(share * path.value);
            }
        }
        Ok(sums)
    });
    let mut sums = vec![(Sum::default(), Sum::default()); channels];
    for part in parts {
        for (sum, part) in sums.iter_mut().zip(part?) {
            sum.0.merge(part.0);
            sum.1.merge(part.1);
        }
    }
    let credit = |(conversions, value): (Sum, Sum)| Credit { conversions: conversions.get(), value: value.get() };
    Ok(sums.into_iter().map(credit).collect())
}
