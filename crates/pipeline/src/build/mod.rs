//! `safar build`: finds out what changed, and rebuilds only that.
//!
//! | changed | rebuilt |
//! |---|---|
//! | new events | the people they belong to |
//! | identity links, identity settings | the people whose identifiers changed |
//! | channel rules, table of sources | the events whose source or channel changes, and their people |
//! | a file of countries, a first build that tells devices and bots | the events that gain one, and their people |
//! | who told of an order or a refund first | everyone who told of it |
//! | sessions, goals, windows, time zone, program version, priority of identifiers | everyone |
//! | models, the channel that they take for direct, ready paths | credits |
//! | a build or an erasure that was cut off | the people it was about, all credits |
mod credits;
pub(crate) mod journeys;
pub(crate) mod orders;
pub(crate) mod people;
mod person_events;
pub(crate) mod reenrich;
pub(crate) mod state;
mod tags;
mod told;

pub use told::{BuildNote, Step};

use crate::{Result, Workspace};
use hashbrown::HashSet;
use people::People;
use safar_engine::Session;
use safar_journey::{Findings, SharedOrders};
use safar_model::{BUCKETS, Table, bucket_of};
use safar_store::{CommitKey, CompactPolicy, WriteLock};
use state::{Begun, State};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long files that no current version names stay for readers that pinned an older one.
const OLD_FILES_KEPT: Duration = Duration::from_secs(24 * 3600);

/// What a build did, and why.
#[derive(Clone, Debug, Default)]
pub struct BuildReport {
    /// Why anything was rebuilt; empty: nothing was.
    pub reasons: Vec<BuildNote>,
    /// People whose journeys were rebuilt.
    pub people_rebuilt: u64,
    /// All people with at least one event that is not a bot's: an event without an identifier is somebody, too.
    pub people: u64,
    /// Rows of the tables that were written, after the build.
    pub tables: Vec<(Table, u64)>,
    /// What deserves attention: duplicate orders, refunds without an order, identity conflicts …
    pub findings: Vec<BuildNote>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Who is rebuilt.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    Everyone,
    Only(Arc<HashSet<i64>>),
}

impl Scope {
    fn buckets(&self) -> Vec<i32> {
        match self {
            Self::Everyone => (0..BUCKETS as i32).collect(),
            Self::Only(people) => {
                people.iter().map(|person| bucket_of(*person)).collect::<BTreeSet<_>>().into_iter().collect()
            }
        }
    }
}

/// What is built again, whether or not it changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Everyone.
    pub full: bool,
    /// These people.
    pub people: HashSet<i64>,
    /// The credits of everyone.
    pub credits: bool,
}

/// Brings every derived table up to date with events and settings; `full` rebuilds everyone. `say` hears each step.
///
/// A build that is cut off leaves what was published before; the next one does the work again.
///
/// # Errors
/// When another process writes, settings are wrong, the disk refuses, or the workspace's [stop](Workspace::until) was asked for.
pub async fn build(workspace: &Workspace, full: bool, say: &(dyn Fn(Step) + Sync)) -> Result<BuildReport> {
    let lock = workspace.store().lock()?;
    locked(workspace, &lock, &Wanted { full, ..Wanted::default() }, say).await
}

