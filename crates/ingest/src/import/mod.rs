//! Files → canonical events: read, mapped, checked, sorted and stored once.
//!
//! Data walks one way: [`input`] (bytes, decompressed and decoded) → [`split`], [`json`], [`parquet`] (rows) → [`plan`]
//! with [`sniff`], [`mapping`] and [`field`] (which column is what) → [`work`] and [`row`] (rows to columns, on several
//! threads; [`words`] numbers the texts that repeat) → [`sort`] (gathered by ranges of keys, in memory or temporary files) → [`publish`] (sorted, without
//! repetitions, links drawn) → one commit. Rows that are no events go to [`reject`]; ready paths take [`ready`].
//!
//! **Once.** An event without an id of its own gets one from its content (128 bits), so the same row is stored once,
//! in whatever file, column order or run it comes. Of events with one given id, the first that was read is stored; a
//! later one with other content is rejected. Ids are compared within one person key. Against what is stored, the content is
//! time, value, name, order, currency, items and identifiers; given ids are looked for in all stored events, whenever
//! they happened, made ids only in files that overlap the new events in time, because they tell it.
//!
//! Of events that programs hand over ([`import_lines`]), the id alone decides, because a client that sends an event again
//! may tell other times: the first is stored, later ones are repetitions.
//!
//! **All or nothing.** Nothing is visible before the one commit at the end; after a crash, importing again completes.
mod columns;
mod consent;
mod costs;
mod currency;
mod error;
mod field;
mod input;
mod json;
mod lines;
mod look;
mod mapping;
mod number;
mod parquet;
mod plan;
mod publish;
mod read;
mod ready;
mod reason;
mod reenrich;
mod reject;
mod report;
mod row;
mod settings;
mod shapes;
mod sniff;
mod sort;
mod split;
mod time;
mod visitor;
mod words;
mod work;

pub use costs::rechannel;
pub use error::Error;
pub use field::{Field, Target};
pub use input::Encoding;
pub use lines::{HandOver, Lines, import_lines};
pub use look::any_row;
pub use mapping::ColumnMapping;
pub use number::Decimal;
pub use reason::REASONS;
pub use reenrich::reenrich;
pub use reject::Reject;
pub use report::{FileReport, ImportReport, Preview, Progress, Silent};
pub use row::GIVEN;
pub use settings::{How, ImportOptions, ImportSettings, SavedMapping};
pub use sniff::Format;
pub use time::{DateOrder, TimeReader};

use arrow::array::RecordBatch;
use costs::FileCosts;
use plan::Plan;
use publish::{Outcome, Publish, Sameness};
use reject::Rejects;
use safar_enrich::Enricher;
use safar_identity::IdentitySettings;
use safar_model::{BUCKETS, Micros, Table};
use safar_store::{Change, CommitKey, Erased, Staged, Store, Sweep, TableWriter, WriteLock};
use sort::Gather;
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use words::Words;
use work::{Work, Worker};
use xxhash_rust::xxh3::Xxh3;

/// The rules of a workspace that an import follows.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// How files are read.
    pub import: &'a ImportSettings,
    /// How sources and channels are derived.
    pub enricher: &'a Enricher,
    /// How identifiers are normalised, and which are blocked.
    pub identity: &'a IdentitySettings,
}

