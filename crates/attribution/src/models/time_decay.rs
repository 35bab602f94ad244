use super::{ByPlace, count, normalise, tabulate};
use crate::{AttributionModel, Diagnostics, FittedModel, Result, Stop};
use safar_model::{DAY_US, Micros, PathRef, Paths};

/// A touch's weight halves with every half-life between it and the outcome.
///
/// Where the paths carry no ages, as in files of ready paths, touches count as one day apart and the last touch as
/// happening at the outcome; [`Diagnostics::assumed_ages`] says so.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"time_decay:half_life=1d".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [7.0, 13.0, 27.0, 53.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TimeDecay {
    /// Microseconds; positive.
    pub half_life: Micros,
}

#[expect(clippy::cast_precision_loss, reason = "ages are far below 2^53 microseconds (285 years)")]
fn micros(time: Micros) -> f64 {
    time as f64
}

/// With the ages that the paths carry.
struct ByAge {
    half_life: f64,
}

/// Without ages: one day from touch to touch.
#[derive(Clone)]
struct ByDay {
    /// In days.
    half_life: f64,
}

struct AssumedAges(Box<dyn FittedModel>);

impl AttributionModel for TimeDecay {
    fn fit_until(&self, paths: &Paths, _: &[String], _: &Stop) -> Result<Box<dyn FittedModel>> {
        let half_life = micros(self.half_life);
        if paths.has_ages() {
            return Ok(Box::new(ByAge { half_life }));
        }
        Ok(Box::new(AssumedAges(tabulate(ByDay { half_life: half_life / micros(DAY_US) }))))
    }
}

impl FittedModel for ByAge {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        // Ages count from the youngest touch: the ratios stay the same, and an old path cannot underflow to 0/0.
        let Some(youngest) = path.ages.and_then(|ages| ages.iter().min()) else { return };
        for (share, age) in shares.iter_mut().zip(path.ages.unwrap_or_default()) {
            *share = libm::exp2(-(micros(*age) - micros(*youngest)) / self.half_life);
        }
        normalise(shares);
    }
}

impl ByPlace for ByDay {
    fn fill(&self, shares: &mut [f64]) {
        for (days, share) in shares.iter_mut().rev().enumerate() {
            *share = libm::exp2(-count(days) / self.half_life);
        }
        normalise(shares);
    }
}

impl FittedModel for AssumedAges {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        self.0.shares(path, shares);
    }

    fn diagnostics(&self) -> Diagnostics {
        Diagnostics { assumed_ages: true, ..Diagnostics::default() }
    }
}
