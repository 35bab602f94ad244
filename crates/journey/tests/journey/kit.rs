//! Events as short texts, and columns as vectors.
use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use safar_journey::{
    Findings, FoundOrders, INPUT_COLUMNS, JourneyBatches, JourneyBuilder, JourneyRules, OrderReader, SharedOrders,
};
use std::sync::Arc;

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// 2026-03-02T00:00:00Z, a Monday.
pub const T0: i64 = 1_772_409_600 * SECOND;

/// One event; texts by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub person: i64,
    pub at: i64,
    pub value: Option<f64>,
    pub texts: Vec<(&'static str, String)>,
}

/// `column=text` pairs separated by `;`.
pub fn event(person: i64, at: i64, texts: &str) -> Row {
    let mut row = Row { person, at, value: None, texts: vec![] };
    for pair in texts.split(';').filter(|pair| !pair.is_empty()) {
        let (column, text) = pair.split_once('=').expect("column=text");
        if column == "value" {
            row.value = Some(text.parse().expect("a number"));
        } else {
            let column = INPUT_COLUMNS.iter().find(|known| **known == column).expect("a column");
            row.texts.push((column, text.to_owned()));
        }
    }
    row
}

/// The rows as one batch; events without an id get one from their place.
pub fn batch(rows: &[Row]) -> RecordBatch {
    let columns = INPUT_COLUMNS.iter().map(|column| {
        let array: ArrayRef = match *column {
            "person_id" => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.person))),
            "occurred_at" => Arc::new(
                TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.at)).with_timezone("UTC"),
            ),
            "value" => Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.value))),
            _ => Arc::new(StringArray::from_iter(rows.iter().enumerate().map(|(index, row)| {
                let found = row.texts.iter().find(|(name, _)| name == column).map(|(_, text)| text.clone());
                match *column {
                    "event_id" => found.or_else(|| Some(format!("e{index}"))),
                    "name" => found.or_else(|| Some("page_view".to_owned())),
                    _ => found,
                }
            }))),
        };
        (*column, array)
    });
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).expect("a batch")
}

/// Builds journeys from rows given in any order of people; rows of one person at one instant keep their order.
pub fn build(rules: &JourneyRules, rows: &[Row]) -> (JourneyBatches, Findings) {
    build_with(rules, rows, &SharedOrders::new())
}

/// What several people told of; `before` is what was found the last time.
pub fn orders(rules: &JourneyRules, rows: &[Row], before: &SharedOrders) -> FoundOrders {
    let order = |row: &Row| row.texts.iter().find(|(column, _)| *column == "order_id").map(|(_, order)| order.clone());
    let mut rows: Vec<Row> = rows.iter().filter(|row| order(row).is_some()).cloned().collect();
    rows.sort_by_key(|row| (order(row), row.at));
    let mut reader = OrderReader::new(rules, before).expect("good rules");
    reader.push(&batch(&rows), |order| order != "undefined").expect("good events");
    reader.finish()
}

/// As [`build`], where orders that several people told of count once.
pub fn build_with(rules: &JourneyRules, rows: &[Row], orders: &SharedOrders) -> (JourneyBatches, Findings) {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| (row.person, row.at));
    let mut builder = JourneyBuilder::with_shared_orders(rules, orders).expect("good rules");
    builder.push(&batch(&rows)).expect("good events");
    builder.finish().expect("batches")
}

pub fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let array = batch.column_by_name(column).expect("a column").as_string::<i32>();
    array.iter().map(|text| text.map(str::to_owned)).collect()
}

pub fn words(batch: &RecordBatch, column: &str) -> Vec<String> {
    texts(batch, column).into_iter().map(Option::unwrap_or_default).collect()
}

pub fn longs(batch: &RecordBatch, column: &str) -> Vec<i64> {
    let array = batch.column_by_name(column).expect("a column");
    match array.data_type() {
        arrow::datatypes::DataType::Int32 => {
            array.as_primitive::<Int32Type>().values().iter().map(|value| i64::from(*value)).collect()
        }
        arrow::datatypes::DataType::Int64 => array.as_primitive::<Int64Type>().values().to_vec(),
        _ => array.as_primitive::<TimestampMicrosecondType>().values().to_vec(),
    }
}

pub fn floats(batch: &RecordBatch, column: &str) -> Vec<f64> {
    batch.column_by_name(column).expect("a column").as_primitive::<Float64Type>().values().to_vec()
}

pub fn flags(batch: &RecordBatch, column: &str) -> Vec<bool> {
    batch.column_by_name(column).expect("a column").as_boolean().iter().map(|flag| flag == Some(true)).collect()
}

/// The lists of texts in a column, joined by ` > `.
pub fn walks(batch: &RecordBatch, column: &str) -> Vec<String> {
    let lists = batch.column_by_name(column).expect("a column").as_list::<i32>();
    let walk = |list: ArrayRef| list.as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(" > ");
    (0..lists.len()).map(|row| walk(lists.value(row))).collect()
}

/// The lists of integers in a column.
pub fn long_lists(batch: &RecordBatch, column: &str) -> Vec<Vec<i64>> {
    let lists = batch.column_by_name(column).expect("a column").as_list::<i32>();
    (0..lists.len()).map(|row| lists.value(row).as_primitive::<Int64Type>().values().to_vec()).collect()
}
