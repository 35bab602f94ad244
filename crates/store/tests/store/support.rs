//! Small tables and how to read them back.
use arrow::{
    array::{
        ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        new_null_array,
    },
    datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType},
};
use datafusion::prelude::{SessionConfig, SessionContext};
use safar_model::{Table, bucket_of};
use safar_store::{CommitKey, Snapshot, Staged, Store, WriteLock};
use std::{future::Future, sync::Arc};

/// A row: key, time, name.
pub type Row = (i64, i64, String);

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

pub fn key(id: impl ToString) -> CommitKey {
    CommitKey::new("test", id.to_string())
}

/// A row whose key is spread over the buckets.
pub fn row(id: u64) -> Row {
    (safar_model::key_of("test", &id.to_string()), 1_700_000_000_000_000 + id as i64 * 1_000_003, id.to_string())
}

/// The rows as a batch of `table`, sorted; other columns are empty or constant.
pub fn batch(table: Table, rows: &[Row]) -> RecordBatch {
    let mut rows = rows.to_vec();
    rows.sort();
    let (key, time) = match table.sort_columns() {
        [key, time, ..] => (*key, *time),
        _ => ("", ""),
    };
    let texts = || Arc::new(rows.iter().map(|row| Some(row.2.as_str())).collect::<StringArray>()) as ArrayRef;
    let times = || {
        let values = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1));
        Arc::new(values.with_timezone("UTC")) as ArrayRef
    };
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| match (field.name().as_str(), field.data_type()) {
        (name, _) if name == key => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef,
        (name, _) if name == time => times(),
        ("bucket", _) => Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| bucket_of(row.0)))),
        (_, kind) if field.is_nullable() => new_null_array(kind, rows.len()),
        (_, DataType::Utf8) => texts(),
        (_, DataType::Timestamp(..)) => times(),
        (_, DataType::Int64) => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
        (_, DataType::Float64) => Arc::new(Float64Array::from(vec![1.0; rows.len()])),
        (name, kind) => panic!("{table}.{name} {kind}: not used by these tests"),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

pub fn stage(store: &Store, lock: &WriteLock, table: Table, rows: &[Row]) -> Staged {
    let mut writer = store.writer(lock, table).unwrap();
    writer.write(&batch(table, rows)).unwrap();
    writer.finish().unwrap()
}

pub fn context(threads: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(threads);
    config.options_mut().optimizer.prefer_existing_sort = true;
    SessionContext::new_with_config(config)
}

/// The rows of `events` or `touchpoints` in a snapshot, sorted.
pub async fn read(store: &Store, snapshot: &Snapshot, table: Table) -> Vec<Row> {
    let context = context(2);
    context.register_table("t", store.table(snapshot, table).await.unwrap()).unwrap();
    let [key, time, ..] = table.sort_columns() else { panic!("{table} is not clustered") };
    let query = format!("SELECT {key}, {time}, event_id, bucket FROM t");
    let mut rows = vec![];
    for batch in context.sql(&query).await.unwrap().collect().await.unwrap() {
        rows.extend(rows_of(&batch));
    }
    rows.sort();
    rows
}

/// Key, time, id and bucket columns as rows.
pub fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let keys = batch.column(0).as_primitive::<Int64Type>();
    let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
    let ids = arrow::compute::cast(batch.column(2), &DataType::Utf8).unwrap();
    let ids = ids.as_string::<i32>();
    if let Some(buckets) = batch.columns().get(3) {
        let buckets = buckets.as_primitive::<Int32Type>();
        assert!((0..buckets.len()).all(|row| buckets.value(row) == bucket_of(keys.value(row))));
    }
    (0..keys.len()).map(|row| (keys.value(row), times.value(row), ids.value(row).to_owned())).collect()
}

/// Every Parquet file below a folder.
pub fn parquet_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("_delta_log") {
            found.extend(parquet_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "parquet") {
            found.push(path);
        }
    }
    found
}
