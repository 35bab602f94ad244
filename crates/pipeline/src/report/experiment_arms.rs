//! Who was assigned to what in an experiment, and what they did.
use super::{
    PathQuery,
    names::{property, strings},
    select::day_bounds,
};
use crate::{Error, Result};
use arrow::{
    array::AsArray,
    datatypes::{Float64Type, Int64Type, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_attribution::{
    Credit,
    experiment::{Arm, Before, Geo, Measure},
};
use safar_engine::{Session, quoted};
use safar_model::{DAY_US, Micros};

/// One person of an experiment.
pub(super) struct Assigned {
    /// Index of the arm or region.
    pub place: usize,
    /// When an event first told so.
    pub told: Micros,
    /// From when on outcomes count.
    pub at: Micros,
    pub exposed: bool,
    /// Conversions and value from then on, and in the days before.
    pub since: Credit,
    pub before: Credit,
}

impl Assigned {
    pub fn new(place: usize, told: Micros, at: Micros) -> Self {
        Self { place, told, at, exposed: false, since: Credit::default(), before: Credit::default() }
    }
}

/// People by id.
pub(super) type People = HashMap<i64, Assigned>;

/// Which events tell where people are.
pub(super) struct Telling<'a> {
    /// Their name; any event otherwise.
    pub event: Option<&'a str>,
    /// The property that tells; `country` is a column.
    pub property: &'a str,
    /// Only what they told before.
    pub until: Micros,
}

/// That no event tells what was looked for.
pub(super) fn untold(what: &str) -> Error {
    let hint = "`safar sql \"select name, country, properties from events limit 9\"` shows what events say";
    Error::Request(format!("{what}\n  hint: {hint}"))
}

impl Telling<'_> {
    /// What was told, in the order of people and time: person, when, and the place that `place` finds for the value. What only
    /// repeats what was said last is left out.
    pub async fn read(
        &self,
        session: &Session,
        mut place: impl FnMut(&str) -> Option<usize>,
    ) -> Result<Vec<(i64, Micros, usize)>> {
        let is_column = self.property == "country";
        let (column, holds) = match is_column {
            true => ("country", "country IS NOT NULL".to_owned()),
            // A plain name stands in JSON as it is.
            false if self.property.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                ("properties", format!("strpos(properties, '\"{}\"') > 0", self.property))
            }
            false => ("properties", "properties IS NOT NULL".to_owned()),
        };
        let named = self.event.map_or_else(String::new, |event| format!("AND name = {}", quoted(event)));
        let sql = format!(
            "SELECT person_id, occurred_at, {column} FROM person_events WHERE {holds} {named} \
             ORDER BY person_id, occurred_at, step"
        );
        let mut told: Vec<(i64, Micros, usize)> = vec![];
        let mut stream = session.sql(&sql).await?.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            let person = batch.column(0).as_primitive::<Int64Type>().values();
            let at = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
            for (row, text) in strings(&batch, 2)?.into_iter().enumerate() {
                let value = if is_column { text } else { text.and_then(|json| property(&json, self.property)) };
                let Some(place) = value.and_then(|value| place(&value)).filter(|_| at[row] < self.until) else {
                    continue;
                };
                if told.last().is_none_or(|last| (last.0, last.2) != (person[row], place)) {
                    told.push((person[row], at[row], place));
                }
            }
        }
        Ok(told)
    }
}

/// The days, goal and condition of outcomes.
pub(super) struct Counted<'a> {
    pub goal: &'a str,
    pub query: &'a PathQuery,
    pub zone: &'a str,
    pub until: Micros,
    pub days_before: u32,
}

