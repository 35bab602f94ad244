//! `safar import`
use crate::{
    args::Import,
    output::{Alignment, Format, Grid, number, render},
    printer::Printer,
};
use anyhow::{Context, Result, anyhow};
use indicatif::ProgressBar;
use safar_ingest::{ImportOptions, ImportReport, Preview, Progress, Rules, import, preview};
use safar_pipeline::Workspace;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Files that were not read for the same reason, named on the screen.
const UNREAD_SHOWN: usize = 3;

/// Rows that a dry run shows of each file.
const ROWS_SHOWN: usize = 5;

pub async fn run(folder: &Path, args: &Import, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let settings = workspace.import_settings();
    let enricher = workspace.enricher()?;
    let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
    let options = options(&workspace, args)?;
    if args.dry_run {
        for preview in preview(rules, &args.files, &options, ROWS_SHOWN)? {
            show(&preview, printer)?;
        }
        return Ok(());
    }
    let lock = super::lock(workspace.store()).await?;
    let bar = Bar { printer, bar: Mutex::new((ProgressBar::hidden(), 0)), start: Instant::now() };
    let report = import(workspace.store(), &lock, rules, &args.files, &options, &bar).await?;
    summary(&report, &options, printer);
    Ok(())
}

fn options(workspace: &Workspace, args: &Import) -> Result<ImportOptions> {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3f");
    let rejects = args.rejects.clone().unwrap_or_else(|| workspace.root().join("rejects").join(format!("{stamp}.csv")));
    Ok(ImportOptions {
        columns: pairs(&args.map, "--map FIELD=COLUMN")?,
        constants: pairs(&args.set, "--set FIELD=VALUE")?,
        mapping: args.mapping.clone(),
        format: args.input_format,
        delimiter: args.delimiter,
        encoding: args.encoding,
        zone: args.zone.clone(),
        decimal: args.decimal,
        date_order: args.date_order,
        shape: args.shape.clone(),
        spread_totals: args.spread_totals,
        rejects: Some(rejects),
        ..ImportOptions::default()
    })
}

fn pairs(words: &[String], form: &str) -> Result<Vec<(String, String)>> {
    let pair = |word: &String| {
        let (left, right) = word.split_once('=').ok_or_else(|| anyhow!("`{word}` has no `=`; write {form}"))?;
        Ok((left.trim().to_owned(), right.to_owned()))
    };
    words.iter().map(pair).collect()
}

fn show(preview: &Preview, printer: Printer) -> Result<()> {
    let delimiter = preview.delimiter.map_or(String::new(), |delimiter| format!(", fields between {delimiter:?}"));
    printer.say(format!("{}: {}{delimiter}", preview.name, preview.format));
    if let Some(goal) = &preview.goal {
        printer.say(format!("  holds ready paths, which go to the table paths under the goal `{goal}`"));
        return Ok(());
    }
    if let Some(title) = preview.read_as {
        printer.say(format!("  read as {title}"));
    }
    if preview.costs.num_rows() > 0 {
        printer.result(&render(&preview.costs.schema(), &[preview.costs.clone()], Format::Table)?)?;
    }
    if preview.read_as.is_none() {
        let mut grid =
            Grid::new([("column", Alignment::Left), ("becomes", Alignment::Left), ("because", Alignment::Left)]);
        for column in &preview.columns {
            grid.row(vec![column.column.clone(), column.target.to_string(), column.how.to_string()]);
        }
        printer.say(grid.render());
    }
    preview.notes.iter().for_each(|note| printer.warn(format!("{}: {note}", preview.name)));
    // Columns without any value only take room on the screen.
    let filled: Vec<usize> = (0..preview.events.num_columns())
        .filter(|index| preview.events.column(*index).null_count() < preview.events.num_rows())
        .collect();
    let events = preview.events.project(&filled).context("first rows")?;
    if events.num_rows() > 0 || preview.read_as.is_none() {
        printer.result(&render(&events.schema(), &[events], Format::Table)?)?;
    }
    for reject in &preview.rejects {
        let column = reject.column.as_deref().unwrap_or("the row");
        printer.say(format!(
            "  line {}: {column} {:?}: {}",
            reject.line,
            reject.value.as_deref().unwrap_or(""),
            reject.reason
        ));
    }
    Ok(())
}

