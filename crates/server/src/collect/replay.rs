//! Dead letters once more: what was no event when it came may be one by now, because Safar or the settings changed.
//!
//! What is an event now goes to `events` and leaves `rejects`; what still is none stays there. A request that could not be
//! read lies in its reject; of a batch, the member is looked up in the segments that are kept; a line that the import
//! refused is imported again. Rejects go in the same commit in which their lines come.
use super::{CollectError, folder, origin, publish, status::now};
use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch, StringArray},
    compute::filter_record_batch,
};
use safar_collect::{
    Members, Reader,
    drain::{DeadLetter, Raw},
    log::Segment,
};
use safar_ingest::{HandOver, Lines, Rules, import_lines};
use safar_model::Table;
use safar_pipeline::Workspace;
use safar_store::{Change, CommitKey, DataFile, Staged, WriteLock};
use std::{collections::BTreeMap, path::PathBuf, slice};

/// Letters and lines of about this many bytes are taken to the tables at a time: for each time the stored events are read once.
const PART: usize = 64 << 20;

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

/// As [`replay`], in parts of about so many bytes. Only files of rejects that letters leave are rewritten, for one part each: a file
/// of several parts is divided before.
pub(super) async fn in_parts(workspace: &Workspace, lock: &WriteLock, part: usize) -> Result<Replayed, CollectError> {
    let store = workspace.store();
    let mut letters = Letters::open(workspace)?;
    let mut importer = Importer { workspace, lock, at: now(), number: 0, done: Replayed::default() };
    let mut told = Told::default();
    for file in store.files(&store.snapshot().await?, Table::Rejects).await? {
        let of_file = letters.read_file(workspace, &file, part)?;
        if of_file.bytes < part {
            told.join(of_file);
        } else {
            for piece in importer.divide(&file, part).await? {
                importer.import(std::mem::take(&mut told)).await?;
                told = letters.read_file(workspace, &piece, usize::MAX)?;
            }
        }
        if told.bytes >= part {
            importer.import(std::mem::take(&mut told)).await?;
        }
    }
    importer.import(told).await?;
    Ok(importer.done)
}

/// The columns `origin` and `raw` of `rejects`.
fn columns(batch: &RecordBatch) -> [&StringArray; 2] {
    [1, 6].map(|column| batch.column(column).as_string::<i32>())
}

/// Reads what lies in `rejects`.
struct Letters {
    reader: Reader,
    folder: PathBuf,
    /// The first digits of the log's identity.
    log: String,
    /// The segment that was read last.
    segment: Option<(PathBuf, Segment)>,
    /// The batch that was read last: its segment, its place there, and what it holds.
    batch: Option<(PathBuf, usize, Result<Members, String>)>,
}

impl Letters {
    fn open(workspace: &Workspace) -> Result<Self, CollectError> {
        let folder = folder(workspace);
        let reader = Reader::open(&folder, workspace.settings().collect.clone())?;
        Ok(Self { reader, log: origin::of_log(&folder), folder, segment: None, batch: None })
    }

