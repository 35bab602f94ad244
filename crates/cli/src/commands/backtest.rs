//! `safar backtest`
use super::{day, models, query};
use crate::{
    args::{Backtest as Args, Shown},
    output::{Format, render},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self, Note},
};
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
    found.cautions().for_each(|caution| printer.warn(caution.to_string()));
    printer.say(found.facts().to_string());
    let line = found.reason().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if args.format == Format::Table {
        printer.result(format!("{line}\n").as_bytes())?
    } else {
        printer.say(line)
    }
    if let Some(causes) = found.causes() {
        printer.say(causes.to_string());
    }
    printer.say(Note::PredictionIsNotCause.to_string());
    Ok(())
}
