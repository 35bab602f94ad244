//! What is swept is gone from every file and from the log; all else stays as it was.
use crate::support::{Row, block_on, key, read, row, stage};
use arrow::{
    array::{AsArray, BooleanArray, RecordBatch},
    compute::filter_record_batch,
    datatypes::Int64Type,
};
use proptest::{prelude::*, test_runner::TestRunner};
use safar_model::Table;
use safar_store::{Change, Error, Store};
use std::{collections::BTreeSet, fs, path::Path};

/// A rule that takes rows of some keys out.
fn without(gone: &BTreeSet<i64>) -> impl FnMut(&RecordBatch) -> Result<Option<RecordBatch>, Error> + '_ {
    move |batch| {
        let keys = batch.column_by_name("key").unwrap().as_primitive::<Int64Type>();
        let keep: BooleanArray = keys.values().iter().map(|key| Some(!gone.contains(key))).collect();
        Ok((keep.false_count() > 0).then(|| filter_record_batch(batch, &keep).unwrap()))
    }
}

#[test]
fn rows_go_and_all_others_stay() {
    let a_run = prop::collection::btree_set(0_u64..60, 1..30);
    TestRunner::new(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })
        .run(&(prop::collection::vec(a_run.clone(), 1..4), a_run), |(runs, gone)| {
            let folder = tempfile::tempdir().unwrap();
            block_on(async {
                let store = Store::create(folder.path()).await.unwrap();
                let lock = store.lock().unwrap();
                let mut all: Vec<Row> = vec![];
                for (number, run) in runs.iter().enumerate() {
                    let rows: Vec<Row> = run.iter().map(|id| row(*id)).collect();
                    let staged = stage(&store, &lock, Table::Events, &rows);
                    store.commit(&lock, vec![Change::Append(staged)], &key(number)).await.unwrap();
                    all.extend(rows);
                }
                let before = store.snapshot().await.unwrap();
                let files = store.files(&before, Table::Events).await.unwrap();
                let keys: BTreeSet<i64> = gone.iter().map(|id| row(*id).0).collect();
                let sweep = store.sweep(&lock, Table::Events, &files, without(&keys)).unwrap();
                let lost = all.iter().filter(|row| keys.contains(&row.0)).count();
                prop_assert_eq!(sweep.rows_removed(), lost as u64);
                prop_assert_eq!(sweep.is_empty(), lost == 0);
                let replaced: BTreeSet<String> = sweep.replaced().iter().map(|(name, _)| name.clone()).collect();
                let fresh: BTreeSet<String> = sweep.replaced().iter().flat_map(|(_, now)| now.clone()).collect();
                if let Some(change) = sweep.change() {
                    store.commit(&lock, vec![change], &key("sweep")).await.unwrap();
                }
                let after = store.snapshot().await.unwrap();
                let names: BTreeSet<String> =
                    store.files(&after, Table::Events).await.unwrap().into_iter().map(|file| file.name).collect();
                let untouched = files.iter().map(|file| file.name.clone()).filter(|name| !replaced.contains(name));
                let wanted: BTreeSet<String> = untouched.chain(fresh).collect();
                prop_assert_eq!(names, wanted, "other files are the same ones");
                all.retain(|row| !keys.contains(&row.0));
                all.sort();
                prop_assert_eq!(read(&store, &after, Table::Events).await, all);
                Ok(())
            })
        })
        .unwrap();
}

/// Whether any file below a folder holds a text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn history_is_forgotten_and_the_tables_go_on() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        for id in 0..5 {
            let staged = stage(&store, &lock, Table::Events, &[row(id)]);
            store.commit(&lock, vec![Change::Append(staged)], &key(id)).await.unwrap();
        }
        // Another program that has read the tables before.
        let other = Store::open(folder.path()).await.unwrap();
        assert_eq!(read(&other, &other.snapshot().await.unwrap(), Table::Events).await.len(), 5);
        fs::create_dir_all(folder.path().join("events/_delta_log/torn")).unwrap();
        fs::write(folder.path().join("events/_delta_log/torn/1-x.json"), row(3).0.to_string()).unwrap();
        let bound = row(3).0.to_string();
        let snapshot = store.snapshot().await.unwrap();
        let files = store.files(&snapshot, Table::Events).await.unwrap();
        let sweep = store.sweep(&lock, Table::Events, &files, without(&BTreeSet::from([row(3).0]))).unwrap();
        store.commit(&lock, vec![sweep.change().unwrap()], &key("sweep")).await.unwrap();
        assert!(holds(folder.path(), &bound), "the log tells the bounds of what is gone");
        let report = store.forget_history(&lock).await.unwrap();
        assert_eq!(report.files, 1);
        assert!(!holds(folder.path(), &bound));
        let logs = fs::read_dir(folder.path().join("events/_delta_log")).unwrap();
        let names: BTreeSet<String> = logs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let version = store.snapshot().await.unwrap().version(Table::Events).unwrap();
        let wanted =
            [format!("{version:020}.json"), format!("{version:020}.checkpoint.parquet"), "_last_checkpoint".to_owned()];
        assert_eq!(names, BTreeSet::from(wanted));
        store.forget_history(&lock).await.unwrap();

        // Commit keys are still known, new commits are taken, by everyone.
        let again = stage(&store, &lock, Table::Events, &[row(1)]);
        assert!(store.commit(&lock, vec![Change::Append(again)], &key(1)).await.unwrap().already_done);
        assert_eq!(read(&other, &other.snapshot().await.unwrap(), Table::Events).await.len(), 4);
        drop(lock);
        let fresh = Store::open(folder.path()).await.unwrap();
        let lock = other.lock().unwrap();
        for (at, store) in [(10, &other), (11, &fresh)] {
            let staged = stage(store, &lock, Table::Events, &[row(at)]);
            assert!(!store.commit(&lock, vec![Change::Append(staged)], &key(at)).await.unwrap().already_done);
        }
        let again = stage(&fresh, &lock, Table::Events, &[row(2)]);
        assert!(fresh.commit(&lock, vec![Change::Append(again)], &key(2)).await.unwrap().already_done);
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await.len(), 6);
    });
}

#[test]
fn long_rows_come_in_short_batches() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let long = |id: u64| (0, 0, format!("{id}{}", "x".repeat(200 << 10)));
        let staged = stage(&store, &lock, Table::Rejects, &(0..100).map(long).collect::<Vec<_>>());
        store.commit(&lock, vec![Change::Append(staged)], &key(1)).await.unwrap();
        let files = store.files(&store.snapshot().await.unwrap(), Table::Rejects).await.unwrap();
        let (mut rows, mut largest) = (0, 0);
        let read = store.read(Table::Rejects, &files, |batch| {
            let texts = batch.columns().iter().filter_map(|column| column.as_string_opt::<i32>());
            largest = largest.max(texts.map(|texts| texts.value_data().len()).sum::<usize>());
            rows += batch.num_rows();
            Ok::<_, Error>(())
        });
        read.unwrap();
        assert_eq!(rows, 100);
        assert!(largest < 80 << 20, "{largest} bytes in one batch of texts of 100 MB");
    });
}
