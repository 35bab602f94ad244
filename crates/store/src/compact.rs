//! Fewer, longer sorted runs: a streaming merge of a bucket's files.
use crate::{
    commit::{Change, CommitKey},
    error::{Error, IoContext, Result},
    lock::WriteLock,
    log::DataFile,
    scan,
    store::Store,
    writer::{TableWriter, file_schema},
};
use arrow::{
    array::{AsArray, RecordBatch, new_null_array},
    buffer::ScalarBuffer,
    compute::{SortColumn, concat_batches, interleave_record_batch, lexsort_to_indices, take_record_batch},
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use futures::{StreamExt, TryStreamExt};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use safar_model::Table;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
};

/// Rows that the open batches of one merge hold together, about.
const MERGE_ROWS: usize = 1 << 18;
/// Bytes that a batch of a file takes at most, by the mean of its rows: texts of 2 GB do not fit into one.
const BATCH_BYTES: i64 = 64 << 20;
/// Rows of a merged batch.
const OUT_ROWS: usize = 8192;

/// How many sorted runs a bucket may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactPolicy {
    /// The most sorted runs that a bucket (or unsorted files that a table without buckets) may keep. With more, the
    /// smallest are merged, together with every run that is no larger than what is merged so far, so that a row is
    /// rewritten a number of times that grows with the logarithm of the table.
    pub runs_max: usize,
}

impl CompactPolicy {
    /// One run a bucket: what the fast path of journeys wants.
    pub const FULL: Self = Self { runs_max: 1 };
}

impl Default for CompactPolicy {
    fn default() -> Self {
        Self { runs_max: 4 }
    }
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// Files that were merged.
    pub files_before: usize,
    /// Files that took their place.
    pub files_after: usize,
    /// Rows that were rewritten.
    pub rows: u64,
}

/// The merge of one bucket.
struct Job {
    bucket: Option<i32>,
    /// The files of each run.
    runs: Vec<Vec<DataFile>>,
}

impl Store {
    /// Merges sorted runs of `table` as `policy` says; rows, and their order by key and time, stay the same.
    ///
    /// Rows of equal key and time stand in the order in which their files were written. Memory is bounded by a batch a
    /// run.
    ///
    /// # Errors
    /// As [`Store::commit`]; nothing has changed then.
    pub async fn compact(&self, lock: &WriteLock, table: Table, policy: CompactPolicy) -> Result<CompactReport> {
        let snapshot = self.snapshot().await?;
        let files = self.list(&snapshot, table).await?;
        let jobs: Vec<_> = files
            .chunk_by(|a, b| a.bucket == b.bucket)
            .filter_map(|bucket| choose(bucket, policy.runs_max.max(1)))
            .collect();
        if jobs.is_empty() {
            return Ok(CompactReport::default());
        }
        let removed: Vec<_> =
            jobs.iter().flat_map(|job| job.runs.iter().flatten()).map(|file| file.name.clone()).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut staged = self.writer(lock, table)?.finish()?;
        let mut merged = futures::stream::iter(jobs)
            .map(|job| self.writer(lock, table).map(|writer| (job, writer)))
            .map_ok(|(job, writer)| async move {
                let merging = tokio::task::spawn_blocking(move || merge(table, job, writer)).await;
                merging.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
            })
            .try_buffered(threads);
        while let Some(part) = merged.try_next().await? {
            staged = staged.join(part)?;
        }
        drop(merged);
        let (files_before, files_after, rows) = (removed.len(), staged.files(), staged.rows());
        let key = CommitKey::new("compact", format!("{table}-{}", snapshot.sequence()));
        self.commit(lock, vec![Change::Rewrite { staged, removed }], &key).await?;
        Ok(CompactReport { files_before, files_after, rows })
    }
}

/// The runs of a bucket that are to be merged, if there are too many.
fn choose(bucket: &[DataFile], runs_max: usize) -> Option<Job> {
    let mut runs: Vec<Vec<DataFile>> = if bucket.iter().all(|file| file.sorted) {
        let runs = scan::runs(bucket, 0..bucket.len()).into_iter();
        runs.map(|run| run.into_iter().map(|index| bucket[index].clone()).collect()).collect()
    } else {
        bucket.iter().map(|file| vec![file.clone()]).collect()
    };
    let settled = runs.len() <= runs_max && (bucket[0].bucket.is_none() || bucket.iter().all(|file| file.sorted));
    if settled {
        return None;
    }
    let rows = |run: &[DataFile]| run.iter().map(|file| file.rows.unwrap_or(file.bytes)).sum::<u64>();
    runs.sort_by_key(|run| rows(run));
    let mut count = (runs.len() + 1).saturating_sub(runs_max).max(1);
    let mut size: u64 = runs[..count].iter().map(|run| rows(run)).sum();
    while let Some(run) = runs.get(count).filter(|run| rows(run) <= size) {
        size += rows(run);
        count += 1;
    }
    // An unsorted file must go, however large.
    while runs[count..].iter().flatten().any(|file| file.bucket.is_some() && !file.sorted) {
        count += 1;
    }
    runs.truncate(count);
    runs.sort_by(|a, b| a[0].name.cmp(&b[0].name));
    Some(Job { bucket: bucket[0].bucket, runs })
}