    /// What the letters of a file of `rejects` give now; no more once these are `most` bytes.
    fn read_file(&mut self, workspace: &Workspace, file: &DataFile, most: usize) -> Result<Told, CollectError> {
        let mut told = Told::default();
        workspace.store().read(Table::Rejects, slice::from_ref(file), |batch| {
            let [origins, raws] = columns(batch);
            for row in 0..batch.num_rows() {
                let origin = origins.value(row);
                if told.bytes >= most || !origin.starts_with(origin::PREFIX) {
                    told.stays.push(true);
                    continue;
                }
                let raw = if raws.is_valid(row) { raws.value(row) } else { "" };
                told.add(origin, raw, self.read(origin, raw));
            }
            Ok::<_, CollectError>(())
        })?;
        if told.stays.contains(&false) {
            told.files.push(file.clone());
        } else {
            told.stays.clear();
        }
        Ok(told)
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
            Raw::Member(number, _) => match self.member(place, letter.at, number) {
                Ok(line) => Read { lines: Some(line), stays: None },
                Err(reason) => Read::stays(reason),
            },
            Raw::Bytes(_) => Read::stays("bytes of a damaged log"),
        }
    }

    /// A member of a batch in a segment that is kept: the name of its source, and its line.
    fn member(&mut self, place: &str, at: usize, number: usize) -> Result<(String, String), String> {
        const GONE: &str = "its batch is no longer kept: see keep_days and keep_megabytes of [collect.log]";
        let (_, log, segment) = origin::read(place).ok_or(GONE)?;
        let name = format!("{segment:06}.log");
        let path = [self.folder.join("published").join(&name), self.folder.join(&name)];
        let path = path.into_iter().find(|path| log == self.log && path.exists()).ok_or(GONE)?;
        // Letters of one batch follow each other.
        let (_, _, members) = match self.batch.take().filter(|(known, there, _)| (known, *there) == (&path, at)) {
            Some(known) => self.batch.insert(known),
            None => {
                let (path, segment) = match self.segment.take().filter(|(known, _)| *known == path) {
                    Some(known) => self.segment.insert(known),
                    None => {
                        let read = Segment::read(&path).map_err(|error| error.to_string())?;
                        self.segment.insert((path, read))
                    }
                };
                let members = self.reader.members(segment.record(at).ok_or(GONE)?);
                self.batch.insert((path.clone(), at, members))
            }
        };
        members.as_ref().map_err(String::clone)?.read(number)
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

/// What letters give again.
#[derive(Default)]
struct Told {
    /// Lines by their origin.
    lines: BTreeMap<String, String>,
    /// Files of `rejects` that letters leave.
    files: Vec<DataFile>,
    /// Whether a row of these files stays, in their order.
    stays: Vec<bool>,
    /// About how many bytes letters and lines take.
    bytes: usize,
    /// Letters that were looked at.
    letters: u64,
    /// What stays as it is, by the reason.
    kept: BTreeMap<String, u64>,
}

impl Told {
    /// Adds what a letter gives.
    fn add(&mut self, origin: &str, raw: &str, read: Read) {
        self.letters += 1;
        if let Some((source, lines)) = read.lines {
            self.bytes += lines.len();
            self.add_lines(origin::again(origin, &source), &lines);
        }
        self.stays.push(read.stays.is_some());
        match read.stays {
            Some(reason) => *self.kept.entry(reason).or_default() += 1,
            None => self.bytes += raw.len(),
        }
    }

    fn add_lines(&mut self, origin: String, lines: &str) {
        let known = self.lines.entry(origin).or_default();
        known.push_str(lines);
        if !lines.ends_with('\n') {
            known.push('\n');
        }
    }

    /// Adds what the letters of other files give.
    fn join(&mut self, other: Self) {
        other.lines.into_iter().for_each(|(origin, lines)| self.add_lines(origin, &lines));
        self.files.extend(other.files);
        self.stays.extend(other.stays);
        self.bytes += other.bytes;
        self.letters += other.letters;
        other.kept.into_iter().for_each(|(reason, letters)| *self.kept.entry(reason).or_default() += letters);
    }
}

/// Takes what letters give to the tables.
struct Importer<'a> {
    workspace: &'a Workspace,
    lock: &'a WriteLock,
    at: i64,
    /// Commits so far.
    number: u32,
    done: Replayed,
}

