//! Paths of a workspace in the models' form.
use super::{
    Dimension, NOT_SET,
    direct::Direct,
    names::{Names, property, strings},
    select::ELSEWHERE,
};
use crate::{Error, Result, Stop};
use arrow::{
    array::{Array, AsArray, ListArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_attribution::{ModelSpec, Transform, transform_until, uncertainty::Record};
use safar_engine::Session;
use safar_model::{ChannelId, Micros, PathRef, Paths, PathsBuilder, sum::Sum};

/// Whether a model looks at the time between touch and outcome.
pub(crate) fn needs_ages(model: &ModelSpec) -> bool {
    matches!(model, ModelSpec::TimeDecay { .. })
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
    /// By direct channels as a model names them: of every path the one touch that gets everything, whatever its label says of
    /// its channel; and whose they are.
    last: Vec<(Vec<String>, Paths, Option<Vec<Record>>)>,
}

impl Loaded {
    /// Changes all paths; returns the names of their channels.
    pub(super) fn transform(&mut self, steps: &[Transform], names: &[String], stop: &Stop) -> Result<Vec<String>> {
        let (merged, labels) = transform_until(steps, &self.merged, names, stop)?;
        let (single, others) = transform_until(steps, &self.single, names, stop)?;
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
        // The last touch that is not direct may be another one now.
        self.last.clear();
        Ok(both.names)
    }

    /// The paths that a model is fitted to, and whose they are.
    pub fn of(&self, model: &ModelSpec) -> (&Paths, Option<&[Record]>) {
        if let ModelSpec::LastNonDirect { direct } = model
            && let Some((_, paths, people)) = self.last.iter().find(|(known, ..)| known == direct)
        {
            return (paths, people.as_deref());
        }
        if needs_ages(model) {
            (&self.single, self.single_people.as_deref())
        } else {
            (&self.merged, self.people.as_deref())
        }
    }
}

/// Equal paths counted once.
#[derive(Default)]
struct Merge {
    slots: HashMap<Vec<ChannelId>, usize>,
    weights: Vec<[Sum; 3]>,
    people: Vec<Record>,
}

impl Merge {
    fn add(&mut self, path: &[ChannelId], [conversions, value, nulls]: [f64; 3], person: Option<u64>) {
        let slot = match self.slots.get(path) {
            Some(slot) => *slot,
            None => {
                self.weights.push([Sum::default(); 3]);
                self.slots.insert(path.to_vec(), self.weights.len() - 1);
                self.weights.len() - 1
            }
        };
        for (sum, part) in self.weights[slot].iter_mut().zip([conversions, value, nulls]) {
            sum.add(part);
        }
        self.people.extend(person.map(|person| Record { path: slot, person, conversions, value, nulls }));
    }

    /// In the order in which they were first seen.
    fn finish(self) -> (Paths, Vec<Record>) {
        let mut paths: Vec<(usize, Vec<ChannelId>)> = self.slots.into_iter().map(|(path, slot)| (slot, path)).collect();
        paths.sort_unstable_by_key(|(slot, _)| *slot);
        let mut builder = PathsBuilder::default();
        for ((_, channels), weights) in paths.iter().zip(self.weights) {
            let [conversions, value, nulls] = weights.map(Sum::get);
            builder.push(PathRef { channels, ages: None, conversions, value, nulls });
        }
        (builder.finish(), self.people)
    }
}

/// What is loaded beside the paths.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// Every path by itself, with the ages of its touches.
    pub ages: bool,
    /// Whose each path is.
    pub people: bool,
    /// The touches that get everything by models that pass over direct ones.
    pub direct: Option<&'a Direct>,
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
        other => Some(TouchLabels::read(session, other).await?),
    };
    let sql = format!(
        "SELECT channels, touchpoint_ids, ages_us, conversions, value, nulls, person_id, bucket, occurred_at FROM paths WHERE {condition} ORDER BY person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    let mut merged = Merge::default();
    let mut single = PathsBuilder::default();
    let none = Direct::default();
    let direct = wanted.direct.unwrap_or(&none);
    let mut last: Vec<Merge> = direct.lists.iter().map(|_| Merge::default()).collect();
    let mut ready = false;
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
                    id_values[span(ids, row)].iter().map(|id| names.id(of_touch.of(*id))).collect()
                }
            };
            let [conversions, value, nulls] = numbers.map(|column| column.value(row));
            if wanted.ages {
                let ages = &age_values[span(ages, row)];
                let ages = (ages.len() == path.len()).then_some(ages);
                single.push(PathRef { channels: &path, ages, conversions, value, nulls });
            }
            let weights = [conversions, value, nulls];
            let person = wanted.people.then(|| person[row].cast_unsigned());
            merged.add(&path, weights, person);
            let touches = span(channels, row);
            for (list, merge) in last.iter_mut().enumerate() {
                // Of ready paths the labels are the channels; of the others both lists are as long.
                let names =
                    touches.clone().map(|touch| if texts.is_valid(touch) { texts.value(touch) } else { NOT_SET });
                let winner = path.get(direct.winner(list, names)).map_or(&[][..], std::slice::from_ref);
                merge.add(winner, weights, person);
            }
        }
    }
    let known = |people: Vec<Record>| (wanted.people && !ready).then_some(people);
    let (paths, people) = merged.finish();
    let people = known(people);
    let by_itself =
        |people: &Vec<Record>| people.iter().enumerate().map(|(path, record)| Record { path, ..*record }).collect();
    let last = direct.lists.iter().zip(last).map(|((names, _), merge)| {
        let (paths, people) = merge.finish();
        (names.clone(), paths, known(people))
    });
    Ok(Loaded {
        labels: names.names.clone(),
        merged: paths,
        single: single.finish(),
        single_people: people.as_ref().filter(|_| wanted.ages).map(by_itself),
        people,
        last: last.collect(),
    })
}

/// The label of every touchpoint; most of them stand on no path that a report looks at.
pub(crate) struct TouchLabels {
    names: Names,
    of: HashMap<i64, ChannelId>,
}

impl TouchLabels {
    /// Reads those of `by`.
    pub async fn read(session: &Session, by: &Dimension) -> Result<Self> {
        let (column, outside) = by.sql();
        let (mut names, mut of) = (Names::default(), HashMap::new());
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
                of.insert(ids[row], names.id(label.as_deref().unwrap_or(NOT_SET)));
            }
        }
        Ok(Self { names, of })
    }

    /// The label of a touchpoint; that of one that is not known is [`NOT_SET`].
    pub fn of(&self, touchpoint: i64) -> &str {
        self.of.get(&touchpoint).map_or(NOT_SET, |label| &self.names.names[label.0 as usize])
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
