//! Rows of a range, looked at one by one.
use super::{
    super::columns::{HASH_HIGH, HASH_LOW, KEY, PLACE, RANGE_BITS, TIME, Text},
    id::fingerprint,
};
use arrow::{
    array::{AsArray, RecordBatch, StringArray},
    datatypes::{Int64Type, UInt64Type},
    error::ArrowError,
};

/// Columns of a range that are looked at by row.
pub(super) struct View<'a> {
    pub keys: &'a [i64],
    pub times: &'a [i64],
    pub places: &'a [u64],
    high: &'a [u64],
    low: &'a [u64],
    pub event_ids: Option<StringArray>,
}

impl<'a> View<'a> {
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let ints =
            |name: &str| batch.column_by_name(name).map_or(&[][..], |array| array.as_primitive::<Int64Type>().values());
        let words = |name: &str| {
            batch.column_by_name(name).map_or(&[][..], |array| array.as_primitive::<UInt64Type>().values())
        };
        let event_ids = batch.column_by_name(Text::EventId.name()).map(|array| array.as_binary::<i32>().clone());
        Ok(Self {
            keys: ints(KEY),
            times: ints(TIME),
            places: words(PLACE),
            high: words(HASH_HIGH),
            low: words(HASH_LOW),
            event_ids: event_ids.map(StringArray::try_from_binary).transpose()?,
        })
    }

    pub(super) fn hash(&self, row: usize) -> u128 {
        (u128::from(self.high[row]) << 64) | u128::from(self.low[row])
    }

    pub(super) fn given(&self, row: usize) -> Option<&str> {
        self.event_ids.as_ref().map(|ids| ids.value(row)).filter(|id| !id.is_empty())
    }

    pub(super) fn id(&self, row: usize) -> u128 {
        self.given(row).map_or_else(|| self.hash(row), fingerprint)
    }

    /// The rows by key, time and place. All keys are of one range, so their next bits bring them near their places, and few
    /// are left to be compared.
    pub(super) fn order(&self) -> Vec<u32> {
        let rows = self.keys.len();
        let bits = (rows / 8).max(1).ilog2().min(16);
        let slot = |key: i64| (key >> (RANGE_BITS - bits)) as usize & ((1 << bits) - 1);
        let mut starts = vec![0u32; (1 << bits) + 1];
        for key in self.keys {
            starts[slot(*key) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut sorted = vec![(0, 0, 0, 0); rows];
        let mut next = starts.clone();
        for (row, key) in self.keys.iter().enumerate() {
            let place = &mut next[slot(*key)];
            sorted[*place as usize] = (*key, self.times[row], self.places[row], row as u32);
            *place += 1;
        }
        for bounds in starts.windows(2) {
            sorted[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        sorted.into_iter().map(|(.., row)| row).collect()
    }

    /// Whether some of the rows may have one id. Few are compared with each other, many are said to.
    pub(super) fn may_repeat(&self, rows: &[u32]) -> bool {
        const FEW: usize = 32;
        if rows.len() < 2 {
            return false;
        }
        let mut ids = [0; FEW];
        let Some(ids) = ids.get_mut(..rows.len()) else { return true };
        for (id, row) in ids.iter_mut().zip(rows) {
            *id = self.id(*row as usize) as u64;
        }
        (1..ids.len()).any(|at| ids[..at].contains(&ids[at]))
    }
}
