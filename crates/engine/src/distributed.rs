//! Queries on worker machines: which workers are there, how scans are shared out, and the worker itself.
use crate::{
    error::{Error, Result},
    options::{EngineOptions, Extensions},
    planner::{Plan, Planned, Planner},
    retry::RetryPlanner,
};
use datafusion::{
    catalog::Session,
    common::{
        DataFusionError,
        tree_node::{Transformed, TreeNode},
    },
    datasource::{
        physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder},
        source::DataSourceExec,
    },
    execution::{SessionState, SessionStateBuilder, context::QueryPlanner},
    logical_expr::LogicalPlan,
    physical_expr::Partitioning,
    physical_plan::ExecutionPlan,
};
use datafusion_distributed::{
    ChannelResolver, DistributedExt, DistributedLeafExec, GetWorkerInfoRequest, ScaleUpLeafNodeEvent,
    ScaleUpLeafNodeEventResponse, SessionStateBuilderExt, Worker, WorkerChannel, WorkerQueryContext, WorkerResolver,
    grpc::{BoxCloneSyncChannel, create_worker_client},
};
use futures::{FutureExt, future::join_all};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint, Server, server::TcpIncoming};
use url::Url;

/// How long a worker may take to say that it is there, and to answer on an open connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// What workers and coordinators must share: plans are sent as they are.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The workers of an engine, and which of them answered last.
#[derive(Debug)]
pub(crate) struct Workers {
    channels: BTreeMap<Url, Channel>,
    alive: RwLock<Vec<Url>>,
}

impl Workers {
    pub(crate) fn new(urls: Vec<Url>) -> Result<Self> {
        let connect = |url: Url| {
            let endpoint = Endpoint::from_shared(url.to_string())
                .map_err(|error| Error::Setup { action: format!("use {url} as a worker"), source: error.into() })?;
            // A worker that vanished without a word is found out by the pings.
            let endpoint = endpoint
                .connect_timeout(ANSWER_WITHIN)
                .http2_keep_alive_interval(ANSWER_WITHIN)
                .keep_alive_timeout(ANSWER_WITHIN)
                .tcp_nodelay(true);
            Ok((url, endpoint.connect_lazy()))
        };
        Ok(Self { channels: urls.into_iter().map(connect).collect::<Result<_>>()?, alive: RwLock::default() })
    }

    /// Asks every worker whether it is there; returns those that are, of our version.
    pub(crate) async fn refresh(&self) -> Result<Vec<Url>> {
        let asked = self.channels.iter().map(|(url, channel)| async move {
            let mut client = create_worker_client(BoxCloneSyncChannel::new(channel.clone()));
            let answer = tokio::time::timeout(ANSWER_WITHIN, client.get_worker_info(GetWorkerInfoRequest {})).await;
            match answer {
                Ok(Ok(info)) if info.version == VERSION => Some(url.clone()),
                Ok(Ok(info)) => {
                    tracing::warn!(%url, version = %info.version, ours = VERSION, "worker is of another version; not used");
                    None
                }
                Ok(Err(error)) => {
                    tracing::warn!(%url, %error, "worker does not answer");
                    None
                }
                Err(_) => {
                    tracing::warn!(%url, "worker does not answer in time");
                    None
                }
            }
        });
        let alive: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        if alive.is_empty() {
            let urls: Vec<_> = self.channels.keys().map(Url::as_str).collect();
            return Err(Error::NoWorkers(urls.join(", ")));
        }
        self.alive.write().unwrap_or_else(PoisonError::into_inner).clone_from(&alive);
        Ok(alive)
    }
}

/// Hands the workers that are there to the distributed planner.
struct Resolver(Arc<Workers>);

