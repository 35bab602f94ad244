//! The kernel: one person's touches and conversions to paths, and paths to weights.
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Set in [`Mark::tag`] for conversions; the other bits are the touch's label.
pub(crate) const CONVERSION: u32 = 1 << 31;

/// A touch or a conversion of one person. Sorted by `(at, tag)`, touches precede conversions of the same instant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mark {
    pub at: i64,
    pub tag: u32,
    /// Of a conversion.
    pub value: f64,
}

/// How paths are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathCountsOptions {
    /// Touches at most this much older than the conversion count; microseconds.
    pub look_back_us: i64,
    /// Whether touches before an earlier conversion count once more.
    pub count_again: bool,
}

impl Default for PathCountsOptions {
    fn default() -> Self {
        Self { look_back_us: 30 * safar_model::DAY_US, count_again: false }
    }
}

/// What happened at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// A conversion of this value.
    Conversion(f64),
    /// Nothing: the path ends at the person's last touch.
    Nothing,
}

/// Walks over one person after the other; reuses its memory.
#[derive(Debug)]
pub(crate) struct Walker {
    options: PathCountsOptions,
    labels: Vec<u8>,
    starts: Vec<usize>,
    times: Vec<i64>,
}

impl Walker {
    pub fn new(options: PathCountsOptions) -> Self {
        Self { options, labels: vec![], starts: vec![], times: vec![] }
    }

    /// Calls `sink` for each conversion, or once for a person who has touches and none, with the labels of the path, each as a
    /// little-endian base-128 number.
    #[inline]
    pub fn walk(&mut self, marks: &[Mark], mut sink: impl FnMut(&[u8], End)) {
        self.labels.clear();
        self.starts.clear();
        self.times.clear();
        let mut first = 0;
        let mut converted = false;
        for mark in marks {
            if mark.tag & CONVERSION == 0 {
                self.starts.push(self.labels.len());
                self.times.push(mark.at);
                push_number(&mut self.labels, mark.tag);
                continue;
            }
            converted = true;
            self.skip_lost(&mut first, mark.at);
            sink(self.since(first), End::Conversion(mark.value));
            if !self.options.count_again {
                first = self.times.len();
            }
        }
        if !converted && let Some(last) = self.times.last().copied() {
            self.skip_lost(&mut first, last);
            sink(self.since(first), End::Nothing);
        }
    }

    #[inline]
    fn skip_lost(&self, first: &mut usize, at: i64) {
        let oldest = at.saturating_sub(self.options.look_back_us);
        while self.times.get(*first).is_some_and(|time| *time < oldest) {
            *first += 1;
        }
    }

    #[inline]
    fn since(&self, first: usize) -> &[u8] {
        &self.labels[self.starts.get(first).copied().unwrap_or(self.labels.len())..]
    }
}

/// Appends a number in base 128, lowest digits first; the high bit says that more follow.
#[inline]
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front; `None` at the end, or where bytes are torn.
#[inline]
pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..35).step_by(7) {
        let (digit, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(digit & 0x7f).checked_shl(shift)?;
        if digit & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// What a path brought.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Weights {
    pub conversions: f64,
    pub value: f64,
    pub nulls: f64,
}

impl From<End> for Weights {
    fn from(end: End) -> Self {
        match end {
            End::Conversion(value) => Self { conversions: 1.0, value, nulls: 0.0 },
            End::Nothing => Self { nulls: 1.0, ..Self::default() },
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    start: usize,
    weights: Weights,
}

/// Weights by path. Keys lie in one buffer in the order in which they came first, so nothing depends on hashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathTable {
    index: HashTable<u32>,
    entries: Vec<Entry>,
    keys: Vec<u8>,
}

impl PathTable {
    #[inline]
    pub fn add(&mut self, key: &[u8], weights: Weights) {
        let hash = xxh3_64(key);
        let Self { index, entries, keys } = self;
        let key_at = |at: usize| {
            let end = entries.get(at + 1).map_or(keys.len(), |next: &Entry| next.start);
            &keys[entries[at].start..end]
        };
        if let Some(at) = index.find(hash, |at| entries[*at as usize].hash == hash && key_at(*at as usize) == key) {
            let sum = &mut entries[*at as usize].weights;
            sum.conversions += weights.conversions;
            sum.value += weights.value;
            sum.nulls += weights.nulls;
        } else {
            index.insert_unique(hash, entries.len() as u32, |at| entries[*at as usize].hash);
            entries.push(Entry { hash, start: keys.len(), weights });
            keys.extend_from_slice(key);
        }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.keys.capacity() + self.entries.capacity() * size_of::<Entry>() + self.index.allocation_size()
    }

    /// Keys and weights in the order in which keys came first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], Weights)> {
        self.entries.iter().enumerate().map(|(at, entry)| {
            let end = self.entries.get(at + 1).map_or(self.keys.len(), |next| next.start);
            (&self.keys[entry.start..end], entry.weights)
        })
    }

    pub fn clear(&mut self) {
        self.index.clear();
        self.entries.clear();
        self.keys.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_read_as_they_were_written(numbers in prop::collection::vec(any::<u32>(), 0..20)) {
            let mut bytes = vec![];
            numbers.iter().for_each(|number| push_number(&mut bytes, *number));
            let mut rest = bytes.as_slice();
            for number in numbers {
                prop_assert_eq!(take_number(&mut rest), Some(number));
            }
            prop_assert_eq!(take_number(&mut rest), None);
        }

        #[test]
        fn torn_bytes_are_no_numbers(bytes in prop::collection::vec(0x80u8.., 0..8)) {
            prop_assert_eq!(take_number(&mut bytes.as_slice()), None);
        }
    }
}
