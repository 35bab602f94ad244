//! Credits scaled to what experiments found.
use super::Estimate;
use crate::{Attribution, Credit};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What an experiment found about one channel, or about several that were held out together.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Indices of the channels.
    pub channels: Vec<usize>,
    /// Incremental conversions over the treated arm: [`Lift::total`](super::Lift::total).
    pub conversions: Estimate,
    /// Incremental value over the treated arm. Where it is left out, value is scaled as conversions are.
    pub value: Option<Estimate>,
    /// What the same model gives these channels together over the treated arm's people and days; `None` where the
    /// credits to be calibrated are about exactly these.
    pub credited: Option<Credit>,
}

/// Credits after calibration. Credits and `unattributed` sum to the conversions and the value, as they did before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// By channel index.
    pub credits: Vec<CalibratedCredit>,
    /// Conversions that belong to no channel: those that did before, and what the experiments took from channels.
    /// Negative where experiments find more than the model left over: then the channels that are not calibrated have
    /// too much. The interval carries what the experiments leave open (Zou and Donner 2008, "Construction of
    /// confidence limits about effect measures", for sums of independent estimates) and takes the credits of the
    /// other channels as given.
    pub unattributed_conversions: Estimate,
    /// The same of value.
    pub unattributed_value: Estimate,
    /// One for each experiment, in the order given.
    pub calibrations: Vec<Calibration>,
}

/// What a channel earned after calibration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibratedCredit {
    /// In conversions; negative where the experiment finds that the channel does harm.
    pub conversions: f64,
    /// In the currency of the paths.
    pub value: f64,
    /// How far it can be believed.
    pub standing: Standing,
}

/// How far a credit can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// Calibrated by an experiment. Where several channels were held out together, the experiment knows their sum
    /// and the model its division: the intervals take the division as given.
    Calibrated {
        /// Index of the experiment.
        experiment: usize,
        /// With the interval of the experiment.
        conversions: Estimate,
        /// With the interval of the experiment.
        value: Estimate,
    },
    /// As the model says: association, not calibrated.
    Association,
}

/// What one experiment did to credits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Conversions found by the experiment for each one that the model credits.
    pub factor: Estimate,
    /// The same of value.
    pub value_factor: Estimate,
    /// Where the factor of value comes from.
    pub value_from: ValueFrom,
    /// Conversions that went from these channels to nobody; negative where they came from nobody.
    pub returned_conversions: f64,
    /// The same of value.
    pub returned_value: f64,
}

/// Where a factor of value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueFrom {
    /// From the value that the experiment measured.
    Value,
    /// From its conversions: an incremental conversion is taken to be worth as much as a credited one.
    Conversions,
}

/// Why credits could not be calibrated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A model whose credits overlap.
    #[error("the credits of {model} overlap and have no sum to calibrate; choose a model that shares conversions")]
    Overlapping {
        /// Its name.
        model: &'static str,
    },
    /// A channel that does not exist.
    #[error("experiment {experiment} is about channel {channel}, but there are {channels}")]
    UnknownChannel {
        /// From 1.
        experiment: usize,
        /// Its index.
        channel: usize,
        /// How many there are.
        channels: usize,
    },
    /// A channel named twice.
    #[error("channel {channel} is in experiment {experiment} and in one before; keep one of them")]
    Twice {
        /// The later one, from 1.
        experiment: usize,
        /// Its index.
        channel: usize,
    },
    /// An estimate that is not a number, or outside its own interval.
    #[error("experiment {experiment}: {what} {value} with interval {low} to {high} is no estimate")]
    BadEstimate {
        /// From 1.
        experiment: usize,
        /// `conversions` or `value`.
        what: &'static str,
        /// As given.
        value: f64,
        /// As given.
        low: f64,
        /// As given.
        high: f64,
    },
    /// The model gives the channels nothing, so that there is nothing to scale.
    #[error(
        "experiment {experiment}: the model credits its channels with no {what}; leave it out, or choose a model that does"
    )]
    NothingCredited {
        /// From 1.
        experiment: usize,
        /// `conversions` or `value`.
        what: &'static str,
    },
}

