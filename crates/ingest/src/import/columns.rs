//! Events as columns while they are being read: only columns that hold something, in any order of rows.
use super::words::{NONE, Numbered, Words};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, Float64Array, Int64Array, RecordBatch, UInt16Array, UInt64Array,
        new_null_array,
    },
    buffer::{Buffer, OffsetBuffer},
    datatypes::{DataType, Field, Schema, SchemaRef, UInt16Type},
    error::ArrowError,
};
use std::sync::Arc;

macro_rules! texts {
    ($($column:ident $name:literal)*) => {
        /// Text columns of `events`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Text { $($column,)* }

        impl Text {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$column),*];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$column => $name,)* }
            }
        }
    };
}

texts! {
    EventId "event_id" Name "name" AnonymousId "anonymous_id" UserId "user_id" EmailHash "email_hash" PhoneHash "phone_hash"
    CrmId "crm_id" PageUrl "page_url" PageTitle "page_title" Referrer "referrer" UtmSource "utm_source" UtmMedium "utm_medium"
    UtmCampaign "utm_campaign" UtmTerm "utm_term" UtmContent "utm_content" UtmCustom "utm_custom" ClickId "click_id"
    ClickIdType "click_id_type" Source "source" Medium "medium" Campaign "campaign" Channel "channel"
    Interaction "interaction" OrderId "order_id" Currency "currency" Items "items" Consent "consent" Properties "properties"
    Country "country" Language "language" Device "device" Browser "browser" BrowserVersion "browser_version" Os "os" Bot "bot"
}

impl Text {
    /// Whether the texts of such a column tend to repeat; identifiers are as many as there are people or orders.
    pub(crate) const fn repeats(self) -> bool {
        !matches!(
            self,
            Self::EventId
                | Self::AnonymousId
                | Self::UserId
                | Self::EmailHash
                | Self::PhoneHash
                | Self::CrmId
                | Self::ClickId
                | Self::OrderId
        )
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.name() == name)
    }
}

/// Columns that follow from what the rules look at. Rows of one answer of theirs have one [`Group`].
pub(crate) const DERIVED: [Text; 12] = [
    Text::Interaction,
    Text::Referrer,
    Text::UtmSource,
    Text::UtmMedium,
    Text::UtmCampaign,
    Text::UtmTerm,
    Text::UtmContent,
    Text::ClickIdType,
    Text::Campaign,
    Text::Channel,
    Text::Medium,
    Text::Source,
];

/// The numbers of [`DERIVED`] texts; [`NONE`] where they are told in another way, or not at all.
pub(crate) type Group = [u16; DERIVED.len()];

/// How finely keys are parted while rows are being sorted: ordered ranges, 16 to a bucket.
pub(crate) const PARTS: usize = 256;

/// How many bits of a key tell it from others of its range.
pub(crate) const RANGE_BITS: u32 = 55;

/// The range that a key is in.
pub(crate) fn part_of(key: i64) -> usize {
    (key >> RANGE_BITS) as usize
}

/// Columns that every chunk has, before its texts.
pub(crate) const KEY: &str = "key";
pub(crate) const TIME: &str = "occurred_at";
pub(crate) const PLACE: &str = "#place";
pub(crate) const HASH_HIGH: &str = "#high";
pub(crate) const HASH_LOW: &str = "#low";
pub(crate) const VALUE: &str = "value";
/// When a row says that it was received; null where it does not.
pub(crate) const RECEIVED: &str = "received_at";
/// The number of a row's [`Group`]; what the row says in a column of its own goes before.
pub(crate) const GROUP: &str = "#group";

/// What the rows so far say in one column; rows behind its end say nothing.
enum Cells {
    /// Numbers of [`Words`].
    Numbers(Vec<u16>),
    Texts {
        ends: Vec<usize>,
        bytes: Vec<u8>,
    },
}

impl Cells {
    fn new(open: bool) -> Self {
        if open { Self::Numbers(Vec::new()) } else { Self::Texts { ends: Vec::new(), bytes: Vec::new() } }
    }

    fn extend_to(&mut self, rows: usize) {
        match self {
            Self::Numbers(numbers) => extend(numbers, rows, NONE),
            Self::Texts { ends, bytes } => extend(ends, rows, bytes.len()),
        }
    }

    /// The rows in `order`.
    fn array(&self, order: &[u32]) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Numbers(numbers) => Arc::new(UInt16Array::from(picked(numbers, order))),
            Self::Texts { ends, bytes } => {
                let text = |row: &u32| {
                    let row = *row as usize;
                    &bytes[if row == 0 { 0 } else { ends[row - 1] }..ends[row]]
                };
                Arc::new(binary(order.iter().map(text), order.len(), bytes.len())?)
            }
        })
    }
}

/// Most rows follow on the one before, so this is seldom more than a look.
#[inline]
fn extend<T: Copy>(values: &mut Vec<T>, rows: usize, value: T) {
    if values.len() < rows {
        values.resize(rows, value);
    }
}

