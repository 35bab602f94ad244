//! `safar attribute`: models side by side.
use super::{Dimension, NOT_SET, PathQuery, UNATTRIBUTED, select::ELSEWHERE, timelines::timelines};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, ListArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_attribution::{
    Attribution, Credit, ModelSpec, Transform, all_models, causal_models,
    hazard::{Role, attribute_timelines_with, bootstrap_timelines_with},
    transform,
    uncertainty::{Bootstrap, CreditEstimates, Record, Resamples, bootstrap},
};
use safar_engine::Session;
use safar_model::{ChannelId, Micros, PathRef, Paths, PathsBuilder, Timelines};
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
    /// One for each model, where intervals were asked for.
    pub resamples: Vec<Resamples>,
    /// Models of `all` that cannot take these paths, and why.
    pub refused: Vec<(ModelSpec, String)>,
    /// All conversions and their value: what each model shares out.
    pub total: Credit,
    /// How many paths there were, equal ones counted once where times do not matter.
    pub paths: usize,
    /// What was done to the paths first.
    pub transforms: Vec<Transform>,
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

    /// Rows `model, <by>, conversions, value`; what no touch earned is a row of its own, [`UNATTRIBUTED`]. Where intervals
    /// were asked for, the ends of each, the share of all conversions and its ends follow; a share that is not defined (no
    /// conversions) is null.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn batch(&self) -> Result<RecordBatch> {
        let order = self.order();
        let mut rows: Vec<(usize, &Attribution, Option<usize>)> = vec![];
        for (at, model) in self.models.iter().enumerate() {
            rows.extend(order.iter().map(|row| (at, model, Some(*row))).chain([(at, model, None)]));
        }
        let credit = |model: &Attribution, row: Option<usize>| row.map_or(model.unattributed, |row| model.credits[row]);
        let label = |row: Option<usize>| row.map_or(UNATTRIBUTED, |row| &self.labels[row]);
        let mut columns: Vec<(String, ArrayRef)> = vec![
            (
                "model".into(),
                Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, model, _)| model.model.to_string()))),
            ),
            (self.by.to_string(), Arc::new(StringArray::from_iter_values(rows.iter().map(|(.., row)| label(*row))))),
            (
                "conversions".into(),
                Arc::new(Float64Array::from_iter_values(
                    rows.iter().map(|(_, model, row)| credit(model, *row).conversions),
                )),
            ),
            (
                "value".into(),
                Arc::new(Float64Array::from_iter_values(rows.iter().map(|(_, model, row)| credit(model, *row).value))),
            ),
        ];
        if !self.resamples.is_empty() {
            let estimates = self.estimates();
            let mut add = |name: &str, of: &dyn Fn(&CreditEstimates) -> Option<f64>| {
                let numbers: Float64Array =
                    rows.iter().map(|(at, _, row)| of(&estimates[*at][row.unwrap_or(self.labels.len())])).collect();
                columns.push((name.to_owned(), Arc::new(numbers)));
            };
            add("conversions_low", &|of| of.conversions.map(|estimate| estimate.low));
            add("conversions_high", &|of| of.conversions.map(|estimate| estimate.high));
            add("value_low", &|of| of.value.map(|estimate| estimate.low));
            add("value_high", &|of| of.value.map(|estimate| estimate.high));
            add("conversion_share", &|of| of.conversion_share.map(|estimate| estimate.point));
            add("conversion_share_low", &|of| of.conversion_share.map(|estimate| estimate.low));
            add("conversion_share_high", &|of| of.conversion_share.map(|estimate| estimate.high));
        }
        let fields = columns.iter().map(|(name, column)| {
            Field::new(name.as_str(), column.data_type().clone(), column.null_count() > 0 || name.contains('_'))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect())?)
    }

    /// By model, then by label (the last one is what no touch earned); empty where no intervals were asked for.
    #[must_use]
    pub fn estimates(&self) -> Vec<Vec<CreditEstimates>> {
        self.resamples.iter().map(Resamples::estimates).collect()
    }
}

