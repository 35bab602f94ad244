//! One file a command: arguments in, one call into the house, a printed result.
pub mod attribute;
pub mod audit;
pub mod backtest;
pub mod build;
pub mod channels;
pub mod collect;
pub mod compare;
pub mod doctor;
pub mod erase;
pub mod experiment;
pub mod explain;
pub mod explore;
pub mod export;
pub mod flow;
pub mod funnel;
pub mod import;
pub mod init;
pub mod obstacles;
pub mod overview;
pub mod paths;
pub mod people;
pub mod person;
pub mod quality;
pub mod reference;
pub mod retain;
pub mod retention;
pub mod serve;
pub mod sessions;
pub mod simulate;
pub mod sql;
pub mod validate;

use crate::{
    args::{Labels, ModelChoice, ScopeArgs, Selection, Who},
    output::{Format, render, with_bars},
    printer::Printer,
};
use anyhow::{Context, Error, Result};
use arrow::array::{ArrayRef, RecordBatch};
use jiff::civil::Date;
use safar_attribution::ModelSpec;
use safar_pipeline::{
    privacy::Target,
    report::{Answer, Dimension, PathQuery, Scope},
};
use safar_store::{Store, WriteLock};
use std::time::{Duration, Instant};

/// A running collector writes for a moment at a time; so long it is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The right to write, as soon as nobody else has it.
async fn lock(store: &Store) -> Result<WriteLock> {
    let until = Instant::now() + PATIENCE;
    loop {
        match store.lock() {
            Err(error) if error.is_locked() && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return Ok(other?),
        }
    }
}

/// Who is meant by `safar erase` and `safar export`.
fn targets(who: &Who) -> Result<Vec<Target>> {
    let email = |value: &String| Target::Identifier { namespace: "email".to_owned(), value: value.clone() };
    let ids = who.id.iter().map(|text| Target::identifier(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(who.person.iter().copied().map(Target::Person).chain(who.email.iter().map(email)).chain(ids).collect())
}

/// A day as people write it.
fn day(text: Option<&str>) -> Result<Option<Date>> {
    text.map(|text| text.parse::<Date>().with_context(|| format!("`{text}` is no day; write YYYY-MM-DD"))).transpose()
}

fn query(selection: &Selection) -> Result<PathQuery> {
    Ok(PathQuery {
        goal: selection.goal.clone(),
        from: day(selection.from.as_deref())?,
        to: day(selection.to.as_deref())?,
        condition: selection.condition.clone(),
    })
}

/// What gets the credit.
fn dimension(labels: &Labels) -> Result<Dimension> {
    let by = labels.by.parse::<Dimension>();
    by.and_then(|by| labels.within.iter().try_fold(by, |by, condition| by.within(condition))).map_err(Error::msg)
}

/// The models asked for; empty stands for every model. Without any, `otherwise`.
fn models(choices: &[ModelChoice], otherwise: &[ModelSpec]) -> Vec<ModelSpec> {
    if choices.is_empty() {
        return otherwise.to_vec();
    }
    let one = |choice: &ModelChoice| match choice {
        ModelChoice::All => None,
        ModelChoice::One(model) => Some(model.clone()),
    };
    choices.iter().map(one).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Columns by name to a batch.
fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn scope(args: &ScopeArgs) -> Result<Scope> {
    Ok(Scope {
        goal: args.goal.clone(),
        from: day(args.from.as_deref())?,
        to: day(args.to.as_deref())?,
        people: args.people.clone(),
        only: None,
    })
}

/// Prints the rows of a report (at most `limit` of them; 0: all) and says its notes. In a table, the numbers of `bars` are
/// drawn beside.
fn show<N: ToString>(
    printer: Printer,
    answer: &Answer<N>,
    format: Format,
    bars: Option<&str>,
    limit: usize,
) -> Result<()> {
    let count = answer.rows.num_rows();
    let shown = if limit == 0 { count } else { limit.min(count) };
    let rows = answer.rows.slice(0, shown);
    let rows = if format == Format::Table { with_bars(&rows, bars)? } else { rows };
    printer.result(&render(&rows.schema(), &[rows], format)?)?;
    if shown < count {
        printer.say(format!("{shown} of {count} rows are shown; --limit 0 shows all"));
    }
    for note in &answer.notes {
        printer.say(note.to_string());
    }
    Ok(())
}