/// As [`build()`], for who has the lock.
pub(crate) async fn locked(
    workspace: &Workspace,
    lock: &WriteLock,
    wanted: &Wanted,
    say: &(dyn Fn(Step) + Sync),
) -> Result<BuildReport> {
    let start = Instant::now();
    let store = workspace.store();
    let mut before = State::read(workspace)?;
    let mut report = BuildReport::default();

    let mut now = State::of(workspace)?;

    say(Step::People);
    let snapshot = store.snapshot().await?;
    let engine = workspace.engine()?;
    let session = engine.session(&snapshot)?;
    let files = store.files(&snapshot, Table::Events).await?;
    now.ready_paths = State::ready_paths(workspace, &snapshot).await?;
    let people = Arc::new(people::resolve(&session, workspace, before.as_ref(), &now, &files).await?);
    now.people_version = people.version;
    now.links = people.links;
    now.rows_removed = before.as_ref().is_some_and(|before| before.rows_removed);
    report.findings.extend(people.findings());

    let mut dirty = wanted.people.clone();
    let mut all_credits = wanted.credits;
    if let Some(before) = &before {
        if let Some(Begun::People(people)) = &before.begun {
            if !people.iter().all(|person| dirty.contains(person)) || people.is_empty() {
                report.reasons.push(BuildNote::CutOff);
            }
            dirty.extend(people);
        }
        all_credits |= before.begun.is_some();
        say(Step::NewEvents);
        let fresh = before.fresh(&files);
        if !fresh.is_empty() {
            let (events, owners) = people.owners_of_files(&session, &fresh).await?;
            report.reasons.push(BuildNote::NewEvents { events, people: owners.len() as u64 });
            dirty.extend(owners);
        }
        if !people.changed.is_empty() {
            report.reasons.push(BuildNote::IdentifiersChanged { people: people.changed_known });
            dirty.extend(&people.changed);
        }
    }
    let enricher = workspace.enricher()?;
    if !reenrich::is_current(workspace, &enricher)? {
        say(Step::ChannelRules);
        let (events, owners) = reenrich::reenrich(workspace, lock, &session, &enricher, &people).await?;
        report.reasons.push(BuildNote::RulesChanged { events, people: owners.len() as u64 });
        dirty.extend(owners);
    }
    say(Step::Orders);
    // Of the events as they are now: goals may look at what channel rules say.
    let session = engine.session(&store.snapshot().await?)?;
    let none = SharedOrders::new();
    let known = before.as_ref().map_or(&none, |before| &before.shared_orders);
    let orders = orders::shared(workspace, &session, &people, known).await?;
    report.findings.extend(orders::notes(&orders));
    now.shared_orders = orders.shared;
    if before.is_some() && !orders.changed.is_empty() {
        report.reasons.push(BuildNote::OrdersShared { people: orders.changed.len() as u64 });
        dirty.extend(orders.changed);
    }
    let scope = match everyone(before.as_ref(), &now, wanted.full) {
        Some(reason) => {
            report.reasons.push(reason);
            Scope::Everyone
        }
        None => Scope::Only(Arc::new(dirty)),
    };

    let models_changed = before.as_ref().is_none_or(|before| before.models != now.models);
    let ready_paths_changed = before.as_ref().is_some_and(|before| before.ready_paths != now.ready_paths);
    all_credits |= models_changed || ready_paths_changed;
    let nobody = matches!(&scope, Scope::Only(people) if people.is_empty());
    if (!nobody || all_credits)
        && let Some(before) = &mut before
    {
        before.begin(workspace, &scope)?;
    }
    if !nobody {
        say(Step::Journeys);
        let done = journeys(workspace, lock, &people, &now, &scope).await?;
        now.rows_removed = false;
        report.people_rebuilt = done.people;
        report.findings.extend(notes(&done.findings));
    } else if models_changed {
        report.reasons.push(BuildNote::ModelsChanged);
    }
    if ready_paths_changed {
        report.reasons.push(BuildNote::ReadyPaths);
    }
    if !nobody || all_credits {
        say(Step::Credits);
        let scope = if all_credits { &Scope::Everyone } else { &scope };
        report.findings.extend(credits::rebuild(workspace, lock, scope).await?);
    }
    say(Step::SmallFiles);
    for table in [Table::Events, Table::IdentityLinks, Table::Rejects] {
        store.compact(lock, table, CompactPolicy::default()).await?;
    }
    store.vacuum(lock, OLD_FILES_KEPT).await?;
    let snapshot = store.snapshot().await?;
    now.event_files = store.files(&snapshot, Table::Events).await?.into_iter().map(|file| file.name).collect();
    now.write(workspace)?;
    counts(workspace, &mut report).await?;
    report.elapsed = start.elapsed();
    Ok(report)
}

/// Takes down that these people's rows are about to change, for who has the lock: should what follows be cut off, the next build makes
/// them anew.
pub(crate) fn begin(workspace: &Workspace, people: &HashSet<i64>) -> Result<()> {
    match State::read(workspace)?.filter(|_| !people.is_empty()) {
        Some(mut state) => state.begin(workspace, &Scope::Only(Arc::new(people.clone()))),
        // There was no build: the next one is of everyone.
        None => Ok(()),
    }
}

