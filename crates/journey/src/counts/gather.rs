//! From batches of (person, time, channel, is_conversion, value) to weighted paths.
use super::labels::{LabelKind, Labels, NO_LABEL};
use super::partial::partial_batch;
use super::walk::{CONVERSION, End, Mark, PathCountsOptions, PathTable, Step, Walker, Weights};
use arrow::array::{Array, AsArray, BooleanArray, Float64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use hashbrown::HashTable;

/// A batch with its five columns typed.
struct Columns {
    people: ScalarBuffer<i64>,
    times: ScalarBuffer<i64>,
    converts: BooleanBuffer,
    values: Float64Array,
}

impl Columns {
    fn new(batch: &RecordBatch, labels: &mut Labels, numbers: &mut Vec<u32>) -> Result<Self> {
        let column = |index: usize, name: &str, kind: &DataType| {
            let array = arrow::compute::cast(batch.column(index), kind)?;
            if index < 2 && array.null_count() > 0 {
                return exec_err!(
                    "{name} is null in {} rows; paths need a person and a time for every row",
                    array.null_count()
                );
            }
            Ok(array)
        };
        labels.read(batch.column(2), numbers)?;
        Ok(Self {
            people: column(0, "person", &DataType::Int64)?.as_primitive::<Int64Type>().values().clone(),
            times: column(1, "time", &instant())?.as_primitive::<TimestampMicrosecondType>().values().clone(),
            converts: known_true(column(3, "is_conversion", &DataType::Boolean)?.as_boolean()),
            values: column(4, "value", &DataType::Float64)?.as_primitive::<Float64Type>().clone(),
        })
    }

    /// Person, time, and whether the row is a conversion.
    fn rows(&self) -> impl Iterator<Item = (usize, (i64, i64, bool))> {
        let people = self.people.iter().copied().zip(self.times.iter().copied()).zip(&self.converts);
        people.map(|((person, at), converts)| (person, at, converts)).enumerate()
    }

    #[inline]
    fn value(&self, row: usize) -> f64 {
        if self.values.is_valid(row) { self.values.value(row) } else { 0.0 }
    }

    /// What a row is, by the numbers of the labels.
    #[inline]
    fn step(&self, row: usize, numbers: &[u32]) -> Step {
        if self.converts.value(row) {
            Step::Conversion(self.value(row))
        } else if numbers[row] != NO_LABEL {
            Step::Touch(numbers[row])
        } else {
            Step::Other
        }
    }

    fn mark(&self, row: usize, numbers: &[u32]) -> Option<Mark> {
        let at = self.times[row];
        match self.step(row, numbers) {
            Step::Touch(tag) => Some(Mark { at, tag, value: 0.0 }),
            Step::Conversion(value) => Some(Mark { at, tag: CONVERSION, value }),
            Step::Other => None,
        }
    }
}

/// Unknown is not true.
fn known_true(flags: &BooleanArray) -> BooleanBuffer {
    flags.nulls().map_or_else(|| flags.values().clone(), |valid| flags.values() & valid.inner())
}

pub(crate) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Reads rows sorted by person and counts paths as it goes: holds one person and the table.
#[derive(Debug)]
pub(crate) struct Streamer {
    labels: Labels,
    numbers: Vec<u32>,
    /// The labels of a batch where each is of one byte.
    codes: Vec<u8>,
    /// The rows of a batch that are conversions.
    conversions: Vec<usize>,
    walker: Walker,
    marks: Vec<Mark>,
    person: i64,
    table: PathTable,
}

impl Streamer {
    pub fn new(kind: LabelKind, options: PathCountsOptions) -> Self {
        Self {
            labels: Labels::new(kind),
            numbers: vec![],
            codes: vec![],
            conversions: vec![],
            walker: Walker::new(options),
            marks: vec![],
            person: 0,
            table: PathTable::default(),
        }
    }

    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = Columns::new(batch, &mut self.labels, &mut self.numbers)?;
        let (people, all_times) = (&columns.people[..], &columns.times[..]);
        let rows = people.len();
        let mut conversions = std::mem::take(&mut self.conversions);
        conversions.clear();
        conversions.extend(columns.converts.set_indices());
        let mut later = conversions.as_slice();
        for row in later {
            self.numbers[*row] = 0; // a conversion's channel is not asked for
        }
        let small = self.numbers.iter().fold(0, |all, number| all | number) < 0x80;
        if small {
            self.codes.clear();
            self.codes.extend(self.numbers.iter().map(|number| *number as u8));
        }
        let mut start = 0;
        while start < rows {
            let person = people[start];
            let (mut end, mut is_sorted) = (start + 1, true);
            while end < rows && people[end] == person {
                is_sorted &= all_times[end - 1] < all_times[end];
                end += 1;
            }
            if person != self.person {
                self.flush();
                self.person = person;
            }
            let times = &all_times[start..end];
            let own;
            (own, later) = later.split_at(later.iter().take_while(|row| **row < end).count());
            // Most people lie within a batch, in the order of time: they need no copy.
            if end < rows && self.marks.is_empty() && is_sorted {
                let table = &mut self.table;
                let sink = |key: &[u8], end: End| table.add_or_append(key, end.into());
                if small {
                    let (codes, own) = (&self.codes[start..end], own.iter().map(|row| row - start));
                    self.walker.walk_codes(times, codes, own, |row| columns.value(start + row), sink);
                } else {
                    let step = |row: usize| columns.step(start + row, &self.numbers);
                    self.walker.walk_rows(times.len(), |row| times[row], step, sink);
                }
            } else {
                for row in start..end {
                    self.marks.extend(columns.mark(row, &self.numbers));
                }
            }
            start = end;
        }
        self.conversions = conversions;
        Ok(())
    }

    /// Counts the current person.
    pub fn flush(&mut self) {
        self.labels.sort(&mut self.marks);
        let table = &mut self.table;
        self.walker.walk(&self.marks, |key, end| table.add_or_append(key, end.into()));
        self.marks.clear();
    }

    pub fn size(&self) -> usize {
        self.table.size() + self.marks.capacity() * size_of::<Mark>()
    }

    /// Bytes of the paths counted so far.
    pub fn filled(&self) -> usize {
        self.table.filled()
    }

    /// Uses the memory of an empty table.
    pub fn reuse(&mut self, table: PathTable) {
        self.table = table;
    }

    /// The paths counted so far, and forgets them.
    pub fn take(&mut self) -> Result<RecordBatch> {
        let batch = partial_batch(&self.table, &self.labels)?;
        self.table.clear();
        Ok(batch)
    }

    /// The table, for another stream.
    pub fn into_table(self) -> PathTable {
        self.table
    }
}

