//! `safar sql`
use crate::{args::Sql, output::render, printer::Printer};
use anyhow::Result;
use arrow::datatypes::SchemaRef;
use safar_pipeline::{
    Workspace,
    privacy::{Act, Audit},
    report,
};
use serde_json::json;
use std::{io::Read, path::Path};

pub async fn run(folder: &Path, args: &Sql, printer: Printer) -> Result<()> {
    let mut query = args.query.clone();
    if query == "-" {
        query.clear();
        std::io::stdin().read_to_string(&mut query)?;
    }
    let workspace = Workspace::open(folder).await?;
    let session = report::sql_session(&workspace).await?;
    let frame = session.sql(&query).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    let rows: usize = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
    // Who may only read the workspace can ask all the same.
    let noted = Audit::of(&workspace).add(&Audit::os_user(), Act::Download, json!({ "what": "sql", "rows": rows }));
    if let Err(error) = noted {
        printer.warn(format!("the audit log does not tell of this question: {error}"));
    }
    printer.result(&render(&schema, &batches, args.format)?)?;
    Ok(())
}
