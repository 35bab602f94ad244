//! What every hold-out reports.
use super::{Cuped, power};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// An estimate, its standard error and its interval at the level asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best single number.
    pub value: f64,
    /// Lower end; −∞ where the data exclude nothing below.
    pub low: f64,
    /// Upper end; ∞ where the data exclude nothing above.
    pub high: f64,
    /// Standard error.
    pub error: f64,
}

impl Estimate {
    /// The same in other units; the ends change places where `by` is negative. Nothing of anything is exactly 0.
    ///
    /// ```
    /// use safar_attribution::experiment::Estimate;
    /// let each = Estimate { value: 0.015, low: -0.001, high: 0.03, error: 0.008 };
    /// let all = each.times(1_000.0); // the same over a thousand people
    /// assert_eq!((all.value, all.low, all.high, all.error), (15.0, -1.0, 30.0, 8.0));
    /// ```
    #[must_use]
    pub fn times(self, by: f64) -> Self {
        if by == 0.0 {
            return Self::default();
        }
        let (a, b) = (self.low * by, self.high * by);
        Self { value: self.value * by, low: a.min(b), high: a.max(b), error: self.error * by.abs() }
    }
}

/// How a lift was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Difference of two proportions: interval by Newcombe's method 10 (1998) from Wilson's score intervals, p by the
    /// pooled score test; relative lift by the logarithm of the ratio (Katz, Baptista, Azen, Pike 1978).
    Proportions,
    /// Difference of two means with unequal variances: Welch (1947); relative lift by the delta method.
    Means,
    /// As `means`, with each person's figure from before the experiment taken into account: Deng, Xu, Kohavi,
    /// Walker (2013).
    AdjustedMeans,
    /// Difference of rates between regions: p and interval from other assignments that chance could have made
    /// (Fisher 1935; Rosenbaum 2002), standard error robust to unequal variances (HC2, MacKinnon and White 1985).
    Permutation,
}

/// What the treatment changed, in one measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// Per person of the treated arm, as counted.
    pub treated: f64,
    /// Per person of the control arm, as counted.
    pub control: f64,
    /// Per person: what being assigned to the treatment adds.
    pub absolute: Estimate,
    /// The same over all people of the treated arm: incremental conversions, converters or value.
    pub total: Estimate,
    /// The same as a part of what would have been without treatment: 0.1 is 10 % more. `None` where nothing would
    /// have been.
    pub relative: Option<Estimate>,
    /// Two-sided, of no effect. `None` where the measure does not vary at all.
    pub p: Option<f64>,
    /// How.
    pub method: Method,
    /// What the figures from before the experiment brought, where they were given and vary.
    pub adjusted: Option<Cuped>,
    /// The smallest true lift per person that an experiment of this size finds with the power asked for. `None`
    /// where the measure does not vary.
    pub detectable: Option<f64>,
}

impl Lift {
    /// [`Lift::detectable`] as a part of what would have been without treatment, the mean of the control arm. `None` where that
    /// is 0 or less (refunds), since nothing is a part of it.
    ///
    /// ```
    /// use safar_attribution::experiment::{Arm, Measure, Settings, hold_out};
    /// let arm = |sum, squares| {
    ///     let measure = Measure { sum, squares, before: None };
    ///     Arm { people: 100.0, exposed: None, converters: 5.0, conversions: measure, value: measure }
    /// };
    /// // Of the control arm more was given back than bought.
    /// let lifts = hold_out(&arm(40.0, 90.0), &arm(-10.0, 60.0), &Settings::default()).unwrap();
    /// assert!(lifts.value.detectable.is_some());
    /// assert_eq!(lifts.value.detectable_part(), None);
    /// ```
    #[must_use]
    pub fn detectable_part(&self) -> Option<f64> {
        self.detectable.filter(|_| self.control > 0.0).map(|least| least / self.control)
    }

    /// How many times as many people (or regions) of the same kind it takes to find a true lift of `wished` per
    /// person with the power asked for: (detectable / wished)². `None` where that cannot be told.
    ///
    /// ```
    /// use safar_attribution::experiment::{Arm, Measure, Settings, hold_out};
    /// let arm = |people, converters| Arm {
    ///     people,
    ///     exposed: None,
    ///     converters,
    ///     conversions: Measure { sum: converters, squares: converters, before: None },
    ///     value: Measure { sum: 20.0 * converters, squares: 400.0 * converters, before: None },
    /// };
    /// let found = hold_out(&arm(1_000.0, 60.0), &arm(1_000.0, 45.0), &Settings::default()).unwrap().converters;
    /// let wished = found.detectable.unwrap() / 2.0;
    /// // Half the lift takes four times as many people.
    /// assert!((found.times_larger(wished).unwrap() - 4.0).abs() < 1e-9);
    /// ```
    #[must_use]
    pub fn times_larger(&self, wished: f64) -> Option<f64> {
        self.detectable.and_then(|detectable| power::times_larger(detectable, wished))
    }
}