fn picked<T: Copy>(values: &[T], order: &[u32]) -> Vec<T> {
    order.iter().map(|row| values[*row as usize]).collect()
}

/// Texts as bytes; `size` is how many there may be.
pub(crate) fn binary<'a>(
    texts: impl Iterator<Item = &'a [u8]>,
    rows: usize,
    size: usize,
) -> Result<BinaryArray, ArrowError> {
    let (mut offsets, mut bytes) = (Vec::with_capacity(rows + 1), Vec::with_capacity(size));
    offsets.push(0);
    for text in texts {
        bytes.extend_from_slice(text);
        offsets.push(i32::try_from(bytes.len()).map_err(|_| ArrowError::OffsetOverflowError(bytes.len()))?);
    }
    BinaryArray::try_new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes), None)
}

/// Builds columns row by row.
pub(crate) struct Columns {
    keys: Vec<i64>,
    times: Vec<i64>,
    places: Vec<u64>,
    high: Vec<u64>,
    low: Vec<u64>,
    /// Empty until a row has one.
    values: Vec<Option<f64>>,
    /// Rows behind its end say nothing.
    received: Vec<Option<i64>>,
    /// Rows behind its end have none.
    groups: Vec<u16>,
    /// By [`Text`]; `None` until a row has one.
    texts: Vec<Option<Cells>>,
    numbered: Numbered,
}

/// Rows ordered by [`part_of`] their keys.
pub(crate) struct Parted {
    pub batch: RecordBatch,
    /// Where each part begins; one more than there are parts.
    pub starts: Vec<u32>,
}

impl Columns {
    pub(crate) fn new(words: Arc<Words>) -> Self {
        Self {
            keys: Vec::new(),
            times: Vec::new(),
            places: Vec::new(),
            high: Vec::new(),
            low: Vec::new(),
            values: Vec::new(),
            received: Vec::new(),
            groups: Vec::new(),
            texts: Text::ALL.iter().map(|_| None).collect(),
            numbered: Numbered::new(words),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Begins a row.
    pub(crate) fn begin(&mut self, key: i64, time: i64, place: u64, hash: u128, value: Option<f64>) {
        if value.is_some() || !self.values.is_empty() {
            extend(&mut self.values, self.keys.len(), None);
            self.values.push(value);
        }
        self.keys.push(key);
        self.times.push(time);
        self.places.push(place);
        self.high.push((hash >> 64) as u64);
        self.low.push(hash as u64);
    }

    /// Says when the row that was begun last was received.
    pub(crate) fn received(&mut self, time: i64) {
        extend(&mut self.received, self.keys.len() - 1, None);
        self.received.push(Some(time));
    }

    /// The group of [`DERIVED`] texts, and a bit for each that it does not tell.
    pub(crate) fn group_of(&mut self, texts: &[&str; DERIVED.len()]) -> (u16, u16) {
        let numbers: [_; DERIVED.len()] = std::array::from_fn(|at| self.numbered.number(DERIVED[at], texts[at]));
        let Some(group) = self.numbered.words().group(numbers.map(|number| number.unwrap_or(NONE))) else {
            return (NONE, u16::MAX);
        };
        let untold = numbers.iter().enumerate().filter(|(_, number)| number.is_none());
        (group, untold.fold(0, |bits, (at, _)| bits | 1 << at))
    }

    /// Gives the row that was begun last a group.
    #[inline]
    pub(crate) fn group(&mut self, group: u16) {
        extend(&mut self.groups, self.keys.len() - 1, NONE);
        self.groups.push(group);
    }

    /// Whether some row of this thread said this in the column.
    #[inline]
    pub(crate) fn knows(&self, column: Text, text: &str) -> bool {
        self.numbered.knows(column, text)
    }

    /// Gives the row that was begun last a text; an empty one is none.
    #[inline]
    pub(crate) fn text(&mut self, column: Text, text: &str) {
        if text.is_empty() {
            return;
        }
        let row = self.keys.len() - 1;
        let open = || Cells::new(self.numbered.words().is_open(column));
        let cells = self.texts[column as usize].get_or_insert_with(open);
        if let Cells::Numbers(numbers) = cells {
            extend(numbers, row, NONE);
            match self.numbered.number(column, text) {
                Some(number) => return numbers.push(number),
                None => *cells = spelled(column, numbers, self.numbered.words()),
            }
        }
        if let Cells::Texts { ends, bytes } = cells {
            extend(ends, row, bytes.len());
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len());
        }
    }

    /// The rows so far, ordered by part; begins anew.
    pub(crate) fn finish(&mut self) -> Result<Parted, ArrowError> {
        let rows = self.keys.len();
        let mut counts = vec![0u32; PARTS + 1];
        for key in &self.keys {
            counts[part_of(*key) + 1] += 1;
        }
        for part in 0..PARTS {
            counts[part + 1] += counts[part];
        }
        let starts = counts.clone();
        let mut order = vec![0u32; rows];
        for (row, key) in self.keys.iter().enumerate() {
            let next = &mut counts[part_of(*key)];
            order[*next as usize] = row as u32;
            *next += 1;
        }
        let mut fields = vec![
            Field::new(KEY, DataType::Int64, false),
            Field::new(TIME, DataType::Int64, false),
            Field::new(PLACE, DataType::UInt64, false),
            Field::new(HASH_HIGH, DataType::UInt64, false),
            Field::new(HASH_LOW, DataType::UInt64, false),
        ];
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(picked(&self.keys, &order))),
            Arc::new(Int64Array::from(picked(&self.times, &order))),
            Arc::new(UInt64Array::from(picked(&self.places, &order))),
            Arc::new(UInt64Array::from(picked(&self.high, &order))),
            Arc::new(UInt64Array::from(picked(&self.low, &order))),
        ];
        if !self.values.is_empty() {
            fields.push(Field::new(VALUE, DataType::Float64, true));
            arrays.push(Arc::new(order.iter().map(|row| self.values[*row as usize]).collect::<Float64Array>()));
        }
        if !self.received.is_empty() {
            extend(&mut self.received, rows, None);
            fields.push(Field::new(RECEIVED, DataType::Int64, true));
            arrays.push(Arc::new(order.iter().map(|row| self.received[*row as usize]).collect::<Int64Array>()));
        }
        if !self.groups.is_empty() {
            extend(&mut self.groups, rows, NONE);
            fields.push(Field::new(GROUP, DataType::UInt16, false));
            arrays.push(Arc::new(UInt16Array::from(picked(&self.groups, &order))));
        }
        for (column, cells) in Text::ALL.iter().zip(&mut self.texts) {
            if let Some(cells) = cells {
                cells.extend_to(rows);
                let array = cells.array(&order)?;
                fields.push(Field::new(column.name(), array.data_type().clone(), false));
                arrays.push(array);
            }
        }
        self.clear();
        Ok(Parted { batch: RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?, starts })
    }

    /// Begins anew, in the same memory.
    fn clear(&mut self) {
        self.keys.clear();
        self.times.clear();
        self.places.clear();
        self.high.clear();
        self.low.clear();
        self.values.clear();
        self.received.clear();
        self.groups.clear();
        for (column, cells) in Text::ALL.iter().zip(&mut self.texts) {
            match cells {
                Some(Cells::Numbers(numbers)) if self.numbered.words().is_open(*column) => numbers.clear(),
                Some(Cells::Texts { ends, bytes }) => {
                    ends.clear();
                    bytes.clear();
                }
                _ => *cells = None,
            }
        }
    }
}

