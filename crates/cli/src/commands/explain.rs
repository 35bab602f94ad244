//! `safar explain`
use super::{dimension, query};
use crate::{
    args::Explain,
    output::{Format, render},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

/// What programs read of a rule and a window; people read the words beside them.
const FOR_PROGRAMS: [&str; 3] = ["rule_code", "window_code", "window_days"];

pub async fn run(folder: &Path, args: &Explain, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let by = dimension(&args.labels)?;
    let explanation =
        report::explain(&workspace, &args.model, &by, &args.label, &query(&args.selection)?, args.limit).await?;
    let text = explanation.lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let mut touches = explanation.touches;
    if args.format == Format::Table {
        let fields = touches.schema_ref().fields().iter().enumerate();
        let shown = fields.filter(|(_, field)| !FOR_PROGRAMS.contains(&field.name().as_str())).map(|(at, _)| at);
        touches = touches.project(&shown.collect::<Vec<_>>())?;
        printer.result(format!("{text}\n\n").as_bytes())?;
    } else {
        printer.say(text);
    }
    printer.result(&render(&touches.schema(), &[touches], args.format)?)?;
    if explanation.left_out > 0 {
        printer.say(format!("{} more conversions gave something; --limit 0 shows all", explanation.left_out));
    }
    Ok(())
}
