//! `safar explain`: what made one number of an attribution report.
use super::{
    Dimension, NOT_SET, Note, PathQuery, UNATTRIBUTED,
    attribute::{AttributionReport, Modelling, attribute_in},
    direct::Direct,
    explain_touches::touches,
    load::{TouchLabels, Wanted, load, needs_ages},
    names::Names,
};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use safar_attribution::{Credit, ModelSpec};
use safar_engine::Session;
use safar_model::{ChannelId, Micros, PathRef, sum::Sum};

/// What made one number.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The number, the rule and how they follow from each other, a line each.
    pub lines: Vec<Note>,
    /// Conversions that gave something and are not shown.
    pub left_out: usize,
    /// Rows `conversion_id, person_id, converted_at, order_id, conversion_value, place, touched_at, age_days, label, touchpoint_id,
    /// source, medium, campaign, interaction, rule, rule_code, window, window_code, window_days, weight, credit_conversions,
    /// credit_value`: every touch of the conversions shown, so that weights sum to 1. `rule` is the channel rule that decided the
    /// touch's channel, `window` what let it in, each with a code that stays. What no touch earned of a conversion is a row without
    /// a touch.
    pub touches: RecordBatch,
}

/// One converting path that gave the label credit.
pub(super) struct Contribution {
    pub conversion: Option<i64>,
    /// Nobody knows who walked ready paths.
    pub person: Option<i64>,
    pub at: Micros,
    pub value: f64,
    pub conversions: f64,
    pub labels: Vec<ChannelId>,
    pub touches: Vec<i64>,
    pub ages: Vec<Micros>,
    pub shares: Vec<f64>,
    /// The part that no touch has.
    pub rest: f64,
    credit: Credit,
}

/// Explains the cell (`model`, `label`) of the report by `by` over `query`, with the `limit` conversions that gave most (0: all).
/// The label [`UNATTRIBUTED`] asks for what no touch earned.
///
/// # Errors
/// When the report has no such label, the model gives single touches nothing, or the tables cannot be read.
pub async fn explain(
    workspace: &Workspace,
    model: &ModelSpec,
    by: &Dimension,
    label: &str,
    query: &PathQuery,
    limit: usize,
) -> Result<Explanation> {
    if model.is_causal() {
        return Err(Error::Request(format!(
            "`{model}` credits channels over everything that people did: no touch of a single conversion has a share to show"
        )));
    }
    let session = super::session(workspace).await?;
    let modelling = Modelling { models: vec![model.clone()], ..Modelling::default() };
    let report = attribute_in(workspace, &session, &modelling, by, query).await?;
    let wanted = match label {
        UNATTRIBUTED => None,
        _ => Some(report.labels.iter().position(|name| name == label).ok_or_else(|| unknown(&report, label))?),
    };
    let goal = report.goal.clone().unwrap_or_default();
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let mut given = contributions(workspace, &session, model, by, &condition, &report, wanted).await?;
    let size = |one: &Contribution| (one.credit.conversions, one.credit.value.abs());
    given.sort_by(|a, b| {
        let (a_size, b_size) = (size(a), size(b));
        let by_size = b_size.0.total_cmp(&a_size.0);
        let by_size = if wanted.is_none() { by_size.then(b_size.1.total_cmp(&a_size.1)) } else { by_size };
        by_size.then(a.at.cmp(&b.at)).then(a.conversion.cmp(&b.conversion))
    });
    let shown = if limit == 0 { given.len() } else { limit.min(given.len()) };
    let mut lines = lines(&report, model, label, wanted, &given, shown);
    let transforms: Vec<String> = workspace.settings().attribution.transform.iter().map(ToString::to_string).collect();
    if !transforms.is_empty() {
        lines.push(Note::Untransformed { transforms });
    }
    let touches = touches(workspace, &session, &goal, &report.labels, &given[..shown]).await?;
    Ok(Explanation { lines, left_out: given.len() - shown, touches })
}

fn unknown(report: &AttributionReport, label: &str) -> Error {
    let known = report.order().into_iter().take(12).map(|index| report.labels[index].as_str());
    let known: Vec<&str> = known.chain([UNATTRIBUTED]).collect();
    Error::Request(format!("no {} `{label}` in this report; there are {}", report.by, known.join(", ")))
}

/// Shares below this are what rounding leaves of nothing.
const NOTHING: f64 = 1e-9;

