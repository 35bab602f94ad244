//! The workspace's tables as one thing: open, lock, snapshot, read.
use crate::{
    commit, durable,
    error::{Error, IoContext, Result},
    lock::WriteLock,
    log::{DataFile, TableLog},
    scan::SnapshotTable,
    snapshot::{self, Snapshot},
    writer::TableWriter,
};
use deltalake::table::state::DeltaTableState;
use safar_model::Table;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// How many versions of a table keep their list of files in memory.
const LISTS_KEPT: usize = 4;

/// The tables of a workspace. Cheap to clone; clones share what they have read.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
    /// What [`Store::snapshot`] answers; what was last published otherwise.
    pinned: Option<Arc<Snapshot>>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    logs: Vec<TableLog>,
    states: Mutex<BTreeMap<Table, Known>>,
    lists: Mutex<Lists>,
}

/// A state of a table, and the oldest entry of its log when it was read first: once that is forgotten, so is what the state
/// would read later.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) oldest: u64,
    pub(crate) state: DeltaTableState,
}

/// The files of tables at versions.
type Lists = BTreeMap<(Table, u64), Arc<Vec<DataFile>>>;

impl Store {
    /// Makes the folder and every table of [`Table::ALL`] that is missing, and opens them.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written, [`Error::Locked`] if another process is writing it.
    pub async fn create(data_dir: &Path) -> Result<Self> {
        durable::create_dir(data_dir)?;
        let store = Self::at(data_dir)?;
        let lock = WriteLock::take(store.dir())?;
        let is_new = !store.dir().join(Table::Events.name()).exists();
        store.recover(&lock).await?;
        if is_new {
            store.set_rules(&lock, &BTreeSet::new())?;
        }
        Ok(store)
    }

    /// Opens the tables of a workspace.
    ///
    /// If nobody else is writing, what a crash left is put right first: a log entry that a power cut left empty or cut
    /// off is moved aside, a commit that was under way is finished, tables of newer versions of Safar are made. A folder
    /// that cannot be written is opened for reading.
    ///
    /// # Errors
    /// [`Error::NoData`] if there are no tables, [`Error::SnapshotAhead`] if committed data is lost.
    pub async fn open(data_dir: &Path) -> Result<Self> {
        if !data_dir.join(Table::Events.name()).is_dir() && !data_dir.join(snapshot::FILE).is_file() {
            return Err(Error::NoData(data_dir.to_owned()));
        }
        let store = Self::at(data_dir)?;
        // Most often there is nothing to do, and a writer that starts meanwhile is not kept out.
        if store.is_unfinished()? {
            match WriteLock::take(store.dir()) {
                Ok(lock) => store.recover(&lock).await?,
                Err(error) if error.is_locked() || is_read_only(&error) => {}
                Err(error) => return Err(error),
            }
        }
        store.check(&store.snapshot().await?)?;
        Ok(store)
    }

    fn at(data_dir: &Path) -> Result<Self> {
        let dir = fs::canonicalize(data_dir).at("open", data_dir)?;
        let logs = Table::ALL.into_iter().map(|table| TableLog::new(table, dir.join(table.name())));
        let logs = logs.collect::<Result<_>>()?;
        Ok(Self {
            inner: Arc::new(Inner { dir, logs, states: Mutex::default(), lists: Mutex::default() }),
            pinned: None,
        })
    }

