//! Files → canonical events: read, mapped, checked, sorted and stored once.
//!
//! Data walks one way: [`input`] (bytes, decompressed and decoded) → [`split`], [`json`], [`parquet`] (rows) → [`plan`]
//! with [`sniff`], [`mapping`] and [`field`] (which column is what) → [`work`] and [`sink`] (rows to columns, on several
//! threads; [`words`] numbers the texts that repeat) → [`sort`] (gathered by ranges of keys, in memory or temporary files) → [`publish`] (sorted, without
//! repetitions, links drawn) → one commit ([`take`]). Rows that are no events go to [`reject`]; ready paths take [`ready`].
//!
//! **Once.** An event without an id of its own gets one from its content (128 bits), so the same row is stored once,
//! in whatever file, column order or run it comes. Of events with one given id, the first that was read is stored; a
//! later one with other content is rejected. Ids are compared within one person key. Against what is stored, the content is
//! time, value, name, order, currency, items and identifiers; given ids are looked for in all stored events, whenever
//! they happened, made ids only in files that overlap the new events in time, because they tell it.
//!
//! Of events that programs hand over ([`import_lines`]), the id alone decides, because a client that sends an event again
//! may tell other times: the first is stored, later ones are repetitions.
//!
//! **All or nothing.** Nothing is visible before the one commit at the end; after a crash, importing again completes.
mod columns;
mod consent;
mod costs;
mod currency;
mod digits;
mod error;
mod field;
mod flag;
mod input;
mod json;
mod lines;
mod look;
mod mapping;
mod number;
mod object;
mod parquet;
mod plan;
mod publish;
mod read;
mod ready;
mod reason;
mod reenrich;
mod reject;
mod report;
mod row;
mod settings;
mod shapes;
mod sink;
mod sniff;
mod sort;
mod split;
mod take;
mod telling;
mod terms;
mod time;
mod visitor;
mod words;
mod work;

pub use costs::rechannel;
pub use error::Error;
pub use field::{Field, Target};
pub use input::Encoding;
pub use lines::{HandOver, Lines, import_lines};
pub use look::any_row;
pub use mapping::ColumnMapping;
pub use number::Decimal;
pub use reason::REASONS;
pub use reenrich::reenrich;
pub use reject::Reject;
pub use report::{FileReport, ImportReport, Preview, Progress, Silent};
pub use settings::{How, ImportOptions, ImportSettings, SavedMapping};
pub use sink::GIVEN;
pub use sniff::Format;
pub use time::{DateOrder, TimeReader};

use arrow::array::RecordBatch;
use plan::Plan;
use publish::{Publish, Sameness};
use safar_enrich::Enricher;
use safar_identity::IdentitySettings;
use safar_model::{Micros, Table};
use safar_store::{Store, WriteLock};
use sort::Gather;
use std::{sync::Arc, time::Instant};
use take::{Handed, Shaped, take};
use words::Words;
use work::{Work, Worker};

/// The rules of a workspace that an import follows.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// How files are read.
    pub import: &'a ImportSettings,
    /// How sources and channels are derived.
    pub enricher: &'a Enricher,
    /// How identifiers are normalised, and which are blocked.
    pub identity: &'a IdentitySettings,
}

impl Rules<'_> {
    /// How every file is read: those of known shapes are read already, the events that they tell are plans like the others.
    fn plans(
        self,
        arguments: &[String],
        options: &ImportOptions,
        now: Micros,
        progress: &dyn Progress,
    ) -> Result<Handed, Error> {
        let started = Some(Instant::now());
        let (inputs, skipped) = input::expand(arguments)?;
        let shaped = shapes::gather(self, options, inputs, progress)?;
        let mut handed = Handed { started, skipped, aside: shaped.aside, ..Handed::default() };
        for file in shaped.files {
            let shapes::ShapedFile { input, format, title, plain, events, costs, left_out, rejects, notes } = file;
            let (import, identity) = (self.import, self.identity);
            let plan = match events.lines {
                0 => None,
                _ => Plan::of_shape(import, identity, options, &input, events, plain, now)?,
            };
            let plan = plan.map(|plan| {
                handed.plans.push(Arc::new(plan));
                handed.plans.len() - 1
            });
            let name = input.name;
            handed.shaped.push(Shaped { name, format, title, plan, costs, left_out, rejects, notes });
        }
        let mut unclear = Vec::new();
        for (input, claim) in shaped.others {
            let (name, found) = (input.name.clone(), !input.named);
            match Plan::make(self.import, self.identity, options, input, now) {
                Ok(Some(plan)) => handed.plans.push(Arc::new(plan)),
                Ok(None) => handed.skipped.push(name),
                Err(error) => {
                    let undated = matches!(error, Error::AmbiguousDates { .. });
                    let is_unclear = error.is_unclear() || undated;
                    // A folder of a connector's tables holds others that tell no events.
                    if is_unclear && shaped.tables && found {
                        handed.aside.push((name, "a table that no shape knows and that tells no events".to_owned()));
                        continue;
                    }
                    match (error, claim) {
                        (_, Some(claim)) if is_unclear => return Err(Error::of_claim(&name, claim)),
                        // Folders hold notes and lists, too.
                        (error, None) if error.is_unclear() && found => unclear.push(error),
                        (error, _) => return Err(error),
                    }
                }
            }
        }
        if handed.plans.is_empty() && handed.shaped.is_empty() && !unclear.is_empty() {
            return Err(unclear.remove(0));
        }
        handed.unclear = unclear.iter().map(ToString::to_string).collect();
        Ok(handed)
    }
}

