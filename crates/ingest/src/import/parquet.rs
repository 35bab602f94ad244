//! Parquet files → batches of text columns.
use super::{error::Error, number::whole};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Float64Type, Schema, TimeUnit},
    json::{WriterBuilder, writer::LineDelimited},
};
use parquet::{
    arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    errors::ParquetError,
};
use std::{borrow::Cow, fs::File, path::Path, sync::Arc};

const BATCH_ROWS: usize = 16_384;

/// A Parquet file that was opened.
pub(crate) struct ParquetInput {
    pub columns: Vec<String>,
    reader: ParquetRecordBatchReader,
    name: String,
    rows: u64,
}

fn damaged(file: &str, rows: u64, error: &ParquetError) -> Error {
    Error::Truncated { file: file.to_owned(), rows, why: error.to_string() }
}

impl ParquetInput {
    pub(crate) fn open(name: &str, path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(name, 0, &error))?;
        let columns = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|error| damaged(name, 0, &error))?;
        Ok(Self { columns, reader, name: name.to_owned(), rows: 0 })
    }

    /// The next rows, every column as text, with the number of the first row (from 1).
    pub(crate) fn next_rows(&mut self) -> Result<Option<(u64, RecordBatch)>, Error> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| Error::Truncated {
            file: self.name.clone(),
            rows: self.rows,
            why: error.to_string(),
        })?;
        let first = self.rows + 1;
        self.rows += batch.num_rows() as u64;
        Ok(Some((first, texts(&batch)?)))
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }
}

/// Every column as text; structures as JSON.
fn texts(batch: &RecordBatch) -> Result<RecordBatch, Error> {
    let schema = batch.schema();
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        arrays.push(match field.data_type() {
            DataType::Utf8 => Arc::clone(array),
            // All instants in the one unit that the readers of text know best.
            DataType::Timestamp(_, zone) => {
                cast(&cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?, &DataType::Utf8)?
            }
            DataType::Dictionary(_, inner) if !inner.is_nested() => cast(array, &DataType::Utf8)?,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                cast(&cast(array, &DataType::Binary)?, &DataType::Utf8).or_else(|_| json(batch, field.name()))?
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => floats(array)?,
            kind if kind.is_nested() => json(batch, field.name())?,
            _ => cast(array, &DataType::Utf8)?,
        });
    }
    let fields: Vec<_> =
        schema.fields().iter().map(|field| arrow::datatypes::Field::new(field.name(), DataType::Utf8, true)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn floats(array: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    let texts = cast(array, &DataType::Utf8)?;
    let numbers = cast(array, &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>().iter();
    let texts = texts.as_string::<i32>().iter().zip(numbers).map(|(text, number)| match number.and_then(whole) {
        Some(whole) => Some(Cow::Owned(whole.to_string())),
        None => text.map(Cow::Borrowed),
    });
    Ok(Arc::new(texts.collect::<StringArray>()))
}

fn json(batch: &RecordBatch, column: &str) -> Result<ArrayRef, arrow::error::ArrowError> {
    let index = batch.schema().index_of(column)?;
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(&batch.project(&[index])?)?;
    writer.finish()?;
    let array = batch.column(index);
    let lines = writer.into_inner();
    let values = lines.split(|byte| *byte == b'\n').take(batch.num_rows()).enumerate().map(|(row, line)| {
        let object: serde_json::Value = serde_json::from_slice(line).ok()?;
        array.is_valid(row).then(|| object.get(column).map(ToString::to_string)).flatten()
    });
    Ok(Arc::new(values.collect::<StringArray>()))
}