impl WorkerResolver for Resolver {
    fn get_urls(&self) -> Result<Vec<Url>, DataFusionError> {
        Ok(self.0.alive.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

#[async_trait::async_trait]
impl ChannelResolver for Resolver {
    async fn get_worker_client_for_url(&self, url: &Url) -> Result<Box<dyn WorkerChannel>, DataFusionError> {
        let channel = self.0.channels.get(url);
        let unknown = || DataFusionError::Execution(format!("{url} is none of the workers"));
        Ok(create_worker_client(BoxCloneSyncChannel::new(channel.ok_or_else(unknown)?.clone())))
    }
}

/// Makes the sessions of `builder` run their queries on `workers`.
pub(crate) fn distribute(
    mut builder: SessionStateBuilder,
    planner: Arc<dyn QueryPlanner + Send + Sync>,
    workers: &Arc<Workers>,
    extensions: &Extensions,
) -> SessionStateBuilder {
    builder = builder
        .with_query_planner(Arc::new(Planner(RangePlanner(planner))))
        .with_distributed_worker_resolver(Resolver(Arc::clone(workers)))
        .with_distributed_channel_resolver(Resolver(Arc::clone(workers)))
        .with_distributed_planner()
        .with_distributed_scale_up_leaf_node_handler(share_out_ranges);
    if let Some(codec) = &extensions.codec {
        builder = builder.with_distributed_user_codec_arc(Arc::clone(codec));
    }
    match builder.query_planner().take() {
        Some(planner) => builder.with_query_planner(Arc::new(Planner(RetryPlanner::new(planner, Arc::clone(workers))))),
        None => builder,
    }
}

/// Plans as its inner planner does, and gives range-partitioned scans another label.
///
/// By then the plan is settled, and a label says no more than how many partitions there are. The distributed planner
/// cannot scale ranges yet (its issue 628), and it would deal out files without regard to them.
#[derive(Debug)]
struct RangePlanner(Arc<dyn QueryPlanner + Send + Sync>);

impl Plan for RangePlanner {
    fn plan<'a>(&'a self, query: &'a LogicalPlan, session: &'a dyn Session) -> Planned<'a> {
        let plan = self.0.create_physical_plan(query, session);
        async move { Ok(plan.await?.transform_up(relabel)?.data) }.boxed()
    }
}

fn relabel(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>, DataFusionError> {
    let Some((scan, Partitioning::Range(ranges))) = partitioned_scan(&node) else {
        return Ok(Transformed::no(node));
    };
    let keys = ranges.ordering().iter().map(|term| Arc::clone(&term.expr)).collect();
    let label = Partitioning::Hash(keys, ranges.partition_count());
    let scan = FileScanConfigBuilder::from(scan.clone()).with_output_partitioning(Some(label)).build();
    Ok(Transformed::yes(DataSourceExec::from_data_source(scan) as _))
}

/// A scan that says which rows are in which partition.
fn partitioned_scan(node: &Arc<dyn ExecutionPlan>) -> Option<(&FileScanConfig, &Partitioning)> {
    let scan = node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()?;
    scan.output_partitioning.as_ref().map(|partitioning| (scan, partitioning))
}

/// Gives each task of a partitioned scan every so-manyth partition, in its own place, so that all rows of a key are in
/// one task and those of two tables with the same ranges in the same one.
fn share_out_ranges(event: ScaleUpLeafNodeEvent<'_>) -> Option<Result<ScaleUpLeafNodeEventResponse, DataFusionError>> {
    let (scan, _) = partitioned_scan(event.plan)?;
    let tasks = event.task_count.max(1);
    let variants = (0..tasks).map(|task| {
        let mut share = scan.clone();
        for (index, group) in share.file_groups.iter_mut().enumerate() {
            if index % tasks != task {
                *group = FileGroup::new(vec![]);
            }
        }
        DataSourceExec::from_data_source(share) as _
    });
    let leaf = DistributedLeafExec::try_new(Arc::clone(event.plan), variants);
    Some(leaf.map(|leaf| ScaleUpLeafNodeEventResponse::new(Arc::new(leaf))))
}

/// Runs a worker on `listener` until `shutdown` is ready.
///
/// It runs whatever plan it is sent and reads whatever file that names, for anybody who can connect: listen on a private
/// network only.
///
/// # Errors
/// [`Error::Setup`] if the folder to spill to cannot be made or the listener fails.
pub async fn serve_worker(
    options: EngineOptions,
    extensions: Extensions,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let runtime = options.runtime()?;
    let build = move |context: WorkerQueryContext| {
        let extensions = extensions.clone();
        async move { worker_state(context, &extensions) }
    };
    let worker = Worker::from_session_builder(build).with_runtime_env(runtime).with_version(VERSION);
    Server::builder()
        .http2_keepalive_interval(Some(ANSWER_WITHIN))
        .add_service(worker.into_worker_server())
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), shutdown)
        .await
        .map_err(|error| Error::Setup { action: "serve as a worker".to_owned(), source: error.into() })
}

fn worker_state(context: WorkerQueryContext, extensions: &Extensions) -> Result<SessionState, DataFusionError> {
    let mut builder = context.builder;
    if let Some(codec) = &extensions.codec {
        builder = builder.with_distributed_user_codec_arc(Arc::clone(codec));
    }
    let mut state = builder.build();
    extensions.register(&mut state)?;
    Ok(state)
}
