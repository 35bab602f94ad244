//! `safar erase`: one person out of everything that the workspace holds.
//!
//! In this order, so that a run that is cut off can be run again: who it was is remembered as keyed hashes (what is imported
//! from now on stays out); kept requests, files of rejects and files that were laid into the drop folder, for which the
//! identifiers must be known; then all tables in one
//! commit, which readers see whole or not at all; then what is derived from the rest is built again; at last every file and log
//! entry of earlier versions goes.
use super::{
    files, rejects,
    requests::Requests,
    rows::Rows,
    who::{Target, find},
};
use crate::{Error, Result, Step, Workspace, build};
use safar_model::Table;
use safar_store::{CommitKey, Erased, WriteLock};
use serde::Serialize;
use std::{collections::BTreeMap, fs, time::Duration};

/// Files of queries that are older than this belong to nobody any more.
const STALE: Duration = Duration::from_secs(3600);

/// What an erasure did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// People who were found in the tables.
    pub people: u64,
    /// Identifiers that were theirs.
    pub identifiers: u64,
    /// Their rows, by table; derived ones among them.
    pub rows: BTreeMap<&'static str, u64>,
    /// Rows of others that mentioned them, and do no longer.
    pub mentions: u64,
    /// Their rows in files of rejects.
    pub reject_file_rows: u64,
    /// Kept requests of the collector that held anything of theirs.
    pub requests: u64,
    /// Their rows in files that were laid into the drop folder, and in the list of `[identity.matching]`.
    pub file_rows: u64,
    /// Files of the drop folder that held anything of theirs and fall into no rows: removed whole.
    pub whole_files: u64,
    /// Files of earlier versions of tables that were removed.
    pub old_files: u64,
    /// What remains for people to do.
    pub notes: Vec<String>,
}

impl Erasure {
    /// Whether anything was found.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.people == 0
            && self.rows.values().all(|rows| *rows == 0)
            && self.mentions + self.reject_file_rows + self.requests + self.file_rows + self.whole_files == 0
    }
}

/// Erases whoever `targets` name, together; `dry` only counts. `say` hears each step.
///
/// Requests that wait in the collector's log are not in reach: publish them first.
///
/// # Errors
/// When nobody is found by a number, when a device belonged to several people, when another process writes, or the disk
/// refuses. After an error, run it again.
pub async fn erase(
    workspace: &Workspace,
    targets: &[Target],
    dry: bool,
    say: &(dyn Fn(Step) + Sync),
) -> Result<Erasure> {
    let store = workspace.store();
    let lock = store.lock()?;
    if !dry {
        // So that events of today are known to be theirs.
        build::locked(workspace, &lock, &build::Wanted::default(), say).await?;
    }
    say(Step::WhoItIs);
    let (found, traces) = match find(workspace, targets).await {
        Ok(found) => found,
        Err(error) => {
            // A run that was cut off may have left old files of somebody who is not found any more.
            if !dry {
                clean(workspace, &lock).await?;
            }
            return Err(error);
        }
    };
    let requests = Requests::open(workspace)?;
    let mut done = Erasure {
        people: found.people.len() as u64,
        identifiers: found.identifiers.len() as u64,
        ..Erasure::default()
    };
    if !dry {
        let now = jiff::Timestamp::now().as_microsecond();
        // Of a device that became somebody else's, what it did before; of one that was somebody else's first, nothing can be said.
        let ids = found.identifiers.iter().filter(|own| own.from.is_none());
        let ids =
            ids.map(|own| (own.namespace.as_str(), own.identifier.as_str(), own.to.map_or(now, |to| now.min(to - 1))));
        let orders = found.orders.iter().map(|order| (Erased::ORDER, order.as_str(), now));
        Erased::open(store.dir())?.add(ids.chain(orders))?;
    }
    say(Step::RequestsAndRejects);
    done.requests = requests.blank(&traces, dry)?;
    done.reject_file_rows = rejects::erase(workspace, &traces, &requests, dry)?;

    say(Step::Files);
    let held = files::erase(workspace, &traces, dry)?;
    (done.file_rows, done.whole_files) = (held.records, held.files);
    done.notes.extend(held.notes);

    say(Step::Tables);
    let snapshot = store.snapshot().await?;
    let (mut changes, mut renamed) = (vec![], vec![]);
    let mut again: hashbrown::HashSet<i64> = found.people.iter().copied().collect();
    for table in Table::ALL {
        let files = store.files(&snapshot, table).await?;
        let mut rows = Rows::of(table, &traces, &requests);
        let sweep = store.sweep(&lock, table, &files, |batch| {
            let left = rows.left(batch)?;
            Ok::<_, Error>(left.filter(|_| !dry))
        })?;
        done.rows.insert(table.name(), rows.theirs);
        done.mentions += rows.mentions;
        again.extend(&rows.concerned);
        if table == Table::Events {
            renamed.extend(sweep.replaced().to_vec());
        }
        changes.extend(sweep.change());
    }
    mentioned_in_settings(workspace, &traces, &mut done)?;
    if dry {
        return Ok(done);
    }
    if !changes.is_empty() {
        build::begin(workspace, &again)?;
        let key = CommitKey::new("erase", format!("{}", snapshot.sequence()));
        store.commit(&lock, changes, &key).await?;
        build::renamed(workspace, &renamed)?;
    }
    say(Step::Derived);
    let wanted = build::Wanted { people: again, credits: true, ..build::Wanted::default() };
    build::locked(workspace, &lock, &wanted, say).await?;
    say(Step::OldFiles);
    done.old_files = clean(workspace, &lock).await?;
    Ok(done)
}

/// Removes what earlier versions of tables left on the disk; how many files.
pub(super) async fn clean(workspace: &Workspace, lock: &WriteLock) -> Result<u64> {
    let report = workspace.store().forget_history(lock).await?;
    let scratch = workspace.store().dir().join(".tmp");
    for entry in fs::read_dir(&scratch).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|about| about.modified()).ok().and_then(|time| time.elapsed().ok());
        // Nobody imports while the lock is held; queries of other processes may be running.
        let of_import = entry.file_name().to_string_lossy().starts_with("import-");
        if of_import || age.is_some_and(|age| age > STALE) {
            let path = entry.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|source| Error::io(&path, source))?;
        }
    }
    Ok(report.files as u64)
}

/// The team's own files are the team's to change.
fn mentioned_in_settings(workspace: &Workspace, traces: &super::Traces, done: &mut Erasure) -> Result<()> {
    let path = workspace.root().join(crate::SETTINGS_FILE);
    let text = fs::read(&path).map_err(|source| Error::io(&path, source))?;
    if traces.mentions.in_bytes(&text) {
        done.notes.push(format!("{} mentions the person: change it yourself, and its history", path.display()));
    }
    Ok(())
}
