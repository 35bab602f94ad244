//! `safar channels`
use super::{dimension, scope, show};
use crate::{args::Channels, output::Format, printer::Printer};
use anyhow::Result;
use arrow::array::Array;
use safar_pipeline::{
    Workspace,
    report::{self, Answer},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Channels, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let intervals = args.intervals.bootstrap();
    let by = dimension(&args.labels)?;
    let answer = report::channels(&workspace, &session, &scope(&args.scope)?, &by, &args.model, intervals).await?;
    let answer = if args.format == Format::Table { without_empty(answer)? } else { answer };
    show(printer, &answer, args.format, None, 0)?;
    if let Some(note) = args.intervals.note() {
        printer.say(format!("{note}; costs are taken as known"));
    }
    Ok(())
}

/// For the eye, columns of costs and returns are left out where no channel has any.
fn without_empty(answer: Answer) -> Result<Answer> {
    let schema = answer.rows.schema();
    let of_costs =
        |name: &str| ["impressions", "clicks", "cost", "cpa ", "roas "].iter().any(|word| name.starts_with(word));
    let is_shown = |at: &usize| {
        !of_costs(schema.field(*at).name()) || answer.rows.column(*at).null_count() < answer.rows.num_rows()
    };
    let shown: Vec<usize> = (0..answer.rows.num_columns()).filter(is_shown).collect();
    Ok(Answer { rows: answer.rows.project(&shown)?, ..answer })
}
