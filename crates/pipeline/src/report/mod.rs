//! Answers to the questions people ask: who gets the credit, by which paths, and what made a number.
mod attribute;
mod backtest;
mod experiment;
mod explain;
mod paths;
mod select;
mod sessions;
mod timelines;

pub use attribute::{AttributionReport, Measure, Modelling, attribute, of_paths};
pub use backtest::{Backtest, backtest};
pub use experiment::{ExperimentReport, experiment};
pub use explain::{Explanation, explain};
pub use paths::common_paths;
pub use select::{Dimension, PathQuery};
pub use sessions::sessions;

pub(crate) use attribute::{load_paths, strings};

/// How reports name conversions and value that no touch earned.
pub const UNATTRIBUTED: &str = "(unattributed)";

/// How reports name a touch that has no value in the dimension asked for.
pub const NOT_SET: &str = "(not set)";
