//! `safar attribute`
use super::{batch, dimension, models, query};
use crate::{
    args::Attribute,
    output::{Alignment, Format, Grid, bar, number, render},
    printer::Printer,
};
use anyhow::{Context, Result};
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use safar_attribution::{
    Attribution, Pair, ReadOptions, Solver, agreement, read_paths,
    uncertainty::{CreditEstimates, Measure as Credited},
};
use safar_model::DAY_US;
use safar_pipeline::{
    AttributionSettings, Workspace,
    report::{self, AttributionReport, Measure, Modelling, Note, UNATTRIBUTED},
};
use std::{fs::File, io, path::Path, sync::Arc};

/// Cells of the longest bar.
const BAR_WIDTH: usize = 12;

pub async fn run(folder: &Path, args: &Attribute, printer: Printer) -> Result<()> {
    let modelling = |otherwise: &AttributionSettings| Modelling {
        models: models(&args.model, &otherwise.models),
        bootstrap: args.intervals.bootstrap(),
        places: args.places,
        transforms: if args.transform.is_empty() { &otherwise.transform } else { &args.transform }.clone(),
    };
    let report = match &args.paths {
        Some(file) => of_file(file, &modelling(&AttributionSettings::default()))?,
        None => {
            let workspace = Workspace::open(folder).await?;
            let modelling = modelling(&workspace.settings().attribution);
            if modelling.bootstrap.is_none() && modelling.reads_timelines() {
                printer
                    .say("models of cause look at every touch of everyone: this takes minutes where touches are many");
            }
            let by = dimension(&args.labels)?;
            report::attribute(&workspace, &modelling, &by, &query(&args.selection)?).await?
        }
    };
    report.cautions().for_each(|caution| printer.warn(caution.to_string()));
    if args.agreement {
        let pairs = pairs(&report)?;
        printer.result(&render(&pairs.schema(), &[pairs], args.format)?)?;
        printer
            .say("distance: the part of the credit that changes hands, 0 to 1; spearman and kendall: rank correlation");
    } else if args.places {
        let places = report.places_batch()?;
        printer.result(&render(&places.schema(), &[places], args.format)?)?;
    } else if args.format == Format::Table {
        printer.result(side_by_side(&report).as_bytes())?;
        notes(&report, printer);
    } else {
        let batch = report.batch()?;
        printer.result(&render(&batch.schema(), &[batch], args.format)?)?;
    }
    if let Some(note) = args.intervals.note() {
        printer.say(note);
    }
    Ok(())
}

fn of_file(file: &Path, modelling: &Modelling) -> Result<AttributionReport> {
    let options = ReadOptions::default();
    let (paths, labels) = if file == Path::new("-") {
        read_paths(io::stdin().lock(), &options).context("standard input")?
    } else {
        let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        read_paths(opened, &options).with_context(|| file.display().to_string())?
    };
    Ok(report::of_paths(modelling, &paths, labels)?)
}

/// How far each pair of models agrees on conversions.
fn pairs(report: &AttributionReport) -> Result<RecordBatch> {
    let agreement = agreement(&report.models, Credited::Conversions)?;
    let name = |index: usize| report.models[index].model.to_string();
    let numbers = |of: &dyn Fn(&Pair) -> Option<f64>| -> ArrayRef {
        Arc::new(agreement.pairs.iter().map(of).collect::<Float64Array>())
    };
    let texts = |of: &dyn Fn(&Pair) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(agreement.pairs.iter().map(of)))
    };
    batch(vec![
        ("model_a", texts(&|pair| name(pair.a))),
        ("model_b", texts(&|pair| name(pair.b))),
        ("distance", numbers(&|pair| Some(pair.distance))),
        ("spearman", numbers(&|pair| pair.spearman)),
        ("kendall", numbers(&|pair| pair.kendall)),
    ])
}

/// One row a label, one column a model; a table of conversions and, where there is money, one of value.
fn side_by_side(report: &AttributionReport) -> String {
    let mut out = String::new();
    let estimates = report.estimates();
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
            let cells = credits.enumerate().flat_map(|(model, amount)| {
                let beside = match estimates.get(model) {
                    Some(estimates) => interval(measure, &estimates[index]),
                    None => bar(amount, most, BAR_WIDTH),
                };
                [number(amount, 1), beside]
            });
            grid.row([report.labels[index].clone()].into_iter().chain(cells).collect());
        }
        let rest = report.models.iter().enumerate().flat_map(|(model, fitted)| {
            let beside = estimates.get(model).and_then(|estimates| estimates.last());
            [number(measure.of(fitted.unattributed), 1), beside.map_or_else(String::new, |of| interval(measure, of))]
        });
        grid.row([UNATTRIBUTED.to_owned()].into_iter().chain(rest).collect());
        let totals = report.models.iter().flat_map(|_| [number(total, 1), String::new()]);
        grid.row(["total".to_owned()].into_iter().chain(totals).collect());
        out.push_str(&grid.render());
    }
    out
}

