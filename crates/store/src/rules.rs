//! By which rules columns of stored rows were derived: `data/rules.json`.
//!
//! Rows come by the rules of their time, and a build brings them to those of today. Whether there is anything to bring cannot be told
//! from the last build alone: rules may change before the first one, or for a while between two.
use crate::{
    durable,
    error::{Error, IoContext, Result},
    lock::WriteLock,
    store::Store,
};
use std::{collections::BTreeSet, fs, io, path::PathBuf};

const FILE: &str = "rules.json";

impl Store {
    /// Fingerprints of all rules that some row may be by; `None` where that was not taken down.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read.
    pub fn rules(&self) -> Result<Option<BTreeSet<u64>>> {
        let path = self.rules_path();
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // What cannot be understood says nothing.
            other => Ok(serde_json::from_slice(&other.at("read", &path)?).ok()),
        }
    }

    /// Takes down that rows by these rules come, before they are committed.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk refuses.
    pub fn add_rules(&self, lock: &WriteLock, fingerprint: u64) -> Result<()> {
        let Some(mut known) = self.rules()? else { return Ok(()) };
        if known.insert(fingerprint) { self.set_rules(lock, &known) } else { Ok(()) }
    }

    /// Takes down that every row is by rules of these fingerprints.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk refuses.
    pub fn set_rules(&self, _lock: &WriteLock, fingerprints: &BTreeSet<u64>) -> Result<()> {
        let path = self.rules_path();
        let bytes = serde_json::to_vec(fingerprints)
            .map_err(|error| Error::Format { path: path.clone(), reason: error.to_string() })?;
        durable::replace(&path, &bytes)
    }

    fn rules_path(&self) -> PathBuf {
        self.dir().join(FILE)
    }
}