impl Importer<'_> {
    fn key(&mut self) -> CommitKey {
        self.number += 1;
        CommitKey::new("replay", format!("{}/{}", self.at, self.number))
    }

    /// Puts files of about `part` bytes, with the same rows, in the place of a larger one, and names them.
    async fn divide(&mut self, file: &DataFile, part: usize) -> Result<Vec<DataFile>, CollectError> {
        let store = self.workspace.store();
        let mut pieces = vec![];
        store.read(Table::Rejects, slice::from_ref(file), |batch| {
            let [_, raws] = columns(batch);
            let rows = (batch.num_rows() * part / raws.value_data().len().max(1)).max(1);
            for from in (0..batch.num_rows()).step_by(rows) {
                let mut writer = store.writer(self.lock, Table::Rejects)?;
                writer.write(&batch.slice(from, rows.min(batch.num_rows() - from)))?;
                pieces.push(writer.finish()?);
            }
            Ok::<_, CollectError>(())
        })?;
        if pieces.len() == 1 {
            return Ok(vec![file.clone()]);
        }
        let whole = store.writer(self.lock, Table::Rejects)?.finish()?;
        let staged = pieces.into_iter().try_fold(whole, Staged::join)?;
        let pieces = staged.data_files().collect();
        let change = Change::Rewrite { staged, removed: vec![file.name.clone()] };
        store.commit(self.lock, vec![change], &self.key()).await?;
        Ok(pieces)
    }

    async fn import(&mut self, told: Told) -> Result<(), CollectError> {
        self.done.letters += told.letters;
        told.kept.into_iter().for_each(|(reason, letters)| *self.done.kept.entry(reason).or_default() += letters);
        if told.lines.is_empty() && told.files.is_empty() {
            return Ok(());
        }
        let (settings, enricher) = (self.workspace.import_settings(), self.workspace.enricher()?);
        let rules = Rules { import: &settings, enricher: &enricher, identity: &self.workspace.settings().identity };
        let store = self.workspace.store();
        let mut stays = told.stays.into_iter();
        let without = store.sweep(self.lock, Table::Rejects, &told.files, |batch| {
            let stays: BooleanArray = stays.by_ref().take(batch.num_rows()).map(Some).collect();
            let left = (stays.false_count() > 0).then(|| filter_record_batch(batch, &stays)).transpose()?;
            Ok::<_, CollectError>(left)
        })?;
        let lines = told.lines.into_iter().map(|(origin, text)| Lines { origin, text: text.into_bytes() });
        let handed = HandOver { lines: lines.collect(), instead_of: vec![without], ..HandOver::default() };
        let report = import_lines(store, self.lock, rules, handed, self.key(), &publish::options()).await?;
        self.done.stored += report.stored;
        self.done.duplicates += report.duplicates;
        self.done.rejected += report.rejected_total();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safar_ingest::Reject;
    use std::fs;

    /// Rejects of one commit, with their origins and texts.
    async fn rejected(workspace: &Workspace, key: &str, letters: &[(&str, String)]) {
        let letter = |(origin, raw): &(&str, String)| {
            let raw = Some(raw.clone());
            ((*origin).to_owned(), Reject { line: 1, column: None, value: None, reason: "odd".into(), raw })
        };
        let told = HandOver { letters: letters.iter().map(letter).collect(), ..HandOver::default() };
        let (settings, enricher) = (workspace.import_settings(), workspace.enricher().unwrap());
        let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
        let (lock, key) = (workspace.store().lock().unwrap(), CommitKey::new("test", key));
        import_lines(workspace.store(), &lock, rules, told, key, &publish::options()).await.unwrap();
    }

    async fn files(workspace: &Workspace, table: Table) -> Vec<DataFile> {
        workspace.store().files(&workspace.store().snapshot().await.unwrap(), table).await.unwrap()
    }

    fn rows(files: &[DataFile]) -> u64 {
        files.iter().filter_map(|file| file.rows).sum()
    }

    /// Rows of files that the log of `rejects` ever named.
    fn ever_written(workspace: &Workspace) -> u64 {
        let log = workspace.root().join("data/rejects/_delta_log");
        let texts = fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path());
        let texts = texts.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
        let texts: Vec<String> = texts.map(|path| fs::read_to_string(path).unwrap()).collect();
        let actions = texts.iter().flat_map(|text| text.lines());
        let actions = actions.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let stats = actions.filter_map(|action| action["add"]["stats"].as_str().map(str::to_owned));
        stats
            .map(|stats| serde_json::from_str::<serde_json::Value>(&stats).unwrap()["numRecords"].as_u64().unwrap())
            .sum()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_reject_is_rewritten_twice_at_most_and_only_beside_letters() {
        const LETTERS: usize = 24;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        Workspace::init(&root, true).await.unwrap();
        let workspace = Workspace::open(&root).await.unwrap();
        let event = |at: usize| {
            let line = format!("{{\"event_id\":\"e{at}\",\"name\":\"e\",\"occurred_at\":\"2026-11-01T00:00:00Z\"}}");
            [("collect/web/00000000/000001.0", line), ("collect/web/00000000/000001.0", String::new())]
        };
        rejected(&workspace, "letters", &(0..LETTERS).flat_map(event).collect::<Vec<_>>()).await;
        let others = [("events.csv", "a,b".to_owned()), ("collect/web/00000000/000002.0", "…@…".to_owned())];
        rejected(&workspace, "others", &others).await;
        let [_, other] = files(&workspace, Table::Rejects).await.try_into().unwrap();
        let before = ever_written(&workspace);

        let lock = workspace.store().lock().unwrap();
        let done = in_parts(&workspace, &lock, 1).await.unwrap();
        let all = LETTERS as u64;
        assert_eq!((done.letters, done.stored, done.rejected), (2 * all + 1, all, 0));
        assert_eq!(done.kept.values().sum::<u64>(), all + 1);
        assert_eq!(rows(&files(&workspace, Table::Events).await), all);
        let left = files(&workspace, Table::Rejects).await;
        assert_eq!(rows(&left), all + 2);
        assert!(left.iter().any(|file| file.name == other.name), "nobody of that file was answered");
        let written = ever_written(&workspace) - before;
        assert!(written <= 2 * 2 * all, "{written} rows were written for {} rejects", 2 * all);
        let again = in_parts(&workspace, &lock, 1).await.unwrap();
        assert_eq!((again.letters, again.stored, again.duplicates), (all + 1, 0, 0));
        assert_eq!(ever_written(&workspace) - before, written, "nothing is answered, nothing is written");
    }

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
