//! The table that a report answers with.
use super::Note;
use crate::Result;
use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    compute::{cast, concat_batches},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::prelude::DataFrame;
use safar_model::Micros;
use std::{collections::HashMap, sync::Arc};

/// The key of a column's unit in the metadata of its field: `people`, `seconds`, `percent` (as a part of 1), or a currency.
pub const UNIT: &str = "unit";

/// Rows with named columns, and what must be said beside them: a [`Note`], or a text where only the command line says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<N = Note> {
    /// The rows; fields of numbers carry their [`UNIT`] where they have one.
    pub rows: RecordBatch,
    /// Sentences about how the numbers were made and what they leave out.
    pub notes: Vec<N>,
}

impl<N> Answer<N> {
    /// Columns as long as each other.
    pub(super) fn new<'a>(columns: impl IntoIterator<Item = (&'a str, ArrayRef)>) -> Result<Self> {
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        Ok(Self { rows: RecordBatch::try_from_iter_with_nullable(columns)?, notes: vec![] })
    }

    /// All rows of a query.
    pub(super) async fn of(frame: DataFrame) -> Result<Self> {
        let schema = SchemaRef::new(frame.schema().as_arrow().clone());
        let rows = concat_batches(&schema, &frame.collect().await?)?;
        // Texts come out of some functions as views, which not every format takes.
        let named = rows.schema();
        let columns = named.fields().iter().zip(rows.columns()).map(|(field, column)| {
            let column =
                if column.data_type() == &DataType::Utf8View { cast(column, &DataType::Utf8)? } else { column.clone() };
            Ok((field.name().as_str(), column))
        });
        Self::new(columns.collect::<Result<Vec<_>>>()?)
    }

    /// Says what `columns` are counted in.
    pub(super) fn unit(self, unit: &str, columns: &[&str]) -> Result<Self> {
        let marked = |field: &Arc<Field>| {
            if !columns.contains(&field.name().as_str()) {
                return Arc::clone(field);
            }
            let unit = HashMap::from([(UNIT.to_owned(), unit.to_owned())]);
            Arc::new(field.as_ref().clone().with_metadata(unit))
        };
        let fields: Vec<_> = self.rows.schema().fields().iter().map(marked).collect();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), self.rows.columns().to_vec())?;
        Ok(Self { rows, notes: self.notes })
    }

    pub(super) fn note(mut self, sentence: impl Into<N>) -> Self {
        self.notes.push(sentence.into());
        self
    }
}

pub(super) fn texts<T: AsRef<str>>(of: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(of))
}

pub(super) fn maybe_texts<T: AsRef<str>>(of: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(of.into_iter().collect::<StringArray>())
}

/// Counts.
pub(super) fn counts(of: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(of.into_iter().map(|count| i64::try_from(count).ok()).collect::<Int64Array>())
}

pub(super) fn maybe_counts(of: impl IntoIterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(of.into_iter().map(|count| i64::try_from(count?).ok()).collect::<Int64Array>())
}

/// Numbers; what is not defined is null.
pub(super) fn numbers(of: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(of.into_iter().collect::<Float64Array>())
}

pub(super) fn flags(of: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(of.into_iter().map(Some).collect::<BooleanArray>())
}

pub(super) fn dates(of: impl IntoIterator<Item = jiff::civil::Date>) -> ArrayRef {
    let epoch = jiff::civil::date(1970, 1, 1);
    let days = of.into_iter().map(|day| (day - epoch).get_days());
    Arc::new(Date32Array::from_iter_values(days))
}

pub(super) fn instants(of: impl IntoIterator<Item = Option<Micros>>) -> ArrayRef {
    Arc::new(of.into_iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// A part of a whole; null where the whole is nothing.
pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole != 0.0).then(|| part / whole)
}
