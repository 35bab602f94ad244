//! What an import did, for people and programs.
use super::{mapping::ColumnMapping, reject::Reject, sniff::Format};
use arrow::array::RecordBatch;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Told while an import runs. All calls come from one thread.
pub trait Progress: Sync {
    /// A file begins; `bytes_total` is its size on disk, 0 where that is not known.
    fn file(&self, name: &str, bytes_total: u64);
    /// So many more bytes (as on disk) and rows were read.
    fn advance(&self, bytes: u64, rows: u64);
    /// Everything was read; what was read is being sorted and stored.
    fn sorting(&self, rows: u64) {
        let _ = rows;
    }
    /// The import is over.
    fn finish(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn file(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
    fn finish(&self) {}
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// As given.
    pub name: String,
    /// What it was.
    pub format: Format,
    /// Rows read, rejected ones included.
    pub rows: u64,
    /// What it was read as, where it is of a known shape.
    pub read_as: Option<&'static str>,
    /// Rows stored as new events, or ready paths.
    pub stored: u64,
    /// Rows read as costs.
    pub costs: u64,
    /// Rows that are none of its data (totals, footers, deleted rows …), by what they are.
    pub left_out: BTreeMap<&'static str, u64>,
    /// What deserves to be known of it.
    pub notes: Vec<String>,
    /// Rows rejected.
    pub rejected: u64,
    /// Bytes on disk that were read.
    pub bytes: u64,
}

impl FileReport {
    pub(crate) fn new(name: &str, format: Format) -> Self {
        Self {
            name: name.to_owned(),
            format,
            rows: 0,
            read_as: None,
            stored: 0,
            costs: 0,
            left_out: BTreeMap::new(),
            notes: Vec::new(),
            rejected: 0,
            bytes: 0,
        }
    }
}

/// What an import did. `rows = stored + paths + costs + left_out + duplicates + rejected + erased`, always. Of files of known
/// shapes, whose rows may tell several events or one event together, what they tell is counted, not their lines.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// In the order in which they were read.
    pub files: Vec<FileReport>,
    /// Files of folders and globs that hold nothing, or whose names do not end like data.
    pub skipped: Vec<String>,
    /// Tables of connectors that were not read, with the reason.
    pub aside: Vec<(String, String)>,
    /// Files of folders and globs that hold no data that an import knows: what is wrong with each.
    pub unclear: Vec<String>,
    /// Rows read.
    pub rows: u64,
    /// New events.
    pub stored: u64,
    /// Rows that repeat an event, of this import or stored before.
    pub duplicates: u64,
    /// Rejected rows by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Rows of people who were erased after these rows happened: they are kept nowhere.
    pub erased: u64,
    /// Links between identifiers that were seen.
    pub links: u64,
    /// Rows of ready paths.
    pub paths: u64,
    /// The goals that they lead to.
    pub goals: BTreeSet<String>,
    /// Rows read as costs.
    pub costs: u64,
    /// Rows of the table `costs` that are new, or put in the place of others.
    pub costs_stored: u64,
    /// Rows of the table `costs`, or of earlier files of this import, that others were put in the place of.
    pub costs_replaced: u64,
    /// Rows that are none of a file's data.
    pub left_out: u64,
    /// Identifiers that were placeholders (`null`, `guest` …) and stored as nothing.
    pub identifiers_blocked: u64,
    /// E-mail addresses and telephone numbers that are none, and stored as nothing.
    pub identifiers_invalid: u64,
    /// From the first byte to the commit.
    pub elapsed: Duration,
}

impl ImportReport {
    /// Rejected rows in all.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Rows a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rows as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// How a file would be read.
#[derive(Clone, Debug)]
pub struct Preview {
    /// As given.
    pub name: String,
    /// What it is.
    pub format: Format,
    /// What it is read as, where it is of a known shape.
    pub read_as: Option<&'static str>,
    /// Between cells, in delimited text.
    pub delimiter: Option<char>,
    /// Every column and what it becomes; of JSON, the keys of a sample.
    pub columns: Vec<ColumnMapping>,
    /// The goal of ready paths, which have no events; `None`: the file holds no ready paths.
    pub goal: Option<String>,
    /// What deserves to be known of it.
    pub notes: Vec<String>,
    /// Its first rows as events, with the columns of `Table::Events`.
    pub events: RecordBatch,
    /// Its first costs, with the columns of `Table::Costs`.
    pub costs: RecordBatch,
    /// Those of its first rows that are rejected.
    pub rejects: Vec<Reject>,
}
