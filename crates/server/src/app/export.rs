//! Whole tables as downloads: CSV, JSON, Parquet, Arrow.
use super::{cells::cells, problem::Problem, reports::Table};
use arrow::{array::RecordBatch, ipc::writer::FileWriter};
use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use serde_json::Value;
use std::{io::Write, sync::Arc, vec::IntoIter};
use tokio::task::spawn_blocking;

/// Rows that are written at once.
const ROWS: usize = 8192;

/// A format of downloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header. Nothing is null, `""` an empty text; lists are written as JSON. An apostrophe stands
    /// before texts that spreadsheets take for formulas.
    Csv,
    /// An array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC file (Feather version 2).
    Arrow,
}

impl Format {
    /// How the parameter `format` spells them.
    pub const WORDS: &[&str] = &["csv", "json", "parquet", "arrow"];

    /// The format of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Csv, Self::Json, Self::Parquet, Self::Arrow].into_iter().find(|format| format.word() == word)
    }

    fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.file",
        }
    }
}

/// The whole `table` as a file called `name`. With `raw`, texts of CSV are left as they are that spreadsheets take for formulas.
///
/// # Errors
/// When it cannot be written in the format.
pub async fn export(table: Arc<Table>, name: &str, format: Format, raw: bool) -> Result<Response, Problem> {
    // What fails does so in the first part, mostly: then the answer is a problem and not a file that is cut off.
    let (first, rest) = next(Encoding::new(table, format, raw)?).await?;
    let parts = stream::unfold(Some(rest), |rest| async move {
        match next(rest?).await {
            Ok((None, _)) => None,
            Ok((Some(part), rest)) => Some((Ok(part), Some(rest))),
            Err(problem) => Some((Err(std::io::Error::other(problem.detail)), None)),
        }
    });
    // Compression asks once more after the end, which `unfold` does not bear.
    let body = Body::from_stream(stream::iter(first.map(Ok)).chain(parts).fuse());
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.word());
    let headers = [(header::CONTENT_TYPE, format.media_type().to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, body).into_response())
}

/// The next part of a file, made on a thread that may take its time; none is held while the client takes the part before.
async fn next(mut encoding: Encoding) -> Result<(Option<Bytes>, Encoding), Problem> {
    let made = spawn_blocking(move || encoding.next().map(|part| (part, encoding)));
    made.await.map_err(Problem::internal)?
}

/// A file under way.
struct Encoding {
    table: Arc<Table>,
    /// Batch and row where each part begins.
    slices: IntoIter<(usize, usize)>,
    writer: Writer,
    /// What is written and not sent yet; files of Parquet and Arrow have it in their writers.
    out: Vec<u8>,
}

enum Writer {
    Csv { raw: bool },
    Json { names: Vec<String>, is_first: bool },
    Parquet(Box<ArrowWriter<Vec<u8>>>),
    Arrow(Box<FileWriter<Vec<u8>>>),
    Ended,
}

impl Encoding {
    fn new(table: Arc<Table>, format: Format, raw: bool) -> Result<Self, Problem> {
        let names = || table.schema.fields().iter().map(|field| field.name().clone());
        let mut out = Vec::new();
        let writer = match format {
            Format::Csv => {
                out.extend(csv_line(names().map(Value::from), raw).into_bytes());
                Writer::Csv { raw }
            }
            Format::Json => {
                out.push(b'[');
                Writer::Json { names: names().collect(), is_first: true }
            }
            Format::Parquet => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&table.schema), Some(properties));
                Writer::Parquet(Box::new(writer.map_err(Problem::internal)?))
            }
            Format::Arrow => Writer::Arrow(Box::new(FileWriter::try_new(Vec::new(), &table.schema)?)),
        };
        let slices: Vec<(usize, usize)> = table
            .batches
            .iter()
            .enumerate()
            .flat_map(|(at, batch)| (0..batch.num_rows()).step_by(ROWS).map(move |row| (at, row)))
            .collect();
        Ok(Self { table, slices: slices.into_iter(), writer, out })
    }

    /// The next bytes; nothing after the last.
    fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while !matches!(self.writer, Writer::Ended) {
            match self.slices.next() {
                Some((at, row)) => {
                    let batch = &self.table.batches[at];
                    let part = batch.slice(row, ROWS.min(batch.num_rows() - row));
                    let part = RecordBatch::try_new(Arc::clone(&self.table.schema), part.columns().to_vec())?;
                    self.write(&part)?;
                }
                None => self.end()?,
            }
            if !self.out.is_empty() {
                return Ok(Some(std::mem::take(&mut self.out).into()));
            }
        }
        Ok(None)
    }

    /// Writes a batch, which has the table's schema, which says units.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        match &mut self.writer {
            Writer::Csv { raw } => {
                for row in cells(batch)? {
                    self.out.extend(csv_line(row.into_iter(), *raw).into_bytes());
                }
            }
            Writer::Json { names, is_first } => {
                for row in cells(batch)? {
                    self.out.extend_from_slice(if std::mem::take(is_first) { b"\n" } else { b",\n" });
                    write_object(names, row, &mut self.out).map_err(Problem::internal)?;
                }
            }
            Writer::Parquet(writer) => {
                writer.write(batch).map_err(Problem::internal)?;
                self.out.append(writer.inner_mut());
            }
            Writer::Arrow(writer) => {
                writer.write(batch)?;
                self.out.append(writer.get_mut());
            }
            Writer::Ended => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        match std::mem::replace(&mut self.writer, Writer::Ended) {
            Writer::Csv { .. } | Writer::Ended => {}
            Writer::Json { is_first, .. } => self.out.extend_from_slice(if is_first { b"]\n" } else { b"\n]\n" }),
            Writer::Parquet(writer) => self.out.append(&mut writer.into_inner().map_err(Problem::internal)?),
            Writer::Arrow(writer) => self.out.append(&mut writer.into_inner()?),
        }
        Ok(())
    }
}

fn write_object(names: &[String], row: Vec<Value>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let object: Vec<(&String, Value)> = names.iter().zip(row).collect();
    out.push(b'{');
    for (at, (name, value)) in object.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name)?;
        out.push(b':');
        serde_json::to_writer(&mut *out, value)?;
    }
    out.write_all(b"}").map_err(serde_json::Error::io)
}

/// A line of CSV (RFC 4180).
fn csv_line(cells: impl Iterator<Item = Value>, raw: bool) -> String {
    let mut line = cells.map(|cell| csv_cell(cell, raw)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn csv_cell(value: Value, raw: bool) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) if !raw && is_formula(&text) => format!("'{text}"),
        Value::String(text) => text,
        other => other.to_string(),
    };
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Whether a spreadsheet would compute a text instead of showing it (OWASP, CSV injection). Numbers are what they look like.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) && text.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts_and_numbers_stay_numbers() {
        let cell = |text: &str| csv_cell(text.into(), false);
        assert_eq!(cell("=HYPERLINK(\"https://x.example\")"), "\"'=HYPERLINK(\"\"https://x.example\"\")\"");
        for text in ["+1+cmd", "-2+3", "@SUM(A1)", "\tx", "＝1", "-"] {
            assert_eq!(cell(text), format!("'{text}"), "{text:?}");
        }
        assert_eq!(cell("\r=1"), "\"'\r=1\"");
        for text in ["-5", "+49301234567", "-1.5e3", "summer-sale", "a=b", "'=x"] {
            assert_eq!(cell(text), text);
        }
        assert_eq!(csv_cell("=1".into(), true), "=1");
        assert_eq!(csv_cell((-5).into(), false), "-5");
    }
}
