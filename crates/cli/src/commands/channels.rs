//! `safar channels`
use super::{scope, show};
use crate::{args::Channels, output::Format, printer::Printer};
use anyhow::Result;
use arrow::array::Array;
use safar_attribution::uncertainty::Bootstrap;
use safar_pipeline::{
    Workspace,
    report::{self, Answer},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Channels, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let settings = Bootstrap { replicates: args.resamples, seed: args.seed, level: args.level };
    let intervals = args.intervals.then_some(settings);
    let answer = report::channels(&workspace, &session, &scope(&args.scope)?, &args.model, intervals).await?;
    let answer = if args.format == Format::Table { without_empty(answer)? } else { answer };
    show(printer, &answer, args.format, None, 0)?;
    if args.intervals {
        printer.say(format!(
            "intervals: {} % of {} resamples of people, seed {}; costs are taken as known",
            args.level * 100.0,
            args.resamples,
            args.seed
        ));
    }
    Ok(())
}

/// For the eye, columns of costs and returns are left out where no channel has any.
fn without_empty(answer: Answer) -> Result<Answer> {
    let schema = answer.rows.schema();
    let of_costs = |name: &str| ["cost", "cpa ", "roas "].iter().any(|word| name.starts_with(word));
    let is_shown = |at: &usize| {
        !of_costs(schema.field(*at).name()) || answer.rows.column(*at).null_count() < answer.rows.num_rows()
    };
    let shown: Vec<usize> = (0..answer.rows.num_columns()).filter(is_shown).collect();
    Ok(Answer { rows: answer.rows.project(&shown)?, ..answer })
}
