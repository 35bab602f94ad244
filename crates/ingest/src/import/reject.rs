//! Rows that are no events: told to the user, kept in a table, counted.
use super::{Rules, error::Error};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use safar_identity::{ANONYMOUS, CRM, EMAIL, IdentitySettings, PHONE, USER, mentions, normalise};
use safar_model::{Micros, Table};
use safar_store::{DataFile, Erased, Staged, TableWriter};
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Fingerprints of those that are stored; `None`: all are new.
    known: Option<HashSet<u64>>,
    kept: Vec<(String, Reject)>,
    now: Micros,
    hide: bool,
    erased: Arc<Erased>,
    identity: IdentitySettings,
    pub(crate) counts: BTreeMap<String, u64>,
}

fn fingerprint(origin: &str, line: i64, reason: &str, value: Option<&str>) -> u64 {
    xxh3_64(format!("{origin}\0{line}\0{reason}\0{}", value.unwrap_or_default()).as_bytes())
}

impl Rejects {
    /// `known` are the files of the table: a row that is in them already, or comes twice, is not stored again. `None`: every
    /// row is stored, because the commit itself happens once. What a row says that names somebody who was erased is not kept.
    pub(crate) fn new(
        path: Option<PathBuf>,
        writer: TableWriter,
        known: Option<&[DataFile]>,
        now: Micros,
        rules: Rules<'_>,
        erased: Arc<Erased>,
    ) -> Result<Self, Error> {
        let mut seen = HashSet::new();
        for file in known.unwrap_or_default() {
            for batch in read(&file.path, &["origin", "line", "reason", "value"])? {
                let batch = batch?;
                let text = |at: usize| batch.column(at).as_string::<i32>();
                let lines = batch.column(1).as_primitive::<arrow::datatypes::Int64Type>();
                for row in 0..batch.num_rows() {
                    let value = (!arrow::array::Array::is_null(text(2), row)).then(|| text(2).value(row));
                    seen.insert(fingerprint(text(0).value(row), lines.value(row), text(3).value(row), value));
                }
            }
        }
        Ok(Self {
            path,
            file: None,
            writer: Some(writer),
            known: known.map(|_| seen),
            kept: Vec::new(),
            now,
            hide: !rules.import.keep_contact_details,
            erased,
            identity: rules.identity.clone(),
            counts: BTreeMap::new(),
        })
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
        let print = || fingerprint(origin, reject.line as i64, &reject.reason, reject.value.as_deref());
        if self.known.as_mut().is_none_or(|known| known.insert(print())) {
            self.kept.push((origin.to_owned(), reject));
            if self.kept.len() >= BATCH_ROWS {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let kept = std::mem::take(&mut self.kept);
        if let (Some(writer), false) = (&mut self.writer, kept.is_empty()) {
            let texts = |of: fn(&Reject) -> Option<&str>| -> ArrayRef {
                Arc::new(kept.iter().map(|(_, reject)| of(reject)).collect::<StringArray>())
            };
            let columns: Vec<ArrayRef> = vec![
                Arc::new(TimestampMicrosecondArray::from(vec![self.now; kept.len()]).with_timezone("UTC")),
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
) -> Result<impl Iterator<Item = Result<RecordBatch, arrow::error::ArrowError>> + use<>, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let damaged = |error: parquet::errors::ParquetError| Error::Truncated {
        file: path.display().to_string(),
        rows: 0,
        why: error.to_string(),
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    builder.with_projection(mask).build().map_err(damaged)
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
