//! Once, together, pinned.
use crate::support::{batch, block_on, key, parquet_files, read, row, stage};
use safar_model::{BUCKETS, Table, bucket_of};
use safar_store::{Change, Error, Store};
use std::{fs, time::Duration};

#[test]
fn the_same_key_appends_once() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let rows: Vec<_> = (0..100).map(row).collect();
        for attempt in 0..3 {
            let staged = stage(&store, &lock, Table::Events, &rows);
            let done = store.commit(&lock, vec![Change::Append(staged)], &key("a")).await.unwrap();
            assert_eq!(done.already_done, attempt > 0);
            assert_eq!(done.snapshot.version(Table::Events), Some(1));
        }
        let mut sorted = rows.clone();
        sorted.sort();
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await, sorted);
        // What was staged again is gone, and a store opened later knows the key.
        assert_eq!(parquet_files(folder.path()).len(), BUCKETS as usize);
        drop(lock);
        let store = Store::open(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let staged = stage(&store, &lock, Table::Events, &rows);
        assert!(store.commit(&lock, vec![Change::Append(staged)], &key("a")).await.unwrap().already_done);
    });
}

/// Years of keys would weigh on every checkpoint and every writer.
#[test]
fn keys_are_forgotten_after_a_month() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        for id in [1, 2] {
            let staged = stage(&store, &lock, Table::Events, &[row(id)]);
            store.commit(&lock, vec![Change::Append(staged)], &key(id)).await.unwrap();
        }
        drop((lock, store));
        // The first commit was 31 days ago.
        let entry = folder.path().join("events/_delta_log/00000000000000000001.json");
        let text = fs::read_to_string(&entry).unwrap();
        let (before, after) = text.split_once("\"lastUpdated\":").unwrap();
        let digits = after.find(|sign: char| !sign.is_ascii_digit()).unwrap();
        let old = after[..digits].parse::<i64>().unwrap() - 31 * 86_400_000;
        fs::write(&entry, format!("{before}\"lastUpdated\":{old}{}", &after[digits..])).unwrap();

        let store = Store::open(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        store.forget_history(&lock).await.unwrap();
        drop((lock, store));
        let store = Store::open(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        for (id, known) in [(1, false), (2, true)] {
            let staged = stage(&store, &lock, Table::Events, &[row(id)]);
            let done = store.commit(&lock, vec![Change::Append(staged)], &key(id)).await.unwrap();
            assert_eq!(done.already_done, known, "{id}");
        }
    });
}

#[test]
fn an_empty_commit_is_remembered_too() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        for attempt in 0..2 {
            let staged = store.writer(&lock, Table::Costs).unwrap().finish().unwrap();
            let done = store.commit(&lock, vec![Change::Append(staged)], &key("nothing")).await.unwrap();
            assert_eq!(done.already_done, attempt > 0);
        }
    });
}

#[test]
fn a_snapshot_pins_reads_while_later_commits_land() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let mut snapshots = vec![store.snapshot().await.unwrap()];
        for id in 0..4 {
            let staged = stage(&store, &lock, Table::Events, &[row(id)]);
            let change = if id == 2 { Change::ReplaceAll(staged) } else { Change::Append(staged) };
            snapshots.push(store.commit(&lock, vec![change], &key(id)).await.unwrap().snapshot);
        }
        // Another process reads the same.
        let other = Store::open(folder.path()).await.unwrap();
        for store in [&store, &other] {
            let mut counts = vec![];
            for snapshot in &snapshots {
                counts.push(read(store, snapshot, Table::Events).await.len());
            }
            assert_eq!(counts, [0, 1, 2, 1, 2]);
        }
        assert!(snapshots.windows(2).all(|pair| pair[0].sequence() < pair[1].sequence()));
    });
}

#[test]
fn buckets_are_replaced_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let rows: Vec<_> = (0..200).map(row).collect();
        let staged = stage(&store, &lock, Table::Touchpoints, &rows);
        store.commit(&lock, vec![Change::Append(staged)], &key(0)).await.unwrap();
        // Bucket 3 gets one new row, bucket 5 none.
        let new = (3..).map(|id| row(1000 + id)).find(|row| bucket_of(row.0) == 3).unwrap();
        let staged = stage(&store, &lock, Table::Touchpoints, std::slice::from_ref(&new));
        let change = Change::ReplaceBuckets { staged, buckets: vec![3, 5] };
        let done = store.commit(&lock, vec![change], &key(1)).await.unwrap();
        let mut expected: Vec<_> = rows.into_iter().filter(|row| ![3, 5].contains(&bucket_of(row.0))).collect();
        expected.push(new.clone());
        expected.sort();
        assert_eq!(read(&store, &done.snapshot, Table::Touchpoints).await, expected);
        // Rows of a bucket that is not named are refused, and nothing of them stays.
        let files = parquet_files(folder.path()).len();
        let staged = stage(&store, &lock, Table::Touchpoints, &[new]);
        let change = Change::ReplaceBuckets { staged, buckets: vec![4] };
        let refused = store.commit(&lock, vec![change], &key(2)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "commit refused for table touchpoints: it has rows for bucket 3, which is not replaced"
        );
        assert_eq!(parquet_files(folder.path()).len(), files);
        assert_eq!(store.snapshot().await.unwrap(), done.snapshot);
    });
}

