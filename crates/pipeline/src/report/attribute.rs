//! `safar attribute`: models side by side.
use super::{Dimension, NOT_SET, PathQuery, UNATTRIBUTED};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, ListArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_attribution::{Attribution, Credit, ModelSpec};
use safar_engine::Session;
use safar_model::{ChannelId, Micros, PathRef, Paths, PathsBuilder};
use safar_store::Snapshot;
use std::sync::Arc;

/// Which of the two measures of a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many.
    Conversions,
    /// How much money.
    Value,
}

impl Measure {
    /// The measure of a credit.
    #[must_use]
    pub fn of(self, credit: Credit) -> f64 {
        match self {
            Self::Conversions => credit.conversions,
            Self::Value => credit.value,
        }
    }
}

/// Models side by side.
#[derive(Clone, Debug)]
pub struct AttributionReport {
    /// The goal; `None` for a file of paths.
    pub goal: Option<String>,
    /// What was credited.
    pub by: Dimension,
    /// The credited labels, by index.
    pub labels: Vec<String>,
    /// One for each model, in the order asked for.
    pub models: Vec<Attribution>,
    /// All conversions and their value: what each model shares out.
    pub total: Credit,
    /// How many paths there were, equal ones counted once where times do not matter.
    pub paths: usize,
    /// What the report was made from.
    pub snapshot: Option<Snapshot>,
}

impl AttributionReport {
    /// Labels with the most credit first (of the first model, then by name).
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        let weight = |index: usize| self.models.iter().map(|model| model.credits[index].conversions).sum::<f64>();
        order.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then_with(|| self.labels[*a].cmp(&self.labels[*b])));
        order
    }

    /// Rows `model, <by>, conversions, value`; what no touch earned is a row of its own, [`UNATTRIBUTED`].
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn batch(&self) -> Result<RecordBatch> {
        let order = self.order();
        let (mut models, mut labels, mut conversions, mut values) = (vec![], vec![], vec![], vec![]);
        for model in &self.models {
            let spelling = model.model.to_string();
            let credited = order.iter().map(|index| (self.labels[*index].as_str(), model.credits[*index]));
            for (label, credit) in credited.chain([(UNATTRIBUTED, model.unattributed)]) {
                models.push(spelling.clone());
                labels.push(label.to_owned());
                conversions.push(credit.conversions);
                values.push(credit.value);
            }
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(models)),
            Arc::new(StringArray::from(labels)),
            Arc::new(Float64Array::from(conversions)),
            Arc::new(Float64Array::from(values)),
        ];
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("model", DataType::Utf8, false),
            Field::new(self.by.to_string(), DataType::Utf8, false),
            Field::new("conversions", DataType::Float64, false),
            Field::new("value", DataType::Float64, false),
        ]))
    }
}

/// Fits `models` to paths that are at hand, such as those of a file.
///
/// # Errors
/// Where a model cannot take these paths.
pub fn of_paths(models: &[ModelSpec], paths: &Paths, labels: Vec<String>) -> Result<AttributionReport> {
    let fitted =
        models.iter().map(|model| safar_attribution::attribute(model, paths, &labels)).collect::<Result<_, _>>()?;
    let total = safar_attribution::total(paths);
    Ok(AttributionReport {
        goal: None,
        by: Dimension::Channel,
        labels,
        models: fitted,
        total,
        paths: paths.len(),
        snapshot: None,
    })
}