/// How a report is made, beside the paths it looks at.
#[derive(Clone, Debug, Default)]
pub struct Modelling {
    /// The models; empty: every model of the library that can take the paths.
    pub models: Vec<ModelSpec>,
    /// How intervals are found; none otherwise.
    pub bootstrap: Option<Bootstrap>,
    /// What is done to paths before models see them, one after the other. Models of cause read no paths.
    pub transforms: Vec<Transform>,
}

/// Fits models to paths that are at hand, such as those of a file.
///
/// # Errors
/// Where a model that was asked for by name cannot take these paths.
pub fn of_paths(modelling: &Modelling, paths: &Paths, labels: Vec<String>) -> Result<AttributionReport> {
    let (paths, labels) = transform(&modelling.transforms, paths, &labels)?;
    let mut report = empty(&paths, labels, &modelling.transforms);
    report.fit(modelling, None, &[], |_| (&paths, None))?;
    Ok(report)
}

fn empty(paths: &Paths, labels: Vec<String>, transforms: &[Transform]) -> AttributionReport {
    AttributionReport {
        goal: None,
        by: Dimension::Channel,
        labels,
        models: vec![],
        resamples: vec![],
        refused: vec![],
        total: safar_attribution::total(paths),
        paths: paths.len(),
        transforms: transforms.to_vec(),
        snapshot: None,
    }
}

