//! What can go wrong between a table and its disk, each with the way out.
use deltalake::DeltaTableError;
use safar_model::Table;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// The result of a storage operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a storage operation did not happen. Nothing visible has changed when one is returned, unless it says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused: no space, no permission, a folder that is a file.
    #[error("cannot {action} {}: {source}{}", path.display(), hint(source))]
    Io {
        /// What was being done, as a verb phrase.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no `data` folder here.
    #[error("{} holds no tables; make a workspace with `safar init`, or go to the folder that has `safar.toml`", .0.display())]
    NoData(PathBuf),
    /// Another process is writing.
    #[error(
        "{} is being written by another process{}; wait until it ends, or stop it",
        path.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The `data` folder.
        path: PathBuf,
        /// The process that holds the lock, if it wrote its id.
        pid: Option<u32>,
    },
    /// A change was handed to a lock of another folder.
    #[error("the lock is of {}, not of {}; take the lock of the store that is written", locked.display(), written.display())]
    WrongLock {
        /// The folder whose lock was given.
        locked: PathBuf,
        /// The folder to write.
        written: PathBuf,
    },
    /// Rows whose columns are not those of the table.
    #[error("rows for table {table} do not fit its columns: {reason}")]
    Schema {
        /// The table.
        table: Table,
        /// The first difference.
        reason: String,
    },
    /// Rows of one batch that are not in the table's order.
    #[error("row {row} of a batch for table {table} is out of order; sort by bucket, then {}", table.sort_columns().join(", "))]
    Unsorted {
        /// The table.
        table: Table,
        /// Index of the row in its batch.
        row: usize,
    },
    /// A commit that contradicts itself.
    #[error("commit refused for table {table}: {reason}")]
    Change {
        /// The table.
        table: Table,
        /// What is contradictory.
        reason: String,
    },
    /// The published snapshot names a version that its table does not have.
    #[error(
        "table {table} was published at version {published}, but its log ends at {found}: the commits after {found} are lost. \
         Restore {} from a backup, or delete {} to go on with what is there",
        log.display(),
        snapshot.display()
    )]
    SnapshotAhead {
        /// The table.
        table: Table,
        /// What `snapshot.json` says.
        published: u64,
        /// The newest readable version.
        found: u64,
        /// The table's log folder.
        log: PathBuf,
        /// The snapshot file.
        snapshot: PathBuf,
    },
    /// A file of Safar's own that cannot be understood.
    #[error("{} cannot be read: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the way out.
        reason: String,
    },
    /// A Delta table with features that Safar does not read.
    #[error(
        "table {table} uses {feature}, which Safar does not read; rewrite it without (for example with a copy made by delta-rs)"
    )]
    Unsupported {
        /// The table.
        table: Table,
        /// The feature.
        feature: String,
    },
    /// The Delta log could not be read or written.
    #[error("table {table}: cannot {action}: {source}")]
    Delta {
        /// The table.
        table: Table,
        /// What was being done.
        action: &'static str,
        /// What the Delta library said.
        source: Box<DeltaTableError>,
    },
    /// A Parquet file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Parquet {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the Parquet library said.
        source: Box<parquet::errors::ParquetError>,
    },
    /// A commit of several tables stopped half-way; readers still see none of it.
    #[error("the commit of {} tables stopped half-way: {source}. Nothing of it is visible; the next writer finishes it", tables.len())]
    Unfinished {
        /// The tables of the commit.
        tables: Vec<Table>,
        /// What stopped it.
        source: Box<Error>,
    },
}

impl Error {
    /// Whether another process holds the lock.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Wraps an error of the Parquet writer or reader, looking through it for the operating system's.
    pub(crate) fn parquet(action: &'static str, path: &Path, source: parquet::errors::ParquetError) -> Self {
        match io_cause(&source) {
            Some(source) => Self::Io { action, path: path.to_owned(), source },
            None => Self::Parquet { action, path: path.to_owned(), source: Box::new(source) },
        }
    }

    /// Wraps an error of the Delta library, looking through it for the operating system's.
    pub(crate) fn delta(table: Table, action: &'static str, path: &Path, source: DeltaTableError) -> Self {
        match io_cause(&source) {
            Some(source) => Self::Io { action, path: path.to_owned(), source },
            None => Self::Delta { table, action, source: Box::new(source) },
        }
    }
}

/// The operating system's error inside `error`, rebuilt so that it can be owned.
fn io_cause(error: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(match found.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(found.kind(), found.to_string()),
            });
        }
        cause = error.source();
    }
    None
}

/// What the person at the keyboard can do about it.
fn hint(error: &io::Error) -> impl fmt::Display + use<> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and run it again: nothing was changed"
        }
        io::ErrorKind::FileTooLarge => {
            "; raise the limit on file sizes (`ulimit -f`) and run it again: nothing was changed"
        }
        io::ErrorKind::PermissionDenied => "; give this user the right to write there",
        io::ErrorKind::ReadOnlyFilesystem => "; the file system is read-only: copy the workspace to one that is not",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "; a file is in the way: move it aside",
        _ => "",
    }
}

/// Names the file in an I/O error.
pub(crate) trait IoContext<T> {
    /// Says what was done to which path when it failed.
    fn at(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source })
    }
}
