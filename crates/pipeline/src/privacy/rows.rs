//! Which rows of each table are somebody's, and what is left of rows of others that mention them.
use super::{requests::Requests, traces::Traces};
use crate::{Result, build::people::WHO};
use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray},
    compute::filter_record_batch,
    datatypes::{DataType, Int64Type},
};
use safar_model::Table;
use std::{collections::BTreeSet, sync::Arc};

/// Columns of texts that are never changed: identifiers, which decide whose a row is, and what other tables know a row by.
const KEPT: [&str; 16] = [
    "anonymous_id",
    "user_id",
    "email_hash",
    "phone_hash",
    "crm_id",
    "event_id",
    "name",
    "interaction",
    "ns_a",
    "id_a",
    "ns_b",
    "id_b",
    "kind",
    "column",
    "value",
    "raw",
];

/// Tells of a table's rows whose they are.
pub(super) struct Rows<'a> {
    pub table: Table,
    pub traces: &'a Traces,
    pub requests: &'a Requests,
    /// People who lose events, or whose events change.
    pub concerned: BTreeSet<i64>,
    /// Rows of others that mention the person.
    pub mentions: u64,
    /// Rows that are the person's.
    pub theirs: u64,
}

impl<'a> Rows<'a> {
    pub fn of(table: Table, traces: &'a Traces, requests: &'a Requests) -> Self {
        Self { table, traces, requests, concerned: BTreeSet::new(), mentions: 0, theirs: 0 }
    }

    /// Which rows of a batch are theirs.
    pub fn theirs(&self, batch: &RecordBatch) -> Vec<bool> {
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let rows = 0..batch.num_rows();
        match self.table {
            Table::Events => self.traces.events(batch),
            Table::IdentityLinks => {
                let [ns_a, id_a, ns_b, id_b] = ["ns_a", "id_a", "ns_b", "id_b"].map(text);
                let has = |space: Option<&StringArray>, id: Option<&StringArray>, row: usize| {
                    space.zip(id).is_some_and(|(space, id)| self.traces.has(space.value(row), id.value(row)))
                };
                rows.map(|row| has(ns_a, id_a, row) || has(ns_b, id_b, row)).collect()
            }
            Table::Rejects => {
                let value = |column: Option<&'_ StringArray>, row: usize| {
                    column.filter(|column| column.is_valid(row)).map(|column| column.value(row).to_owned())
                };
                let (values, raws) = (text("value"), text("raw"));
                rows.map(|row| {
                    is_rejected(self.traces, self.requests, value(values, row).as_deref(), value(raws, row).as_deref())
                })
                .collect()
            }
            Table::Costs => vec![false; batch.num_rows()],
            Table::Persons
            | Table::PersonEvents
            | Table::Sessions
            | Table::Touchpoints
            | Table::Conversions
            | Table::Paths
            | Table::Credits => {
                let people = batch.column_by_name("person_id").map(|column| column.as_primitive::<Int64Type>());
                let ids = (self.table == Table::Persons).then(|| text("namespace").zip(text("identifier"))).flatten();
                rows.map(|row| {
                    people.is_some_and(|people| self.traces.is_one(people.value(row)))
                        || ids.is_some_and(|(space, id)| self.traces.has(space.value(row), id.value(row)))
                })
                .collect()
            }
        }
    }

    /// What is left of a batch; `None` where it stays as it is.
    pub fn left(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let theirs = self.theirs(batch);
        let count = theirs.iter().filter(|own| **own).count() as u64;
        self.theirs += count;
        // A refund that names their order and nobody is somebody's, too.
        self.concern(batch, (0..theirs.len()).filter(|row| theirs[*row]))?;
        let kept = if count > 0 {
            let keep: BooleanArray = theirs.iter().map(|own| Some(!own)).collect();
            filter_record_batch(batch, &keep)?
        } else {
            batch.clone()
        };
        let scrubbed = self.scrub(&kept)?;
        Ok(scrubbed.or((count > 0).then_some(kept)))
    }

    /// Remembers whose these events are.
    fn concern(&mut self, batch: &RecordBatch, rows: impl Iterator<Item = usize>) -> Result<()> {
        let mut rows = rows.peekable();
        if self.table != Table::Events || rows.peek().is_none() {
            return Ok(());
        }
        let who = WHO.map(|name| batch.column_by_name(name).cloned());
        if let Some(who) = who.into_iter().collect::<Option<Vec<ArrayRef>>>() {
            let [published, linked] = self.traces.known.each(&who)?;
            self.concerned.extend(rows.flat_map(|row| [published.value(row), linked.value(row)]));
        }
        Ok(())
    }

    /// Rows of others without mentions of the person. Derived tables follow when they are built again.
    fn scrub(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        if !matches!(self.table, Table::Events | Table::IdentityLinks | Table::Rejects | Table::Costs) {
            return Ok(None);
        }
        let (mut columns, mut changed): (Vec<ArrayRef>, BTreeSet<usize>) = (batch.columns().to_vec(), BTreeSet::new());
        for (at, field) in batch.schema().fields().iter().enumerate() {
            if field.data_type() != &DataType::Utf8 || KEPT.contains(&field.name().as_str()) {
                continue;
            }
            let texts = batch.column(at).as_string::<i32>();
            let mut before: Option<(&str, Option<String>)> = None;
            let mut fresh: Vec<(usize, String)> = vec![];
            for row in (0..texts.len()).filter(|row| texts.is_valid(*row)) {
                let text = texts.value(row);
                // Pages and campaigns come in runs.
                if before.as_ref().is_none_or(|(known, _)| *known != text) {
                    before = Some((text, self.traces.mentions.scrub(text)));
                }
                if let Some((_, Some(scrubbed))) = &before {
                    fresh.push((row, scrubbed.clone()));
                }
            }
            if !fresh.is_empty() {
                let mut all: Vec<Option<&str>> = texts.iter().collect();
                for (row, text) in &fresh {
                    all[*row] = Some(text);
                    changed.insert(*row);
                }
                columns[at] = Arc::new(StringArray::from(all));
            }
        }
        if changed.is_empty() {
            return Ok(None);
        }
        self.mentions += changed.len() as u64;
        self.concern(batch, changed.into_iter())?;
        Ok(Some(RecordBatch::try_new(batch.schema(), columns)?))
    }
}

/// Whether a rejected row holds anything of theirs.
pub(super) fn is_rejected(traces: &Traces, requests: &Requests, value: Option<&str>, raw: Option<&str>) -> bool {
    let raw_is = |raw: &str| {
        requests.letter_is_theirs(traces, raw).unwrap_or_else(|| traces.line(raw) || traces.mentions.in_row(raw))
    };
    value.is_some_and(|value| traces.mentions.in_row(value)) || raw.is_some_and(raw_is)
}
