use thiserror::Error;

/// Why the spelling of a model or a transform was refused. Shows the part that is wrong and what is allowed in its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{spec}`: {problem}; {hint}")]
pub struct SpecError {
    /// The whole spelling, as given.
    pub spec: String,
    /// The part that is wrong: a model's name, a setting's name or a setting's value.
    pub part: String,
    /// What is wrong with it.
    pub problem: String,
    /// What is allowed.
    pub hint: String,
}

/// What can go wrong when a model meets paths.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The paths speak of a channel that has no name.
    #[error("a path holds channel number {channel}, but only {names} names were given; give one name for each channel")]
    UnnamedChannel {
        /// Index of the channel, from 0.
        channel: usize,
        /// How many names were given.
        names: usize,
    },
    /// A path cannot be weighed: counts are from 0 to [`crate::WEIGHT_MAX`], values that far either way.
    #[error("path {index} has {what} {got}; counts must be 0 to 1e100, values at most 1e100 either way")]
    BadWeight {
        /// Index of the path, from 0.
        index: usize,
        /// `conversions`, `value` or `nulls`.
        what: &'static str,
        /// The refused number.
        got: f64,
    },
    /// An exact model of coalitions met more channels than it can enumerate.
    #[error("{model} is exact up to {most} {unit}, got {got}; group rare channels first")]
    TooManyChannels {
        /// Which model.
        model: &'static str,
        /// What is counted: `channels`, or `channels on one path`.
        unit: &'static str,
        /// How many it can take.
        most: usize,
        /// How many there are.
        got: usize,
    },
    /// A chain is too large to be solved exactly.
    #[error("{model} is exact up to {most} states here, got {got}; {way_out}")]
    TooManyStates {
        /// Which model.
        model: &'static str,
        /// How many it can take.
        most: usize,
        /// How many there are.
        got: usize,
        /// What to do instead.
        way_out: &'static str,
    },
    /// A model that looks up sets of channels would take too long.
    #[error(
        "{model} would take {steps:.0e} steps through the {sets} sets of channels that convert; set most={most}, which \
         leaves paths of more channels unattributed, or group rare channels first"
    )]
    TooManySets {
        /// Which model.
        model: &'static str,
        /// Sets that convert.
        sets: usize,
        /// How many steps that takes.
        steps: f64,
        /// The highest limit of channels on a path that would do.
        most: usize,
    },
    /// A model of cause met paths, which do not say how long people were watched.
    #[error("{model} reads whole timelines of people, not paths; it needs a workspace with events or touches")]
    NeedsTimelines {
        /// Which model.
        model: &'static str,
    },
    /// A model of paths met timelines.
    #[error("{model} reads paths, not timelines")]
    NeedsPaths {
        /// Which model.
        model: &'static str,
    },
    /// An outcome of a timeline is worth more than sums can take.
    #[error("an outcome of person {person} has value {got}; values must be at most 1e100 either way")]
    BadValue {
        /// Index of the timeline, from 0.
        person: usize,
        /// The refused number.
        got: f64,
    },
    /// A setting of a model is out of range.
    #[error("{setting} is {got}; use {allowed}")]
    BadSetting {
        /// Its name.
        setting: &'static str,
        /// The refused value.
        got: String,
        /// What is allowed.
        allowed: String,
    },
    /// A question about single touches met a model that gives credit to channels as a whole.
    #[error("{model} gives credit to channels as a whole, not touch by touch; choose another model")]
    NotPerTouch {
        /// Which model.
        model: &'static str,
    },
    /// A [`Stop`](crate::Stop) was asked for.
    #[error("stopped before the end, as was asked for")]
    Stopped,
}

/// Shorthand.
pub type Result<T, E = Error> = std::result::Result<T, E>;