/// One row while it waits in its bucket: 20 bytes. The low bits of a conversion's tag number its value in the bucket.
#[derive(Clone, Copy)]
#[repr(C, packed(4))]
struct Packed {
    person: i64,
    at: i64,
    tag: u32,
}

/// Rows in one bucket are in blocks of this many, so that growing copies nothing.
const BLOCK: usize = 1024;
const BUCKET_BITS: u32 = 10;

#[derive(Default)]
pub(crate) struct Bucket {
    full: Vec<Vec<Packed>>,
    open: Vec<Packed>,
    values: Vec<f64>,
}

impl Bucket {
    #[inline]
    fn push(&mut self, row: Packed) {
        if self.open.len() == BLOCK {
            self.full.push(std::mem::replace(&mut self.open, Vec::with_capacity(BLOCK)));
        }
        self.open.push(row);
    }

    fn iter(&self) -> impl Iterator<Item = &Packed> {
        self.full.iter().chain([&self.open]).flatten()
    }
}

/// Reads rows in any order and lays them out by a hash of the person.
pub(crate) struct Scatter {
    labels: Labels,
    numbers: Vec<u32>,
    buckets: Vec<Bucket>,
    rows: usize,
    values: usize,
}

/// Where a person's rows wait; keys that are not spread evenly are spread by the multiplication.
#[inline]
fn bucket_of(person: i64) -> usize {
    ((person as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKET_BITS)) as usize
}