/// The ends of an interval, in brackets.
fn interval(measure: Measure, of: &CreditEstimates) -> String {
    let estimate = match measure {
        Measure::Conversions => of.conversions,
        Measure::Value => of.value,
    };
    estimate.map_or_else(String::new, |estimate| format!("[{}, {}]", number(estimate.low, 1), number(estimate.high, 1)))
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
    if let Some(line) = weights(report) {
        printer.say(line);
    }
    if !report.transforms.is_empty() {
        let steps: Vec<String> = report.transforms.iter().map(ToString::to_string).collect();
        printer.say(format!("paths were changed first: {}; models of cause read no paths", steps.join(", ")));
    }
    if report.models.iter().any(|model| model.diagnostics.assumed_ages) {
        printer.say("the paths carry no times: time decay took touches as one day apart");
    }
    let remarks = report.models.iter().flat_map(|fitted| remarks(fitted, &report.labels));
    remarks.for_each(|remark| printer.say(remark));
    ranks(report).into_iter().for_each(|line| printer.say(line));
    if let Some(line) = widest(report) {
        printer.say(line);
    }
    printer.say("numbers are rounded for the eye; --format csv gives every digit");
    printer.say(Note::Association.to_string());
}

/// What rules give the touches of a path of four.
fn weights(report: &AttributionReport) -> Option<String> {
    let of = |fitted: &Attribution| {
        let weights = fitted.model.weights(4)?;
        let parts: Vec<String> = weights.iter().map(|weight| number(weight * 100.0, 0)).collect();
        Some(format!("{} {}", fitted.model.name(), parts.join("/")))
    };
    let rules: Vec<String> = report.models.iter().filter_map(of).collect();
    (!rules.is_empty()).then(|| format!("percent of a path of four touches, a day apart: {}", rules.join(", ")))
}

/// What a model has to say about how it was fitted.
fn remarks(fitted: &Attribution, labels: &[String]) -> Vec<String> {
    let (name, diagnostics) = (&fitted.model, &fitted.diagnostics);
    let mut lines = vec![];
    if diagnostics.overlapping {
        lines.push(format!(
            "{name}: every channel of a path gets the whole conversion, so credits sum to more than the total"
        ));
    }
    if let Some(markov) = &diagnostics.markov {
        if let Solver::Iterative { sweeps, residual } = markov.solver {
            lines.push(format!(
                "{name}: {} states, solved by {sweeps} sweeps to a relative residual of {residual:.1e}",
                number(markov.states as f64, 0)
            ));
        }
        if let Some(choice) = &markov.choice {
            let losses: Vec<String> = choice.losses.iter().map(|loss| format!("{loss:.5}")).collect();
            lines.push(format!(
                "{name}: order {} chosen by hold-out log-loss, {} folds, seed {}: orders 1 to {}: {}; base rate {:.5}",
                markov.order,
                choice.folds,
                choice.seed,
                losses.len(),
                losses.join(" "),
                choice.base_loss
            ));
        }
    }
    if let Some(sampled) = &diagnostics.sampled {
        let widest = sampled.errors.iter().map(|error| error.conversions).fold(0.0, f64::max);
        lines.push(format!(
            "{name}: {} orders of channels were drawn, seed {}; standard error of a credit at most {widest:.3} conversions",
            sampled.samples, sampled.seed
        ));
    }
    if let Some(hazard) = &diagnostics.hazard {
        let rest = if hazard.converged { "came to rest" } else { "did not come to rest: its numbers may still move" };
        let days = hazard.step as f64 / DAY_US as f64;
        lines.push(format!(
            "{name}: learning {rest}, {} rounds, steps of {} days, log-likelihood {}",
            hazard.rounds,
            number(days, 2),
            number(hazard.log_likelihood, 1)
        ));
        let guessed = labels.iter().zip(&hazard.channels).filter(|(_, channel)| channel.guessed);
        let guessed: Vec<String> =
            guessed.map(|(label, channel)| format!("{label} {}", channel.role.as_str())).collect();
        if !guessed.is_empty() {
            lines.push(format!(
                "{name}: roles guessed from names: {}; [attribution.roles] in safar.toml sets them",
                guessed.join(", ")
            ));
        }
    }
    if let Some(logistic) = diagnostics.logistic.as_ref().filter(|logistic| logistic.even.conversions > 0.0) {
        lines.push(format!(
            "{name}: {} conversions are on paths without a channel that helps; their channels share equally",
            number(logistic.even.conversions, 1)
        ));
    }
    lines
}

/// How sure the order of neighbouring channels is, model by model.
fn ranks(report: &AttributionReport) -> Vec<String> {
    let order: Vec<usize> = report.order().into_iter().take(6).collect();
    let mut lines = vec![];
    for resamples in &report.resamples {
        let Ok(ranks) = resamples.ranks(Credited::Conversions, &order) else { continue };
        let above = order.windows(2).enumerate().map(|(at, pair)| {
            let names = (&report.labels[pair[0]], &report.labels[pair[1]]);
            format!("{} above {} in {:.0} %", names.0, names.1, ranks.above[at][at + 1] * 100.0)
        });
        let sentences: Vec<String> = above.collect();
        if !sentences.is_empty() {
            lines.push(format!("{}: {} of resamples", resamples.point.model, sentences.join(", ")));
        }
    }
    lines
}

/// Where the models differ most.
fn widest(report: &AttributionReport) -> Option<String> {
    let agreement = agreement(&report.models, Credited::Conversions).ok()?;
    let widest = agreement.widest().filter(|_| report.models.len() > 1)?;
    Some(format!(
        "the models differ by up to {:.1} points of share on {}: {:.1} % by {} and {:.1} % by {}; --agreement compares all pairs",
        widest.points(),
        report.labels[widest.channel],
        widest.low * 100.0,
        agreement.models[widest.low_model].model,
        widest.high * 100.0,
        agreement.models[widest.high_model].model
    ))
}