/// Takes files of `events` under other names for those that the last build read: rows were taken out of them, none came.
pub(crate) fn renamed(workspace: &Workspace, replaced: &[(String, Vec<String>)]) -> Result<()> {
    let Some(mut state) = State::read(workspace)? else { return Ok(()) };
    for (before, now) in replaced {
        if state.event_files.remove(before) {
            state.event_files.extend(now.iter().cloned());
            state.rows_removed = true;
        }
    }
    state.write(workspace)
}

async fn journeys(
    workspace: &Workspace,
    lock: &WriteLock,
    people: &Arc<People>,
    now: &State,
    scope: &Scope,
) -> Result<journeys::Done> {
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    let walk = journeys::Walk { workspace, session: &session, people, orders: &now.shared_orders };
    journeys::Rebuild { walk, lock }.run(scope).await
}

/// Findings, those that there are.
fn notes(findings: &Findings) -> Vec<BuildNote> {
    let events = findings.duplicate_orders;
    let again = BuildNote::OrdersAgain { events, differing: findings.differing_duplicates };
    let refunds = findings.orphan_refunds.len() as u64;
    let counted = [
        (events, again),
        (findings.orders_of_others, BuildNote::OrdersOfOthers { events: findings.orders_of_others }),
        (findings.refunds_again, BuildNote::RefundsAgain { events: findings.refunds_again }),
        (findings.refunds_above_value, BuildNote::RefundsAboveValue { orders: findings.refunds_above_value }),
        (findings.negative_conversions, BuildNote::WorthLessThanNothing { conversions: findings.negative_conversions }),
    ];
    let currencies = findings.other_currencies.iter().map(|(currency, count)| {
        (*count, BuildNote::OtherCurrency { conversions: *count, currency: currency.clone() })
    });
    let orphans = [(refunds, BuildNote::RefundsOfNothing { refunds })];
    let all = counted.into_iter().chain(currencies).chain(orphans);
    all.filter(|(count, _)| *count > 0).map(|(_, note)| note).collect()
}

/// Why everyone must be rebuilt, if so.
fn everyone(before: Option<&State>, now: &State, full: bool) -> Option<BuildNote> {
    let Some(before) = before else { return Some(BuildNote::FirstBuild) };
    if full {
        Some(BuildNote::Full)
    } else if before.begun == Some(Begun::Everyone) {
        Some(BuildNote::CutOff)
    } else if before.made_by != now.made_by {
        Some(BuildNote::MadeOtherwise)
    } else if before.identity.get("priority") != now.identity.get("priority") {
        // It decides whose an event is that carries identifiers of two people.
        Some(BuildNote::PriorityChanged)
    } else if before.program != now.program {
        Some(BuildNote::ProgramChanged { before: before.program.clone(), now: now.program.clone() })
    } else if before.tables != now.tables {
        Some(BuildNote::ColumnsChanged)
    } else if before.journeys != now.journeys {
        Some(BuildNote::SettingsChanged)
    } else {
        None
    }
}

async fn counts(workspace: &Workspace, report: &mut BuildReport) -> Result<()> {
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    report.people = count(&session, "SELECT count(*) FROM person_events WHERE step = 1").await?;
    for table in [Table::Persons].into_iter().chain(journeys::TABLES).chain([Table::Credits]) {
        report.tables.push((table, count(&session, &format!("SELECT count(*) FROM {table}")).await?));
    }
    Ok(())
}

async fn count(session: &Session, sql: &str) -> Result<u64> {
    use arrow::array::AsArray;
    let batches = session.sql(sql).await?.collect().await?;
    let value =
        batches.first().map_or(0, |batch| batch.column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0));
    Ok(u64::try_from(value).unwrap_or(0))
}

/// The key of one commit of a build: builds replace what they derive, so each is a commit of its own.
fn commit_key(step: &str) -> CommitKey {
    let at = jiff::Timestamp::now().as_microsecond();
    CommitKey { writer: "build".to_owned(), id: format!("{step}-{at}-{}", std::process::id()) }
}
