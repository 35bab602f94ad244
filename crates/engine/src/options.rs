//! What an engine is made of: its limits, and what others teach it.
use crate::{
    error::{Error, Result},
    exact_sum::exact_sum,
};
use datafusion::{
    execution::{
        FunctionRegistry, SessionState,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::{FairSpillPool, TrackConsumersPool},
        object_store::ObjectStoreUrl,
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    logical_expr::{AggregateUDF, ScalarUDF},
    physical_planner::ExtensionPlanner,
    prelude::SessionConfig,
};
use datafusion_proto::physical_plan::PhysicalExtensionCodec;
use safar_store::LocalFiles;
use std::{
    fmt,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How much of the machine queries may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// How many parts of a query run at once.
    pub threads: usize,
    /// Memory of all queries together, in bytes; sorts, joins and aggregates spill beyond it.
    pub memory_bytes: usize,
    /// Where they spill to; the system's folder for temporary files where it cannot be written.
    pub spill_dir: PathBuf,
}

impl Default for EngineOptions {
    /// Every core, 1 GiB, the system's folder for temporary files.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: 1 << 30,
            spill_dir: std::env::temp_dir(),
        }
    }
}

impl EngineOptions {
    /// The memory and disk that queries share. Where the folder to spill to cannot be written, as in a workspace on a medium that
    /// is read only, the system's folder for temporary files takes its place.
    pub(crate) fn runtime(&self) -> Result<Arc<RuntimeEnv>> {
        let runtime = match self.runtime_over(&self.spill_dir) {
            Err(error) => self.runtime_over(&std::env::temp_dir()).map_err(|_| error)?,
            Ok(runtime) => runtime,
        };
        let files = ObjectStoreUrl::local_filesystem();
        runtime.register_object_store(files.as_ref(), Arc::new(LocalFiles::default()));
        Ok(runtime)
    }

    fn runtime_over(&self, spill_dir: &Path) -> Result<Arc<RuntimeEnv>> {
        let folder = spill_dir.display();
        std::fs::create_dir_all(spill_dir).map_err(|error| Error::Setup {
            action: format!("make the folder {folder} to spill to"),
            source: error.into(),
        })?;
        let shown = NonZeroUsize::MIN.saturating_add(2);
        let pool = TrackConsumersPool::new(FairSpillPool::new(self.memory_bytes), shown);
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill_dir.to_owned()]));
        let runtime =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).with_disk_manager_builder(disk).build_arc();
        runtime.map_err(|error| Error::Setup { action: format!("spill to {folder}"), source: error.into() })
    }

    /// How queries are planned.
    pub(crate) fn config(&self) -> SessionConfig {
        let mut config = SessionConfig::new()
            .with_target_partitions(self.threads.max(1))
            .with_information_schema(true)
            .with_create_default_catalog_and_schema(false)
            .with_default_catalog_and_schema(crate::tables::CATALOG, crate::tables::SCHEMA);
        // Sorted runs that overlap are merged rather than sorted again.
        config.options_mut().optimizer.prefer_existing_sort = true;
        config
    }
}

/// What other crates teach the engine: functions, plan nodes, and how these travel to workers.
///
/// The coordinator and every worker must be given the same.
#[derive(Clone, Default)]
pub struct Extensions {
    /// Functions of a row.
    pub scalar: Vec<Arc<ScalarUDF>>,
    /// Functions of a group of rows.
    pub aggregate: Vec<Arc<AggregateUDF>>,
    /// Planners of logical extension nodes.
    pub planners: Vec<Arc<dyn ExtensionPlanner + Send + Sync>>,
    /// How the operators that those planners make are sent to workers.
    pub codec: Option<Arc<dyn PhysicalExtensionCodec>>,
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions")
            .field("scalar", &self.scalar.iter().map(|function| function.name()).collect::<Vec<_>>())
            .field("aggregate", &self.aggregate.iter().map(|function| function.name()).collect::<Vec<_>>())
            .field("planners", &self.planners.len())
            .field("codec", &self.codec)
            .finish()
    }
}

impl Extensions {
    /// Makes the functions known by their names, and those of the engine itself.
    pub(crate) fn register(&self, state: &mut SessionState) -> Result<(), datafusion::error::DataFusionError> {
        state.register_udaf(Arc::new(exact_sum()))?;
        for function in &self.scalar {
            state.register_udf(Arc::clone(function))?;
        }
        for function in &self.aggregate {
            state.register_udaf(Arc::clone(function))?;
        }
        Ok(())
    }
}
