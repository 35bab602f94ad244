//! Which commit keys a table's log holds: read once, then followed, so that a commit costs the same after many others.
use crate::error::{Error, IoContext, Result};
use arrow::array::AsArray;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde_json::Value;
use std::{
    collections::HashSet,
    fs::{self, File},
    path::Path,
    sync::{Mutex, PoisonError},
};

/// After so many entries the keys are read anew: checkpoints forget old ones.
const FOLLOWED: u64 = 10_000;

/// The keys of the log entries up to a version.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    /// The version at which they were read.
    from: u64,
    upto: u64,
    keys: HashSet<String>,
}

impl Keys {
    /// Whether `key` was committed up to `version`; `None` if the log is not one that this code can follow.
    pub(crate) fn has(&self, log: &Path, version: u64, key: &str) -> Result<Option<bool>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, mut next, mut keys) = match known.take() {
            Some(Known { from, upto, keys }) if upto <= version && version - from < FOLLOWED => (from, upto + 1, keys),
            _ => match checkpoint(log, version)? {
                Some((at, keys)) => (version, at + 1, keys),
                None => (version, 0, HashSet::new()),
            },
        };
        while next <= version {
            let path = log.join(format!("{next:020}.json"));
            // Entries go when a checkpoint covers them, which another program may have written in another form.
            let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
            for line in text.lines().filter(|line| line.contains("\"txn\"")) {
                let action: Value = serde_json::from_str(line)
                    .map_err(|error| Error::Format { path: path.clone(), reason: error.to_string() })?;
                keys.extend(action["txn"]["appId"].as_str().map(str::to_owned));
            }
            next += 1;
        }
        let found = keys.contains(key);
        *known = Some(Known { from, upto: version, keys });
        Ok(Some(found))
    }
}

/// The keys in the newest checkpoint up to `version`, and its version.
fn checkpoint(log: &Path, version: u64) -> Result<Option<(u64, HashSet<String>)>> {
    let mut newest = None;
    for entry in fs::read_dir(log).at("read", log)? {
        let name = entry.at("read", log)?.file_name();
        let at = name.to_str().and_then(|name| name.strip_suffix(".checkpoint.parquet")?.parse::<u64>().ok());
        newest = newest.max(at.filter(|at| *at <= version));
    }
    let Some(at) = newest else { return Ok(None) };
    let path = log.join(format!("{at:020}.checkpoint.parquet"));
    let fail = |error| Error::parquet("read", &path, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).at("read", &path)?).map_err(fail)?;
    let columns = ProjectionMask::columns(builder.parquet_schema(), ["txn.appId"]);
    let mut keys = HashSet::new();
    for batch in builder.with_projection(columns).build().map_err(fail)? {
        let batch = batch.map_err(|error| fail(error.into()))?;
        let ids = batch.column_by_name("txn").and_then(|txn| txn.as_struct_opt()?.column_by_name("appId").cloned());
        let Some(ids) = ids.filter(|ids| ids.as_string_opt::<i32>().is_some()) else { continue };
        keys.extend(ids.as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    Ok(Some((at, keys)))
}