/// Streams the runs of a job into `writer`, in order.
fn merge(table: Table, job: Job, mut writer: TableWriter) -> Result<crate::Staged> {
    let batch_rows = (MERGE_ROWS / job.runs.len().max(1)).clamp(256, 1 << 16);
    // Names begin with the time of writing.
    let mut names: Vec<_> = job.runs.iter().flatten().map(|file| file.name.clone()).collect();
    names.sort();
    let age = |file: &DataFile| names.partition_point(|name| *name < file.name);
    let mut sources = vec![];
    for run in job.runs {
        let run = run.into_iter().map(|file| (age(&file), file)).collect();
        sources.extend(Source::open(table, run, batch_rows)?);
    }
    if job.bucket.is_none() {
        for source in &mut sources {
            while let Some(batch) = source.batch.take() {
                writer.write_run(None, &batch).map_err(|(_, error)| error)?;
                source.advance()?;
            }
        }
        return writer.finish();
    }
    let mut heap: BinaryHeap<_> =
        sources.iter().enumerate().map(|(index, source)| Reverse((source.head(), index))).collect();
    let mut block = Block::default();
    while let Some(Reverse((_, index))) = heap.pop() {
        let limit = heap.peek().map(|Reverse((next, _))| *next);
        let source = &mut sources[index];
        loop {
            let taken = source.take_until(limit);
            if let Some(batch) = &source.batch {
                block.push(index, batch, taken);
            }
            if block.rows >= OUT_ROWS {
                block.flush(job.bucket, &mut writer)?;
            }
            if !source.is_exhausted() {
                heap.push(Reverse((source.head(), index)));
                break;
            }
            source.advance()?;
            let more = source.batch.is_some();
            if !more {
                break;
            }
            if limit.is_some_and(|limit| limit < source.head()) {
                heap.push(Reverse((source.head(), index)));
                break;
            }
        }
    }
    block.flush(job.bucket, &mut writer)?;
    writer.finish()
}

/// Rows that come next, as stretches of open batches.
#[derive(Default)]
struct Block {
    batches: Vec<(usize, RecordBatch)>,
    stretches: Vec<(usize, Range<usize>)>,
    rows: usize,
}

impl Block {
    fn push(&mut self, source: usize, batch: &RecordBatch, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        // The batch a source is in now is the last of its batches here.
        let known = self.batches.iter().rposition(|(owner, held)| *owner == source && same(held, batch));
        let position = known.unwrap_or_else(|| {
            self.batches.push((source, batch.clone()));
            self.batches.len() - 1
        });
        self.rows += rows.len();
        self.stretches.push((position, rows));
    }

    fn flush(&mut self, bucket: Option<i32>, writer: &mut TableWriter) -> Result<()> {
        let mut write = |batch: &RecordBatch| writer.write_run(bucket, batch).map_err(|(_, error)| error);
        if let [(position, rows)] = self.stretches.as_slice() {
            write(&self.batches[*position].1.slice(rows.start, rows.len()))?;
        } else if !self.stretches.is_empty() {
            let batches: Vec<_> = self.batches.iter().map(|(_, batch)| batch).collect();
            let stretches = self.stretches.iter();
            let indices: Vec<_> =
                stretches.flat_map(|(position, rows)| rows.clone().map(move |row| (*position, row))).collect();
            let merged = interleave_record_batch(&batches, &indices)
                .map_err(|error| Error::parquet("merge", &PathBuf::new(), error.into()))?;
            write(&merged)?;
        }
        *self = Self::default();
        Ok(())
    }
}

fn same(a: &RecordBatch, b: &RecordBatch) -> bool {
    a.columns().iter().zip(b.columns()).all(|(a, b)| std::sync::Arc::ptr_eq(a, b))
}

/// One run: its files, one after the other.
struct Source {
    table: Table,
    /// Files yet to be opened, last first, with how many of the job were written before each.
    files: Vec<(usize, DataFile)>,
    reader: Option<ParquetRecordBatchReader>,
    path: PathBuf,
    /// How many files of the job were written before the open one.
    age: usize,
    batch_rows: usize,
    batch: Option<RecordBatch>,
    keys: ScalarBuffer<i64>,
    times: ScalarBuffer<i64>,
    row: usize,
}

impl Source {
    /// Opens a run; `None` if it has no row.
    fn open(table: Table, mut run: Vec<(usize, DataFile)>, batch_rows: usize) -> Result<Option<Self>> {
        run.reverse();
        let empty = ScalarBuffer::<i64>::from(vec![]);
        let mut source = Self {
            table,
            files: run,
            reader: None,
            path: PathBuf::new(),
            age: 0,
            batch_rows,
            batch: None,
            keys: empty.clone(),
            times: empty,
            row: 0,
        };
        source.advance()?;
        Ok(source.batch.is_some().then_some(source))
    }

