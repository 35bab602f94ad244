//! `safar sessions`
use super::day;
use crate::{args::Sessions, output::render, printer::Printer};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &Sessions, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let (from, to) = (day(args.from.as_deref())?, day(args.to.as_deref())?);
    let (schema, batches) = report::sessions(&workspace, &args.by, from, to).await?;
    printer.result(&render(&schema, &batches, args.format)?).map_err(Into::into)
}
