//! A column of counts or values, as numbers of double precision.
use super::{Problem, columns::Column};
use arrow_array::{
    Array, ArrayRef, Float64Array,
    cast::AsArray,
    types::{
        Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Float16Type, Float32Type,
        Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::DataType;
use safar_attribution::WEIGHT_MAX;

/// Whole numbers below are exact in double precision.
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
        let Some(numbers) = doubles(array) else {
            let name = &column.name;
            return Err(Problem::table(format!(
                "column `{name}` holds {kind}, not numbers; convert it to numbers first"
            )));
        };
        Ok(Self {
            numbers,
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
        self.value_at(row, row)
    }

    /// That at `place`, for the row that is called so.
    pub fn value_at(&self, place: usize, row: usize) -> Result<f64, Problem> {
        if self.numbers.is_null(place) {
            return Ok(0.0);
        }
        let number = self.numbers.value(place);
        if !number.is_finite() || number.abs() > WEIGHT_MAX {
            return Err(self.problem(
                row,
                "too large or not finite:",
                &number.to_string(),
                "write a number below 1e100",
            ));
        }
        if self.is_wide && number.abs() >= EXACT {
            let hint = "convert the column to doubles if rounding is meant";
            return Err(self.problem(row, "2^53 or more, so not exact as a double:", &number.to_string(), hint));
        }
        Ok(number)
    }

    /// Yes or no, as truth or as 1 and 0.
    pub fn truth(&self, row: usize) -> Result<bool, Problem> {
        let known = !self.numbers.is_null(row);
        match self.numbers.value(row) {
            number if known && number == 1.0 => Ok(true),
            number if known && number == 0.0 => Ok(false),
            number => {
                let value = if known { number.to_string() } else { "null".to_owned() };
                Err(self.problem(row, "neither true nor false:", &value, "write true or false, or 1 or 0"))
            }
        }
    }

    fn problem(&self, row: usize, problem: &str, value: &str, hint: &str) -> Problem {
        Problem::row(self.before + row, &self.name, problem, value, hint)
    }
}

/// `None` for what is no number.
fn doubles(array: &ArrayRef) -> Option<Float64Array> {
    Some(match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().clone(),
        DataType::Float32 => array.as_primitive::<Float32Type>().unary(f64::from),
        DataType::Float16 => array.as_primitive::<Float16Type>().unary(f64::from),
        DataType::Int8 => array.as_primitive::<Int8Type>().unary(f64::from),
        DataType::Int16 => array.as_primitive::<Int16Type>().unary(f64::from),
        DataType::Int32 => array.as_primitive::<Int32Type>().unary(f64::from),
        #[expect(clippy::cast_precision_loss, reason = "numbers that are not exact are refused")]
        DataType::Int64 => array.as_primitive::<Int64Type>().unary(|number| number as f64),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().unary(f64::from),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().unary(f64::from),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().unary(f64::from),
        #[expect(clippy::cast_precision_loss, reason = "numbers that are not exact are refused")]
        DataType::UInt64 => array.as_primitive::<UInt64Type>().unary(|number| number as f64),
        DataType::Decimal32(..) => decimals::<Decimal32Type>(array),
        DataType::Decimal64(..) => decimals::<Decimal64Type>(array),
        DataType::Decimal128(..) => decimals::<Decimal128Type>(array),
        DataType::Decimal256(..) => decimals::<Decimal256Type>(array),
        DataType::Boolean => array.as_boolean().iter().map(|truth| truth.map(f64::from)).collect(),
        DataType::Null => Float64Array::new_null(array.len()),
        _ => return None,
    })
}

/// By way of their text, which rounds once, as a path file is read.
fn decimals<D: DecimalType>(array: &ArrayRef) -> Float64Array {
    let decimals = array.as_primitive::<D>();
    let number = |row| if decimals.is_valid(row) { decimals.value_as_string(row).parse().ok() } else { None };
    (0..decimals.len()).map(number).collect()
}