impl Scatter {
    pub fn new(kind: LabelKind) -> Self {
        let buckets = (0..1 << BUCKET_BITS).map(|_| Bucket::default()).collect();
        Self { labels: Labels::new(kind), numbers: vec![], buckets, rows: 0, values: 0 }
    }

    /// Bytes that a row takes, for estimates.
    pub const ROW_BYTES: usize = size_of::<Packed>();

    pub fn size(&self) -> usize {
        self.rows * size_of::<Packed>() + self.values * size_of::<f64>()
    }

    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = Columns::new(batch, &mut self.labels, &mut self.numbers)?;
        self.rows += columns.people.len();
        for (row, (person, at, converts)) in columns.rows() {
            let bucket = &mut self.buckets[bucket_of(person)];
            if converts {
                let number = bucket.values.len() as u32;
                if number & CONVERSION != 0 {
                    return exec_err!("more than 2^31 conversions in one of {} buckets", 1 << BUCKET_BITS);
                }
                bucket.values.push(columns.value(row));
                self.values += 1;
                bucket.push(Packed { person, at, tag: CONVERSION | number });
            } else if self.numbers[row] != NO_LABEL {
                bucket.push(Packed { person, at, tag: self.numbers[row] });
            }
        }
        Ok(())
    }

    pub fn finish(self) -> (Labels, Vec<Bucket>) {
        (self.labels, self.buckets)
    }
}

/// Counts the paths of bucket after bucket.
pub(crate) struct BucketCounter {
    walker: Walker,
    people: HashTable<u32>,
    keys: Vec<i64>,
    ends: Vec<usize>,
    owner: Vec<u32>,
    marks: Vec<Mark>,
    pub table: PathTable,
}

impl BucketCounter {
    pub fn new(options: PathCountsOptions) -> Self {
        Self {
            walker: Walker::new(options),
            people: HashTable::new(),
            keys: vec![],
            ends: vec![],
            owner: vec![],
            marks: vec![],
            table: PathTable::default(),
        }
    }

    /// Brings each person's rows together by counting, which needs no comparisons, then walks them.
    pub fn add(&mut self, bucket: &Bucket, labels: &Labels) {
        let Self { walker, people, keys, ends, owner, marks, table } = self;
        people.clear();
        keys.clear();
        ends.clear();
        owner.clear();
        let spread = |person: i64| {
            let mixed = (person as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            // The top bits chose the bucket, so they are equal here; rotate them away.
            mixed.rotate_left(BUCKET_BITS + 16)
        };
        for row in bucket.iter() {
            let person = row.person;
            let hash = spread(person);
            let number = match people.find(hash, |at| keys[*at as usize] == person) {
                Some(at) => *at,
                None => {
                    let at = keys.len() as u32;
                    people.insert_unique(hash, at, |at| spread(keys[*at as usize]));
                    keys.push(person);
                    ends.push(0);
                    at
                }
            };
            ends[number as usize] += 1;
            owner.push(number);
        }
        let mut start = 0;
        for end in ends.iter_mut() {
            start += std::mem::replace(end, start);
        }
        marks.clear();
        marks.resize(owner.len(), Mark::default());
        for (row, number) in bucket.iter().zip(owner.iter()) {
            let place = &mut ends[*number as usize];
            let converts = row.tag & CONVERSION != 0;
            let value = if converts { bucket.values[(row.tag & !CONVERSION) as usize] } else { 0.0 };
            let tag = if converts { CONVERSION } else { row.tag };
            marks[*place] = Mark { at: row.at, tag, value };
            *place += 1;
        }
        let mut start = 0;
        for end in ends.iter() {
            let person = &mut marks[start..*end];
            labels.sort(person);
            walker.walk(person, |key, end| table.add_or_append(key, Weights::from(end)));
            start = *end;
        }
    }
}
