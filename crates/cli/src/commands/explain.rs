//! `safar explain`
use super::query;
use crate::{
    args::Explain,
    output::{Format, render},
    printer::Printer,
};
use anyhow::{Result, anyhow};
use safar_pipeline::{
    Workspace,
    report::{self, Dimension},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Explain, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let by: Dimension = args.by.parse().map_err(|problem: String| anyhow!(problem))?;
    let explanation =
        report::explain(&workspace, &args.model, &by, &args.label, &query(&args.selection)?, args.limit).await?;
    let text = explanation.lines.join("\n");
    if args.format == Format::Table {
        printer.result(format!("{text}\n\n").as_bytes())?;
    } else {
        printer.say(text);
    }
    printer.result(&render(&explanation.touches.schema(), &[explanation.touches], args.format)?)?;
    Ok(())
}
