//! What each model of `[attribution]` gives each touch: the table `credits`.
//!
//! Models are fitted as reports fit them, so that both say the same.
use super::{BuildNote, Scope, commit_key};
use crate::{
    Result, Workspace,
    report::{NOT_SET, Refusal, by_own_rules, load_paths, needs_ages, strings},
};
use arrow::{
    array::{
        Array, ArrayBuilder, ArrayRef, AsArray, Float64Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
        TimestampMicrosecondBuilder,
    },
    compute::cast,
    datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_attribution::{Attribution, FittedModel, ModelSpec, attribute_fitted};
use safar_engine::{Session, quoted};
use safar_model::{ChannelId, PathRef, Table, table::READY_PATHS_BUCKET};
use safar_store::{Change, TableWriter, WriteLock};
use std::sync::Arc;

/// Rows that wait before they are written.
const ROWS_WAITING: usize = 1 << 16;

/// The models of one goal.
#[derive(Default)]
struct Goal {
    channels: HashMap<String, ChannelId>,
    /// Models that share each conversion among its own touches.
    per_touch: Vec<(String, Box<dyn FittedModel>)>,
    /// Models that credit channels over all paths together.
    per_channel: Vec<Attribution>,
    names: Vec<String>,
    last: i64,
    /// Whether one of `per_touch` learns from other paths.
    is_learned: bool,
}

/// Whether how a model shares one path among its touches depends on other paths. All that are not known to be rules do, so that a
/// new model is right before it is fast.
fn is_learned(model: &ModelSpec) -> bool {
    use ModelSpec::{
        AmplitudeJ, Custom, First, Last, LastNonDirect, Linear, Participation, Position, PositionDecay, Shapley,
        TimeDecay, WShaped,
    };
    !matches!(
        model,
        First
            | Last
            | LastNonDirect { .. }
            | Linear
            | Position { .. }
            | PositionDecay
            | TimeDecay { .. }
            | Custom(_)
            | AmplitudeJ
            | WShaped
            | Participation
            | Shapley
    )
}

/// Writes the credits of the paths in the buckets of `scope`, and those that belong to all paths together; of everyone where a model
/// of touches learns from all paths. What is not in the table.
pub(super) async fn rebuild(workspace: &Workspace, lock: &WriteLock, scope: &Scope) -> Result<Vec<BuildNote>> {
    let store = workspace.store();
    let session = workspace.engine()?.session(&store.snapshot().await?)?;
    let (goals, notes) = goals(workspace, &session).await?;
    let learned = goals.iter().any(|(_, goal)| goal.is_learned);
    let buckets = if learned { Scope::Everyone.buckets() } else { scope.buckets() };
    let mut buckets: Vec<i32> = buckets.into_iter().chain([READY_PATHS_BUCKET]).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let mut rows = Rows::new(store.writer(lock, Table::Credits)?);
    // Rows come in the order of the table: all of these are nobody's, at the time of their goal's last outcome.
    let mut by_time: Vec<&(String, Goal)> = goals.iter().collect();
    by_time.sort_by_key(|(_, goal)| goal.last);
    for (name, goal) in by_time {
        rows.per_channel(name, goal);
    }
    let list = buckets.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT bucket, person_id, occurred_at, goal, conversion_id, conversions, value, channels, touchpoint_ids, ages_us FROM paths \
         WHERE (conversions > 0 OR value <> 0) AND bucket IN ({list}) ORDER BY bucket, person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        rows.per_touch(&batch, &goals)?;
    }
    let staged = rows.finish()?;
    store.commit(lock, vec![Change::ReplaceBuckets { staged, buckets }], &commit_key("credits")).await?;
    Ok(notes)
}

