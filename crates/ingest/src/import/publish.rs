//! Gathered rows → sorted events without repetitions, and the links between identifiers that they show.
use super::{
    columns::{
        DERIVED, GROUP, Group, HASH_HIGH, HASH_LOW, KEY, PARTS, PLACE, RANGE_BITS, RECEIVED, TIME, Text, binary,
    },
    error::Error,
    reason,
    reject::{Reject, read},
    sort::Gathered,
    words::NONE,
    work::LINE_BITS,
};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, PrimitiveArray,
        RecordBatch, StringArray, TimestampMicrosecondArray, UInt16Array, UInt32Array, new_null_array,
    },
    buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer},
    compute::{cast, take},
    datatypes::{Field, Float64Type, Int64Type, Schema, TimestampMicrosecondType, UInt16Type, UInt32Type, UInt64Type},
    error::ArrowError,
};
use safar_identity::SIGHTING_US;
use safar_model::{BUCKETS, Micros, Table, bucket_of};
use safar_store::{DataFile, TableWriter};
use std::collections::{BTreeSet, HashMap};
use std::{hash::BuildHasherDefault, ops::Range, sync::Arc};
use xxhash_rust::xxh3::xxh3_128;

/// What all threads share.
pub(crate) struct Publish<'a> {
    gathered: &'a Gathered,
    /// Files of `events` in the snapshot.
    stored: &'a [DataFile],
    received: Micros,
    /// The inputs' names, by number.
    origins: ArrayRef,
    /// The texts of numbered columns, by [`Text`].
    texts: Vec<ArrayRef>,
    groups: Vec<Group>,
    /// Whether some group tells a text of [`DERIVED`].
    told: [bool; DERIVED.len()],
    sameness: Sameness,
}

/// When two events with one given id are the same event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sameness {
    #[default]
    /// Where they say the same; otherwise the later one is rejected.
    Content,
    /// Always: a client that sends an event again may tell another time of sending.
    Id,
}

/// How far the times of an event and of its repetition may lie apart where the id alone counts: a client that states no time
/// of its own is given the time of receipt. 48 hours, which is longer than the tracking clients resend.
const REPEATED_WITHIN: Micros = 48 * 3_600 * 1_000_000;

impl Sameness {
    /// Times of stored events that may be those of new ones.
    fn times(self, (first, last): (Micros, Micros)) -> (Micros, Micros) {
        match self {
            Self::Content => (first, last),
            Self::Id => (first.saturating_sub(REPEATED_WITHIN), last.saturating_add(REPEATED_WITHIN)),
        }
    }
}

/// What one thread did.
#[derive(Default)]
pub(crate) struct Outcome {
    pub duplicates: u64,
    pub links: u64,
    /// Events stored of each input.
    pub stored: Vec<u64>,
    /// Number of the input, and the row.
    pub conflicts: Vec<(usize, Reject)>,
}

/// Fingerprints are hashes already.
#[derive(Default)]
struct Take64(u64);

impl std::hash::Hasher for Take64 {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(eight);
        }
    }
    fn write_u128(&mut self, value: u128) {
        self.0 ^= value as u64 ^ (value >> 64) as u64;
    }
}

/// 32 hexadecimal digits are the number they write, so that made ids equal their hash; other ids are hashed.
fn fingerprint(event_id: &str) -> u128 {
    let hex = event_id.len() == 32 && event_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    hex.then(|| u128::from_str_radix(event_id, 16).ok()).flatten().unwrap_or_else(|| xxh3_128(event_id.as_bytes()))
}

/// The id that is made of a hash.
fn hex(hash: u128) -> [u8; 32] {
    const PAIRS: [[u8; 2]; 256] = {
        let digits = b"0123456789abcdef";
        let mut pairs = [[0; 2]; 256];
        let mut byte = 0;
        while byte < 256 {
            pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
            byte += 1;
        }
        pairs
    };
    let mut out = [0; 32];
    for (pair, byte) in out.chunks_exact_mut(2).zip(hash.to_be_bytes()) {
        pair.copy_from_slice(&PAIRS[usize::from(byte)]);
    }
    out
}

