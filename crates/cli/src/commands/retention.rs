//! `safar retention`
use super::{scope, show};
use crate::{args::Retention, printer::Printer};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self, Activity},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Retention, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let (session, scope) = (report::session(&workspace).await?, scope(&args.scope)?);
    let activity = if args.conversions { Activity::Conversion } else { Activity::Touch };
    let answer = report::retention(&workspace, &session, &scope, args.every, activity).await?;
    show(printer, &answer, args.format, Some("share"), 0)
}
