//! Kept requests once more: after an update, or other rules, the tables hold what their requests tell today.
//!
//! All rows of events, links and rejects that came of a kept segment go, and what it gives now comes in their place, in one commit.
//! So nothing is stored twice, whatever decoders and settings say, and doing it again changes nothing.
//!
//! Some records are told nowhere but in the tables ([`Part::untold`]): their rows stay as they are. Of a segment with such
//! records only those rows go whose event comes again.
use super::{CollectError, folder, origin, publish, status::now};
use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch, StringArray},
    compute::{filter_record_batch, not},
};
use safar_collect::{
    Reader,
    drain::{DeadLetter, Part, read},
    log::{LogError, published},
};
use safar_ingest::{HandOver, Rules, import_lines};
use safar_model::Table;
use safar_pipeline::{Touched, Workspace};
use safar_store::{CommitKey, Snapshot, Sweep, WriteLock};
use std::collections::{BTreeMap, HashSet};

/// Lines and letters of about this many bytes are imported at a time: for each import the stored events are read once.
const BATCH: usize = 256 << 20;

/// What reading kept requests again did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rederived {
    /// Segments that are kept.
    pub segments: u64,
    /// Events that were taken away.
    pub replaced: u64,
    /// Events that came in their place.
    pub stored: u64,
    /// What is no event now.
    pub rejected: u64,
    /// Requests that are kept no more, or tell less than they did: their events stay as they are.
    pub untold: u64,
}

/// Reads all kept requests again. A collector may be running meanwhile.
///
/// # Errors
/// When tables or segments cannot be read or written. What was replaced by then stays so; the next run does the rest.
pub async fn replay_kept(workspace: &Workspace, lock: &WriteLock) -> Result<Rederived, CollectError> {
    in_batches(workspace, lock, BATCH).await
}

