//! Path counts: operator, aggregate and a naive reference say the same, in every layout.
use crate::kit::{DAY, T0};
use arrow::array::{
    ArrayRef, AsArray, BooleanArray, DictionaryArray, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::execution::{SessionStateBuilder, context::QueryPlanner, runtime_env::RuntimeEnvBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext, col};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use proptest::collection::vec;
use proptest::prelude::*;
use safar_journey::counts::{PathCountsOptions, path_counts};
use std::{collections::BTreeMap, sync::Arc};

/// Person, time, channel, conversion, value.
type Input = (i64, i64, Option<u8>, bool, Option<f64>);
type Counts = BTreeMap<Vec<String>, [f64; 3]>;

const NAMES: [&str; 4] = ["Paid Search", "E-mail", "متجر", "a > b"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Labels {
    Int8,
    Int32,
    Text,
    View,
    Dictionary,
}

const ALL_LABELS: [Labels; 5] = [Labels::Int8, Labels::Int32, Labels::Text, Labels::View, Labels::Dictionary];

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let value = prop::option::of((0i32..4000).prop_map(|quarters| f64::from(quarters) / 4.0));
    let row = (0i64..6, 0i64..60, prop::option::weighted(0.9, 0u8..4), prop::bool::weighted(0.2), value);
    vec(row, 0..200).prop_map(|rows| {
        rows.into_iter()
            .map(|(person, slot, channel, converts, value)| (person << 60, T0 + slot * DAY, channel, converts, value))
            .collect()
    })
}

fn label(labels: Labels, channel: u8) -> String {
    match labels {
        Labels::Int8 => channel.to_string(),
        Labels::Int32 => (u32::from(channel) * 1000).to_string(),
        _ => NAMES[channel as usize].to_owned(),
    }
}

fn channel_column(labels: Labels, channels: &[Option<u8>]) -> ArrayRef {
    let texts = StringArray::from_iter(channels.iter().map(|channel| channel.map(|channel| NAMES[channel as usize])));
    match labels {
        Labels::Int8 => {
            Arc::new(Int8Array::from_iter(channels.iter().map(|channel| channel.map(|channel| channel as i8))))
        }
        Labels::Int32 => Arc::new(Int32Array::from_iter(
            channels.iter().map(|channel| channel.map(|channel| i32::from(channel) * 1000)),
        )),
        Labels::Text => Arc::new(texts),
        Labels::View => arrow::compute::cast(&texts, &DataType::Utf8View).expect("views"),
        Labels::Dictionary => Arc::new(texts.iter().collect::<DictionaryArray<Int32Type>>()),
    }
}

fn batch(rows: &[Input], labels: Labels) -> RecordBatch {
    let channels: Vec<_> = rows.iter().map(|row| row.2).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("person", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)))),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1)).with_timezone("UTC")),
        ),
        ("channel", channel_column(labels, &channels)),
        ("converts", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.3))))),
        ("value", Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.4)))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).expect("a batch")
}

/// For each conversion, look at every touch.
fn naive(rows: &[Input], labels: Labels, options: PathCountsOptions) -> Counts {
    let mut counts = Counts::new();
    let mut people: Vec<_> = rows.iter().map(|row| row.0).collect();
    people.sort_unstable();
    people.dedup();
    for person in people {
        let of = |converts: bool| {
            let mut own: Vec<_> = rows.iter().filter(|row| row.0 == person && row.3 == converts).collect();
            own.sort_by(|a, b| a.1.cmp(&b.1).then(a.4.unwrap_or(0.0).total_cmp(&b.4.unwrap_or(0.0))));
            own
        };
        let mut touches: Vec<_> =
            of(false).into_iter().filter_map(|row| Some((row.1, row.2?, label(labels, row.2?)))).collect();
        let is_code = matches!(labels, Labels::Int8 | Labels::Int32);
        touches.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| if is_code { a.1.cmp(&b.1) } else { a.2.cmp(&b.2) }));
        let conversions = of(true);
        let walk = |after: Option<i64>, until: i64| -> Vec<String> {
            let near = touches.iter().filter(|touch| touch.0 <= until && touch.0 >= until - options.look_back_us);
            near.filter(|touch| options.count_again || after.is_none_or(|after| touch.0 > after))
                .map(|touch| touch.2.clone())
                .collect()
        };
        let mut before = None;
        for row in &conversions {
            let entry = counts.entry(walk(before, row.1)).or_default();
            entry[0] += 1.0;
            entry[1] += row.4.unwrap_or(0.0);
            before = Some(row.1);
        }
        if let (Some(last), true) = (touches.last(), conversions.is_empty()) {
            counts.entry(walk(None, last.0)).or_default()[2] += 1.0;
        }
    }
    counts
}

