//! `safar experiment`
use super::{query, show};
use crate::{
    args::Experiment as Args,
    output::{Format, Grid, number, render},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self, ExperimentReport, Plan},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Args, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let query = query(&args.selection)?;
    if let Some(lift) = args.plan {
        let Args { treated_share, power, level, days_before, .. } = *args;
        let plan = Plan { lift, region: args.region.clone(), treated_share, power, level, days_before };
        return show(printer, &report::plan(&workspace, &plan, &query).await?, args.format, None, 0);
    }
    let name = args.name.as_deref().unwrap_or_default();
    let found = report::experiment(&workspace, name, &args.model, &query, args.level).await?;
    if args.format == Format::Table {
        printer.result(Grid::of(&found.arms()?)?.render().as_bytes())?;
        printer.result(b"\n")?;
        printer.result(Grid::of(&found.lifts()?)?.render().as_bytes())?;
        printer.result(b"\n")?;
        printer.result(Grid::of(&found.calibrated()?)?.render().as_bytes())?;
    } else {
        let table = if args.calibrated { found.calibrated()? } else { found.lifts()? };
        printer.result(&render(&table.schema(), &[table], args.format)?)?;
    }
    notes(&found, args.level, printer);
    Ok(())
}

fn notes(found: &ExperimentReport, level: f64, printer: Printer) {
    let facts: Vec<String> = found.facts(level).map(|fact| fact.to_string()).collect();
    printer.say(facts.join("; "));
    found.warnings().for_each(|warning| printer.warn(warning.to_string()));
    for (fitted, calibrated) in found.attribution.models.iter().zip(&found.calibrated) {
        let Ok((credited, calibrated)) = calibrated else { continue };
        for calibration in &calibrated.calibrations {
            let factor = calibration.factor;
            printer.say(format!(
                "{}: credits {} conversions to these channels over the treated people; the experiment finds {:.3} for each of them [{:.3}, {:.3}]",
                fitted.model, number(credited.conversions, 1), factor.value, factor.low, factor.high
            ));
        }
    }
    found.uncalibrated().for_each(|why| printer.warn(why.to_string()));
    printer.say("channels without an experiment stay as their model has them: association, not calibrated");
}
