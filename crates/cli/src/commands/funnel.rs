//! `safar funnel`
use super::{scope, show};
use crate::{
    args::{Funnel, ScopeArgs, Steps},
    printer::Printer,
};
use anyhow::{Result, ensure};
use safar_pipeline::{
    Workspace,
    report::{self, FunnelQuery, Nodes},
};
use std::path::Path;

/// The funnel that arguments describe.
pub fn funnel_of(steps: &Steps, of: &ScopeArgs) -> Result<FunnelQuery> {
    ensure!(
        !steps.steps.is_empty(),
        "a funnel needs steps\n  hint: --step page:/cart* --step event:purchase (see `safar funnel --help`)"
    );
    Ok(FunnelQuery {
        scope: scope(of)?,
        steps: steps.steps.clone(),
        exclude: steps.exclude.clone(),
        order: steps.order,
        open: steps.open,
        window_days: steps.window_days,
    })
}

pub async fn run(folder: &Path, args: &Funnel, printer: Printer) -> Result<()> {
    let query = funnel_of(&args.steps, &args.scope)?;
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let (answer, bars) = match args.dropped {
        Some(step) if args.who => (report::dropped_people(&workspace, &session, &query, step).await?, None),
        Some(step) => (report::dropouts(&workspace, &session, &query, step, Nodes::Steps).await?, Some("people")),
        None => (report::funnel(&workspace, &session, &query).await?, Some("people")),
    };
    show(printer, &answer, args.format, bars, 0)
}
