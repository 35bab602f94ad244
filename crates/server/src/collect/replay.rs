//! Dead letters once more: what was no event when it came may be one by now, because Safar or the settings changed.
//!
//! What is an event now goes to `events` and leaves `rejects`; what still is none stays there. A request that could not be
//! read lies in its reject; of a batch, the member is looked up in the segments that are kept; a line that the import
//! refused is imported again. Rejects go in the same commit in which their lines come.
use super::{CollectError, folder, origin, publish, status::now};
use arrow::{
    array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    compute::{cast, filter_record_batch, not},
    datatypes::{Int64Type, TimestampMicrosecondType},
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
use safar_store::{CommitKey, WriteLock};
use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

/// Letters and lines of about this many bytes are taken to the tables at a time.
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
/// When tables or segments cannot be read or written. What was imported by then stays so; the next replay does the rest.
pub async fn replay(workspace: &Workspace, lock: &WriteLock) -> Result<Replayed, CollectError> {
    in_parts(workspace, lock, PART).await
}

/// As [`replay`], in parts of about so many bytes.
pub(super) async fn in_parts(workspace: &Workspace, lock: &WriteLock, part: usize) -> Result<Replayed, CollectError> {
    let snapshot = workspace.store().snapshot().await?;
    let mut letters = Letters::open(workspace)?;
    let mut importer = Importer { workspace, lock, at: now(), part, number: 0, told: Told::default() };
    let mut done = Replayed::default();
    let session = workspace.engine()?.session(&snapshot)?;
    let mut rows = session.table(Table::Rejects).await?.execute_stream().await?;
    while let Some(batch) = rows.try_next().await? {
        let batch = conform(&batch)?;
        let rejects = Rejects::of(&batch);
        for row in (0..batch.num_rows()).map(|row| rejects.row(row)) {
            if !row.origin.starts_with(origin::PREFIX) {
                continue;
            }
            done.letters += 1;
            let read = letters.read(&row.origin, &row.raw);
            if let Some((source, lines)) = read.lines {
                importer.told.add(origin::again(&row.origin, &source), &lines);
            }
            match read.stays {
                Some(reason) => *done.kept.entry(reason).or_default() += 1,
                None => importer.told.answers(row),
            }
            importer.import_if_much(&mut done).await?;
        }
    }
    importer.import(&mut done).await?;
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

/// Columns of `rejects`.
struct Rejects<'a> {
    at: &'a TimestampMicrosecondArray,
    origin: &'a StringArray,
    line: &'a Int64Array,
    raw: &'a StringArray,
}

/// What tells a row of `rejects` from others: what is rejected once more is rejected later.
#[derive(PartialEq, Eq, Hash)]
struct Row {
    at: i64,
    origin: String,
    line: i64,
    raw: String,
}

impl<'a> Rejects<'a> {
    /// Of a batch with the columns of the table.
    fn of(batch: &'a RecordBatch) -> Self {
        Self {
            at: batch.column(0).as_primitive::<TimestampMicrosecondType>(),
            origin: batch.column(1).as_string::<i32>(),
            line: batch.column(2).as_primitive::<Int64Type>(),
            raw: batch.column(6).as_string::<i32>(),
        }
    }

    fn row(&self, row: usize) -> Row {
        let raw = if self.raw.is_valid(row) { self.raw.value(row) } else { "" };
        Row {
            at: self.at.value(row),
            origin: self.origin.value(row).to_owned(),
            line: self.line.value(row),
            raw: raw.to_owned(),
        }
    }
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
    if raw.trim().is_empty() {
        return Read::stays("its text is not kept, because its visitor refused that");
    }
    if raw.contains("…@…") {
        return Read::stays("its contact details were hidden (see keep_contact_details of [import])");
    }
    let source = place[origin::PREFIX.len()..].split('/').next().unwrap_or_default();
    Read { lines: Some((source.to_owned(), raw.to_owned())), stays: None }
}

/// What letters gave again.
#[derive(Default)]
struct Told {
    /// Lines by their origin.
    lines: BTreeMap<String, String>,
    /// Rejects that give nothing else.
    answered: HashSet<Row>,
    bytes: usize,
}

impl Told {
    fn add(&mut self, origin: String, lines: &str) {
        let known = self.lines.entry(origin).or_default();
        known.push_str(lines);
        if !lines.ends_with('\n') {
            known.push('\n');
        }
        self.bytes += lines.len();
    }

    fn answers(&mut self, row: Row) {
        self.bytes += row.raw.len();
        self.answered.insert(row);
    }
}

/// Takes what letters gave to the tables, some megabytes at a time.
struct Importer<'a> {
    workspace: &'a Workspace,
    lock: &'a WriteLock,
    at: i64,
    part: usize,
    /// Imports so far.
    number: u32,
    told: Told,
}

impl Importer<'_> {
    async fn import_if_much(&mut self, done: &mut Replayed) -> Result<(), CollectError> {
        if self.told.bytes >= self.part { self.import(done).await } else { Ok(()) }
    }

    async fn import(&mut self, done: &mut Replayed) -> Result<(), CollectError> {
        let Told { lines, answered, .. } = std::mem::take(&mut self.told);
        if lines.is_empty() && answered.is_empty() {
            return Ok(());
        }
        let (settings, enricher) = (self.workspace.import_settings(), self.workspace.enricher()?);
        let rules = Rules { import: &settings, enricher: &enricher, identity: &self.workspace.settings().identity };
        let store = self.workspace.store();
        let files = store.files(&store.snapshot().await?, Table::Rejects).await?;
        let without = store.sweep(self.lock, Table::Rejects, &files, |batch| {
            let rejects = Rejects::of(batch);
            let gone = (0..batch.num_rows()).map(|row| Some(answered.contains(&rejects.row(row))));
            let gone: BooleanArray = gone.collect();
            let left = (gone.true_count() > 0).then(|| filter_record_batch(batch, &not(&gone)?)).transpose()?;
            Ok::<_, CollectError>(left)
        })?;
        let lines = lines.into_iter().map(|(origin, text)| Lines { origin, text: text.into_bytes() });
        let told = HandOver { lines: lines.collect(), instead_of: vec![without], ..HandOver::default() };
        let key = CommitKey::new("replay", format!("{}/{}", self.at, self.number));
        self.number += 1;
        let report = import_lines(store, self.lock, rules, told, key, &publish::options()).await?;
        done.stored += report.stored;
        done.duplicates += report.duplicates;
        done.rejected += report.rejected_total();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_whose_text_is_not_kept_stays() {
        for raw in ["", " \n"] {
            let read = line("collect/web/00000000/000001.0", raw);
            assert!(read.lines.is_none() && read.stays.is_some(), "{raw:?}");
        }
        let read = line("collect/web/00000000/000001.0", "{\"event_id\":\"1\"}");
        assert_eq!((read.lines.map(|(_, lines)| lines), read.stays), (Some("{\"event_id\":\"1\"}".to_owned()), None));
    }
}