async fn contributions(
    workspace: &Workspace,
    session: &Session,
    model: &ModelSpec,
    by: &Dimension,
    condition: &str,
    report: &AttributionReport,
    wanted: Option<usize>,
) -> Result<Vec<Contribution>> {
    let mut names = Names::default();
    for name in &report.labels {
        names.id(name);
    }
    let of_touch = TouchLabels::read(session, by).await?;
    let direct = Direct::of(workspace, std::slice::from_ref(model))?;
    let extent = Wanted { ages: needs_ages(model), ..Wanted::default() };
    let mut numbered = Names::default();
    report.labels.iter().for_each(|name| {
        numbered.id(name);
    });
    let loaded = load(session, by, condition, extent, &mut numbered).await?;
    let (paths, _) = loaded.of(model);
    let fitted = model.build().fit_until(paths, &loaded.labels, workspace.stop())?;
    let sql = format!(
        "SELECT conversion_id, occurred_at, value, conversions, touchpoint_ids, ages_us, channels, person_id, bucket FROM paths \
         WHERE {condition} AND (conversions > 0 OR value <> 0) ORDER BY person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    let mut given = vec![];
    while let Some(batch) = stream.try_next().await? {
        let conversion = batch.column(0).as_primitive::<Int64Type>();
        let at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let [value, conversions] = [2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>());
        let [ids, ages] = [4, 5].map(|index| batch.column(index).as_list::<i32>());
        let channels = batch.column(6).as_list::<i32>();
        let person = batch.column(7).as_primitive::<Int64Type>();
        let buckets = cast(batch.column(8), &DataType::Int64)?;
        let buckets = buckets.as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let touches = ids.value(row).as_primitive::<Int64Type>().values().to_vec();
            let ages = ages.value(row).as_primitive::<Int64Type>().values().to_vec();
            let texts = cast(&channels.value(row), &DataType::Utf8)?;
            let channels: Vec<&str> = texts.as_string::<i32>().iter().map(|name| name.unwrap_or(NOT_SET)).collect();
            let labels: Vec<ChannelId> = if touches.is_empty() {
                channels.iter().map(|name| names.id(name)).collect()
            } else {
                touches.iter().map(|id| names.id(of_touch.of(*id))).collect()
            };
            if wanted.is_some_and(|wanted| !labels.iter().any(|label| label.0 as usize == wanted)) {
                continue;
            }
            let mut shares = vec![0.0; labels.len()];
            let known = (ages.len() == labels.len()).then_some(ages.as_slice());
            let (value, conversions) = (value.value(row), conversions.value(row));
            if let Some(place) = direct.place(model, &channels).filter(|place| *place < shares.len()) {
                shares[place] = 1.0;
            } else if !labels.is_empty() {
                fitted.shares(PathRef { channels: &labels, ages: known, conversions, value, nulls: 0.0 }, &mut shares);
            }
            let mine = |label: &ChannelId| wanted.is_none_or(|wanted| label.0 as usize == wanted);
            let sum: f64 = labels.iter().zip(&shares).filter(|(label, _)| mine(label)).map(|(_, share)| share).sum();
            let rest = if labels.is_empty() || (wanted.is_none() && fitted.conserves()) { 1.0 - sum } else { 0.0 };
            let share = if wanted.is_none() { rest } else { sum };
            if share > NOTHING {
                given.push(Contribution {
                    conversion: conversion.is_valid(row).then(|| conversion.value(row)),
                    person: (buckets.value(row) >= 0).then(|| person.value(row)),
                    at: at.value(row),
                    value,
                    conversions,
                    credit: Credit { conversions: share * conversions, value: share * value },
                    labels,
                    touches,
                    ages,
                    shares,
                    rest: if rest > NOTHING { rest } else { 0.0 },
                });
            }
        }
    }
    Ok(given)
}

fn lines(
    report: &AttributionReport,
    model: &ModelSpec,
    label: &str,
    wanted: Option<usize>,
    given: &[Contribution],
    shown: usize,
) -> Vec<Note> {
    let fitted = &report.models[0];
    let Credit { conversions, value } = wanted.map_or(fitted.unattributed, |wanted| fitted.credits[wanted]);
    let mut lines = vec![
        Note::Explained { by: report.by.to_string(), label: label.to_owned(), conversions, value },
        Note::ExplainedBy { goal: report.goal.clone().unwrap_or_default(), model: model.to_string() },
        Note::Balance {
            conversions: report.total.conversions,
            value: report.total.value,
            unattributed: fitted.unattributed.conversions,
            unattributed_value: fitted.unattributed.value,
        },
    ];
    match (wanted, &fitted.diagnostics.markov) {
        (None, _) => {
            let conversions = given.iter().filter(|path| path.conversions > 0.0).count() as u64;
            lines.push(Note::Unearned { conversions });
        }
        (Some(wanted), Some(markov)) => {
            let effect = markov.removal_effects[wanted];
            lines.push(Note::RemovalEffect {
                label: label.to_owned(),
                chance: markov.base,
                order: u64::from(markov.order),
                states: markov.states as u64,
                effect,
            });
            lines.push(Note::RemovalCredit {
                effect,
                sum: markov.removal_effects.iter().sum(),
                conversions: report.total.conversions - fitted.unattributed.conversions,
            });
            lines.push(Note::WeightsRank);
        }
        (Some(_), None) => {
            let sum: Sum = given.iter().map(|path| path.credit.conversions).collect();
            lines.push(Note::Shares { conversions: given.len() as u64, sum: sum.get() });
        }
    }
    if shown < given.len() {
        lines.push(Note::MostShown { shown: shown as u64, all: given.len() as u64 });
    }
    lines
}
