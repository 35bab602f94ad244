//! A column of counts or values, as numbers of double precision.
use super::{Problem, columns::Column};
use arrow_array::{Array, ArrayRef, Float64Array, cast::AsArray, types::Float64Type};
use arrow_cast::cast;
use arrow_schema::DataType;
use safar_attribution::WEIGHT_MAX;

/// Whole numbers up to here are exact in double precision.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The numbers of one batch.
pub struct Numbers {
    numbers: Float64Array,
    /// Whole numbers that may be too large to be exact.
    is_wide: bool,
    name: String,
    before: usize,
}

impl Numbers {
    /// Doubles are read where they lie, other numbers and truth values are converted.
    pub fn new(array: &ArrayRef, column: &Column, before: usize) -> Result<Self, Problem> {
        let kind = array.data_type();
        if !(kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null)) {
            let name = &column.name;
            return Err(Problem::table(format!(
                "column `{name}` holds {kind}, not numbers; convert it to numbers first"
            )));
        }
        let numbers = cast(array, &DataType::Float64);
        let numbers = numbers.map_err(|error| Problem::table(format!("column `{}`: {error}", column.name)))?;
        Ok(Self {
            numbers: numbers.as_primitive::<Float64Type>().clone(),
            is_wide: matches!(kind, DataType::Int64 | DataType::UInt64),
            name: column.name.clone(),
            before,
        })
    }

    /// A count that must be there.
    pub fn count(&self, row: usize) -> Result<f64, Problem> {
        if self.numbers.is_null(row) {
            return Err(self.problem(
                row,
                "no count",
                "null",
                "write how many conversions the path brought, 0 or more",
            ));
        }
        self.count_or_none(row)
    }

    /// A count; none is 0, as an empty field of a path file is.
    pub fn count_or_none(&self, row: usize) -> Result<f64, Problem> {
        let number = self.value(row)?;
        if number < 0.0 {
            let hint = "counts are 0 or more; a refund is a negative value";
            return Err(self.problem(row, "negative count", &number.to_string(), hint));
        }
        Ok(number)
    }

    /// A value; none is 0, as an empty field of a path file is.
    pub fn value(&self, row: usize) -> Result<f64, Problem> {
        if self.numbers.is_null(row) {
            return Ok(0.0);
        }
        let number = self.numbers.value(row);
        if !number.is_finite() || number.abs() > WEIGHT_MAX {
            return Err(self.problem(
                row,
                "too large or not finite:",
                &number.to_string(),
                "write a number below 1e100",
            ));
        }
        if self.is_wide && number.abs() > EXACT {
            let hint = "convert the column to doubles if rounding is meant";
            return Err(self.problem(row, "past 2^53, so not exact as a double:", &number.to_string(), hint));
        }
        Ok(number)
    }

    fn problem(&self, row: usize, problem: &str, value: &str, hint: &str) -> Problem {
        Problem::row(self.before + row, &self.name, problem, value, hint)
    }
}
