//! A small workspace, and results as text.
use datafusion::{
    arrow::{
        array::{
            ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
            new_null_array,
        },
        datatypes::DataType,
        util::pretty::pretty_format_batches,
    },
    prelude::DataFrame,
};
use safar_engine::Session;
use safar_model::{Table, bucket_of, key_of};
use safar_store::{Change, CommitKey, Store};
use std::{future::Future, path::Path, sync::Arc};

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// A workspace with a few touches and conversions of `people` people, in sorted files.
pub async fn workspace(folder: &Path, people: usize) -> Store {
    let store = Store::create(folder).await.unwrap();
    let lock = store.lock().unwrap();
    let changes = [(Table::Touchpoints, 3), (Table::Conversions, 1)].map(|(table, each)| {
        let mut writer = store.writer(&lock, table).unwrap();
        writer.write(&rows(table, people, each)).unwrap();
        Change::Append(writer.finish().unwrap())
    });
    store.commit(&lock, changes.into(), &CommitKey::new("test", "1")).await.unwrap();
    drop(lock);
    store
}

fn rows(table: Table, people: usize, each: usize) -> RecordBatch {
    let mut rows: Vec<_> = (0..people * each).map(|id| (key_of("person", &(id / each).to_string()), id)).collect();
    rows.sort_unstable();
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match (field.name().as_str(), field.data_type()) {
            ("bucket", _) => Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| bucket_of(row.0)))),
            ("person_id", _) => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
            ("channel", _) => {
                Arc::new(StringArray::from_iter_values(rows.iter().map(|row| format!("channel {}", row.1 % 7))))
            }
            (_, kind) if field.is_nullable() => new_null_array(kind, rows.len()),
            (_, DataType::Int64) => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1 as i64))),
            (_, DataType::Float64) => {
                Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| (row.1 % 100) as f64)))
            }
            (_, DataType::Timestamp(..)) => {
                let times = rows.iter().map(|row| 1_700_000_000_000_000 + row.1 as i64 * 1_000_000);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            _ => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1.to_string()))),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

pub async fn text(session: &Session, frame: DataFrame) -> Result<String, safar_engine::Error> {
    let batches = frame.collect().await.map_err(|error| session.explain(error))?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}
