//! `safar flow`
use super::{query, show};
use crate::{args::Flow, printer::Printer};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &Flow, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let answer = report::transitions(&workspace, &session, &query(&args.selection)?).await?;
    show(printer, &answer, args.format, Some("count"), args.limit)
}
