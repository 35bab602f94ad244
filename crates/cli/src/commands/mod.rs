//! One file a command: arguments in, one call into the house, a printed result.
pub mod attribute;
pub mod backtest;
pub mod build;
pub mod experiment;
pub mod explain;
pub mod import;
pub mod init;
pub mod paths;
pub mod reference;
pub mod serve;
pub mod sessions;
pub mod simulate;
pub mod sql;
pub mod validate;

use crate::args::{ModelChoice, Selection};
use anyhow::{Context, Result};
use arrow::array::{ArrayRef, RecordBatch};
use jiff::civil::Date;
use safar_attribution::ModelSpec;
use safar_pipeline::report::PathQuery;

/// A day as people write it.
fn day(text: Option<&str>) -> Result<Option<Date>> {
    text.map(|text| text.parse::<Date>().with_context(|| format!("`{text}` is no day; write YYYY-MM-DD"))).transpose()
}

fn query(selection: &Selection) -> Result<PathQuery> {
    Ok(PathQuery {
        goal: selection.goal.clone(),
        from: day(selection.from.as_deref())?,
        to: day(selection.to.as_deref())?,
        condition: selection.condition.clone(),
    })
}

/// The models asked for; empty stands for every model. Without any, `otherwise`.
fn models(choices: &[ModelChoice], otherwise: &[ModelSpec]) -> Vec<ModelSpec> {
    if choices.is_empty() {
        return otherwise.to_vec();
    }
    let one = |choice: &ModelChoice| match choice {
        ModelChoice::All => None,
        ModelChoice::One(model) => Some(model.clone()),
    };
    choices.iter().map(one).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Columns by name to a batch.
fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
