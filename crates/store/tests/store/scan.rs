//! What the planner is told about the layout, and that it is true.
use crate::support::{block_on, context, key, read, row, rows_of, stage};
use arrow::array::{AsArray, Int64Array};
use datafusion::physical_plan::{ExecutionPlanProperties, displayable};
use safar_model::{BUCKETS, Table, table::READY_PATHS_BUCKET};
use safar_store::{Change, CompactPolicy, Store};

async fn plan(store: &Store, threads: usize, query: &str) -> String {
    let context = context(threads);
    let snapshot = store.snapshot().await.unwrap();
    context.register_table("events", store.table(&snapshot, Table::Events).await.unwrap()).unwrap();
    let plan = context.sql(query).await.unwrap().create_physical_plan().await.unwrap();
    displayable(plan.as_ref()).indent(false).to_string()
}

async fn append(store: &Store, ids: std::ops::Range<u64>) {
    let lock = store.lock().unwrap();
    let rows: Vec<_> = ids.clone().map(row).collect();
    let staged = stage(store, &lock, Table::Events, &rows);
    store.commit(&lock, vec![Change::Append(staged)], &key(ids.start)).await.unwrap();
}

const WINDOW: &str = "SELECT key, lag(occurred_at) OVER (PARTITION BY key ORDER BY occurred_at) FROM events";
const GROUPS: &str = "SELECT key, count(*), max(occurred_at) FROM events GROUP BY key";

#[test]
fn compacted_tables_need_no_sort_and_no_shuffle() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        append(&store, 0..500).await;
        append(&store, 500..900).await;
        let lock = store.lock().unwrap();
        let report = store.compact(&lock, Table::Events, CompactPolicy::FULL).await.unwrap();
        assert_eq!((report.files_before, report.files_after, report.rows), (32, 16, 900));
        for query in [WINDOW, GROUPS] {
            let plan = plan(&store, 2, query).await;
            assert!(!plan.contains("SortExec") && !plan.contains("RepartitionExec"), "{plan}");
            assert!(plan.contains("output_partitioning=Range"), "{plan}");
        }
        // The declaration is true: each partition ascends, and holds its range of keys.
        let context = context(2);
        let table = store.table(&store.snapshot().await.unwrap(), Table::Events).await.unwrap();
        assert!(table.is_range_partitioned());
        context.register_table("events", table).unwrap();
        let plan = context.sql("SELECT key, occurred_at, event_id, bucket FROM events").await.unwrap();
        let plan = plan.create_physical_plan().await.unwrap();
        assert_eq!(plan.output_partitioning().partition_count(), BUCKETS as usize);
        let parts = datafusion::physical_plan::collect_partitioned(plan, context.task_ctx()).await.unwrap();
        let mut count = 0;
        for (bucket, part) in parts.iter().enumerate() {
            let rows: Vec<_> = part.iter().flat_map(rows_of).collect();
            assert!(rows.is_sorted());
            assert!(rows.iter().all(|row| safar_model::bucket_of(row.0) == bucket as i32));
            count += rows.len();
        }
        assert_eq!(count, 900);
    });
}

#[test]
fn overlapping_runs_are_merged_not_sorted() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        for part in 0..3 {
            append(&store, part * 200..part * 200 + 200).await;
        }
        for threads in [1, 2, 8] {
            for query in ["SELECT * FROM events ORDER BY key, occurred_at", WINDOW] {
                let plan = plan(&store, threads, query).await;
                assert!(!plan.contains("SortExec"), "{threads}: {plan}");
            }
        }
        let context = context(2);
        let table = store.table(&store.snapshot().await.unwrap(), Table::Events).await.unwrap();
        assert!(!table.is_range_partitioned());
        context.register_table("events", table).unwrap();
        let sorted = "SELECT key, occurred_at, event_id, bucket FROM events ORDER BY key, occurred_at";
        let batches = context.sql(sorted).await.unwrap().collect().await.unwrap();
        let rows: Vec<_> = batches.iter().flat_map(rows_of).collect();
        assert!(rows.is_sorted());
        assert_eq!(rows.len(), 600);
    });
}

#[test]
fn filters_and_counts_are_right() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        append(&store, 0..300).await;
        append(&store, 300..400).await;
        let context = context(2);
        let snapshot = store.snapshot().await.unwrap();
        context.register_table("events", store.table(&snapshot, Table::Events).await.unwrap()).unwrap();
        let one = row(123);
        let rows: Vec<_> = (0..400).map(row).collect();
        let (low, high) = (rows.iter().map(|row| row.1).min().unwrap(), rows.iter().map(|row| row.1).max().unwrap());
        let third = rows.iter().filter(|row| safar_model::bucket_of(row.0) == 3).count() as i64;
        for (query, expected) in [
            ("SELECT count(*) FROM events".to_owned(), 400),
            (format!("SELECT count(*) FROM events WHERE key = {} AND event_id = '123'", one.0), 1),
            ("SELECT count(*) FROM events WHERE bucket = 3".to_owned(), third),
            ("SELECT count(*) FROM events WHERE key < 0".to_owned(), 0),
            ("SELECT cast(min(occurred_at) AS BIGINT) FROM events".to_owned(), low),
            ("SELECT cast(max(occurred_at) AS BIGINT) FROM events".to_owned(), high),
            ("SELECT count(*) FROM (SELECT * FROM events LIMIT 7)".to_owned(), 7),
        ] {
            let batches = context.sql(&query).await.unwrap().collect().await.unwrap();
            let values: &Int64Array = batches[0].column(0).as_primitive();
            assert_eq!(values.value(0), expected, "{query}");
        }
    });
}

#[test]
fn ready_paths_are_outside_the_ranges() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        // Any clustered table will do.
        let rows: Vec<_> = (0..40).map(row).collect();
        let ready = crate::support::batch(Table::Touchpoints, &rows);
        let mut columns = ready.columns().to_vec();
        let last = columns.len() - 1;
        columns[last] = std::sync::Arc::new(arrow::array::Int32Array::from(vec![READY_PATHS_BUCKET; 40]));
        let ready = arrow::array::RecordBatch::try_new(ready.schema(), columns).unwrap();
        let mut writer = store.writer(&lock, Table::Touchpoints).unwrap();
        writer.write(&ready).unwrap();
        writer.write(&crate::support::batch(Table::Touchpoints, &rows)).unwrap();
        let staged = writer.finish().unwrap();
        let done = store.commit(&lock, vec![Change::Append(staged)], &key(1)).await.unwrap();
        let table = store.table(&done.snapshot, Table::Touchpoints).await.unwrap();
        assert!(!table.is_range_partitioned());
        let context = context(2);
        context.register_table("t", table).unwrap();
        let query = "SELECT count(*) FROM t WHERE bucket = -1";
        let batches = context.sql(query).await.unwrap().collect().await.unwrap();
        assert_eq!(batches[0].column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0), 40);
    });
}

#[test]
fn folders_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("فروشگاه 100% & žluť #1?").join("data");
    block_on(async {
        let store = Store::create(&data).await.unwrap();
        append(&store, 0..20).await;
        append(&store, 20..40).await;
        let lock = store.lock().unwrap();
        store.compact(&lock, Table::Events, CompactPolicy::FULL).await.unwrap();
        drop(lock);
        let store = Store::open(&data).await.unwrap();
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await.len(), 40);
    });
}