/// Every goal that has paths, with its models fitted; and which models are left out, and why. A model that cannot be fitted keeps
/// nobody from the others.
async fn goals(workspace: &Workspace, session: &Session) -> Result<(Vec<(String, Goal)>, Vec<BuildNote>)> {
    let all = &workspace.settings().attribution.models;
    let (causal, models): (Vec<&ModelSpec>, Vec<&ModelSpec>) = all.iter().partition(|model| model.is_causal());
    let mut notes = vec![];
    if !causal.is_empty() {
        let models = causal.iter().map(|model| model.name().to_owned()).collect();
        notes.push(BuildNote::CausesNotKept { models });
    }
    let ages = models.iter().any(|model| needs_ages(model));
    let mut goals = vec![];
    for batch in
        session.sql("SELECT goal, max(occurred_at) FROM paths GROUP BY goal ORDER BY goal").await?.collect().await?
    {
        let last = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        for (row, name) in strings(&batch, 0)?.into_iter().enumerate() {
            let Some(name) = name else { continue };
            let condition = format!("goal = {}", quoted(&name));
            let loaded = load_paths(session, &condition, ages).await?;
            let mut goal = Goal { last: last.value(row), ..Goal::default() };
            let stop = workspace.stop();
            for &spec in &models {
                let (paths, _) = loaded.of(spec);
                let fitted = match by_own_rules(workspace, spec)?.build().fit_until(paths, &loaded.labels, stop) {
                    Ok(fitted) if fitted.is_per_touch() => {
                        goal.is_learned |= is_learned(spec);
                        goal.per_touch.push((spec.to_string(), fitted));
                        Ok(())
                    }
                    Ok(fitted) => attribute_fitted(spec, fitted.as_ref(), paths, &loaded.labels, stop)
                        .map(|credits| goal.per_channel.push(credits)),
                    Err(error) => Err(error),
                };
                stop.check()?;
                if let Err(error) = fitted {
                    notes.push(BuildNote::NotCredited {
                        model: spec.to_string(),
                        goal: name.clone(),
                        why: Refusal::from(&error),
                    });
                }
            }
            goal.channels =
                loaded.labels.iter().zip(0..).map(|(label, index)| (label.clone(), ChannelId(index))).collect();
            goal.names = loaded.labels;
            goals.push((name, goal));
        }
    }
    Ok((goals, notes))
}

/// Rows of `credits` on their way to the table.
struct Rows {
    writer: TableWriter,
    person: Int64Builder,
    at: TimestampMicrosecondBuilder,
    model: StringBuilder,
    goal: StringBuilder,
    conversion: Int64Builder,
    touchpoint: Int64Builder,
    channel: StringBuilder,
    conversions: Float64Builder,
    value: Float64Builder,
    bucket: Int32Builder,
}

/// The columns of a row that do not depend on the touch.
#[derive(Clone, Copy)]
struct Outcome<'a> {
    bucket: i32,
    person: i64,
    at: i64,
    goal: &'a str,
    conversion: Option<i64>,
}

impl Rows {
    fn new(writer: TableWriter) -> Self {
        Self {
            writer,
            person: Int64Builder::new(),
            at: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            model: StringBuilder::new(),
            goal: StringBuilder::new(),
            conversion: Int64Builder::new(),
            touchpoint: Int64Builder::new(),
            channel: StringBuilder::new(),
            conversions: Float64Builder::new(),
            value: Float64Builder::new(),
            bucket: Int32Builder::new(),
        }
    }

    fn push(
        &mut self,
        outcome: Outcome<'_>,
        model: &str,
        touch: Option<(Option<i64>, &str)>,
        conversions: f64,
        value: f64,
    ) {
        self.person.append_value(outcome.person);
        self.at.append_value(outcome.at);
        self.model.append_value(model);
        self.goal.append_value(outcome.goal);
        self.conversion.append_option(outcome.conversion);
        self.touchpoint.append_option(touch.and_then(|touch| touch.0));
        self.channel.append_option(touch.map(|touch| touch.1));
        self.conversions.append_value(conversions);
        self.value.append_value(value);
        self.bucket.append_value(outcome.bucket);
    }

