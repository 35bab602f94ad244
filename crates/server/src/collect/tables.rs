//! What publishing and building share: the workspace as its settings are now, and whose turn it is to write.
use super::{
    News, Tell,
    status::{Built, Status},
};
use safar_collect::http::Collector;
use safar_pipeline::{SETTINGS_FILE, Stop, Workspace};
use safar_store::WriteLock;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::{Notify, watch};

/// Between two tries to take the lock.
const AGAIN: Duration = Duration::from_millis(100);
/// So long another writer may write before somebody hears of it.
const PATIENCE: Duration = Duration::from_secs(2);
/// So long a writer is waited for when the collector stops; what is in the log stays there.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// The tables of a workspace, and who writes them.
pub(super) struct Tables {
    pub tell: Tell,
    pub collector: Collector,
    /// One of publishing and building at a time.
    pub turn: tokio::sync::Mutex<()>,
    /// Events came that journeys were not built from.
    pub fresh: Notify,
    pub status: Mutex<Status>,
    /// Ends a build that fits a model when the collector stops.
    pub stop: Stop,
    workspace: Mutex<(Workspace, Option<SystemTime>)>,
    stopping: watch::Receiver<bool>,
}

impl Tables {
    pub fn new(
        workspace: Workspace,
        collector: &Collector,
        listening: SocketAddr,
        stopping: watch::Receiver<bool>,
        tell: Tell,
    ) -> Arc<Self> {
        let status = Status::begin(listening, collector.settings());
        let changed = changed(&workspace);
        Arc::new(Self {
            tell,
            collector: collector.clone(),
            turn: tokio::sync::Mutex::default(),
            fresh: Notify::new(),
            status: Mutex::new(status),
            stop: Stop::default(),
            workspace: Mutex::new((workspace, changed)),
            stopping,
        })
    }

    /// The workspace, with the settings that `safar.toml` holds by now. Those of `[collect]` stay as they were at the start.
    pub async fn workspace(&self) -> Workspace {
        let (workspace, read) = self.workspace.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = changed(&workspace);
        if now == read {
            return workspace;
        }
        let fresh = match Workspace::open(workspace.root()).await {
            Ok(fresh) => fresh,
            Err(error) => {
                (self.tell)(News::Settings(error.to_string()));
                workspace
            }
        };
        *self.workspace.lock().unwrap_or_else(PoisonError::into_inner) = (fresh.clone(), now);
        fresh
    }

    /// The right to write, as soon as nobody else has it.
    pub async fn lock(&self, workspace: &Workspace) -> Result<WriteLock, safar_store::Error> {
        let (began, mut told, mut stopped) = (Instant::now(), false, None);
        loop {
            match workspace.store().lock() {
                Err(error) if error.is_locked() => {
                    if *self.stopping.borrow() && stopped.get_or_insert_with(Instant::now).elapsed() >= LAST_PATIENCE {
                        return Err(error);
                    }
                }
                other => return other,
            }
            if !told && began.elapsed() >= PATIENCE {
                told = true;
                (self.tell)(News::Waiting);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Notes how the last build went.
    pub fn built(&self, built: Built) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).built = Some(built);
    }

    /// Writes the status. It is for looking at: where that fails, the collector goes on. Once it stopped, nobody needs to know who
    /// was turned away.
    pub fn tell_status(&self, stopped: bool) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !stopped {
            status.noticed = self.collector.noticed();
        }
        status.log_bytes = self.collector.log().size();
        status.stopped = stopped;
        let root = self.workspace.lock().unwrap_or_else(PoisonError::into_inner).0.root().to_owned();
        if let Err(error) = status.write(&super::folder_of(&root)) {
            tracing::warn!(%error, "the status of the collector cannot be written");
        }
    }
}

/// When the settings were written last.
fn changed(workspace: &Workspace) -> Option<SystemTime> {
    std::fs::metadata(workspace.root().join(SETTINGS_FILE)).and_then(|about| about.modified()).ok()
}
