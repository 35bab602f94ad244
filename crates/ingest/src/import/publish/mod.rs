//! Gathered rows → sorted events without repetitions, and the links between identifiers that they show.
mod id;
mod links;
mod pages;
mod rows;
mod stored;
mod view;

use super::{
    columns::{DERIVED, GROUP, Group, PARTS, RANGE_BITS, Text},
    error::Error,
    reason,
    reject::Reject,
    sort::Gathered,
    words::NONE,
    work::LINE_BITS,
};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array},
    datatypes::{Float64Type, UInt16Type},
};
use id::{Take64, fingerprint};
use links::links_of;
use safar_model::{BUCKETS, Micros};
use safar_store::{DataFile, TableWriter};
use std::collections::{BTreeSet, HashMap};
use std::{hash::BuildHasherDefault, ops::Range, sync::Arc};
use stored::{COMPARED, Stored};
use view::View;

/// What all threads share.
pub(crate) struct Publish<'a> {
    gathered: &'a Gathered,
    /// Files of `events` in the snapshot.
    stored: &'a [DataFile],
    received: Micros,
    /// The inputs' names, by number.
    origins: ArrayRef,
    /// The texts of numbered columns, by [`Text`].
    texts: Vec<ArrayRef>,
    groups: Vec<Group>,
    /// Whether some group tells a text of [`DERIVED`].
    told: [bool; DERIVED.len()],
    sameness: Sameness,
}

/// When two events with one given id are the same event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sameness {
    #[default]
    /// Where they say the same; otherwise the later one is rejected.
    Content,
    /// Always: a client that sends an event again may tell another time of sending.
    Id,
}

/// How far the times of an event and of its repetition may lie apart where the id alone counts: a client that states no time
/// of its own is given the time of receipt. 48 hours, which is longer than the tracking clients resend.
const REPEATED_WITHIN: Micros = 48 * 3_600 * 1_000_000;

impl Sameness {
    /// Times of stored events that may be those of new ones.
    fn times(self, (first, last): (Micros, Micros)) -> (Micros, Micros) {
        match self {
            Self::Content => (first, last),
            Self::Id => (first.saturating_sub(REPEATED_WITHIN), last.saturating_add(REPEATED_WITHIN)),
        }
    }
}

/// What one thread did.
#[derive(Default)]
pub(crate) struct Outcome {
    pub duplicates: u64,
    pub links: u64,
    /// Events stored of each input.
    pub stored: Vec<u64>,
    /// Number of the input, and the row.
    pub conflicts: Vec<(usize, Reject)>,
}

impl<'a> Publish<'a> {
    pub(crate) fn new(
        gathered: &'a Gathered,
        stored: &'a [DataFile],
        origins: &[String],
        received: Micros,
        sameness: Sameness,
    ) -> Self {
        let texts = Text::ALL.iter().map(|column| -> ArrayRef { Arc::new(gathered.words.texts(*column)) });
        let origins = Arc::new(StringArray::from_iter_values(origins));
        let groups = gathered.words.groups();
        let told = std::array::from_fn(|at| groups.iter().any(|group| group[at] != NONE));
        Self { gathered, stored, received, origins, texts: texts.collect(), groups, told, sameness }
    }

    /// Writes the ranges of some buckets.
    pub(crate) fn run(
        &self,
        buckets: Range<u32>,
        events: &mut TableWriter,
        links: &mut TableWriter,
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome { stored: vec![0; self.origins.len()], ..Outcome::default() };
        let mut ranges = self.gathered.ranges()?;
        let per_bucket = PARTS / BUCKETS as usize;
        for bucket in buckets {
            let times = self.sameness.times(self.gathered.times);
            let keys = self.gathered.keys.as_deref();
            let mut stored = Stored::open(self.stored, bucket as i32, times, self.whole(), keys);
            for part in bucket as usize * per_bucket..(bucket as usize + 1) * per_bucket {
                if let Some(batch) = ranges.read(part)? {
                    let view = View::new(&batch)?;
                    let kept = self.sift(&batch, &view, part, &mut stored, &mut outcome)?;
                    if kept.is_empty() {
                        continue;
                    }
                    for row in &kept {
                        outcome.stored[(view.places[*row as usize] >> LINE_BITS) as usize] += 1;
                    }
                    let order = UInt32Array::from(kept);
                    let rows = self.events(&batch, &view, &order)?;
                    events.write(&rows)?;
                    if let Some(found) = links_of(&rows)? {
                        outcome.links += found.num_rows() as u64;
                        links.write(&found)?;
                    }
                }
            }
        }
        Ok(outcome)
    }

    /// Whether events with given ids are compared whole, and with those of any time.
    fn whole(&self) -> bool {
        self.sameness == Sameness::Content && self.gathered.has(Text::EventId.name())
    }

