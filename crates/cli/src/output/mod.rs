//! Results in every format: a readable table, CSV, JSON, Parquet, Markdown.
mod layout;
mod table;

use anyhow::Result;
use arrow::{
    array::{Array, ArrayRef, RecordBatch, StringBuilder},
    compute::concat_batches,
    datatypes::{DataType, Field, Schema, SchemaRef},
    util::display::{ArrayFormatter, FormatOptions},
};
use std::sync::Arc;
pub use table::{Alignment, Grid, bar, number, with_bars};

/// The format of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A readable table; numbers are rounded for the eye.
    #[default]
    Table,
    /// Comma-separated values with a header; every digit.
    Csv,
    /// An array of objects; every digit.
    Json,
    /// Apache Parquet.
    Parquet,
    /// A Markdown table; every digit.
    Markdown,
}

/// Turns `batches` into bytes of `format`.
pub fn render(schema: &SchemaRef, batches: &[RecordBatch], format: Format) -> Result<Vec<u8>> {
    let batch = concat_batches(schema, batches)?;
    Ok(match format {
        Format::Table => Grid::of(&batch)?.render().into_bytes(),
        Format::Markdown => markdown(&batch)?.into_bytes(),
        Format::Csv => csv(&batch)?,
        Format::Json => json(&batch)?,
        Format::Parquet => parquet(&batch)?,
    })
}

fn csv(batch: &RecordBatch) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(&mut out);
    writer.write(&flat(batch)?)?;
    drop(writer);
    Ok(out)
}

fn json(batch: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::JsonArray>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let mut out = writer.into_inner();
    if out.is_empty() {
        out.extend_from_slice(b"[]");
    }
    out.push(b'\n');
    Ok(out)
}

fn parquet(batch: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

fn markdown(batch: &RecordBatch) -> Result<String> {
    let escape = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let schema = batch.schema();
    let mut out = row(schema.fields().iter().map(|field| escape(field.name())).collect());
    let rule = |field: &Arc<Field>| if field.data_type().is_numeric() { "---:" } else { "---" }.to_owned();
    out.push_str(&row(schema.fields().iter().map(rule).collect()));
    let columns = texts(batch)?;
    for index in 0..batch.num_rows() {
        out.push_str(&row(columns.iter().map(|column| escape(&column[index])).collect()));
    }
    Ok(out)
}

/// Every cell as text.
fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>> {
    batch.columns().iter().map(|column| text_column(column)).collect()
}

fn text_column(column: &ArrayRef) -> Result<Vec<String>> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
    Ok((0..column.len()).map(|index| formatter.value(index).to_string()).collect())
}

/// CSV has no lists: nested columns become text.
fn flat(batch: &RecordBatch) -> Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.data_type().is_nested() {
            let mut builder = StringBuilder::new();
            for (index, text) in text_column(column)?.into_iter().enumerate() {
                builder.append_option(column.is_valid(index).then_some(text));
            }
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(Arc::new(builder.finish()));
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