/// Columns of a range that are looked at by row.
struct View<'a> {
    keys: &'a [i64],
    times: &'a [i64],
    places: &'a [u64],
    high: &'a [u64],
    low: &'a [u64],
    event_ids: Option<StringArray>,
}

impl<'a> View<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
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

    fn hash(&self, row: usize) -> u128 {
        (u128::from(self.high[row]) << 64) | u128::from(self.low[row])
    }

    fn given(&self, row: usize) -> Option<&str> {
        self.event_ids.as_ref().map(|ids| ids.value(row)).filter(|id| !id.is_empty())
    }

    fn id(&self, row: usize) -> u128 {
        self.given(row).map_or_else(|| self.hash(row), fingerprint)
    }

    /// The rows by key, time and place. All keys are of one range, so their next bits bring them near their places, and few
    /// are left to be compared.
    fn order(&self) -> Vec<u32> {
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
    fn may_repeat(&self, rows: &[u32]) -> bool {
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

impl<'a> Publish<'a> {
    pub(crate) fn new(
        gathered: &'a Gathered,
        stored: &'a [DataFile],
        origins: &[String],
        received: Micros,
        sameness: Sameness,
    ) -> Self {
        let texts = Text::ALL.iter().map(|column| -> ArrayRef { Arc::new(gathered.words.texts(*column)) });
        let origins = Arc::new(StringArray::from_iter_values(origins));
        let groups = gathered.words.groups();
        let told = std::array::from_fn(|at| groups.iter().any(|group| group[at] != NONE));
        Self { gathered, stored, received, origins, texts: texts.collect(), groups, told, sameness }
    }

    /// Writes the ranges of some buckets.
    pub(crate) fn run(
        &self,
        buckets: Range<u32>,
        events: &mut TableWriter,
        links: &mut TableWriter,
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome { stored: vec![0; self.origins.len()], ..Outcome::default() };
        let mut ranges = self.gathered.ranges()?;
        let per_bucket = PARTS / BUCKETS as usize;
        for bucket in buckets {
            let times = self.sameness.times(self.gathered.times);
            let mut stored = Stored::open(self.stored, bucket as i32, times, self.whole());
            for part in bucket as usize * per_bucket..(bucket as usize + 1) * per_bucket {
                if let Some(batch) = ranges.read(part)? {
                    let view = View::new(&batch)?;
                    let kept = self.sift(&batch, &view, part, &mut stored, &mut outcome)?;
                    if kept.is_empty() {
                        continue;
                    }
                    for row in &kept {
                        outcome.stored[(view.places[*row as usize] >> LINE_BITS) as usize] += 1;
                    }
                    let order = UInt32Array::from(kept);
                    let rows = self.events(&batch, &view, &order)?;
                    events.write(&rows)?;
                    if let Some(found) = links_of(&rows)? {
                        outcome.links += found.num_rows() as u64;
                        links.write(&found)?;
                    }
                }
            }
        }
        Ok(outcome)
    }

    /// Whether events with given ids are compared whole, and with those of any time.
    fn whole(&self) -> bool {
        self.sameness == Sameness::Content && self.gathered.has(Text::EventId.name())
    }

    /// The rows to store, in their order: of those with one id the first that was read, unless it is stored already.
    fn sift(
        &self,
        batch: &RecordBatch,
        view: &View<'_>,
        part: usize,
        stored: &mut Stored,
        outcome: &mut Outcome,
    ) -> Result<Vec<u32>, Error> {
        let mut order = view.order();
        let mut dropped = vec![false; order.len()];
        // A made id tells the time, so what it is compared with stands beside it; a given one may come at any time.
        let given = view.event_ids.is_some();
        let near = |a: &u32, b: &u32| {
            let (a, b) = (*a as usize, *b as usize);
            view.keys[a] == view.keys[b] && (given || view.times[a] == view.times[b])
        };
        for rows in order.chunk_by(near).filter(|rows| view.may_repeat(rows)) {
            let mut firsts =
                HashMap::<_, _, BuildHasherDefault<Take64>>::with_capacity_and_hasher(rows.len(), <_>::default());
            for row in rows {
                let first = firsts.entry(view.id(*row as usize)).or_insert(*row);
                if view.places[*row as usize] < view.places[*first as usize] {
                    *first = *row;
                }
            }
            for row in rows.iter().map(|row| *row as usize) {
                let first = firsts.get(&view.id(row)).map_or(row, |first| *first as usize);
                if first == row {
                    continue;
                }
                dropped[row] = true;
                if self.sameness == Sameness::Id || view.hash(first) == view.hash(row) {
                    outcome.duplicates += 1;
                } else {
                    outcome.conflicts.push(self.conflict(view, batch, row));
                }
            }
        }
        let low = (part as i64) << RANGE_BITS;
        let range = (low, low.saturating_add((1 << RANGE_BITS) - 1));
        self.drop_stored(batch, view, stored, range, &mut dropped, outcome)?;
        order.retain(|row| !dropped[*row as usize]);
        Ok(order)
    }

    /// Drops the rows that are stored already, among those whose keys are in `range`.
    fn drop_stored(
        &self,
        batch: &RecordBatch,
        view: &View<'_>,
        stored: &mut Stored,
        range: (i64, i64),
        dropped: &mut [bool],
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        if !stored.has(range) {
            return Ok(());
        }
        let rows = (0..dropped.len()).filter(|row| !dropped[*row]);
        let by_id: HashMap<_, _, BuildHasherDefault<Take64>> =
            rows.map(|row| ((view.keys[row], view.id(row)), row)).collect();
        let mut conflicting = BTreeSet::new();
        let values = batch.column_by_name("value").map(|array| array.as_primitive::<Float64Type>());
        stored.visit(range, |found| {
            let Some(row) = by_id.get(&(found.key, fingerprint(found.event_id))).copied() else { return };
            let value = || values.filter(|values| values.is_valid(row)).map(|values| values.value(row));
            let same = self.sameness == Sameness::Id
                || view.given(row).is_none()
                || found.said.as_ref().is_some_and(|said| {
                    let alike = |(column, stored): (&Text, &Option<&str>)| self.said(batch, *column, row) == *stored;
                    view.times[row] == said.time && value() == said.value && COMPARED.iter().zip(&said.texts).all(alike)
                });
            let new = !std::mem::replace(&mut dropped[row], true);
            if same && (new || conflicting.remove(&row)) {
                outcome.duplicates += 1;
            } else if new {
                conflicting.insert(row);
            }
        })?;
        for row in conflicting {
            outcome.conflicts.push(self.conflict(view, batch, row));
        }
        Ok(())
    }

    /// What a row says in a column, or what its group says there.
    fn said<'b>(&'b self, batch: &'b RecordBatch, column: Text, row: usize) -> Option<&'b str> {
        let numbered = |number: u16| self.texts[column as usize].as_string::<i32>().value(number.into());
        let own = batch.column_by_name(column.name()).map(|array| match array.as_primitive_opt::<UInt16Type>() {
            Some(numbers) => numbered(numbers.value(row)),
            None => std::str::from_utf8(array.as_binary::<i32>().value(row)).unwrap_or_default(),
        });
        own.filter(|text| !text.is_empty()).or_else(|| {
            let at = DERIVED.iter().position(|derived| *derived == column)?;
            let groups = batch.column_by_name(GROUP)?.as_primitive::<UInt16Type>();
            Some(numbered(self.groups[usize::from(groups.value(row))][at])).filter(|text| !text.is_empty())
        })
    }

    /// What the rows of a batch say in a column of texts, or what their groups say there; `groups` has as many as `order`.
    fn texts(
        &self,
        batch: &RecordBatch,
        column: Text,
        order: &UInt32Array,
        groups: Option<&[u16]>,
    ) -> Result<Option<ArrayRef>, ArrowError> {
        let own = batch.column_by_name(column.name()).map(|array| take(array, order, None)).transpose()?;
        let at = DERIVED.iter().position(|derived| *derived == column).filter(|at| self.told[*at]);
        let (Some(at), Some(groups)) = (at, groups) else { return Ok(own) };
        let told = groups.iter().map(|group| self.groups[usize::from(*group)][at]);
        let Some(own) = own else { return Ok(Some(Arc::new(UInt16Array::from_iter_values(told)))) };
        Ok(Some(match own.as_primitive_opt::<UInt16Type>() {
            Some(own) => {
                let either = own.values().iter().zip(told).map(|(own, told)| if *own == NONE { told } else { *own });
                Arc::new(UInt16Array::from_iter_values(either))
            }
            None => {
                let (own, texts) = (own.as_binary::<i32>(), self.texts[column as usize].as_string::<i32>());
                let either = told.enumerate().map(|(row, told)| match own.value(row) {
                    [] => texts.value(told.into()).as_bytes(),
                    text => text,
                });
                Arc::new(binary(either, own.len(), own.value_data().len())?)
            }
        }))
    }

    /// Rows of `events`; texts that repeat are dictionaries.
    fn events(&self, batch: &RecordBatch, view: &View<'_>, order: &UInt32Array) -> Result<RecordBatch, ArrowError> {
        let rows = order.len();
        let picked = || order.values().iter().map(|row| *row as usize);
        let instants =
            |times: Vec<i64>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")) };
        let groups = batch.column_by_name(GROUP).map(|array| array.as_primitive::<UInt16Type>().values());
        let groups: Option<Vec<u16>> = groups.map(|groups| picked().map(|row| groups[row]).collect());
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for field in Table::Events.schema().fields() {
            let column: ArrayRef = match field.name().as_str() {
                "event_id" => {
                    let mut ids = Vec::with_capacity(rows * 32);
                    let lengths = picked().map(|row| {
                        let before = ids.len();
                        match view.given(row) {
                            Some(id) => ids.extend_from_slice(id.as_bytes()),
                            None => ids.extend_from_slice(&hex(view.hash(row))),
                        }
                        ids.len() - before
                    });
                    let offsets = OffsetBuffer::from_lengths(lengths.collect::<Vec<_>>());
                    Arc::new(StringArray::try_new(offsets, Buffer::from_vec(ids), None)?)
                }
                "occurred_at" => instants(picked().map(|row| view.times[row]).collect()),
                "received_at" => {
                    let told = batch.column_by_name(RECEIVED).map(|array| array.as_primitive::<Int64Type>());
                    let told = |row: usize| told.filter(|told| told.is_valid(row)).map(|told| told.value(row));
                    instants(picked().map(|row| told(row).unwrap_or(self.received)).collect())
                }
                "origin" => {
                    let origins = picked().map(|row| (view.places[row] >> LINE_BITS) as u32);
                    let origins = PrimitiveArray::<UInt32Type>::from_iter_values(origins);
                    Arc::new(DictionaryArray::try_new(origins, Arc::clone(&self.origins))?)
                }
                "origin_row" => {
                    let line = |row: usize| (view.places[row] & ((1 << LINE_BITS) - 1)) as i64;
                    Arc::new(Int64Array::from_iter_values(picked().map(line)))
                }
                // Rows say it only where it holds.
                "bot" => {
                    let any = batch.column_by_name(Text::Bot.name()).is_some();
                    let bots = picked().map(|row| Some(any && self.said(batch, Text::Bot, row).is_some()));
                    Arc::new(bots.collect::<BooleanArray>())
                }
                "key" => Arc::new(Int64Array::from_iter_values(picked().map(|row| view.keys[row]))),
                "bucket" => Arc::new(Int32Array::from_iter_values(picked().map(|row| bucket_of(view.keys[row])))),
                name => match (Text::named(name), batch.column_by_name(name)) {
                    (Some(text), _) => match self.texts(batch, text, order, groups.as_deref())? {
                        Some(column) => written(&column, &self.texts[text as usize])?,
                        None => new_null_array(field.data_type(), rows),
                    },
                    (None, Some(column)) => take(column, order, None)?,
                    (None, None) => new_null_array(field.data_type(), rows),
                },
            };
            fields.push(Field::new(field.name(), column.data_type().clone(), field.is_nullable()));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }

    /// The events of a chunk in the order in which they were read, with the columns of the table.
    pub(crate) fn shown(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let view = View::new(batch)?;
        let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
        order.sort_unstable_by_key(|row| view.places[*row as usize]);
        let events = self.events(batch, &view, &UInt32Array::from(order))?;
        let schema = Table::Events.schema();
        let columns = events.columns().iter().zip(schema.fields()).map(|(array, field)| cast(array, field.data_type()));
        RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_, _>>()?)
    }

    fn conflict(&self, view: &View<'_>, batch: &RecordBatch, row: usize) -> (usize, Reject) {
        let mut raw = format!("{{\"occurred_at\":\"{}\"", super::time::show(view.times[row]));
        for column in Text::ALL {
            if let Some(text) = self.said(batch, *column, row) {
                raw.push_str(&format!(",\"{}\":", column.name()));
                super::row::quote(&mut raw, text);
            }
        }
        raw.push('}');
        let place = view.places[row];
        let reject = Reject {
            line: place & ((1 << LINE_BITS) - 1),
            column: Some("event_id".to_owned()),
            value: view.given(row).map(str::to_owned),
            reason: reason::SAME_ID.into(),
            raw: Some(raw),
        };
        ((place >> LINE_BITS) as usize, reject)
    }
}

/// A text column as it is stored: an empty text is none.
fn written(column: &ArrayRef, texts: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let nulls = |valid: BooleanBuffer| Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0);
    Ok(match column.as_primitive_opt::<UInt16Type>() {
        Some(numbers) => {
            let numbers = numbers.values();
            let valid = BooleanBuffer::collect_bool(numbers.len(), |row| numbers[row] != NONE);
            let keys = PrimitiveArray::<UInt16Type>::new(numbers.clone(), nulls(valid));
            Arc::new(DictionaryArray::try_new(keys, Arc::clone(texts))?)
        }
        None => {
            let (offsets, bytes, _) = column.as_binary::<i32>().clone().into_parts();
            let valid = BooleanBuffer::collect_bool(column.len(), |row| offsets[row] < offsets[row + 1]);
            Arc::new(StringArray::try_new(offsets, bytes, nulls(valid))?)
        }
    })
}

/// Row, first namespace, other namespace.
type Seen = (usize, usize, usize);

/// The namespace of devices among those of links.
const DEVICE: usize = 0;

/// Statements that identifiers belong together. Of a person's identifiers, wherever one of them differs from the last time beside a
/// key. Of a device and a person, the first and the last of each hour ([`SIGHTING_US`]): who has a device when is read from them, and
/// what comes between may be told by another import.
///
/// A device is linked to the first of those that name a person (user, e-mail, phone, CRM), and that one to each of the others:
/// devices pass from hand to hand, and would not hold the names of their owner together.
fn links_of(events: &RecordBatch) -> Result<Option<RecordBatch>, ArrowError> {
    const SPACES: [(&str, &str); 5] = [
        ("anonymous_id", "anonymous"),
        ("user_id", "user"),
        ("email_hash", "email"),
        ("phone_hash", "phone"),
        ("crm_id", "crm"),
    ];
    let ids = SPACES.map(|(column, space)| {
        let array = events.column_by_name(column).filter(|array| array.null_count() < array.len());
        array.map(|array| (space, array.as_string::<i32>()))
    });
    if ids.iter().flatten().count() < 2 {
        return Ok(None);
    }
    let column = |name: &str| {
        events.column_by_name(name).map(Arc::clone).ok_or_else(|| ArrowError::SchemaError(name.to_owned()))
    };
    let (keys, times, event_ids, origins) =
        (column("key")?, column("occurred_at")?, column("event_id")?, column("origin")?);
    let (keys, times) = (keys.as_primitive::<Int64Type>(), times.as_primitive::<TimestampMicrosecondType>());
    let event_ids = event_ids.as_string::<i32>();
    let origins = origins.as_dictionary::<UInt32Type>();
    let origin = |row: usize| origins.values().as_string::<i32>().value(origins.keys().value(row) as usize).to_owned();
    let mut last_key = None;
    // By the second namespace: the other identifier, and which it was linked to.
    let mut last: [Option<(usize, &str, &str)>; 5] = [None; 5];
    // By device and person: the hour, and the row that is its last so far where that is not its first.
    let mut hours: HashMap<(&str, usize, &str), (i64, Option<usize>)> = HashMap::new();
    let mut found: Vec<Seen> = Vec::new();
    for row in 0..events.num_rows() {
        if last_key != Some(keys.value(row)) {
            last_key = Some(keys.value(row));
            last = [None; 5];
            found.extend(lasts(hours.drain()));
        }
        let id = |space: usize| ids[space].and_then(|(_, id)| id.is_valid(row).then(|| id.value(row)));
        let Some(name) = (1..ids.len()).find(|space| id(*space).is_some()) else { continue };
        if let (Some(device), Some(person)) = (id(DEVICE), id(name)) {
            let hour = times.value(row).div_euclid(SIGHTING_US);
            let pair = (device, name, person);
            match hours.get_mut(&pair) {
                Some((known, last)) if *known == hour => *last = Some(row),
                _ => {
                    found.extend(lasts(hours.insert(pair, (hour, None)).map(|before| (pair, before))));
                    found.push((row, DEVICE, name));
                }
            }
        }
        for other in (name + 1..ids.len()).filter(|space| id(*space).is_some()) {
            let (Some(first), Some(second)) = (id(name), id(other)) else { continue };
            let pair = Some((name, first, second));
            if std::mem::replace(&mut last[other], pair) != pair {
                found.push((row, name, other));
            }
        }
    }
    found.extend(lasts(hours.drain()));
    found.sort_unstable();
    if found.is_empty() {
        return Ok(None);
    }
    let texts =
        |of: &dyn Fn(&Seen) -> Option<String>| -> ArrayRef { Arc::new(found.iter().map(of).collect::<StringArray>()) };
    let space = |at: usize| ids[at].map(|(space, _)| space.to_owned());
    let id = |at: usize, row: usize| ids[at].map(|(_, id)| id.value(row).to_owned());
    let count = found.len();
    let instant = safar_model::table::instant();
    let columns: Vec<ArrayRef> = vec![
        texts(&|(_, a, _)| space(*a)),
        texts(&|(row, a, _)| id(*a, *row)),
        texts(&|(.., b)| space(*b)),
        texts(&|(row, _, b)| id(*b, *row)),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(found.iter().map(|(row, ..)| times.value(*row)))
                .with_timezone("UTC"),
        ),
        texts(&|(row, ..)| Some(origin(*row))),
        texts(&|(row, ..)| Some(event_ids.value(*row).to_owned())),
        texts(&|_| Some(safar_identity::LinkKind::Event.as_str().to_owned())),
        Arc::new(Float64Array::from(vec![1.0; count])),
        new_null_array(&instant, count),
        new_null_array(&instant, count),
    ];
    RecordBatch::try_new(Table::IdentityLinks.schema(), columns).map(Some)
}

