//! `safar attribute`
use super::query;
use crate::{
    args::Attribute,
    output::{Alignment, Format, Grid, bar, number, render},
    printer::Printer,
};
use anyhow::{Context, Result, anyhow};
use safar_attribution::{Attribution, ModelSpec, ReadOptions, read_paths};
use safar_pipeline::{
    Settings, Workspace,
    report::{self, AttributionReport, Dimension, Measure, UNATTRIBUTED},
};
use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
};

/// Cells of the longest bar.
const BAR_WIDTH: usize = 12;

pub async fn run(folder: &Path, args: &Attribute, printer: Printer) -> Result<()> {
    let report = match &args.paths {
        Some(file) => of_file(file, &args.model)?,
        None => {
            let workspace = Workspace::open(folder).await?;
            let models = if args.model.is_empty() { &workspace.settings().attribution.models } else { &args.model };
            let by: Dimension = args.by.parse().map_err(|problem: String| anyhow!(problem))?;
            report::attribute(&workspace, models, &by, &query(&args.selection)?).await?
        }
    };
    if args.format == Format::Table {
        printer.result(side_by_side(&report).as_bytes())?;
        notes(&report, printer);
    } else {
        let batch = report.batch()?;
        printer.result(&render(&batch.schema(), &[batch], args.format)?)?;
    }
    Ok(())
}

fn of_file(file: &Path, models: &[ModelSpec]) -> Result<AttributionReport> {
    let options = ReadOptions::default();
    let (paths, labels) = if file == Path::new("-") {
        read_paths(io::stdin().lock(), &options).context("standard input")?
    } else {
        let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        read_paths(BufReader::with_capacity(1 << 20, opened), &options).with_context(|| file.display().to_string())?
    };
    let default = Settings::default().attribution.models;
    Ok(report::of_paths(if models.is_empty() { &default } else { models }, &paths, labels)?)
}

/// One row a label, one column a model; a table of conversions and, where there is money, one of value.
fn side_by_side(report: &AttributionReport) -> String {
    let mut out = String::new();
    for (measure, title) in [(Measure::Conversions, "conversions"), (Measure::Value, "value")] {
        let total = measure.of(report.total);
        let amounts = report.models.iter().flat_map(|model| &model.credits).map(|credit| measure.of(*credit));
        let most = amounts.fold(0.0, f64::max);
        if measure == Measure::Value && total == 0.0 && most == 0.0 {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        let head = [(format!("{title} by {}", report.by), Alignment::Left)];
        let models =
            headings(report).into_iter().flat_map(|name| [(name, Alignment::Right), (String::new(), Alignment::Left)]);
        let mut grid = Grid::new(head.into_iter().chain(models));
        for index in report.order() {
            let credits = report.models.iter().map(|model| measure.of(model.credits[index]));
            let cells = credits.flat_map(|amount| [number(amount, 1), bar(amount, most, BAR_WIDTH)]);
            grid.row([report.labels[index].clone()].into_iter().chain(cells).collect());
        }
        let rest = report.models.iter().flat_map(|model| [number(measure.of(model.unattributed), 1), String::new()]);
        grid.row([UNATTRIBUTED.to_owned()].into_iter().chain(rest).collect());
        let totals = report.models.iter().flat_map(|_| [number(total, 1), String::new()]);
        grid.row(["total".to_owned()].into_iter().chain(totals).collect());
        out.push_str(&grid.render());
    }
    out
}

/// Names of the models; those that appear twice are spelled with their settings.
fn headings(report: &AttributionReport) -> Vec<String> {
    let names: Vec<&str> = report.models.iter().map(|model| model.model.name()).collect();
    let is_alone = |name: &str| names.iter().filter(|other| **other == name).count() == 1;
    let heading = |(model, name): (&Attribution, &&str)| {
        if is_alone(name) { (*name).to_owned() } else { model.model.to_string() }
    };
    report.models.iter().zip(&names).map(heading).collect()
}

fn notes(report: &AttributionReport, printer: Printer) {
    if let Some(goal) = &report.goal {
        printer.say(format!(
            "goal {goal}, {} paths; unattributed: no touch in the look-back window",
            number(report.paths as f64, 0)
        ));
    }
    let spellings: Vec<String> = report.models.iter().map(|model| model.model.to_string()).collect();
    printer.say(format!("models: {}", spellings.join(" ")));
    if report.models.iter().any(|model| model.diagnostics.assumed_ages) {
        printer.say("the paths carry no times: time decay took touches as one day apart");
    }
    printer.say("numbers are rounded for the eye; --format csv gives every digit");
    printer.say("credit is association, not cause, unless it is calibrated by an experiment");
}