/// Scales the credits of the channels under experiment so that, over the experiment's treated arm, they sum to the
/// incremental conversions that it found; the difference goes to or comes from nobody. Channels without an experiment
/// keep their credit and are marked as [`Standing::Association`].
///
/// The experiments are taken to be independent of each other.
///
/// # Errors
/// A model whose credits overlap; channels that do not exist or are in two experiments; estimates that are none;
/// channels whose credits sum to 0.
///
/// ```
/// use safar_attribution::{attribute, experiment::{Estimate, Measured, Standing, calibrate}};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // Linear credits A with 6 conversions; an experiment that kept people from A found 3 of them to be due to it.
/// let linear = attribute(&"linear".parse().unwrap(), &paths, &channels).unwrap();
/// let conversions = Estimate { value: 3.0, low: 1.0, high: 5.0, error: 1.0 };
/// let found = Measured { channels: vec![0], conversions, value: None, credited: None };
/// let calibrated = calibrate(&linear, &[found]).unwrap();
/// assert_eq!(calibrated.credits[0].conversions, 3.0);
/// assert_eq!(calibrated.unattributed_conversions.value, 3.0); // what A did not bring, nobody did
/// assert_eq!(calibrated.credits[1].standing, Standing::Association); // B was in no experiment
/// ```
pub fn calibrate(attribution: &Attribution, experiments: &[Measured]) -> Result<Calibrated, CalibrationError> {
    if attribution.diagnostics.overlapping {
        return Err(CalibrationError::Overlapping { model: attribution.model.name() });
    }
    let association = |credit: &Credit| CalibratedCredit {
        conversions: credit.conversions,
        value: credit.value,
        standing: Standing::Association,
    };
    let mut credits: Vec<_> = attribution.credits.iter().map(association).collect();
    let mut nobody = [Rest::new(attribution.unattributed.conversions), Rest::new(attribution.unattributed.value)];
    let mut calibrations = vec![];
    for (index, measured) in experiments.iter().enumerate() {
        check(index, measured, &credits)?;
        let sum = |of: fn(&Credit) -> f64| {
            crate::sum::sum(measured.channels.iter().map(|channel| of(&attribution.credits[*channel])))
        };
        let here = Credit { conversions: sum(|credit| credit.conversions), value: sum(|credit| credit.value) };
        let there = measured.credited.unwrap_or(here);
        let factor = |found: Estimate, credited: f64, what| {
            let nothing = CalibrationError::NothingCredited { experiment: index + 1, what };
            (credited != 0.0 && credited.is_finite()).then(|| found.times(1.0 / credited)).ok_or(nothing)
        };
        let conversions = factor(measured.conversions, there.conversions, "conversions")?;
        let (value, value_from) = match measured.value {
            Some(value) => (factor(value, there.value, "value")?, ValueFrom::Value),
            None => (conversions, ValueFrom::Conversions),
        };
        for &channel in &measured.channels {
            let credit = &attribution.credits[channel];
            let (conversions, value) = (conversions.times(credit.conversions), value.times(credit.value));
            let standing = Standing::Calibrated { experiment: index, conversions, value };
            credits[channel] = CalibratedCredit { conversions: conversions.value, value: value.value, standing };
        }
        calibrations.push(Calibration {
            factor: conversions,
            value_factor: value,
            value_from,
            returned_conversions: nobody[0].take(here.conversions, conversions.times(here.conversions)),
            returned_value: nobody[1].take(here.value, value.times(here.value)),
        });
    }
    let [unattributed_conversions, unattributed_value] = nobody.map(Rest::estimate);
    Ok(Calibrated { credits, unattributed_conversions, unattributed_value, calibrations })
}

/// What belongs to nobody, and the squares of how far it may be off.
struct Rest {
    value: f64,
    below: f64,
    above: f64,
    variance: f64,
}

impl Rest {
    fn new(value: f64) -> Self {
        Self { value, below: 0.0, above: 0.0, variance: 0.0 }
    }

    /// Channels had `before` and keep `after`. Returns the difference.
    fn take(&mut self, before: f64, after: Estimate) -> f64 {
        self.value += before - after.value;
        self.below += (after.high - after.value).powi(2);
        self.above += (after.value - after.low).powi(2);
        self.variance += after.error * after.error;
        before - after.value
    }

    fn estimate(self) -> Estimate {
        let (low, high) = (self.value - self.below.sqrt(), self.value + self.above.sqrt());
        Estimate { value: self.value, low, high, error: self.variance.sqrt() }
    }
}

fn check(index: usize, measured: &Measured, credits: &[CalibratedCredit]) -> Result<(), CalibrationError> {
    let experiment = index + 1;
    for (place, &channel) in measured.channels.iter().enumerate() {
        let Some(credit) = credits.get(channel) else {
            return Err(CalibrationError::UnknownChannel { experiment, channel, channels: credits.len() });
        };
        if credit.standing != Standing::Association || measured.channels[..place].contains(&channel) {
            return Err(CalibrationError::Twice { experiment, channel });
        }
    }
    for (what, estimate) in [("conversions", Some(measured.conversions)), ("value", measured.value)] {
        let Some(Estimate { value, low, high, error }) = estimate else { continue };
        if !(value.is_finite() && low <= value && value <= high && error >= 0.0) {
            return Err(CalibrationError::BadEstimate { experiment, what, value, low, high });
        }
    }
    Ok(())
}