/// The last of hours of devices with people.
fn lasts<'t>(
    hours: impl IntoIterator<Item = ((&'t str, usize, &'t str), (i64, Option<usize>))>,
) -> impl Iterator<Item = Seen> {
    hours.into_iter().filter_map(|((_, name, _), (_, last))| Some((last?, DEVICE, name)))
}

/// What two events with one given id must say alike, beside time and value, to be the same event. Columns that rules or
/// settings write anew are not among them.
const COMPARED: [Text; 7] =
    [Text::Name, Text::OrderId, Text::Currency, Text::Items, Text::UserId, Text::EmailHash, Text::CrmId];

/// What is stored of an event that may come again.
struct Known<'a> {
    key: i64,
    event_id: &'a str,
    /// `None`: it happened at another time than any new event.
    said: Option<Said<'a>>,
}

struct Said<'a> {
    time: i64,
    value: Option<f64>,
    texts: [Option<&'a str>; COMPARED.len()],
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// The stored events of a bucket that new ones may repeat, read once in the order of keys: those of files that overlap the
/// new ones in time, and the ids of the others where ids were given.
struct Stored {
    files: Vec<StoredFile>,
}

struct StoredFile {
    file: DataFile,
    reads: Reads,
    batches: Option<Batches>,
    current: Option<RecordBatch>,
    at: usize,
}

/// What is read of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Keys and ids.
    Ids,
    /// What is compared, too.
    Whole,
}

