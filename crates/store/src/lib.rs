//! The tables of a workspace: append once, read a snapshot, keep files sorted.
//!
//! `data/` holds one Delta table a folder (`data/events` …), `data/snapshot.json` (which version of each table readers
//! see), `data/.lock` (the one writer), `data/erased.json` (who was erased, as keyed hashes), `data/rules.json` (by
//! which rules rows were derived) and, while a commit of several tables is under way, `data/commit.json`.
//!
//! Invariants:
//! - Readers see what `snapshot.json` names and nothing else: a commit of several tables shows whole or not at all.
//! - A file is flushed before the log entry that names it, the entry before the snapshot that publishes it.
//! - A commit key happens once; it is known for a month. A commit that was confirmed survives a crash and a power cut.
//! - Tables have neither deletion vectors nor column mapping, so that a scan is plain Parquet files.
//! - A file whose name begins with `sorted-` is in the order of [`Table::sort_columns`](safar_model::Table::sort_columns),
//!   and all rows of a key that one writer wrote in one run are in one file.
//! - No other crate knows Delta Lake.

mod commit;
mod compact;
mod durable;
mod erased;
mod error;
mod keys;
mod local;
mod lock;
mod log;
mod replace;
mod rules;
mod scan;
mod snapshot;
mod stats;
mod store;
mod sweep;
mod vacuum;
mod writer;

pub use commit::{Change, Commit, CommitKey};
pub use compact::{CompactPolicy, CompactReport};
pub use erased::Erased;
pub use error::{Error, Result};
pub use local::LocalFiles;
pub use lock::WriteLock;
pub use log::DataFile;
pub use replace::KeyReplacer;
pub use scan::SnapshotTable;
pub use snapshot::Snapshot;
pub use store::Store;
pub use sweep::Sweep;
pub use vacuum::VacuumReport;
pub use writer::{Staged, TableWriter};
