//! Dead letters once more: what was no event when it came may be one by now, because Safar or the settings changed.
//!
//! What is an event now goes to `events` and leaves `rejects`; what still is none stays there. A request that could not be
//! read lies in its reject; of a batch, the member is looked up in the segments that are kept; a line that the import
//! refused is imported again.
use super::{CollectError, folder, origin, publish, status::now};
use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch},
    compute::{cast, filter_record_batch},
};
use futures::TryStreamExt;
use safar_collect::{
    Reader,
    drain::{DeadLetter, Raw},
    log::{Entry, Segment},
};
use safar_ingest::{HandOver, Lines, Rules, import_lines};
use safar_model::Table;
use safar_pipeline::Workspace;
use safar_store::{Change, CommitKey, WriteLock};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// Lines of about this many bytes are imported at a time.
const PART: usize = 16 << 20;

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Rejects of collected requests that were looked at.
    pub letters: u64,
    /// New events.
    pub stored: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// What the import refused again, for the reason that is in `rejects` now.
    pub rejected: u64,
    /// What stays as it is, by the reason.
    pub kept: BTreeMap<String, u64>,
}

/// Reads all dead letters again. A collector may be running meanwhile.
///
/// # Errors
/// When tables or segments cannot be read or written. What was imported by then stays; the next replay tells it apart.
pub async fn replay(workspace: &Workspace, lock: &WriteLock) -> Result<Replayed, CollectError> {
    let store = workspace.store();
    let snapshot = store.snapshot().await?;
    let mut letters = Letters::open(workspace)?;
    let mut importer = Importer { workspace, lock, at: now(), number: 0, waiting: BTreeMap::new(), bytes: 0 };
    let mut done = Replayed::default();
    let mut stay = store.writer(lock, Table::Rejects)?;
    let session = workspace.engine()?.session(&snapshot)?;
    let mut rows = session.table(Table::Rejects).await?.execute_stream().await?;
    while let Some(batch) = rows.try_next().await? {
        let batch = conform(&batch)?;
        let (origins, raws) = (batch.column(1).as_string::<i32>(), batch.column(6).as_string::<i32>());
        let mut keep = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let (place, raw) = (origins.value(row), raws.is_valid(row).then(|| raws.value(row)));
            if !place.starts_with(origin::PREFIX) {
                keep.push(true);
                continue;
            }
            done.letters += 1;
            let read = letters.read(place, raw.unwrap_or_default());
            keep.push(read.stays.is_some());
            if let Some((source, lines)) = read.lines {
                importer.take(origin::again(place, &source), &lines, &mut done).await?;
            }
            if let Some(reason) = read.stays {
                *done.kept.entry(reason).or_default() += 1;
            }
        }
        stay.write(&filter_record_batch(&batch, &BooleanArray::from(keep))?)?;
    }
    importer.import(&mut done).await?;
    if importer.number > 0 {
        let files = store.files(&snapshot, Table::Rejects).await?;
        let removed = files.into_iter().map(|file| file.name).collect();
        let change = Change::ReplaceFiles { staged: stay.finish()?, removed };
        store.commit(lock, vec![change], &CommitKey::new("replay", format!("{}/rejects", importer.at))).await?;
    }
    Ok(done)
}

/// A batch with the types of the table.
fn conform(batch: &RecordBatch) -> Result<RecordBatch, CollectError> {
    let schema = Table::Rejects.schema();
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name());
        let missing = || arrow::error::ArrowError::SchemaError(format!("rejects has no column {}", field.name()));
        cast(column.ok_or_else(missing)?, field.data_type())
    });
    Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_, _>>()?)?)
}

/// Reads what lies in `rejects`.
struct Letters {
    reader: Reader,
    folder: PathBuf,
    /// The first digits of the log's identity.
    log: String,
    /// The segment that was read last.
    segment: Option<(PathBuf, Segment)>,
}

impl Letters {
    fn open(workspace: &Workspace) -> Result<Self, CollectError> {
        let folder = folder(workspace);
        let reader = Reader::open(&folder, workspace.settings().collect.clone())?;
        Ok(Self { reader, log: origin::of_log(&folder), folder, segment: None })
    }

