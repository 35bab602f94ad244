//! One file a command: arguments in, one call into the house, a printed result.
pub mod attribute;
pub mod build;
pub mod explain;
pub mod import;
pub mod init;
pub mod paths;
pub mod reference;
pub mod sessions;
pub mod simulate;
pub mod sql;

use crate::args::Selection;
use anyhow::{Context, Result};
use jiff::civil::Date;
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
