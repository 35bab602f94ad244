//! The operator that counts the paths of each partition.
use super::gather::{BucketCounter, Scatter, Streamer};
use super::labels::LabelKind;
use super::partial::{partial_batch, partial_schema};
use super::walk::{PathCountsOptions, PathTable};
use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, Partitioning,
    PlanProperties,
};
use futures::{StreamExt, TryStreamExt};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::{collections::VecDeque, fmt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Streams hand their paths on when they hold this much.
const FLUSH_BYTES: usize = 64 << 20;

/// How the rows of one person come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gathering {
    /// They arrive together, in the order of time: by the layout of the files, or by a sort that the planner adds.
    Stream,
    /// All rows come to one place and are laid out by person in memory; the counting is parallel.
    Scatter,
}

/// Counts paths; the result may hold a path more than once, which [`super::merge::PathMergeExec`] puts right.
#[derive(Debug)]
pub(crate) struct PathCountsExec {
    input: Arc<dyn ExecutionPlan>,
    pub options: PathCountsOptions,
    pub gathering: Gathering,
    kind: LabelKind,
    /// As many partitions are read at once as the session has threads: each that waits holds its decoded row group, and more
    /// at once are no faster.
    turns: OnceLock<Arc<Semaphore>>,
    spare: Arc<Spare>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// Tables of partitions that are done, emptied for those whose turn comes after: memory is new once for each thread.
type Spare = Mutex<Vec<(PathTable, MemoryReservation)>>;

pub(super) fn properties(schema: SchemaRef, partitions: usize) -> Arc<PlanProperties> {
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Final,
        Boundedness::Bounded,
    ))
}

pub(super) fn column(input: &dyn ExecutionPlan, index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(input.schema().field(index).name(), index))
}

fn by_person_and_time(input: &dyn ExecutionPlan) -> Option<LexOrdering> {
    let ascending = SortOptions { descending: false, nulls_first: false };
    LexOrdering::new([0, 1].map(|index| PhysicalSortExpr::new(column(input, index), ascending)))
}

impl PathCountsExec {
    pub fn try_new(input: Arc<dyn ExecutionPlan>, options: PathCountsOptions, gathering: Gathering) -> Result<Self> {
        let schema = input.schema();
        if schema.fields().len() != 5 {
            return internal_err!("path counts need five columns, not {}", schema.fields().len());
        }
        let kind = LabelKind::of(schema.field(2).data_type())?;
        let partitions = match gathering {
            Gathering::Stream => input.output_partitioning().partition_count(),
            Gathering::Scatter => 1,
        };
        let properties = properties(partial_schema(), partitions);
        let (turns, spare, metrics) = (OnceLock::new(), Arc::default(), ExecutionPlanMetricsSet::new());
        Ok(Self { input, options, gathering, kind, turns, spare, properties, metrics })
    }

    /// Whether each partition of `input` brings whole people, in the order of time.
    pub fn is_laid_out(input: &Arc<dyn ExecutionPlan>) -> Result<bool> {
        let required = Distribution::KeyPartitioned(vec![column(input.as_ref(), 0)]);
        let equivalences = input.equivalence_properties();
        let Some(order) = by_person_and_time(input.as_ref()) else { return Ok(false) };
        Ok(input.output_partitioning().satisfaction(&required, equivalences, false).is_satisfied()
            && equivalences.ordering_satisfy(order)?)
    }

    fn stream(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new(format!("PathCounts[{partition}]")).register(context.memory_pool());
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let threads = context.session_config().target_partitions().max(1);
        let state = StreamState {
            batch_rows: context.session_config().batch_size(),
            turns: self.turns.get_or_init(|| Arc::new(Semaphore::new(threads))).clone(),
            turn: None,
            spare: self.spare.clone(),
            input: Some(self.input.execute(partition, context)?),
            streamer: Some(Streamer::new(self.kind, self.options)),
            ready: VecDeque::new(),
            memory,
            metrics,
        };
        let batches = futures::stream::try_unfold(state, StreamState::next);
        Ok(Box::pin(RecordBatchStreamAdapter::new(partial_schema(), batches)))
    }

    fn scatter(&self, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new("PathCounts[scatter]").register(context.memory_pool());
        let metrics = BaselineMetrics::new(&self.metrics, 0);
        let workers = context.session_config().target_partitions().max(1);
        let input = self.input.execute(0, context)?;
        let counted = scatter_and_count(input, self.kind, self.options, workers, memory, metrics);
        Ok(when_done(partial_schema(), counted))
    }
}

