use crate::Error;
use thiserror::Error as ThisError;

/// Why paths could not be resampled.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum BootstrapError {
    /// The model cannot take the paths, or those of a resample; or a [`Stop`](crate::Stop) was asked for.
    #[error(transparent)]
    Model(#[from] Error),
    /// Too few or too many resamples.
    #[error("{got} resamples were asked for; ask for 2 to {most} with this many channels")]
    Replicates {
        /// As asked.
        got: u32,
        /// What fits in memory.
        most: usize,
    },
    /// Ids that are not one for each timeline.
    #[error("{got} ids were given for {timelines} timelines; give one id for each")]
    People {
        /// How many ids.
        got: usize,
        /// How many timelines.
        timelines: usize,
    },
    /// A level that no interval can have.
    #[error("{got} is no level of an interval; give a number between 0 and 1, such as 0.95")]
    Level {
        /// As asked.
        got: f64,
    },
    /// A weight that a resample could push past all numbers.
    #[error("path {path} has {what} {got}; resampling takes counts, values and values a conversion up to 1e90")]
    TooLarge {
        /// Index of the path, from 0.
        path: usize,
        /// `conversions`, `value`, `value a conversion` or `nulls`.
        what: &'static str,
        /// The refused number.
        got: f64,
    },
    /// A record of a path that is not there.
    #[error("record {record} is of path {path}, but there are only {paths} paths; give the paths it was grouped into")]
    NoSuchPath {
        /// Index of the record, from 0.
        record: usize,
        /// Index of the path, from 0.
        path: usize,
        /// How many there are.
        paths: usize,
    },
    /// A record with a weight that is no number, or a negative count.
    #[error("record {record} has {what} {got}; counts must be 0 to 1e90, values at most 1e90 either way")]
    BadRecord {
        /// Index of the record, from 0.
        record: usize,
        /// `conversions`, `value` or `nulls`.
        what: &'static str,
        /// The refused number.
        got: f64,
    },
    /// The records do not add up to their path.
    #[error(
        "the records of path {path} sum to {what} {records}, the path has {paths}; group the paths from all records"
    )]
    Disagree {
        /// Index of the path, from 0.
        path: usize,
        /// `conversions`, `value` or `nulls`.
        what: &'static str,
        /// What the records sum to.
        records: f64,
        /// What the path says.
        paths: f64,
    },
}

/// Why channels could not be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum RanksError {
    /// Every channel is compared with every other one.
    #[error("{got} channels were to be ranked; rank {most} at most, such as those with the most credit")]
    TooMany {
        /// As asked.
        got: usize,
        /// What fits in memory.
        most: usize,
    },
    /// A channel that the resamples do not have.
    #[error("channel number {channel} was to be ranked, but there are only {channels}")]
    NoSuchChannel {
        /// Index, from 0.
        channel: usize,
        /// How many there are.
        channels: usize,
    },
}