    /// Credits of channels over all paths together; they carry the time of the goal's last outcome.
    fn per_channel(&mut self, name: &str, goal: &Goal) {
        let outcome = Outcome { bucket: READY_PATHS_BUCKET, person: 0, at: goal.last, goal: name, conversion: None };
        for attribution in &goal.per_channel {
            let model = attribution.model.to_string();
            for (channel, credit) in goal.names.iter().zip(&attribution.credits) {
                self.push(outcome, &model, Some((None, channel)), credit.conversions, credit.value);
            }
            let rest = attribution.unattributed;
            if rest.conversions != 0.0 || rest.value != 0.0 {
                self.push(outcome, &model, None, rest.conversions, rest.value);
            }
        }
    }

    /// Credits of the touches of each path in `batch`.
    fn per_touch(&mut self, batch: &RecordBatch, goals: &[(String, Goal)]) -> Result<()> {
        let bucket = batch.column(0).as_primitive::<Int32Type>();
        let [person, conversion] = [1, 4].map(|index| batch.column(index).as_primitive::<Int64Type>());
        let at = batch.column(2).as_primitive::<TimestampMicrosecondType>();
        let names = strings(batch, 3)?;
        let [conversions, value] = [5, 6].map(|index| batch.column(index).as_primitive::<Float64Type>());
        let [channels, ids, ages] = [7, 8, 9].map(|index| batch.column(index).as_list::<i32>());
        for (row, name) in names.iter().enumerate() {
            let Some((name, goal)) = name.as_ref().and_then(|name| goals.iter().find(|goal| goal.0 == *name)) else {
                continue;
            };
            let texts: ArrayRef = cast(&channels.value(row), &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            let labels: Vec<ChannelId> =
                texts.iter().filter_map(|label| goal.channels.get(label.unwrap_or(NOT_SET)).copied()).collect();
            let ids = ids.value(row);
            let ids = ids.as_primitive::<Int64Type>();
            let ages = ages.value(row);
            let ages = ages.as_primitive::<Int64Type>().values();
            let (conversions, value) = (conversions.value(row), value.value(row));
            let path = PathRef {
                channels: &labels,
                ages: (ages.len() == labels.len()).then_some(ages),
                conversions,
                value,
                nulls: 0.0,
            };
            let outcome = Outcome {
                bucket: bucket.value(row),
                person: person.value(row),
                at: at.value(row),
                goal: name,
                conversion: conversion.is_valid(row).then(|| conversion.value(row)),
            };
            for (model, fitted) in &goal.per_touch {
                let mut shares = vec![0.0; labels.len()];
                if !labels.is_empty() {
                    fitted.shares(path, &mut shares);
                }
                // Nobody's where there is no touch, and where the model leaves the path alone.
                if shares.iter().all(|share| *share == 0.0) {
                    self.push(outcome, model, None, conversions, value);
                    continue;
                }
                for (place, share) in shares.into_iter().enumerate().filter(|(_, share)| *share != 0.0) {
                    let id = (place < ids.len()).then(|| ids.value(place));
                    self.push(outcome, model, Some((id, texts.value(place))), share * conversions, share * value);
                }
            }
        }
        if ArrayBuilder::len(&self.bucket) >= ROWS_WAITING { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.person.finish()),
            Arc::new(self.at.finish()),
            Arc::new(self.model.finish()),
            Arc::new(self.goal.finish()),
            Arc::new(self.conversion.finish()),
            Arc::new(self.touchpoint.finish()),
            Arc::new(self.channel.finish()),
            Arc::new(self.conversions.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.bucket.finish()),
        ];
        Ok(self.writer.write(&RecordBatch::try_new(Table::Credits.schema(), columns)?)?)
    }

    fn finish(mut self) -> Result<safar_store::Staged> {
        self.write()?;
        Ok(self.writer.finish()?)
    }
}
