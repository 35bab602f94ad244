//! `safar collect`
use crate::{args::Collect, output::number, printer::Printer};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    privacy::{Act, Audit},
};
use safar_server::collect::{OPENAPI, replay};
use serde_json::json;
use std::path::Path;

pub async fn run(folder: &Path, args: &Collect, printer: Printer) -> Result<()> {
    match args {
        Collect::Openapi => Ok(printer.result(OPENAPI.as_bytes())?),
        Collect::Replay => again(folder, printer).await,
    }
}

async fn again(folder: &Path, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let lock = super::lock(workspace.store()).await?;
    let done = replay(&workspace, &lock).await?;
    let detail = json!({ "letters": done.letters, "stored": done.stored });
    Audit::of(&workspace).add(&Audit::os_user(), Act::Replay, detail)?;
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
