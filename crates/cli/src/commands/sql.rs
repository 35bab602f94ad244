//! `safar sql`
use crate::{args::Sql, output::render, printer::Printer};
use anyhow::Result;
use arrow::datatypes::SchemaRef;
use safar_pipeline::Workspace;
use std::{io::Read, path::Path};

pub async fn run(folder: &Path, args: &Sql, printer: Printer) -> Result<()> {
    let mut query = args.query.clone();
    if query == "-" {
        query.clear();
        std::io::stdin().read_to_string(&mut query)?;
    }
    let workspace = Workspace::open(folder).await?;
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    let frame = session.sql(&query).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    printer.result(&render(&schema, &batches, args.format)?)?;
    Ok(())
}
