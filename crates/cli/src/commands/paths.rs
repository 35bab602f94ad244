//! `safar paths`
use super::query;
use crate::{args::PathsArgs, output::render, printer::Printer};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &PathsArgs, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let (goal, schema, batches) = report::common_paths(&workspace, &query(&args.selection)?, args.limit).await?;
    printer.result(&render(&schema, &batches, args.format)?)?;
    printer.say(match args.limit {
        0 => format!("goal {goal}, all paths"),
        limit => format!("goal {goal}, at most {limit} paths are shown; --limit 0 shows all"),
    });
    Ok(())
}
