//! Changes of one or several tables, once, whole or not at all.
//!
//! A commit of one table is its Delta log entry. A commit of several is first written to `commit.json`: from then on it
//! will happen, if need be by the next writer. Then come the log entries, then the snapshot that shows them.
use crate::{
    durable,
    error::{Error, IoContext, Result},
    lock::WriteLock,
    log::{self, DataFile, Operation},
    snapshot::Snapshot,
    store::{Known, Store},
    writer::{Staged, StagedFile},
};
use deltalake::kernel::Action;
use safar_model::Table;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const JOURNAL: &str = "commit.json";

/// What to do to one table.
#[derive(Debug)]
#[non_exhaustive]
pub enum Change {
    /// Adds rows.
    Append(Staged),
    /// Puts rows in the place of everything in these buckets; the table must be clustered.
    ReplaceBuckets {
        /// The new rows, all of them in `buckets`.
        staged: Staged,
        /// The partitions that are replaced, also those that get no row.
        buckets: Vec<i32>,
    },
    /// Puts rows in the place of everything in the table.
    ReplaceAll(Staged),
    /// Puts rows in the place of these files, by [`DataFile::name`]; for rewriting rows in place.
    ReplaceFiles {
        /// The new rows.
        staged: Staged,
        /// The files that are replaced; all must be in the table.
        removed: Vec<String>,
    },
    /// As [`Change::ReplaceFiles`] where the rows are the same ones: readers that follow changes skip it.
    Rewrite {
        /// The same rows in new files.
        staged: Staged,
        /// The files that are replaced; all must be in the table.
        removed: Vec<String>,
    },
}

impl Change {
    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.staged().table()
    }

    fn staged(&self) -> &Staged {
        match self {
            Self::Append(staged)
            | Self::ReplaceAll(staged)
            | Self::ReplaceBuckets { staged, .. }
            | Self::ReplaceFiles { staged, .. }
            | Self::Rewrite { staged, .. } => staged,
        }
    }

    fn into_staged(self) -> Staged {
        match self {
            Self::Append(staged)
            | Self::ReplaceAll(staged)
            | Self::ReplaceBuckets { staged, .. }
            | Self::ReplaceFiles { staged, .. }
            | Self::Rewrite { staged, .. } => staged,
        }
    }

    /// The files it takes out of the table, or why it cannot.
    fn removed(&self, live: &[DataFile]) -> Result<Vec<DataFile>> {
        let table = self.table();
        let refuse = |reason: String| Error::Change { table, reason };
        match self {
            Self::Append(_) => Ok(vec![]),
            Self::ReplaceAll(_) => Ok(live.to_vec()),
            Self::ReplaceBuckets { staged, buckets } => {
                if !table.is_clustered() {
                    return Err(refuse("it has no buckets; replace all of it".to_owned()));
                }
                if let Some(other) = staged.buckets().find(|bucket| !buckets.contains(bucket)) {
                    return Err(refuse(format!("it has rows for bucket {other}, which is not replaced")));
                }
                let replaced = live.iter().filter(|file| file.bucket.is_some_and(|bucket| buckets.contains(&bucket)));
                Ok(replaced.cloned().collect())
            }
            Self::ReplaceFiles { removed, .. } | Self::Rewrite { removed, .. } => {
                let by_name: BTreeMap<_, _> = live.iter().map(|file| (file.name.as_str(), file)).collect();
                let names: BTreeSet<_> = removed.iter().map(String::as_str).collect();
                names
                    .into_iter()
                    .map(|name| by_name.get(name).map(|file| DataFile::clone(file)))
                    .collect::<Option<_>>()
                    .ok_or_else(|| refuse("a file to be replaced is no longer in it; read a new snapshot".to_owned()))
            }
        }
    }

    fn operation(&self) -> Operation {
        match self {
            Self::Append(_) => Operation::Append,
            Self::Rewrite { .. } => Operation::Compact,
            _ => Operation::Replace,
        }
    }
}

