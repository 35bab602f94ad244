//! `safar export`
use super::targets;
use crate::{args::Export, printer::Printer};
use anyhow::{Context, Result, bail};
use safar_pipeline::{
    Workspace, build,
    privacy::{Act, Audit, Exported, export},
};
use safar_server::collect::settle;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

pub async fn run(folder: &Path, args: &Export, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let targets = targets(&args.who)?;
    // So that what came today is in it.
    settle(&workspace).await?;
    drop(super::lock(workspace.store()).await?);
    build(&workspace, false, &|step| printer.detail(step)).await?;
    let found = export(&workspace, &targets).await?;
    write(&found, &args.out)?;
    let rows: Map<String, Value> =
        found.parts.iter().map(|(name, rows)| ((*name).to_owned(), rows.len().into())).collect();
    Audit::of(&workspace).add(&Audit::os_user(), Act::Export, json!({ "rows": rows }))?;
    printer.say(&found.summary);
    printer.say(format!("written to {}", args.out.display()));
    Ok(())
}

fn write(found: &Exported, out: &Path) -> Result<()> {
    let to = |path: &Path, bytes: Vec<u8>| fs::write(path, bytes).with_context(|| path.display().to_string());
    if out.extension().is_some_and(|ending| ending == "json") {
        if out.exists() {
            bail!("{} is there already; choose another file", out.display());
        }
        return to(out, serde_json::to_vec_pretty(&found.to_json())?);
    }
    if out.exists() {
        bail!("{} is there already; choose another folder", out.display());
    }
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    for (name, rows) in &found.parts {
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        to(&out.join(format!("{name}.ndjson")), lines.into_bytes())?;
    }
    to(&out.join("summary.md"), found.summary.clone().into_bytes())
}