fn summary(report: &ImportReport, options: &ImportOptions, printer: Printer) {
    let count = |rows: u64| number(rows as f64, 0);
    for file in &report.files {
        if let Some(title) = file.read_as {
            printer.say(format!("{}: read as {title}", file.name));
            if file.rows == 0 {
                continue; // other tables look it up
            }
        }
        let costs = if file.costs > 0 { format!(", {} costs", count(file.costs)) } else { String::new() };
        let left_out: String =
            file.left_out.iter().map(|(what, rows)| format!(", {} left out ({what})", count(*rows))).collect();
        printer.say(format!(
            "{}: {} rows of {}, {} stored{costs}{left_out}, {} rejected",
            file.name,
            count(file.rows),
            file.format,
            count(file.stored),
            count(file.rejected)
        ));
        file.notes.iter().for_each(|note| printer.warn(format!("{}: {note}", file.name)));
    }
    let skipped = report.skipped.iter().map(|name| (name.as_str(), "empty, or no data file by its name"));
    let aside = report.aside.iter().map(|(name, reason)| (name.as_str(), reason.as_str()));
    let mut unread: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    aside.chain(skipped).for_each(|(name, reason)| unread.entry(reason).or_default().push(name));
    for (reason, names) in unread {
        names.iter().for_each(|name| printer.detail(format!("{name}: not read: {reason}")));
        let more = names.len().saturating_sub(UNREAD_SHOWN);
        let more = if more > 0 { format!(" and {more} more, which --verbose names") } else { String::new() };
        let shown = names.iter().take(UNREAD_SHOWN).copied().collect::<Vec<_>>().join(", ");
        printer.say(format!("not read: {shown}{more}: {reason}"));
    }
    report.unclear.iter().for_each(|why| printer.warn(format!("not read: {why}")));
    if report.files.is_empty() {
        printer.warn("nothing was imported: no file that holds anything has a name that ends in .csv, .tsv, .tab, .txt, .ndjson, .jsonl, .json, .parquet or .pq (or .gz, .zst, .zstd behind it)");
    }
    printer.say(format!(
        "{} rows in {:.1} s ({} a second): {} new events, {} already there, {} rejected; {} identity links",
        count(report.rows),
        report.elapsed.as_secs_f64(),
        number(report.rate(), 0),
        count(report.stored),
        count(report.duplicates),
        count(report.rejected_total()),
        count(report.links)
    ));
    if report.costs > 0 {
        printer.say(format!(
            "{} rows of costs, {} stored by day and campaign, {} replaced what was told before",
            count(report.costs),
            count(report.costs_stored),
            count(report.costs_replaced)
        ));
    }
    if report.paths > 0 {
        let goals: Vec<String> = report.goals.iter().map(|goal| format!("`{goal}`")).collect();
        let of = if goals.len() == 1 { "the goal" } else { "the goals" };
        let goals = goals.join(", ");
        printer.say(format!(
            "{} ready paths of {of} {goals}: what was imported of it before is replaced",
            count(report.paths)
        ));
    }
    if report.erased > 0 {
        printer.say(format!(
            "{} rows are of people who were erased (`safar erase`): they are kept nowhere",
            count(report.erased)
        ));
    }
    if report.identifiers_blocked + report.identifiers_invalid > 0 {
        printer.say(format!(
            "{} identifiers were placeholders such as `null` or `guest`, {} no e-mail address or telephone number: the events are stored without them",
            count(report.identifiers_blocked),
            count(report.identifiers_invalid)
        ));
    }
    if report.rejected_total() > 0 {
        for (reason, rows) in &report.rejected {
            printer.warn(format!("{} rejected: {reason}", count(*rows)));
        }
        if let Some(path) = &options.rejects {
            printer.say(format!("every rejected row is in {} and in the table `rejects`", path.display()));
        }
    }
}

/// The import on the screen: bytes of each file, rows a second.
struct Bar {
    printer: Printer,
    /// The bar, and the rows that all files brought so far.
    bar: Mutex<(ProgressBar, u64)>,
    start: Instant,
}

impl Bar {
    fn with(&self, change: impl FnOnce(&mut ProgressBar, &mut u64)) {
        let mut guard = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let (bar, rows) = &mut *guard;
        change(bar, rows);
    }
}

impl Progress for Bar {
    fn file(&self, name: &str, bytes_total: u64) {
        self.with(|bar, _| {
            bar.finish_and_clear();
            *bar = self.printer.bar(name, (bytes_total > 0).then_some(bytes_total));
        });
    }

    fn advance(&self, bytes: u64, rows: u64) {
        self.with(|bar, sum| {
            *sum += rows;
            bar.inc(bytes);
            bar.set_message(format!(
                "{} rows/s",
                number(*sum as f64 / self.start.elapsed().as_secs_f64().max(1e-9), 0)
            ));
        });
    }

    fn sorting(&self, rows: u64) {
        self.with(|bar, _| {
            bar.finish_and_clear();
            *bar = self.printer.spinner(&format!("sorting and storing {} rows", number(rows as f64, 0)));
        });
    }

    fn finish(&self) {
        self.with(|bar, _| bar.finish_and_clear());
    }
}
