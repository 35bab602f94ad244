//! New rows of some keys: theirs change, all others and the order of the table stay.
use crate::support::{Row, batch, block_on, key, read, stage};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
    test_runner::TestRunner,
};
use safar_model::Table;
use safar_store::{Change, DataFile, Store};
use std::collections::BTreeSet;

const TABLE: Table = Table::Touchpoints;

/// Eight keys in each bucket; `version` tells the rows of one key apart.
fn row_of(id: i64, version: i64) -> Row {
    (id << 56, 1_700_000_000_000_000 + version, format!("{id} {version}"))
}

fn holds(file: &DataFile, key: i64) -> bool {
    (file.min_key.unwrap()..=file.max_key.unwrap()).contains(&key)
}

#[test]
fn rows_of_some_keys_are_others_and_the_rest_stays() {
    // Ids in the order of files: side by side, or in runs that overlap.
    let ids = btree_set(0_i64..128, 1..60);
    let cases = (ids.clone(), 1_usize..9, any::<bool>(), ids, vec(0_i64..4, 128));
    TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })
        .run(&cases, |(ids, files, overlap, changed, counts)| {
            let folder = tempfile::tempdir().unwrap();
            block_on(async {
                let store = Store::create(folder.path()).await.unwrap();
                let lock = store.lock().unwrap();
                let ids: Vec<i64> = ids.into_iter().collect();
                let length = ids.len().div_ceil(files);
                let mut all: Vec<Row> = vec![];
                for file in 0..files {
                    let of_file = |at: usize| if overlap { at % files == file } else { at / length == file };
                    let own = ids.iter().enumerate().filter(|(at, _)| of_file(*at));
                    let rows: Vec<Row> = own.flat_map(|(_, id)| [row_of(*id, 0), row_of(*id, 1)]).collect();
                    if !rows.is_empty() {
                        let staged = stage(&store, &lock, TABLE, &rows);
                        store.commit(&lock, vec![Change::Append(staged)], &key(file)).await.unwrap();
                    }
                    all.extend(rows);
                }
                let before = store.snapshot().await.unwrap();
                let old = store.files(&before, TABLE).await.unwrap();
                let keys: Vec<i64> = changed.iter().map(|id| id << 56).collect();
                // Some lose all of their rows, some come for the first time.
                let fresh: Vec<Row> = changed
                    .iter()
                    .flat_map(|id| (0..counts[*id as usize]).map(|version| row_of(*id, 10 + version)))
                    .collect();
                let mut replacer = store.replace_keys(&lock, TABLE, &old, keys.clone().into()).unwrap();
                for rows in fresh.chunks(7) {
                    replacer.write(batch(TABLE, rows)).unwrap();
                }
                store.commit(&lock, vec![replacer.finish().unwrap()], &key("replace")).await.unwrap();

                let after = store.snapshot().await.unwrap();
                let names: BTreeSet<String> =
                    store.files(&after, TABLE).await.unwrap().into_iter().map(|file| file.name).collect();
                all.retain(|row| !keys.contains(&row.0));
                all.extend(fresh.clone());
                all.sort();
                prop_assert_eq!(read(&store, &after, TABLE).await, all);
                for file in &old {
                    let next = old.iter().filter(|other| other.bucket == file.bucket && other.min_key > file.min_key);
                    let end = next.filter_map(|other| other.min_key).min().unwrap_or(i64::MAX);
                    let is_first = old.iter().all(|other| other.bucket != file.bucket || other.min_key >= file.min_key);
                    let start = if is_first { i64::MIN } else { file.min_key.unwrap() };
                    let in_bucket = |key: i64| file.bucket == Some(safar_model::bucket_of(key));
                    let concerned = keys.iter().any(|key| in_bucket(*key) && holds(file, *key))
                        || fresh.iter().any(|row| in_bucket(row.0) && (start..end).contains(&row.0));
                    if !concerned {
                        prop_assert!(names.contains(&file.name), "files without any of the keys are the same ones");
                    }
                }
                if !overlap {
                    let table = store.table(&after, TABLE).await.unwrap();
                    prop_assert!(table.is_range_partitioned(), "each bucket is one run, as before");
                }
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn rows_of_other_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let mut replacer = store.replace_keys(&lock, TABLE, &[], [1 << 56].into()).unwrap();
        replacer.write(batch(TABLE, &[row_of(1, 0), row_of(2, 0)])).unwrap();
        let error = replacer.finish().unwrap_err().to_string();
        assert!(error.contains(&format!("key {} is not among those", 2_i64 << 56)), "{error}");
    });
}
