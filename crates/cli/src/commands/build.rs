//! `safar build`
use crate::{args::Build, output::number, printer::Printer};
use anyhow::Result;
use safar_pipeline::{Workspace, build};
use std::path::Path;

pub async fn run(folder: &Path, args: &Build, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let spinner = printer.spinner("build");
    let report = build(&workspace, args.full, &|step| {
        spinner.set_message(step.to_string());
        printer.detail(step);
    })
    .await;
    spinner.finish_and_clear();
    let report = report?;
    for reason in &report.reasons {
        printer.say(format!("because {reason}"));
    }
    if report.reasons.is_empty() {
        printer.say("nothing changed since the last build: nothing was rebuilt");
        return Ok(());
    }
    printer.say(format!(
        "rebuilt {} of {} people in {:.1} s",
        number(report.people_rebuilt as f64, 0),
        number(report.people as f64, 0),
        report.elapsed.as_secs_f64()
    ));
    for (table, rows) in &report.tables {
        printer.say(format!("  {:<16}{:>14} rows", table.name(), number(*rows as f64, 0)));
    }
    for finding in &report.findings {
        printer.say(format!("note: {finding}"));
    }
    Ok(())
}