/// As [`replay_kept`], in batches of about so many bytes.
pub(super) async fn in_batches(
    workspace: &Workspace,
    lock: &WriteLock,
    most: usize,
) -> Result<Rederived, CollectError> {
    let folder = folder(workspace);
    let reader = Reader::open(&folder, workspace.settings().collect.clone())?;
    let log = origin::of_log(&folder);
    let (mut done, mut batch, mut number) = (Rederived::default(), Batch::of(&log), 0);
    let at = now();
    for path in published(&folder)? {
        let Some(segment) = path.file_stem().and_then(|name| name.to_str()?.parse().ok()) else { continue };
        match read(&reader, &path) {
            // It was forgotten meanwhile, because newer ones came.
            Err(LogError::Disk { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => continue,
            other => batch.take(segment, other?),
        }
        if batch.bytes >= most {
            let full = std::mem::replace(&mut batch, Batch::of(&log));
            full.replace(workspace, lock, CommitKey::new("replay", format!("{at}/kept/{number}")), &mut done).await?;
            number += 1;
        }
    }
    batch.replace(workspace, lock, CommitKey::new("replay", format!("{at}/kept/{number}")), &mut done).await?;
    Ok(done)
}

/// Some segments.
struct Batch {
    /// The first digits of the log's identity.
    log: String,
    segments: BTreeMap<u64, Again>,
    told: HandOver,
    bytes: usize,
}

/// What a segment gives again.
#[derive(Default)]
struct Again {
    /// The places of records that give nothing.
    untold: HashSet<usize>,
    /// The ids of the events that come again, where some records give nothing.
    ids: HashSet<String>,
}

impl Again {
    /// Whether the row of an event comes again, or of one of its links.
    fn replaces(&self, event_id: &str) -> bool {
        self.untold.is_empty() || self.ids.contains(event_id)
    }

    /// As [`Self::replaces`], of a reject.
    fn replaces_reject(&self, raw: &str) -> bool {
        self.untold.is_empty()
            || match DeadLetter::from_line(raw) {
                Some(letter) => !self.untold.contains(&letter.at),
                None => self.ids.contains(&event_id(raw).unwrap_or_default()),
            }
    }
}

fn event_id(line: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Line {
        event_id: String,
    }
    serde_json::from_str(line).ok().map(|line: Line| line.event_id)
}

impl Batch {
    fn of(log: &str) -> Self {
        Self { log: log.to_owned(), segments: BTreeMap::new(), told: HandOver::default(), bytes: 0 }
    }

    fn take(&mut self, number: u64, parts: Vec<Part>) {
        let again = self.segments.entry(number).or_default();
        again.untold.extend(parts.iter().flat_map(|part| &part.untold));
        for part in parts {
            for text in part.lines.values() {
                self.bytes += text.len();
                if !again.untold.is_empty() {
                    again.ids.extend(text.lines().filter_map(event_id));
                }
            }
            let HandOver { lines, letters, received_at, .. } =
                publish::handed_over(Part { log: self.log.clone(), segment: number, ..part });
            self.bytes += letters.iter().map(|(_, letter)| letter.raw.as_ref().map_or(0, String::len)).sum::<usize>();
            self.told.lines.extend(lines);
            self.told.letters.extend(letters);
            self.told.received_at.extend(received_at);
        }
    }

    /// The segment that a row came of, where it is one of these.
    fn of_row(&self, origin: &str) -> Option<&Again> {
        let (_, log, number) = origin::read(origin)?;
        self.segments.get(&number).filter(|_| log == self.log)
    }

    async fn replace(
        mut self,
        workspace: &Workspace,
        lock: &WriteLock,
        key: CommitKey,
        done: &mut Rederived,
    ) -> Result<(), CollectError> {
        if self.segments.is_empty() {
            return Ok(());
        }
        let mut told = std::mem::take(&mut self.told);
        let mut touched = Touched::of(workspace).await?;
        let mut replaced = vec![];
        let snapshot = workspace.store().snapshot().await?;
        for (table, origin, told_by) in [
            (Table::Events, "origin", "event_id"),
            (Table::IdentityLinks, "source", "event_id"),
            (Table::Rejects, "origin", "raw"),
        ] {
            let sweep = self.without(workspace, lock, &snapshot, table, [origin, told_by], &mut touched).await?;
            if table == Table::Events {
                done.replaced += sweep.rows_removed();
                replaced = sweep.replaced().to_vec();
            }
            told.instead_of.push(sweep);
        }
        touched.begin()?;
        let (settings, enricher) = (workspace.import_settings(), workspace.enricher()?);
        let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
        let report = import_lines(workspace.store(), lock, rules, told, key, &publish::options()).await?;
        touched.renamed(&replaced)?;
        done.segments += self.segments.len() as u64;
        done.stored += report.stored;
        done.rejected += report.rejected_total();
        done.untold += self.segments.values().map(|again| again.untold.len() as u64).sum::<u64>();
        Ok(())
    }

    /// A table without the rows that come again.
    async fn without(
        &self,
        workspace: &Workspace,
        lock: &WriteLock,
        snapshot: &Snapshot,
        table: Table,
        [origin, told_by]: [&str; 2],
        touched: &mut Touched<'_>,
    ) -> Result<Sweep, CollectError> {
        let store = workspace.store();
        let files = store.files(snapshot, table).await?;
        store.sweep(lock, table, &files, |batch| {
            let (origins, told_by) = (texts(batch, origin)?, texts(batch, told_by)?);
            let goes = |row: usize| {
                let told = if told_by.is_valid(row) { told_by.value(row) } else { "" };
                self.of_row(origins.value(row)).is_some_and(|again| match table {
                    Table::Rejects => again.replaces_reject(told),
                    _ => again.replaces(told),
                })
            };
            let gone: BooleanArray = (0..batch.num_rows()).map(|row| Some(goes(row))).collect();
            if gone.true_count() == 0 {
                return Ok(None);
            }
            if table == Table::Events {
                touched.add(&filter_record_batch(batch, &gone)?)?;
            }
            Ok(Some(filter_record_batch(batch, &not(&gone)?)?))
        })
    }
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, CollectError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| arrow::error::ArrowError::SchemaError(format!("a table has no texts {name}")).into())
}
