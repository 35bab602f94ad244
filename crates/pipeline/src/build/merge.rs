//! The rows that stay and the rows that are new, person by person: both come in the order of the table.
use crate::Result;
use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Int64Type,
};
use safar_store::{Staged, TableWriter};
use std::collections::VecDeque;

/// Writes a table from rows that stay and rows that are new; nobody has both.
pub(super) struct Merge {
    fresh: VecDeque<RecordBatch>,
    writer: TableWriter,
}

impl Merge {
    pub fn new(fresh: Vec<RecordBatch>, writer: TableWriter) -> Self {
        Self { fresh: fresh.into(), writer }
    }

    /// The next rows that stay, and the new ones of everyone before them.
    pub fn kept(&mut self, rows: &RecordBatch) -> Result<()> {
        let people = people(rows);
        let mut start = 0;
        while start < people.len() {
            self.fresh_before(Some(people[start]))?;
            let next = self.fresh.front().map(|fresh| self::people(fresh)[0]);
            let end = next.map_or(people.len(), |next| people.partition_point(|person| *person < next));
            self.writer.write(&rows.slice(start, end - start))?;
            start = end;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<Staged> {
        self.fresh_before(None)?;
        Ok(self.writer.finish()?)
    }

    fn fresh_before(&mut self, person: Option<i64>) -> Result<()> {
        while let Some(fresh) = self.fresh.pop_front() {
            let count = fresh.num_rows();
            let end = person.map_or(count, |person| people(&fresh).partition_point(|other| *other < person));
            self.writer.write(&fresh.slice(0, end))?;
            if end < count {
                self.fresh.push_front(fresh.slice(end, count - end));
                break;
            }
        }
        Ok(())
    }
}

fn people(rows: &RecordBatch) -> &[i64] {
    rows["person_id"].as_primitive::<Int64Type>().values()
}
