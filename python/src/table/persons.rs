//! The column that says whose a row is.
use super::{Problem, columns::Column, labels::Labels};
use arrow_array::{
    Array, ArrayRef, UInt64Array,
    cast::AsArray,
    types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type},
};
use arrow_schema::DataType;
use safar_attribution::uncertainty::person_of;
use std::ops::Range;

/// The people of one batch.
pub struct Persons {
    ids: Ids,
    name: String,
    before: usize,
}

enum Ids {
    Numbers(UInt64Array),
    Texts(Labels),
}

impl Persons {
    /// Takes whole numbers, which stand for themselves, or text.
    pub fn new(array: &ArrayRef, column: &Column, before: usize) -> Result<Self, Problem> {
        let name = &column.name;
        let ids = numbers(array).map(Ids::Numbers).or_else(|| Labels::new(array).map(Ids::Texts)).ok_or_else(|| {
            let kind = array.data_type();
            Problem::table(format!("column `{name}` holds {kind}; ids of people are whole numbers or text"))
        })?;
        Ok(Self { ids, name: name.clone(), before })
    }

    /// Writes the numbers of the people of `rows`.
    pub fn read(&self, rows: Range<usize>, persons: &mut Vec<u64>) -> Result<(), Problem> {
        rows.into_iter().try_for_each(|row| {
            persons.push(self.of(row)?);
            Ok(())
        })
    }

    fn of(&self, row: usize) -> Result<u64, Problem> {
        let person = match &self.ids {
            Ids::Numbers(numbers) => numbers.is_valid(row).then(|| numbers.value(row)),
            Ids::Texts(texts) => texts.get(row).map(person_of),
        };
        person.ok_or_else(|| {
            let hint = "say whose every row is, or drop the column: then each outcome is a person of its own";
            Problem::row(self.before + row, &self.name, "no person:", "null", hint)
        })
    }
}

/// `None` for what is no whole number.
fn numbers(array: &ArrayRef) -> Option<UInt64Array> {
    Some(match array.data_type() {
        DataType::UInt64 => array.as_primitive::<UInt64Type>().clone(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().unary(u64::from),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().unary(u64::from),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().unary(u64::from),
        DataType::Int64 => array.as_primitive::<Int64Type>().unary(i64::cast_unsigned),
        DataType::Int32 => array.as_primitive::<Int32Type>().unary(|id| i64::from(id).cast_unsigned()),
        DataType::Int16 => array.as_primitive::<Int16Type>().unary(|id| i64::from(id).cast_unsigned()),
        DataType::Int8 => array.as_primitive::<Int8Type>().unary(|id| i64::from(id).cast_unsigned()),
        _ => return None,
    })
}
