//! Rows that are no events: told to the user, kept in a table, counted.
use super::{Rules, error::Error};
use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    error::ArrowError,
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter},
};
use safar_identity::{ANONYMOUS, CRM, EMAIL, IdentitySettings, PHONE, USER, mentions, normalise};
use safar_model::{Micros, Table};
use safar_store::{DataFile, Erased, Staged, TableWriter};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};
use xxhash_rust::xxh3::xxh3_64;

/// A row that is no event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// From 1; the number of the row in Parquet files.
    pub line: u64,
    /// Which column is wrong; `None`: the row as a whole.
    pub column: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// What is wrong with it.
    pub reason: Cow<'static, str>,
    /// The row as text.
    pub raw: Option<String>,
}

/// Rows kept before they are handed to the table's writer.
const BATCH_ROWS: usize = 4096;

/// Where rejects go.
pub(crate) struct Rejects {
    path: Option<PathBuf>,
    file: Option<csv::Writer<File>>,
    writer: Option<TableWriter>,
    /// Those that are stored; `None`: all are new.
    known: Option<Known>,
    kept: Vec<(String, Reject)>,
    now: Micros,
    /// When what comes from an origin was rejected, where that is not now.
    earlier: BTreeMap<String, Micros>,
    hide: bool,
    erased: Arc<Erased>,
    identity: IdentitySettings,
    pub(crate) counts: BTreeMap<String, u64>,
}

/// At most so many fingerprints of stored rejects are held (8 bytes each and room to find them in); beyond them a row that comes
/// again is stored again.
const KNOWN_MAX: usize = 16 << 20;

/// The stored rejects that new ones may repeat.
struct Known {
    files: Vec<DataFile>,
    /// The inputs of this import: nothing else can repeat.
    origins: HashSet<String>,
    /// Fingerprints; read when there is a first reject.
    prints: Option<HashSet<u64>>,
    /// Of the rejects that are not written yet.
    fresh: HashSet<u64>,
}

impl Known {
    fn new(files: &[DataFile], origins: HashSet<String>) -> Self {
        Self { files: files.to_vec(), origins, prints: None, fresh: HashSet::new() }
    }

    /// Whether no such reject is stored or was told just now.
    fn is_new(&mut self, print: u64) -> Result<bool, Error> {
        let prints = match &mut self.prints {
            Some(prints) => prints,
            none => none.insert(stored_prints(&self.files, &self.origins)?),
        };
        // One line is read once, so the same comes again soon or never.
        Ok(!prints.contains(&print) && self.fresh.insert(print))
    }
}

/// The fingerprints of the stored rejects of some inputs.
fn stored_prints(files: &[DataFile], origins: &HashSet<String>) -> Result<HashSet<u64>, Error> {
    const COLUMNS: [&str; 5] = ["origin", "line", "reason", "value", "raw"];
    let mut prints = HashSet::new();
    for file in files {
        // What is long is read of rows of these inputs only.
        let origins = origins.clone();
        for batch in read_where(&file.path, &COLUMNS, "origin", move |origin| origins.contains(origin))? {
            let batch = batch?;
            let column =
                |name: &str| batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(name.to_owned()));
            let lines = column("line")?.as_primitive::<arrow::datatypes::Int64Type>();
            let [origin, reason, value, raw] = ["origin", "reason", "value", "raw"].map(column);
            let (origin, reason) = (origin?.as_string::<i32>(), reason?.as_string::<i32>());
            let (value, raw) = (value?.as_string::<i32>(), raw?.as_string::<i32>());
            for row in 0..batch.num_rows() {
                if prints.len() == KNOWN_MAX {
                    tracing::warn!(
                        "more than {KNOWN_MAX} rejects of these files are stored: some that come again are stored again; \
                         `safar retain` removes old ones"
                    );
                    return Ok(prints);
                }
                let value = value.is_valid(row).then(|| value.value(row));
                let raw = raw.is_valid(row).then(|| raw.value(row));
                prints.insert(fingerprint(origin.value(row), lines.value(row), reason.value(row), value, raw));
            }
        }
    }
    Ok(prints)
}

