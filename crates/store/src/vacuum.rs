//! Taking old files away.
use crate::{
    durable,
    error::{IoContext, Result},
    lock::WriteLock,
    log,
    store::Store,
};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a vacuum removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VacuumReport {
    /// Data files.
    pub files: usize,
    /// Their size together.
    pub bytes: u64,
}

impl Store {
    /// Removes data files that the published snapshot does not need: replaced ones, and those that a writer that died
    /// left behind, each only if that is longer ago than `keep`. A reader that holds an older snapshot may lose its
    /// files, so `keep` must be longer than the longest query. Log entries that a checkpoint covers go after 30 days.
    ///
    /// No [`TableWriter`](crate::TableWriter) may be open if `keep` is shorter than its work.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if a file cannot be removed; what was removed before stays removed.
    pub async fn vacuum(&self, lock: &WriteLock, keep: Duration) -> Result<VacuumReport> {
        lock.check(self.dir())?;
        let snapshot = self.snapshot().await?;
        let oldest = log::now_millis().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        let mut report = VacuumReport::default();
        for (table, version) in snapshot.versions() {
            let live: HashSet<_> = self.list(&snapshot, table).await?.iter().map(|file| file.path.clone()).collect();
            let log = self.log(table);
            let state = self.state(table, version).await?.state;
            let gone = log.tombstones(&state).await?;
            for (path, name, written) in data_files(&log.folder)? {
                if live.contains(&path) || *gone.get(&name).unwrap_or(&written) > oldest {
                    continue;
                }
                let bytes = fs::metadata(&path).at("read", &path)?.len();
                durable::remove(&path)?;
                report.files += 1;
                report.bytes += bytes;
            }
            log.clean(&state).await?;
        }
        Ok(report)
    }
}

impl Store {
    /// As [`Store::vacuum`] without patience, and then removes all that the logs tell of earlier versions, with the bounds of
    /// keys and times of rows that are gone. Readers of older snapshots lose their files at once; commit keys of the
    /// last month stay known.
    ///
    /// # Errors
    /// As [`Store::vacuum`], and [`Error::Delta`](crate::Error::Delta) where a checkpoint cannot be written.
    pub async fn forget_history(&self, lock: &WriteLock) -> Result<VacuumReport> {
        let report = self.vacuum(lock, Duration::ZERO).await?;
        let snapshot = self.snapshot().await?;
        for (table, version) in snapshot.versions() {
            self.log(table).forget(&self.state(table, version).await?.state).await?;
        }
        Ok(report)
    }
}

/// Every Parquet file of a table: where, its name in the log, and when it was written (milliseconds since 1970).
fn data_files(folder: &Path) -> Result<Vec<(PathBuf, String, i64)>> {
    let mut found = vec![];
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder).at("read", &folder)? {
            let entry = entry.at("read", &folder)?;
            let path = entry.path();
            let leaf = entry.file_name().to_string_lossy().into_owned();
            let metadata = entry.metadata().at("read", &path)?;
            if metadata.is_dir() {
                if !leaf.starts_with(['_', '.']) {
                    folders.push((path, format!("{prefix}{leaf}/")));
                }
            } else if leaf.ends_with(".parquet") {
                let since = metadata.modified().at("read", &path)?.duration_since(std::time::UNIX_EPOCH);
                let millis = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
                found.push((path, format!("{prefix}{leaf}"), millis));
            }
        }
    }
    found.sort();
    Ok(found)
}