/// A stream of what comes all at once.
pub(super) fn when_done(
    schema: SchemaRef,
    batches: impl Future<Output = Result<Vec<RecordBatch>>> + Send + 'static,
) -> SendableRecordBatchStream {
    let batches = futures::stream::once(batches).map_ok(|batches| futures::stream::iter(batches).map(Ok)).try_flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

struct StreamState {
    batch_rows: usize,
    turns: Arc<Semaphore>,
    turn: Option<OwnedSemaphorePermit>,
    spare: Arc<Spare>,
    input: Option<SendableRecordBatchStream>,
    /// Until the input ends.
    streamer: Option<Streamer>,
    ready: VecDeque<RecordBatch>,
    memory: MemoryReservation,
    metrics: BaselineMetrics,
}

impl StreamState {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                self.metrics.record_output(batch.num_rows());
                return Ok(Some((batch, self)));
            }
            let Some(streamer) = &mut self.streamer else { return Ok(None) };
            if self.turn.is_none() {
                self.turn = self.turns.clone().acquire_owned().await.ok();
                if let Some((table, memory)) = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop() {
                    streamer.reuse(table);
                    self.memory = memory;
                }
            }
            let next = match &mut self.input {
                Some(input) => input.next().await,
                None => None,
            };
            let _timer = self.metrics.elapsed_compute().clone();
            let _running = _timer.timer();
            let done = next.is_none();
            match next {
                Some(batch) => streamer.push(&batch?)?,
                None => {
                    self.input = None;
                    streamer.flush();
                }
            }
            self.memory.try_resize(streamer.size()).map_err(too_large)?;
            if done || streamer.filled() >= FLUSH_BYTES {
                let batch = streamer.take()?;
                self.ready.extend(slices(&batch, self.batch_rows));
            }
            if done && let Some(streamer) = self.streamer.take() {
                let idle = (streamer.into_table(), self.memory.take());
                self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
                self.turn = None;
            }
        }
    }
}

fn slices(batch: &RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(rows.max(1));
    starts.map(move |start| batch.slice(start, rows.max(1).min(batch.num_rows() - start)))
}

pub(super) fn too_large(error: DataFusionError) -> DataFusionError {
    error.context("path counts need more memory: allow more, or narrow the time range")
}

/// Lays all rows out by person, then counts bucket after bucket on every core.
async fn scatter_and_count(
    mut input: SendableRecordBatchStream,
    kind: LabelKind,
    options: PathCountsOptions,
    workers: usize,
    memory: MemoryReservation,
    metrics: BaselineMetrics,
) -> Result<Vec<RecordBatch>> {
    let mut scatter = Scatter::new(kind);
    while let Some(batch) = input.next().await {
        let batch = batch?;
        let compute = metrics.elapsed_compute().clone();
        let _running = compute.timer();
        scatter.push(&batch)?;
        memory.try_resize(scatter.size()).map_err(too_large)?;
    }
    drop(input);
    let (labels, buckets) = scatter.finish();
    let labels = Arc::new(labels);
    // Each worker takes the next bucket and frees it when it is counted.
    let buckets: Arc<Vec<_>> = Arc::new(buckets.into_iter().map(|bucket| Mutex::new(Some(bucket))).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let (labels, buckets, next) = (labels.clone(), buckets.clone(), next.clone());
            SpawnedTask::spawn(async move {
                let mut counter = BucketCounter::new(options);
                while let Some(slot) = buckets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bucket = slot.lock().ok().and_then(|mut slot| slot.take());
                    if let Some(bucket) = bucket {
                        counter.add(&bucket, &labels);
                    }
                    tokio::task::yield_now().await;
                }
                partial_batch(&counter.table, &labels)
            })
        })
        .collect();
    let mut batches = vec![];
    for task in tasks {
        let batch = task.join_unwind().await.map_err(|error| DataFusionError::External(Box::new(error)))??;
        metrics.record_output(batch.num_rows());
        batches.push(batch);
    }
    Ok(batches)
}

impl DisplayAs for PathCountsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PathCountsOptions { look_back_us, count_again } = self.options;
        write!(
            f,
            "PathCountsExec: gathering={:?}, look_back_us={look_back_us}, count_again={count_again}",
            self.gathering
        )
    }
}

impl ExecutionPlan for PathCountsExec {
    fn name(&self) -> &str {
        "PathCountsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![match self.gathering {
            Gathering::Stream => Distribution::KeyPartitioned(vec![column(self.input.as_ref(), 0)]),
            Gathering::Scatter => Distribution::SinglePartition,
        }])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![match self.gathering {
            Gathering::Stream => by_person_and_time(self.input.as_ref()).map(OrderingRequirements::from),
            Gathering::Scatter => None,
        }]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::try_new(children.swap_remove(0), self.options, self.gathering)?))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        match self.gathering {
            Gathering::Stream => self.stream(partition, context),
            Gathering::Scatter => self.scatter(context),
        }
    }
}