impl Rules<'_> {
    /// How every file is read: those of known shapes are read already, the events that they tell are plans like the others.
    fn plans(
        self,
        arguments: &[String],
        options: &ImportOptions,
        now: Micros,
        progress: &dyn Progress,
    ) -> Result<Handed, Error> {
        let started = Some(Instant::now());
        let (inputs, skipped) = input::expand(arguments)?;
        let shaped = shapes::gather(self, options, inputs, progress)?;
        let mut handed = Handed { started, skipped, aside: shaped.aside, ..Handed::default() };
        for file in shaped.files {
            let shapes::ShapedFile { input, format, title, plain, events, costs, left_out, rejects, notes } = file;
            let (import, identity) = (self.import, self.identity);
            let plan = match events.lines {
                0 => None,
                _ => Plan::of_shape(import, identity, options, &input, events, plain, now)?,
            };
            let plan = plan.map(|plan| {
                handed.plans.push(Arc::new(plan));
                handed.plans.len() - 1
            });
            let name = input.name;
            handed.shaped.push(Shaped { name, format, title, plan, costs, left_out, rejects, notes });
        }
        let mut unclear = Vec::new();
        for (input, claim) in shaped.others {
            let (name, found) = (input.name.clone(), !input.named);
            match Plan::make(self.import, self.identity, options, input, now) {
                Ok(Some(plan)) => handed.plans.push(Arc::new(plan)),
                Ok(None) => handed.skipped.push(name),
                Err(error) => {
                    let undated = matches!(error, Error::AmbiguousDates { .. });
                    let is_unclear = error.is_unclear() || undated;
                    // A folder of a connector's tables holds others that tell no events.
                    if is_unclear && shaped.tables && found {
                        handed.aside.push((name, "a table that no shape knows and that tells no events".to_owned()));
                        continue;
                    }
                    match (error, claim) {
                        (_, Some(claim)) if is_unclear => return Err(Error::of_claim(&name, claim)),
                        // Folders hold notes and lists, too.
                        (error, None) if error.is_unclear() && found => unclear.push(error),
                        (error, _) => return Err(error),
                    }
                }
            }
        }
        if handed.plans.is_empty() && handed.shaped.is_empty() && !unclear.is_empty() {
            return Err(unclear.remove(0));
        }
        handed.unclear = unclear.iter().map(ToString::to_string).collect();
        Ok(handed)
    }
}

fn now(options: &ImportOptions) -> Micros {
    options.now.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond())
}

fn threads(options: &ImportOptions) -> usize {
    match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from).min(8),
        threads => threads,
    }
}

/// How the files would be read: the mapping, and the first `rows` rows of each as events. Stores nothing.
///
/// # Errors
/// As [`import`].
pub fn preview(
    rules: Rules<'_>,
    arguments: &[String],
    options: &ImportOptions,
    rows: usize,
) -> Result<Vec<Preview>, Error> {
    let now = now(options);
    let handed = rules.plans(arguments, options, now, &Silent)?;
    let mut previews = Vec::new();
    let no_costs = || RecordBatch::new_empty(Table::Costs.schema());
    for file in handed.shaped.iter().filter(|file| file.plan.is_none()) {
        let shown = file.costs.rows().take(rows).map(|row| (row.clone(), Arc::from(file.name.as_str())));
        previews.push(Preview {
            name: file.name.clone(),
            format: file.format,
            read_as: Some(file.title),
            delimiter: None,
            columns: Vec::new(),
            goal: None,
            notes: file.notes.clone(),
            events: RecordBatch::new_empty(Table::Events.schema()),
            costs: costs::batch(&shown.collect::<Vec<_>>(), rules.enricher)?,
            rejects: file.rejects.first().iter().take(rows).cloned().collect(),
        });
    }
    for (number, plan) in handed.plans.iter().enumerate() {
        let shaped = handed.shaped.iter().find(|file| file.plan == Some(number));
        let found = read::first(plan, rows)?;
        let words = Arc::new(Words::new());
        // Where nothing is stored, nobody can come back.
        let mut worker = Worker::new(rules.enricher, rules.identity, Arc::clone(&words), Arc::default());
        let done = match (found, plan.goal.is_none()) {
            (Some(rows), true) => {
                Some(worker.run(Work { number: 0, file: 0, plan: Arc::clone(plan), bytes: 0, rows })?)
            }
            _ => None,
        };
        let (parted, rejects) = done.map_or((None, Vec::new()), |done| (done.parted, done.rejects));
        let origins = [plan.input.name.clone()];
        let nothing = Gather::new(std::env::temp_dir(), usize::MAX, words).finish()?;
        let publish = Publish::new(&nothing, &[], &origins, now, Sameness::Content);
        let events = match parted {
            Some(parted) => publish.shown(&parted.batch)?,
            None => RecordBatch::new_empty(Table::Events.schema()),
        };
        previews.push(Preview {
            name: plan.input.name.clone(),
            format: shaped.map_or(plan.format, |file| file.format),
            read_as: shaped.map(|file| file.title),
            costs: no_costs(),
            delimiter: (plan.format == Format::Csv).then_some(plan.layout.delimiter as char),
            columns: plan.columns.clone(),
            goal: plan.goal.clone(),
            notes: plan.notes(),
            events,
            rejects,
        });
    }
    Ok(previews)
}

