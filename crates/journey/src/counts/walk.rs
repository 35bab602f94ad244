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

/// One row of a person, as paths see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Of this label.
    Touch(u32),
    /// Of this value.
    Conversion(f64),
    /// Neither.
    Other,
}

impl From<&Mark> for Step {
    #[inline]
    fn from(mark: &Mark) -> Self {
        if mark.tag & CONVERSION == 0 { Self::Touch(mark.tag) } else { Self::Conversion(mark.value) }
    }
}

/// Walks over one person after the other; reuses its memory.
#[derive(Debug)]
pub(crate) struct Walker {
    options: PathCountsOptions,
    labels: Vec<u8>,
}

impl Walker {
    pub fn new(options: PathCountsOptions) -> Self {
        Self { options, labels: vec![] }
    }

    /// [`Self::walk_rows`] where every row but the `conversions` is a touch with a label of one byte: labels are copied
    /// from one conversion to the next, and not at all for people without one. `conversions` are rows in ascending order.
    #[inline]
    pub fn walk_codes(
        &mut self,
        times: &[i64],
        codes: &[u8],
        conversions: impl Iterator<Item = usize> + Clone,
        value: impl Fn(usize) -> f64,
        mut sink: impl FnMut(&[u8], End),
    ) {
        let Self { options, labels } = self;
        labels.clear();
        let skip_lost = |first: usize, row: usize| {
            let oldest = times[row].saturating_sub(options.look_back_us);
            first + times[first..row].iter().take_while(|at| **at < oldest).count()
        };
        // The first row that still counts, and the conversions before it.
        let (mut first, mut before) = (0, conversions.clone().peekable());
        let mut passed = 0;
        let mut copied = 0;
        for row in conversions {
            labels.extend_from_slice(&codes[copied..row]);
            copied = row + 1;
            first = skip_lost(first, row);
            while before.next_if(|conversion| *conversion < first).is_some() {
                passed += 1;
            }
            sink(&labels[first - passed..], End::Conversion(value(row)));
            if !options.count_again {
                first = row + 1;
            }
        }
        if let (0, Some(last)) = (copied, times.len().checked_sub(1)) {
            sink(&codes[skip_lost(0, last)..], End::Nothing);
        }
    }

    /// [`Self::walk_rows`] over marks.
    #[inline]
    pub fn walk(&mut self, marks: &[Mark], sink: impl FnMut(&[u8], End)) {
        self.walk_rows(marks.len(), |row| marks[row].at, |row| Step::from(&marks[row]), sink);
    }

    /// Walks over a person's rows, sorted as marks are. Calls `sink` for each conversion, or once for a person who has touches
    /// and none, with the labels of the path, each as a little-endian base-128 number.
    #[inline]
    pub fn walk_rows(
        &mut self,
        rows: usize,
        at: impl Fn(usize) -> i64,
        step: impl Fn(usize) -> Step,
        mut sink: impl FnMut(&[u8], End),
    ) {
        let Self { options, labels } = self;
        labels.clear();
        // The first row that still counts, and where the label of the first touch from there on begins.
        let (mut first, mut start) = (0, 0);
        let skip_lost = |first: &mut usize, start: &mut usize, row: usize, end: i64| {
            let oldest = end.saturating_sub(options.look_back_us);
            while *first < row && at(*first) < oldest {
                if let Step::Touch(label) = step(*first) {
                    *start += length_of(label);
                }
                *first += 1;
            }
        };
        let (mut converted, mut last) = (false, None);
        for row in 0..rows {
            match step(row) {
                Step::Touch(label) => {
                    push_number(labels, label);
                    last = Some(row);
                }
                Step::Conversion(value) => {
                    converted = true;
                    skip_lost(&mut first, &mut start, row, at(row));
                    sink(&labels[start..], End::Conversion(value));
                    if !options.count_again {
                        (first, start) = (row + 1, labels.len());
                    }
                }
                Step::Other => {}
            }
        }
        if !converted && let Some(last) = last {
            skip_lost(&mut first, &mut start, last, at(last));
            sink(&labels[start..], End::Nothing);
        }
    }
}

/// How many bytes [`push_number`] appends.
#[inline]
fn length_of(number: u32) -> usize {
    1 + (number >= 1 << 7) as usize
        + (number >= 1 << 14) as usize
        + (number >= 1 << 21) as usize
        + (number >= 1 << 28) as usize
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

/// A path and its weights; a key of at most [`SHORT`] bytes lies here whole, so that a look at it costs no other one.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    /// Of the key in the buffer.
    start: usize,
    length: u32,
    head: [u8; SHORT],
    weights: Weights,
}

const SHORT: usize = 12;

impl Entry {
    #[inline]
    fn is(&self, hash: u64, key: &[u8], head: &[u8; SHORT], keys: &[u8]) -> bool {
        self.hash == hash
            && self.length as usize == key.len()
            && self.head == *head
            && (key.len() <= SHORT || keys[self.start..self.start + key.len()] == *key)
    }
}

