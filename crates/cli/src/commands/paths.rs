//! `safar paths`
use super::{query, show};
use crate::{
    args::{PathsArgs, PathsShown},
    output::render,
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self, PathQuery},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &PathsArgs, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let query = query(&args.selection)?;
    let session = report::session(&workspace).await?;
    let (answer, bars, limit) = match args.show {
        PathsShown::Common => return common(&workspace, &query, args, printer).await,
        PathsShown::Nulls => (report::null_paths(&workspace, &session, &query).await?, Some("people"), args.limit),
        PathsShown::Lengths => (report::path_lengths(&workspace, &session, &query).await?, Some("conversions"), 0),
        PathsShown::Lags => (report::time_lags(&workspace, &session, &query).await?, Some("conversions"), 0),
        PathsShown::Positions => (report::positions(&workspace, &session, &query).await?, None, 0),
    };
    show(printer, &answer, args.format, bars, limit)
}

async fn common(workspace: &Workspace, query: &PathQuery, args: &PathsArgs, printer: Printer) -> Result<()> {
    let (goal, schema, batches) = report::common_paths(workspace, query, args.limit).await?;
    printer.result(&render(&schema, &batches, args.format)?)?;
    printer.say(match args.limit {
        0 => format!("goal {goal}, all paths"),
        limit => format!("goal {goal}, at most {limit} paths are shown; --limit 0 shows all"),
    });
    Ok(())
}
