//! Reads paths from a table, one path a row, out of the caller's own Arrow buffers.
mod ages;
mod columns;
mod numbers;
mod touches;

pub use columns::ColumnNames;

use crate::names::Names;
use ages::Ages;
use arrow_array::RecordBatch;
use columns::Columns;
use numbers::Numbers;
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};
use pyo3_arrow::input::AnyRecordBatch;
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
    if !(table.hasattr("__arrow_c_stream__")? || table.hasattr("__arrow_c_array__")?) {
        let kind = table.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "a `{kind}` is no table; give a pyarrow, polars or pandas (2.2 or later) table, or anything else that \
             has `__arrow_c_stream__`"
        )));
    }
    let source = table.extract::<AnyRecordBatch>()?.into_reader()?;
    let columns = Columns::find(&source.schema(), names)?;
    let mut reader = Reader { columns, separator, names: Names::default(), paths: PathsBuilder::default() };
    let (mut source, mut before) = (source, 0);
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
        let columns = &self.columns;
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
            py.detach(|| self.rows(&mut ready, rows))?;
            py.check_signals()?;
        }
        Ok(())
    }

    fn rows(&mut self, batch: &mut Batch<'_>, rows: Range<usize>) -> Result<(), Problem> {
        let mut channels = vec![];
        for row in rows {
            channels.clear();
            batch.touches.read(row, self.separator, &mut self.names, &mut channels)?;
            self.paths.push(PathRef {
                channels: &channels,
                ages: batch.ages.as_ref().map(|ages| ages.of(row, channels.len())).transpose()?,
                conversions: batch.conversions.count(row)?,
                value: batch.value.as_ref().map_or(Ok(0.0), |value| value.value(row))?,
                nulls: batch.nulls.as_ref().map_or(Ok(0.0), |nulls| nulls.count_or_none(row))?,
            });
        }
        Ok(())
    }
}
