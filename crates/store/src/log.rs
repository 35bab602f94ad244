//! One table's Delta log: the only code that calls `deltalake`.
use crate::{
    durable,
    error::{Error, IoContext, Result},
    keys::Keys,
    stats::{self, FileStats},
    writer::{SORTED, StagedFile},
};
use arrow::datatypes::Schema;
use deltalake::{
    DeltaTable, DeltaTableBuilder, DeltaTableError, checkpoints,
    kernel::{
        Action, Add, MetadataExt, Remove, StructType, Transaction,
        engine::arrow_conversion::{TryIntoArrow, TryIntoKernel},
        transaction::{CommitBuilder, CommitProperties},
    },
    logstore::LogStoreRef,
    operations::create::CreateBuilder,
    protocol::{DeltaOperation, SaveMode},
    table::state::DeltaTableState,
};
use futures::TryStreamExt;
use safar_model::Table;
use serde_json::Value;
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};
use url::Url;

/// A checkpoint is written every so many commits: opening reads at most that many log entries.
const CHECKPOINT_EVERY: u64 = 100;
/// Checkpoints leave commit keys out that are older: a commit is repeated once its writer starts again, and a busy collector has
/// thousands of keys a day.
const KEYS_KEPT: (&str, &str) = ("delta.setTransactionRetentionDuration", "interval 30 days");
/// In a log entry's `commitInfo`: how many other actions the entry has, so that a cut entry is recognised.
const ACTIONS: &str = "safarActions";

/// A file of a table, as the log describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the log, relative to the table's folder; what [`Change::ReplaceFiles`](crate::Change) removes.
    pub name: String,
    /// The partition; `None` where the table is not clustered.
    pub bucket: Option<i32>,
    /// Its size.
    pub bytes: u64,
    /// How many rows it holds; `None` when another program wrote it without saying.
    pub rows: Option<u64>,
    /// Least value of the first sort column.
    pub min_key: Option<i64>,
    /// Greatest value of the first sort column.
    pub max_key: Option<i64>,
    /// Least value of the second sort column, microseconds UTC.
    pub min_time: Option<i64>,
    /// Greatest value of the second sort column, microseconds UTC.
    pub max_time: Option<i64>,
    /// Whether its rows are in the order of [`Table::sort_columns`].
    pub sorted: bool,
    pub(crate) stats: FileStats,
}

impl DataFile {
    pub(crate) fn new(
        table: Table,
        folder: &Path,
        name: String,
        bucket: Option<i32>,
        bytes: u64,
        stats: FileStats,
    ) -> Self {
        let leaf = name.rsplit_once('/').map_or(name.as_str(), |(_, leaf)| leaf);
        Self {
            path: folder.join(&name),
            bucket,
            bytes,
            rows: stats.rows,
            min_key: stats.key.map(|span| span.min),
            max_key: stats.key.map(|span| span.max),
            min_time: stats.time.map(|span| span.min),
            max_time: stats.time.map(|span| span.max),
            sorted: table.is_clustered() && leaf.starts_with(SORTED),
            stats,
            name,
        }
    }
}

/// What a commit does to a table, in one word for its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    Append,
    Replace,
    Compact,
}

/// The log of one table of the workspace.
#[derive(Debug)]
pub(crate) struct TableLog {
    pub(crate) table: Table,
    pub(crate) folder: PathBuf,
    keys: Keys,
    store: LogStoreRef,
}

impl TableLog {
    pub(crate) fn new(table: Table, folder: PathBuf) -> Result<Self> {
        let invalid = || DeltaTableError::InvalidTableLocation(folder.display().to_string());
        let store = Url::from_directory_path(&folder)
            .map_err(|()| invalid())
            .and_then(DeltaTableBuilder::from_url)
            .and_then(|builder| builder.build_storage());
        let store = store.map_err(|error| Error::delta(table, "open it", &folder, error))?;
        Ok(Self { table, folder, keys: Keys::default(), store })
    }

