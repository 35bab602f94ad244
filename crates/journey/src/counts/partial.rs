//! Paths and their weights on the way from those who count to those who add up.
use super::labels::Labels;
use super::walk::{PathTable, Weights, hash_of};
use arrow::array::{ArrayRef, AsArray, BinaryBuilder, Float64Array, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef, UInt64Type};
use datafusion::common::Result;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Groups of hashes. Rows come group by group, so that those who add up hold a small table at a time.
pub(crate) const GROUPS: usize = 256;

#[inline]
fn group_of(hash: u64) -> usize {
    (hash >> 56) as usize
}

/// The hash of a portable key, the key, and its weights.
pub(crate) fn partial_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let field = |name, kind| Field::new(name, kind, false);
        let weights = ["conversions", "value", "nulls"].map(|name| field(name, DataType::Float64));
        let keys = [field("hash", DataType::UInt64), field("path", DataType::Binary)];
        Arc::new(Schema::new(keys.into_iter().chain(weights).collect::<Vec<_>>()))
    });
    SCHEMA.clone()
}

/// The paths of a table, under keys that every stream understands. A path may be in it more than once.
pub(crate) fn partial_batch(table: &PathTable, labels: &Labels) -> Result<RecordBatch> {
    let mut spelled = vec![];
    let mut rows: Vec<(u64, &[u8], Weights)> = table.iter().collect();
    if labels.are_spelled() {
        let mut buffer = vec![];
        let ends: Vec<usize> = rows
            .iter()
            .map(|(_, key, _)| {
                spelled.extend_from_slice(labels.portable(key, &mut buffer));
                spelled.len()
            })
            .collect();
        let mut start = 0;
        for ((hash, key, _), end) in rows.iter_mut().zip(ends) {
            *key = &spelled[start..end];
            *hash = hash_of(key);
            start = end;
        }
    }
    let order = by_group(rows.iter().map(|(hash, ..)| *hash));
    let bytes = rows.iter().map(|(_, key, _)| key.len()).sum();
    let mut hashes = Vec::with_capacity(rows.len());
    let mut keys = BinaryBuilder::with_capacity(rows.len(), bytes);
    let mut weights = [(); 3].map(|()| Vec::with_capacity(rows.len()));
    for at in order {
        let (hash, key, weight) = &rows[at as usize];
        hashes.push(*hash);
        keys.append_value(key);
        weights[0].push(weight.conversions);
        weights[1].push(weight.value);
        weights[2].push(weight.nulls);
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from(hashes)), Arc::new(keys.finish())];
    columns.extend(weights.map(|weights| Arc::new(Float64Array::from(weights)) as ArrayRef));
    Ok(RecordBatch::try_new(partial_schema(), columns)?)
}

/// The places of hashes, group by group, else in the order in which they come.
fn by_group(hashes: impl Iterator<Item = u64> + Clone) -> Vec<u32> {
    let mut starts = [0u32; GROUPS + 1];
    hashes.clone().for_each(|hash| starts[group_of(hash) + 1] += 1);
    (0..GROUPS).for_each(|group| starts[group + 1] += starts[group]);
    let mut order = vec![0; starts[GROUPS] as usize];
    for (at, hash) in hashes.enumerate() {
        let next = &mut starts[group_of(hash)];
        order[*next as usize] = at as u32;
        *next += 1;
    }
    order
}

/// Batches of [`partial_schema`], with the rows of each group.
#[derive(Default)]
pub(crate) struct Partials {
    batches: Vec<RecordBatch>,
    /// By group: batches and rows of them.
    runs: Vec<Vec<(u32, Range<u32>)>>,
    bytes: usize,
}

impl Partials {
    pub fn push(&mut self, batch: RecordBatch) {
        self.runs.resize_with(GROUPS, Vec::new);
        let hashes = batch.column(0).as_primitive::<UInt64Type>().values();
        let number = self.batches.len() as u32;
        let mut start = 0;
        for rows in hashes.chunk_by(|a, b| group_of(*a) == group_of(*b)) {
            let end = start + rows.len() as u32;
            self.runs[group_of(rows[0])].push((number, start..end));
            start = end;
        }
        let keys = batch.column(1).as_binary::<i32>().offsets();
        let weights = 3 * size_of::<f64>() + size_of::<u64>() + size_of::<i32>();
        self.bytes += (keys[keys.len() - 1] - keys[0]) as usize + batch.num_rows() * weights;
        self.batches.push(batch);
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// Adds the rows of a group to `table`.
    pub fn add_to(&self, table: &mut PathTable, group: usize) {
        for (number, rows) in self.runs.get(group).into_iter().flatten() {
            let batch = &self.batches[*number as usize];
            let hashes = batch.column(0).as_primitive::<UInt64Type>().values();
            let keys = batch.column(1).as_binary::<i32>();
            let [conversions, value, nulls] =
                [2, 3, 4].map(|index| batch.column(index).as_primitive::<Float64Type>().values());
            for row in rows.start as usize..rows.end as usize {
                let weights = Weights { conversions: conversions[row], value: value[row], nulls: nulls[row] };
                table.add(hashes[row], keys.value(row), weights);
            }
        }
    }
}
