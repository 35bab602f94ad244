//! What a workspace decides about imports, and what one command adds to it.
use super::{field::Field, input::Encoding, number::Decimal, sniff::Format, time::DateOrder};
use safar_model::{Micros, consent::ConsentRules};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// `[import]` of `safar.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImportSettings {
    /// IANA time zone of times that carry no offset. `None`: that of the workspace, which the caller fills in; else UTC.
    pub zone: Option<String>,
    /// The decimal sign of amounts. `None`: told by a sample of their column; where that does not tell, amounts such as
    /// `1,204` are rejected.
    pub decimal: Option<Decimal>,
    /// Day and month in dates such as `10/02/2025`. `None`: told by the file, or an error.
    pub date_order: Option<DateOrder>,
    /// How far an event may lie in the future.
    pub max_future_hours: u32,
    /// ISO 4217 code of values that come without one.
    pub default_currency: Option<String>,
    /// Keep e-mail addresses and telephone numbers in `properties` beside their hashes.
    pub keep_contact_details: bool,
    /// A folder of the workspace that `safar serve` watches: what is laid into it is imported. `None`: no folder.
    pub drop: Option<PathBuf>,
    /// How files of known shapes are read: `[[import.mappings]]`. The first that fits a file is used.
    pub mappings: Vec<SavedMapping>,
    /// `[privacy.consent]`, which stands elsewhere in the file.
    #[serde(skip)]
    pub consent: ConsentRules,
    /// The names of `[[goals]]`, which stand elsewhere in the file: events lead to these, so ready paths must not.
    #[serde(skip)]
    pub goals: Vec<String>,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            zone: None,
            decimal: None,
            date_order: None,
            max_future_hours: 24,
            default_currency: None,
            keep_contact_details: false,
            drop: None,
            mappings: Vec::new(),
            consent: ConsentRules::default(),
            goals: Vec::new(),
        }
    }
}

/// How files of one shape are read. What is left out is told by the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SavedMapping {
    /// What it is called.
    pub name: String,
    /// Glob over file names or paths; empty: only used when named.
    pub files: String,
    /// Field → column. Columns not named here are still found by well-known names.
    pub columns: BTreeMap<String, String>,
    /// Field → value that every row has.
    pub constants: BTreeMap<String, String>,
    /// csv, ndjson, json, or parquet.
    pub format: Option<Format>,
    /// Between the cells of delimited text.
    pub delimiter: Option<char>,
    /// How text is encoded.
    pub encoding: Option<Encoding>,
    /// See [`ImportSettings::zone`].
    pub zone: Option<String>,
    /// See [`ImportSettings::decimal`].
    pub decimal: Option<Decimal>,
    /// See [`ImportSettings::date_order`].
    pub date_order: Option<DateOrder>,
}

/// What one command says; it wins over every setting.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// `--map FIELD=COLUMN`, in order.
    pub columns: Vec<(String, String)>,
    /// `--set FIELD=VALUE`: what every row has.
    pub constants: Vec<(String, String)>,
    /// The saved mapping to use, by name.
    pub mapping: Option<String>,
    /// The format.
    pub format: Option<Format>,
    /// Between the cells of delimited text.
    pub delimiter: Option<char>,
    /// How text is encoded.
    pub encoding: Option<Encoding>,
    /// IANA time zone of times without an offset.
    pub zone: Option<String>,
    /// The decimal sign of amounts.
    pub decimal: Option<Decimal>,
    /// Day and month in dates such as `10/02/2025`.
    pub date_order: Option<DateOrder>,
    /// `--as NAME`: what the files are; `events` for none of the known shapes. `None`: told by their columns.
    pub shape: Option<String>,
    /// Spread costs of several days evenly over them, instead of refusing them.
    pub spread_totals: bool,
    /// Where to write rejected rows as CSV (`file,line,column,value,reason,raw`). Made only if there are any.
    pub rejects: Option<PathBuf>,
    /// Import time in microseconds UTC; `None`: the clock. Stored as `received_at`.
    pub now: Option<Micros>,
    /// Bytes of rows kept in memory before they go to temporary files.
    pub memory_bytes: usize,
    /// Threads that turn text into columns; 0: as many as the machine has, at most 8.
    pub threads: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            constants: Vec::new(),
            mapping: None,
            format: None,
            delimiter: None,
            encoding: None,
            zone: None,
            decimal: None,
            date_order: None,
            shape: None,
            spread_totals: false,
            rejects: None,
            now: None,
            memory_bytes: 256 << 20,
            threads: 0,
        }
    }
}

/// How it was decided what a column becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// The command says so.
    Stated,
    /// The saved mapping of this name says so.
    Saved(String),
    /// Its name is well known.
    WellKnown,
    /// Its name is well known, but this column already is that field.
    Taken(Field, String),
    /// Nothing is known about it.
    Unknown,
}

impl std::fmt::Display for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stated => f.write_str("stated"),
            Self::Saved(name) => write!(f, "mapping `{name}`"),
            Self::WellKnown => f.write_str("well-known name"),
            Self::Taken(field, by) => write!(f, "`{by}` already is {field}"),
            Self::Unknown => f.write_str("kept as a property"),
        }
    }
}
