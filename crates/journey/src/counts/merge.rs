//! The operator that adds up equal paths.
use super::exec::{column, properties, too_large, when_done};
use super::labels::{LabelKind, Labels, PathColumn};
use super::node::path_schema;
use super::partial::{GROUPS, Partials, partial_batch};
use super::walk::{PathTable, Weights};
use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, PlanProperties,
};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;

/// What comes is added up when it is this much, and whenever it has doubled since.
const PENDING_BYTES: usize = 128 << 20;

/// Adds up equal paths and writes them as lists.
#[derive(Debug)]
pub(crate) struct PathMergeExec {
    input: Arc<dyn ExecutionPlan>,
    pub kind: LabelKind,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PathMergeExec {
    pub fn new(input: Arc<dyn ExecutionPlan>, kind: LabelKind) -> Self {
        let partitions = input.output_partitioning().partition_count();
        let properties = properties(Arc::new(path_schema(kind)), partitions);
        Self { input, kind, properties, metrics: ExecutionPlanMetricsSet::new() }
    }
}

async fn merge(
    mut input: SendableRecordBatchStream,
    kind: LabelKind,
    batch_rows: usize,
    memory: MemoryReservation,
    metrics: BaselineMetrics,
) -> Result<Vec<RecordBatch>> {
    let mut pending = Partials::default();
    let mut room = PENDING_BYTES;
    while let Some(batch) = input.next().await {
        let compute = metrics.elapsed_compute().clone();
        let _running = compute.timer();
        pending.push(batch?);
        memory.try_resize(pending.size()).map_err(too_large)?;
        if pending.size() > room {
            pending = added_up(&pending)?;
            room = PENDING_BYTES.max(2 * pending.size());
        }
    }
    let mut table = PathTable::default();
    let mut rows = Rows::new(kind, batch_rows);
    for group in 0..GROUPS {
        let compute = metrics.elapsed_compute().clone();
        let running = compute.timer();
        table.clear();
        pending.add_to(&mut table, group);
        for (_, key, weights) in table.iter() {
            rows.push(key, weights)?;
        }
        drop(running);
        tokio::task::yield_now().await;
    }
    let batches = rows.finish()?;
    metrics.record_output(batches.iter().map(RecordBatch::num_rows).sum());
    Ok(batches)
}

/// The same with each path once.
fn added_up(pending: &Partials) -> Result<Partials> {
    let mut table = PathTable::default();
    let mut sums = Partials::default();
    for group in 0..GROUPS {
        table.clear();
        pending.add_to(&mut table, group);
        // Keys are portable already.
        sums.push(partial_batch(&table, &Labels::new(LabelKind::Code))?);
    }
    Ok(sums)
}

/// Rows of [`path_schema`], batch by batch.
struct Rows {
    kind: LabelKind,
    schema: SchemaRef,
    batch_rows: usize,
    paths: PathColumn,
    weights: [Vec<f64>; 3],
    batches: Vec<RecordBatch>,
}

impl Rows {
    fn new(kind: LabelKind, batch_rows: usize) -> Self {
        let (schema, paths) = (Arc::new(path_schema(kind)), PathColumn::new(kind));
        Self { kind, schema, batch_rows, paths, weights: Default::default(), batches: vec![] }
    }

    fn push(&mut self, key: &[u8], weights: Weights) -> Result<()> {
        self.paths.append(key);
        self.weights[0].push(weights.conversions);
        self.weights[1].push(weights.value);
        self.weights[2].push(weights.nulls);
        if self.weights[0].len() >= self.batch_rows { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<()> {
        let paths = std::mem::replace(&mut self.paths, PathColumn::new(self.kind));
        let weights = std::mem::take(&mut self.weights);
        let weights = weights.map(|weights| Arc::new(Float64Array::from(weights)) as ArrayRef);
        let columns = [paths.finish()].into_iter().chain(weights).collect();
        self.batches.push(RecordBatch::try_new(self.schema.clone(), columns)?);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<RecordBatch>> {
        if !self.weights[0].is_empty() {
            self.close()?;
        }
        Ok(self.batches)
    }
}

impl DisplayAs for PathMergeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathMergeExec: labels={:?}", self.kind)
    }
}

impl ExecutionPlan for PathMergeExec {
    fn name(&self) -> &str {
        "PathMergeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// By the hashes of the paths.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::KeyPartitioned(vec![column(self.input.as_ref(), 0)])])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.kind)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new(format!("PathMerge[{partition}]")).register(context.memory_pool());
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batch_rows = context.session_config().batch_size().max(1);
        let merged = merge(self.input.execute(partition, context)?, self.kind, batch_rows, memory, metrics);
        Ok(when_done(Arc::new(path_schema(self.kind)), merged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Sums = BTreeMap<Vec<u8>, [f64; 3]>;

    fn add(sums: &mut Sums, key: &[u8], weights: Weights) {
        let sum = sums.entry(key.to_vec()).or_default();
        sum.iter_mut().zip([weights.conversions, weights.value, weights.nulls]).for_each(|(sum, more)| *sum += more);
    }

    /// What the groups add up to; each path once.
    fn sums(partials: &Partials) -> Sums {
        let mut sums = Sums::new();
        for group in 0..GROUPS {
            let mut table = PathTable::default();
            partials.add_to(&mut table, group);
            for (_, key, weights) in table.iter() {
                assert!(!sums.contains_key(key), "{key:?} twice");
                add(&mut sums, key, weights);
            }
        }
        sums
    }

    proptest! {
        /// However rows come in batches, and whether or not they were added up in between.
        #[test]
        fn paths_add_up(
            rows in prop::collection::vec((prop::collection::vec(0u8..3, 0..18), 0u8..5, 0u8..5), 0..60),
            parts in 1usize..5,
            unlike in prop::bool::ANY,
        ) {
            let mut expected = Sums::new();
            let mut partials = Partials::default();
            for part in rows.chunks(rows.len().div_ceil(parts).max(1)) {
                let mut table = PathTable::default();
                // Where long paths seldom come again, they are no longer looked for.
                let strangers = (0..if unlike { 5000u32 } else { 0 }).map(|at| (format!("{at:020}").into_bytes(), 1, 0));
                for (key, value, nulls) in part.iter().cloned().chain(strangers).chain(part.iter().cloned()) {
                    let weights = Weights { conversions: 1.0, value: value.into(), nulls: nulls.into() };
                    table.add_or_append(&key, weights);
                    add(&mut expected, &key, weights);
                }
                partials.push(partial_batch(&table, &Labels::new(LabelKind::Code)).unwrap());
            }
            prop_assert_eq!(&sums(&partials), &expected);
            prop_assert_eq!(&sums(&added_up(&partials).unwrap()), &expected);
        }
    }
}
