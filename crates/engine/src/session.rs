//! Engines make sessions; a session answers queries about one snapshot.
use crate::{
    distributed::{Workers, distribute},
    error::{Error, Result},
    in_order::InOrder,
    options::{EngineOptions, Extensions},
    planner::{Plan, Planned, Planner},
    tables::{CATALOG, SCHEMA, SnapshotTables},
};
use datafusion::{
    catalog::{CatalogProvider, MemoryCatalogProvider, Session as PlanSession},
    execution::{SessionStateBuilder, context::SQLOptions, runtime_env::RuntimeEnv},
    logical_expr::LogicalPlan,
    physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner},
    prelude::{DataFrame, SessionContext},
};
use futures::FutureExt;
use safar_model::Table;
use safar_store::{Snapshot, Store};
use std::sync::Arc;
use url::Url;

/// Makes sessions; cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    store: Store,
    options: EngineOptions,
    extensions: Extensions,
    runtime: Arc<RuntimeEnv>,
    workers: Option<Arc<Workers>>,
}

impl Engine {
    /// An engine whose queries run in this process.
    ///
    /// # Errors
    /// [`Error::Setup`] if the folder to spill to cannot be made.
    pub fn embedded(store: Store, options: EngineOptions, extensions: Extensions) -> Result<Self> {
        let runtime = options.runtime()?;
        Ok(Self { store, options, extensions, runtime, workers: None })
    }

    /// An engine whose queries run on `workers` ([`serve_worker`](crate::serve_worker)), which must see the workspace's
    /// files under the same path and have been given the same `extensions`.
    ///
    /// Before each query the workers are asked whether they are there. When one is lost during it, the whole query runs
    /// again on the others. What a single worker could do alone runs in this process.
    ///
    /// # Errors
    /// [`Error::Setup`] if the folder to spill to cannot be made, or an address is none.
    pub fn distributed(
        store: Store,
        options: EngineOptions,
        extensions: Extensions,
        workers: Vec<Url>,
    ) -> Result<Self> {
        let runtime = options.runtime()?;
        let workers = Some(Arc::new(Workers::new(workers)?));
        Ok(Self { store, options, extensions, runtime, workers })
    }

    /// The tables it reads.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A session that sees `snapshot` and nothing newer.
    ///
    /// # Errors
    /// [`Error::Execution`] if two extensions have one name.
    pub fn session(&self, snapshot: &Snapshot) -> Result<Session> {
        // An engine may live for weeks, and what clears old temporary files takes its folder for one.
        for folder in self.runtime.disk_manager.temp_dir_paths() {
            if !folder.is_dir() {
                // Where it cannot be made again, queries that spill say so.
                std::fs::create_dir_all(&folder).ok();
            }
        }
        let catalog = MemoryCatalogProvider::new();
        let tables = SnapshotTables::new(self.store.clone(), snapshot.clone());
        catalog.register_schema(SCHEMA, Arc::new(tables))?;
        let mut builder = SessionStateBuilder::new()
            .with_default_features()
            .with_config(self.options.config())
            .with_runtime_env(Arc::clone(&self.runtime));
        let planner = Arc::new(Planner(NodePlanner(self.extensions.clone())));
        builder = match &self.workers {
            Some(workers) => distribute(builder, planner, workers, &self.extensions),
            None => builder.with_query_planner(planner).with_physical_optimizer_rule(Arc::new(InOrder)),
        };
        let mut state = builder.build();
        self.extensions.register(&mut state)?;
        let context = SessionContext::new_with_state(state);
        context.register_catalog(CATALOG, Arc::new(catalog));
        Ok(Session { context, snapshot: snapshot.clone(), memory_bytes: self.options.memory_bytes })
    }

    /// Lets the following queries of a long session see `snapshot`; [`Session::snapshot`] goes on naming the one it began with.
    ///
    /// # Errors
    /// [`Error::Execution`] if the session is of another program's making.
    pub fn advance(&self, session: &Session, snapshot: &Snapshot) -> Result<()> {
        let tables = Arc::new(SnapshotTables::new(self.store.clone(), snapshot.clone()));
        if let Some(catalog) = session.context.catalog(CATALOG) {
            catalog.register_schema(SCHEMA, tables)?;
        }
        Ok(())
    }
}

/// One reader's view of a snapshot.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    snapshot: Snapshot,
    memory_bytes: usize,
}

impl Session {
    /// A query in SQL. It sees every table, and can change nothing: no `CREATE`, `INSERT`, `COPY` or `SET`.
    ///
    /// # Errors
    /// [`Error::Query`] if it is wrong, [`Error::ReadOnly`] if it would change something.
    pub async fn sql(&self, query: &str) -> Result<DataFrame> {
        let state = self.context.state();
        let plan = state.create_logical_plan(query).await.map_err(|error| self.explain(error))?;
        Self::check_read_only(&plan)?;
        Ok(DataFrame::new(state, plan))
    }

    /// Refuses a plan that would change something.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    pub fn check_read_only(plan: &LogicalPlan) -> Result<()> {
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        options.verify_plan(plan).map_err(|error| match Error::from(error) {
            Error::Query { message, .. } => Error::ReadOnly(message),
            other => other,
        })
    }

    /// Every row of a table.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be opened.
    pub async fn table(&self, table: Table) -> Result<DataFrame> {
        self.context.table(table.name()).await.map_err(|error| self.explain(error))
    }

    /// What it reads.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The query engine's own handle, for plans that are built rather than written, and for views of this session.
    /// SQL through it is not checked for being read-only.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// An error of a running query, in words for the person who wrote it.
    pub fn explain(&self, error: datafusion::error::DataFusionError) -> Error {
        match Error::from(error) {
            Error::Memory { message, .. } => Error::Memory { limit_mib: Some(self.memory_bytes >> 20), message },
            other => other,
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

/// Plans queries with the nodes of the extensions.
#[derive(Debug)]
struct NodePlanner(Extensions);

impl Plan for NodePlanner {
    fn plan<'a>(&'a self, query: &'a LogicalPlan, session: &'a dyn PlanSession) -> Planned<'a> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(self.0.planners.clone());
        async move { planner.create_physical_plan(query, session).await }.boxed()
    }
}