impl Stored {
    fn open(files: &[DataFile], bucket: i32, times: (i64, i64), whole: bool) -> Self {
        let overlaps = |file: &DataFile| {
            file.min_time.is_none_or(|min| min <= times.1) && file.max_time.is_none_or(|max| max >= times.0)
        };
        let reads = |file: &DataFile| match (overlaps(file), whole) {
            (true, true) => Some(Reads::Whole),
            (true, false) | (false, true) => Some(Reads::Ids),
            (false, false) => None,
        };
        let files = files.iter().filter(|file| file.bucket == Some(bucket));
        let files = files.filter_map(|file| Some((file.clone(), reads(file)?)));
        Self {
            files: files.map(|(file, reads)| StoredFile { file, reads, batches: None, current: None, at: 0 }).collect(),
        }
    }

    /// Whether a key from `low` to `high` may be stored.
    fn has(&self, range: (i64, i64)) -> bool {
        self.files.iter().any(|stored| stored.may_have(range))
    }

    /// Every stored event whose key is from `low` to `high`; ranges must ascend.
    fn visit(&mut self, (low, high): (i64, i64), mut each: impl FnMut(&Known<'_>)) -> Result<(), Error> {
        for stored in self.files.iter_mut().filter(|stored| stored.may_have((low, high))) {
            if stored.batches.is_none() || !stored.file.sorted {
                let mut columns = vec!["event_id", "key"];
                if stored.reads == Reads::Whole {
                    columns.extend(["occurred_at", "value"]);
                    columns.extend(COMPARED.map(Text::name));
                }
                stored.batches = Some(Box::new(read(&stored.file.path, &columns)?));
                stored.current = None;
            }
            stored.visit(low, high, &mut each)?;
        }
        Ok(())
    }
}

impl StoredFile {
    fn may_have(&self, (low, high): (i64, i64)) -> bool {
        self.file.min_key.is_none_or(|min| min <= high) && self.file.max_key.is_none_or(|max| max >= low)
    }

