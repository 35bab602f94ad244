//! Rewriting rows of files: what a rule takes away or changes. Files that it leaves alone stay as they are.
use crate::{
    commit::Change,
    compact::{arrange, open, sort},
    error::Result,
    lock::WriteLock,
    log::DataFile,
    store::Store,
    writer::Staged,
};
use arrow::array::RecordBatch;
use safar_model::Table;

/// Rows read at once.
const BATCH_ROWS: usize = 1 << 16;

/// What a sweep will do to a table once its [`Sweep::change`] is committed.
#[derive(Debug)]
#[must_use = "nothing has changed before the change is committed"]
pub struct Sweep {
    staged: Staged,
    /// Each file that goes, and the names of those in its place: none where no row is left.
    replaced: Vec<(String, Vec<String>)>,
    /// Rows that go.
    rows_removed: u64,
}

impl Sweep {
    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.staged.table()
    }

    /// Whether every file stays as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replaced.is_empty()
    }

    /// How many rows go.
    #[must_use]
    pub fn rows_removed(&self) -> u64 {
        self.rows_removed
    }

    /// The files that go, by [`DataFile::name`], each with those that take its place.
    #[must_use]
    pub fn replaced(&self) -> &[(String, Vec<String>)] {
        &self.replaced
    }

    /// The files that the table will have in the place of `files`, which are those that were swept and others beside them; for
    /// reading what is left before it is committed.
    #[must_use]
    pub fn left(&self, files: &[DataFile]) -> Vec<DataFile> {
        let goes = |file: &&DataFile| self.replaced.iter().any(|(name, _)| *name == file.name);
        files.iter().filter(|file| !goes(file)).cloned().chain(self.staged.data_files()).collect()
    }

    /// As [`Sweep::change`], with new rows of the same table beside.
    ///
    /// # Errors
    /// [`Error::Change`](crate::Error::Change) if they are of another table or store.
    pub fn with(self, fresh: Staged) -> Result<Option<Change>> {
        if self.is_empty() {
            return Ok((fresh.rows() > 0).then_some(Change::Append(fresh)));
        }
        Ok(Self { staged: self.staged.join(fresh)?, ..self }.change())
    }

    /// The change to commit; `None` where there is none.
    #[must_use]
    pub fn change(self) -> Option<Change> {
        let removed: Vec<String> = self.replaced.into_iter().map(|(name, _)| name).collect();
        (!removed.is_empty()).then_some(Change::ReplaceFiles { staged: self.staged, removed })
    }
}

impl Store {
    /// Hands every batch of `files`, which are files of `table` in a snapshot, to `each`: the columns of [`Table::schema`] without
    /// `bucket`, in the order of the files. Blocks while it reads.
    ///
    /// # Errors
    /// Those of `each`, and [`Error::Io`](crate::Error::Io) where files cannot be read.
    pub fn read<E: From<crate::Error>>(
        &self,
        table: Table,
        files: &[DataFile],
        mut each: impl FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        for file in files {
            for batch in batches(table, file)? {
                each(&batch?)?;
            }
        }
        Ok(())
    }

    /// Asks `rule` about every batch of `files`, which are files of `table` in a snapshot, and stages the files anew of which it
    /// takes or changes rows. A batch has the columns of [`Table::schema`] without `bucket`; `rule` answers `None` where it
    /// stays as it is, else what takes its place: fewer or changed rows of the same keys and times, in their order.
    ///
    /// Blocks while it reads and writes.
    ///
    /// # Errors
    /// Those of `rule`, and [`Error::Io`](crate::Error::Io) where files cannot be read or written: nothing is left then.
    pub fn sweep<E: From<crate::Error>>(
        &self,
        lock: &WriteLock,
        table: Table,
        files: &[DataFile],
        mut rule: impl FnMut(&RecordBatch) -> Result<Option<RecordBatch>, E>,
    ) -> Result<Sweep, E> {
        let staged = self.writer(lock, table)?.finish()?;
        let mut sweep = Sweep { staged, replaced: vec![], rows_removed: 0 };
        for file in files {
            let mut writer = self.writer(lock, table)?;
            let (mut before, mut rows, mut writing) = (0, 0, false);
            for batch in batches(table, file)? {
                let batch = batch?;
                rows += batch.num_rows() as u64;
                let changed = rule(&batch)?;
                if changed.is_none() && !writing {
                    before += 1;
                    continue;
                }
                if !writing {
                    writing = true;
                    for earlier in batches(table, file)?.take(before) {
                        writer.write_run(file.bucket, &earlier?).map_err(|(_, error)| error)?;
                    }
                }
                let kept = changed.as_ref().unwrap_or(&batch);
                writer.write_run(file.bucket, kept).map_err(|(_, error)| error)?;
            }
            if writing {
                let fresh = writer.finish()?;
                sweep.rows_removed += rows - fresh.rows();
                sweep.replaced.push((file.name.clone(), fresh.names().map(str::to_owned).collect()));
                sweep.staged = sweep.staged.join(fresh)?;
            }
        }
        Ok(sweep)
    }
}

/// The rows of a file, in the table's columns and order.
pub(crate) fn batches(table: Table, file: &DataFile) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>>>> {
    let reader = open(file, BATCH_ROWS)?;
    let path = file.path.clone();
    if table.is_clustered() && !file.sorted {
        return Ok(Box::new(std::iter::once(sort(table, &path, reader))));
    }
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch.map_err(|error| crate::Error::parquet("read", &path, error.into()))?;
        arrange(table, &path, &batch)
    })))
}
