//! `safar explore`
use super::{scope, show};
use crate::{args::Explore, printer::Printer};
use anyhow::{Result, bail};
use safar_pipeline::{
    Workspace,
    report::{self, Direction, ExplorerQuery},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Explore, printer: Printer) -> Result<()> {
    let direction = match (&args.start, &args.end) {
        (Some(step), None) => Direction::From(step.clone()),
        (None, Some(step)) => Direction::Before(step.clone()),
        _ => bail!("name one of --start and --end"),
    };
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let query =
        ExplorerQuery { scope: scope(&args.scope)?, direction, nodes: args.by, depth: args.depth, width: args.width };
    let answer = report::explorer(&workspace, &session, &query).await?;
    show(printer, &answer, args.format, Some("people"), 0)
}
