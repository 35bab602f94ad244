//! Which of several conditions an event meets: the steps of a funnel, the start of an exploration.
use crate::input::{Chunk, Event, RowRef};
use crate::{Error, Goal, INPUT_COLUMNS};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use safar_model::table::{VISITOR, instant};
use std::sync::Arc;

/// How many conditions are asked for at once.
pub const CONDITIONS_MOST: usize = 32;

/// Conditions in the words of goals: an event meets one when all that the [`Goal`] asks for holds. How often a goal counts and
/// what it is worth make no difference here.
#[derive(Clone, Debug)]
pub struct Conditions {
    goals: Vec<Goal>,
    columns: Vec<&'static str>,
}

impl Conditions {
    /// At most [`CONDITIONS_MOST`] conditions.
    ///
    /// # Errors
    /// When there are more, or one asks for nothing.
    pub fn new(goals: Vec<Goal>) -> Result<Self, Error> {
        if goals.len() > CONDITIONS_MOST {
            return Err(Error::TooManyConditions { most: CONDITIONS_MOST, found: goals.len() });
        }
        let mut columns = vec!["interaction", "page_url"];
        for goal in &goals {
            if goal.asks_for_nothing() {
                return Err(Error::GoalWithoutCondition { name: goal.name.clone() });
            }
            columns.extend((!goal.events.is_empty()).then_some("name"));
            for test in &goal.tests {
                let column = INPUT_COLUMNS.into_iter().skip(2).find(|column| *column == test.field);
                columns.push(column.unwrap_or("properties"));
                columns.extend(VISITOR.contains(&&*test.field).then_some("properties"));
            }
        }
        columns.sort_unstable();
        columns.dedup();
        Ok(Self { goals, columns })
    }

    /// The columns of `events` that it must be shown.
    #[must_use]
    pub fn columns(&self) -> &[&'static str] {
        &self.columns
    }

    /// For each row a bit for each condition that it meets, the first condition's the lowest. `arrays` are
    /// [`Conditions::columns`], in that order and as long as each other.
    ///
    /// # Errors
    /// When an array has another type than the column.
    pub fn met(&self, arrays: &[ArrayRef]) -> Result<Vec<u32>, Error> {
        let rows = arrays.first().map_or(0, |array| array.len());
        let column = |name: &str| -> ArrayRef {
            let given = self.columns.iter().position(|column| *column == name).and_then(|at| arrays.get(at));
            match (given, name) {
                (Some(array), _) => Arc::clone(array),
                (None, "person_id") => Arc::new(Int64Array::from(vec![0; rows])),
                (None, "occurred_at") => {
                    Arc::new(arrow::array::TimestampMicrosecondArray::from(vec![0; rows]).with_timezone("UTC"))
                }
                (None, "value") => new_null_array(&DataType::Float64, rows),
                (None, _) => new_null_array(&DataType::Utf8, rows),
            }
        };
        let arrays: Vec<ArrayRef> = INPUT_COLUMNS.into_iter().map(column).collect();
        let fields = INPUT_COLUMNS.into_iter().zip(&arrays).map(|(name, array)| {
            let kind = if name == "occurred_at" { instant() } else { array.data_type().clone() };
            Field::new(name, kind, true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let chunks = [Chunk::new(&RecordBatch::try_new_with_options(schema, arrays, &options)?)?];
        Ok((0..rows)
            .map(|row| {
                let at = RowRef::new(&chunks, 0, row);
                let event = Event::of(&chunks[0], &at);
                let bits = self.goals.iter().enumerate();
                bits.fold(0, |met, (bit, goal)| met | u32::from(goal.is_reached_by(&event)) << bit)
            })
            .collect())
    }
}

impl Goal {
    /// Whether every event would reach it.
    pub(crate) fn asks_for_nothing(&self) -> bool {
        self.events.is_empty() && self.pages.is_empty() && self.interactions.is_empty() && self.tests.is_empty()
    }
}

/// What an event is called where every step of a person is shown: the path of the page that was seen, else the event's name.
///
/// ```
/// assert_eq!(safar_journey::step_label("page_view", Some("https://shop.example/tea?x=1")), "/tea");
/// assert_eq!(safar_journey::step_label("add_to_cart", Some("https://shop.example/tea")), "add_to_cart");
/// ```
#[must_use]
pub fn step_label<'a>(name: &'a str, page_url: Option<&'a str>) -> &'a str {
    page_label(name, page_url).unwrap_or(name)
}

/// The path of the page that an event saw; `None` where it saw none.
#[must_use]
pub fn page_label<'a>(name: &str, page_url: Option<&'a str>) -> Option<&'a str> {
    page_url.filter(|_| crate::session::names_page_view(name)).map(crate::input::page_path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Must;
    use arrow::array::StringArray;

    #[test]
    fn an_event_meets_what_goals_ask_for() {
        let named = |name: &str| Goal { events: vec![name.to_owned()], ..Goal::default() };
        let paged = Goal { events: vec![], pages: vec!["/cart*".to_owned()], ..Goal::default() };
        let tested = Goal {
            events: vec![],
            tests: vec![crate::FieldTest { field: "plan".to_owned(), must: Must::Be(vec!["pro".to_owned()]) }],
            ..Goal::default()
        };
        let conditions = Conditions::new(vec![named("purchase"), paged, tested]).unwrap();
        assert_eq!(conditions.columns(), ["interaction", "name", "page_url", "properties"]);
        let text = |texts: [Option<&str>; 3]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        let arrays = [
            text([None, Some("impression"), None]),
            text([Some("Purchase"), Some("ad"), Some("sign_up")]),
            text([Some("/cart/done"), Some("/cart"), None]),
            text([None, None, Some("{\"plan\":\"pro\"}")]),
        ];
        // An impression shows a page's address without the page being seen.
        assert_eq!(conditions.met(&arrays).unwrap(), [0b011, 0, 0b100]);
    }
}