    fn visit(&mut self, low: i64, high: i64, each: &mut impl FnMut(&Known<'_>)) -> Result<(), Error> {
        loop {
            if self.current.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
                self.current = self.batches.as_mut().and_then(Iterator::next).transpose()?;
                self.at = 0;
            }
            let Some(batch) = &self.current else { return Ok(()) };
            let column = |name: &str| {
                batch
                    .column_by_name(name)
                    .ok_or_else(|| ArrowError::SchemaError(format!("events have no column {name}")))
            };
            let (event_ids, keys) =
                (column("event_id")?.as_string::<i32>(), column("key")?.as_primitive::<Int64Type>());
            let whole = match self.reads {
                Reads::Ids => None,
                Reads::Whole => {
                    let times = column("occurred_at")?.as_primitive::<TimestampMicrosecondType>();
                    let texts: Vec<&StringArray> = COMPARED
                        .iter()
                        .map(|text| Ok(column(text.name())?.as_string::<i32>()))
                        .collect::<Result<_, ArrowError>>()?;
                    Some((times, column("value")?.as_primitive::<Float64Type>(), texts))
                }
            };
            while self.at < batch.num_rows() {
                let row = self.at;
                let key = keys.value(row);
                if key > high && self.file.sorted {
                    return Ok(());
                }
                self.at += 1;
                if (low..=high).contains(&key) {
                    let said = whole.as_ref().map(|(times, values, texts)| Said {
                        time: times.value(row),
                        value: values.is_valid(row).then(|| values.value(row)),
                        texts: std::array::from_fn(|at| texts[at].is_valid(row).then(|| texts[at].value(row))),
                    });
                    each(&Known { key, event_id: event_ids.value(row), said });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_are_their_hash() {
        for hash in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677] {
            assert_eq!(fingerprint(std::str::from_utf8(&hex(hash)).unwrap()), hash);
        }
        assert_ne!(fingerprint("order-1"), fingerprint("order-2"));
    }
}
