//! The column of ages: for each path a list with the time from each touch to the outcome.
use super::{Problem, columns::Column, spans::Spans};
use arrow_array::{
    Array, ArrayRef, Int64Array,
    cast::AsArray,
    types::{
        DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Int32Type,
        Int64Type,
    },
};
use arrow_schema::{DataType, TimeUnit};
use safar_model::Micros;

/// The ages of one batch.
pub struct Ages {
    spans: Spans,
    /// Those past the range of microseconds are null.
    micros: Int64Array,
    name: String,
    before: usize,
}

impl Ages {
    /// Takes lists of durations, or of whole numbers of microseconds.
    pub fn new(array: &ArrayRef, column: &Column, before: usize) -> Result<Self, Problem> {
        let name = &column.name;
        let found = Spans::of(array).and_then(|(spans, ages)| Some((spans, micros(&ages, name)?)));
        let Some((spans, micros)) = found else {
            return Err(Problem::table(format!(
                "column `{name}` holds {}; ages are lists of durations, or of whole numbers of microseconds",
                array.data_type()
            )));
        };
        Ok(Self { spans, micros: micros?, name: name.clone(), before })
    }

    /// The ages of the path at `row`, which has `touches` touches.
    pub fn of(&self, row: usize, touches: usize) -> Result<&[Micros], Problem> {
        let wrong =
            |problem: &str, value: &str, hint: &str| Problem::row(self.before + row, &self.name, problem, value, hint);
        let span = self.spans.get(row).unwrap_or(0..0);
        if span.len() != touches {
            let (problem, hint) = (format!("{} ages for a path of", span.len()), "give one age for each touch");
            return Err(wrong(&problem, &format!("{touches} touches"), hint));
        }
        if let Some(null) = span.clone().find(|index| self.micros.is_null(*index)) {
            let hint = "give the age of every touch, or leave the column out";
            return Err(wrong(
                "no age, or one past 292,000 years, at touch",
                &(null - span.start + 1).to_string(),
                hint,
            ));
        }
        let ages = &self.micros.values()[span];
        match ages.iter().find(|age| **age < 0) {
            None => Ok(ages),
            Some(age) => Err(wrong(
                "a touch after the outcome, its age in microseconds is",
                &age.to_string(),
                "an age is the time from the touch to the outcome, 0 or more",
            )),
        }
    }
}

/// Durations as microseconds, which are read where they lie; other units and numbers are converted. `None` for what is
/// no age.
fn micros(ages: &ArrayRef, name: &str) -> Option<Result<Int64Array, Problem>> {
    let unit = match ages.data_type() {
        DataType::Duration(unit) => *unit,
        DataType::Int64 => return Some(Ok(ages.as_primitive::<Int64Type>().clone())),
        DataType::Int32 => return Some(Ok(ages.as_primitive::<Int32Type>().unary(i64::from))),
        // Lists that are all empty.
        DataType::Null => return Some(Ok(Int64Array::new_null(ages.len()))),
        _ => return None,
    };
    let ages = match unit {
        TimeUnit::Second => ages.as_primitive::<DurationSecondType>().reinterpret_cast(),
        TimeUnit::Millisecond => ages.as_primitive::<DurationMillisecondType>().reinterpret_cast(),
        TimeUnit::Microsecond => ages.as_primitive::<DurationMicrosecondType>().reinterpret_cast(),
        TimeUnit::Nanosecond => ages.as_primitive::<DurationNanosecondType>().reinterpret_cast(),
    };
    Some(in_micros(ages, unit, name))
}

/// Times of a unit in microseconds; those past the range of microseconds are null.
pub fn in_micros(times: Int64Array, unit: TimeUnit, name: &str) -> Result<Int64Array, Problem> {
    match unit {
        TimeUnit::Second => Ok(times.unary_opt(|time| time.checked_mul(1_000_000))),
        TimeUnit::Millisecond => Ok(times.unary_opt(|time| time.checked_mul(1000))),
        TimeUnit::Microsecond => Ok(times),
        TimeUnit::Nanosecond => {
            if let Some(time) = times.iter().flatten().find(|time| time % 1000 != 0) {
                return Err(Problem::table(format!(
                    "column `{name}`: a time of {time} ns is finer than a microsecond; round the times to microseconds \
                     first"
                )));
            }
            Ok(times.unary(|time| time / 1000))
        }
    }
}
