//! Which model fits the user's own data: learned on one period, tested on the next.
//!
//! [`Predictions`] hold what a model learned on earlier paths says about later ones, and score it; [`stability`] tells
//! how much its shares move from week to week beyond chance; [`recommend`] picks a model, or none, and says why.
//!
//! A model that predicts well has found what goes along with converting, not what causes it: credit is association
//! unless an experiment calibrates it ([`crate::experiment`]).
//!
//! ```
//! use safar_attribution::{ReadOptions, read_paths, validation::{Predictions, LEVEL}};
//! let text = "path;total_conversions;total_null\nMail;30;70\nAds;5;95\nMail > Ads;10;90\n";
//! let (earlier, channels) = read_paths(text.as_bytes(), &ReadOptions::default()).unwrap();
//! let later = earlier.clone(); // in real life: the weeks after
//! let predictions = Predictions::make(&"linear".parse().unwrap(), &earlier, &later, &channels).unwrap();
//! let score = predictions.score();
//! assert!(score.log_loss < score.base.log_loss);
//! assert!((score.auc - 0.72).abs() < 0.01);
//! assert_eq!(predictions.calibration(LEVEL).len(), 3);
//! ```
mod calibration;
mod platt;
mod predict;
mod recommend;
mod roc;
mod score;
mod stability;

pub use calibration::Bin;
pub use platt::Platt;
pub use predict::{Predictions, Source};
pub use recommend::{Candidate, Class, Reason, Recommendation, Shift, recommend};
pub use roc::RocPoint;
pub use score::{Base, Gap, Score};
pub use stability::{Range, Stability, StabilitySettings, stability, stability_until};

#[cfg(test)]
mod tests;

use thiserror::Error;

/// Of the intervals of calibration tables, unless another is wanted.
pub const LEVEL: f64 = 0.95;

/// Why a model could not be validated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// The model met paths that it cannot take.
    #[error(transparent)]
    Model(#[from] crate::Error),
    /// Paths of one outcome only teach and test nothing.
    #[error("the {which} paths have {conversions} conversions and {nulls} people without; it takes some of both")]
    OneOutcome {
        /// `earlier` or `later`.
        which: &'static str,
        /// How many conversions.
        conversions: f64,
        /// How many people without.
        nulls: f64,
    },
    /// Weeks that cannot be compared.
    #[error("{got} weeks were given; it takes at least 2 to compare")]
    TooFewWeeks {
        /// How many.
        got: usize,
    },
    /// A week in which the model gives nobody credit.
    #[error("the model credits no channel in week {week}; leave the week out")]
    NothingCredited {
        /// From 1.
        week: usize,
    },
    /// Nothing to choose from.
    #[error("no model was given to choose from")]
    NoCandidates,
    /// A setting out of range.
    #[error("{what} is {got}; it must be at least {least}")]
    BadSetting {
        /// Which.
        what: &'static str,
        /// The refused number.
        got: usize,
        /// The smallest allowed.
        least: usize,
    },
}
