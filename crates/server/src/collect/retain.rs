//! What is older than the limits of `[privacy]` goes every day.
use super::{News, tables::Tables};
use safar_pipeline::privacy::{Act, Audit, Retention, retain};
use std::time::Duration;
use tokio::sync::watch;

/// So long after the start comes the first run, when the build after the start is over most often.
const FIRST: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Removes what is too old until the collector stops.
pub(super) async fn keep_retaining(tables: &Tables, mut stopping: watch::Receiver<bool>) {
    let retaining = async {
        tokio::time::sleep(FIRST).await;
        loop {
            match once(tables).await {
                Ok(done) if done.is_nothing() => {}
                Ok(done) => (tables.tell)(News::Retained(done)),
                Err(error) => (tables.tell)(News::RetainFailed(error.to_string())),
            }
            tokio::time::sleep(DAY).await;
        }
    };
    // What is cut off is done on another day.
    tokio::select! {
        () = retaining => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

async fn once(tables: &Tables) -> Result<Retention, safar_pipeline::Error> {
    let _turn = tables.turn.lock().await;
    let workspace = tables.workspace().await;
    drop(tables.lock(&workspace).await?);
    let done = retain(&workspace, jiff::Timestamp::now(), false, &|_| {}).await?;
    if !done.is_nothing() {
        let detail = serde_json::to_value(&done).unwrap_or_default(); // numbers by name always serialise
        Audit::of(&workspace).add("serve", Act::Retain, detail)?;
    }
    Ok(done)
}
