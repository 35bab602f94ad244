//! `safar obstacles`
use super::{scope, show};
use crate::{args::Obstacles, printer::Printer};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &Obstacles, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let (session, scope) = (report::session(&workspace).await?, scope(&args.scope)?);
    let answer = report::obstacles(&workspace, &session, &scope, args.by, args.settle_days).await?;
    show(printer, &answer, args.format, Some("conversions_at_stake"), args.limit)
}
