//! Rows of a chunk → columns of events and rejects, on one of several threads.
use super::{
    Rules,
    columns::Parted,
    error::Error,
    field::Field,
    json::JsonReader,
    object::quote,
    plan::Plan,
    reason,
    reject::Reject,
    row::{Fault, Member, Row},
    sink::{Identifiers, Sink},
    split::{Broken, Chunk},
    words::Words,
};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use safar_identity::{IdentitySettings, normalise};
use safar_store::Erased;
use std::{borrow::Cow, sync::Arc};

/// How many bits of a row's place say its line; the others say the file.
pub(crate) const LINE_BITS: u32 = 40;

/// Some rows of one input.
pub(crate) struct Work {
    /// Chunks are handled in this order.
    pub number: u64,
    pub file: usize,
    pub plan: Arc<Plan>,
    /// Raw bytes read for it.
    pub bytes: u64,
    pub rows: Rows,
}

/// Rows as their format has them.
pub(crate) enum Rows {
    Cells(Chunk),
    Objects(Chunk),
    Texts { first: u64, batch: RecordBatch },
}

/// What became of them.
pub(crate) struct Done {
    pub number: u64,
    pub file: usize,
    pub bytes: u64,
    /// Rows read, rejected ones included.
    pub rows: u64,
    pub parted: Option<Parted>,
    pub rejects: Vec<Reject>,
    pub identifiers: Identifiers,
}

/// Handles chunks on one thread.
pub(crate) struct Worker<'e> {
    sink: Sink<'e>,
    identity: &'e IdentitySettings,
    json: Option<(usize, JsonReader<'e>)>,
}

impl<'e> Worker<'e> {
    pub(crate) fn new(rules: Rules<'e>, words: Arc<Words>, erased: Arc<Erased>) -> Self {
        Self { sink: Sink::new(rules, words, erased), identity: rules.identity, json: None }
    }

    pub(crate) fn run(&mut self, work: Work) -> Result<Done, Error> {
        let (plan, base) = (&work.plan, (work.file as u64) << LINE_BITS);
        let mut rejects = Vec::new();
        let rows = match &work.rows {
            Rows::Cells(chunk) => self.cells(plan, chunk, base, &mut rejects),
            Rows::Objects(chunk) => self.objects(plan, chunk, base, work.file, &mut rejects),
            Rows::Texts { first, batch } => self.texts(plan, batch, *first, base, &mut rejects),
        };
        rejects.sort_by_key(|reject: &Reject| reject.line);
        let parted = if self.sink.columns.len() == 0 { None } else { Some(self.sink.columns.finish()?) };
        let identifiers = std::mem::take(&mut self.sink.identifiers);
        Ok(Done { number: work.number, file: work.file, bytes: work.bytes, rows, parted, rejects, identifiers })
    }

    fn cells(&mut self, plan: &Plan, chunk: &Chunk, base: u64, rejects: &mut Vec<Reject>) -> u64 {
        let columns = plan.columns.len();
        let text = chunk.text.as_str();
        let mut row = Row::new();
        constants(plan, &mut row);
        for ((line, start, end), cells) in chunk.records.iter().zip(chunk.cells.chunks_exact(columns)) {
            let cell = |at: usize| {
                let (start, end) = cells[at];
                text.get(start as usize..end as usize).unwrap_or_default()
            };
            self.tabular(plan, &cell, &mut row, base | line, rejects, || {
                text.get(*start as usize..*end as usize).unwrap_or_default().to_owned()
            });
        }
        broken(&chunk.broken, columns, rejects);
        (chunk.records.len() + chunk.broken.len()) as u64
    }

    fn texts(&mut self, plan: &Plan, batch: &RecordBatch, first: u64, base: u64, rejects: &mut Vec<Reject>) -> u64 {
        let columns: Vec<&StringArray> = batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
        let mut row = Row::new();
        constants(plan, &mut row);
        for at in 0..batch.num_rows() {
            let cell = |column: usize| if columns[column].is_valid(at) { columns[column].value(at) } else { "" };
            self.tabular(plan, &cell, &mut row, base | (first + at as u64), rejects, || {
                let mut raw = String::from("{");
                for (column, values) in plan.columns.iter().zip(&columns).filter(|(_, values)| values.is_valid(at)) {
                    if raw.len() > 1 {
                        raw.push(',');
                    }
                    quote(&mut raw, &column.column);
                    raw.push(':');
                    quote(&mut raw, values.value(at));
                }
                raw.push('}');
                raw
            });
        }
        batch.num_rows() as u64
    }

