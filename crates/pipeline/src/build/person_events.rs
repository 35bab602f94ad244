//! The rows of `person_events`: events as they were told, each with its place in its person's journey.
use crate::Result;
use arrow::{
    array::{ArrayRef, AsArray, Int32Array, RecordBatch},
    compute::cast,
    datatypes::Int64Type,
};
use safar_model::{Table, bucket_of};
use std::{collections::VecDeque, sync::Arc};

/// Events whose places are not known yet, in the order of reading.
#[derive(Default)]
pub(super) struct Unplaced(VecDeque<RecordBatch>);

impl Unplaced {
    pub fn push(&mut self, events: RecordBatch) {
        self.0.push_back(events);
    }

    /// The rows of the next events, whose `places` these are.
    pub fn place(&mut self, places: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let (mut placed, mut start) = (vec![], 0);
        while start < places.num_rows()
            && let Some(events) = self.0.pop_front()
        {
            let rows = events.num_rows().min(places.num_rows() - start);
            placed.push(row_by_row(&events.slice(0, rows), &places.slice(start, rows))?);
            if rows < events.num_rows() {
                self.0.push_front(events.slice(rows, events.num_rows() - rows));
            }
            start += rows;
        }
        Ok(placed)
    }
}

fn row_by_row(events: &RecordBatch, places: &RecordBatch) -> Result<RecordBatch> {
    let schema = Table::PersonEvents.schema();
    let people = events["person_id"].as_primitive::<Int64Type>().values();
    let bucket = || Arc::new(people.iter().map(|person| bucket_of(*person)).collect::<Int32Array>()) as ArrayRef;
    let columns = schema.fields().iter().map(|field| {
        let known = [places, events].into_iter().find_map(|batch| batch.column_by_name(field.name()));
        Ok(known.map_or_else(|| Ok(bucket()), |column| cast(column, field.data_type()))?)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}