    /// The `data` folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub(crate) fn log(&self, table: Table) -> &TableLog {
        // One for each of `Table::ALL`, in that order, which is the order of its variants.
        &self.inner.logs[table as usize]
    }

    pub(crate) fn logs(&self) -> &[TableLog] {
        &self.inner.logs
    }

    /// Takes the right to write, for as long as the lock lives, and finishes what a writer that died left behind.
    ///
    /// # Errors
    /// [`Error::Locked`] with the process that has it; [`Error::Io`] if the folder cannot be written.
    pub fn lock(&self) -> Result<WriteLock> {
        let lock = WriteLock::take(self.dir())?;
        if self.is_unfinished()? {
            // Only after a crash: worth a thread of its own, so that callers need not be asynchronous.
            let recovered = std::thread::scope(|scope| {
                let recovery = scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
                    runtime.at("start a thread for", self.dir())?.block_on(self.recover(&lock))
                });
                recovery.join()
            });
            recovered.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(lock)
    }

    /// The same tables for readers that must all see `snapshot`, whatever is published meanwhile.
    #[must_use]
    pub fn pinned(&self, snapshot: Snapshot) -> Self {
        Self { inner: Arc::clone(&self.inner), pinned: Some(Arc::new(snapshot)) }
    }

    /// What readers see now: the versions that were last published together, or those that this store was pinned to.
    ///
    /// # Errors
    /// [`Error::Format`] if `snapshot.json` cannot be understood.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        if let Some(pinned) = &self.pinned {
            return Ok(Snapshot::clone(pinned));
        }
        match Snapshot::read(self.dir())? {
            Some(snapshot) => Ok(snapshot),
            // Lost, and the folder cannot be written: the newest versions are what it said.
            None => self.newest(0),
        }
    }

    /// A table as `snapshot` pins it, for queries.
    ///
    /// # Errors
    /// [`Error::Delta`] if its log cannot be read, [`Error::Unsupported`] if another program gave it features that
    /// Safar does not read.
    pub async fn table(&self, snapshot: &Snapshot, table: Table) -> Result<Arc<SnapshotTable>> {
        let files = self.list(snapshot, table).await?;
        SnapshotTable::new(table, snapshot.version(table), files).map(Arc::new)
    }

    /// The files of a table in `snapshot`, ordered by bucket, least key and time, and name.
    ///
    /// # Errors
    /// As [`Store::table`].
    pub async fn files(&self, snapshot: &Snapshot, table: Table) -> Result<Vec<DataFile>> {
        Ok(self.list(snapshot, table).await?.to_vec())
    }

    /// A writer of new rows for `table`; they stay invisible until [`Store::commit`].
    ///
    /// # Errors
    /// [`Error::WrongLock`] if `lock` is of another folder.
    pub fn writer(&self, lock: &WriteLock, table: Table) -> Result<TableWriter> {
        lock.check(self.dir())?;
        Ok(TableWriter::new(table, self.log(table).folder.clone()))
    }

    pub(crate) async fn list(&self, snapshot: &Snapshot, table: Table) -> Result<Arc<Vec<DataFile>>> {
        let Some(version) = snapshot.version(table) else { return Ok(Arc::default()) };
        if let Some(files) = lock(&self.inner.lists).get(&(table, version)) {
            return Ok(Arc::clone(files));
        }
        let known = self.state(table, version).await?;
        Ok(self.remember(table, known))
    }

    /// The state of a table at a version, from memory if that is the newest one seen.
    pub(crate) async fn state(&self, table: Table, version: u64) -> Result<Known> {
        let log = self.log(table);
        let known = lock(&self.inner.states).get(&table).cloned().filter(|known| log.has_entry(known.oldest));
        let (oldest, state) = match known {
            Some(known) if known.state.version() <= version => (known.oldest, Some(known.state)),
            _ => (log.oldest()?, None),
        };
        Ok(Known { oldest, state: log.load(version, state).await? })
    }

    /// Keeps a state that was just read or committed; returns its files.
    pub(crate) fn remember(&self, table: Table, known: Known) -> Arc<Vec<DataFile>> {
        let version = known.state.version();
        let files = Arc::new(self.log(table).files(&known.state));
        let mut lists = lock(&self.inner.lists);
        lists.insert((table, version), Arc::clone(&files));
        while lists.range((table, 0)..=(table, u64::MAX)).count() > LISTS_KEPT {
            let oldest = lists.range((table, 0)..).next().map(|(key, _)| *key);
            oldest.and_then(|key| lists.remove(&key));
        }
        let mut states = lock(&self.inner.states);
        if states.get(&table).is_none_or(|before| before.state.version() < version || before.oldest < known.oldest) {
            states.insert(table, known);
        }
        files
    }

    /// Whether there is work for [`Store::recover`], found out without opening a table.
    fn is_unfinished(&self) -> Result<bool> {
        let Some(published) = Snapshot::read(self.dir())? else { return Ok(true) };
        if commit::is_pending(self.dir()) {
            return Ok(true);
        }
        for log in self.logs() {
            let latest = log.latest()?;
            if latest.is_none() || latest != published.version(log.table) || log.cut_checkpoint()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts right what a crash left, and publishes every commit that is complete.
    async fn recover(&self, lock: &WriteLock) -> Result<()> {
        for log in self.logs() {
            log.repair()?;
            if log.latest()?.is_none() {
                log.create().await?;
            }
        }
        let published = Snapshot::read(self.dir())?;
        if let Some(published) = &published {
            self.check(published)?;
        }
        self.finish_pending(lock).await?;
        // A commit of one table is complete with its log entry; a commit of several was just finished.
        let newest = self.newest(0)?;
        if published.is_none_or(|published| !published.versions().eq(newest.versions()))
            || commit::is_pending(self.dir())
        {
            self.publish_newest()?;
        }
        Ok(())
    }

    /// Refuses a snapshot whose tables have lost commits.
    fn check(&self, snapshot: &Snapshot) -> Result<()> {
        for (table, published) in snapshot.versions() {
            let log = self.log(table);
            let found = log.latest()?.unwrap_or(0);
            if found < published {
                let snapshot = self.dir().join(snapshot::FILE);
                return Err(Error::SnapshotAhead { table, published, found, log: log.log_folder(), snapshot });
            }
        }
        Ok(())
    }

    /// The newest version of every table.
    pub(crate) fn newest(&self, sequence: u64) -> Result<Snapshot> {
        let mut versions = BTreeMap::new();
        for log in self.logs() {
            versions.extend(log.latest()?.map(|version| (log.table, version)));
        }
        Ok(Snapshot::new(sequence, versions))
    }
}

/// Locks a cache; what a panicking thread left in it is still a cache.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_read_only(error: &Error) -> bool {
    let kinds = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
    matches!(error, Error::Io { source, .. } if kinds.contains(&source.kind()))
}