impl Counted<'_> {
    /// Adds up what people did after, and just before, outcomes began to count.
    pub async fn add(&self, session: &Session, people: &mut People) -> Result<()> {
        let days = day_bounds("occurred_at", self.query.from, self.query.to, self.zone)?;
        let days = if days.is_empty() { "TRUE".to_owned() } else { days.join(" AND ") };
        // Paths carry every conversion, and a refund that found no order as value without one.
        let sql = format!(
            "SELECT person_id, occurred_at, value, conversions, ({days}) FROM paths \
             WHERE goal = {} AND bucket >= 0 AND (conversions <> 0 OR value <> 0) AND ({}) ORDER BY person_id, occurred_at",
            quoted(self.goal),
            self.query.condition.as_deref().unwrap_or("TRUE")
        );
        let mut stream = session.sql(&sql).await?.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            let person = batch.column(0).as_primitive::<Int64Type>();
            let at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
            let [value, conversions] = [2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>());
            let is_asked = batch.column(4).as_boolean();
            for row in 0..batch.num_rows() {
                let Some(one) = people.get_mut(&person.value(row)) else { continue };
                let at = at.value(row);
                let earliest = one.at - Micros::from(self.days_before) * DAY_US;
                let sums = if at >= one.at && at < self.until {
                    if !is_asked.value(row) {
                        continue;
                    }
                    &mut one.since
                } else if at >= earliest && at < one.at {
                    &mut one.before
                } else {
                    continue;
                };
                sums.conversions += conversions.value(row);
                sums.value += value.value(row);
            }
        }
        Ok(())
    }
}

/// Notes who met `channels` while outcomes counted.
pub(super) async fn exposures(
    session: &Session,
    channels: &[String],
    until: Micros,
    people: &mut People,
) -> Result<()> {
    let channels: Vec<String> = channels.iter().map(|channel| quoted(channel)).collect();
    let sql = format!("SELECT person_id, occurred_at FROM touchpoints WHERE channel IN ({})", channels.join(", "));
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let person = batch.column(0).as_primitive::<Int64Type>().values();
        let at = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
        for (person, at) in person.iter().zip(at) {
            if let Some(one) = people.get_mut(person) {
                one.exposed |= *at >= one.at && *at < until;
            }
        }
    }
    Ok(())
}

/// Those for whom `is_in` holds, so that sums do not depend on the order of a hash table.
fn in_order(people: &People, is_in: impl Fn(&Assigned) -> bool) -> Vec<&Assigned> {
    let mut all: Vec<_> = people.iter().filter(|(_, one)| is_in(one)).collect();
    all.sort_unstable_by_key(|(person, _)| **person);
    all.into_iter().map(|(_, one)| one).collect()
}

/// The arm of the people for whom `is_in` holds.
pub(super) fn arm(people: &People, days_before: u32, is_in: impl Fn(&Assigned) -> bool) -> Arm {
    let before = || (days_before > 0).then(Before::default);
    let empty = || Measure { before: before(), ..Measure::default() };
    let mut arm = Arm { people: 0.0, exposed: Some(0.0), converters: 0.0, conversions: empty(), value: empty() };
    let add = |measure: &mut Measure, since: f64, earlier: f64| {
        measure.sum += since;
        measure.squares += since * since;
        if let Some(before) = &mut measure.before {
            before.sum += earlier;
            before.squares += earlier * earlier;
            before.product += earlier * since;
        }
    };
    for one in in_order(people, is_in) {
        arm.people += 1.0;
        arm.exposed = arm.exposed.map(|exposed| exposed + f64::from(u8::from(one.exposed)));
        arm.converters += f64::from(u8::from(one.since.conversions > 0.0));
        add(&mut arm.conversions, one.since.conversions, one.before.conversions);
        add(&mut arm.value, one.since.value, one.before.value);
    }
    arm
}

/// A region by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// As events tell it.
    pub name: String,
    /// Its people are those told of before outcomes began to count, since whom advertising brings later is not chance; its
    /// conversions are everybody's.
    pub geo: Geo,
    /// How many of those people met the channels.
    pub exposed: f64,
}

/// The regions of these names, the first `treated` of them treated.
pub(super) fn regions(people: &People, names: &[String], treated: usize, days_before: u32) -> Vec<Region> {
    let region = |(place, name): (usize, &String)| {
        let before = (days_before > 0).then_some(0.0);
        let geo = Geo { treated: place < treated, people: 0.0, conversions: 0.0, value: 0.0, before };
        Region { name: name.clone(), geo, exposed: 0.0 }
    };
    let mut regions: Vec<Region> = names.iter().enumerate().map(region).collect();
    for one in in_order(people, |_| true) {
        let Region { geo, exposed, .. } = &mut regions[one.place];
        if one.told < one.at {
            geo.people += 1.0;
            *exposed += f64::from(u8::from(one.exposed));
        }
        geo.conversions += one.since.conversions;
        geo.value += one.since.value;
        geo.before = geo.before.map(|before| before + one.before.conversions);
    }
    regions
}