/// Shares the conversions that `query` selects among the labels of `by`, by each of `models`.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn attribute(
    workspace: &Workspace,
    models: &[ModelSpec],
    by: &Dimension,
    query: &PathQuery,
) -> Result<AttributionReport> {
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    let goal = query.goal(workspace, &session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let needs_ages = |model: &ModelSpec| matches!(model, ModelSpec::TimeDecay { .. });
    let with_ages = models.iter().any(needs_ages);
    let loaded = load(&session, by, &condition, with_ages).await?;
    let mut report = of_paths(&[], &loaded.merged, loaded.labels)?;
    for model in models {
        let paths = if needs_ages(model) { &loaded.single } else { &loaded.merged };
        report.models.push(safar_attribution::attribute(model, paths, &report.labels)?);
    }
    report.goal = Some(goal);
    report.by = by.clone();
    report.snapshot = Some(snapshot);
    Ok(report)
}

/// Paths of a workspace in the models' form.
pub(crate) struct Loaded {
    pub labels: Vec<String>,
    /// Equal paths counted once, without ages.
    pub merged: Paths,
    /// Every path by itself with its ages; empty where ages were not asked for.
    pub single: Paths,
}

/// Reads the paths for which `condition` holds, by channel.
pub(crate) async fn load_paths(session: &Session, condition: &str, with_ages: bool) -> Result<Loaded> {
    load(session, &Dimension::Channel, condition, with_ages).await
}

/// Reads the paths for which `condition` holds, labelled by `by`.
pub(crate) async fn load(session: &Session, by: &Dimension, condition: &str, with_ages: bool) -> Result<Loaded> {
    let mut names = Names::default();
    let of_touch = match by {
        Dimension::Channel => None,
        other => Some(labels_of_touches(session, other, &mut names).await?),
    };
    let sql = format!(
        "SELECT channels, touchpoint_ids, ages_us, conversions, value, nulls FROM paths WHERE {condition} ORDER BY bucket, person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    let mut merged: HashMap<Vec<ChannelId>, usize> = HashMap::new();
    let mut weights: Vec<(Vec<ChannelId>, [f64; 3])> = vec![];
    let mut single = PathsBuilder::default();
    while let Some(batch) = stream.try_next().await? {
        let channels = list(&batch, 0)?;
        let texts = cast(channels.values(), &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let ids = list(&batch, 1)?;
        let id_values = ids.values().as_primitive::<Int64Type>().values();
        let ages = list(&batch, 2)?;
        let age_values: &[Micros] = ages.values().as_primitive::<Int64Type>().values();
        let numbers = [3, 4, 5].map(|index| batch.column(index).as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            let path: Vec<ChannelId> = match &of_touch {
                None => span(channels, row)
                    .map(|touch| names.id(if texts.is_valid(touch) { texts.value(touch) } else { NOT_SET }))
                    .collect(),
                Some(of_touch) => {
                    if span(ids, row).is_empty() && !span(channels, row).is_empty() {
                        return Err(Error::Request(format!(
                            "ready paths know channels only: they cannot be reported by {by}\n  hint: name another goal with --goal"
                        )));
                    }
                    let not_set = names.id(NOT_SET);
                    id_values[span(ids, row)].iter().map(|id| of_touch.get(id).copied().unwrap_or(not_set)).collect()
                }
            };
            let [conversions, value, nulls] = numbers.map(|column| column.value(row));
            if with_ages {
                let ages = &age_values[span(ages, row)];
                let ages = (ages.len() == path.len()).then_some(ages);
                single.push(PathRef { channels: &path, ages, conversions, value, nulls });
            }
            let slot = *merged.entry(path).or_insert_with_key(|path| {
                weights.push((path.clone(), [0.0; 3]));
                weights.len() - 1
            });
            let sums = &mut weights[slot].1;
            sums[0] += conversions;
            sums[1] += value;
            sums[2] += nulls;
        }
    }
    let mut builder = PathsBuilder::default();
    for (channels, [conversions, value, nulls]) in &weights {
        builder.push(PathRef { channels, ages: None, conversions: *conversions, value: *value, nulls: *nulls });
    }
    Ok(Loaded { labels: names.names, merged: builder.finish(), single: single.finish() })
}

/// The label of every touchpoint.
pub(crate) async fn labels_of_touches(
    session: &Session,
    by: &Dimension,
    names: &mut Names,
) -> Result<HashMap<i64, ChannelId>> {
    let column = match by {
        Dimension::Channel => "channel",
        Dimension::Column(column) => column,
        Dimension::Property(_) => "properties",
    };
    let mut labels = HashMap::new();
    let mut stream =
        session.sql(&format!("SELECT touchpoint_id, {column} FROM touchpoints")).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let ids = batch.column(0).as_primitive::<Int64Type>();
        for (id, text) in ids.values().iter().zip(strings(&batch, 1)?) {
            let label = match by {
                Dimension::Property(name) => text.as_deref().and_then(|json| property(json, name)),
                _ => text,
            };
            labels.insert(*id, names.id(label.as_deref().unwrap_or(NOT_SET)));
        }
    }
    Ok(labels)
}

/// A property as text.
pub(crate) fn property(json: &str, name: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(json).ok()?.get(name)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Labels interned in the order in which they were first seen.
#[derive(Default)]
pub(crate) struct Names {
    pub names: Vec<String>,
    ids: HashMap<String, ChannelId>,
}

impl Names {
    pub fn id(&mut self, name: &str) -> ChannelId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = ChannelId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }
}

fn list(batch: &RecordBatch, index: usize) -> Result<&ListArray> {
    batch
        .column(index)
        .as_list_opt::<i32>()
        .ok_or_else(|| Error::Request(format!("column {} of paths is no list", batch.schema().field(index).name())))
}

/// Where the items of a list lie in its values.
fn span(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = lists.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

/// A text column, however it is encoded.
pub(crate) fn strings(batch: &RecordBatch, index: usize) -> Result<Vec<Option<String>>> {
    let column = cast(batch.column(index), &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}
