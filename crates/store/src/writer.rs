//! Rows to Parquet files that nobody sees until they are committed.
use crate::{
    durable,
    error::{Error, IoContext, Result},
    log::DataFile,
    stats,
};
use arrow::{
    array::{Array, AsArray, RecordBatch, RecordBatchOptions},
    datatypes::{DataType, Int32Type, Int64Type, Schema, SchemaRef, TimestampMicrosecondType},
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding, ZstdLevel},
    file::{
        metadata::SortingColumn,
        properties::{EnabledStatistics, WriterProperties},
    },
    schema::types::ColumnPath,
};
use safar_model::Table;
use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

/// A file ends at the first new key after this many rows. Journeys are built again for some people at a time, and the files
/// that these are in are written anew, so theirs are short.
pub(crate) const fn file_rows(table: Table) -> u64 {
    match table {
        Table::PersonEvents | Table::Sessions | Table::Touchpoints | Table::Conversions | Table::Paths => 1 << 17,
        _ => 4 << 20,
    }
}

/// Rows, and bytes in memory, at which a row group ends.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 128 << 20;
/// How the name of a file begins whose rows are in the order of [`Table::sort_columns`].
pub(crate) const SORTED: &str = "sorted-";

/// Writes rows of one table to files that stay invisible until [`Store::commit`](crate::Store::commit).
///
/// Not asynchronous: call it from a thread of its own. Dropping it, or what it staged, removes the files.
#[derive(Debug)]
pub struct TableWriter {
    staged: Staged,
    schema: SchemaRef,
    properties: WriterProperties,
    open: Option<OpenFile>,
}

impl TableWriter {
    pub(crate) fn new(table: Table, folder: PathBuf) -> Self {
        Self {
            staged: Staged { table, folder, files: vec![] },
            schema: file_schema(table),
            properties: properties(table),
            open: None,
        }
    }

    /// Adds rows that have the columns of [`Table::schema`]; a column of texts may be a dictionary of them.
    ///
    /// Rows of a clustered table must be sorted inside the batch: by `bucket`, then by [`Table::sort_columns`].
    /// A batch may begin lower than the one before it ended; that starts a new file. Few long sorted runs make
    /// few files, and few files make fast scans.
    ///
    /// # Errors
    /// [`Error::Schema`] or [`Error::Unsorted`] if the rows do not fit, [`Error::Io`] if they cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let table = self.staged.table;
        let rows = conform(table, &self.schema, batch)?;
        if !table.is_clustered() {
            return self.write_run(None, &rows).map_err(|(_, error)| error);
        }
        let buckets = batch.column(batch.num_columns() - 1).as_primitive::<Int32Type>().values();
        let mut start = 0;
        while start < rows.num_rows() {
            let bucket = buckets[start];
            let count = buckets[start..].iter().take_while(|&&other| other == bucket).count();
            if buckets.get(start + count).is_some_and(|&next| next < bucket) {
                return Err(Error::Unsorted { table, row: start + count });
            }
            self.write_run(Some(bucket), &rows.slice(start, count)).map_err(|(row, error)| match error {
                Error::Unsorted { table, .. } => Error::Unsorted { table, row: start + row },
                error => error,
            })?;
            start += count;
        }
        Ok(())
    }

    /// Adds rows of one bucket that have the columns of the files; an error comes with the row it is about.
    pub(crate) fn write_run(&mut self, bucket: Option<i32>, rows: &RecordBatch) -> Result<(), (usize, Error)> {
        let table = self.staged.table;
        let first = |error| (0, error);
        if rows.num_rows() == 0 {
            return Ok(());
        }
        if bucket.is_none() {
            if self.open.as_ref().is_some_and(|open| open.rows >= file_rows(table)) {
                self.close().map_err(first)?;
            }
            return self.append(bucket, rows, (0, 0)).map_err(first);
        }
        let keys = column(rows, table.sort_columns()[0]).as_primitive::<Int64Type>().values();
        let times = column(rows, table.sort_columns()[1]).as_primitive::<TimestampMicrosecondType>().values();
        let order = |row: usize| (keys[row], times[row]);
        if let Some(row) = (1..keys.len()).find(|&row| order(row) < order(row - 1)) {
            return Err((row, Error::Unsorted { table, row }));
        }
        let mut start = 0;
        if let Some(open) = &self.open {
            if open.bucket != bucket || order(0) < open.last {
                self.close().map_err(first)?;
            } else if open.rows >= file_rows(table) {
                // A key's rows stay in one file, so that the files of a run do not overlap.
                start = keys.partition_point(|&other| other == open.last.0);
                if start > 0 {
                    self.append(bucket, &rows.slice(0, start), order(start - 1)).map_err(first)?;
                }
                if start < keys.len() {
                    self.close().map_err(first)?;
                }
            }
        }
        if start == keys.len() {
            return Ok(());
        }
        self.append(bucket, &rows.slice(start, keys.len() - start), order(keys.len() - 1)).map_err(first)
    }

    /// How many rows were written.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.staged.rows() + self.open.as_ref().map_or(0, |open| open.rows)
    }

    /// Ends the files and flushes them to the disk.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written; no file is left then.
    pub fn finish(mut self) -> Result<Staged> {
        self.close()?;
        Ok(self.staged)
    }

    fn append(&mut self, bucket: Option<i32>, rows: &RecordBatch, last: (i64, i64)) -> Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(OpenFile::create(&self.staged, bucket, &self.schema, &self.properties)?),
        };
        open.writer.write(rows).map_err(|error| Error::parquet("write", &open.file.0, error))?;
        open.rows += rows.num_rows() as u64;
        open.last = last;
        Ok(())
    }

    /// Ends the open file.
    pub(crate) fn close(&mut self) -> Result<()> {
        if let Some(open) = self.open.take() {
            self.staged.files.push(open.close()?);
        }
        Ok(())
    }
}

