//! `safar compare`
use super::{funnel::funnel_of, scope, show};
use crate::{args::Compare, printer::Printer};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self, Segments},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Compare, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let segments = Segments { a: args.a.clone(), b: args.b.clone(), level: args.level };
    if args.flow {
        let answer = report::compare_transitions(&workspace, &session, &scope(&args.scope)?, &segments).await?;
        return show(printer, &answer, args.format, None, args.limit);
    }
    let answer = if args.steps.steps.is_empty() {
        report::compare(&workspace, &session, &scope(&args.scope)?, &segments).await?
    } else {
        let query = funnel_of(&args.steps, &args.scope)?;
        report::compare_funnels(&workspace, &session, &query, &segments).await?
    };
    show(printer, &answer, args.format, None, 0)
}
