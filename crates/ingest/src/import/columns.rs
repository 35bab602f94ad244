//! Events as columns while they are being read: only columns that hold something, in any order of rows.
use arrow::{
    array::{
        ArrayRef, BooleanBufferBuilder, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringBuilder,
        UInt32Array, UInt64Array, new_null_array,
    },
    buffer::NullBuffer,
    compute::take_record_batch,
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use std::sync::Arc;

macro_rules! texts {
    ($($column:ident $name:literal)*) => {
        /// Text columns of `events`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Text { $($column,)* }

        impl Text {
            pub(crate) const NAMES: &'static [&'static str] = &[$($name),*];
        }
    };
}

texts! {
    EventId "event_id" Name "name" AnonymousId "anonymous_id" UserId "user_id" EmailHash "email_hash" PhoneHash "phone_hash"
    CrmId "crm_id" PageUrl "page_url" PageTitle "page_title" Referrer "referrer" UtmSource "utm_source" UtmMedium "utm_medium"
    UtmCampaign "utm_campaign" UtmTerm "utm_term" UtmContent "utm_content" UtmCustom "utm_custom" ClickId "click_id"
    ClickIdType "click_id_type" Source "source" Medium "medium" Campaign "campaign" Channel "channel"
    Interaction "interaction" OrderId "order_id" Currency "currency" Items "items" Consent "consent" Properties "properties"
}

/// How finely keys are parted while rows are being sorted: ordered ranges, 16 to a bucket.
pub(crate) const PARTS: usize = 256;

/// The range that a key is in.
pub(crate) fn part_of(key: i64) -> usize {
    (key >> 55) as usize
}

/// Columns that every chunk has, before its texts.
pub(crate) const KEY: &str = "key";
pub(crate) const TIME: &str = "occurred_at";
pub(crate) const PLACE: &str = "#place";
pub(crate) const HASH_HIGH: &str = "#high";
pub(crate) const HASH_LOW: &str = "#low";
pub(crate) const VALUE: &str = "value";

struct TextColumn {
    builder: StringBuilder,
    rows: usize,
}

/// Builds columns row by row.
#[derive(Default)]
pub(crate) struct Columns {
    keys: Vec<i64>,
    times: Vec<i64>,
    places: Vec<u64>,
    high: Vec<u64>,
    low: Vec<u64>,
    values: Vec<f64>,
    valued: Option<BooleanBufferBuilder>,
    texts: Vec<Option<TextColumn>>,
}

/// Rows ordered by [`part_of`] their keys.
pub(crate) struct Parted {
    pub batch: RecordBatch,
    /// Where each part begins; one more than there are parts.
    pub starts: Vec<u32>,
}

impl Columns {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Begins a row.
    pub(crate) fn begin(&mut self, key: i64, time: i64, place: u64, hash: u128, value: Option<f64>) {
        if value.is_some() && self.valued.is_none() {
            let mut valued = BooleanBufferBuilder::new(self.keys.len() + 1024);
            valued.append_n(self.keys.len(), false);
            self.valued = Some(valued);
            self.values.resize(self.keys.len(), 0.0);
        }
        if let Some(valued) = &mut self.valued {
            valued.append(value.is_some());
            self.values.push(value.unwrap_or_default());
        }
        self.keys.push(key);
        self.times.push(time);
        self.places.push(place);
        self.high.push((hash >> 64) as u64);
        self.low.push(hash as u64);
    }

    /// Gives the row that was begun last a text; an empty one is none.
    #[inline]
    pub(crate) fn text(&mut self, column: Text, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.texts.is_empty() {
            self.texts.resize_with(Text::NAMES.len(), || None);
        }
        let column = self.texts[column as usize]
            .get_or_insert_with(|| TextColumn { builder: StringBuilder::with_capacity(1 << 14, 1 << 17), rows: 0 });
        let row = self.keys.len() - 1;
        if column.rows < row {
            column.builder.append_nulls(row - column.rows);
        }
        column.builder.append_value(text);
        column.rows = row + 1;
    }

    /// The rows so far, ordered by part; begins anew.
    pub(crate) fn finish(&mut self) -> Result<Parted, ArrowError> {
        let mut taken = std::mem::take(self);
        let rows = taken.keys.len();
        let mut counts = vec![0u32; PARTS + 1];
        for key in &taken.keys {
            counts[part_of(*key) + 1] += 1;
        }
        for part in 0..PARTS {
            counts[part + 1] += counts[part];
        }
        let starts = counts.clone();
        let mut order = vec![0u32; rows];
        for (row, key) in taken.keys.iter().enumerate() {
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
            Arc::new(Int64Array::from(taken.keys)),
            Arc::new(Int64Array::from(taken.times)),
            Arc::new(UInt64Array::from(taken.places)),
            Arc::new(UInt64Array::from(taken.high)),
            Arc::new(UInt64Array::from(taken.low)),
        ];
        if let Some(mut valued) = taken.valued {
            fields.push(Field::new(VALUE, DataType::Float64, true));
            arrays.push(Arc::new(Float64Array::new(taken.values.into(), Some(NullBuffer::new(valued.finish())))));
        }
        for (name, column) in Text::NAMES.iter().zip(&mut taken.texts) {
            if let Some(column) = column {
                column.builder.append_nulls(rows - column.rows);
                fields.push(Field::new(*name, DataType::Utf8, true));
                arrays.push(Arc::new(column.builder.finish()));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?;
        let batch = take_record_batch(&batch, &UInt32Array::from(order))?;
        Ok(Parted { batch, starts })
    }
}

/// The schema with the columns of all, in one fixed order.
pub(crate) fn union<'a>(schemas: impl Iterator<Item = &'a SchemaRef> + Clone) -> SchemaRef {
    let mut fields = Vec::new();
    for name in [KEY, TIME, PLACE, HASH_HIGH, HASH_LOW, VALUE].iter().chain(Text::NAMES) {
        if let Some(field) = schemas.clone().find_map(|schema| schema.field_with_name(name).ok()) {
            fields.push(field.clone());
        }
    }
    Arc::new(Schema::new(fields))
}

/// A batch with the columns of `schema`; those that it lacks are null.
pub(crate) fn widen(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let arrays = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(array) => Arc::clone(array),
        None => new_null_array(field.data_type(), batch.num_rows()),
    });
    RecordBatch::try_new(Arc::clone(schema), arrays.collect())
}
