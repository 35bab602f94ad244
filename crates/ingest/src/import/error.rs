//! What stops a whole import, as opposed to a row (see [`super::reject`]).
use std::path::PathBuf;

/// Why an import could not be done. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An argument names nothing.
    #[error("`{0}` matches no file; give a file, a folder, a glob such as 'data/*.csv', or - for standard input")]
    NoInput(String),
    /// A single file holds nothing.
    #[error("{0} is empty: there is nothing to import")]
    Empty(String),
    /// The bytes fit no format.
    #[error("{file} is neither CSV, NDJSON, JSON nor Parquet ({why}); state it with `--input-format` if it is")]
    UnknownFormat {
        /// The input.
        file: String,
        /// What was seen instead.
        why: String,
    },
    /// The file ends before its format says so.
    #[error(
        "{file} is broken off or damaged after {rows} rows: {why}. None of them was stored; get the whole file and import it again"
    )]
    Truncated {
        /// The input.
        file: String,
        /// Rows read before the break.
        rows: u64,
        /// What the reader said.
        why: String,
    },
    /// No header, so columns have no names.
    #[error(
        "{file} has no header row (its first row is `{}`): name its columns with `--map`, for example `--map occurred_at=column_1`",
        cut(first, 200)
    )]
    NoHeader {
        /// The input.
        file: String,
        /// The first row.
        first: String,
    },
    /// The columns do not describe events.
    #[error("{file} does not look like events: {why}. Its columns are: {}", few(columns))]
    NotEvents {
        /// The input.
        file: String,
        /// What is missing, and the way out.
        why: String,
        /// The columns seen.
        columns: Vec<String>,
    },
    /// Ready paths that cannot be stored as they are.
    #[error("{file} holds ready paths, but {why}")]
    ReadyPaths {
        /// The input.
        file: String,
        /// What stands against it, and the way out.
        why: String,
    },
    /// A file that is nearly of a known shape.
    #[error(
        "{file} looks like {title} but has no column {}: {hint}. (`--as events` reads it as events instead.) Its columns are: {}", missing.join(", nor "), few(columns)
    )]
    Lacks {
        /// The input.
        file: String,
        /// What it looks like.
        title: &'static str,
        /// The columns it lacks, by the headers they go by.
        missing: Vec<String>,
        /// The way out.
        hint: &'static str,
        /// The columns seen.
        columns: Vec<String>,
    },
    /// Two columns of which either could be meant.
    #[error(
        "{file} has the columns `{one}` and `{other}`, and either could be meant: remove or rename one; where they are amounts in several currencies, export each account on its own"
    )]
    TwoColumns {
        /// The input.
        file: String,
        /// A header.
        one: String,
        /// Another header.
        other: String,
    },
    /// A table that is known, and holds nothing of use.
    #[error("{file} is {title}, which tells no events: there is nothing to import from it; {hint}")]
    TellsNothing {
        /// The input.
        file: String,
        /// What it is.
        title: &'static str,
        /// The way out.
        hint: &'static str,
    },
    /// A report of costs sums up several days in a row.
    #[error(
        "{file}, line {line}: the row covers {first} to {last}, and costs go by day. Export the report by day, or let `--spread-totals` spread such rows evenly over their days"
    )]
    Period {
        /// The input.
        file: String,
        /// From 1.
        line: u64,
        /// As written.
        first: String,
        /// As written.
        last: String,
    },
    /// More costs than one import takes.
    #[error(
        "{file} holds more than {most} rows of costs: export days and campaigns rather than single advertisements, or fewer days at a time"
    )]
    TooManyCosts {
        /// The input.
        file: String,
        /// The most.
        most: usize,
    },
    /// `10/02/2025` can be read two ways.
    #[error(
        "{file}: `{value}` in column `{column}` may be day/month or month/day, and no row of the sample tells; state `--date-order dmy` or `--date-order mdy`"
    )]
    AmbiguousDates {
        /// The input.
        file: String,
        /// The column.
        column: String,
        /// A value of it.
        value: String,
    },
    /// A mapping names a field that does not exist.
    #[error("`{field}` is no field of an event; the fields are {allowed}, click parameters such as gclid, and utm_…")]
    UnknownField {
        /// What was written.
        field: String,
        /// What may be written.
        allowed: String,
    },
    /// A mapping names a column that the file does not have.
    #[error("{file} has no column `{column}` (mapped to `{field}`); its columns are: {}", few(columns))]
    UnknownColumn {
        /// The input.
        file: String,
        /// What was written.
        column: String,
        /// What it was to become.
        field: String,
        /// The columns seen.
        columns: Vec<String>,
    },
    /// A setting cannot be used.
    #[error("`{value}` is no {what}: {hint}")]
    Setting {
        /// What it was to be.
        what: &'static str,
        /// What was written.
        value: String,
        /// What may be written.
        hint: String,
    },
    /// The tables could not be written.
    #[error(transparent)]
    Store(#[from] safar_store::Error),
    /// Arrow refused; a mistake of Safar or a damaged temporary file.
    #[error("columns could not be put together: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// A text of at most so many characters.
fn cut(text: &str, most: usize) -> String {
    let mut chars = text.chars();
    let mut kept: String = chars.by_ref().take(most).collect();
    if chars.next().is_some() {
        kept.push('…');
    }
    kept
}

/// Names of columns, as many as fit on a screen.
fn few(columns: &[String]) -> String {
    const MOST: usize = 60;
    let names: Vec<String> = columns.iter().take(MOST).map(|name| cut(name, 60)).collect();
    let more = columns.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

impl Error {
    /// What a file is told that is nearly of a known shape.
    pub(crate) fn of_claim(file: &str, claim: super::shapes::Claim) -> Self {
        let super::shapes::Claim { title, missing, hint, headers } = claim;
        Self::Lacks { file: file.to_owned(), title, missing, hint, columns: headers }
    }

    /// Whether it says that a file is no data that an import knows.
    pub(crate) fn is_unclear(&self) -> bool {
        matches!(self, Self::NotEvents { .. } | Self::NoHeader { .. } | Self::UnknownFormat { .. })
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
