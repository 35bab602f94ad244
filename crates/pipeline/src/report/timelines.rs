//! What everyone did while observed, for models of cause.
use super::attribute::{Names, labels_of_touches, strings};
use super::{Dimension, NOT_SET};
use crate::{Error, Result};
use arrow::{
    array::AsArray,
    datatypes::{Float64Type, Int64Type, TimestampMicrosecondType},
};
use hashbrown::HashMap;
use safar_engine::Session;
use safar_model::{ChannelId, Micros, TimelineRef, Timelines};

/// One person's touches and outcomes, in the order of time.
#[derive(Default)]
struct Life {
    channels: Vec<ChannelId>,
    times: Vec<Micros>,
    outcomes: Vec<Micros>,
    values: Vec<f64>,
}

/// Everyone who has a touch or reached `goal`, watched from the first to the last moment of the data. Labels are numbered on
/// from `names`. Beside them the ids of the people, as in `Record`. People of whom nothing was ever seen cannot be known, so rates are those of people seen at least once.
pub(super) async fn timelines(
    session: &Session,
    by: &Dimension,
    goal: &str,
    names: &mut Names,
) -> Result<(Timelines, Vec<u64>)> {
    let labels = match by {
        Dimension::Channel => None,
        other => Some(labels_of_touches(session, other, names).await?),
    };
    let mut lives: HashMap<i64, Life> = HashMap::new();
    let sql =
        "SELECT person_id, occurred_at, channel, touchpoint_id FROM touchpoints ORDER BY occurred_at, touchpoint_id";
    for batch in session.sql(sql).await?.collect().await? {
        let people = batch.column(0).as_primitive::<Int64Type>();
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let ids = batch.column(3).as_primitive::<Int64Type>();
        for (row, channel) in strings(&batch, 2)?.into_iter().enumerate() {
            let life = lives.entry(people.value(row)).or_default();
            life.channels.push(match &labels {
                Some(labels) => labels.get(&ids.value(row)).copied().unwrap_or_else(|| names.id(NOT_SET)),
                None => names.id(channel.as_deref().unwrap_or(NOT_SET)),
            });
            life.times.push(times.value(row));
        }
    }
    let goal = goal.replace('\'', "''");
    let sql = format!(
        "SELECT person_id, occurred_at, value FROM conversions WHERE goal = '{goal}' ORDER BY occurred_at, conversion_id"
    );
    for batch in session.sql(&sql).await?.collect().await? {
        let people = batch.column(0).as_primitive::<Int64Type>();
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let values = batch.column(2).as_primitive::<Float64Type>();
        for row in 0..batch.num_rows() {
            let life = lives.entry(people.value(row)).or_default();
            life.outcomes.push(times.value(row));
            life.values.push(values.value(row));
        }
    }
    let moments = || lives.values().flat_map(|life| life.times.iter().chain(&life.outcomes)).copied();
    let (Some(from), Some(until)) = (moments().min(), moments().max()) else {
        return Ok(<_>::default());
    };
    let mut people: Vec<i64> = lives.keys().copied().collect();
    people.sort_unstable();
    let mut timelines = Timelines::default();
    for person in &people {
        let Some(life) = lives.get(person) else { continue };
        let Life { channels, times, outcomes, values } = life;
        let line = TimelineRef { from, until, channels, times, outcomes, values };
        timelines.push(line).map_err(|error| Error::Request(error.to_string()))?;
    }
    Ok((timelines, people.into_iter().map(i64::cast_unsigned).collect()))
}