/// What makes a commit happen once: the same key again does nothing, for a month at least.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommitKey {
    /// Who writes: `import`, `build` …
    pub writer: String,
    /// What is written, such as the fingerprint of a file. Where the outcome depends on a snapshot, its
    /// [`Snapshot::sequence`] belongs in it.
    pub id: String,
}

impl CommitKey {
    /// A key.
    pub fn new(writer: impl Into<String>, id: impl Into<String>) -> Self {
        Self { writer: writer.into(), id: id.into() }
    }

    /// The `appId` of the Delta transaction.
    fn app(&self) -> String {
        format!("safar/{}/{}", self.writer, self.id)
    }
}

/// What a commit did.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Whether the key had been committed before, so that nothing was done now.
    pub already_done: bool,
    /// What readers see from now on.
    pub snapshot: Snapshot,
}

/// A commit of several tables that has been decided.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    key: CommitKey,
    tables: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    table: Table,
    operation: Operation,
    actions: Vec<Action>,
}

/// Whether a commit was decided and not finished.
pub(crate) fn is_pending(dir: &Path) -> bool {
    dir.join(JOURNAL).exists()
}

impl Store {
    /// Makes `changes` visible together, once for each key, and durable before it returns.
    ///
    /// A key that was committed before does nothing: the staged rows are dropped and
    /// [`Commit::already_done`] says so.
    ///
    /// # Errors
    /// [`Error::Change`] if a change contradicts the table, [`Error::Io`] if the disk refuses. Nothing is visible
    /// then; only after [`Error::Unfinished`] the next writer finishes the commit.
    pub async fn commit(&self, lock: &WriteLock, changes: Vec<Change>, key: &CommitKey) -> Result<Commit> {
        lock.check(self.dir())?;
        // A failed commit of this same writer may be half done.
        if is_pending(self.dir()) {
            self.finish_pending(lock).await?;
            self.publish_newest()?;
        }
        let published = self.snapshot().await?;
        let mut entries = vec![];
        let mut guards = vec![];
        let mut seen = BTreeSet::new();
        for change in changes {
            let table = change.table();
            let refuse = |reason: &str| Err(Error::Change { table, reason: reason.to_owned() });
            if !seen.insert(table) {
                return refuse("two changes in one commit");
            }
            if change.staged().folder() != self.log(table).folder {
                return refuse("the rows were staged in another store");
            }
            let live = self.list(&published, table).await?;
            let known = self.state(table, published.version(table).unwrap_or(0)).await?;
            if self.log(table).has(&known.state, &key.app()).await? {
                return Ok(Commit { already_done: true, snapshot: published });
            }
            let data_change = change.operation() != Operation::Compact;
            let removed = change.removed(&live)?;
            let operation = change.operation();
            let files = change.into_staged().take();
            let mut actions: Vec<_> = files.iter().map(|file| log::add(file, data_change)).collect();
            actions.extend(removed.iter().map(|file| log::remove(file, data_change)));
            entries.push(Entry { table, operation, actions });
            guards.push(files);
        }
        self.apply(&published, entries, guards, key).await?;
        let snapshot = self.publish_newest()?;
        self.checkpoint(&published, &snapshot).await;
        Ok(Commit { already_done: false, snapshot })
    }

