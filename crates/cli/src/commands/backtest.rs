//! `safar backtest`
use super::{batch, day, models, query};
use crate::{
    args::{Backtest as Args, Shown},
    output::{Format, render},
    printer::Printer,
};
use anyhow::Result;
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use safar_attribution::validation::{Gap, Reason, Recommendation};
use safar_pipeline::{
    Workspace,
    report::{self, Backtest},
};
use std::{path::Path, sync::Arc};

pub async fn run(folder: &Path, args: &Args, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let split = day(args.split.as_deref())?;
    let found =
        report::backtest(&workspace, &models(&args.model, &[]), &query(&args.selection)?, split, args.resamples)
            .await?;
    let table = match args.show {
        Shown::Scores => scores(&found)?,
        Shown::Calibration => calibration(&found)?,
        Shown::Roc => roc(&found)?,
        Shown::Weeks => weeks(&found)?,
    };
    printer.result(&render(&table.schema(), &[table], args.format)?)?;
    for (model, why) in &found.refused {
        printer.warn(format!("{model} was not tested: {why}"));
    }
    let at = |micros: i64| {
        jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |at| at.to_string())
    };
    printer.say(format!(
        "goal {}: learned from paths that began from {} to {}, tested on those up to {}; steadiness over {} full weeks",
        found.goal,
        at(found.span.0),
        at(found.split),
        at(found.span.1),
        found.weeks
    ));
    for line in reasons(&found.recommendation) {
        if args.format == Format::Table { printer.result(format!("{line}\n").as_bytes())? } else { printer.say(line) }
    }
    if let Some(shift) = found.recommendation.shift {
        printer.warn(format!(
            "the conversion rate went from {:.2} % to {:.2} % (p = {:.1e}): the later paths are not like the earlier ones, so scores compare models but do not foretell the future",
            shift.earlier * 100.0,
            shift.later * 100.0,
            shift.p
        ));
    }
    printer.say(Recommendation::CAVEAT);
    Ok(())
}

/// Which model to use and why, in words.
fn reasons(found: &Recommendation) -> Vec<String> {
    let gap = |gap: Gap| format!("{:.5} ± {:.5}", gap.mean, gap.error);
    let name = found.choice.map(|choice| found.candidates[choice].model.to_string()).unwrap_or_default();
    vec![match found.reason {
        Reason::NothingBeatsTheBaseRate { gain } => format!(
            "recommended: none. No model's log-loss is below that of the plain conversion rate by more than one standard error (the best: {}): these paths do not tell who converts",
            gap(gain)
        ),
        Reason::Best { gain, ahead } => format!(
            "recommended: {name}. It predicts later outcomes best: log-loss below the plain conversion rate by {}{}",
            gap(gain),
            ahead.map_or_else(String::new, |ahead| format!(", and below the next model by {}", gap(ahead)))
        ),
        Reason::SimplestWithinOneError { gain, behind, within } => format!(
            "recommended: {name}. Of the {within} models within one standard error of the best it is the simplest (and steadiest): behind by {}, below the plain conversion rate by {}",
            gap(behind),
            gap(gain)
        ),
    }]
}

fn numbers(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn scores(found: &Backtest) -> Result<RecordBatch> {
    let all = || found.recommendation.candidates.iter();
    let steady = || found.stabilities.iter().map(Option::as_ref);
    let chosen = found.recommendation.choice;
    batch(vec![
        ("model", texts(all().map(|one| one.model.to_string()))),
        ("log_loss", numbers(all().map(|one| Some(one.score.log_loss)))),
        ("base_log_loss", numbers(all().map(|one| Some(one.score.base.log_loss)))),
        ("gain", numbers(all().map(|one| Some(one.score.gain.mean)))),
        ("gain_error", numbers(all().map(|one| Some(one.score.gain.error)))),
        ("auc", numbers(all().map(|one| Some(one.score.auc)))),
        ("brier", numbers(all().map(|one| Some(one.score.brier)))),
        ("people", numbers(all().map(|one| Some(one.score.people)))),
        ("week_distance", numbers(steady().map(|one| one.map(|one| one.distance)))),
        ("week_noise", numbers(steady().map(|one| one.map(|one| one.noise_floor)))),
        ("week_p", numbers(steady().map(|one| one.map(|one| one.p)))),
        (
            "recommended",
            texts((0..found.stabilities.len()).map(|at| if chosen == Some(at) { "yes" } else { "" }.to_owned())),
        ),
    ])
}

/// One row for each entry of each model's list.
fn spread<T>(found: &Backtest, lists: &[Vec<T>]) -> Vec<(String, usize)> {
    let names = found.recommendation.candidates.iter().map(|one| one.model.to_string());
    names.zip(lists).flat_map(|(name, list)| (0..list.len()).map(move |at| (name.clone(), at))).collect()
}

fn calibration(found: &Backtest) -> Result<RecordBatch> {
    let rows = spread(found, &found.calibrations);
    let bins = || found.calibrations.iter().flatten();
    batch(vec![
        ("model", texts(rows.iter().map(|(name, _)| name.clone()))),
        ("bin", numbers(rows.iter().map(|(_, at)| Some(*at as f64 + 1.0)))),
        ("people", numbers(bins().map(|bin| Some(bin.people)))),
        ("conversions", numbers(bins().map(|bin| Some(bin.conversions)))),
        ("predicted", numbers(bins().map(|bin| Some(bin.predicted)))),
        ("observed", numbers(bins().map(|bin| Some(bin.observed)))),
        ("observed_low", numbers(bins().map(|bin| Some(bin.low)))),
        ("observed_high", numbers(bins().map(|bin| Some(bin.high)))),
    ])
}

fn roc(found: &Backtest) -> Result<RecordBatch> {
    let rows = spread(found, &found.rocs);
    let points = || found.rocs.iter().flatten();
    batch(vec![
        ("model", texts(rows.iter().map(|(name, _)| name.clone()))),
        ("threshold", numbers(points().map(|point| Some(point.threshold)))),
        ("true_positive_rate", numbers(points().map(|point| Some(point.found)))),
        ("false_positive_rate", numbers(points().map(|point| Some(point.alarmed)))),
    ])
}

fn weeks(found: &Backtest) -> Result<RecordBatch> {
    let ranges: Vec<Vec<_>> =
        found.stabilities.iter().map(|one| one.as_ref().map_or(vec![], |one| one.ranges.clone())).collect();
    let rows = spread(found, &ranges);
    batch(vec![
        ("model", texts(rows.iter().map(|(name, _)| name.clone()))),
        ("channel", texts(rows.iter().map(|(_, at)| found.labels[*at].clone()))),
        ("share_low", numbers(ranges.iter().flatten().map(|range| Some(range.low)))),
        ("share_high", numbers(ranges.iter().flatten().map(|range| Some(range.high)))),
    ])
}
