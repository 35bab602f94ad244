//! Answers to the questions people ask: who gets the credit, by which paths, and what made a number.
mod attribute;
mod backtest;
mod backtest_tables;
mod experiment;
mod experiment_tables;
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

/// Columns by name.
fn table<const N: usize>(columns: [(&str, arrow::array::ArrayRef); N]) -> crate::Result<arrow::array::RecordBatch> {
    let columns = columns.map(|(name, column)| (name, column, true));
    Ok(arrow::array::RecordBatch::try_from_iter_with_nullable(columns)?)
}
