//! `safar quality`
use super::{scope, show};
use crate::{
    args::{Quality, QualityShown},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &Quality, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let (answer, bars) = match args.show {
        QualityShown::Checks => (report::quality(&workspace, &session).await?, None),
        QualityShown::Sources => (report::sources(&workspace, &session, &scope(&args.scope)?).await?, Some("events")),
        QualityShown::Rejects => (report::rejects(&session).await?, None),
        QualityShown::Reasons => (report::reject_reasons(&session).await?, Some("rows")),
    };
    show(printer, &answer, args.format, bars, 0)
}