/// Says whether two rejects are one: the same row of the same place, wrong in the same way. Another day's file of the same
/// name has other rows on its lines.
fn fingerprint(origin: &str, line: i64, reason: &str, value: Option<&str>, raw: Option<&str>) -> u64 {
    let (value, raw) = (value.unwrap_or_default(), raw.unwrap_or_default());
    xxh3_64(format!("{origin}\0{line}\0{reason}\0{value}\0{raw}").as_bytes())
}

impl Rejects {
    /// `known` are the files of the table, and the names of the inputs: a row of theirs that is in them already, or comes twice,
    /// is not stored again. `None`: every row is stored, because the commit itself happens once. They are of now, or of the time
    /// that is told for their origin. What a row says that names somebody who was erased is not kept.
    pub(crate) fn new(
        path: Option<PathBuf>,
        writer: TableWriter,
        known: Option<(&[DataFile], HashSet<String>)>,
        (now, earlier): (Micros, BTreeMap<String, Micros>),
        rules: Rules<'_>,
        erased: Arc<Erased>,
    ) -> Self {
        Self {
            path,
            earlier,
            file: None,
            writer: Some(writer),
            known: known.map(|(files, origins)| Known::new(files, origins)),
            kept: Vec::new(),
            now,
            hide: !rules.import.keep_contact_details,
            erased,
            identity: rules.identity.clone(),
            counts: BTreeMap::new(),
        }
    }

