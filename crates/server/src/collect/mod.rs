//! The collector of a workspace: requests to the log, the log to the tables, the tables to journeys; and what looks after it.
//!
//! | file in `collect/` of the workspace | what it is |
//! |---|---|
//! | `lock`, `NNNNNN.log`, `published/`, `salts` | the log ([`safar_collect::log`]) |
//! | `status.json` | what the running collector says of itself, for [`doctor`] |
//!
//! Serving and publishing run on different threads: whoever is served never waits for a table that is being written.
mod build;
pub mod doctor;
mod drop_folder;
mod kept;
#[cfg(test)]
mod killed;
mod origin;
mod publish;
mod replay;
mod retain;
mod settle;
mod status;
mod tables;

pub use kept::{Rederived, replay_kept};
pub use publish::Published;
pub use replay::{Replayed, replay};
pub use safar_collect::{OPENAPI, signed_link};
pub use settle::settle;
pub use status::Status;

use safar_collect::{drain::drain, http::Collector};
use safar_ingest::ImportReport;
use safar_pipeline::{BuildReport, Workspace, privacy::Retention};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tables::Tables;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
};

/// Why a collector cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Its log or its settings.
    #[error(transparent)]
    Collector(#[from] safar_collect::http::CollectError),
    /// The workspace.
    #[error(transparent)]
    Pipeline(#[from] safar_pipeline::Error),
    /// The tables.
    #[error(transparent)]
    Store(#[from] safar_store::Error),
    /// Events.
    #[error(transparent)]
    Ingest(#[from] safar_ingest::Error),
    /// A segment of the log.
    #[error(transparent)]
    Log(#[from] safar_collect::log::LogError),
    /// A query.
    #[error(transparent)]
    DataFusion(#[from] datafusion::error::DataFusionError),
    /// Columns of unexpected shape.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// The query engine.
    #[error(transparent)]
    Engine(#[from] safar_engine::Error),
    /// The operating system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file, or what was tried.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Requests wait in the log that could not be published.
    #[error(
        "collected requests wait in the log and did not get to the tables: `safar doctor` says why; then try again"
    )]
    Waiting,
    /// The thread that writes the tables is gone.
    #[error("publishing stopped for a mistake of Safar's own; what was collected is safe in the log: start again")]
    Stopped,
}

/// What happens while a collector runs.
#[derive(Debug)]
pub enum News {
    /// Events are in the tables.
    Published(Published),
    /// Journeys were built.
    Built(BuildReport),
    /// What lay in the drop folder is imported.
    Dropped {
        /// Its name.
        name: String,
        /// What came of it.
        report: Box<ImportReport>,
    },
    /// Something in the drop folder was not imported. Where it is, and why.
    DropFailed(String),
    /// Another process writes the tables; publishing goes on when it is done.
    Waiting,
    /// What was too old was removed.
    Retained(Retention),
    /// It could not be removed; that is tried again the next day. Why.
    RetainFailed(String),
    /// Building failed; it is tried again after the next events. Why.
    BuildFailed(String),
    /// Settings in `safar.toml` cannot be used, those before stay in force. Why.
    Settings(String),
}

/// Who hears the news.
pub type Tell = Arc<dyn Fn(News) + Send + Sync>;

/// Where a workspace's collector keeps its log.
#[must_use]
pub fn folder(workspace: &Workspace) -> PathBuf {
    folder_of(workspace.root())
}

fn folder_of(root: &Path) -> PathBuf {
    root.join("collect")
}

/// Opens the collector of a workspace.
///
/// # Errors
/// When another process runs it, when its settings contradict themselves, or when the disk says no.
pub fn open(workspace: &Workspace) -> Result<Collector, CollectError> {
    Ok(Collector::open(&folder(workspace), workspace.settings().collect.clone())?)
}

/// Runs the collector of a workspace until `stop` is done. Then no more is accepted, and what was is published; what cannot
/// be published stays in the log for the next time.
///
/// # Errors
/// When the threads that publish cannot be started, or end before their time.
pub async fn serve(
    workspace: Workspace,
    collector: Collector,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    tell: Tell,
) -> Result<(), CollectError> {
    let starting = |source| CollectError::Io { path: "starting the threads that publish".to_owned(), source };
    let listening = listener.local_addr().map_err(starting)?;
    let (stopping, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("safar-tables").enable_all().build();
    let runtime = runtime.map_err(starting)?;
    let tables = Tables::new(workspace, &collector, listening, stopped.clone(), tell);
    let (publishing, building) = (collector.clone(), tables.stop.clone());
    let (alive, ended) = oneshot::channel::<()>();
    // A thread of its own, because a runtime may not be dropped within another one.
    let thread = std::thread::Builder::new().name("safar-publish".to_owned()).spawn(move || {
        let _alive = alive;
        runtime.block_on(async {
            let mut ended = stopped.clone();
            let stop = async move { _ = ended.wait_for(|stopping| *stopping).await };
            tokio::join!(
                drain(publishing, publish::Publisher::new(Arc::clone(&tables)), stop),
                build::keep_building(&tables, stopped.clone()),
                retain::keep_retaining(&tables, stopped.clone()),
                drop_folder::keep_taking(&tables, stopped.clone()),
                status::keep_telling(&tables, stopped.clone()),
            );
            tables.tell_status(true);
        });
    });
    let thread = thread.map_err(starting)?;
    let stop = async {
        tokio::select! {
            () = stop => {}
            _ = ended => {} // nothing is collected that nobody publishes
        }
    };
    safar_collect::http::serve(collector, listener, stop).await;
    stopping.send_replace(true);
    building.stop();
    let ended = tokio::task::spawn_blocking(move || thread.join()).await;
    if matches!(ended, Ok(Ok(()))) { Ok(()) } else { Err(CollectError::Stopped) }
}
