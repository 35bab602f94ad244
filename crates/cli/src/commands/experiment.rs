//! `safar experiment`
use super::{batch, query};
use crate::{
    args::Experiment as Args,
    output::{Alignment, Format, Grid, number, render},
    printer::Printer,
};
use anyhow::Result;
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use safar_attribution::experiment::{Estimate, Lift, Standing, Warning};
use safar_pipeline::{
    Workspace,
    report::{self, ExperimentReport, UNATTRIBUTED},
};
use std::{path::Path, sync::Arc};

pub async fn run(folder: &Path, args: &Args, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let found = report::experiment(&workspace, &args.name, &args.model, &query(&args.selection)?, args.level).await?;
    if args.format == Format::Table {
        printer.result(arms(&found).as_bytes())?;
        printer.result(b"\n")?;
        printer.result(Grid::of(&lifts(&found)?)?.render().as_bytes())?;
        printer.result(b"\n")?;
        printer.result(Grid::of(&calibrated(&found)?)?.render().as_bytes())?;
    } else {
        let table = if args.calibrated { calibrated(&found)? } else { lifts(&found)? };
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

fn numbers<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<Float64Array>())
}

fn lifts(found: &ExperimentReport) -> Result<RecordBatch> {
    let outcome = &found.outcome;
    let rows = [("converters", &outcome.converters), ("conversions", &outcome.conversions), ("value", &outcome.value)];
    let of = |of: &dyn Fn(&Lift) -> Option<f64>| numbers(&rows, |(_, lift)| of(lift));
    batch(vec![
        ("measure", Arc::new(StringArray::from_iter_values(rows.iter().map(|(name, _)| *name)))),
        ("treated_mean", of(&|lift| Some(lift.treated))),
        ("control_mean", of(&|lift| Some(lift.control))),
        ("incremental", of(&|lift| Some(lift.total.value))),
        ("incremental_low", of(&|lift| Some(lift.total.low))),
        ("incremental_high", of(&|lift| Some(lift.total.high))),
        ("relative_lift", of(&|lift| lift.relative.map(|lift| lift.value))),
        ("relative_lift_low", of(&|lift| lift.relative.map(|lift| lift.low))),
        ("relative_lift_high", of(&|lift| lift.relative.map(|lift| lift.high))),
        ("p", of(&|lift| lift.p)),
        ("detectable_lift", of(&|lift| lift.detectable.map(|least| least / lift.control))),
    ])
}

/// Model, channel, credit before and after, and the interval that the experiment leaves.
struct Row {
    model: String,
    channel: String,
    before: f64,
    after: f64,
    interval: Option<Estimate>,
}

fn calibrated(found: &ExperimentReport) -> Result<RecordBatch> {
    let mut rows = vec![];
    for (fitted, calibrated) in found.attribution.models.iter().zip(&found.calibrated) {
        let Ok((_, calibrated)) = calibrated else { continue };
        let model = fitted.model.to_string();
        for index in found.attribution.order() {
            let credit = calibrated.credits[index];
            let interval = match credit.standing {
                Standing::Calibrated { conversions, .. } => Some(conversions),
                Standing::Association => None,
            };
            let channel = found.attribution.labels[index].clone();
            let before = fitted.credits[index].conversions;
            rows.push(Row { model: model.clone(), channel, before, after: credit.conversions, interval });
        }
        let rest = calibrated.unattributed_conversions;
        let before = fitted.unattributed.conversions;
        rows.push(Row { model, channel: UNATTRIBUTED.into(), before, after: rest.value, interval: Some(rest) });
    }
    let texts =
        |of: &dyn Fn(&Row) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
    let standing = |row: &Row| if row.interval.is_some() { "calibrated" } else { "association" };
    batch(vec![
        ("model", texts(&|row| &row.model)),
        ("channel", texts(&|row| &row.channel)),
        ("conversions", numbers(&rows, |row| Some(row.before))),
        ("calibrated_conversions", numbers(&rows, |row| Some(row.after))),
        ("low", numbers(&rows, |row| row.interval.map(|interval| interval.low))),
        ("high", numbers(&rows, |row| row.interval.map(|interval| interval.high))),
        ("standing", Arc::new(StringArray::from_iter_values(rows.iter().map(standing)))),
    ])
}

fn notes(found: &ExperimentReport, level: f64, printer: Printer) {
    let settings = &found.settings;
    printer.say(format!(
        "experiment {}: {} withheld from `{}` = `{}` told by `{}`; goal {}; {} % intervals; everyone counts in the arm that chance put them in",
        settings.name,
        settings.channels.join(", "),
        settings.property,
        settings.control,
        settings.event,
        found.goal,
        level * 100.0
    ));
    for warning in &found.outcome.warnings {
        printer.warn(match warning {
            Warning::SampleRatioMismatch { p } => format!("the arms are not of the sizes they were meant to be (p = {p:.2e}): somebody went missing, and not at random"),
            Warning::FewConverters { expected } => format!("only {expected:.1} converters are expected in one cell: the p-value is rough"),
            Warning::ControlExposed { share } => format!("{:.1} % of the control arm met the channels, so the lift is understated", share * 100.0),
            other => format!("{other:?}"),
        });
    }
    if found.in_both > 0 {
        printer.warn(format!(
            "{} people were put in both arms; they count in their first",
            number(found.in_both as f64, 0)
        ));
    }
    for (fitted, calibrated) in found.attribution.models.iter().zip(&found.calibrated) {
        match calibrated {
            Ok((credited, calibrated)) => calibrated.calibrations.iter().for_each(|calibration| {
                let factor = calibration.factor;
                printer.say(format!(
                    "{}: credits {} conversions to these channels over the treated people; the experiment finds {:.3} for each of them [{:.3}, {:.3}]",
                    fitted.model, number(credited.conversions, 1), factor.value, factor.low, factor.high
                ));
            }),
            Err(why) => printer.warn(format!("{} cannot be calibrated: {why}", fitted.model)),
        }
    }
    printer.say("channels without an experiment stay as their model has them: association, not calibrated");
}