    /// Goes to the next batch with rows; `batch` is `None` at the end.
    fn advance(&mut self) -> Result<()> {
        loop {
            let next = match &mut self.reader {
                Some(reader) => reader.next(),
                None => None,
            };
            match next {
                Some(batch) => {
                    let batch = batch.map_err(|error| Error::parquet("read", &self.path, error.into()))?;
                    let batch = arrange(self.table, &self.path, &batch)?;
                    if batch.num_rows() > 0 {
                        return self.enter(batch);
                    }
                }
                None => {
                    let Some((age, file)) = self.files.pop() else {
                        self.batch = None;
                        return Ok(());
                    };
                    let reader = open(&file, self.batch_rows)?;
                    self.path = file.path;
                    self.age = age;
                    if self.table.is_clustered() && !file.sorted {
                        let batch = sort(self.table, &self.path, reader)?;
                        self.reader = None;
                        if batch.num_rows() > 0 {
                            return self.enter(batch);
                        }
                    } else {
                        self.reader = Some(reader);
                    }
                }
            }
        }
    }

    fn enter(&mut self, batch: RecordBatch) -> Result<()> {
        if let [key, time, ..] = self.table.sort_columns() {
            let columns = batch.column_by_name(key).zip(batch.column_by_name(time));
            let found = columns.and_then(|(keys, times)| {
                let keys = keys.as_primitive_opt::<Int64Type>()?;
                Some((keys.values().clone(), times.as_primitive_opt::<TimestampMicrosecondType>()?.values().clone()))
            });
            let reason = || format!("{} lacks columns {key} and {time}", self.path.display());
            (self.keys, self.times) = found.ok_or_else(|| Error::Schema { table: self.table, reason: reason() })?;
        }
        self.batch = Some(batch);
        self.row = 0;
        Ok(())
    }

    /// Where its next row belongs: by key, by time, older files first.
    fn head(&self) -> (i64, i64, usize) {
        self.place(self.row)
    }

    fn place(&self, row: usize) -> (i64, i64, usize) {
        (self.keys[row], self.times[row], self.age)
    }

    fn is_exhausted(&self) -> bool {
        self.row == self.keys.len()
    }

    /// Takes the rows of this batch that come before `limit`, the head of the next source.
    fn take_until(&mut self, limit: Option<(i64, i64, usize)>) -> Range<usize> {
        let start = self.row;
        self.row = match limit {
            None => self.keys.len(),
            Some(limit) => {
                let mut row = start;
                while row < self.keys.len() && self.place(row) <= limit {
                    row += 1;
                }
                row
            }
        };
        start..self.row
    }
}

pub(crate) fn open(file: &DataFile, batch_rows: usize) -> Result<ParquetRecordBatchReader> {
    let fail = |error| Error::parquet("read", &file.path, error);
    let input = File::open(&file.path).at("read", &file.path)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(input).map_err(fail)?;
    let groups = builder.metadata().row_groups().iter();
    let rows =
        groups.map(|group| BATCH_BYTES.saturating_mul(group.num_rows().max(1)) / group.total_byte_size().max(1)).min();
    let rows = usize::try_from(rows.unwrap_or(1)).unwrap_or(1).clamp(1, batch_rows);
    builder.with_batch_size(rows).build().map_err(fail)
}

/// Puts columns in our order: another program may have written the file, or an earlier build, which knew fewer of them.
pub(crate) fn arrange(table: Table, path: &Path, batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = file_schema(table);
    let columns = schema.fields().iter().map(|field| {
        let reason = || format!("{} lacks column `{}`", path.display(), field.name());
        match batch.column_by_name(field.name()) {
            Some(column) => Ok(column.clone()),
            None if field.is_nullable() => Ok(new_null_array(field.data_type(), batch.num_rows())),
            None => Err(Error::Schema { table, reason: reason() }),
        }
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(schema, columns).map_err(|error| Error::parquet("read", path, error.into()))
}

/// Sorts a file that another program wrote, in memory.
pub(crate) fn sort(table: Table, path: &Path, reader: ParquetRecordBatchReader) -> Result<RecordBatch> {
    let schema = file_schema(table);
    let fail = |error: arrow::error::ArrowError| Error::parquet("sort", path, error.into());
    let batches = reader.map(|batch| arrange(table, path, &batch.map_err(fail)?)).collect::<Result<Vec<_>>>()?;
    let all = concat_batches(&schema, &batches).map_err(fail)?;
    let by = table.sort_columns().iter().filter_map(|name| all.column_by_name(name).cloned());
    let by: Vec<_> = by.map(|values| SortColumn { values, options: None }).collect();
    let order = lexsort_to_indices(&by, None).map_err(fail)?;
    take_record_batch(&all, &order).map_err(fail)
}
