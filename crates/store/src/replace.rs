//! New rows of some keys, in the place of all that these keys had. Files without any of them stay as they are.
use crate::{
    commit::Change,
    error::{Error, Result},
    lock::WriteLock,
    log::DataFile,
    store::Store,
    sweep::batches,
    writer::TableWriter,
};
use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Int64Type,
};
use safar_model::{Table, bucket_of};
use std::{collections::VecDeque, ops::Range, sync::Arc};

/// Takes the rows that come in the place of others, and merges them file after file.
///
/// Not asynchronous: call it from a thread of its own. Dropping it removes what it wrote.
#[derive(Debug)]
pub struct KeyReplacer {
    table: Table,
    /// Ascending.
    keys: Arc<[i64]>,
    /// Those that are not merged yet, in the order of keys.
    stretches: VecDeque<Stretch>,
    fresh: VecDeque<RecordBatch>,
    writer: TableWriter,
    removed: Vec<String>,
}

/// The file that now holds the rows of the keys before this one; new ones go there, too. `None`: no file does.
type Stretch = (Option<DataFile>, i64);

impl Store {
    /// Replaces every row whose key is among `keys` by what is written to the result. `files` are those of a clustered `table` in
    /// a snapshot; `keys` ascend.
    ///
    /// # Errors
    /// As [`Store::writer`].
    pub fn replace_keys(
        &self,
        lock: &WriteLock,
        table: Table,
        files: &[DataFile],
        keys: Arc<[i64]>,
    ) -> Result<KeyReplacer> {
        let mut stretches = VecDeque::new();
        for keys in keys.chunk_by(|a, b| bucket_of(*a) == bucket_of(*b)) {
            let past = keys[keys.len() - 1].saturating_add(1);
            let in_bucket = files.iter().filter(|file| file.bucket == Some(bucket_of(keys[0])));
            let mut own: Vec<DataFile> = in_bucket.cloned().collect();
            own.sort_by(|a, b| (first(a), &a.name).cmp(&(first(b), &b.name)));
            // New keys come to the file before them; to the first one where there is none.
            let ends: Vec<i64> = own.iter().skip(1).map(|next| first(next).min(past)).chain([past]).collect();
            stretches.extend(own.into_iter().map(Some).chain([None]).zip(ends.into_iter().chain([past])));
        }
        let writer = self.writer(lock, table)?;
        Ok(KeyReplacer { table, keys, stretches, fresh: VecDeque::new(), writer, removed: vec![] })
    }
}

impl KeyReplacer {
    /// Adds rows of the keys, with the columns of [`Table::schema`], in the table's order, after those that were added before. They
    /// wait in memory until all that go into one file are there.
    ///
    /// # Errors
    /// [`Error::Io`] where files cannot be read or written, [`Error::Unsorted`] where rows are out of order.
    pub fn write(&mut self, rows: RecordBatch) -> Result<()> {
        let Some(last) = keys(self.table, &rows).last().copied() else { return Ok(()) };
        self.fresh.push_back(rows);
        // More rows of the last key may come.
        while let Some((file, end)) = self.stretches.pop_front_if(|(_, end)| *end <= last) {
            self.merge(file, end)?;
        }
        Ok(())
    }

    /// Ends the files and flushes them to the disk. Files without any of the keys stay as they are.
    ///
    /// # Errors
    /// As [`Self::write`], and [`Error::Change`] where rows are of other keys; nothing is left then.
    pub fn finish(mut self) -> Result<Change> {
        while let Some((file, end)) = self.stretches.pop_front() {
            self.merge(file, end)?;
        }
        if let Some(key) = self.next_key() {
            let reason = format!("key {key} is not among those that are replaced");
            return Err(Error::Change { table: self.table, reason });
        }
        Ok(Change::ReplaceFiles { staged: self.writer.finish()?, removed: self.removed })
    }

    /// Writes the stretch of keys before `end`, where `file` has their rows now.
    fn merge(&mut self, file: Option<DataFile>, end: i64) -> Result<()> {
        if let Some(file) = file {
            let gone = self.keys.partition_point(|key| *key < first(&file));
            let gone = gone..self.keys.partition_point(|key| *key <= last(&file));
            if gone.is_empty() && self.next_key().is_none_or(|key| key >= end) {
                return Ok(());
            }
            self.keep(&file, gone, end)?;
            self.removed.push(file.name);
        }
        self.write_before(end)?;
        // Files that stay may lie between this one and the next.
        self.writer.close()
    }

    /// Writes the rows of `file` whose keys are not `gone`, and the fresh ones between them that come before `end`.
    fn keep(&mut self, file: &DataFile, gone: Range<usize>, end: i64) -> Result<()> {
        for batch in batches(self.table, file)? {
            let batch = batch?;
            let keys = keys(self.table, &batch);
            let mut start = 0;
            while start < keys.len() {
                let gone = &self.keys[gone.clone()];
                let next = gone.get(gone.partition_point(|key| *key < keys[start])).copied();
                let kept = next.map_or(keys.len(), |next| start + keys[start..].partition_point(|key| *key < next));
                if kept > start {
                    self.write_before(keys[start].min(end))?;
                    let rows = batch.slice(start, kept - start);
                    self.writer.write_run(file.bucket, &rows).map_err(|(_, error)| error)?;
                }
                start = next.map_or(kept, |next| kept + keys[kept..].partition_point(|key| *key <= next));
            }
        }
        Ok(())
    }

    /// The key of the next fresh row.
    fn next_key(&self) -> Option<i64> {
        self.fresh.front().and_then(|rows| keys(self.table, rows).first().copied())
    }

    /// Writes the fresh rows of keys before `end`.
    fn write_before(&mut self, end: i64) -> Result<()> {
        while let Some(batch) = self.fresh.pop_front() {
            let rows = keys(self.table, &batch).partition_point(|key| *key < end);
            self.writer.write(&batch.slice(0, rows))?;
            if rows < batch.num_rows() {
                self.fresh.push_front(batch.slice(rows, batch.num_rows() - rows));
                break;
            }
        }
        Ok(())
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

fn keys(table: Table, batch: &RecordBatch) -> &[i64] {
    batch[table.sort_columns()[0]].as_primitive::<Int64Type>().values()
}
