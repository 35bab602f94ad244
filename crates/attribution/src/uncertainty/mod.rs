//! How sure a credit is: the Poisson bootstrap over people.
//!
//! Each resample counts every person a random number of times, Poisson of mean 1, and asks the model again. That is
//! Efron's bootstrap with the number of people left to chance as well (Hanley and MacGibbon 2006; Chamandy,
//! Muralidharan, Najmi and Naidu 2012), and needs no list of people: n people who walked the same path are drawn
//! together, as Poisson of mean n.
//!
//! Invariant: a draw depends on the seed, the resample and the person (or path) alone, not on the model, nor on
//! threads, nor on the order of paths or the numbers of channels. So the resamples of two models, or of two kinds of conversion, are of the same people and may be compared
//! one by one.
//!
//! ```
//! use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
//! use safar_attribution::{ReadOptions, read_paths};
//! let text = "path;total_conversions\nAds > Mail;40\nMail;30\nAds;10\n";
//! let (paths, channels) = read_paths(text.as_bytes(), &ReadOptions::default()).unwrap();
//! let result = bootstrap(&"linear".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
//! let mail = result.estimates()[1].conversions.unwrap();
//! assert_eq!(mail.point, 50.0);
//! // The standard error is √(40 / 4 + 30) = 6.3, so the interval is about 50 ± 12.
//! assert!((5.4..7.3).contains(&mail.error) && (34.0..41.0).contains(&mail.low) && (59.0..66.0).contains(&mail.high));
//! let ads_cost = result.cost_per_conversion(0, 600.0).unwrap();
//! assert_eq!(ads_cost.point, 20.0);
//! let mail_above_ads = result.ranks(Measure::Conversions, &[0, 1]).unwrap().above[1][0];
//! assert!(mail_above_ads > 0.99);
//! ```
mod error;
mod estimate;
mod fixed;
mod keys;
mod people;
mod ranks;
mod refit;
mod resamples;
mod watch;
mod weights;

pub use error::{BootstrapError, RanksError};
pub use estimate::Estimate;
pub use keys::person_of;
pub use ranks::Ranks;
pub use resamples::{CreditEstimates, Measure, Resamples};
pub use watch::Watch;
pub use weights::Record;

pub(crate) use people::People;
pub(crate) use watch::Watched;

use crate::{ModelSpec, Stop, attribute_until};
use safar_model::Paths;
use weights::Weights;

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How many resamples, at least 2.
    pub replicates: u32,
    /// Of the draws.
    pub seed: u64,
    /// The part of the resamples that an interval spans, above 0 and below 1.
    pub level: f64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { replicates: 200, seed: 1, level: 0.95 }
    }
}

impl Bootstrap {
    /// Refuses what is out of range for so many channels.
    pub(crate) fn check(&self, channels: usize) -> Result<(), BootstrapError> {
        let most = CREDITS_MAX / (channels + 1);
        if self.replicates < 2 || self.replicates as usize > most {
            return Err(BootstrapError::Replicates { got: self.replicates, most });
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(BootstrapError::Level { got: self.level });
        }
        Ok(())
    }
}

/// Credits kept for one result: 1 GiB of them.
const CREDITS_MAX: usize = 1 << 26;

/// Asks `model` about `paths` and about resamples of the people who walked them.
///
/// Where `records` say who walked which path, all records of one person are counted alike in a resample. Without them
/// every conversion and every null counts as a person of its own: a path with n conversions, m nulls and value v gets
/// Poisson(n) conversions, Poisson(m) nulls and v × drawn ÷ n value, so intervals of value are too narrow where
/// conversions of one path differ in value, and all are where people come back. Refunds are value like any other;
/// a path with value and no conversion counts as one person. Fractional counts are taken as they are.
///
/// Rules that learn nothing from the paths keep their shares in all resamples; other models are fitted anew to each.
///
/// # Errors
/// As [`attribute`](crate::attribute); settings out of range; records that do not add up to the paths; weights that would overflow.
///
/// ```
/// use safar_attribution::uncertainty::{Bootstrap, Record, bootstrap};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let model = "markov".parse().unwrap();
/// let drawn = bootstrap(&model, &paths, &channels, None, Bootstrap::default()).unwrap();
/// let a = drawn.estimates()[0].conversions.unwrap();
/// assert!(a.low < a.point && a.point < a.high);
/// // One person had all conversions of `A > B`, and all losses: they are counted together.
/// let record = |path, person, conversions, value, nulls| Record { path, person, conversions, value, nulls };
/// let records = [record(0, 1, 8.0, 80.0, 20.0), record(1, 2, 4.0, 60.0, 46.0), record(2, 3, 2.0, 10.0, 98.0)];
/// let drawn = bootstrap(&model, &paths, &channels, Some(&records), Bootstrap::default()).unwrap();
/// assert!(drawn.estimates()[0].conversions.unwrap().error > a.error);
/// ```
pub fn bootstrap(
    model: &ModelSpec,
    paths: &Paths,
    channels: &[String],
    records: Option<&[Record]>,
    settings: Bootstrap,
) -> Result<Resamples, BootstrapError> {
    let watch = Watch { stop: &Stop::default(), told: &|_| {} };
    bootstrap_with(model, paths, channels, records, settings, watch)
}

/// The same, with somebody who hears how far the work is and may end it.
///
/// # Errors
/// As [`bootstrap`]; [`Error::Stopped`](crate::Error::Stopped).
///
/// ```
/// use safar_attribution::{Error, Stop, uncertainty::{Bootstrap, Watch, bootstrap_with}};
/// use std::sync::atomic::{AtomicU32, Ordering};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let (model, stop, most) = ("markov".parse().unwrap(), Stop::default(), AtomicU32::new(0));
/// let hear = |done| _ = most.fetch_max(done, Ordering::Relaxed);
/// let watch = Watch { stop: &stop, told: &hear };
/// bootstrap_with(&model, &paths, &channels, None, Bootstrap::default(), watch).unwrap();
/// assert_eq!(most.load(Ordering::Relaxed), 200);
/// let enough = |done| if done == 50 { stop.stop() };
/// let watch = Watch { stop: &stop, told: &enough };
/// let stopped = bootstrap_with(&model, &paths, &channels, None, Bootstrap::default(), watch);
/// assert_eq!(stopped, Err(Error::Stopped.into()));
/// ```
pub fn bootstrap_with(
    model: &ModelSpec,
    paths: &Paths,
    channels: &[String],
    records: Option<&[Record]>,
    settings: Bootstrap,
    watch: Watch<'_>,
) -> Result<Resamples, BootstrapError> {
    settings.check(channels.len())?;
    let Bootstrap { replicates, seed, .. } = settings;
    let point = attribute_until(model, paths, channels, watch.stop)?;
    let weights = Weights::new(paths, channels, records, seed)?;
    let watched = Watched::new(watch);
    let rows = if model.is_rule() {
        fixed::credits(model, paths, channels, &weights, replicates, &watched)?
    } else {
        refit::credits(model, paths, channels, &weights, replicates, &watched)?
    };
    Ok(Resamples::new(settings, point, rows))
}
