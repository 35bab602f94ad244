//! Who was erased: `data/erased.json`, so that importing an old file again does not bring them back.
//!
//! An identifier is kept as HMAC-SHA-256 of its namespace and itself, cut to 128 bits, under a key that was drawn for this
//! workspace: who has not the file cannot tell whether an identifier is in it. What happened before the erasure stays out; what
//! happens later is new.
use crate::{
    durable,
    error::{Error, IoContext, Result},
};
use hmac::{Hmac, Mac};
use safar_model::Micros;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

const FILE: &str = "erased.json";

/// The identifiers of people who were erased.
#[derive(Clone, Debug, Default)]
pub struct Erased {
    path: PathBuf,
    key: Vec<u8>,
    until: BTreeMap<[u8; 16], Micros>,
}

/// The file: bytes as hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    identifiers: BTreeMap<String, Micros>,
}

impl Erased {
    /// The namespace of orders, for rows that name an order and nobody.
    pub const ORDER: &str = "order";

    /// Reads the file of a store, by its folder ([`crate::Store::dir`]); nobody was erased where there is none.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Format`] where it cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, key: vec![], until: BTreeMap::new() });
            }
            other => other.at("read", &path)?,
        };
        let damaged = |reason: String| Error::Format {
            path: path.clone(),
            reason: format!("{reason}; take it from a backup, or erased people come back with files that hold them"),
        };
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let key = unhex(&kept.key).ok_or_else(|| damaged("its key is no hexadecimal number".to_owned()))?;
        let until = kept.identifiers.iter().map(|(text, until)| Some((unhex(text)?.try_into().ok()?, *until)));
        let until = until.collect::<Option<_>>().ok_or_else(|| damaged("an identifier is no hash".to_owned()))?;
        Ok(Self { path, key, until })
    }

    /// Whether nobody was erased.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    /// How many identifiers were erased.
    #[must_use]
    pub fn len(&self) -> usize {
        self.until.len()
    }

    /// Whether an identifier belonged to somebody who was erased, at the time of the erasure or before.
    #[must_use]
    pub fn holds(&self, namespace: &str, identifier: &str, at: Micros) -> bool {
        !self.until.is_empty() && self.until.get(&self.hash(namespace, identifier)).is_some_and(|until| at <= *until)
    }

    /// Whether an identifier was erased, whenever.
    #[must_use]
    pub fn knows(&self, namespace: &str, identifier: &str) -> bool {
        self.holds(namespace, identifier, Micros::MIN)
    }

    /// Remembers identifiers, each with its namespace and up to a time, and makes that durable.
    ///
    /// # Errors
    /// [`Error::Io`] where there is no randomness for the key, or the disk refuses.
    pub fn add<'a>(&mut self, ids: impl IntoIterator<Item = (&'a str, &'a str, Micros)>) -> Result<()> {
        if self.key.is_empty() {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(io::Error::from).at("draw a key for", &self.path)?;
            self.key = key.to_vec();
        }
        for (namespace, identifier, until) in ids {
            let known = self.until.entry(self.hash(namespace, identifier)).or_insert(until);
            *known = until.max(*known);
        }
        let identifiers = self.until.iter().map(|(hash, until)| (hex(hash), *until)).collect();
        let kept = Kept { key: hex(&self.key), identifiers };
        let bytes = serde_json::to_vec_pretty(&kept)
            .map_err(|error| Error::Format { path: self.path.clone(), reason: error.to_string() })?;
        durable::replace(&self.path, &bytes)
    }

    fn hash(&self, namespace: &str, identifier: &str) -> [u8; 16] {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(namespace.as_bytes());
        mac.update(&[0]);
        mac.update(identifier.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        hash
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_erased_is_known_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut erased = Erased::open(folder.path()).unwrap();
        assert!(erased.is_empty() && !erased.holds("user", "ada", 0));
        erased.add([("user", "ada-unmistakable", 100), ("crm", "17", 100)]).unwrap();
        erased.add([("crm", "17", 50)]).unwrap();
        let again = Erased::open(folder.path()).unwrap();
        assert_eq!(again.len(), 2);
        for (at, holds) in [(99, true), (100, true), (101, false)] {
            assert_eq!(again.holds("user", "ada-unmistakable", at), holds, "{at}");
            assert_eq!(again.holds("crm", "17", at), holds, "an earlier erasure does not shorten a later one: {at}");
        }
        assert!(again.knows("user", "ada-unmistakable") && !again.knows("email", "ada-unmistakable"));
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!text.contains("unmistakable"), "{text}");
        let mut other = Erased::open(tempfile::tempdir().unwrap().path()).unwrap();
        other.key = vec![7; 32];
        assert_ne!(other.hash("user", "ada"), again.hash("user", "ada"), "another workspace, another hash");
    }

    #[test]
    fn a_damaged_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{}", r#"{"key":"zz","identifiers":{}}"#, r#"{"key":"00","identifiers":{"00":1}}"#] {
            fs::write(folder.path().join(FILE), text).unwrap();
            assert!(Erased::open(folder.path()).unwrap_err().to_string().contains("backup"), "{text}");
        }
    }
}
