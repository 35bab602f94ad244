//! What an import is given → the rows of one commit.
use super::{
    Rules,
    costs::{self, FileCosts},
    error::Error,
    plan::Plan,
    publish::{Outcome, Publish, Sameness},
    read, ready,
    reject::{Reject, Rejects},
    report::{FileReport, ImportReport, Progress},
    settings::ImportOptions,
    shapes,
    sniff::Format,
    sort::Gather,
    words::Words,
    work::Done,
};
use safar_model::{BUCKETS, Micros, Table, table::READY_PATHS_BUCKET};
use safar_store::{Change, CommitKey, Erased, Staged, Store, Sweep, TableWriter, WriteLock};
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use xxhash_rust::xxh3::Xxh3;

/// What a file of a known shape told beside events.
pub(super) struct Shaped {
    pub name: String,
    pub format: Format,
    pub title: &'static str,
    /// The plan of its events; `None`: it told none.
    pub plan: Option<usize>,
    pub costs: FileCosts,
    pub left_out: BTreeMap<&'static str, u64>,
    pub rejects: shapes::Rejected,
    pub notes: Vec<String>,
}

/// What an import is given.
#[derive(Default)]
pub(super) struct Handed {
    /// When the first of it was read; `None`: now.
    pub started: Option<Instant>,
    pub plans: Vec<Arc<Plan>>,
    pub shaped: Vec<Shaped>,
    pub skipped: Vec<String>,
    /// Tables that were not read, and why.
    pub aside: Vec<(String, String)>,
    /// What is wrong with files of folders and globs that are no data.
    pub unclear: Vec<String>,
    pub sameness: Sameness,
    /// What is no event to begin with, by origin.
    pub letters: Vec<(String, Reject)>,
    /// When what comes from an origin was received; the others are now.
    pub received_at: BTreeMap<String, Micros>,
    /// Rows in whose place it comes, each of another table.
    pub instead_of: Vec<Sweep>,
    /// The key of the commit; `None`: made from the content.
    pub key: Option<CommitKey>,
}

pub(super) fn threads(options: &ImportOptions) -> usize {
    match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from).min(8),
        threads => threads,
    }
}

/// Reads, sorts and stores it.
pub(super) async fn take(
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
    let started = started.unwrap_or_else(Instant::now);
    let mut instead_of: BTreeMap<Table, Sweep> = instead_of.into_iter().map(|sweep| (sweep.table(), sweep)).collect();
    let snapshot = store.snapshot().await?;
    let mut events_stored = store.files(&snapshot, Table::Events).await?;
    if let Some(sweep) = instead_of.get(&Table::Events) {
        events_stored = sweep.left(&events_stored);
    }
    let paths_stored = store.files(&snapshot, Table::Paths).await?;
    let rejects_stored = store.files(&snapshot, Table::Rejects).await?;
    let writer = |table: Table| store.writer(lock, table);

    let erased = Arc::new(Erased::open(store.dir())?);
    let origins: Vec<String> = plans.iter().map(|plan| plan.input.name.clone()).collect();
    let told = || origins.iter().cloned().chain(shaped.iter().map(|file| file.name.clone())).collect();
    // With a key of its own the commit happens once, and so do its rejects.
    let known = key.is_none().then(|| (rejects_stored.as_slice(), told()));
    let (rejects_to, times) = (writer(Table::Rejects)?, (now, received_at));
    let rejects = Rejects::new(options.rejects.clone(), rejects_to, known, times, rules, Arc::clone(&erased));
    let report = ImportReport { skipped, aside, unclear, ..ImportReport::default() };
    let mut taking = Taking { plans, origins, rules, options, progress, report, rejects, content: Xxh3::new() };
    taking.begin();
    let costs = taking.shaped(shaped)?;

    let scratch = store.dir().join(".tmp");
    clear(&scratch);
    let words = Arc::new(Words::new());
    let mut gather = Gather::new(scratch, options.memory_bytes, Arc::clone(&words));
    taking.rows(&words, &erased, &mut gather)?;
    for (origin, letter) in letters {
        taking.report.rows += 1;
        taking.rejects.push(&origin, letter)?;
    }
    let paths = taking.paths()?;
    let gathered = gather.finish()?;
    progress.sorting(gathered.rows);

    let mut changes = Vec::new();
    if gathered.rows > 0 {
        let publish = Publish::new(&gathered, &events_stored, &taking.origins, now, sameness);
        let (outcome, events, links) = publish_all(&publish, threads(options).min(2), &writer)?;
        taking.published(outcome)?;
        for staged in [events, links] {
            changes.extend(joined(&mut instead_of, staged)?);
        }
    }
    if !paths.is_empty()
        && let Some(rows) = ready::replaced(&paths, &paths_stored, now)?
    {
        let mut paths = writer(Table::Paths)?;
        paths.write(&rows)?;
        changes.push(Change::ReplaceBuckets { staged: paths.finish()?, buckets: vec![READY_PATHS_BUCKET] });
    }
    let (costs, replaced) = costs::joined(costs);
    if !costs.is_empty() {
        let stored = store.files(&snapshot, Table::Costs).await?;
        let done = costs::store(&costs, &stored, rules.enricher, writer(Table::Costs)?)?;
        taking.content.update(format!("{costs:?}").as_bytes());
        (taking.report.costs_stored, taking.report.costs_replaced) = (done.stored, replaced + done.replaced);
        changes.extend(done.change);
    }
    let Taking { mut report, mut rejects, content, .. } = taking;
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

/// An import while it reads: what it found, what it counts, and a fingerprint of all of it.
struct Taking<'a> {
    plans: Vec<Arc<Plan>>,
    /// The names of their inputs.
    origins: Vec<String>,
    rules: Rules<'a>,
    options: &'a ImportOptions,
    progress: &'a dyn Progress,
    report: ImportReport,
    rejects: Rejects,
    content: Xxh3,
}

