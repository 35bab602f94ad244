//! `safar explain`: what made one number of an attribution report.
use super::{
    Dimension, NOT_SET, PathQuery,
    attribute::{AttributionReport, Modelling, Names, Wanted, labels_of_touches, load, needs_ages, strings},
};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_attribution::{Credit, MODELS, ModelSpec};
use safar_engine::Session;
use safar_model::{ChannelId, DAY_US, Micros, PathRef, table::instant};
use std::sync::Arc;

/// What made one number.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The number, the rule and how they follow from each other, a line each.
    pub lines: Vec<String>,
    /// Rows `conversion_id, converted_at, order_id, conversion_value, place, touched_at, age_days, label, touchpoint_id, source, medium,
    /// campaign, interaction, weight, credit_conversions, credit_value`: every touch of the conversions shown, so that weights sum to 1.
    pub touches: RecordBatch,
}

/// One converting path that gave the label credit.
struct Contribution {
    conversion: Option<i64>,
    at: Micros,
    value: f64,
    conversions: f64,
    labels: Vec<ChannelId>,
    touches: Vec<i64>,
    ages: Vec<Micros>,
    shares: Vec<f64>,
    credit: f64,
}

/// Explains the cell (`model`, `label`) of the report by `by` over `query`, with the `limit` conversions that gave most (0: all).
///
/// # Errors
/// When the report has no such label, or the tables cannot be read.
pub async fn explain(
    workspace: &Workspace,
    model: &ModelSpec,
    by: &Dimension,
    label: &str,
    query: &PathQuery,
    limit: usize,
) -> Result<Explanation> {
    let modelling = Modelling { models: vec![model.clone()], ..Modelling::default() };
    let report = super::attribute(workspace, &modelling, by, query).await?;
    let wanted = report.labels.iter().position(|name| name == label).ok_or_else(|| unknown(&report, label))?;
    let snapshot = report.snapshot.clone().ok_or_else(|| Error::Request("the report has no snapshot".to_owned()))?;
    let session = workspace.engine()?.session(&snapshot)?;
    let goal = report.goal.clone().unwrap_or_default();
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let mut given = contributions(&session, model, by, &condition, &report, wanted).await?;
    given.sort_by(|a, b| b.credit.total_cmp(&a.credit).then(a.at.cmp(&b.at)).then(a.conversion.cmp(&b.conversion)));
    let shown = if limit == 0 { given.len() } else { limit.min(given.len()) };
    let lines = lines(&report, model, label, wanted, &given, shown);
    let touches = touches(&session, &report.labels, &given[..shown]).await?;
    Ok(Explanation { lines, touches })
}

fn unknown(report: &AttributionReport, label: &str) -> Error {
    let known: Vec<&str> = report.order().into_iter().take(12).map(|index| report.labels[index].as_str()).collect();
    Error::Request(format!("no {} `{label}` in this report; there are {}", report.by, known.join(", ")))
}