    #[inline]
    fn tabular<'a>(
        &mut self,
        plan: &'a Plan,
        cell: &impl Fn(usize) -> &'a str,
        row: &mut Row<'a>,
        place: u64,
        rejects: &mut Vec<Reject>,
        raw: impl FnOnce() -> String,
    ) {
        for (field, at) in &plan.shape.fields {
            row.set(*field, cell(*at));
        }
        row.click = plan.shape.clicks.iter().map(|(name, at)| (*name, cell(*at))).find(|(_, value)| !value.is_empty());
        row.tags.clear();
        row.tags.extend(
            plan.shape.tags.iter().map(|(tag, at)| (tag.as_str(), cell(*at))).filter(|(_, value)| !value.is_empty()),
        );
        row.extra.clear();
        for (name, at, namespace) in &plan.shape.extras {
            let value = cell(*at);
            if value.is_empty() {
                continue;
            }
            match namespace {
                None => row.extra.push((name, Member::Text(value))),
                Some(namespace) => {
                    if let Some(hash) = normalise(namespace, value, self.identity).id() {
                        row.extra.push((name, Member::Json(Cow::Owned(format!("\"{hash}\"")))));
                    }
                }
            }
        }
        if let Err(fault) = self.sink.push(row, &plan.terms, place) {
            rejects.push(reject(plan, fault, place, row, None, raw()));
        }
    }

    fn objects(&mut self, plan: &Plan, chunk: &Chunk, base: u64, file: usize, rejects: &mut Vec<Reject>) -> u64 {
        if self.json.as_ref().is_none_or(|(known, _)| *known != file) {
            let (keep, comma) = (plan.terms.keep_contact_details, plan.terms.amounts.is_comma());
            self.json = Some((file, JsonReader::new(&plan.stated, self.identity, keep, comma)));
        }
        let Some((_, reader)) = &mut self.json else { return 0 };
        let sink = &mut self.sink;
        for (line, start, end) in &chunk.records {
            let text = chunk.text.get(*start as usize..*end as usize).unwrap_or_default();
            let place = base | plan.place(*line);
            let outcome = reader.read(text, |row, owners| {
                sink.push(row, &plan.terms, place)
                    .map_err(|fault| reject(plan, fault, place, row, Some(owners), text.trim().to_owned()))
            });
            match outcome {
                Some(Ok(())) => {}
                Some(Err(reject)) => rejects.push(reject),
                None => rejects.push(Reject {
                    line: *line,
                    column: None,
                    value: None,
                    reason: reason::NO_JSON.into(),
                    raw: Some(text.trim().to_owned()),
                }),
            }
        }
        broken(&chunk.broken, 0, rejects);
        (chunk.records.len() + chunk.broken.len()) as u64
    }
}

fn constants<'a>(plan: &'a Plan, row: &mut Row<'a>) {
    for (field, value) in &plan.stated.constants {
        row.set(*field, value);
    }
}

fn reject(
    plan: &Plan,
    fault: Fault,
    place: u64,
    row: &Row<'_>,
    owners: Option<&[(Field, String)]>,
    raw: String,
) -> Reject {
    let owner = |field: Field| {
        let found = owners.and_then(|owners| owners.iter().find(|(known, _)| *known == field));
        found.map_or_else(|| plan.column_of(field), |(_, name)| name.clone())
    };
    let kept = fault.reason != reason::REFUSED;
    Reject {
        line: place & ((1 << LINE_BITS) - 1),
        column: fault.field.map(owner),
        value: fault.field.map(|field| row.get(field).to_owned()),
        reason: fault.reason.into(),
        raw: kept.then_some(raw),
    }
}

fn broken(broken: &[Broken], columns: usize, rejects: &mut Vec<Reject>) {
    rejects.extend(broken.iter().map(|broken| Reject {
        line: broken.line,
        column: None,
        value: broken.found.map(|found| format!("{found} instead of {columns}")),
        reason: broken.reason.into(),
        raw: Some(broken.raw.clone()),
    }));
}