    /// Writes the log entries. The guards remove the new files, unless the entries may name them.
    async fn apply(
        &self,
        published: &Snapshot,
        entries: Vec<Entry>,
        mut guards: Vec<Vec<StagedFile>>,
        key: &CommitKey,
    ) -> Result<()> {
        let mut release = || guards.iter_mut().flatten().for_each(|file| file.file.release());
        if let [entry] = entries.as_slice() {
            let (table, base) = (entry.table, published.version(entry.table).unwrap_or(0));
            let result = self.apply_entry(entry, base, key).await;
            if result.is_ok() || self.log(table).latest()? != Some(base) {
                release();
            }
            return result;
        }
        let journal = self.dir().join(JOURNAL);
        let tables: Vec<_> = entries.iter().map(|entry| entry.table).collect();
        let decided = Journal { key: key.clone(), tables: entries };
        durable::replace(&journal, &encode(&decided, &journal)?)?;
        let mut written = false;
        for entry in &decided.tables {
            let base = published.version(entry.table).unwrap_or(0);
            if let Err(error) = self.apply_entry(entry, base, key).await {
                if !written && self.log(entry.table).latest()? == Some(base) {
                    // No entry was written: it can still be undone.
                    durable::remove(&journal)?;
                    return Err(error);
                }
                release();
                return Err(Error::Unfinished { tables, source: Box::new(error) });
            }
            written = true;
        }
        release();
        Ok(())
    }

    async fn apply_entry(&self, entry: &Entry, base: u64, key: &CommitKey) -> Result<()> {
        let known = self.state(entry.table, base).await?;
        let log = self.log(entry.table);
        let known = match log.commit(&known.state, entry.operation, entry.actions.clone(), &key.app()).await {
            Ok(state) => Known { state, ..known },
            // What came after the log entry may have failed, not the entry.
            Err(error) => match log.latest()?.filter(|latest| *latest > base) {
                Some(latest) => {
                    let known = self.state(entry.table, latest).await?;
                    if !log.has(&known.state, &key.app()).await? {
                        return Err(error);
                    }
                    log.sync_entry(latest)?;
                    known
                }
                None => return Err(error),
            },
        };
        self.remember(entry.table, known);
        Ok(())
    }

    /// Finishes the commit that `commit.json` describes, if there is one.
    pub(crate) async fn finish_pending(&self, lock: &WriteLock) -> Result<()> {
        lock.check(self.dir())?;
        let path = self.dir().join(JOURNAL);
        if !path.exists() {
            return Ok(());
        }
        let journal = decode(&path)?;
        for entry in &journal.tables {
            let latest = self.log(entry.table).latest()?.unwrap_or(0);
            let known = self.state(entry.table, latest).await?;
            if !self.log(entry.table).has(&known.state, &journal.key.app()).await? {
                self.apply_entry(entry, latest, &journal.key).await?;
            }
        }
        tracing::info!(writer = journal.key.writer, id = journal.key.id, "finished a commit that was interrupted");
        Ok(())
    }

    /// Shows the newest version of every table, and forgets the decision that led there.
    pub(crate) fn publish_newest(&self) -> Result<Snapshot> {
        let sequence = Snapshot::read(self.dir())?.map_or(0, |published| published.sequence());
        let snapshot = self.newest(sequence + 1)?;
        snapshot.publish(self.dir())?;
        durable::remove(&self.dir().join(JOURNAL))?;
        Ok(snapshot)
    }

    /// Writes the checkpoints that are due. The commit stands without them, so a failure is a warning.
    async fn checkpoint(&self, before: &Snapshot, after: &Snapshot) {
        for (table, version) in after.versions() {
            if before.version(table) == Some(version) {
                continue;
            }
            let written = async { self.log(table).checkpoint(&self.state(table, version).await?.state).await };
            if let Err(error) = written.await {
                tracing::warn!(table = table.name(), version, %error, "no checkpoint was written; opening gets slower");
            }
        }
    }
}

fn encode(journal: &Journal, path: &Path) -> Result<Vec<u8>> {
    serde_json::to_vec(journal).map_err(|error| unreadable(path.to_owned(), &error))
}

fn decode(path: &Path) -> Result<Journal> {
    let bytes = fs::read(path).at("read", path)?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(path.to_owned(), &error))
}

