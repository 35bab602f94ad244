//! `safar collect`
use crate::{args::Collect, output::number, printer::Printer};
use anyhow::Result;
use safar_pipeline::Workspace;
use safar_server::collect::{OPENAPI, replay};
use safar_store::{Store, WriteLock};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// A running collector writes for a moment at a time; so long it is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn run(folder: &Path, args: &Collect, printer: Printer) -> Result<()> {
    match args {
        Collect::Openapi => Ok(printer.result(OPENAPI.as_bytes())?),
        Collect::Replay => again(folder, printer).await,
    }
}

async fn again(folder: &Path, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let lock = lock(workspace.store()).await?;
    let done = replay(&workspace, &lock).await?;
    let count = |rows: u64| number(rows as f64, 0);
    printer.say(format!(
        "{} dead letters read again: {} new events, {} already there, {} rejected again by the import",
        count(done.letters),
        count(done.stored),
        count(done.duplicates),
        count(done.rejected)
    ));
    for (reason, letters) in &done.kept {
        printer.say(format!("{} stay in `rejects`: {reason}", count(*letters)));
    }
    Ok(())
}

async fn lock(store: &Store) -> Result<WriteLock> {
    let until = Instant::now() + PATIENCE;
    loop {
        match store.lock() {
            Err(error) if error.is_locked() && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return Ok(other?),
        }
    }
}
