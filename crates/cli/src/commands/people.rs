//! `safar people`
use super::{scope, show};
use crate::{args::People, printer::Printer};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &People, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let (session, scope) = (report::session(&workspace).await?, scope(&args.scope)?);
    let answer = report::people(&workspace, &session, &scope, args.search.as_deref(), args.limit).await?;
    show(printer, &answer, args.format, None, 0)
}
