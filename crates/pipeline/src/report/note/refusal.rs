//! Why a model is not among the answers.
use crate::Error;
use safar_attribution::{Error as ModelError, uncertainty::BootstrapError, validation::ValidationError};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// Why a model cannot be computed, with the way out.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum Refusal {
    /// It is exact up to so many channels.
    TooManyChannels {
        /// How many it can take.
        most: u64,
        /// How many there are.
        got: u64,
    },
    /// It is exact up to so many channels on one path.
    TooManyOnPath {
        /// How many it can take.
        most: u64,
        /// How many there are.
        got: u64,
    },
    /// Its chain is too large.
    TooManyStates {
        /// How many states it can take.
        most: u64,
        /// How many there are.
        got: u64,
    },
    /// It would look up too many sets of channels.
    TooManySets {
        /// Sets that convert.
        sets: u64,
        /// The setting `most` that would do.
        most: u64,
    },
    /// It reads timelines of people, which ready paths have not.
    NeedsTimelines,
    /// It credits channels as a whole.
    NotPerTouch,
    /// Anything else.
    Other {
        /// In English.
        text: String,
    },
}

impl From<&ModelError> for Refusal {
    fn from(error: &ModelError) -> Self {
        match error {
            ModelError::TooManyChannels { unit: "channels", most, got, .. } => {
                Self::TooManyChannels { most: *most as u64, got: *got as u64 }
            }
            ModelError::TooManyChannels { unit: "channels on one path", most, got, .. } => {
                Self::TooManyOnPath { most: *most as u64, got: *got as u64 }
            }
            ModelError::TooManyStates { most, got, .. } => Self::TooManyStates { most: *most as u64, got: *got as u64 },
            ModelError::TooManySets { sets, most, .. } => Self::TooManySets { sets: *sets as u64, most: *most as u64 },
            ModelError::NeedsTimelines { .. } => Self::NeedsTimelines,
            ModelError::NotPerTouch { .. } => Self::NotPerTouch,
            other => Self::Other { text: other.to_string() },
        }
    }
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        match error {
            Error::Attribution(error)
            | Error::Bootstrap(BootstrapError::Model(error))
            | Error::Validation(ValidationError::Model(error)) => error.into(),
            other => Self::Other { text: other.to_string() },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyChannels { most, got } => {
                write!(f, "it is exact up to {most} channels, got {got}; group rare channels first")
            }
            Self::TooManyOnPath { most, got } => {
                write!(f, "it is exact up to {most} channels on one path, got {got}; group rare channels first")
            }
            Self::TooManyStates { most, got } => write!(
                f,
                "it is exact up to {most} states, got {got}; choose a lower order, another solver or fewer samples, or group rare channels first"
            ),
            Self::TooManySets { sets, most } => write!(
                f,
                "{sets} sets of channels convert, which are too many to look up; set most={most}, which leaves paths of more channels unattributed, or group rare channels first"
            ),
            Self::NeedsTimelines => f.write_str(
                "it reads whole timelines of people, not paths; it needs a workspace with events or touches",
            ),
            Self::NotPerTouch => f.write_str("it gives credit to channels as a whole, not touch by touch"),
            Self::Other { text } => f.write_str(text),
        }
    }
}