fn spelled(column: Text, numbers: &[u16], words: &Words) -> Cells {
    let texts = words.texts(column);
    let (mut ends, mut bytes) = (Vec::with_capacity(numbers.len()), Vec::new());
    for number in numbers {
        bytes.extend_from_slice(texts.value(usize::from(*number)).as_bytes());
        ends.push(bytes.len());
    }
    Cells::Texts { ends, bytes }
}

/// The schema with the columns of all, in one fixed order; a text column is one of numbers where it is so in all.
pub(crate) fn union<'a>(schemas: impl Iterator<Item = &'a SchemaRef> + Clone) -> SchemaRef {
    let names = [KEY, TIME, PLACE, HASH_HIGH, HASH_LOW, VALUE, RECEIVED, GROUP].into_iter();
    let fields = names.chain(Text::ALL.iter().map(|column| column.name())).filter_map(|name| {
        let mut found = schemas.clone().filter_map(|schema| schema.field_with_name(name).ok());
        let first = found.next()?;
        Some(found.find(|field| *field.data_type() == DataType::Binary).unwrap_or(first).clone())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch with the columns of `schema`; those that it lacks say nothing.
pub(crate) fn widen(batch: &RecordBatch, schema: &SchemaRef, words: &Words) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let rows = batch.num_rows();
    let arrays = schema.fields().iter().map(|field| -> Result<ArrayRef, ArrowError> {
        Ok(match (batch.column_by_name(field.name()), field.data_type()) {
            (Some(array), DataType::Binary) if *array.data_type() == DataType::UInt16 => {
                let texts = Text::named(field.name()).map(|column| words.texts(column));
                let texts = texts.ok_or_else(|| ArrowError::SchemaError(field.name().clone()))?;
                let numbers = array.as_primitive::<UInt16Type>().values();
                Arc::new(binary(numbers.iter().map(|at| texts.value(usize::from(*at)).as_bytes()), rows, 0)?)
            }
            (Some(array), _) => Arc::clone(array),
            (None, DataType::UInt16) => Arc::new(UInt16Array::from(vec![NONE; rows])),
            (None, DataType::Binary) => Arc::new(binary(std::iter::repeat_n(&[][..], rows), rows, 0)?),
            (None, kind) => new_null_array(kind, rows),
        })
    });
    RecordBatch::try_new(Arc::clone(schema), arrays.collect::<Result<_, _>>()?)
}