impl Taking<'_> {
    fn begin(&mut self) {
        for plan in &self.plans {
            self.content.update(format!("{:?}", (&plan.columns, &plan.stated)).as_bytes());
            let file = FileReport { notes: plan.notes(), ..FileReport::new(&plan.input.name, plan.format) };
            self.report.files.push(file);
        }
    }

    /// What files of known shapes told beside events; returns their costs.
    fn shaped(&mut self, files: Vec<Shaped>) -> Result<Vec<(Arc<str>, FileCosts)>, Error> {
        let mut costs = Vec::new();
        for file in files {
            let number = file.plan.unwrap_or(self.report.files.len());
            if file.plan.is_none() {
                self.report.files.push(FileReport::new(&file.name, file.format));
            }
            let told = &mut self.report.files[number];
            (told.format, told.read_as, told.notes) = (file.format, Some(file.title), file.notes);
            (told.costs, told.left_out, told.rejected) = (file.costs.read, file.left_out, file.rejects.count());
            let left_out: u64 = told.left_out.values().sum();
            told.rows = told.costs + left_out + told.rejected;
            self.report.costs += told.costs;
            self.report.left_out += left_out;
            self.report.rows += told.rows;
            file.rejects.each(|reject| self.rejects.push(&file.name, reject))?;
            costs.push((Arc::from(file.name), file.costs));
        }
        Ok(costs)
    }

    /// Reads the rows of events.
    fn rows(&mut self, words: &Arc<Words>, erased: &Arc<Erased>, gather: &mut Gather) -> Result<(), Error> {
        let Self { report, rejects, origins, .. } = self;
        let take = |done: Done| {
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
        };
        let digests = read::all(&self.plans, self.rules, words, erased, threads(self.options), self.progress, take)?;
        digests.iter().for_each(|digest| self.content.update(&digest.to_le_bytes()));
        Ok(())
    }

    /// Reads ready paths, by goal.
    fn paths(&mut self) -> Result<BTreeMap<String, ready::Paths>, Error> {
        let mut goals: BTreeMap<String, ready::Paths> = BTreeMap::new();
        for (number, plan) in self.plans.iter().enumerate() {
            let Some(goal) = &plan.goal else { continue };
            self.progress.file(&plan.input.name, plan.input.size);
            let ready = ready::read_file(plan)?;
            self.progress.advance(plan.input.size, ready.rows);
            self.content.update(&ready.digest.to_le_bytes());
            let file = &mut self.report.files[number];
            (file.rows, file.rejected, file.bytes) = (ready.rows, ready.rejects.len() as u64, plan.input.size);
            file.stored = ready.rows - file.rejected;
            self.report.rows += ready.rows;
            self.report.paths += file.stored;
            for reject in ready.rejects {
                self.rejects.push(&self.origins[number], reject)?;
            }
            if goals.contains_key(goal) {
                let note = "its paths are added to those of another file of this import, whose goal is";
                let way_out = "`--set goal=NAME` keeps files apart that are imported by themselves";
                file.notes.push(format!("{note} `{goal}`, too; {way_out}"));
            }
            let known = goals.entry(goal.clone()).or_default();
            for (path, sums) in ready.paths {
                known.entry(path).or_default().iter_mut().zip(sums).for_each(|(known, sum)| *known += sum);
            }
        }
        self.report.goals = goals.keys().cloned().collect();
        Ok(goals)
    }

    /// Counts what became of the events.
    fn published(&mut self, outcome: Outcome) -> Result<(), Error> {
        let report = &mut self.report;
        (report.duplicates, report.links) = (outcome.duplicates, outcome.links);
        for (file, stored) in report.files.iter_mut().zip(&outcome.stored) {
            file.stored += stored;
        }
        report.stored = outcome.stored.iter().sum();
        let mut conflicts = outcome.conflicts;
        conflicts.sort_by_key(|(file, reject)| (*file, reject.line));
        for (file, reject) in conflicts {
            report.files[file].rejected += 1;
            self.rejects.push(&self.origins[file], reject)?;
        }
        Ok(())
    }
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
