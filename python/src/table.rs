//! Reads tables out of the caller's own Arrow buffers: paths, one a row ([`read`]), timelines, one a row
//! ([`timelines`]), and plain numbers ([`numbers_of`]).
mod ages;
mod columns;
mod instants;
mod labels;
mod numbers;
mod persons;
mod spans;
pub mod timelines;
mod touches;

pub use columns::{ColumnNames, Wanted};
pub use numbers::Numbers;

use crate::names::Names;
use ages::Ages;
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader, ffi_stream::ArrowArrayStreamReader};
use arrow_pyarrow::FromPyArrow;
use columns::Columns;
use persons::Persons;
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

/// The batches of `table`, which are read where they lie.
///
/// # Errors
/// `TypeError` for what is no table.
fn open(table: &Bound<'_, PyAny>) -> PyResult<Box<dyn RecordBatchReader + Send>> {
    Ok(if table.hasattr("__arrow_c_stream__")? {
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
    })
}

/// Hands over one batch after the other, with the number of rows before it, and lets it go.
fn batches(
    py: Python<'_>,
    mut source: Box<dyn RecordBatchReader + Send>,
    mut each: impl FnMut(&RecordBatch, usize) -> PyResult<()>,
) -> PyResult<()> {
    let mut before = 0;
    loop {
        // The source may be Python's own: it takes the interpreter's lock itself where it needs it.
        let (next, rest) = py.detach(move || (source.next(), source));
        source = rest;
        let Some(batch) = next else { return Ok(()) };
        let batch = batch.map_err(|error| PyValueError::new_err(format!("the table cannot be read: {error}")))?;
        each(&batch, before)?;
        before += batch.num_rows();
    }
}

/// The rows of a batch, in pieces between which Ctrl-C is heard.
fn pieces(
    py: Python<'_>,
    rows: usize,
    mut each: impl FnMut(Range<usize>) -> Result<(), Problem> + Send,
) -> PyResult<()> {
    for start in (0..rows).step_by(ROWS) {
        py.detach(|| each(start..(start + ROWS).min(rows)))?;
        py.check_signals()?;
    }
    Ok(())
}

/// Reads paths, the names of their channels, and whose each path is, where a column says so. Nothing is copied on the way
/// but what the paths themselves take.
///
/// # Errors
/// `TypeError` for what is no table; `ValueError` for a row that cannot be read; `KeyboardInterrupt`.
pub fn read(table: &Bound<'_, PyAny>, names: &ColumnNames, separator: &str) -> PyResult<Read> {
    let (py, source) = (table.py(), open(table)?);
    let columns = Columns::find(&source.schema(), names)?;
    let persons = columns.person.as_ref().map(|_| vec![]);
    let mut reader = Reader { columns, separator, names: Names::default(), paths: PathsBuilder::default(), persons };
    batches(py, source, |batch, before| reader.batch(py, batch, before))?;
    Ok(Read { paths: reader.paths.finish(), channels: reader.names.finish(), persons: reader.persons })
}

/// What was read.
pub struct Read {
    pub paths: Paths,
    /// Their names.
    pub channels: Vec<String>,
    /// By path.
    pub persons: Option<Vec<u64>>,
}

/// Hands over the numbers of the `wanted` columns row by row: `each` gets them and the place of the row among them.
///
/// # Errors
/// As [`read`].
pub fn numbers_of<const N: usize>(
    table: &Bound<'_, PyAny>,
    wanted: [Wanted<'_>; N],
    mut each: impl FnMut(&[Option<Numbers>; N], usize) -> Result<(), Problem> + Send,
) -> PyResult<()> {
    let (py, source) = (table.py(), open(table)?);
    let schema = source.schema();
    let columns = wanted.iter().map(|wanted| wanted.find(&schema)).collect::<Result<Vec<_>, _>>()?;
    batches(py, source, |batch, before| {
        let mut numbers = [const { None }; N];
        for (numbers, column) in numbers.iter_mut().zip(&columns) {
            if let Some(column) = column {
                *numbers = Some(Numbers::new(batch.column(column.index), column, before)?);
            }
        }
        pieces(py, batch.num_rows(), |mut rows| rows.try_for_each(|row| each(&numbers, row)))
    })
}

struct Reader<'a> {
    columns: Columns,
    separator: &'a str,
    names: Names,
    paths: PathsBuilder,
    persons: Option<Vec<u64>>,
}

/// The columns of one batch, ready to be read.
struct Batch<'a> {
    touches: Touches<'a>,
    ages: Option<Ages>,
    conversions: Numbers,
    value: Option<Numbers>,
    nulls: Option<Numbers>,
    person: Option<Persons>,
}

impl Reader<'_> {
    fn batch(&mut self, py: Python<'_>, batch: &RecordBatch, before: usize) -> PyResult<()> {
        let Self { columns, separator, names, paths, persons } = self;
        let numbers = |column: &columns::Column| Numbers::new(batch.column(column.index), column, before);
        let mut ready = Batch {
            touches: Touches::new(batch.column(columns.path.index), &columns.path.name, before)?,
            ages: columns.ages.as_ref().map(|ages| Ages::new(batch.column(ages.index), ages, before)).transpose()?,
            conversions: numbers(&columns.conversions)?,
            value: columns.value.as_ref().map(numbers).transpose()?,
            nulls: columns.nulls.as_ref().map(numbers).transpose()?,
            person: columns.person.as_ref().map(|id| Persons::new(batch.column(id.index), id, before)).transpose()?,
        };
        pieces(py, batch.num_rows(), |rows| {
            if let (Some(persons), Some(person)) = (persons.as_mut(), &ready.person) {
                person.read(rows.clone(), persons)?;
            }
            ready.read(rows, separator, names, paths)
        })
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
