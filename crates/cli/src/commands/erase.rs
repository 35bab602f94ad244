//! `safar erase`
use super::{PATIENCE, targets};
use crate::{args::Erase, output::number, printer::Printer};
use anyhow::{Result, bail};
use safar_pipeline::{
    Error, Workspace,
    privacy::{Act, Audit, Erasure, Target, erase},
};
use safar_server::collect::settle;
use serde_json::json;
use std::{
    io::{self, IsTerminal},
    path::Path,
    time::{Duration, Instant},
};

pub async fn run(folder: &Path, args: &Erase, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let targets = targets(&args.who)?;
    if args.dry_run {
        tell(&patiently(&workspace, &targets, true, printer).await?, printer, "would go");
        return Ok(());
    }
    if !args.yes {
        if !io::stdin().is_terminal() {
            bail!("erasing cannot be undone: add --yes, or look first with --dry-run");
        }
        tell(&patiently(&workspace, &targets, true, printer).await?, printer, "will go");
        printer.warn("this cannot be undone; type `erase` to go on");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if answer.trim() != "erase" {
            bail!("nothing was erased");
        }
    }
    let audit = Audit::of(&workspace);
    let result = async {
        settle(&workspace).await?;
        Ok::<_, anyhow::Error>(patiently(&workspace, &targets, false, printer).await?)
    };
    match result.await {
        Ok(done) => {
            audit.add(&Audit::os_user(), Act::Erase, serde_json::to_value(&done)?)?;
            tell(&done, printer, "are gone");
            printer
                .say("backups, copies and exported files are not in reach: docs/privacy.md says what to do about them");
            Ok(())
        }
        Err(error) => {
            audit.add(&Audit::os_user(), Act::Erase, json!({"failed": true}))?;
            Err(error.context("not everything was erased; run it again"))
        }
    }
}

/// Erases as soon as nobody else writes.
async fn patiently(workspace: &Workspace, targets: &[Target], dry: bool, printer: Printer) -> Result<Erasure, Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        match erase(workspace, targets, dry, &|step| printer.detail(step)).await {
            Err(Error::Store(error)) if error.is_locked() && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other,
        }
    }
}

fn tell(done: &Erasure, printer: Printer, word: &str) {
    let count = |rows: u64| number(rows as f64, 0);
    if done.is_nothing() {
        printer.say("nothing was found of them");
    } else {
        printer.say(format!(
            "{} people with {} identifiers; of theirs {word}:",
            count(done.people),
            count(done.identifiers)
        ));
        for (table, rows) in done.rows.iter().filter(|(_, rows)| **rows > 0) {
            printer.say(format!("  {table:<16}{:>14} rows", count(*rows)));
        }
        for (rows, what) in [
            (done.reject_file_rows, "rows of reject files"),
            (done.requests, "requests that the collector keeps"),
            (done.file_rows, "rows of files that were brought"),
            (done.whole_files, "files that were brought, whole"),
            (done.mentions, "mentions in rows of others"),
            (done.old_files, "files of earlier versions"),
        ] {
            if rows > 0 {
                printer.say(format!("  {:>30} {what}", count(rows)));
            }
        }
    }
    for note in &done.notes {
        printer.warn(note);
    }
}