/// How a hold-out is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Of the intervals, above 0 and below 1.
    pub level: f64,
    /// Chance to find the detectable lift, above 0 and below 1.
    pub power: f64,
    /// The part of all people that was meant to be treated, above 0 and below 1; only then can the sizes of the arms
    /// be tested. People only, not regions.
    pub treated_share: Option<f64>,
    /// Regions only: seed of the assignments drawn where there are too many to look at all.
    pub seed: u64,
    /// Regions only: how many assignments are drawn then, from 99 to ten million.
    pub draws: u32,
}

/// Four numbers are kept of each: 320 MB.
const DRAWS_MAX: u32 = 10_000_000;

impl Default for Settings {
    /// Intervals of 95 %, power 80 %, 9,999 draws.
    fn default() -> Self {
        Self { level: 0.95, power: 0.8, treated_share: None, seed: 1, draws: 9_999 }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), ExperimentError> {
        let parts =
            [("level", self.level), ("power", self.power), ("treated_share", self.treated_share.unwrap_or(0.5))];
        let bad = parts.into_iter().find(|(_, got)| !(*got > 0.0 && *got < 1.0));
        if let Some((what, got)) = bad {
            return Err(ExperimentError::BadSetting { what, got, allowed: "above 0 and below 1" });
        }
        if !(99..=DRAWS_MAX).contains(&self.draws) {
            let got = f64::from(self.draws);
            return Err(ExperimentError::BadSetting { what: "draws", got, allowed: "from 99 to 10,000,000" });
        }
        Ok(())
    }

    pub(super) fn alpha(&self) -> f64 {
        1.0 - self.level
    }
}

/// What to know before believing a result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "warning")]
pub enum Warning {
    /// The arms are not of the sizes they were meant to be: somebody went missing, and not at random.
    SampleRatioMismatch {
        /// Chance of sizes as far off as these.
        p: f64,
    },
    /// So few converters are expected in a cell of the two-by-two table that the p-value is rough (Cochran 1954: 5).
    FewConverters {
        /// In the smallest cell.
        expected: f64,
    },
    /// Part of the control arm was exposed, so the lift is understated.
    ControlExposed {
        /// Of the control arm.
        share: f64,
    },
    /// So few regions that no result could reach the level asked for.
    TooFewAssignments {
        /// The smallest p-value that these regions can give.
        smallest_p: f64,
    },
}

/// In one sentence.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleRatioMismatch { p } => write!(
                f,
                "the arms are not of the sizes they were meant to be (p = {p:.2e}): somebody went missing, and not at random"
            ),
            Self::FewConverters { expected } => {
                write!(f, "only {expected:.1} converters are expected in one cell: the p-value is rough")
            }
            Self::ControlExposed { share } => {
                write!(f, "{:.1} % of the control arm met the channels, so the lift is understated", share * 100.0)
            }
            Self::TooFewAssignments { smallest_p } => write!(
                f,
                "with so few regions no p-value is below {smallest_p:.3}, so no lift can be told from chance at this level"
            ),
        }
    }
}

/// Why an experiment could not be evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A number that no count or sum can be.
    #[error("{of}: {what} is {got}; it must be {allowed}")]
    BadNumber {
        /// `treated arm`, `control arm`, `region 3`.
        of: String,
        /// Which number.
        what: &'static str,
        /// The refused number.
        got: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// Sums of squares or products that no people can have.
    #[error("{of}: the sums of {what} contradict each other; the squares are too small for the sum or the product")]
    Impossible {
        /// Which arm.
        of: String,
        /// Which measure.
        what: &'static str,
    },
    /// Figures from before the experiment for some arms or regions only.
    #[error("figures from before the experiment are given for a part only ({what}); give all of them or none")]
    PartlyBefore {
        /// Which measure, or `regions`.
        what: &'static str,
    },
    /// Too small to know how much a measure varies.
    #[error("the {of} has {got} {unit}; it takes at least {least}")]
    TooFew {
        /// Which arm.
        of: &'static str,
        /// `people` or `regions`.
        unit: &'static str,
        /// How many there are.
        got: f64,
        /// How many it takes.
        least: f64,
    },
    /// The regions' figures from before the experiment tell the arms apart by themselves.
    #[error("the regions' figures from before separate the arms completely; leave them out or assign regions anew")]
    Separated,
    /// A setting out of range.
    #[error("{what} is {got}; it must be {allowed}")]
    BadSetting {
        /// Which.
        what: &'static str,
        /// The refused number.
        got: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// Nobody waits any more: [`Error::Stopped`](crate::Error::Stopped).
    #[error(transparent)]
    Stopped(#[from] crate::Error),
}