/// Imports files, folders, globs or standard input (`-`) into the workspace, in one commit.
///
/// Reading, sorting and writing block the calling thread (and use others); only the commit is asynchronous. Call it
/// where that is allowed: from a command, or a thread for blocking work. Memory is bounded by
/// [`ImportOptions::memory_bytes`] and a few row groups, whatever the size of the input.
///
/// # Errors
/// When an input cannot be read or does not describe events, or the store cannot be written: then nothing is stored.
pub async fn import(
    store: &Store,
    lock: &WriteLock,
    rules: Rules<'_>,
    arguments: &[String],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, Error> {
    let now = now(options);
    let handed = rules.plans(arguments, options, now, progress)?;
    take(store, lock, rules, handed, now, options, progress).await
}

/// What a file of a known shape told beside events.
struct Shaped {
    name: String,
    format: Format,
    title: &'static str,
    /// The plan of its events; `None`: it told none.
    plan: Option<usize>,
    costs: FileCosts,
    left_out: BTreeMap<&'static str, u64>,
    rejects: shapes::Rejected,
    notes: Vec<String>,
}

/// What an import is given.
#[derive(Default)]
struct Handed {
    /// When the first of it was read; `None`: now.
    started: Option<Instant>,
    plans: Vec<Arc<Plan>>,
    shaped: Vec<Shaped>,
    skipped: Vec<String>,
    /// Tables that were not read, and why.
    aside: Vec<(String, String)>,
    /// What is wrong with files of folders and globs that are no data.
    unclear: Vec<String>,
    sameness: Sameness,
    /// What is no event to begin with, by origin.
    letters: Vec<(String, Reject)>,
    /// When what comes from an origin was received; the others are now.
    received_at: BTreeMap<String, Micros>,
    /// Rows in whose place it comes, each of another table.
    instead_of: Vec<Sweep>,
    /// The key of the commit; `None`: made from the content.
    key: Option<CommitKey>,
}

async fn take(
    store: &Store,
    lock: &WriteLock,
    rules: Rules<'_>,
    handed: Handed,
    now: Micros,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, Error> {
    let Handed { started, plans, shaped, skipped, aside, unclear, sameness, letters, received_at, instead_of, key } =
        handed;
    let mut instead_of: BTreeMap<Table, Sweep> = instead_of.into_iter().map(|sweep| (sweep.table(), sweep)).collect();
    let started = started.unwrap_or_else(Instant::now);
    let snapshot = store.snapshot().await?;
    let mut events_stored = store.files(&snapshot, Table::Events).await?;
    if let Some(sweep) = instead_of.get(&Table::Events) {
        events_stored = sweep.left(&events_stored);
    }
    let paths_stored = store.files(&snapshot, Table::Paths).await?;
    let rejects_stored = store.files(&snapshot, Table::Rejects).await?;
    let writer = |table: Table| store.writer(lock, table);

    let mut report = ImportReport { skipped, aside, unclear, ..ImportReport::default() };
    let erased = Arc::new(Erased::open(store.dir())?);
    // With a key of its own the commit happens once, and so do its rejects.
    let origins: Vec<String> = plans.iter().map(|plan| plan.input.name.clone()).collect();
    let told = || origins.iter().cloned().chain(shaped.iter().map(|file| file.name.clone())).collect();
    let known = key.is_none().then(|| (rejects_stored.as_slice(), told()));
    let mut rejects = Rejects::new(
        options.rejects.clone(),
        writer(Table::Rejects)?,
        known,
        (now, received_at),
        rules,
        Arc::clone(&erased),
    );
    let scratch = store.dir().join(".tmp");
    clear(&scratch);
    let words = Arc::new(Words::new());
    let mut gather = Gather::new(scratch, options.memory_bytes, Arc::clone(&words));
    let mut content = Xxh3::new();
    for plan in &plans {
        content.update(format!("{:?}", (&plan.columns, &plan.stated)).as_bytes());
    }
    for plan in &plans {
        report.files.push(FileReport { notes: plan.notes(), ..FileReport::new(&plan.input.name, plan.format) });
    }
    let mut costs = Vec::new();
    for file in shaped {
        let number = file.plan.unwrap_or(report.files.len());
        if file.plan.is_none() {
            report.files.push(FileReport::new(&file.name, file.format));
        }
        let told = &mut report.files[number];
        (told.format, told.read_as, told.notes) = (file.format, Some(file.title), file.notes);
        (told.costs, told.left_out, told.rejected) = (file.costs.read, file.left_out, file.rejects.count());
        let left_out: u64 = told.left_out.values().sum();
        told.rows = told.costs + left_out + told.rejected;
        report.costs += told.costs;
        report.left_out += left_out;
        report.rows += told.rows;
        file.rejects.each(|reject| rejects.push(&file.name, reject))?;
        costs.push((Arc::from(file.name), file.costs));
    }

    let digests = read::all(&plans, rules, &words, &erased, threads(options), progress, |done| {
        let file = &mut report.files[done.file];
        file.rows += done.rows;
        file.bytes += done.bytes;
        file.rejected += done.rejects.len() as u64;
        report.rows += done.rows;
        report.identifiers_blocked += done.identifiers.blocked;
        report.identifiers_invalid += done.identifiers.invalid;
        report.erased += done.identifiers.erased;
        for reject in done.rejects {
            rejects.push(&origins[done.file], reject)?;
        }
        done.parted.map_or(Ok(()), |parted| gather.push(parted))
    })?;
    for (origin, letter) in letters {
        report.rows += 1;
        rejects.push(&origin, letter)?;
    }
    digests.iter().for_each(|digest| content.update(&digest.to_le_bytes()));

    let mut goals: BTreeMap<String, ready::Paths> = BTreeMap::new();
    for (number, plan) in plans.iter().enumerate() {
        let Some(goal) = &plan.goal else { continue };
        progress.file(&plan.input.name, plan.input.size);
        let ready = ready::read_file(plan)?;
        progress.advance(plan.input.size, ready.rows);
        content.update(&ready.digest.to_le_bytes());
        let file = &mut report.files[number];
        (file.rows, file.rejected, file.bytes) = (ready.rows, ready.rejects.len() as u64, plan.input.size);
        file.stored = ready.rows - file.rejected;
        report.rows += ready.rows;
        report.paths += file.stored;
        for reject in ready.rejects {
            rejects.push(&origins[number], reject)?;
        }
        if goals.contains_key(goal) {
            let note = "its paths are added to those of another file of this import, whose goal is";
            let way_out = "`--set goal=NAME` keeps files apart that are imported by themselves";
            report.files[number].notes.push(format!("{note} `{goal}`, too; {way_out}"));
        }
        let known = goals.entry(goal.clone()).or_default();
        for (path, sums) in ready.paths {
            known.entry(path).or_default().iter_mut().zip(sums).for_each(|(known, sum)| *known += sum);
        }
    }
    report.goals = goals.keys().cloned().collect();

    let gathered = gather.finish()?;
    progress.sorting(gathered.rows);
    let mut changes = Vec::new();
    if gathered.rows > 0 {
        let publish = Publish::new(&gathered, &events_stored, &origins, now, sameness);
        let (outcome, events, links) = publish_all(&publish, threads(options).min(2), &writer)?;
        report.duplicates = outcome.duplicates;
        report.links = outcome.links;
        for (file, stored) in report.files.iter_mut().zip(&outcome.stored) {
            file.stored += stored;
        }
        report.stored = outcome.stored.iter().sum();
        let mut conflicts = outcome.conflicts;
        conflicts.sort_by_key(|(file, reject)| (*file, reject.line));
        for (file, reject) in conflicts {
            report.files[file].rejected += 1;
            rejects.push(&origins[file], reject)?;
        }
        for staged in [events, links] {
            changes.extend(joined(&mut instead_of, staged)?);
        }
    }
    if !goals.is_empty()
        && let Some(rows) = ready::replaced(&goals, &paths_stored, now)?
    {
        let mut paths = writer(Table::Paths)?;
        paths.write(&rows)?;
        let buckets = vec![safar_model::table::READY_PATHS_BUCKET];
        changes.push(Change::ReplaceBuckets { staged: paths.finish()?, buckets });
    }
    let (costs, replaced) = costs::joined(costs);
    if !costs.is_empty() {
        content.update(format!("{costs:?}").as_bytes());
        let stored = store.files(&snapshot, Table::Costs).await?;
        let done = costs::store(&costs, &stored, rules.enricher, writer(Table::Costs)?)?;
        (report.costs_stored, report.costs_replaced) = (done.stored, replaced + done.replaced);
        changes.extend(done.change);
    }
    report.rejected = rejects.counts.clone();
    if let Some(staged) = rejects.finish()? {
        changes.extend(joined(&mut instead_of, staged)?);
    }
    changes.extend(instead_of.into_values().filter_map(Sweep::change));
    if !changes.is_empty() {
        store.add_rules(lock, rules.enricher.fingerprint())?;
        // What is new depends on what was there, so the snapshot belongs to the key.
        let of_content = || CommitKey::new("import", format!("{:032x}@{}", content.digest128(), snapshot.sequence()));
        store.commit(lock, changes, &key.unwrap_or_else(of_content)).await?;
    }
    report.elapsed = started.elapsed();
    progress.finish();
    Ok(report)
}

/// New rows of a table, in the place of those that are taken away from it.
fn joined(instead_of: &mut BTreeMap<Table, Sweep>, fresh: Staged) -> Result<Option<Change>, Error> {
    Ok(match instead_of.remove(&fresh.table()) {
        Some(sweep) => sweep.with(fresh)?,
        None => (fresh.rows() > 0).then_some(Change::Append(fresh)),
    })
}

/// Removes what an import that was killed left behind; nobody else writes while the lock is held.
fn clear(scratch: &std::path::Path) {
    for entry in std::fs::read_dir(scratch).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("import-") {
            // What cannot be removed only takes room.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

type Written = (Outcome, Staged, Staged);

/// Sorts and writes on some threads, each with its own range of buckets.
fn publish_all(
    publish: &Publish<'_>,
    threads: usize,
    writer: &dyn Fn(Table) -> Result<TableWriter, safar_store::Error>,
) -> Result<Written, Error> {
    let threads = threads.max(1) as u32;
    let mut jobs = Vec::new();
    for thread in 0..threads {
        let buckets = BUCKETS * thread / threads..BUCKETS * (thread + 1) / threads;
        jobs.push((buckets, writer(Table::Events)?, writer(Table::IdentityLinks)?));
    }
    let results: Vec<Result<Written, Error>> = std::thread::scope(|scope| {
        let run = |(buckets, mut events, mut links): (std::ops::Range<u32>, TableWriter, TableWriter)| {
            let outcome = publish.run(buckets, &mut events, &mut links)?;
            Ok((outcome, events.finish()?, links.finish()?))
        };
        let handles: Vec<_> = jobs.into_iter().map(|job| scope.spawn(move || run(job))).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut all: Option<Written> = None;
    for result in results {
        let (outcome, events, links) = result?;
        all = Some(match all {
            None => (outcome, events, links),
            Some((mut sum, all_events, all_links)) => {
                sum.duplicates += outcome.duplicates;
                sum.links += outcome.links;
                sum.stored.iter_mut().zip(&outcome.stored).for_each(|(sum, more)| *sum += more);
                sum.conflicts.extend(outcome.conflicts);
                (sum, all_events.join(events)?, all_links.join(links)?)
            }
        });
    }
    all.ok_or_else(|| Error::Arrow(arrow::error::ArrowError::ComputeError("no thread wrote".to_owned())))
}
