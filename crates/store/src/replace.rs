//! New rows of some keys, in the place of all that these keys had. Files without any of them stay as they are.
use crate::{
    commit::Change, error::Result, lock::WriteLock, log::DataFile, store::Store, sweep::batches, writer::TableWriter,
};
use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Int64Type,
};
use safar_model::{Table, bucket_of};
use std::collections::VecDeque;

impl Store {
    /// Stages `fresh` in the place of every row whose key is among `keys`. `files` are those of a clustered `table` in a
    /// snapshot; `keys` ascend; `fresh` has the columns of [`Table::schema`], in the table's order, and rows of `keys` only.
    ///
    /// Blocks while it reads and writes; memory is bounded by a batch, and by `fresh`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) where files cannot be read or written, [`Error::Unsorted`](crate::Error::Unsorted) where
    /// `fresh` is out of order: nothing is left then.
    pub fn replace_keys(
        &self,
        lock: &WriteLock,
        table: Table,
        files: &[DataFile],
        keys: &[i64],
        fresh: Vec<RecordBatch>,
    ) -> Result<Change> {
        let mut fresh = Fresh { table, batches: fresh.into() };
        let (mut staged, mut removed) = (self.writer(lock, table)?.finish()?, vec![]);
        for keys in keys.chunk_by(|a, b| bucket_of(*a) == bucket_of(*b)) {
            let bucket = bucket_of(keys[0]);
            let past = keys[keys.len() - 1].saturating_add(1);
            let mut own: Vec<&DataFile> = files.iter().filter(|file| file.bucket == Some(bucket)).collect();
            own.sort_by_key(|file| (first(file), &file.name));
            for (at, file) in own.iter().enumerate() {
                // New keys come to the file before them; to the first one where there is none.
                let end = own.get(at + 1).map_or(past, |next| first(next).min(past));
                let gone = &keys[keys.partition_point(|key| *key < first(file))..];
                let gone = &gone[..gone.partition_point(|key| *key <= last(file))];
                if gone.is_empty() && !fresh.begins_before(end) {
                    continue;
                }
                let mut writer = self.writer(lock, table)?;
                merge(table, file, gone, &mut fresh, end, &mut writer)?;
                removed.push(file.name.clone());
                staged = staged.join(writer.finish()?)?;
            }
            let mut writer = self.writer(lock, table)?;
            fresh.write_before(past, &mut writer)?;
            staged = staged.join(writer.finish()?)?;
        }
        Ok(Change::ReplaceFiles { staged, removed })
    }
}

/// The least key that a file may hold.
fn first(file: &DataFile) -> i64 {
    file.min_key.unwrap_or(i64::MIN)
}

/// The greatest one.
fn last(file: &DataFile) -> i64 {
    file.max_key.unwrap_or(i64::MAX)
}

/// Writes the rows of `file` whose keys are not `gone`, and the fresh ones before `end`.
fn merge(
    table: Table,
    file: &DataFile,
    gone: &[i64],
    fresh: &mut Fresh,
    end: i64,
    writer: &mut TableWriter,
) -> Result<()> {
    for batch in batches(table, file)? {
        let batch = batch?;
        let keys = keys(table, &batch);
        let mut start = 0;
        while start < keys.len() {
            let next = gone.get(gone.partition_point(|key| *key < keys[start]));
            let kept = next.map_or(keys.len(), |next| start + keys[start..].partition_point(|key| key < next));
            if kept > start {
                fresh.write_before(keys[start].min(end), writer)?;
                writer.write_run(file.bucket, &batch.slice(start, kept - start)).map_err(|(_, error)| error)?;
            }
            start = next.map_or(kept, |next| kept + keys[kept..].partition_point(|key| key <= next));
        }
    }
    fresh.write_before(end, writer)
}

/// Rows that wait to be written, in the order of keys.
struct Fresh {
    table: Table,
    batches: VecDeque<RecordBatch>,
}

impl Fresh {
    fn begins_before(&self, key: i64) -> bool {
        self.batches.iter().find_map(|batch| keys(self.table, batch).first()).is_some_and(|first| *first < key)
    }

    fn write_before(&mut self, key: i64, writer: &mut TableWriter) -> Result<()> {
        while let Some(batch) = self.batches.pop_front() {
            let rows = keys(self.table, &batch).partition_point(|other| *other < key);
            writer.write(&batch.slice(0, rows))?;
            if rows < batch.num_rows() {
                self.batches.push_front(batch.slice(rows, batch.num_rows() - rows));
                break;
            }
        }
        Ok(())
    }
}

fn keys(table: Table, batch: &RecordBatch) -> &[i64] {
    batch[table.sort_columns()[0]].as_primitive::<Int64Type>().values()
}
