//! Paths one by one, in one order whatever the number of threads, so that sums of money are the same every time.
use super::{NOT_SET, names::Names};
use crate::{Error, Result};
use arrow::{
    array::{ArrayRef, AsArray, ListArray},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use safar_engine::Session;
use safar_model::{ChannelId, Micros};

/// One row of `paths`.
pub(super) struct Walk<'a> {
    /// Nobody knows who walked ready paths.
    pub person: Option<i64>,
    pub at: Micros,
    pub conversions: f64,
    pub value: f64,
    pub nulls: f64,
    pub length: usize,
    /// Oldest first; empty where touches were not asked for.
    pub channels: &'a [ChannelId],
    /// As long as `channels`, or empty where times are not known.
    pub ages: &'a [Micros],
}

/// Shows `look` each path for which `condition` holds, person by person; with its touches where `names` are given.
pub(super) async fn each_walk(
    session: &Session,
    condition: &str,
    mut names: Option<&mut Names>,
    mut look: impl FnMut(Walk<'_>),
) -> Result<()> {
    let lists = if names.is_some() { ", channels, ages_us" } else { "" };
    let sql = format!(
        "SELECT bucket, person_id, occurred_at, conversions, value, nulls, length{lists} FROM paths WHERE {condition} \
         ORDER BY person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    let mut ids = vec![];
    while let Some(batch) = stream.try_next().await? {
        let buckets = cast(batch.column(0), &DataType::Int64)?;
        let buckets = buckets.as_primitive::<Int64Type>().values();
        let people = batch.column(1).as_primitive::<Int64Type>().values();
        let times = batch.column(2).as_primitive::<TimestampMicrosecondType>().values();
        let [conversions, value, nulls] =
            [3, 4, 5].map(|index| batch.column(index).as_primitive::<Float64Type>().values());
        let lengths = cast(batch.column(6), &DataType::Int64)?;
        let lengths = lengths.as_primitive::<Int64Type>().values();
        let (mut channels, mut ages) = (None, None);
        if let Some(names) = names.as_deref_mut() {
            let list = list(batch.column(7))?;
            let texts = cast(list.values(), &DataType::Utf8)?;
            ids.clear();
            ids.extend(texts.as_string::<i32>().iter().map(|text| names.id(text.unwrap_or(NOT_SET))));
            channels = Some(list);
            ages = Some(self::list(batch.column(8))?);
        }
        for row in 0..batch.num_rows() {
            let channels = channels.map_or(&[][..], |list| &ids[span(list, row)]);
            let ages =
                ages.map_or(&[][..], |list| &list.values().as_primitive::<Int64Type>().values()[span(list, row)]);
            look(Walk {
                person: (buckets[row] >= 0).then_some(people[row]),
                at: times[row],
                conversions: conversions[row],
                value: value[row],
                nulls: nulls[row],
                length: usize::try_from(lengths[row]).unwrap_or(0),
                channels,
                ages: if ages.len() == channels.len() { ages } else { &[] },
            });
        }
    }
    Ok(())
}

fn list(column: &ArrayRef) -> Result<&ListArray> {
    column
        .as_list_opt::<i32>()
        .ok_or_else(|| Error::Request("the lists of paths have another layout; run `safar build --full`".to_owned()))
}

/// Where the items of a row lie in the values of the list.
fn span(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

/// Counts different people of rows that come person by person.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distinct {
    pub people: u64,
    last: Option<i64>,
}

impl Distinct {
    pub fn see(&mut self, person: i64) {
        if self.last.replace(person) != Some(person) {
            self.people += 1;
        }
    }
}
