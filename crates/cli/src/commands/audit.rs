//! `safar audit`
use super::batch;
use crate::{args::AuditArgs, output::render, printer::Printer};
use anyhow::Result;
use arrow::array::{ArrayRef, StringArray};
use safar_pipeline::{
    Workspace,
    privacy::{Audit, Entry},
};
use serde_json::Value;
use std::{path::Path, sync::Arc};

pub async fn run(folder: &Path, args: &AuditArgs, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let entries = Audit::of(&workspace).read()?;
    let texts =
        |of: &dyn Fn(&Entry) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(entries.iter().map(of))) };
    let act = |entry: &Entry| match serde_json::to_value(entry.act) {
        Ok(Value::String(act)) => act,
        _ => String::new(),
    };
    let rows = batch(vec![
        ("at", texts(&|entry| entry.at.clone())),
        ("who", texts(&|entry| entry.who.clone())),
        ("act", texts(&act)),
        ("detail", texts(&|entry| Value::Object(entry.detail.clone()).to_string())),
    ])?;
    Ok(printer.result(&render(&rows.schema(), &[rows], args.format)?)?)
}