    pub(crate) fn push(&mut self, origin: &str, mut reject: Reject) -> Result<(), Error> {
        if !self.erased.is_empty() {
            for text in [&mut reject.value, &mut reject.raw] {
                if text.as_deref().is_some_and(|text| names_erased(text, &self.erased, &self.identity)) {
                    *text = Some(ERASED.to_owned());
                }
            }
        }
        *self.counts.entry(reject.reason.to_string()).or_default() += 1;
        if let Some(path) = &self.path {
            let write_error = |error: csv::Error| Error::Io { path: path.clone(), source: error.into() };
            let file = match &mut self.file {
                Some(file) => file,
                none => {
                    if let Some(folder) = path.parent() {
                        std::fs::create_dir_all(folder)
                            .map_err(|source| Error::Io { path: folder.to_owned(), source })?;
                    }
                    let mut writer = csv::Writer::from_path(path).map_err(write_error)?;
                    writer.write_record(["file", "line", "column", "value", "reason", "raw"]).map_err(write_error)?;
                    none.insert(writer)
                }
            };
            let line = reject.line.to_string();
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let record =
                [origin, &line, &text(&reject.column), &text(&reject.value), &reject.reason, &text(&reject.raw)];
            file.write_record(record).map_err(write_error)?;
        }
        if self.hide {
            for text in [&mut reject.value, &mut reject.raw].into_iter().flatten() {
                hide_addresses(text);
            }
        }
        let (value, raw) = (reject.value.as_deref(), reject.raw.as_deref());
        let print = || fingerprint(origin, reject.line as i64, &reject.reason, value, raw);
        let is_new = self.known.as_mut().map_or(Ok(true), |known| known.is_new(print()))?;
        if is_new {
            self.kept.push((origin.to_owned(), reject));
            if self.kept.len() >= BATCH_ROWS {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let kept = std::mem::take(&mut self.kept);
        if let Some(known) = &mut self.known {
            known.fresh.clear();
        }
        if let (Some(writer), false) = (&mut self.writer, kept.is_empty()) {
            let times = kept.iter().map(|(origin, _)| self.earlier.get(origin).copied().unwrap_or(self.now));
            let texts = |of: fn(&Reject) -> Option<&str>| -> ArrayRef {
                Arc::new(kept.iter().map(|(_, reject)| of(reject)).collect::<StringArray>())
            };
            let columns: Vec<ArrayRef> = vec![
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
                Arc::new(StringArray::from_iter_values(kept.iter().map(|(origin, _)| origin))),
                Arc::new(Int64Array::from_iter_values(kept.iter().map(|(_, reject)| reject.line as i64))),
                texts(|reject| reject.column.as_deref()),
                texts(|reject| reject.value.as_deref()),
                texts(|reject| Some(&reject.reason)),
                texts(|reject| reject.raw.as_deref()),
            ];
            writer.write(&RecordBatch::try_new(Table::Rejects.schema(), columns)?)?;
        }
        Ok(())
    }

    /// Ends the file; the rows for the table, if there are any new ones.
    pub(crate) fn finish(&mut self) -> Result<Option<Staged>, Error> {
        self.flush()?;
        if let (Some(file), Some(path)) = (&mut self.file, &self.path) {
            file.flush().map_err(Error::io(path))?;
        }
        let staged = self.writer.take().map(TableWriter::finish).transpose()?;
        Ok(staged.filter(|staged| staged.rows() > 0))
    }
}

/// What stands where a row said something of somebody who was erased.
const ERASED: &str = "(erased)";

/// Whether a text names somebody who was erased, whenever that was: what is rejected has no time that could be trusted.
fn names_erased(text: &str, erased: &Erased, identity: &IdentitySettings) -> bool {
    let is = |namespace: &str, raw: &str| {
        normalise(namespace, raw, identity).id().is_some_and(|id| erased.knows(namespace, &id))
    };
    mentions::addresses(text).any(|found| is(EMAIL, found))
        || mentions::numbers(text).any(|found| is(PHONE, found))
        || mentions::words(text).any(|word| [ANONYMOUS, USER, EMAIL, PHONE, CRM].iter().any(|space| is(space, word)))
}

/// Puts dots in the place of what looks like an e-mail address: the table is no place for contact details.
fn hide_addresses(text: &mut String) {
    if !text.contains('@') {
        return;
    }
    let part = |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+' | '%');
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('@') {
        let start =
            rest[..at].rfind(|c| !part(c)).map_or(0, |end| end + rest[end..].chars().next().map_or(1, char::len_utf8));
        let end = rest[at..].find(|c| !part(c)).map_or(rest.len(), |end| at + end);
        out.push_str(&rest[..start]);
        out.push_str("…@…");
        rest = &rest[end..];
    }
    out.push_str(rest);
    *text = out;
}

/// Some columns of a Parquet file, in the order of the file.
pub(crate) fn read(
    path: &Path,
    columns: &[&str],
) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>> + use<>, Error> {
    let builder = opened(path)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    builder.with_projection(mask).build().map_err(damaged(path))
}

/// The same, of the rows whose text in column `by` is wanted.
fn read_where(
    path: &Path,
    columns: &[&str],
    by: &str,
    mut wanted: impl FnMut(&str) -> bool + Send + 'static,
) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>>, Error> {
    let builder = opened(path)?;
    let schema = builder.parquet_schema();
    let mask = ProjectionMask::columns(schema, columns.iter().copied());
    let of_those = ArrowPredicateFn::new(ProjectionMask::columns(schema, [by]), move |batch| {
        let texts = batch.column(0).as_string::<i32>();
        Ok(texts.iter().map(|text| Some(text.is_some_and(&mut wanted))).collect::<BooleanArray>())
    });
    let filter = RowFilter::new(vec![Box::new(of_those)]);
    builder.with_projection(mask).with_row_filter(filter).build().map_err(damaged(path))
}

fn opened(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged(path))
}

/// For `map_err`.
pub(super) fn damaged(path: &Path) -> impl Fn(parquet::errors::ParquetError) -> Error {
    let file = path.display().to_string();
    move |error| Error::Truncated { file: file.clone(), rows: 0, why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hidden() {
        for (raw, hidden) in [
            ("1,Ada.L+x@example.com,2", "1,…@…,2"),
            ("a@b", "…@…"),
            ("ü@x.de;é a@b.c", "…@…;é …@…"),
            ("@", "…@…"),
            ("no address", "no address"),
        ] {
            let mut text = raw.to_owned();
            hide_addresses(&mut text);
            assert_eq!(text, hidden);
        }
    }
}
