//! Reads timelines, one person a row.
use super::{
    Problem, batches,
    columns::{Column, Wanted},
    instants::Instants,
    numbers::Numbers,
    open,
    persons::Persons,
    pieces,
    spans::Spans,
    touches::Touches,
};
use crate::names::Names;
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use pyo3::prelude::*;
use safar_model::{TimelineRef, Timelines};
use std::ops::Range;

/// The names that the caller gave; a column without a given name is looked for under the name of its field.
pub struct LineNames {
    /// Of the beginnings of observation.
    pub from: Option<String>,
    /// Of its ends.
    pub until: Option<String>,
    /// Of the channels of the touches.
    pub channels: Option<String>,
    /// Of the times of the touches.
    pub times: Option<String>,
    /// Of the times of the outcomes.
    pub outcomes: Option<String>,
    /// Of the values of the outcomes.
    pub values: Option<String>,
    /// Of the people.
    pub person: Option<String>,
}

struct Columns {
    from: Column,
    until: Column,
    channels: Column,
    times: Column,
    outcomes: Column,
    values: Option<Column>,
    person: Option<Column>,
}

impl Columns {
    fn find(schema: &Schema, names: &LineNames) -> Result<Self, Problem> {
        let needed = |given: &Option<String>, usual| super::columns::needed(schema, given.as_deref(), &[usual]);
        let maybe = |given: &Option<String>, usual| {
            Wanted { given: given.as_deref(), usual: &[usual], needed: false }.find(schema)
        };
        Ok(Self {
            from: needed(&names.from, "from")?,
            until: needed(&names.until, "until")?,
            channels: needed(&names.channels, "channels")?,
            times: needed(&names.times, "times")?,
            outcomes: needed(&names.outcomes, "outcomes")?,
            values: maybe(&names.values, "values")?,
            person: maybe(&names.person, "person")?,
        })
    }
}

/// Reads all timelines of `table`, the names of their channels, and whose each is, where a column says so.
///
/// # Errors
/// `TypeError` for what is no table; `ValueError` for a row that cannot be read; `KeyboardInterrupt`.
pub fn read(table: &Bound<'_, PyAny>, names: &LineNames) -> PyResult<Read> {
    let (py, source) = (table.py(), open(table)?);
    let columns = Columns::find(&source.schema(), names)?;
    let (mut names, mut lines) = (Names::default(), Timelines::default());
    let mut persons = columns.person.as_ref().map(|_| vec![]);
    batches(py, source, |batch, before| {
        let mut ready = Batch::new(&columns, batch, before)?;
        let person = columns.person.as_ref().map(|id| Persons::new(batch.column(id.index), id, before)).transpose()?;
        pieces(py, batch.num_rows(), |rows| {
            if let (Some(persons), Some(person)) = (persons.as_mut(), &person) {
                person.read(rows.clone(), persons)?;
            }
            ready.read(rows, &mut names, &mut lines)
        })
    })?;
    Ok(Read { lines, channels: names.finish(), persons })
}

/// What was read.
pub struct Read {
    pub lines: Timelines,
    /// Their names.
    pub channels: Vec<String>,
    /// By timeline.
    pub persons: Option<Vec<u64>>,
}

/// The columns of one batch, ready to be read.
struct Batch<'a> {
    from: Instants,
    until: Instants,
    channels: Touches<'a>,
    times: Instants,
    outcomes: Instants,
    values: Option<(Spans, Numbers)>,
}

impl<'a> Batch<'a> {
    fn new(columns: &'a Columns, batch: &RecordBatch, before: usize) -> Result<Self, Problem> {
        let instants = |column: &Column| Instants::new(batch.column(column.index), column, before);
        let values = |column: &Column| {
            let array = batch.column(column.index);
            let (spans, items) = Spans::of(array).ok_or_else(|| {
                let (name, kind) = (&column.name, array.data_type());
                Problem::table(format!("column `{name}` holds {kind}; it takes lists with the value of each outcome"))
            })?;
            Ok::<_, Problem>((spans, Numbers::new(&items, column, before)?))
        };
        Ok(Self {
            from: instants(&columns.from)?,
            until: instants(&columns.until)?,
            channels: Touches::new(batch.column(columns.channels.index), &columns.channels.name, before)?,
            times: instants(&columns.times)?,
            outcomes: instants(&columns.outcomes)?,
            values: columns.values.as_ref().map(values).transpose()?,
        })
    }

    fn read(&mut self, rows: Range<usize>, names: &mut Names, lines: &mut Timelines) -> Result<(), Problem> {
        let (mut channels, mut values) = (vec![], vec![]);
        for row in rows {
            channels.clear();
            self.channels.read(row, ">", names, &mut channels)?;
            let outcomes = self.outcomes.all(row)?;
            values.clear();
            match &self.values {
                None => values.resize(outcomes.len(), 0.0),
                Some((spans, numbers)) => {
                    for place in spans.get(row).unwrap_or(0..0) {
                        values.push(numbers.value_at(place, row)?);
                    }
                }
            }
            let line = TimelineRef {
                from: self.from.one(row)?,
                until: self.until.one(row)?,
                channels: &channels,
                times: self.times.all(row)?,
                outcomes,
                values: &values,
            };
            lines.push(line).map_err(|error| Problem::table(error.to_string()))?;
        }
        Ok(())
    }
}