    /// The rows to store, in their order: of those with one id the first that was read, unless it is stored already.
    fn sift(
        &self,
        batch: &RecordBatch,
        view: &View<'_>,
        part: usize,
        stored: &mut Stored<'_>,
        outcome: &mut Outcome,
    ) -> Result<Vec<u32>, Error> {
        let mut order = view.order();
        let mut dropped = vec![false; order.len()];
        // A made id tells the time, so what it is compared with stands beside it; a given one may come at any time.
        let given = view.event_ids.is_some();
        let near = |a: &u32, b: &u32| {
            let (a, b) = (*a as usize, *b as usize);
            view.keys[a] == view.keys[b] && (given || view.times[a] == view.times[b])
        };
        for rows in order.chunk_by(near).filter(|rows| view.may_repeat(rows)) {
            let mut firsts =
                HashMap::<_, _, BuildHasherDefault<Take64>>::with_capacity_and_hasher(rows.len(), <_>::default());
            for row in rows {
                let first = firsts.entry(view.id(*row as usize)).or_insert(*row);
                if view.places[*row as usize] < view.places[*first as usize] {
                    *first = *row;
                }
            }
            for row in rows.iter().map(|row| *row as usize) {
                let first = firsts.get(&view.id(row)).map_or(row, |first| *first as usize);
                if first == row {
                    continue;
                }
                dropped[row] = true;
                if self.sameness == Sameness::Id || view.hash(first) == view.hash(row) {
                    outcome.duplicates += 1;
                } else {
                    outcome.conflicts.push(self.conflict(view, batch, row));
                }
            }
        }
        let low = (part as i64) << RANGE_BITS;
        let range = (low, low.saturating_add((1 << RANGE_BITS) - 1));
        self.drop_stored(batch, view, stored, range, &mut dropped, outcome)?;
        order.retain(|row| !dropped[*row as usize]);
        Ok(order)
    }

    /// Drops the rows that are stored already, among those whose keys are in `range`.
    fn drop_stored(
        &self,
        batch: &RecordBatch,
        view: &View<'_>,
        stored: &mut Stored<'_>,
        range: (i64, i64),
        dropped: &mut [bool],
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        if !stored.has(range) {
            return Ok(());
        }
        let rows = (0..dropped.len()).filter(|row| !dropped[*row]);
        let by_id: HashMap<_, _, BuildHasherDefault<Take64>> =
            rows.map(|row| ((view.keys[row], view.id(row)), row)).collect();
        let mut conflicting = BTreeSet::new();
        let values = batch.column_by_name("value").map(|array| array.as_primitive::<Float64Type>());
        stored.visit(range, |found| {
            let Some(row) = by_id.get(&(found.key, fingerprint(found.event_id))).copied() else { return };
            let value = || values.filter(|values| values.is_valid(row)).map(|values| values.value(row));
            let same = self.sameness == Sameness::Id
                || view.given(row).is_none()
                || found.said.as_ref().is_some_and(|said| {
                    let alike = |(column, stored): (&Text, &Option<&str>)| self.said(batch, *column, row) == *stored;
                    view.times[row] == said.time && value() == said.value && COMPARED.iter().zip(&said.texts).all(alike)
                });
            let new = !std::mem::replace(&mut dropped[row], true);
            if same && (new || conflicting.remove(&row)) {
                outcome.duplicates += 1;
            } else if new {
                conflicting.insert(row);
            }
        })?;
        for row in conflicting {
            outcome.conflicts.push(self.conflict(view, batch, row));
        }
        Ok(())
    }

    /// What a row says in a column, or what its group says there.
    fn said<'b>(&'b self, batch: &'b RecordBatch, column: Text, row: usize) -> Option<&'b str> {
        let numbered = |number: u16| self.texts[column as usize].as_string::<i32>().value(number.into());
        let own = batch.column_by_name(column.name()).map(|array| match array.as_primitive_opt::<UInt16Type>() {
            Some(numbers) => numbered(numbers.value(row)),
            None => std::str::from_utf8(array.as_binary::<i32>().value(row)).unwrap_or_default(),
        });
        own.filter(|text| !text.is_empty()).or_else(|| {
            let at = DERIVED.iter().position(|derived| *derived == column)?;
            let groups = batch.column_by_name(GROUP)?.as_primitive::<UInt16Type>();
            Some(numbered(self.groups[usize::from(groups.value(row))][at])).filter(|text| !text.is_empty())
        })
    }

    fn conflict(&self, view: &View<'_>, batch: &RecordBatch, row: usize) -> (usize, Reject) {
        let mut raw = format!("{{\"occurred_at\":\"{}\"", super::time::show(view.times[row]));
        for column in Text::ALL {
            if let Some(text) = self.said(batch, *column, row) {
                raw.push_str(&format!(",\"{}\":", column.name()));
                super::object::quote(&mut raw, text);
            }
        }
        raw.push('}');
        let place = view.places[row];
        let reject = Reject {
            line: place & ((1 << LINE_BITS) - 1),
            column: Some("event_id".to_owned()),
            value: view.given(row).map(str::to_owned),
            reason: reason::SAME_ID.into(),
            raw: Some(raw),
        };
        ((place >> LINE_BITS) as usize, reject)
    }
}