/// Files of one table that are written and flushed, and not yet visible.
///
/// Dropping it removes them.
#[derive(Debug)]
#[must_use = "staged rows are removed unless they are committed"]
pub struct Staged {
    table: Table,
    folder: PathBuf,
    files: Vec<StagedFile>,
}

impl Staged {
    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// How many rows its files hold.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// How many files it has.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Adds what another writer of the same table staged, so that one commit takes both.
    ///
    /// # Errors
    /// [`Error::Change`] if `other` is of another table or store; `other` is removed then.
    pub fn join(mut self, mut other: Self) -> Result<Self> {
        if (self.table, &self.folder) != (other.table, &other.folder) {
            let reason = format!("rows of {} cannot join it", other.folder.display());
            return Err(Error::Change { table: self.table, reason });
        }
        self.files.append(&mut other.files);
        Ok(self)
    }

    /// Hands over the files, which now outlive this.
    pub(crate) fn take(&mut self) -> Vec<StagedFile> {
        std::mem::take(&mut self.files)
    }

    /// Its files, as they will be in the table.
    pub fn data_files(&self) -> impl Iterator<Item = DataFile> {
        self.files.iter().map(|file| {
            let stats = stats::from_json(&file.stats, self.table);
            DataFile::new(self.table, &self.folder, file.name.clone(), file.bucket, file.bytes, stats)
        })
    }

    /// The names of its files in the log.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// The buckets it has rows for.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = i32> + '_ {
        self.files.iter().filter_map(|file| file.bucket)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// One staged file.
#[derive(Debug)]
pub(crate) struct StagedFile {
    pub(crate) file: FileGuard,
    pub(crate) name: String,
    pub(crate) bucket: Option<i32>,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) stats: String,
}

/// Removes its file when dropped, unless it was released.
#[derive(Debug)]
pub(crate) struct FileGuard(PathBuf);

impl FileGuard {
    /// The file stays.
    pub(crate) fn release(&mut self) {
        self.0.clear();
    }
}

impl Drop for FileGuard {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // What cannot be removed stays invisible until a vacuum takes it.
            let _ = fs::remove_file(&self.0);
        }
    }
}

#[derive(Debug)]
struct OpenFile {
    writer: ArrowWriter<File>,
    file: FileGuard,
    name: String,
    bucket: Option<i32>,
    rows: u64,
    /// Key and time of the row written last.
    last: (i64, i64),
}

impl OpenFile {
    fn create(staged: &Staged, bucket: Option<i32>, schema: &SchemaRef, properties: &WriterProperties) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let millis = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis());
        let prefix = if bucket.is_some() { SORTED } else { "rows-" };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = format!("{prefix}{millis:012x}-{:x}-{number:08x}.parquet", std::process::id());
        if let Some(bucket) = bucket {
            name = format!("bucket={bucket}/{name}");
        }
        let path = staged.folder.join(&name);
        durable::create_dir(path.parent().unwrap_or(&staged.folder))?;
        let inner = OpenOptions::new().write(true).create_new(true).open(&path).at("write", &path)?;
        let file = FileGuard(path);
        let writer = ArrowWriter::try_new(inner, Arc::clone(schema), Some(properties.clone()))
            .map_err(|error| Error::parquet("write", &file.0, error))?;
        Ok(Self { writer, file, name, bucket, rows: 0, last: (i64::MIN, i64::MIN) })
    }

    fn close(mut self) -> Result<StagedFile> {
        let path = &self.file.0;
        let metadata = self.writer.finish().map_err(|error| Error::parquet("write", path, error))?;
        let inner = self.writer.inner();
        inner.sync_all().at("flush", path)?;
        let bytes = inner.metadata().at("read", path)?.len();
        if let Some(folder) = path.parent() {
            durable::sync_dir(folder)?;
        }
        let stats = stats::to_json(&metadata);
        Ok(StagedFile { file: self.file, name: self.name, bucket: self.bucket, bytes, rows: self.rows, stats })
    }
}