#[inline]
fn head_of(key: &[u8]) -> [u8; SHORT] {
    let mut head = [0; SHORT];
    match key.first_chunk() {
        Some(first) => head = *first,
        None => head[..key.len()].copy_from_slice(key),
    }
    head
}

/// Weights by path. Keys lie in one buffer in the order in which they came first.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathTable {
    /// A part of each entry's hash, and its place.
    index: HashTable<(u32, u32)>,
    entries: Vec<Entry>,
    keys: Vec<u8>,
    /// Long keys that were looked for, and those of them that were there.
    long: (u32, u32),
}

impl PathTable {
    /// Adds to the one entry of a key whose hash is [`hash_of`] it.
    #[inline]
    pub fn add(&mut self, hash: u64, key: &[u8], weights: Weights) -> bool {
        let head = head_of(key);
        let Self { index, entries, keys, .. } = self;
        let same = |(part, at): &(u32, u32)| *part == part_of(hash) && entries[*at as usize].is(hash, key, &head, keys);
        if let Some((_, at)) = index.find(spread(part_of(hash)), same) {
            let sum = &mut entries[*at as usize].weights;
            sum.conversions += weights.conversions;
            sum.value += weights.value;
            sum.nulls += weights.nulls;
            return true;
        }
        let place = (part_of(hash), entries.len() as u32);
        index.insert_unique(spread(part_of(hash)), place, |(part, _)| spread(*part));
        self.append(hash, key, head, weights);
        false
    }

    /// Adds to an entry of a key, for who adds up equal ones later. Long paths seldom come again; where that shows, they are no
    /// longer looked for.
    #[inline]
    pub fn add_or_append(&mut self, key: &[u8], weights: Weights) {
        let hash = hash_of(key);
        if key.len() <= SHORT {
            self.add(hash, key, weights);
        } else if self.long.0 < LOOKED_FOR || self.long.1 * SELDOM > self.long.0 {
            self.long.0 += 1;
            self.long.1 += u32::from(self.add(hash, key, weights));
        } else {
            self.append(hash, key, head_of(key), weights);
        }
    }

    #[inline]
    fn append(&mut self, hash: u64, key: &[u8], head: [u8; SHORT], weights: Weights) {
        let (start, length) = (self.keys.len(), key.len() as u32);
        self.entries.push(Entry { hash, start, length, head, weights });
        self.keys.extend_from_slice(key);
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.keys.capacity() + self.entries.capacity() * size_of::<Entry>() + self.index.allocation_size()
    }

    /// Bytes of the paths in it.
    pub fn filled(&self) -> usize {
        self.keys.len() + self.entries.len() * (size_of::<Entry>() + size_of::<(u32, u32)>())
    }

    /// Hashes, keys and weights in the order in which keys came first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u64, &[u8], Weights)> {
        self.entries
            .iter()
            .map(|entry| (entry.hash, &self.keys[entry.start..entry.start + entry.length as usize], entry.weights))
    }

    pub fn clear(&mut self) {
        self.index.clear();
        self.entries.clear();
        self.keys.clear();
        self.long = (0, 0);
    }
}

/// How many long keys are looked for before it is known whether that is worth it, and which part of them must be found.
const LOOKED_FOR: u32 = 4096;
const SELDOM: u32 = 8;

/// The hash of a key, the same on every machine.
#[inline]
pub(crate) fn hash_of(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// What the index keeps of a hash.
#[inline]
fn part_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The index looks at the highest and the lowest bits.
#[inline]
fn spread(part: u32) -> u64 {
    u64::from(part) << 32 | u64::from(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Codes of one byte are walked in another way, with the same paths.
        #[test]
        fn codes_walk_like_rows(
            rows in prop::collection::vec((0i64..4, 0u8..4, prop::bool::weighted(0.3)), 1..30),
            look_back_us in 0i64..40,
            count_again: bool,
        ) {
            let mut now = 0;
            let times: Vec<i64> = rows.iter().map(|(after, ..)| { now += after + 1; now }).collect();
            let codes: Vec<u8> = rows.iter().map(|(_, code, _)| *code).collect();
            let step = |row: usize| match rows[row] {
                (_, _, true) => Step::Conversion(row as f64),
                (_, code, false) => Step::Touch(code.into()),
            };
            let conversions = (0..rows.len()).filter(|row| rows[*row].2);
            let mut walker = Walker::new(PathCountsOptions { look_back_us, count_again });
            let (mut one, mut other) = (vec![], vec![]);
            walker.walk_rows(rows.len(), |row| times[row], step, |path, end| one.push((path.to_vec(), end)));
            walker.walk_codes(&times, &codes, conversions, |row| row as f64, |path, end| other.push((path.to_vec(), end)));
            prop_assert_eq!(one, other);
        }

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
        fn a_number_is_as_long_as_it_says(number: u32, bits in 0u32..32) {
            let mut bytes = vec![];
            push_number(&mut bytes, number >> bits);
            prop_assert_eq!(bytes.len(), length_of(number >> bits));
        }

        #[test]
        fn torn_bytes_are_no_numbers(bytes in prop::collection::vec(0x80u8.., 0..8)) {
            prop_assert_eq!(take_number(&mut bytes.as_slice()), None);
        }
    }
}
