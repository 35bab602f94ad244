//! `safar experiment`
use super::query;
use crate::{
    args::Experiment as Args,
    output::{Alignment, Format, Grid, number, render},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self, ExperimentReport},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Args, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let found = report::experiment(&workspace, &args.name, &args.model, &query(&args.selection)?, args.level).await?;
    if args.format == Format::Table {
        printer.result(arms(&found).as_bytes())?;
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

fn arms(found: &ExperimentReport) -> String {
    let head = ["arm", "people", "exposed", "converters", "conversions", "value"];
    let mut grid = Grid::new(head.map(|name| (name, if name == "arm" { Alignment::Left } else { Alignment::Right })));
    for (name, arm) in [("treated", &found.arms[0]), ("control", &found.arms[1])] {
        let exposed = arm.exposed.map_or_else(String::new, |exposed| format!("{:.1} %", 100.0 * exposed / arm.people));
        grid.row(vec![
            name.to_owned(),
            number(arm.people, 0),
            exposed,
            number(arm.converters, 0),
            number(arm.conversions.sum, 0),
            number(arm.value.sum, 2),
        ]);
    }
    grid.render()
}

fn notes(found: &ExperimentReport, level: f64, printer: Printer) {
    printer.say(found.facts(level).to_string());
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