/// The columns of a table's files: all but the partition column, which is in the folder's name.
pub(crate) fn file_schema(table: Table) -> SchemaRef {
    let schema = table.schema();
    if !table.is_clustered() {
        return schema;
    }
    let fields = schema.fields();
    Arc::new(Schema::new(fields[..fields.len() - 1].to_vec()))
}

/// A batch as the files have it, or the first column that differs.
fn conform(table: Table, schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let refuse = |reason: String| Error::Schema { table, reason };
    let wanted = table.schema();
    let given = batch.schema();
    for (index, field) in wanted.fields().iter().enumerate() {
        match given.fields().get(index) {
            Some(other) if other.name() == field.name() && is_written_as(other.data_type(), field.data_type()) => {}
            Some(other) => {
                let (name, kind) = (other.name(), other.data_type());
                return Err(refuse(format!(
                    "column {index} is `{name}` {kind}, not `{}` {}",
                    field.name(),
                    field.data_type()
                )));
            }
            None => return Err(refuse(format!("column `{}` is missing", field.name()))),
        }
    }
    if let Some(extra) = given.fields().get(wanted.fields().len()) {
        return Err(refuse(format!("there is no column `{}`", extra.name())));
    }
    if table.is_clustered() && batch.column(schema.fields().len()).null_count() > 0 {
        return Err(refuse("column `bucket` holds nulls".to_owned()));
    }
    let columns = batch.columns()[..schema.fields().len()].to_vec();
    let fields = schema.fields().iter().zip(&columns);
    let fields = fields.map(|(field, array)| field.as_ref().clone().with_data_type(array.data_type().clone()));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(|error| refuse(error.to_string()))
}

/// Whether files hold the same for both: a dictionary of texts is written as the texts.
fn is_written_as(given: &DataType, wanted: &DataType) -> bool {
    given == wanted
        || matches!(given, DataType::Dictionary(_, value) if **value == DataType::Utf8 && *wanted == DataType::Utf8)
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> &'a dyn Array {
    // Every batch has passed `conform`, and a test of the model says that sort columns exist.
    rows.column_by_name(name).expect("sort columns are columns")
}

/// How files are written: small for what repeats, plain for what does not, page bounds where rows are looked up.
fn properties(table: Table) -> WriterProperties {
    let schema = file_schema(table);
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("safar ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for field in schema.fields() {
        let (path, kind) = match field.data_type() {
            DataType::List(item) => {
                (vec![field.name().clone(), "list".to_owned(), item.name().clone()], item.data_type())
            }
            kind => (vec![field.name().clone()], kind),
        };
        let number = matches!(kind, DataType::Int64 | DataType::Timestamp(..));
        if number || field.name() == "event_id" {
            builder = builder.set_column_dictionary_enabled(ColumnPath::new(path.clone()), false);
        }
        if number && table == Table::Events {
            // Sorted by person and time, they are near the one before.
            builder = builder.set_column_encoding(ColumnPath::new(path.clone()), Encoding::DELTA_BINARY_PACKED);
        }
        if field.name() == "event_id" {
            // All are of one length, which is then told once and not between them.
            builder = builder.set_column_encoding(ColumnPath::new(path.clone()), Encoding::DELTA_LENGTH_BYTE_ARRAY);
        }
        if table.is_clustered() && *kind == DataType::Utf8 {
            // Every part of the people has every text: bounds would cost time and tell nothing.
            builder = builder.set_column_statistics_enabled(ColumnPath::new(path), EnabledStatistics::None);
        }
    }
    let sort = table.sort_columns();
    for name in sort {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(*name), EnabledStatistics::Page);
    }
    let sorting = sort.iter().filter_map(|name| schema.index_of(name).ok());
    let sorting: Vec<_> = sorting
        .map(|index| SortingColumn { column_idx: index as i32, descending: false, nulls_first: false })
        .collect();
    builder.set_sorting_columns((!sorting.is_empty()).then_some(sorting)).build()
}
