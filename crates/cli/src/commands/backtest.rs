//! `safar backtest`
use super::{day, models, query};
use crate::{
    args::{Backtest as Args, Shown},
    output::{Format, render},
    printer::Printer,
};
use anyhow::Result;
use safar_attribution::validation::Recommendation;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &Args, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let split = day(args.split.as_deref())?;
    let found =
        report::backtest(&workspace, &models(&args.model, &[]), &query(&args.selection)?, split, args.resamples)
            .await?;
    let table = match args.show {
        Shown::Scores => found.scores()?,
        Shown::Calibration => found.calibration()?,
        Shown::Roc => found.roc()?,
        Shown::Weeks => found.weeks()?,
    };
    printer.result(&render(&table.schema(), &[table], args.format)?)?;
    for (model, why) in &found.refused {
        printer.warn(format!("{model} was not tested: {why}"));
    }
    printer.say(found.facts());
    let line = found.reason();
    if args.format == Format::Table {
        printer.result(format!("{line}\n").as_bytes())?
    } else {
        printer.say(line)
    }
    if let Some(shift) = found.shift() {
        printer.warn(shift);
    }
    if let Some(causes) = found.causes() {
        printer.say(causes);
    }
    printer.say(Recommendation::CAVEAT);
    Ok(())
}