impl AttributionReport {
    /// Fits the models, each to the paths that `paths_of` gives it, with the records that these were grouped from, or to
    /// timelines where it is a model of cause.
    fn fit<'p>(
        &mut self,
        modelling: &Modelling,
        timelines: Option<&(Timelines, Vec<u64>)>,
        roles: &[Option<Role>],
        paths_of: impl Fn(&ModelSpec) -> (&'p Paths, Option<&'p [Record]>),
    ) -> Result<()> {
        let every = modelling.every();
        for model in modelling.models.iter().chain(&every) {
            let (paths, records) = paths_of(model);
            let fitted = match (modelling.bootstrap, timelines) {
                (Some(settings), Some((timelines, people))) if model.is_causal() => {
                    bootstrap_timelines_with(model, timelines, Some(people), &self.labels, roles, settings)
                        .map_err(Error::from)
                        .map(|resamples| self.keep(resamples))
                }
                (None, Some((timelines, _))) if model.is_causal() => {
                    attribute_timelines_with(model, timelines, &self.labels, roles).map_err(Error::from)
                }
                (None, _) => safar_attribution::attribute(model, paths, &self.labels).map_err(Error::from),
                (Some(settings), _) => bootstrap(model, paths, &self.labels, records, settings)
                    .map_err(Error::from)
                    .map(|resamples| self.keep(resamples)),
            };
            match fitted {
                Ok(fitted) => self.models.push(fitted),
                Err(error) if !every.is_empty() => self.refused.push((model.clone(), error.to_string())),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl AttributionReport {
    /// Keeps what was drawn; the credits themselves are given back.
    fn keep(&mut self, resamples: Resamples) -> Attribution {
        let point = resamples.point.clone();
        self.resamples.push(resamples);
        point
    }
}

/// Shares the conversions that `query` selects among the labels of `by`.
///
/// # Errors
/// When the goal or the condition does not fit, a model cannot take the paths, or the tables cannot be read.
pub async fn attribute(
    workspace: &Workspace,
    modelling: &Modelling,
    by: &Dimension,
    query: &PathQuery,
) -> Result<AttributionReport> {
    let session = super::session(workspace).await?;
    attribute_in(workspace, &session, modelling, by, query).await
}

/// As [`attribute`], over what `session` sees.
pub(super) async fn attribute_in(
    workspace: &Workspace,
    session: &Session,
    modelling: &Modelling,
    by: &Dimension,
    query: &PathQuery,
) -> Result<AttributionReport> {
    let goal = query.goal(workspace, session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let wanted = Wanted { ages: modelling.needs_ages(), people: modelling.bootstrap.is_some(), since: None };
    let mut names = Names::default();
    let mut loaded = load(session, by, &condition, wanted, &mut names).await?;
    let whole = query.from.is_none() && query.to.is_none() && query.condition.is_none();
    let mut timelines = match modelling.reads_timelines() && whole {
        true => Some(timelines(session, by, &goal, &mut names).await?),
        false => None,
    };
    if !whole && modelling.models.iter().any(ModelSpec::is_causal) {
        return Err(Error::Request(
            "models of cause look at everything that people did: leave out --from, --to and --where".to_owned(),
        ));
    }
    let mut labels = names.names;
    if !modelling.transforms.is_empty() {
        let known = labels.clone();
        labels = loaded.transform(&modelling.transforms, labels)?;
        if labels != known {
            if modelling.models.iter().any(ModelSpec::is_causal) {
                return Err(Error::Request(
                    "this transform gives channels other names, which models of cause do not know: leave one of the two out"
                        .to_owned(),
                ));
            }
            timelines = None;
        }
    }
    let roles = match by {
        Dimension::Channel => workspace.settings().attribution.roles_of(&labels),
        _ => vec![],
    };
    let mut report = empty(&loaded.merged, labels, &modelling.transforms);
    report.fit(modelling, timelines.as_ref(), &roles, |model| loaded.of(model))?;
    report.goal = Some(goal);
    report.by = by.clone();
    report.snapshot = Some(session.snapshot().clone());
    Ok(report)
}

/// Whether a model looks at the time between touch and outcome.
pub(crate) fn needs_ages(model: &ModelSpec) -> bool {
    matches!(model, ModelSpec::TimeDecay { .. })
}

impl Modelling {
    /// The models that `all` stands for; none where models are named.
    fn every(&self) -> Vec<ModelSpec> {
        if self.models.is_empty() { [all_models(), causal_models()].concat() } else { vec![] }
    }

    /// Whether one of the models looks at everything that people did, which takes longest.
    #[must_use]
    pub fn reads_timelines(&self) -> bool {
        self.models.is_empty() || self.models.iter().any(ModelSpec::is_causal)
    }

    fn needs_ages(&self) -> bool {
        self.models.is_empty() || self.models.iter().any(needs_ages)
    }
}

/// Paths of a workspace in the models' form.
pub(crate) struct Loaded {
    pub labels: Vec<String>,
    /// Equal paths counted once, without ages.
    pub merged: Paths,
    /// Every path by itself with its ages; empty where ages were not asked for.
    pub single: Paths,
    /// Whose the paths of `merged` are; `None` where people were not asked for, or not known (ready paths).
    people: Option<Vec<Record>>,
    /// The same of `single`.
    single_people: Option<Vec<Record>>,
}

impl Loaded {
    /// Changes all paths; returns the names of their channels.
    fn transform(&mut self, steps: &[Transform], names: Vec<String>) -> Result<Vec<String>> {
        let (merged, labels) = transform(steps, &self.merged, &names)?;
        let (single, others) = transform(steps, &self.single, &names)?;
        let mut both = Names::default();
        labels.iter().for_each(|name| {
            both.id(name);
        });
        // Where channels are new ones, each list was numbered on its own.
        let ids: Vec<ChannelId> = others.iter().map(|name| both.id(name)).collect();
        let mut renumbered = PathsBuilder::default();
        for path in single.iter() {
            let channels: Vec<_> = path.channels.iter().map(|channel| ids[channel.0 as usize]).collect();
            renumbered.push(PathRef { channels: &channels, ..path });
        }
        (self.merged, self.single) = (merged, renumbered.finish());
        Ok(both.names)
    }

    /// The paths that a model is fitted to, and whose they are.
    pub fn of(&self, model: &ModelSpec) -> (&Paths, Option<&[Record]>) {
        if needs_ages(model) {
            (&self.single, self.single_people.as_deref())
        } else {
            (&self.merged, self.people.as_deref())
        }
    }
}

/// What is loaded beside the paths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// Every path by itself, with the ages of its touches.
    pub ages: bool,
    /// Whose each path is.
    pub people: bool,
    /// Only outcomes of these people, from an instant on that each of them has.
    pub since: Option<&'a HashMap<i64, Micros>>,
}

/// Reads the paths for which `condition` holds, by channel.
pub(crate) async fn load_paths(session: &Session, condition: &str, ages: bool) -> Result<Loaded> {
    load(session, &Dimension::Channel, condition, Wanted { ages, ..Wanted::default() }, &mut Names::default()).await
}

/// Reads the paths for which `condition` holds, labelled by `by`; labels are numbered on from `names`.
pub(crate) async fn load(
    session: &Session,
    by: &Dimension,
    condition: &str,
    wanted: Wanted<'_>,
    names: &mut Names,
) -> Result<Loaded> {
    let of_touch = match by {
        Dimension::Channel => None,
        other => Some(labels_of_touches(session, other, names).await?),
    };
    let sql = format!(
        "SELECT channels, touchpoint_ids, ages_us, conversions, value, nulls, person_id, bucket, occurred_at FROM paths WHERE {condition} ORDER BY person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    let mut merged: HashMap<Vec<ChannelId>, usize> = HashMap::new();
    let mut weights: Vec<(Vec<ChannelId>, [f64; 3])> = vec![];
    let mut single = PathsBuilder::default();
    let (mut people, mut ready) = (vec![], false);
    while let Some(batch) = stream.try_next().await? {
        let channels = list(&batch, 0)?;
        let texts = cast(channels.values(), &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let ids = list(&batch, 1)?;
        let id_values = ids.values().as_primitive::<Int64Type>().values();
        let ages = list(&batch, 2)?;
        let age_values: &[Micros] = ages.values().as_primitive::<Int64Type>().values();
        let person = batch.column(6).as_primitive::<Int64Type>().values();
        let buckets = cast(batch.column(7), &DataType::Int64)?;
        ready |= buckets.as_primitive::<Int64Type>().values().iter().any(|bucket| *bucket < 0);
        let at = batch.column(8).as_primitive::<TimestampMicrosecondType>().values();
        let numbers = [3, 4, 5].map(|index| batch.column(index).as_primitive::<Float64Type>());
        let is_wanted = |row: &usize| {
            wanted.since.is_none_or(|since| since.get(&person[*row]).is_some_and(|start| at[*row] >= *start))
        };
        for row in (0..batch.num_rows()).filter(is_wanted) {
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
                    let label = |id: &i64| of_touch.get(id).copied().unwrap_or_else(|| names.id(NOT_SET));
                    id_values[span(ids, row)].iter().map(label).collect()
                }
            };
            let [conversions, value, nulls] = numbers.map(|column| column.value(row));
            if wanted.ages {
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
            if wanted.people {
                people.push(Record { path: slot, person: person[row].cast_unsigned(), conversions, value, nulls });
            }
        }
    }
    let mut builder = PathsBuilder::default();
    for (channels, [conversions, value, nulls]) in &weights {
        builder.push(PathRef { channels, ages: None, conversions: *conversions, value: *value, nulls: *nulls });
    }
    let people = (wanted.people && !ready).then_some(people);
    let by_itself =
        |people: &Vec<Record>| people.iter().enumerate().map(|(path, record)| Record { path, ..*record }).collect();
    Ok(Loaded {
        labels: names.names.clone(),
        merged: builder.finish(),
        single: single.finish(),
        single_people: people.as_ref().filter(|_| wanted.ages).map(by_itself),
        people,
    })
}

/// The label of every touchpoint.
pub(crate) async fn labels_of_touches(
    session: &Session,
    by: &Dimension,
    names: &mut Names,
) -> Result<HashMap<i64, ChannelId>> {
    let (column, outside) = by.sql();
    let mut labels = HashMap::new();
    let sql = format!("SELECT touchpoint_id, {column}, {outside} FROM touchpoints");
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let ids = batch.column(0).as_primitive::<Int64Type>().values();
        let outside = batch.column(2).as_boolean();
        for (row, text) in strings(&batch, 1)?.into_iter().enumerate() {
            let label = match by.property() {
                _ if outside.value(row) => Some(ELSEWHERE.to_owned()),
                Some(name) => text.as_deref().and_then(|json| property(json, name)),
                None => text,
            };
            labels.insert(ids[row], names.id(label.as_deref().unwrap_or(NOT_SET)));
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
