//! `safar channels`
use super::{scope, show};
use crate::{args::Channels, printer::Printer};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &Channels, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let answer = report::channels(&workspace, &session, &scope(&args.scope)?, &args.model).await?;
    show(printer, &answer, args.format, None, 0)
}
