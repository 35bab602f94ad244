//! Journeys follow the events: built again at most every so many seconds.
use super::{
    News,
    status::{Built, now},
    tables::Tables,
};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Builds until the collector stops. The first build takes in what an earlier run left.
pub(super) async fn keep_building(tables: &Tables, mut stopping: watch::Receiver<bool>) {
    let every = Duration::from_secs(tables.collector.settings().build_seconds.into());
    if every.is_zero() {
        return;
    }
    let building = async {
        loop {
            build(tables).await;
            tokio::time::sleep(every).await;
            tables.fresh.notified().await;
        }
    };
    // A build that is cut off leaves what was published before it.
    tokio::select! {
        () = building => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

async fn build(tables: &Tables) {
    let _turn = tables.turn.lock().await;
    let (workspace, began) = (tables.workspace().await.until(tables.stop.clone()), Instant::now());
    let built = match waiting(tables, &workspace).await {
        Ok(report) => {
            let built = Built { at: now(), seconds: began.elapsed().as_secs_f64(), problem: None };
            (tables.tell)(News::Built(report));
            built
        }
        // The next start builds again.
        Err(safar_pipeline::Error::Attribution(safar_attribution::Error::Stopped)) => return,
        Err(error) => {
            let problem = error.to_string();
            (tables.tell)(News::BuildFailed(problem.clone()));
            tables.fresh.notify_one(); // the events still wait
            Built { at: now(), seconds: began.elapsed().as_secs_f64(), problem: Some(problem) }
        }
    };
    tables.built(built);
}

/// A build, once nobody else writes. The lock that was waited for is given back, because a build takes it itself; whoever
/// takes it in between is waited for again.
async fn waiting(
    tables: &Tables,
    workspace: &safar_pipeline::Workspace,
) -> Result<safar_pipeline::BuildReport, safar_pipeline::Error> {
    loop {
        drop(tables.lock(workspace).await?);
        match safar_pipeline::build(workspace, false, &|_| {}).await {
            Err(safar_pipeline::Error::Store(error)) if error.is_locked() && !tables.is_stopping() => {}
            other => return other,
        }
    }
}
