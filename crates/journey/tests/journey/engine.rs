//! Path counts over a workspace's own tables: embedded, and on workers.
use crate::kit::{DAY, SECOND, T0};
use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::physical_plan::displayable;
use datafusion::prelude::{DataFrame, Expr, col, lit};
use safar_engine::{Engine, EngineOptions, Session, serve_worker};
use safar_journey::counts::{PathCountsOptions, path_counts};
use safar_journey::extensions;
use safar_model::{Table, bucket_of, key_of};
use safar_store::{Change, CommitKey, Store};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use url::Url;

const PEOPLE: usize = 3_000;
const EACH: usize = 6;
const CHANNELS: [&str; 5] = ["Email", "Direct", "Paid Search", "Display", "Referral"];

fn options() -> EngineOptions {
    EngineOptions { threads: 2, ..EngineOptions::default() }
}

/// Events of people, five touches and a purchase for every other person.
fn events() -> RecordBatch {
    let mut rows: Vec<_> = (0..PEOPLE * EACH).map(|id| (key_of("anonymous", &(id / EACH).to_string()), id)).collect();
    rows.sort_unstable();
    let schema = Table::Events.schema();
    let converts = |id: usize| id % EACH == EACH - 1 && (id / EACH).is_multiple_of(2);
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match (field.name().as_str(), field.data_type()) {
            ("bucket", _) => Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| bucket_of(row.0)))),
            ("key", _) => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
            ("name", _) => Arc::new(StringArray::from_iter_values(
                rows.iter().map(|row| if converts(row.1) { "purchase" } else { "visit" }),
            )),
            ("channel", _) => {
                Arc::new(StringArray::from_iter_values(rows.iter().map(|row| CHANNELS[row.1 * 7 / 3 % CHANNELS.len()])))
            }
            ("value", _) => Arc::new(Float64Array::from_iter(
                rows.iter().map(|row| converts(row.1).then_some((row.1 % 8) as f64 / 4.0)),
            )),
            (_, DataType::Timestamp(..)) => {
                let times = rows.iter().map(|row| T0 + (row.1 % EACH) as i64 * DAY + row.1 as i64 * SECOND);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            (_, kind) if field.is_nullable() => new_null_array(kind, rows.len()),
            (_, DataType::Int64) => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1 as i64))),
            _ => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1.to_string()))),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).expect("events")
}

async fn workspace(folder: &Path) -> Store {
    let store = Store::create(folder).await.expect("a store");
    let lock = store.lock().expect("the lock");
    let mut writer = store.writer(&lock, Table::Events).expect("a writer");
    writer.write(&events()).expect("written");
    let changes = vec![Change::Append(writer.finish().expect("staged"))];
    store.commit(&lock, changes, &CommitKey::new("test", "1")).await.expect("committed");
    drop(lock);
    store
}

/// The operator over the table's own layout, the operator over rows whose order is hidden, and the aggregate.
async fn frames(session: &Session) -> [DataFrame; 3] {
    let counted = |person: Expr| async move {
        let columns =
            [person.alias("person"), col("occurred_at"), col("channel"), col("name").eq(lit("purchase")), col("value")];
        let rows = session.table(Table::Events).await.expect("events").select(columns).expect("columns");
        path_counts(rows, PathCountsOptions { look_back_us: 3 * DAY, count_again: false }).expect("good columns")
    };
    let sql = "SELECT p['channels'], sum(p['conversions']), sum(p['value']), sum(p['nulls']) FROM (
        SELECT unnest(journey_paths(occurred_at, channel, name = 'purchase', value, INTERVAL '3 days')) AS p
        FROM events GROUP BY key) GROUP BY 1";
    [counted(col("key")).await, counted(col("key") % lit(i64::MAX)).await, session.sql(sql).await.expect("good SQL")]
}

async fn answer(frame: DataFrame) -> BTreeMap<String, [f64; 3]> {
    let mut answer = BTreeMap::new();
    for batch in frame.collect().await.expect("an answer") {
        let weights = [1, 2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>().values());
        for (row, path) in batch.column(0).as_list::<i32>().iter().enumerate() {
            let path = arrow::compute::cast(&path.expect("a path"), &DataType::Utf8).expect("texts");
            let path = path.as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(" > ");
            assert!(answer.insert(path, weights.map(|weights| weights[row])).is_none());
        }
    }
    answer
}

async fn plan(frame: &DataFrame) -> String {
    let plan = frame.clone().create_physical_plan().await.expect("a plan");
    displayable(plan.as_ref()).indent(false).to_string()
}

async fn worker() -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(serve_worker(options(), extensions(), listener, std::future::pending()));
    url.parse().expect("a url")
}

#[test]
fn operator_and_aggregate_say_the_same_here_and_on_workers() {
    let folder = tempfile::tempdir().expect("a folder");
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime").block_on(
        async {
            let store = workspace(folder.path()).await;
            let snapshot = store.snapshot().await.expect("a snapshot");
            let embedded = Engine::embedded(store.clone(), options(), extensions()).expect("an engine");
            let session = embedded.session(&snapshot).expect("a session");
            let [laid_out, hidden, aggregate] = frames(&session).await;
            let shown = plan(&laid_out).await;
            assert!(shown.contains("gathering=Stream") && !shown.contains("SortExec"), "the layout is used: {shown}");
            assert!(plan(&hidden).await.contains("gathering=Scatter"));
            let expected = answer(laid_out).await;
            let sum = |index: usize| expected.values().map(|weights| weights[index]).sum::<f64>();
            assert_eq!((sum(0), sum(2)), ((PEOPLE / 2) as f64, (PEOPLE / 2) as f64));
            assert_eq!(answer(hidden).await, expected);
            assert_eq!(answer(aggregate).await, expected);

            let workers = vec![worker().await, worker().await];
            let engine = Engine::distributed(store, options(), extensions(), workers).expect("an engine");
            let session = engine.session(&snapshot).expect("a session");
            // Small tables are shared out too.
            let state = session.context().state_ref();
            let option = "distributed.file_scan_config_bytes_per_partition";
            state.write().config_mut().options_mut().set(option, "1").expect("an option");
            for frame in frames(&session).await {
                let shown = plan(&frame).await;
                assert!(shown.contains("DistributedExec"), "{shown}");
                assert_eq!(answer(frame).await, expected, "{shown}");
            }
        },
    );
}