#[test]
fn several_tables_are_published_together() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let before = store.snapshot().await.unwrap();
        let changes =
            [Table::Events, Table::Touchpoints].map(|table| Change::Append(stage(&store, &lock, table, &[row(1)])));
        let after = store.commit(&lock, changes.into(), &key(1)).await.unwrap().snapshot;
        assert_eq!(after.sequence(), before.sequence() + 1);
        for table in [Table::Events, Table::Touchpoints] {
            assert_eq!((before.version(table), after.version(table)), (Some(0), Some(1)));
        }
        assert!(!folder.path().join("commit.json").exists());
        let twice = [1, 2].map(|id| Change::Append(stage(&store, &lock, Table::Events, &[row(id)])));
        let refused = store.commit(&lock, twice.into(), &key(2)).await.unwrap_err();
        assert!(matches!(refused, Error::Change { table: Table::Events, .. }), "{refused}");
    });
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let good = batch(Table::Events, &(0..50).map(row).collect::<Vec<_>>());
        let mut writer = store.writer(&lock, Table::Events).unwrap();
        let refused = writer.write(&good.project(&[0, 1]).unwrap()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "rows for table events do not fit its columns: column `occurred_at` is missing"
        );
        let refused = writer.write(&batch(Table::Touchpoints, &[row(1)])).unwrap_err();
        assert!(refused.to_string().contains("column 0 is `touchpoint_id` Int64, not `event_id` Utf8"), "{refused}");
        let reversed = arrow::array::UInt32Array::from_iter_values((0..50).rev());
        let reversed = arrow::compute::take_record_batch(&good, &reversed).unwrap();
        let refused = writer.write(&reversed).unwrap_err();
        assert!(matches!(refused, Error::Unsorted { .. }), "{refused}");
        // A batch that begins lower than the last ended starts new files.
        writer.write(&good).unwrap();
        writer.write(&good).unwrap();
        let staged = writer.finish().unwrap();
        let buckets: std::collections::BTreeSet<_> = (0..50).map(|id| bucket_of(row(id).0)).collect();
        assert_eq!((staged.files(), staged.rows()), (2 * buckets.len(), 100));
        drop(staged);
        assert!(parquet_files(folder.path()).is_empty());
    });
}

#[test]
fn vacuum_removes_what_no_reader_needs() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        for id in 0..3 {
            let staged = stage(&store, &lock, Table::Events, &[row(id)]);
            store.commit(&lock, vec![Change::ReplaceAll(staged)], &key(id)).await.unwrap();
        }
        // A writer that died.
        let lost = folder.path().join("events/bucket=1/sorted-lost.parquet");
        std::fs::create_dir_all(lost.parent().unwrap()).unwrap();
        std::fs::write(&lost, b"half a file").unwrap();
        let hour = store.vacuum(&lock, Duration::from_secs(3600)).await.unwrap();
        assert_eq!(hour.files, 0);
        assert_eq!(parquet_files(folder.path()).len(), 4);
        let report = store.vacuum(&lock, Duration::ZERO).await.unwrap();
        assert_eq!(report.files, 3);
        assert!(report.bytes > 11);
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await, [row(2)]);
        assert_eq!(parquet_files(folder.path()).len(), 1);
    });
}

#[test]
fn many_commits_keep_opening_cheap_and_exact() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        for id in 0..103 {
            let staged = stage(&store, &lock, Table::Events, &[row(id)]);
            let change = if id < 96 { Change::ReplaceAll(staged) } else { Change::Append(staged) };
            store.commit(&lock, vec![change], &key(id)).await.unwrap();
        }
        drop(lock);
        let log = folder.path().join("events/_delta_log");
        assert!(log.join("00000000000000000100.checkpoint.parquet").exists());
        let store = Store::open(folder.path()).await.unwrap();
        let snapshot = store.snapshot().await.unwrap();
        let files = store.files(&snapshot, Table::Events).await.unwrap();
        // Bounds survive the checkpoint to the microsecond.
        let mut bounds: Vec<_> = files.iter().map(|file| (file.min_key, file.max_time, file.rows)).collect();
        bounds.sort();
        let mut expected: Vec<_> = (95..103).map(row).map(|row| (Some(row.0), Some(row.1), Some(1))).collect();
        expected.sort();
        assert_eq!(bounds, expected);
        let lock = store.lock().unwrap();
        let staged = stage(&store, &lock, Table::Events, &[row(5)]);
        assert!(store.commit(&lock, vec![Change::Append(staged)], &key(5)).await.unwrap().already_done);
    });
}