    fn error(&self, action: &'static str) -> impl Fn(DeltaTableError) -> Error + '_ {
        move |error| Error::delta(self.table, action, &self.log_folder(), error)
    }

    pub(crate) fn log_folder(&self) -> PathBuf {
        self.folder.join("_delta_log")
    }

    fn entry(&self, version: u64) -> PathBuf {
        self.log_folder().join(format!("{version:020}.json"))
    }

    /// Whether the log has the entry of a version.
    pub(crate) fn has_entry(&self, version: u64) -> bool {
        self.entry(version).exists()
    }

    /// The oldest version whose entry is there.
    pub(crate) fn oldest(&self) -> Result<u64> {
        let folder = self.log_folder();
        let mut oldest = u64::MAX;
        for entry in fs::read_dir(&folder).at("read", &folder)? {
            let name = entry.at("read", &folder)?.file_name();
            oldest = oldest.min(name.to_str().and_then(entry_version).unwrap_or(u64::MAX));
        }
        Ok(oldest)
    }

    /// The newest version by the names in the log folder; `None` when there is no table.
    pub(crate) fn latest(&self) -> Result<Option<u64>> {
        let folder = self.log_folder();
        if !folder.is_dir() {
            return Ok(None);
        }
        let mut latest = None;
        for entry in fs::read_dir(&folder).at("read", &folder)? {
            let name = entry.at("read", &folder)?.file_name();
            latest = latest.max(name.to_str().and_then(entry_version));
        }
        Ok(latest)
    }

    /// Makes the table, empty, durable, at version 0.
    pub(crate) async fn create(&self) -> Result<()> {
        durable::create_dir(&self.folder)?;
        let schema = self.table.schema();
        let kernel: StructType = schema.as_ref().try_into_kernel().map_err(|error: arrow::error::ArrowError| {
            Error::Schema { table: self.table, reason: error.to_string() }
        })?;
        let partitions = self.table.is_clustered().then(|| "bucket".to_owned());
        CreateBuilder::new()
            .with_log_store(self.store.clone())
            .with_table_name(self.table.name())
            .with_columns(kernel.fields().cloned())
            .with_partition_columns(partitions)
            .with_configuration([
                ("delta.checkpointInterval", Some(CHECKPOINT_EVERY.to_string())),
                (KEYS_KEPT.0, Some(KEYS_KEPT.1.to_owned())),
            ])
            .await
            .map_err(self.error("create it"))?;
        self.sync_entry(0)?;
        durable::sync_dir(&self.folder)
    }

    /// Flushes a log entry and its name to the disk.
    pub(crate) fn sync_entry(&self, version: u64) -> Result<()> {
        durable::sync_file(&self.entry(version))?;
        durable::sync_dir(&self.log_folder())
    }

    /// The state of the table at `version`, refused if it has features that our scans do not read.
    pub(crate) async fn load(&self, version: u64, known: Option<DeltaTableState>) -> Result<DeltaTableState> {
        let state = match known {
            Some(state) if state.version() == version => return Ok(state),
            Some(mut state) if state.version() < version => {
                state.update(self.store.as_ref(), Some(version)).await.map_err(self.error("read its log"))?;
                state
            }
            _ => DeltaTableState::try_new(self.store.as_ref(), Some(version))
                .await
                .map_err(self.error("read its log"))?,
        };
        self.check(&state)?;
        Ok(state)
    }

    fn check(&self, state: &DeltaTableState) -> Result<()> {
        let unsupported = |feature: &str| Error::Unsupported { table: self.table, feature: feature.to_owned() };
        let mapping = state.metadata().configuration().get("delta.columnMapping.mode");
        if mapping.is_some_and(|mode| mode != "none") {
            return Err(unsupported("column mapping"));
        }
        if state.log_data().iter().any(|file| file.deletion_vector_descriptor().is_some()) {
            return Err(unsupported("deletion vectors"));
        }
        let schema: Result<Schema, _> = state.schema().as_ref().try_into_arrow();
        let schema =
            schema.map_err(|error| unsupported(&format!("column types that Arrow does not have ({error})")))?;
        for field in self.table.schema().fields() {
            let reason = match schema.field_with_name(field.name()) {
                // A table of an earlier build: rows without the column are null, and the next commit adds it.
                Err(_) if field.is_nullable() => continue,
                Err(_) => format!("the stored table has no column `{}`", field.name()),
                Ok(found) if found.data_type() != field.data_type() => {
                    format!("stored column `{}` is {}, not {}", field.name(), found.data_type(), field.data_type())
                }
                Ok(_) => continue,
            };
            return Err(Error::Schema { table: self.table, reason });
        }
        Ok(())
    }

    /// The live files of a state, ordered by bucket, least key and time, and name.
    pub(crate) fn files(&self, state: &DeltaTableState) -> Vec<DataFile> {
        let mut files: Vec<_> = state
            .log_data()
            .iter()
            .map(|view| {
                let bucket = view.partition_values_map().remove("bucket").flatten().and_then(|text| text.parse().ok());
                let stats = view.stats().map(|text| stats::from_json(&text, self.table)).unwrap_or_default();
                let bytes = u64::try_from(view.size()).unwrap_or(0);
                DataFile::new(self.table, &self.folder, view.path().into_owned(), bucket, bytes, stats)
            })
            .collect();
        files.sort_by(|a, b| {
            (a.bucket, a.min_key, a.min_time, &a.name).cmp(&(b.bucket, b.min_key, b.min_time, &b.name))
        });
        files
    }

    /// Whether a commit with this key is in the table's history.
    pub(crate) async fn has(&self, state: &DeltaTableState, key: &str) -> Result<bool> {
        if let Some(found) = self.keys.has(&self.log_folder(), state.version(), key)? {
            return Ok(found);
        }
        let found = state.transaction_version(self.store.as_ref(), key).await;
        Ok(found.map_err(self.error("read its log"))?.is_some())
    }

    /// The action that gives a table of an earlier build the columns and properties that came since.
    fn widened(&self, state: &DeltaTableState) -> Result<Option<Action>> {
        let fail = |reason: String| Error::Schema { table: self.table, reason };
        let stored = state.schema();
        let ours: StructType = self
            .table
            .schema()
            .as_ref()
            .try_into_kernel()
            .map_err(|error: arrow::error::ArrowError| fail(error.to_string()))?;
        let missing: Vec<_> = ours.fields().filter(|field| stored.field(field.name()).is_none()).cloned().collect();
        let forgets = state.metadata().configuration().contains_key(KEYS_KEPT.0);
        if missing.is_empty() && forgets {
            return Ok(None);
        }
        let mut metadata = state.metadata().clone();
        if !missing.is_empty() {
            let all = StructType::try_new(stored.fields().cloned().chain(missing));
            let all = all.map_err(|error| fail(error.to_string()))?;
            metadata = metadata.with_schema(&all).map_err(|error| fail(error.to_string()))?;
        }
        if !forgets {
            let (name, value) = KEYS_KEPT;
            metadata =
                metadata.add_config_key(name.to_owned(), value.to_owned()).map_err(|error| fail(error.to_string()))?;
        }
        Ok(Some(Action::Metadata(metadata)))
    }

    /// Commits `actions` on top of `state` under `key`, and flushes the log entry to the disk.
    ///
    /// An error may leave the entry written; [`TableLog::latest`] says so.
    pub(crate) async fn commit(
        &self,
        state: &DeltaTableState,
        operation: Operation,
        mut actions: Vec<Action>,
        key: &str,
    ) -> Result<DeltaTableState> {
        let operation = match operation {
            Operation::Compact => DeltaOperation::Optimize { predicate: None, target_size: 0 },
            Operation::Append => write_operation(self.table, SaveMode::Append),
            Operation::Replace => write_operation(self.table, SaveMode::Overwrite),
        };
        actions.extend(self.widened(state)?);
        let count = actions.len() + 1; // and the transaction
        // Checkpoints are written after publishing, and flushed, which the library's hook does not.
        let properties = CommitProperties::default()
            .with_metadata([(ACTIONS.to_owned(), Value::from(count))])
            .with_application_transaction(Transaction::new_with_last_update(key, 1, Some(now_millis())))
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false));
        let done = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state), self.store.clone(), operation)
            .await
            .map_err(self.error("commit"))?;
        self.sync_entry(done.version())?;
        Ok(done.snapshot())
    }

    fn at(&self, state: &DeltaTableState) -> DeltaTable {
        let mut table = DeltaTable::new(self.store.clone());
        table.state = Some(state.clone());
        table
    }

    /// Writes a checkpoint if one is due at this state.
    pub(crate) async fn checkpoint(&self, state: &DeltaTableState) -> Result<()> {
        let version = state.version();
        if !version.is_multiple_of(CHECKPOINT_EVERY) || version == 0 {
            return Ok(());
        }
        self.write_checkpoint(state).await
    }

    async fn write_checkpoint(&self, state: &DeltaTableState) -> Result<()> {
        let version = state.version();
        checkpoints::create_checkpoint(&self.at(state), None).await.map_err(self.error("write a checkpoint"))?;
        let folder = self.log_folder();
        for entry in fs::read_dir(&folder).at("read", &folder)? {
            let path = entry.at("read", &folder)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == "_last_checkpoint" || name.starts_with(&format!("{version:020}.checkpoint")) {
                durable::sync_file(&path)?;
            }
        }
        durable::sync_dir(&folder)
    }

    /// Removes everything that the log tells of versions before this state, which must be the newest: entries, checkpoints, and
    /// what repairs moved aside. A checkpoint of the state comes first.
    pub(crate) async fn forget(&self, state: &DeltaTableState) -> Result<()> {
        let version = state.version();
        if version == 0 {
            return Ok(());
        }
        let folder = self.log_folder();
        if !folder.join(format!("{version:020}.checkpoint.parquet")).exists() {
            self.write_checkpoint(state).await?;
        }
        for entry in fs::read_dir(&folder).at("read", &folder)? {
            let path = entry.at("read", &folder)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let of = name.split_once('.').and_then(|(digits, _)| digits.parse::<u64>().ok());
            if of.is_some_and(|of| of < version) {
                durable::remove(&path)?;
            }
        }
        let torn = folder.join("torn");
        if torn.is_dir() {
            fs::remove_dir_all(&torn).at("remove", &torn)?;
        }
        durable::sync_dir(&folder)
    }

    /// Removes log entries that are a month old and that a checkpoint covers.
    pub(crate) async fn clean(&self, state: &DeltaTableState) -> Result<()> {
        let cleaned = checkpoints::cleanup_metadata(&self.at(state), None).await;
        cleaned.map(|_| ()).map_err(self.error("remove old entries of its log"))
    }

    /// Moves a log entry or checkpoint aside that a power cut left empty or cut off, so that the table can be read
    /// at the version before. Only the newest of each can be: everything older was flushed before it was begun.
    pub(crate) fn repair(&self) -> Result<()> {
        if let Some(version) = self.latest()? {
            let path = self.entry(version);
            let text = fs::read(&path).at("read", &path)?;
            if !is_whole(&text) {
                self.set_aside(&path, version)?;
            }
        }
        if let Some((version, path)) = self.cut_checkpoint()? {
            self.set_aside(&path, version)?;
            durable::remove(&self.log_folder().join("_last_checkpoint"))?;
        }
        Ok(())
    }

    /// The newest checkpoint, if it is not whole.
    pub(crate) fn cut_checkpoint(&self) -> Result<Option<(u64, PathBuf)>> {
        let folder = self.log_folder();
        if !folder.is_dir() {
            return Ok(None);
        }
        let mut newest: Option<(u64, PathBuf)> = None;
        for entry in fs::read_dir(&folder).at("read", &folder)? {
            let path = entry.at("read", &folder)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let version = name.strip_suffix(".parquet").and_then(|name| name.split_once(".checkpoint")?.0.parse().ok());
            newest = newest.max(version.map(|version| (version, path)));
        }
        let Some((version, path)) = newest else { return Ok(None) };
        let mut file = File::open(&path).at("read", &path)?;
        let mut ending = [0; 4];
        // Shorter than a footer: the seek fails, and the ending is not the right one.
        let read = file.seek(SeekFrom::End(-12)).and_then(|_| file.seek(SeekFrom::End(-4)));
        let whole = read.and_then(|_| file.read_exact(&mut ending)).is_ok() && ending == *b"PAR1";
        Ok((!whole).then_some((version, path)))
    }

    fn set_aside(&self, path: &Path, version: u64) -> Result<()> {
        let torn = self.log_folder().join("torn");
        durable::create_dir(&torn)?;
        let millis = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let target = torn.join(format!("{millis}-{name}"));
        fs::rename(path, &target).at("move aside", path)?;
        durable::sync_dir(&torn)?;
        durable::sync_dir(&self.log_folder())?;
        tracing::warn!(
            table = self.table.name(),
            version,
            moved_to = %target.display(),
            "a commit was cut off, probably by a power failure; it was never confirmed and is set aside"
        );
        Ok(())
    }

    /// The files that were removed, and when (milliseconds since 1970).
    pub(crate) async fn tombstones(&self, state: &DeltaTableState) -> Result<HashMap<String, i64>> {
        let views = state.all_tombstones(self.store.as_ref());
        views
            .map_ok(|view| (view.path().into_owned(), view.deletion_timestamp().unwrap_or(0)))
            .try_collect()
            .await
            .map_err(self.error("read its log"))
    }
}

