//! Whole tables as downloads: CSV, JSON, Parquet, Arrow.
use super::{cells::cells, problem::Problem, reports::Table};
use arrow::array::RecordBatch;
use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use serde_json::Value;
use std::{io::Write, sync::Arc};

/// Rows that are written at once.
const ROWS: usize = 8192;

/// A format of downloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header. Nothing is null, `""` an empty text; lists are written as JSON.
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

/// The whole `table` as a file called `name`.
///
/// # Errors
/// When it cannot be written in the format.
pub fn export(table: Arc<Table>, name: &str, format: Format) -> Result<Response, Problem> {
    let body = match format {
        Format::Csv | Format::Json => text(table, format),
        Format::Parquet => {
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&table.schema), Some(properties))
                .map_err(Problem::internal)?;
            for batch in &table.batches {
                writer.write(&described(&table, batch)?).map_err(Problem::internal)?;
            }
            Body::from(writer.into_inner().map_err(Problem::internal)?)
        }
        Format::Arrow => {
            let mut writer = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &table.schema)?;
            for batch in &table.batches {
                writer.write(&described(&table, batch)?)?;
            }
            Body::from(writer.into_inner()?)
        }
    };
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.word());
    let headers = [(header::CONTENT_TYPE, format.media_type().to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, body).into_response())
}

/// The batch with the table's schema, which says units.
fn described(table: &Table, batch: &RecordBatch) -> Result<RecordBatch, Problem> {
    Ok(RecordBatch::try_new(Arc::clone(&table.schema), batch.columns().to_vec())?)
}

/// A table in parts, each written when the client has taken the one before.
fn text(table: Arc<Table>, format: Format) -> Body {
    let names: Vec<String> = table.schema.fields().iter().map(|field| field.name().clone()).collect();
    let slices: Vec<(usize, usize)> = table
        .batches
        .iter()
        .enumerate()
        .flat_map(|(at, batch)| (0..batch.num_rows()).step_by(ROWS).map(move |row| (at, row)))
        .collect();
    let first = match format {
        Format::Csv => csv_line(names.iter().map(|name| Value::from(name.as_str()))).into_bytes(),
        _ => b"[".to_vec(),
    };
    let last = if format == Format::Csv { vec![] } else { b"]\n".to_vec() };
    let count = slices.len();
    let parts = slices.into_iter().enumerate().map(move |(part, (at, row))| {
        let batch = &table.batches[at];
        let rows = cells(&described(&table, &batch.slice(row, ROWS.min(batch.num_rows() - row)))?)?;
        let mut out = Vec::new();
        for (index, row) in rows.into_iter().enumerate() {
            if format == Format::Csv {
                out.extend(csv_line(row.into_iter()).into_bytes());
                continue;
            }
            out.extend_from_slice(if part + index == 0 { b"\n" } else { b",\n" });
            write_object(&names, row, &mut out).map_err(Problem::internal)?;
        }
        if part + 1 == count && format == Format::Json {
            out.push(b'\n');
        }
        Ok(Bytes::from(out))
    });
    let parts = std::iter::once(Ok(Bytes::from(first))).chain(parts).chain([Ok(Bytes::from(last))]);
    Body::from_stream(stream::iter(
        parts.map(|part: Result<Bytes, Problem>| part.map_err(|problem| std::io::Error::other(problem.detail))),
    ))
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
fn csv_line(cells: impl Iterator<Item = Value>) -> String {
    let mut line = cells.map(csv_cell).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn csv_cell(value: Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
