//! The answer of a report, before it is written in a format.
use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema, SchemaRef},
};
use safar_pipeline::report::Answer;
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
    pub notes: Vec<String>,
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
    pub fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
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
