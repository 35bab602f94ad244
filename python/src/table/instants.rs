//! Columns of instants, one a row or a list a row.
use super::{Problem, ages::in_micros, columns::Column, spans::Spans};
use arrow_array::{
    Array, ArrayRef, Int64Array,
    cast::AsArray,
    types::{
        Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    },
};
use arrow_schema::{DataType, TimeUnit};
use safar_model::Micros;

/// The instants of one batch.
pub struct Instants {
    /// Where those of each row are; `None` where each row has one.
    spans: Option<Spans>,
    /// Those past the range of microseconds are null.
    micros: Int64Array,
    name: String,
    before: usize,
}

impl Instants {
    /// Takes time stamps, or whole microseconds since 1970 in UTC.
    pub fn new(array: &ArrayRef, column: &Column, before: usize) -> Result<Self, Problem> {
        let (spans, instants) = match Spans::of(array) {
            Some((spans, items)) => (Some(spans), items),
            None => (None, array.clone()),
        };
        let name = &column.name;
        let micros = micros(&instants, name).ok_or_else(|| {
            Problem::table(format!(
                "column `{name}` holds {}; instants are time stamps, or whole microseconds since 1970",
                array.data_type()
            ))
        })?;
        Ok(Self { spans, micros: micros?, name: name.clone(), before })
    }

    /// Those of the list at `row`; a row without a list has none.
    pub fn all(&self, row: usize) -> Result<&[Micros], Problem> {
        let Some(spans) = &self.spans else {
            return Err(Problem::table(format!("column `{}` holds one instant a row; it takes a list", self.name)));
        };
        let span = spans.get(row).unwrap_or(0..0);
        if span.clone().any(|index| self.micros.is_null(index)) {
            return Err(self.absent(row));
        }
        Ok(&self.micros.values()[span])
    }

    /// The only one at `row`.
    pub fn one(&self, row: usize) -> Result<Micros, Problem> {
        if self.spans.is_some() {
            return Err(Problem::table(format!("column `{}` holds lists; it takes one instant a row", self.name)));
        }
        if self.micros.is_null(row) { Err(self.absent(row)) } else { Ok(self.micros.value(row)) }
    }

    fn absent(&self, row: usize) -> Problem {
        let problem = "no instant, or one past 292,000 years:";
        Problem::row(self.before + row, &self.name, problem, "null", "write when it was, or leave it out")
    }
}

/// `None` for what is no instant.
fn micros(instants: &ArrayRef, name: &str) -> Option<Result<Int64Array, Problem>> {
    let unit = match instants.data_type() {
        DataType::Timestamp(unit, _) => *unit,
        DataType::Int64 => return Some(Ok(instants.as_primitive::<Int64Type>().clone())),
        // Lists that are all empty.
        DataType::Null => return Some(Ok(Int64Array::new_null(instants.len()))),
        _ => return None,
    };
    let instants = match unit {
        TimeUnit::Second => instants.as_primitive::<TimestampSecondType>().reinterpret_cast(),
        TimeUnit::Millisecond => instants.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
        TimeUnit::Microsecond => instants.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
        TimeUnit::Nanosecond => instants.as_primitive::<TimestampNanosecondType>().reinterpret_cast(),
    };
    Some(in_micros(instants, unit, name))
}