fn write_operation(table: Table, mode: SaveMode) -> DeltaOperation {
    DeltaOperation::Write {
        mode,
        partition_by: table.is_clustered().then(|| vec!["bucket".to_owned()]),
        predicate: None,
    }
}

/// The version of a log entry, by its file's name.
fn entry_version(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// Whether a log entry has all its lines.
fn is_whole(text: &[u8]) -> bool {
    let lines: Result<Vec<Value>, _> =
        text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice).collect();
    let Ok(lines) = lines else { return false };
    let promised = lines.iter().find_map(|line| line.get("commitInfo")?.get(ACTIONS)?.as_u64());
    let others = lines.iter().filter(|line| line.get("commitInfo").is_none()).count() as u64;
    match promised {
        Some(count) => others == count,
        // Of another writer, or the creation of the table, which has protocol and metadata.
        None => others > 0,
    }
}

/// The action that makes a staged file part of the table.
pub(crate) fn add(file: &StagedFile, data_change: bool) -> Action {
    let bucket = file.bucket.map(|bucket| ("bucket".to_owned(), Some(bucket.to_string())));
    Action::Add(Add {
        path: file.name.clone(),
        partition_values: bucket.into_iter().collect(),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: now_millis(),
        data_change,
        stats: Some(file.stats.clone()),
        ..Add::default()
    })
}

/// The action that takes a file out of the table.
pub(crate) fn remove(file: &DataFile, data_change: bool) -> Action {
    let bucket = file.bucket.map(|bucket| ("bucket".to_owned(), Some(bucket.to_string())));
    Action::Remove(Remove {
        path: file.name.clone(),
        data_change,
        deletion_timestamp: Some(now_millis()),
        extended_file_metadata: Some(true),
        partition_values: Some(bucket.into_iter().collect()),
        size: i64::try_from(file.bytes).ok(),
        ..Remove::default()
    })
}

/// Milliseconds since 1970.
pub(crate) fn now_millis() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_of_an_entry_is_seen() {
        let whole = concat!(
            r#"{"commitInfo":{"operation":"WRITE","safarActions":2}}"#,
            "\n",
            r#"{"add":{"path":"a"}}"#,
            "\n",
            r#"{"txn":{"appId":"a","version":1}}"#
        );
        assert!(is_whole(whole.as_bytes()));
        for length in 0..whole.len() {
            assert!(!is_whole(&whole.as_bytes()[..length]), "{}", &whole[..length]);
        }
        assert!(is_whole(br#"{"add":{"path":"of another writer"}}"#));
    }
}
