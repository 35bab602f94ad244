//! The answer of a report, before it is written in a format.
use crate::app::problem::{Code, Problem};
use arrow::{
    array::{RecordBatch, UInt64Array},
    compute::{SortOptions, concat_batches, take_record_batch},
    datatypes::{Field, Schema, SchemaRef},
    row::{RowConverter, SortField},
};
use safar_pipeline::report::{Answer, Note};
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::Arc};

pub use safar_pipeline::report::UNIT;

/// Rows and what must be known to read them.
#[derive(Clone, Debug)]
pub struct Table {
    /// The columns; fields of numbers carry their [`UNIT`] where they have one.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// What a reader must be told.
    pub notes: Vec<Note>,
    /// Of what was drawn by chance.
    pub seed: Option<u64>,
    /// The goal that was looked at.
    pub goal: Option<String>,
    /// What else the report says.
    pub extra: Map<String, Value>,
}

impl Table {
    /// Rows of several batches.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches, notes: vec![], seed: None, goal: None, extra: Map::new() }
    }

    /// Says what the numbers of some columns count.
    #[must_use]
    pub fn unit(mut self, unit: &str, columns: &[&str]) -> Self {
        let marked = |field: &Arc<Field>| match columns.contains(&field.name().as_str()) {
            false => Arc::clone(field),
            true => Arc::new(field.as_ref().clone().with_metadata(HashMap::from([(UNIT.to_owned(), unit.to_owned())]))),
        };
        self.schema = Arc::new(Schema::new(self.schema.fields().iter().map(marked).collect::<Vec<_>>()));
        self
    }

    /// Names the goal.
    #[must_use]
    pub fn goal(mut self, goal: Option<String>) -> Self {
        self.goal = goal;
        self
    }

    /// Adds what a reader must be told.
    #[must_use]
    pub fn notes(mut self, notes: impl IntoIterator<Item = Note>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// The same rows sorted by a column, from the smallest, or with `-` before its name from the largest. Rows without a value
    /// come last, equal ones stay in their order; texts go by their letters' numbers in Unicode.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for a column that is not there or cannot be sorted by.
    pub fn sorted(&self, by: &str) -> Result<Self, Problem> {
        let bad = |text: String| Problem::new(Code::BadRequest, text);
        let (name, descending) = by.strip_prefix('-').map_or((by, false), |name| (name, true));
        let index = self.schema.index_of(name).map_err(|_| {
            let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
            bad(format!("there is no column `{name}` to sort by; there are {}", names.join(", ")))
        })?;
        let options = SortOptions { descending, nulls_first: false };
        let field = SortField::new_with_options(self.schema.field(index).data_type().clone(), options);
        let converter = RowConverter::new(vec![field]);
        let converter = converter.map_err(|error| bad(format!("`{name}` cannot be sorted by: {error}")))?;
        let columns = self.batches.iter().map(|batch| batch.columns().to_vec());
        let batches = columns.map(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns));
        let whole = concat_batches(&self.schema, &batches.collect::<Result<Vec<_>, _>>()?)?;
        let keys = converter.convert_columns(&[Arc::clone(whole.column(index))])?;
        let mut order: Vec<u64> = (0..whole.num_rows() as u64).collect();
        order.sort_by(|a, b| keys.row(*a as usize).cmp(&keys.row(*b as usize)));
        let batch = take_record_batch(&whole, &UInt64Array::from(order))?;
        Ok(Self { batches: vec![batch], ..self.clone() })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// How much memory it uses, about.
    pub fn bytes(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum::<usize>() + 1024
    }
}

impl From<RecordBatch> for Table {
    fn from(batch: RecordBatch) -> Self {
        Self::new(batch.schema(), vec![batch])
    }
}

impl From<Answer> for Table {
    fn from(answer: Answer) -> Self {
        Self::from(answer.rows).notes(answer.notes)
    }
}
