//! `safar retain`
use crate::{args::Retain, output::number, printer::Printer};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    privacy::{Act, Audit, retain},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Retain, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let privacy = &workspace.settings().privacy;
    let limits = [privacy.keep_events, privacy.keep_requests, privacy.keep_rejects, privacy.keep_dropped];
    if limits.iter().all(Option::is_none) {
        printer.say(
            "safar.toml sets no limit: write keep_events, keep_requests, keep_rejects or keep_dropped under [privacy]",
        );
        return Ok(());
    }
    drop(super::lock(workspace.store()).await?);
    let done = retain(&workspace, jiff::Timestamp::now(), args.dry_run, &|step| printer.detail(step)).await?;
    if done.is_nothing() {
        printer.say("nothing is older than the limits");
        return Ok(());
    }
    if !args.dry_run {
        Audit::of(&workspace).add(&Audit::os_user(), Act::Retain, serde_json::to_value(&done)?)?;
    }
    printer.say(if args.dry_run { "would go:" } else { "are gone:" });
    for (count, what) in [
        (done.events, "events"),
        (done.links, "links between identifiers"),
        (done.rejects, "rejected rows"),
        (done.reject_files, "files of rejects"),
        (done.dropped, "files of the drop folder"),
        (done.request_files, "files of kept requests"),
        (done.old_files, "files of earlier versions"),
    ] {
        if count > 0 {
            printer.say(format!("{:>16} {what}", number(count as f64, 0)));
        }
    }
    Ok(())
}