fn unreadable(path: PathBuf, error: &serde_json::Error) -> Error {
    Error::Format { path, reason: format!("{error}; it describes a commit under way, so ask before deleting it") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableWriter;
    use arrow::array::{RecordBatch, new_null_array};
    use std::sync::Arc;

    /// A store, with a row staged for each of two tables without buckets.
    async fn staged(folder: &Path) -> (Store, WriteLock, Vec<Entry>, Vec<Vec<StagedFile>>) {
        let store = Store::create(folder).await.unwrap();
        let lock = store.lock().unwrap();
        let (mut entries, mut guards) = (vec![], vec![]);
        for table in [Table::Costs, Table::Rejects] {
            let schema = table.schema();
            let columns = schema.fields().iter().map(|field| {
                let filler = new_null_array(field.data_type(), 1);
                if field.is_nullable() {
                    filler
                } else {
                    arrow::compute::cast(&arrow::array::Int32Array::from(vec![7]), field.data_type()).unwrap()
                }
            });
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap();
            let mut writer: TableWriter = store.writer(&lock, table).unwrap();
            writer.write(&batch).unwrap();
            let files = writer.finish().unwrap().take();
            let actions = files.iter().map(|file| log::add(file, true)).collect();
            entries.push(Entry { table, operation: Operation::Append, actions });
            guards.push(files);
        }
        (store, lock, entries, guards)
    }

    async fn counts(store: &Store) -> Vec<u64> {
        let snapshot = store.snapshot().await.unwrap();
        let mut counts = vec![];
        for table in [Table::Costs, Table::Rejects] {
            counts.push(store.files(&snapshot, table).await.unwrap().iter().filter_map(|file| file.rows).sum());
        }
        counts
    }

    /// The process ends after the decision, with none, one or both log entries written.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_decided_commit_is_finished_by_the_next_writer() {
        for written in 0..=2 {
            let folder = tempfile::tempdir().unwrap();
            let key = CommitKey::new("test", "1");
            let (store, lock, tables, mut guards) = staged(folder.path()).await;
            guards.iter_mut().flatten().for_each(|file| file.file.release());
            let journal = Journal { key: key.clone(), tables };
            let path = store.dir().join(JOURNAL);
            durable::replace(&path, &encode(&journal, &path).unwrap()).unwrap();
            for entry in &journal.tables[..written] {
                store.apply_entry(entry, 0, &key).await.unwrap();
            }
            assert_eq!(counts(&store).await, [0, 0], "readers see nothing of it yet");
            drop(lock);
            if written == 1 {
                // By taking the lock, or by opening.
                drop(store.lock().unwrap());
            }
            let store = Store::open(folder.path()).await.unwrap();
            assert_eq!(counts(&store).await, [1, 1], "{written} entries written");
            assert!(!is_pending(store.dir()));
            let lock = store.lock().unwrap();
            let again = store.writer(&lock, Table::Rejects).unwrap().finish().unwrap();
            assert!(store.commit(&lock, vec![Change::Append(again)], &key).await.unwrap().already_done);
        }
    }

    /// The second table's log cannot be written: nothing is visible, and the next commit finishes the first.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_commit_that_stops_half_way_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (store, lock, entries, guards) = staged(folder.path()).await;
        let log = folder.path().join("rejects/_delta_log");
        let aside = folder.path().join("aside");
        fs::rename(&log, &aside).unwrap();
        fs::write(&log, "in the way").unwrap();
        let published = store.snapshot().await.unwrap();
        let error = store.apply(&published, entries, guards, &CommitKey::new("test", "1")).await.unwrap_err();
        assert!(matches!(error, Error::Unfinished { .. }), "{error}");
        fs::remove_file(&log).unwrap();
        fs::rename(&aside, &log).unwrap();
        assert_eq!(counts(&store).await, [0, 0]);
        let more = store.writer(&lock, Table::Costs).unwrap().finish().unwrap();
        store.commit(&lock, vec![Change::Append(more)], &CommitKey::new("test", "2")).await.unwrap();
        assert_eq!(counts(&store).await, [1, 1]);
    }
}
