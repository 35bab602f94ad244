//! Safar's two ways: the operator and the SQL aggregate.
use crate::{Answer, Failure, events};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int32Type};
use datafusion::common::{ScalarValue, SplitPoint};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::{
    SessionStateBuilder,
    context::QueryPlanner,
    memory_pool::{FairSpillPool, MemoryPool, UnboundedMemoryPool},
    object_store::ObjectStoreUrl,
    runtime_env::RuntimeEnvBuilder,
};
use datafusion::logical_expr::{LogicalPlan, Partitioning, RangePartitioning};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::{SessionConfig, SessionContext, col};
use safar_journey::counts::{PathCountsOptions, path_counts};
use safar_model::DAY_US;
use safar_store::LocalFiles;
use std::path::PathBuf;
use std::sync::Arc;

const SQL: &str = "SELECT channels, sum(conversions), sum(value), sum(nulls) FROM (
    SELECT p['channels'] AS channels, p['conversions'] AS conversions, p['value'] AS value, p['nulls'] AS nulls FROM (
        SELECT unnest(journey_paths(ts, channel_id, is_conversion, value, INTERVAL '30 days')) AS p FROM events GROUP BY person_id))
    GROUP BY channels";

#[derive(Debug)]
struct Planner;

#[async_trait::async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn datafusion::catalog::Session,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let planners = safar_journey::extensions().planners;
        DefaultPhysicalPlanner::with_extension_planners(planners).create_physical_plan(plan, session).await
    }
}

/// What the program has for as long as it runs; sessions are of one question.
pub struct Safar {
    runtime: tokio::runtime::Runtime,
    files: Arc<LocalFiles>,
    threads: usize,
}

impl Safar {
    pub fn new(threads: usize) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
        Ok(Self { runtime, files: Arc::default(), threads })
    }

    /// Distinct paths by the operator (`once`: with the aggregate's question) or the aggregate; the clustered layout is declared, as
    /// the engine's tables declare it.
    pub fn paths(&self, files: &[PathBuf], layout: &str, case: &str) -> Result<Vec<RecordBatch>, Failure> {
        self.runtime.block_on(self.ask(files, layout, case))
    }

    async fn ask(&self, files: &[PathBuf], layout: &str, case: &str) -> Result<Vec<RecordBatch>, Failure> {
        // The aggregate keeps the events of all people that it has met, which is as much as they are.
        let limit: Arc<dyn MemoryPool> = match case {
            "aggregate" => Arc::new(UnboundedMemoryPool::default()),
            _ => Arc::new(FairSpillPool::new(1 << 31)),
        };
        let pool = RuntimeEnvBuilder::new().with_memory_pool(limit).build_arc()?;
        pool.register_object_store(ObjectStoreUrl::local_filesystem().as_ref(), self.files.clone());
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_config(SessionConfig::new().with_target_partitions(self.threads))
            .with_runtime_env(pool)
            .with_query_planner(Arc::new(Planner))
            .build();
        let context = SessionContext::new_with_state(state);
        for function in safar_journey::extensions().aggregate {
            context.register_udaf((*function).clone());
        }
        let mut listing = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
        if layout == "clustered" {
            let ascending = |name: &str| col(name).sort(true, false);
            let splits = events::splits()
                .into_iter()
                .map(|split| SplitPoint::new(vec![ScalarValue::Int64(Some(split))]))
                .collect();
            let ranges = RangePartitioning::try_new(vec![ascending("person_id")], splits)?;
            listing = listing
                .with_file_sort_order(vec![vec![ascending("person_id"), ascending("ts")]])
                .with_output_partitioning(Some(Partitioning::Range(ranges)));
        }
        let urls = files
            .iter()
            .map(|file| ListingTableUrl::parse(file.display().to_string()))
            .collect::<Result<Vec<_>, _>>()?;
        let schema = listing.infer_schema(&context.state(), &urls[0]).await?;
        let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(listing).with_schema(schema);
        context.register_table("events", Arc::new(ListingTable::try_new(config)?))?;
        let frame = if case != "aggregate" {
            let rows = context.table("events").await?.select_columns(&events::COLUMNS)?;
            path_counts(rows, PathCountsOptions { look_back_us: 30 * DAY_US, count_again: case == "operator" })?
        } else {
            context.sql(SQL).await?
        };
        if std::env::var_os("EXPLAIN").is_some() {
            frame.clone().explain(false, true)?.show().await?;
        }
        Ok(frame.collect().await?)
    }
}

/// What the tables say. The clock has stopped by then, as it has for the tables of `peers.py`.
pub fn answer(batches: &[RecordBatch]) -> Result<Answer, Failure> {
    let mut answer = Answer::default();
    batches.iter().try_for_each(|batch| add(batch, &mut answer))?;
    Ok(answer)
}

fn add(batch: &RecordBatch, answer: &mut Answer) -> Result<(), Failure> {
    let paths = batch.column(0).as_list::<i32>();
    let codes = arrow::compute::cast(paths.values(), &DataType::Int32)?;
    let codes = codes.as_primitive::<Int32Type>().values();
    let weights = [1, 2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>().values());
    for (row, span) in paths.offsets().windows(2).enumerate() {
        let path = codes[span[0] as usize..span[1] as usize].iter().map(|code| b'A' + *code as u8).collect();
        answer.0.push((path, weights.map(|weights| weights[row])));
    }
    Ok(())
}
