//! Everything that was collected up to now, to the tables: before what is asked of them must be whole.
use super::{CollectError, folder, open, publish::Publisher, tables::Tables};
use safar_collect::{drain::drain, http, log::LogError, log::unpublished};
use safar_pipeline::Workspace;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Between two looks at what a running collector has published.
const AGAIN: Duration = Duration::from_millis(100);
/// So long it may take beyond the age at which a segment is sealed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until everything that lies in the collector's log now is in the tables. Where no collector runs, it is published here.
///
/// # Errors
/// When it cannot be published, or a running collector takes longer than a minute beyond `segment_seconds`.
pub async fn settle(workspace: &Workspace) -> Result<(), CollectError> {
    let folder = folder(workspace);
    let waiting = numbers(&folder)?;
    if waiting.is_empty() {
        return Ok(());
    }
    match open(workspace) {
        Ok(collector) => {
            let (_stopping, stopped) = watch::channel(true);
            let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
            let tables = Tables::new(workspace.clone(), &collector, nowhere, stopped, Arc::new(|_| {}));
            drain(collector, Publisher::new(tables), std::future::ready(())).await;
        }
        Err(CollectError::Collector(http::CollectError::Log(LogError::Locked(_)))) => {
            let age = workspace.settings().collect.log.segment_seconds;
            let until = Instant::now() + Duration::from_secs(age.into()) + PATIENCE;
            while !numbers(&folder)?.is_disjoint(&waiting) && Instant::now() < until {
                tokio::time::sleep(AGAIN).await;
            }
        }
        Err(error) => return Err(error),
    }
    if numbers(&folder)?.is_disjoint(&waiting) { Ok(()) } else { Err(CollectError::Waiting) }
}

fn numbers(folder: &Path) -> Result<BTreeSet<u64>, CollectError> {
    Ok(unpublished(folder)?.into_iter().collect())
}