fn now(options: &ImportOptions) -> Micros {
    options.now.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond())
}

/// How the files would be read: the mapping, and the first `rows` rows of each as events. Stores nothing.
///
/// # Errors
/// As [`import`].
pub fn preview(
    rules: Rules<'_>,
    arguments: &[String],
    options: &ImportOptions,
    rows: usize,
) -> Result<Vec<Preview>, Error> {
    let now = now(options);
    let handed = rules.plans(arguments, options, now, &Silent)?;
    let mut previews = Vec::new();
    let no_costs = || RecordBatch::new_empty(Table::Costs.schema());
    for file in handed.shaped.iter().filter(|file| file.plan.is_none()) {
        let shown = file.costs.rows().take(rows).map(|row| (row.clone(), Arc::from(file.name.as_str())));
        previews.push(Preview {
            name: file.name.clone(),
            format: file.format,
            read_as: Some(file.title),
            delimiter: None,
            columns: Vec::new(),
            goal: None,
            notes: file.notes.clone(),
            events: RecordBatch::new_empty(Table::Events.schema()),
            costs: costs::batch(&shown.collect::<Vec<_>>(), rules.enricher)?,
            rejects: file.rejects.first().iter().take(rows).cloned().collect(),
        });
    }
    for (number, plan) in handed.plans.iter().enumerate() {
        let shaped = handed.shaped.iter().find(|file| file.plan == Some(number));
        let found = read::first(plan, rows)?;
        let words = Arc::new(Words::new());
        // Where nothing is stored, nobody can come back.
        let mut worker = Worker::new(rules, Arc::clone(&words), Arc::default());
        let done = match (found, plan.goal.is_none()) {
            (Some(rows), true) => {
                Some(worker.run(Work { number: 0, file: 0, plan: Arc::clone(plan), bytes: 0, rows })?)
            }
            _ => None,
        };
        let (parted, rejects) = done.map_or((None, Vec::new()), |done| (done.parted, done.rejects));
        let origins = [plan.input.name.clone()];
        let nothing = Gather::new(std::env::temp_dir(), usize::MAX, words).finish()?;
        let publish = Publish::new(&nothing, &[], &origins, now, Sameness::Content);
        let events = match parted {
            Some(parted) => publish.shown(&parted.batch)?,
            None => RecordBatch::new_empty(Table::Events.schema()),
        };
        previews.push(Preview {
            name: plan.input.name.clone(),
            format: shaped.map_or(plan.format, |file| file.format),
            read_as: shaped.map(|file| file.title),
            costs: no_costs(),
            delimiter: (plan.format == Format::Csv).then_some(plan.layout.delimiter as char),
            columns: plan.columns.clone(),
            goal: plan.goal.clone(),
            notes: plan.notes(),
            events,
            rejects,
        });
    }
    Ok(previews)
}

/// Imports files, folders, globs or standard input (`-`) into the workspace, in one commit.
///
/// Reading, sorting and writing block the calling thread (and use others); only the commit is asynchronous. Call it
/// where that is allowed: from a command, or a thread for blocking work. Memory is bounded by
/// [`ImportOptions::memory_bytes`] and a few row groups, whatever the size of the input.
///
/// # Errors
/// When an input cannot be read or does not describe events, or the store cannot be written: then nothing is stored.
pub async fn import(
    store: &Store,
    lock: &WriteLock,
    rules: Rules<'_>,
    arguments: &[String],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, Error> {
    let now = now(options);
    let handed = rules.plans(arguments, options, now, progress)?;
    take(store, lock, rules, handed, now, options, progress).await
}
