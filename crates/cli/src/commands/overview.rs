//! `safar overview`
use super::{scope, show};
use crate::{
    args::{Overview, OverviewShown},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{Workspace, report};
use std::path::Path;

pub async fn run(folder: &Path, args: &Overview, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let (session, scope) = (report::session(&workspace).await?, scope(&args.scope)?);
    let (answer, bars) = match args.show {
        OverviewShown::Figures => (report::overview(&workspace, &session, &scope).await?, None),
        OverviewShown::Trend => (report::trend(&workspace, &session, &scope).await?, Some("sessions")),
    };
    show(printer, &answer, args.format, bars, 0)
}