async fn contributions(
    session: &Session,
    model: &ModelSpec,
    by: &Dimension,
    condition: &str,
    report: &AttributionReport,
    wanted: usize,
) -> Result<Vec<Contribution>> {
    let mut names = Names::default();
    for name in &report.labels {
        names.id(name);
    }
    let of_touch = labels_of_touches(session, by, &mut names).await?;
    let extent = Wanted { ages: needs_ages(model), ..Wanted::default() };
    let loaded = load(session, by, condition, extent, &mut Names::default()).await?;
    let (paths, _) = loaded.of(model);
    let fitted = model.build().fit(paths, &loaded.labels)?;
    let sql = format!(
        "SELECT conversion_id, occurred_at, value, conversions, touchpoint_ids, ages_us, channels FROM paths \
         WHERE {condition} AND conversions > 0 AND length > 0 ORDER BY person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    let mut given = vec![];
    while let Some(batch) = stream.try_next().await? {
        let conversion = batch.column(0).as_primitive::<Int64Type>();
        let at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let [value, conversions] = [2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>());
        let [ids, ages] = [4, 5].map(|index| batch.column(index).as_list::<i32>());
        let channels = batch.column(6).as_list::<i32>();
        for row in 0..batch.num_rows() {
            let touches = ids.value(row).as_primitive::<Int64Type>().values().to_vec();
            let ages = ages.value(row).as_primitive::<Int64Type>().values().to_vec();
            let labels: Vec<ChannelId> = if touches.is_empty() {
                let texts = channels.value(row);
                texts.as_string::<i32>().iter().map(|name| names.id(name.unwrap_or(NOT_SET))).collect()
            } else {
                let not_set = names.id(NOT_SET);
                touches.iter().map(|id| of_touch.get(id).copied().unwrap_or(not_set)).collect()
            };
            if !labels.iter().any(|label| label.0 as usize == wanted) {
                continue;
            }
            let mut shares = vec![0.0; labels.len()];
            let known = (ages.len() == labels.len()).then_some(ages.as_slice());
            let path = PathRef {
                channels: &labels,
                ages: known,
                conversions: conversions.value(row),
                value: value.value(row),
                nulls: 0.0,
            };
            fitted.shares(path, &mut shares);
            let share: f64 = labels
                .iter()
                .zip(&shares)
                .filter(|(label, _)| label.0 as usize == wanted)
                .map(|(_, share)| share)
                .sum();
            if share > 0.0 {
                given.push(Contribution {
                    conversion: conversion.is_valid(row).then(|| conversion.value(row)),
                    at: at.value(row),
                    value: value.value(row),
                    conversions: conversions.value(row),
                    credit: share * conversions.value(row),
                    labels,
                    touches,
                    ages,
                    shares,
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
    wanted: usize,
    given: &[Contribution],
    shown: usize,
) -> Vec<String> {
    let fitted = &report.models[0];
    let Credit { conversions, value } = fitted.credits[wanted];
    let spelling = model.to_string();
    let name = spelling.split(':').next().unwrap_or_default();
    let meaning = MODELS.iter().find(|info| info.name == name).map_or("", |info| info.meaning);
    let mut lines = vec![
        format!("{} {label}: {conversions} conversions, value {value}", report.by),
        format!("goal {}, model {spelling}: {meaning}", report.goal.as_deref().unwrap_or_default()),
        format!(
            "all conversions {} (value {}) = credits + unattributed {} (value {})",
            report.total.conversions, report.total.value, fitted.unattributed.conversions, fitted.unattributed.value
        ),
    ];
    match &fitted.diagnostics.markov {
        Some(markov) => {
            let effect = markov.removal_effects[wanted];
            let sum: f64 = markov.removal_effects.iter().sum();
            lines.push(format!(
                "a path converts with probability {}; without {label} the chain of order {} ({} states) loses {:.2} % of that: its removal effect is {effect}",
                markov.base, markov.order, markov.states, effect * 100.0
            ));
            lines.push(format!(
                "credit = removal effect ÷ sum of removal effects × conversions with a touch = {effect} ÷ {sum} × {}",
                report.total.conversions - fitted.unattributed.conversions
            ));
            lines.push("the weights below share each conversion by removal effects; they rank touches and do not add up to the credit".to_owned());
        }
        None => {
            let sum: f64 = given.iter().map(|path| path.credit).sum();
            lines.push(format!("{} conversions gave it a share; the shares sum to {sum}", given.len()));
        }
    }
    if shown < given.len() {
        lines.push(format!("the {shown} conversions that gave most are shown of {}; --limit 0 shows all", given.len()));
    }
    lines
}

/// Facts about one touch.
#[derive(Clone, Default)]
struct Facts([Option<String>; 4]);

async fn touches(session: &Session, labels: &[String], given: &[Contribution]) -> Result<RecordBatch> {
    let ids: Vec<String> = given.iter().flat_map(|path| &path.touches).map(i64::to_string).collect();
    let mut facts: HashMap<i64, Facts> = HashMap::new();
    let mut orders: HashMap<i64, String> = HashMap::new();
    if !ids.is_empty() {
        let sql = format!(
            "SELECT touchpoint_id, source, medium, campaign, interaction FROM touchpoints WHERE touchpoint_id IN ({})",
            ids.join(",")
        );
        for batch in session.sql(&sql).await?.collect().await? {
            let columns = (1..5).map(|index| strings(&batch, index)).collect::<Result<Vec<_>>>()?;
            for (row, id) in batch.column(0).as_primitive::<Int64Type>().values().iter().enumerate() {
                facts.insert(*id, Facts([0, 1, 2, 3].map(|index| columns[index][row].clone())));
            }
        }
        let conversions: Vec<String> =
            given.iter().filter_map(|path| path.conversion).map(|id| id.to_string()).collect();
        let sql = format!(
            "SELECT conversion_id, order_id FROM conversions WHERE conversion_id IN ({})",
            conversions.join(",")
        );
        for batch in session.sql(&sql).await?.collect().await? {
            for (id, order) in batch.column(0).as_primitive::<Int64Type>().values().iter().zip(strings(&batch, 1)?) {
                orders.extend(order.map(|order| (*id, order)));
            }
        }
    }
    let rows: Vec<(&Contribution, usize)> =
        given.iter().flat_map(|path| (0..path.labels.len()).map(move |place| (path, place))).collect();
    let fact = |index: usize| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|(path, place)| facts.get(path.touches.get(*place)?)?.0[index].clone())
                .collect::<StringArray>(),
        )
    };
    let instants = |at: &dyn Fn(&Contribution, usize) -> Option<Micros>| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|(path, place)| at(path, *place))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        )
    };
    let numbers = |of: &dyn Fn(&Contribution, usize) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(|(path, place)| of(path, *place)).collect::<Float64Array>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("conversion_id", Arc::new(rows.iter().map(|(path, _)| path.conversion).collect::<Int64Array>())),
        ("converted_at", instants(&|path, _| Some(path.at))),
        (
            "order_id",
            Arc::new(rows.iter().map(|(path, _)| orders.get(&path.conversion?).cloned()).collect::<StringArray>()),
        ),
        ("conversion_value", numbers(&|path, _| path.value)),
        ("place", Arc::new(rows.iter().map(|(_, place)| *place as i32 + 1).collect::<Int32Array>())),
        ("touched_at", instants(&|path, place| Some(path.at - path.ages.get(place)?))),
        (
            "age_days",
            Arc::new(
                rows.iter()
                    .map(|(path, place)| path.ages.get(*place).map(|age| *age as f64 / DAY_US as f64))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "label",
            Arc::new(
                rows.iter()
                    .map(|(path, place)| labels.get(path.labels[*place].0 as usize).cloned())
                    .collect::<StringArray>(),
            ),
        ),
        (
            "touchpoint_id",
            Arc::new(rows.iter().map(|(path, place)| path.touches.get(*place).copied()).collect::<Int64Array>()),
        ),
        ("source", fact(0)),
        ("medium", fact(1)),
        ("campaign", fact(2)),
        ("interaction", fact(3)),
        ("weight", numbers(&|path, place| path.shares[place])),
        ("credit_conversions", numbers(&|path, place| path.shares[place] * path.conversions)),
        ("credit_value", numbers(&|path, place| path.shares[place] * path.value)),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| {
            let kind = if matches!(column.data_type(), DataType::Timestamp(..)) {
                instant()
            } else {
                column.data_type().clone()
            };
            Field::new(*name, kind, true)
        })
        .collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, column)| column).collect())?)
}
