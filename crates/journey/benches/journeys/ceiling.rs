//! What plain threads reach with code for this one question: the ceiling that a query engine is measured by.
use crate::{Answer, Failure, events};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int8Type, Int64Type, TimestampMicrosecondType};
use hashbrown::HashMap;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

type Sums = HashMap<Box<[u8]>, [f64; 3], foldhash::fast::FixedState>;

const LOOK_BACK_US: i64 = 30 * 86_400 * 1_000_000;
const BITS: u32 = 9;

#[derive(Clone, Copy)]
struct Row {
    person: u64,
    /// Time, conversion and channel, so that one comparison sorts.
    at_tag: u64,
    value: f32,
}

impl Row {
    fn at(self) -> i64 {
        (self.at_tag >> 8) as i64
    }

    fn converts(self) -> bool {
        self.at_tag & 0x80 != 0
    }
}

fn each(batch: &RecordBatch, mut take: impl FnMut(Row)) {
    let people = batch.column(0).as_primitive::<Int64Type>().values();
    let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
    let channels = batch.column(2).as_primitive::<Int8Type>().values();
    let conversions = batch.column(3).as_boolean().values();
    let values = batch.column(4).as_primitive::<Float64Type>().values();
    for row in 0..people.len() {
        let converts = conversions.value(row);
        let at_tag = (times[row] as u64) << 8 | u64::from(converts) << 7 | channels[row] as u64;
        take(Row { person: people[row] as u64, at_tag, value: if converts { values[row] as f32 } else { 0.0 } });
    }
}

#[derive(Default)]
struct Walk {
    sums: Sums,
    letters: Vec<u8>,
    times: Vec<i64>,
}

impl Walk {
    fn person(&mut self, rows: &[Row]) {
        self.letters.clear();
        self.times.clear();
        let mut first = 0;
        let mut converted = false;
        for row in rows {
            if row.converts() {
                converted = true;
                self.skip(&mut first, row.at());
                self.add(first, [1.0, f64::from(row.value), 0.0]);
            } else {
                self.letters.push(b'A' + (row.at_tag & 0x7f) as u8);
                self.times.push(row.at());
            }
        }
        if let (false, Some(last)) = (converted, self.times.last().copied()) {
            self.skip(&mut first, last);
            self.add(first, [0.0, 0.0, 1.0]);
        }
    }

    fn skip(&self, first: &mut usize, at: i64) {
        while *first < self.times.len() && self.times[*first] < at - LOOK_BACK_US {
            *first += 1;
        }
    }

    fn add(&mut self, first: usize, weights: [f64; 3]) {
        let path = &self.letters[first..];
        match self.sums.get_mut(path) {
            Some(sums) => (0..3).for_each(|index| sums[index] += weights[index]),
            None => {
                self.sums.insert(path.into(), weights);
            }
        }
    }
}

/// Runs `work` on every thread; each hands out a state of its own.
fn on_threads<T: Send>(threads: usize, work: impl Fn() -> Result<T, Failure> + Sync) -> Result<Vec<T>, Failure> {
    let results: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(|| work().map_err(|error| error.to_string()))).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
            .collect()
    });
    Ok(results.into_iter().collect::<Result<_, String>>()?)
}

fn read(
    file: &PathBuf,
    groups: Option<Vec<usize>>,
) -> Result<impl Iterator<Item = Result<RecordBatch, arrow::error::ArrowError>>, Failure> {
    let file = std::fs::File::open(file)?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
    let mask = ProjectionMask::columns(metadata.parquet_schema(), events::COLUMNS);
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_batch_size(16_384);
    Ok(match groups {
        Some(groups) => builder.with_row_groups(groups),
        None => builder,
    }
    .build()?)
}

/// Streams clustered files; scatters others by person, then sorts bucket after bucket.
pub fn paths(files: &[PathBuf], layout: &str, threads: usize) -> Result<Answer, Failure> {
    let walks = if layout == "clustered" { stream(files, threads)? } else { radix(files, threads)? };
    let mut walks = walks.into_iter();
    let mut sums = walks.next().unwrap_or_default().sums;
    for walk in walks {
        for (path, weights) in walk.sums {
            let sum = sums.entry(path).or_insert([0.0; 3]);
            (0..3).for_each(|index| sum[index] += weights[index]);
        }
    }
    Ok(Answer(sums.into_iter().map(|(path, weights)| (path.into_vec(), weights)).collect()))
}

fn stream(files: &[PathBuf], threads: usize) -> Result<Vec<Walk>, Failure> {
    let next = AtomicUsize::new(0);
    on_threads(threads, || {
        let mut walk = Walk::default();
        let mut rows: Vec<Row> = vec![];
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            for batch in read(file, None)? {
                each(&batch?, |row| {
                    if rows.last().is_some_and(|last| last.person != row.person) {
                        walk.person(&rows);
                        rows.clear();
                    }
                    rows.push(row);
                });
            }
            walk.person(&rows);
            rows.clear();
        }
        Ok(walk)
    })
}

fn radix(files: &[PathBuf], threads: usize) -> Result<Vec<Walk>, Failure> {
    let mut units = vec![];
    for file in files {
        let metadata = ArrowReaderMetadata::load(&std::fs::File::open(file)?, ArrowReaderOptions::new())?;
        units.extend((0..metadata.metadata().num_row_groups()).map(|group| (file, group)));
    }
    let next = AtomicUsize::new(0);
    let parts = on_threads(threads, || {
        let mut buckets: Vec<Vec<Row>> = vec![vec![]; 1 << BITS];
        while let Some((file, group)) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            for batch in read(file, Some(vec![*group]))? {
                each(&batch?, |row| buckets[(row.person >> (63 - BITS)) as usize].push(row));
            }
        }
        Ok(buckets)
    })?;
    let next = AtomicUsize::new(0);
    on_threads(threads, || {
        let mut walk = Walk::default();
        let mut rows: Vec<Row> = vec![];
        loop {
            let bucket = next.fetch_add(1, Ordering::Relaxed);
            if bucket >= 1 << BITS {
                return Ok(walk);
            }
            rows.clear();
            parts.iter().for_each(|part| rows.extend_from_slice(&part[bucket]));
            rows.sort_unstable_by_key(|row| (row.person, row.at_tag));
            rows.chunk_by(|a, b| a.person == b.person).for_each(|person| walk.person(person));
        }
    })
}
