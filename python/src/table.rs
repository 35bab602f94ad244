//! Reads paths from a table, one path a row, out of the caller's own Arrow buffers.
mod ages;
mod columns;
mod labels;
mod numbers;
mod spans;
mod touches;

pub use columns::ColumnNames;

use crate::names::Names;
use ages::Ages;
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader, ffi_stream::ArrowArrayStreamReader};
use arrow_pyarrow::FromPyArrow;
use columns::Columns;
use numbers::Numbers;
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};
use safar_model::{PathRef, Paths, PathsBuilder};
use std::ops::Range;
use touches::Touches;

/// Rows between two looks for Ctrl-C.
const ROWS: usize = 1 << 16;

/// What is wrong with a table, in one sentence with its way out.
pub struct Problem(String);

impl Problem {
    fn table(text: String) -> Self {
        Self(text)
    }

    /// `row` counts from 0 over the whole table, as the libraries count.
    fn row(row: usize, column: &str, problem: &str, value: &str, hint: &str) -> Self {
        let mut cut: String = value.chars().take(80).collect();
        if cut.len() < value.len() {
            cut.push('…');
        }
        Self(format!("row {row}, column `{column}`: {problem} `{cut}`; {hint}"))
    }
}

impl From<Problem> for PyErr {
    fn from(problem: Problem) -> Self {
        PyValueError::new_err(problem.0)
    }
}

/// Reads all batches of `table`. Nothing is copied on the way but what the paths themselves take: batches are read
/// where they lie, one after the other, and let go.
///
/// # Errors
/// `TypeError` for what is no table; `ValueError` for a row that cannot be read; `KeyboardInterrupt`.
pub fn read(table: &Bound<'_, PyAny>, names: &ColumnNames, separator: &str) -> PyResult<(Paths, Vec<String>)> {
    let py = table.py();
    let mut source: Box<dyn RecordBatchReader + Send> = if table.hasattr("__arrow_c_stream__")? {
        Box::new(ArrowArrayStreamReader::from_pyarrow_bound(table)?)
    } else if table.hasattr("__arrow_c_array__")? {
        let batch = RecordBatch::from_pyarrow_bound(table)?;
        let schema = batch.schema();
        Box::new(RecordBatchIterator::new([Ok(batch)], schema))
    } else {
        let kind = table.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "a `{kind}` is no table; give a pyarrow, polars or pandas (2.2 or later) table, or anything else that \
             has `__arrow_c_stream__`"
        )));
    };
    let columns = Columns::find(&source.schema(), names)?;
    let mut reader = Reader { columns, separator, names: Names::default(), paths: PathsBuilder::default() };
    let mut before = 0;
    loop {
        // The source may be Python's own: it takes the interpreter's lock itself where it needs it.
        let (next, rest) = py.detach(move || (source.next(), source));
        source = rest;
        let Some(batch) = next else { break };
        let batch = batch.map_err(|error| PyValueError::new_err(format!("the table cannot be read: {error}")))?;
        reader.batch(py, &batch, before)?;
        before += batch.num_rows();
    }
    Ok((reader.paths.finish(), reader.names.finish()))
}

struct Reader<'a> {
    columns: Columns,
    separator: &'a str,
    names: Names,
    paths: PathsBuilder,
}

/// The columns of one batch, ready to be read.
struct Batch<'a> {
    touches: Touches<'a>,
    ages: Option<Ages>,
    conversions: Numbers,
    value: Option<Numbers>,
    nulls: Option<Numbers>,
}

impl Reader<'_> {
    fn batch(&mut self, py: Python<'_>, batch: &RecordBatch, before: usize) -> PyResult<()> {
        let Self { columns, separator, names, paths } = self;
        let numbers = |column: &columns::Column| Numbers::new(batch.column(column.index), column, before);
        let mut ready = Batch {
            touches: Touches::new(batch.column(columns.path.index), &columns.path.name, before)?,
            ages: columns.ages.as_ref().map(|ages| Ages::new(batch.column(ages.index), ages, before)).transpose()?,
            conversions: numbers(&columns.conversions)?,
            value: columns.value.as_ref().map(numbers).transpose()?,
            nulls: columns.nulls.as_ref().map(numbers).transpose()?,
        };
        for start in (0..batch.num_rows()).step_by(ROWS) {
            let rows = start..(start + ROWS).min(batch.num_rows());
            py.detach(|| ready.read(rows, separator, names, paths))?;
            py.check_signals()?;
        }
        Ok(())
    }
}

impl Batch<'_> {
    fn read(
        &mut self,
        rows: Range<usize>,
        separator: &str,
        names: &mut Names,
        paths: &mut PathsBuilder,
    ) -> Result<(), Problem> {
        let mut channels = vec![];
        for row in rows {
            channels.clear();
            self.touches.read(row, separator, names, &mut channels)?;
            paths.push(PathRef {
                channels: &channels,
                ages: self.ages.as_ref().map(|ages| ages.of(row, channels.len())).transpose()?,
                conversions: self.conversions.count(row)?,
                value: self.value.as_ref().map_or(Ok(0.0), |value| value.value(row))?,
                nulls: self.nulls.as_ref().map_or(Ok(0.0), |nulls| nulls.count_or_none(row))?,
            });
        }
        Ok(())
    }
}
