//! Rows gathered by ranges of keys: in memory while they are few, then in temporary files.
use super::{
    columns::{KEY, PARTS, Parted, TIME, union, widen},
    error::Error,
    words::Words,
};
use arrow::{
    array::{AsArray, RecordBatch, RecordBatchOptions},
    compute::concat_batches,
    datatypes::{Int64Type, SchemaRef},
    ipc::{reader::FileReader, writer::FileWriter},
};
use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// Keys of so many rows are kept, so that few new events are compared with few stored ones. A part of what was collected has less.
const FEW: usize = 1 << 16;

/// Gathers parted chunks.
pub(crate) struct Gather {
    parts: Vec<Parted>,
    bytes: usize,
    budget: usize,
    scratch: PathBuf,
    folder: Option<TempDir>,
    words: Arc<Words>,
    spills: Vec<(PathBuf, SchemaRef)>,
    rows: u64,
    times: (i64, i64),
    /// `None`: there are more than [`FEW`].
    keys: Option<Vec<i64>>,
}

/// Everything gathered, to be read range by range.
pub(crate) struct Gathered {
    parts: Vec<Parted>,
    schema: SchemaRef,
    spills: Vec<(PathBuf, SchemaRef)>,
    pub words: Arc<Words>,
    pub rows: u64,
    /// Least and greatest time.
    pub times: (i64, i64),
    /// The keys of all rows, which ascend; `None` where there are many.
    pub keys: Option<Vec<i64>>,
    _folder: Option<TempDir>,
}

impl Gather {
    pub(crate) fn new(scratch: PathBuf, budget: usize, words: Arc<Words>) -> Self {
        Self {
            parts: Vec::new(),
            bytes: 0,
            budget,
            scratch,
            folder: None,
            words,
            spills: Vec::new(),
            rows: 0,
            times: (i64::MAX, i64::MIN),
            keys: Some(Vec::new()),
        }
    }

    pub(crate) fn push(&mut self, part: Parted) -> Result<(), Error> {
        self.bytes += part.batch.get_array_memory_size();
        self.rows += part.batch.num_rows() as u64;
        if let Some(times) = part.batch.column_by_name(TIME) {
            for time in times.as_primitive::<Int64Type>().values() {
                self.times = (self.times.0.min(*time), self.times.1.max(*time));
            }
        }
        let keys = part.batch.column_by_name(KEY).map(|keys| keys.as_primitive::<Int64Type>().values());
        self.keys = self.keys.take().filter(|known| known.len() + part.batch.num_rows() <= FEW);
        if let (Some(known), Some(keys)) = (&mut self.keys, keys) {
            known.extend(keys);
        }
        self.parts.push(part);
        if self.bytes > self.budget { self.spill() } else { Ok(()) }
    }

    /// Writes everything to one file: batch n holds the rows of range n.
    fn spill(&mut self) -> Result<(), Error> {
        if self.folder.is_none() {
            std::fs::create_dir_all(&self.scratch).map_err(Error::io(&self.scratch))?;
            let made = tempfile::Builder::new().prefix("import-").tempdir_in(&self.scratch);
            self.folder = Some(made.map_err(Error::io(&self.scratch))?);
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.path().join(self.spills.len().to_string());
        let parts = std::mem::take(&mut self.parts);
        self.bytes = 0;
        let schema = schema_of(&parts);
        let parts = unified(parts, &schema, &self.words)?;
        let file = File::create_new(&path).map_err(Error::io(&path))?;
        let full = |error: arrow::error::ArrowError| match error {
            arrow::error::ArrowError::IoError(_, source) => Error::Io { path: path.clone(), source },
            other => Error::Arrow(other),
        };
        let mut writer = FileWriter::try_new_buffered(file, &schema).map_err(full)?;
        for part in 0..PARTS {
            let pieces: Vec<_> = parts.iter().map(|parted| slice(parted, part)).collect();
            writer.write(&concat_batches(&schema, &pieces)?).map_err(full)?;
        }
        writer.finish().map_err(full)?;
        self.spills.push((path, schema));
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Gathered, Error> {
        if !self.spills.is_empty() && self.bytes > self.budget / 2 {
            self.spill()?; // what comes next needs the memory
        }
        let schema = union(self.spills.iter().map(|(_, schema)| schema).chain([&schema_of(&self.parts)]));
        let parts = unified(self.parts, &schema, &self.words)?;
        if let Some(keys) = &mut self.keys {
            keys.sort_unstable();
            keys.dedup();
        }
        Ok(Gathered {
            parts,
            schema,
            spills: self.spills,
            words: self.words,
            rows: self.rows,
            times: self.times,
            keys: self.keys,
            _folder: self.folder,
        })
    }
}

fn schema_of(parts: &[Parted]) -> SchemaRef {
    union(parts.iter().map(|part| part.batch.schema_ref()))
}

fn unified(parts: Vec<Parted>, schema: &SchemaRef, words: &Words) -> Result<Vec<Parted>, Error> {
    let widened = parts.into_iter().map(|part| Ok(Parted { batch: widen(&part.batch, schema, words)?, ..part }));
    widened.collect()
}

fn slice(parted: &Parted, part: usize) -> RecordBatch {
    let (start, end) = (parted.starts[part] as usize, parted.starts[part + 1] as usize);
    parted.batch.slice(start, end - start)
}

/// Reads ranges, for one thread.
pub(crate) struct Ranges<'g> {
    gathered: &'g Gathered,
    files: Vec<FileReader<BufReader<File>>>,
}

impl Gathered {
    /// Whether some row says something in this column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.schema.field_with_name(column).is_ok()
    }

    pub(crate) fn ranges(&self) -> Result<Ranges<'_>, Error> {
        let open = |path: &Path| -> Result<_, Error> {
            let file = File::open(path).map_err(Error::io(path))?;
            Ok(FileReader::try_new(BufReader::new(file), None)?)
        };
        let files = self.spills.iter().map(|(path, _)| open(path)).collect::<Result<_, Error>>()?;
        Ok(Ranges { gathered: self, files })
    }
}

impl Ranges<'_> {
    /// The rows of a range, in no order; `None` where there are none.
    pub(crate) fn read(&mut self, part: usize) -> Result<Option<RecordBatch>, Error> {
        let schema = &self.gathered.schema;
        let mut pieces = Vec::new();
        for file in &mut self.files {
            file.set_index(part)?;
            if let Some(batch) = file.next().transpose()?.filter(|batch| batch.num_rows() > 0) {
                pieces.push(widen(&batch, schema, &self.gathered.words)?);
            }
        }
        for parted in &self.gathered.parts {
            let piece = slice(parted, part);
            if piece.num_rows() > 0 {
                pieces.push(piece);
            }
        }
        let rows: usize = pieces.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return Ok(None);
        }
        if schema.fields().is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            return Ok(Some(RecordBatch::try_new_with_options(schema.clone(), vec![], &options)?));
        }
        Ok(Some(concat_batches(schema, &pieces)?))
    }
}
