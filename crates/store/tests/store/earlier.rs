//! Tables of earlier builds, whose schema had fewer columns.
use crate::support::{block_on, context, key, parquet_files, row, stage};
use arrow::array::{Array, RecordBatch};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use safar_model::{Table, table::VISITOR};
use safar_store::{Change, CompactPolicy, Store};
use serde_json::Value;
use std::{fs, path::Path};

/// Takes columns out of a table, as if a build had made it that did not know them: out of its files, its schema, and the sizes
/// that its log names.
fn forget(folder: &Path, columns: &[&str]) {
    for path in parquet_files(folder) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&path).unwrap()).unwrap();
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let keep: Vec<usize> = (0..batches[0].num_columns())
            .filter(|at| !columns.contains(&batches[0].schema().field(*at).name().as_str()))
            .collect();
        let batches: Vec<RecordBatch> = batches.iter().map(|batch| batch.project(&keep).unwrap()).collect();
        let mut writer = ArrowWriter::try_new(fs::File::create(&path).unwrap(), batches[0].schema(), None).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
    }
    for entry in fs::read_dir(folder.join("_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| {
            let mut action: Value = serde_json::from_str(line).unwrap();
            if let Some(schema) = action.pointer_mut("/metaData/schemaString") {
                let mut fields: Value = serde_json::from_str(schema.as_str().unwrap()).unwrap();
                let known = |field: &Value| !columns.contains(&field["name"].as_str().unwrap());
                fields["fields"].as_array_mut().unwrap().retain(known);
                *schema = fields.to_string().into();
            }
            if let Some(name) = action.pointer("/add/path").and_then(Value::as_str) {
                let bytes = fs::metadata(folder.join(name)).unwrap().len();
                *action.pointer_mut("/add/size").unwrap() = bytes.into();
            }
            action.to_string() + "\n"
        });
        let text: String = lines.collect();
        fs::write(&path, text).unwrap();
    }
}

/// Every column's name in the newest schema that the log holds.
fn schema(folder: &Path) -> Vec<String> {
    let mut entries: Vec<_> =
        fs::read_dir(folder.join("_delta_log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let mut names = vec![];
    for line in
        entries.iter().flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
    {
        let action: Value = serde_json::from_str(&line).unwrap();
        if let Some(text) = action.pointer("/metaData/schemaString").and_then(Value::as_str) {
            let fields: Value = serde_json::from_str(text).unwrap();
            let name = |field: &Value| field["name"].as_str().unwrap().to_owned();
            names = fields["fields"].as_array().unwrap().iter().map(name).collect();
        }
    }
    names
}

#[test]
fn a_table_of_an_earlier_build_is_read_and_gains_the_columns_with_the_next_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut columns = VISITOR.to_vec();
    columns.extend(["browser_version", "bot"]);
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let old: Vec<_> = (0..50).map(row).collect();
        store.commit(&lock, vec![Change::Append(stage(&store, &lock, Table::Events, &old))], &key(1)).await.unwrap();
    });
    let events = folder.path().join("events");
    forget(&events, &columns);
    assert!(!schema(&events).contains(&"country".to_owned()));
    block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        let count = async |condition: &str| {
            let context = context(2);
            let table = store.table(&store.snapshot().await.unwrap(), Table::Events).await.unwrap();
            context.register_table("t", table).unwrap();
            let frame = context.sql(&format!("SELECT event_id FROM t WHERE {condition}")).await.unwrap();
            frame.collect().await.unwrap().iter().map(|batch| batch.column(0).len()).sum::<usize>()
        };
        assert_eq!(count("bot IS NOT TRUE AND country IS NULL AND os IS NULL").await, 50);
        assert_eq!(count("bot").await, 0);
        let lock = store.lock().unwrap();
        let new: Vec<_> = (50..60).map(row).collect();
        store.commit(&lock, vec![Change::Append(stage(&store, &lock, Table::Events, &new))], &key(2)).await.unwrap();
        let names = schema(&events);
        assert!(columns.iter().all(|column| names.contains(&(*column).to_owned())), "{names:?}");
        assert_eq!(count("bot IS NOT TRUE").await, 60);
        // Old and new files become one.
        let done = store.compact(&lock, Table::Events, CompactPolicy::FULL).await.unwrap();
        assert!(done.rows > 0);
        assert_eq!(count("device IS NULL").await, 60);
        // A column that every row needs is not made up.
        drop(lock);
        forget(&events, &["event_id"]);
        let error = match Store::open(folder.path()).await {
            Ok(store) => store.table(&store.snapshot().await.unwrap(), Table::Events).await.unwrap_err(),
            Err(error) => error,
        };
        assert!(error.to_string().contains("event_id"), "{error}");
    });
}
