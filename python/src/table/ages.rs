//! The column of ages: for each path a list with the time from each touch to the outcome.
use super::{Problem, columns::Column};
use arrow_array::{
    Array, ArrayRef, Int64Array, LargeListArray,
    cast::AsArray,
    types::{DurationMicrosecondType, DurationNanosecondType, Int64Type},
};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, TimeUnit};
use safar_model::Micros;
use std::sync::Arc;

/// The ages of one batch.
pub struct Ages {
    lists: LargeListArray,
    micros: Int64Array,
    name: String,
    before: usize,
}

impl Ages {
    /// Takes lists of durations, or of whole numbers of microseconds.
    pub fn new(array: &ArrayRef, column: &Column, before: usize) -> Result<Self, Problem> {
        let name = &column.name;
        let wrong = || {
            Problem::table(format!(
                "column `{name}` holds {}; ages are lists of durations, or of whole numbers of microseconds",
                array.data_type()
            ))
        };
        let kind = match array.data_type() {
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field)
            | DataType::FixedSizeList(field, _) => field.data_type().clone(),
            _ => return Err(wrong()),
        };
        let lists = cast(array, &DataType::LargeList(Arc::new(Field::new("item", kind, true)))).map_err(|_| wrong())?;
        let lists = lists.as_list::<i64>().clone();
        let values = lists.values();
        let micros = match values.data_type() {
            DataType::Duration(unit) => {
                if *unit == TimeUnit::Nanosecond {
                    whole_micros(values, name)?;
                }
                let micros = cast(values, &DataType::Duration(TimeUnit::Microsecond)).map_err(|_| wrong())?;
                micros.as_primitive::<DurationMicrosecondType>().reinterpret_cast::<Int64Type>()
            }
            kind if kind.is_integer() || *kind == DataType::Null => {
                let micros = cast(values, &DataType::Int64).map_err(|_| wrong())?;
                micros.as_primitive::<Int64Type>().clone()
            }
            _ => return Err(wrong()),
        };
        Ok(Self { lists, micros, name: column.name.clone(), before })
    }

    /// The ages of the path at `row`, which has `touches` touches.
    pub fn of(&self, row: usize, touches: usize) -> Result<&[Micros], Problem> {
        let wrong =
            |problem: &str, value: &str, hint: &str| Problem::row(self.before + row, &self.name, problem, value, hint);
        let (from, to) = (self.lists.value_offsets()[row], self.lists.value_offsets()[row + 1]);
        let (from, to) = match self.lists.is_valid(row) {
            true => (usize::try_from(from).unwrap_or_default(), usize::try_from(to).unwrap_or_default()),
            false => (0, 0),
        };
        if to - from != touches {
            let (ages, hint) = (to - from, "give one age for each touch");
            return Err(wrong(&format!("{ages} ages for a path of"), &format!("{touches} touches"), hint));
        }
        if let Some(null) = (from..to).find(|index| self.micros.is_null(*index)) {
            let hint = "give the age of every touch, or leave the column out";
            return Err(wrong("no age, or one past 292,000 years, at touch", &(null - from + 1).to_string(), hint));
        }
        let ages = &self.micros.values()[from..to];
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

/// Nanoseconds are accepted where they are whole microseconds, which is what is stored.
fn whole_micros(values: &ArrayRef, name: &str) -> Result<(), Problem> {
    match values.as_primitive::<DurationNanosecondType>().iter().flatten().find(|age| age % 1000 != 0) {
        None => Ok(()),
        Some(age) => Err(Problem::table(format!(
            "column `{name}`: an age of {age} ns is finer than a microsecond; round the ages to microseconds first"
        ))),
    }
}