#[derive(Debug)]
struct Planner;

#[async_trait::async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn datafusion::catalog::Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planners = safar_journey::extensions().planners;
        DefaultPhysicalPlanner::with_extension_planners(planners).create_physical_plan(plan, session).await
    }
}

fn context(memory_bytes: Option<usize>) -> SessionContext {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = memory_bytes {
        runtime = runtime.with_memory_limit(bytes, 1.0);
    }
    let state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(SessionConfig::new().with_target_partitions(3).with_batch_size(64))
        .with_runtime_env(runtime.build_arc().expect("a runtime"))
        .with_query_planner(Arc::new(Planner))
        .build();
    let context = SessionContext::new_with_state(state);
    for function in safar_journey::extensions().aggregate {
        context.register_udaf((*function).clone());
    }
    context
}

/// Registers the rows as `rows`: as they come in three partitions, or sorted and declared so.
fn register(context: &SessionContext, rows: &[Input], labels: Labels, sorted: bool) {
    let mut rows = rows.to_vec();
    let table = if sorted {
        rows.sort_by_key(|row| (row.0, row.1));
        let whole = batch(&rows, labels);
        let pieces = (0..rows.len()).step_by(7).map(|start| whole.slice(start, 7.min(rows.len() - start))).collect();
        let order = vec![col("person").sort(true, false), col("at").sort(true, false)];
        MemTable::try_new(whole.schema(), vec![pieces]).expect("a table").with_sort_order(vec![order])
    } else {
        let parts =
            rows.chunks(rows.len().div_ceil(3).max(1)).map(|part| vec![batch(part, labels)]).collect::<Vec<_>>();
        let schema: SchemaRef = batch(&[], labels).schema();
        MemTable::try_new(schema, if parts.is_empty() { vec![vec![]] } else { parts }).expect("a table")
    };
    context.register_table("rows", Arc::new(table)).expect("registered");
}

async fn counted(frame: DataFrame) -> Counts {
    let mut counts = Counts::new();
    for batch in frame.collect().await.expect("an answer") {
        let paths = batch.column(0).as_list::<i32>();
        let weights = [1, 2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>().values());
        for row in 0..batch.num_rows() {
            let path = arrow::compute::cast(&paths.value(row), &DataType::Utf8).expect("texts");
            let path = path.as_string::<i32>().iter().flatten().map(str::to_owned).collect();
            let fresh = counts.insert(path, weights.map(|weights| weights[row])).is_none();
            assert!(fresh, "a path came twice");
        }
    }
    counts
}

async fn plan_text(frame: &DataFrame) -> String {
    let plan = frame.clone().create_physical_plan().await.expect("a plan");
    displayable(plan.as_ref()).indent(false).to_string()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime").block_on(work)
}

const SQL: &str = "SELECT p['channels'] AS channels, sum(p['conversions']), sum(p['value']), sum(p['nulls']) FROM (
    SELECT unnest(journey_paths(at, channel, converts, value, INTERVAL '10 days')) AS p FROM rows GROUP BY person) GROUP BY 1";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn operator_aggregate_and_reference_agree(rows in inputs(), labels in prop::sample::select(&ALL_LABELS[..]), again in any::<bool>()) {
        let options = PathCountsOptions { look_back_us: 10 * DAY, count_again: again };
        let expected = naive(&rows, labels, options);
        run(async {
            for (sorted, memory, gathering) in [(false, None, "Scatter"), (true, None, "Stream"), (false, Some(1 << 20), "Scatter")] {
                let context = context(memory);
                register(&context, &rows, labels, sorted);
                let frame = path_counts(context.table("rows").await.expect("rows"), options).expect("good columns");
                assert!(plan_text(&frame).await.contains(&format!("gathering={gathering}")));
                assert_eq!(counted(frame).await, expected, "sorted {sorted}, {labels:?}");
                if !again {
                    let frame = context.sql(SQL).await.expect("good SQL");
                    assert_eq!(counted(frame).await, expected, "aggregate, sorted {sorted}, {labels:?}");
                }
            }
        });
    }
}

