//! Cells as JSON: what the views, and the exports to CSV and JSON, are made of.
use super::{problem::Problem, reports::UNIT};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field, Float64Type, Int64Type, TimeUnit, UInt64Type},
    util::display::{ArrayFormatter, FormatOptions},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Number, Value};
use std::sync::Arc;
use utoipa::ToSchema;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A text; also keys of 63 bits, which JSON's numbers cannot hold.
    Text,
    /// A number with a fraction.
    Number,
    /// A whole number.
    Integer,
    /// An instant in UTC, or a day (RFC 3339).
    Time,
    /// true or false.
    Bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its cells are; any may be null.
    pub r#type: Kind,
    /// What its numbers count: a currency, `percent` (a part of 1), `seconds`, `people` …
    pub unit: Option<String>,
}

impl Column {
    /// Describes a column of a table.
    pub fn of(field: &Field) -> Self {
        let unit = field.metadata().get(UNIT).cloned();
        Self { name: field.name().clone(), r#type: kind(field), unit }
    }
}

fn kind(field: &Field) -> Kind {
    match field.data_type() {
        DataType::Boolean => Kind::Bool,
        _ if is_key(field) => Kind::Text,
        of if of.is_integer() => Kind::Integer,
        of if of.is_floating() || of.is_decimal() => Kind::Number,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Kind::Time,
        _ => Kind::Text,
    }
}

/// Keys use all 63 bits; a number of JavaScript holds 53.
fn is_key(field: &Field) -> bool {
    field.data_type().is_integer() && (field.name().ends_with("_id") || field.name() == "key")
}

/// One function from a row to its cell for each column.
pub fn cells(batch: &RecordBatch) -> Result<Vec<Vec<Value>>, Problem> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| values(field, column));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    Ok((0..batch.num_rows()).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect())
}

fn values(field: &Field, column: &ArrayRef) -> Result<Vec<Value>, Problem> {
    let is_valid = |row: &usize| column.is_valid(*row);
    let rows = 0..column.len();
    let each = |of: &dyn Fn(usize) -> Value| {
        rows.clone().map(|row| if is_valid(&row) { of(row) } else { Value::Null }).collect()
    };
    Ok(match field.data_type() {
        DataType::Boolean => {
            let flags = column.as_boolean();
            each(&|row| flags.value(row).into())
        }
        DataType::UInt64 if !is_key(field) => {
            let numbers = column.as_primitive::<UInt64Type>();
            each(&|row| numbers.value(row).into())
        }
        of if of.is_integer() && !is_key(field) => {
            let numbers = cast(column, &DataType::Int64)?;
            let numbers = numbers.as_primitive::<Int64Type>();
            each(&|row| numbers.value(row).into())
        }
        of if of.is_floating() || of.is_decimal() => {
            let numbers = cast(column, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            each(&|row| number(numbers.value(row)))
        }
        DataType::Timestamp(..) => {
            let instants = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            let instants = instants.as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
            each(&|row| {
                let at = instants.value(row);
                Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| at.to_string()).into()
            })
        }
        DataType::List(item) | DataType::LargeList(item) => {
            let lists = cast(column, &DataType::List(Arc::clone(item)))?;
            let lists = lists.as_list::<i32>();
            // What a list is called says what its items are: `touchpoint_ids` holds keys.
            let item = &Field::new(field.name().trim_end_matches('s'), item.data_type().clone(), true);
            let inner = rows.clone().map(|row| match lists.is_valid(row) {
                true => values(item, &lists.value(row)).map(Value::Array),
                false => Ok(Value::Null),
            });
            inner.collect::<Result<_, _>>()?
        }
        _ => {
            let options = FormatOptions::default();
            let texts = ArrayFormatter::try_new(column.as_ref(), &options)?;
            each(&|row| texts.value(row).to_string().into())
        }
    })
}

/// A number; JSON has no words for what is not finite, so that is a text.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number)
}
