//! One version of every table: what a reader reads, however long it takes.
use crate::{
    durable,
    error::{Error, IoContext, Result},
};
use safar_model::Table;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io, path::Path};

/// The file of the published snapshot.
pub(crate) const FILE: &str = "snapshot.json";
const FORMAT: u32 = 1;

/// One version of every table, published together.
///
/// A reader that holds one sees exactly these versions, whatever is committed meanwhile; only
/// [`Store::vacuum`](crate::Store::vacuum) takes old versions away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    format: u32,
    sequence: u64,
    tables: BTreeMap<Table, u64>,
}

impl Snapshot {
    pub(crate) fn new(sequence: u64, tables: BTreeMap<Table, u64>) -> Self {
        Self { format: FORMAT, sequence, tables }
    }

    /// How many times a snapshot was published before and including this one.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The version of `table`; `None` where the table was made later.
    #[must_use]
    pub fn version(&self, table: Table) -> Option<u64> {
        self.tables.get(&table).copied()
    }

    /// Every table and its version, in the order of [`Table::ALL`].
    pub fn versions(&self) -> impl Iterator<Item = (Table, u64)> + '_ {
        self.tables.iter().map(|(table, version)| (*table, *version))
    }

    /// Reads what was last published; `None` when nothing was.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.at("read", &path)?,
        };
        let way_out = "delete it to go on with the newest version of every table";
        let snapshot: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Format { path: path.clone(), reason: format!("{error}; {way_out}") })?;
        if snapshot.format != FORMAT {
            let reason =
                format!("its format is {}, this Safar reads {FORMAT}; use the Safar that wrote it", snapshot.format);
            return Err(Error::Format { path, reason });
        }
        Ok(Some(snapshot))
    }

    /// Makes this what readers see from now on.
    pub(crate) fn publish(&self, dir: &Path) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a map of numbers is JSON");
        bytes.push(b'\n');
        durable::replace(&dir.join(FILE), &bytes)
    }
}
