//! `safar explain`
use super::{dimension, query};
use crate::{
    args::Explain,
    output::{Format, render},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Explain, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let by = dimension(&args.labels)?;
    let explanation =
        report::explain(&workspace, &args.model, &by, &args.label, &query(&args.selection)?, args.limit).await?;
    let text = explanation.lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    if args.format == Format::Table {
        printer.result(format!("{text}\n\n").as_bytes())?;
    } else {
        printer.say(text);
    }
    printer.result(&render(&explanation.touches.schema(), &[explanation.touches], args.format)?)?;
    if explanation.left_out > 0 {
        printer.say(format!("{} more conversions gave something; --limit 0 shows all", explanation.left_out));
    }
    Ok(())
}