    /// What a letter gives now.
    fn read(&mut self, place: &str, raw: &str) -> Read {
        let Some(letter) = DeadLetter::from_line(raw) else { return line(place, raw) };
        match letter.raw {
            Raw::Request(record) => {
                let mut part = self.reader.request(&record);
                let stays = part.letters.pop().map(|letter| letter.reason);
                Read { lines: part.lines.pop_first(), stays }
            }
            Raw::Member(number, _) => {
                match self.record(place, letter.at).and_then(|record| self.reader.member(&record, number)) {
                    Ok(line) => Read { lines: Some(line), stays: None },
                    Err(reason) => Read::stays(reason),
                }
            }
            Raw::Bytes(_) => Read::stays("bytes of a damaged log"),
        }
    }

    /// A record of a segment that is kept.
    fn record(&mut self, place: &str, at: usize) -> Result<Vec<u8>, String> {
        const GONE: &str = "its batch is no longer kept: see keep_days and keep_megabytes of [collect.log]";
        let (_, log, number) = origin::read(place).ok_or(GONE)?;
        let name = format!("{number:06}.log");
        let path = [self.folder.join("published").join(&name), self.folder.join(&name)];
        let path = path.into_iter().find(|path| log == self.log && path.exists()).ok_or(GONE)?;
        if self.segment.as_ref().is_none_or(|(known, _)| *known != path) {
            let read = Segment::read(&path).map_err(|error| error.to_string())?;
            self.segment = Some((path, read));
        }
        let found = self.segment.iter().flat_map(|(_, segment)| segment.entries()).find_map(|entry| match entry {
            Entry::Record { at: here, payload } if here == at => Some(payload.to_vec()),
            _ => None,
        });
        found.ok_or_else(|| GONE.to_owned())
    }
}

/// What can be made of a letter now.
struct Read {
    /// The name of the source, and lines of events.
    lines: Option<(String, String)>,
    /// Why the letter, or a part of it, stays one.
    stays: Option<String>,
}

impl Read {
    fn stays(reason: impl Into<String>) -> Self {
        Self { lines: None, stays: Some(reason.into()) }
    }
}

/// A line that the import refused.
fn line(place: &str, raw: &str) -> Read {
    if raw.contains("…@…") {
        return Read::stays("its contact details were hidden (see keep_contact_details of [import])");
    }
    let source = place[origin::PREFIX.len()..].split('/').next().unwrap_or_default();
    Read { lines: Some((source.to_owned(), raw.to_owned())), stays: None }
}

/// Imports lines, some megabytes at a time.
struct Importer<'a> {
    workspace: &'a Workspace,
    lock: &'a WriteLock,
    at: i64,
    /// Imports so far.
    number: u32,
    /// Lines by their origin.
    waiting: BTreeMap<String, String>,
    bytes: usize,
}

impl Importer<'_> {
    async fn take(&mut self, origin: String, lines: &str, done: &mut Replayed) -> Result<(), CollectError> {
        let waiting = self.waiting.entry(origin).or_default();
        waiting.push_str(lines);
        if !lines.ends_with('\n') {
            waiting.push('\n');
        }
        self.bytes += lines.len();
        if self.bytes >= PART { self.import(done).await } else { Ok(()) }
    }

    async fn import(&mut self, done: &mut Replayed) -> Result<(), CollectError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let (settings, enricher) = (self.workspace.import_settings(), self.workspace.enricher()?);
        let rules = Rules { import: &settings, enricher: &enricher, identity: &self.workspace.settings().identity };
        let lines = std::mem::take(&mut self.waiting).into_iter();
        let lines = lines.map(|(origin, text)| Lines { origin, text: text.into_bytes() });
        let told = HandOver { lines: lines.collect(), ..HandOver::default() };
        let key = CommitKey::new("replay", format!("{}/{}", self.at, self.number));
        self.number += 1;
        let (store, options) = (self.workspace.store(), publish::options());
        let report = import_lines(store, self.lock, rules, told, key, &options).await?;
        done.stored += report.stored;
        done.duplicates += report.duplicates;
        done.rejected += report.rejected_total();
        Ok(())
    }
}
