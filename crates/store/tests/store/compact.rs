//! Compaction keeps rows and their order.
use crate::support::{Row, block_on, context, key, read, row, rows_of, stage};
use proptest::{prelude::*, test_runner::TestRunner};
use safar_model::Table;
use safar_store::{Change, CompactPolicy, CompactReport, Store};

/// The rows as scans give them, partition after partition.
async fn in_order(store: &Store) -> Vec<Row> {
    let context = context(2);
    let table = store.table(&store.snapshot().await.unwrap(), Table::Events).await.unwrap();
    context.register_table("t", table).unwrap();
    let plan = context.sql("SELECT key, occurred_at, event_id FROM t").await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    let parts = datafusion::physical_plan::collect_partitioned(plan, context.task_ctx()).await.unwrap();
    parts.iter().flatten().flat_map(rows_of).collect()
}

#[test]
fn rows_and_order_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = block_on(Store::create(folder.path())).unwrap();
    // Few keys and times, so that there are ties within and between runs.
    let a_row = (0_u64..40, 0_i64..5).prop_map(|(key, time)| (row(key).0, time));
    let runs = prop::collection::vec(prop::collection::vec(a_row, 1..60), 1..6);
    let commits = std::cell::Cell::new(0);
    TestRunner::new(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })
        .run(&(runs, 1_usize..4), |(runs, runs_max)| {
            block_on(async {
                let lock = store.lock().unwrap();
                let mut all: Vec<Row> = vec![];
                for (index, run) in runs.iter().enumerate() {
                    // Names tell in which order equal rows were written.
                    let mut rows: Vec<Row> = run.iter().map(|(key, time)| (*key, *time, String::new())).collect();
                    rows.sort();
                    rows.iter_mut().enumerate().for_each(|(at, row)| row.2 = format!("{index}-{at:03}"));
                    let staged = stage(&store, &lock, Table::Events, &rows);
                    let change = if index == 0 { Change::ReplaceAll(staged) } else { Change::Append(staged) };
                    commits.set(commits.get() + 1);
                    store.commit(&lock, vec![change], &key(commits.get())).await.unwrap();
                    all.extend(rows);
                }
                all.sort();
                store.compact(&lock, Table::Events, CompactPolicy { runs_max }).await.unwrap();
                let some = read(&store, &store.snapshot().await.unwrap(), Table::Events).await;
                store.compact(&lock, Table::Events, CompactPolicy::FULL).await.unwrap();
                let mut full = in_order(&store).await;
                let again = store.compact(&lock, Table::Events, CompactPolicy::FULL).await.unwrap();
                prop_assert_eq!(&some, &all);
                let order: Vec<_> = full.iter().map(|row| (row.0, row.1)).collect();
                prop_assert!(order.is_sorted());
                if runs.len() > runs_max {
                    // Merged twice: equal rows stand as the files between were written.
                    full.sort();
                }
                prop_assert_eq!(full, all);
                prop_assert_eq!(again, CompactReport::default());
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn a_policy_rewrites_small_runs_first() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let append = async |ids: std::ops::Range<u64>| {
            // One bucket, so that a run is a file.
            let rows: Vec<_> = ids.clone().map(|id| (id as i64 % 7, id as i64, id.to_string())).collect();
            let staged = stage(&store, &lock, Table::Events, &rows);
            store.commit(&lock, vec![Change::Append(staged)], &key(ids.start)).await.unwrap();
        };
        append(0..1000).await;
        append(1000..1010).await;
        append(1010..1020).await;
        let policy = CompactPolicy { runs_max: 2 };
        let report = store.compact(&lock, Table::Events, policy).await.unwrap();
        assert_eq!(report, CompactReport { files_before: 2, files_after: 1, rows: 20 });
        assert_eq!(store.compact(&lock, Table::Events, policy).await.unwrap(), CompactReport::default());
    });
}

#[test]
fn tables_without_order_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        for id in 0..5 {
            let staged = stage(&store, &lock, Table::Rejects, &[row(id)]);
            store.commit(&lock, vec![Change::Append(staged)], &key(id)).await.unwrap();
        }
        let report = store.compact(&lock, Table::Rejects, CompactPolicy::FULL).await.unwrap();
        assert_eq!((report.files_before, report.files_after, report.rows), (5, 1, 5));
    });
}
