//! The whole query again when a worker is lost: the distributed engine itself only fails.
use crate::{
    distributed::Workers,
    error::Error,
    planner::{Plan, Planned},
};
use datafusion::{
    arrow::array::RecordBatch,
    catalog::Session,
    common::{DataFusionError, Result, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, SessionState, TaskContext, context::QueryPlanner},
    logical_expr::LogicalPlan,
    physical_expr::PhysicalExpr,
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, stream::RecordBatchStreamAdapter},
};
use datafusion_distributed::DistributedExec;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::{fmt, sync::Arc};
use url::Url;

/// How often a query is run before it is given up.
const ATTEMPTS: usize = 4;
/// So much of a result is held back until all of it is there. What is longer is given out while it comes, and can then
/// not be taken back.
const HELD_BYTES: usize = 64 << 20;

/// Plans for the workers that are there, and wraps the plan so that it can be made and run again.
#[derive(Debug)]
pub(crate) struct RetryPlanner {
    inner: Arc<dyn QueryPlanner + Send + Sync>,
    workers: Arc<Workers>,
}

impl RetryPlanner {
    pub(crate) fn new(inner: Arc<dyn QueryPlanner + Send + Sync>, workers: Arc<Workers>) -> Self {
        Self { inner, workers }
    }
}

impl Plan for RetryPlanner {
    fn plan<'a>(&'a self, query: &'a LogicalPlan, session: &'a dyn Session) -> Planned<'a> {
        async move {
            let asked = self.workers.refresh().await.map_err(external)?;
            let plan = self.inner.create_physical_plan(query, session).await?;
            let Some(state) = session.as_any().downcast_ref::<SessionState>() else { return Ok(plan) };
            if !plan.is::<DistributedExec>() {
                // Too small to be shared out, or an explanation: it runs here.
                return Ok(plan);
            }
            let query = Query {
                inner: Arc::clone(&self.inner),
                workers: Arc::clone(&self.workers),
                query: query.clone(),
                state: state.clone(),
            };
            Ok(Arc::new(RetryExec { query: Arc::new(query), plan, asked }) as _)
        }
        .boxed()
    }
}

/// What is needed to plan it again.
struct Query {
    inner: Arc<dyn QueryPlanner + Send + Sync>,
    workers: Arc<Workers>,
    query: LogicalPlan,
    state: SessionState,
}

/// The root of a distributed plan.
struct RetryExec {
    query: Arc<Query>,
    plan: Arc<dyn ExecutionPlan>,
    /// The workers that the plan was made for.
    asked: Vec<Url>,
}

impl fmt::Debug for RetryExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryExec").field("plan", &self.plan).field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl DisplayAs for RetryExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetryExec: workers={}, attempts={ATTEMPTS}", self.asked.len())
    }
}

impl ExecutionPlan for RetryExec {
    fn name(&self) -> &'static str {
        "RetryExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.plan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.plan]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let [plan] =
            <[_; 1]>::try_from(children).map_err(|_| DataFusionError::Internal("a retry has one input".to_owned()))?;
        Ok(Arc::new(Self { query: Arc::clone(&self.query), plan, asked: self.asked.clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(DataFusionError::Internal(format!("a distributed plan has one partition, not {partition}")));
        }
        let run = run(Arc::clone(&self.query), Arc::clone(&self.plan), self.asked.clone(), context);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::once(run).try_flatten())))
    }
}

/// Runs the query until it has a whole result, or too much of one to hold back.
async fn run(
    query: Arc<Query>,
    mut plan: Arc<dyn ExecutionPlan>,
    mut asked: Vec<Url>,
    context: Arc<TaskContext>,
) -> Result<stream::BoxStream<'static, Result<RecordBatch>>> {
    let mut attempt = 1;
    loop {
        let error = match attempt_once(&plan, &context).await {
            Ok((held, None)) => return Ok(stream::iter(held.into_iter().map(Ok)).boxed()),
            Ok((held, Some(rest))) => {
                let rest = rest.map_err(|error| match is_transport(&error) {
                    true => lost(&error, "a part of the result was already given out; ask for less at once"),
                    false => error,
                });
                return Ok(stream::iter(held.into_iter().map(Ok)).chain(rest).boxed());
            }
            Err(error) => error,
        };
        // An error of the query itself comes again; that of a lost worker shows in who answers now.
        let alive = query.workers.refresh().await.map_err(external)?;
        if alive == asked && !is_transport(&error) {
            return Err(error);
        }
        if attempt == ATTEMPTS {
            return Err(lost(&error, "it was tried often enough"));
        }
        tracing::warn!(%error, attempt, workers = alive.len(), "a worker was lost; the query runs again");
        attempt += 1;
        asked = alive;
        plan = query.inner.create_physical_plan(&query.query, &query.state).await?;
    }
}

/// One run: what is held back, and the rest if there is more.
async fn attempt_once(
    plan: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
) -> Result<(Vec<RecordBatch>, Option<SendableRecordBatchStream>)> {
    let mut batches = plan.execute(0, Arc::clone(context))?;
    let (mut held, mut bytes) = (vec![], 0);
    while let Some(batch) = batches.try_next().await? {
        bytes += batch.get_array_memory_size();
        held.push(batch);
        if bytes > HELD_BYTES {
            return Ok((held, Some(batches)));
        }
    }
    Ok((held, None))
}

/// Whether the network said it, not the query.
fn is_transport(error: &DataFusionError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<tonic::Status>() || error.is::<tonic::transport::Error>() {
            return true;
        }
        cause = error.source();
    }
    sounds_like_transport(&error.to_string())
}

/// Between workers an error becomes text. A worker that ends cancels what it had begun to read; "was cancelled" alone
/// could be a name in somebody's data.
fn sounds_like_transport(text: &str) -> bool {
    ["transport error", "tcp connect error", "h2 protocol error"].iter().any(|sign| text.contains(sign))
        || text.contains("Error joining spawned task") && text.contains("was cancelled")
}

fn lost(error: &DataFusionError, why: &'static str) -> DataFusionError {
    external(Error::WorkerLost { message: error.strip_backtrace(), why })
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::sounds_like_transport;

    #[test]
    fn what_people_wrote_is_no_sign_of_a_lost_worker() {
        assert!(sounds_like_transport("External error: transport error: connection reset"));
        assert!(sounds_like_transport("Error joining spawned task: task 27 was cancelled"));
        assert!(!sounds_like_transport("Cannot cast string 'order 7 was cancelled' to value of Int64 type"));
    }
}