#[test]
fn without_the_memory_to_lay_rows_out_they_are_sorted() {
    let rows: Vec<Input> =
        (0..4000).map(|row| (row % 97, T0 + row, Some((row % 4) as u8), row % 11 == 0, Some(1.0))).collect();
    let options = PathCountsOptions::default();
    run(async {
        let context = context(Some(150_000));
        register(&context, &rows, Labels::Int8, false);
        let frame = path_counts(context.table("rows").await.expect("rows"), options).expect("good columns");
        let plan = plan_text(&frame).await;
        assert!(plan.contains("gathering=Stream") && plan.contains("SortExec"), "{plan}");
        let enough = super::counts::context(None);
        register(&enough, &rows, Labels::Int8, false);
        let frame = path_counts(enough.table("rows").await.expect("rows"), options).expect("good columns");
        let expected = naive(&rows, Labels::Int8, options);
        assert_eq!(counted(frame).await, expected);
    });
}

#[test]
fn the_aggregate_works_without_groups_and_with_a_number_for_a_look_back() {
    run(async {
        let context = context(None);
        let rows =
            [(1, T0, Some(0), false, None), (1, T0 + 5, Some(1), false, None), (1, T0 + 9, None, true, Some(2.5))];
        register(&context, &rows, Labels::Text, false);
        let sql = "SELECT p['channels'] AS channels, p['conversions'], p['value'], p['nulls'] FROM (
            SELECT unnest(journey_paths(at, channel, converts, value, 6)) AS p FROM rows)";
        let found = counted(context.sql(sql).await.expect("good SQL")).await;
        assert_eq!(found, Counts::from([(vec!["E-mail".to_owned()], [1.0, 2.5, 0.0])]));
        for (wrong, hint) in [
            ("journey_paths(at, channel, converts, value, INTERVAL '1 month')", "no months"),
            ("journey_paths(at, channel, converts, value, -1)", "0 or more"),
            ("journey_paths(at, channel, converts, 'x', 6)", "is a number"),
            ("journey_paths(at, value, converts, value, 6)", "a channel is a text or an integer"),
            ("journey_paths(at, channel)", "not 2 arguments"),
        ] {
            let answer = match context.sql(&format!("SELECT {wrong} FROM rows")).await {
                Ok(frame) => frame.collect().await.map(|_| ()),
                Err(error) => Err(error),
            };
            let error = answer.expect_err(wrong).to_string();
            assert!(error.contains(hint), "{error}");
        }
    });
}

#[test]
fn operators_travel_as_bytes() {
    let rows: Vec<Input> =
        (0..500).map(|row| (row % 41, T0 + row * 1000, Some((row % 4) as u8), row % 7 == 0, Some(0.25))).collect();
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        for (labels, count_again) in [(Labels::Int8, false), (Labels::Text, true)] {
            let options = PathCountsOptions { look_back_us: DAY, count_again };
            let path = folder.path().join(format!("{labels:?}.parquet"));
            let batch = batch(&rows, labels);
            let file = std::fs::File::create(&path).expect("a file");
            let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
            writer.write(&batch).expect("written");
            writer.close().expect("closed");
            let context = context(None);
            let frame =
                context.read_parquet(path.display().to_string(), ParquetReadOptions::default()).await.expect("rows");
            let frame = path_counts(frame, options).expect("good columns");
            let plan = frame.create_physical_plan().await.expect("a plan");
            let codec = safar_journey::counts::codec();
            let bytes = physical_plan_to_bytes_with_extension_codec(plan.clone(), codec.as_ref()).expect("bytes");
            let back =
                physical_plan_from_bytes_with_extension_codec(&bytes, context.task_ctx().as_ref(), codec.as_ref())
                    .expect("a plan");
            let show = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(false).to_string();
            assert_eq!(show(&back), show(&plan));
            let answer = |plan| datafusion::physical_plan::collect(plan, context.task_ctx());
            let (here, there) = (answer(plan).await.expect("an answer"), answer(back).await.expect("an answer"));
            let total = |batches: &[RecordBatch]| -> f64 {
                batches
                    .iter()
                    .map(|batch| batch.column(1).as_primitive::<Float64Type>().values().iter().sum::<f64>())
                    .sum()
            };
            assert_eq!(total(&here), 72.0);
            assert_eq!(total(&there), 72.0);
        }
    });
}

#[test]
fn wrong_columns_are_refused() {
    run(async {
        let context = context(None);
        register(&context, &[], Labels::Text, false);
        let frame = context.table("rows").await.expect("rows").select_columns(&["person", "at"]).expect("two columns");
        let error = path_counts(frame, PathCountsOptions::default()).expect_err("refused").to_string();
        assert!(error.contains("path counts need (person Int64"), "{error}");
    });
}
