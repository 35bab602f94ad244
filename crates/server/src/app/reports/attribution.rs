//! Models side by side.
use super::{Arguments, BY, Kind, Parameter, Report, SELECTION, Table};
use crate::app::{accounts::Role, problem::Problem};
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use futures::FutureExt;
use safar_attribution::uncertainty::Bootstrap;
use safar_pipeline::{
    Workspace,
    report::{self, AttributionReport, Measure, Modelling, Note, UNATTRIBUTED},
};
use serde_json::Value;
use std::sync::Arc;

pub const REPORT: Report = Report {
    name: "attribution",
    about: "Who gets the credit, by several models: model, label, conversions, value, share of the measure, and the ends of its \
            interval (low, high) where intervals are asked for. The label (unattributed) is what no touch earned. `extra.shares_of_four` tells, by model, what each of four \
            touches a day apart gets, first to last; null for models that learn from data.",
    role: Role::Viewer,
    parameters: &[BY, PARAMETERS, SELECTION],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

const PARAMETERS: &[Parameter] = &[
    Parameter::new("model", Kind::Models, "A model, or all; repeats. Those of safar.toml otherwise."),
    Parameter::new("measure", Kind::Choice(&["conversions", "value"]), "What share, low and high are of."),
    Parameter::new("intervals", Kind::Flag, "Whether to give intervals, by a bootstrap over people."),
    Parameter::new("resamples", Kind::Whole(200, 19, 10_000), "How many times people are drawn anew for intervals."),
    Parameter::new("seed", Kind::Whole(1, 0, u64::MAX), "The same seed gives the same intervals."),
    Parameter::new("level", Kind::Part(0.95), "Of the intervals."),
];

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let settings = bootstrap(arguments);
    let rules = &workspace.settings().attribution;
    let modelling = Modelling {
        models: arguments.models("model", &rules.models),
        bootstrap: settings,
        transforms: rules.transform.clone(),
        ..Modelling::default()
    };
    let report = report::attribute(workspace, &modelling, &arguments.dimension()?, &arguments.selection()).await?;
    let measure = if arguments.choice("measure") == "value" { Measure::Value } else { Measure::Conversions };
    let currency = &workspace.settings().workspace.currency;
    let mut table = Table::from(rows(&report, measure)?).unit(currency, &["value"]).unit("percent", &["share"]);
    if measure == Measure::Value {
        table = table.unit(currency, &["low", "high"]);
    }
    table.extra.insert("by".to_owned(), report.by.to_string().into());
    table.extra.insert("conversions".to_owned(), report.total.conversions.into());
    table.extra.insert("value".to_owned(), report.total.value.into());
    let shares = report.models.iter().map(|fitted| (fitted.model.to_string(), fitted.model.weights(4).into()));
    table.extra.insert("shares_of_four".to_owned(), Value::Object(shares.collect()));
    table.seed = settings.map(|settings| settings.seed);
    let notes = notes(&report, settings);
    Ok(table.goal(report.goal).notes(notes))
}

/// How intervals are found, where they are asked for.
pub fn bootstrap(arguments: &Arguments) -> Option<Bootstrap> {
    arguments.flag("intervals").then(|| Bootstrap {
        replicates: u32::try_from(arguments.whole("resamples")).unwrap_or(u32::MAX),
        seed: arguments.whole("seed"),
        level: arguments.part("level"),
    })
}

/// What a reader must know of the models.
pub fn notes(report: &AttributionReport, settings: Option<Bootstrap>) -> Vec<Note> {
    let intervals = settings.map(|settings| Note::Intervals { level: settings.level, resamples: settings.replicates });
    report.notes().into_iter().chain(intervals).collect()
}

/// By model, then by label, the most credited first; what no touch earned ends each model's rows.
fn rows(report: &AttributionReport, measure: Measure) -> Result<RecordBatch, Problem> {
    let estimates = report.estimates();
    let total = measure.of(report.total);
    let order = report.order();
    let (mut models, mut labels) = (vec![], vec![]);
    let [mut conversions, mut value, mut share, mut low, mut high] = [const { Vec::<Option<f64>>::new() }; 5];
    for (at, model) in report.models.iter().enumerate() {
        for row in order.iter().copied().map(Some).chain([None]) {
            let credit = row.map_or(model.unattributed, |row| model.credits[row]);
            models.push(model.model.to_string());
            labels.push(row.map_or(UNATTRIBUTED, |row| &report.labels[row]));
            conversions.push(Some(credit.conversions));
            value.push(Some(credit.value));
            share.push((total != 0.0).then(|| measure.of(credit) / total));
            let estimate = estimates.get(at).and_then(|of| of.get(row.unwrap_or(report.labels.len())));
            let ends = estimate.and_then(|of| match measure {
                Measure::Conversions => of.conversions,
                Measure::Value => of.value,
            });
            low.push(ends.map(|ends| ends.low));
            high.push(ends.map(|ends| ends.high));
        }
    }
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("model", Arc::new(StringArray::from_iter_values(models))),
        ("label", Arc::new(StringArray::from_iter_values(labels))),
        ("conversions", Arc::new(Float64Array::from(conversions))),
        ("value", Arc::new(Float64Array::from(value))),
        ("share", Arc::new(Float64Array::from(share))),
    ];
    if !estimates.is_empty() {
        columns.push(("low", Arc::new(Float64Array::from(low))));
        columns.push(("high", Arc::new(Float64Array::from(high))));
    }
    Ok(RecordBatch::try_from_iter(columns)?)
}
