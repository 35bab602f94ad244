//! Sorted rows as the table `events` holds them.
use super::{
    super::columns::{DERIVED, GROUP, RECEIVED, Text, binary},
    super::{words::NONE, work::LINE_BITS},
    Publish,
    id::hex,
    view::View,
};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Int32Array, Int64Array, PrimitiveArray, RecordBatch,
        StringArray, TimestampMicrosecondArray, UInt16Array, UInt32Array, new_null_array,
    },
    buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer},
    compute::{cast, take},
    datatypes::{Field, Int64Type, Schema, UInt16Type, UInt32Type},
    error::ArrowError,
};
use safar_model::{Table, bucket_of};
use std::sync::Arc;

impl Publish<'_> {
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
    pub(super) fn events(
        &self,
        batch: &RecordBatch,
        view: &View<'_>,
        order: &UInt32Array,
    ) -> Result<RecordBatch, ArrowError> {
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
