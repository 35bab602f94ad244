//! `safar retain`: what is older than the limits of `[privacy]` goes, and what was derived from it.
use super::{erase::clean, files::dropped, rejects};
use crate::{Error, Result, Step, Touched, Workspace, build};
use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch},
    compute::filter_record_batch,
    datatypes::TimestampMicrosecondType,
};
use hashbrown::HashMap;
use jiff::Timestamp;
use safar_collect::log::{Segment, published};
use safar_model::{Micros, Table};
use safar_store::{Change, CommitKey, DataFile, Store, Sweep, WriteLock};
use serde::Serialize;
use std::{fs, time::UNIX_EPOCH};

/// What a run of retention removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Events older than `keep_events`.
    pub events: u64,
    /// Links between identifiers that are as old, and of which neither occurs in what is left.
    pub links: u64,
    /// Rows of the table `rejects` older than `keep_rejects`.
    pub rejects: u64,
    /// Files of rejects as old.
    pub reject_files: u64,
    /// What the drop folder keeps of what was taken longer ago than `keep_dropped`: files, and folders as one.
    pub dropped: u64,
    /// Segments of kept requests older than `keep_requests`.
    pub request_files: u64,
    /// Files of earlier versions of tables.
    pub old_files: u64,
}

impl Retention {
    /// Whether nothing is too old.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self { old_files: self.old_files, ..Self::default() }
    }
}

/// Removes what is older at `now` than the limits of `[privacy]`, and builds again what was derived from it; `dry` only counts.
/// Where nothing is too old, nothing is done.
///
/// # Errors
/// When another process writes, or the disk refuses. After an error, run it again.
pub async fn retain(
    workspace: &Workspace,
    now: Timestamp,
    dry: bool,
    say: &(dyn Fn(Step) + Sync),
) -> Result<Retention> {
    let (privacy, zone) = (&workspace.settings().privacy, &workspace.settings().workspace.time_zone);
    let [events, requests, old_rejects] = [privacy.keep_events, privacy.keep_requests, privacy.keep_rejects]
        .map(|age| age.map(|age| age.before(now, zone)));
    let lock = workspace.store().lock()?;
    let mut done = Retention::default();
    say(Step::Requests);
    if let Some(limit) = requests {
        done.request_files = segments(workspace, limit, dry)?;
    }
    say(Step::Rejects);
    if let Some(limit) = old_rejects {
        done.reject_files = files(workspace, limit, dry)?;
    }
    if let Some(limit) = privacy.keep_dropped.map(|age| age.before(now, zone)) {
        done.dropped = dropped_before(workspace, limit, dry)?;
    }
    let (mut changes, mut renamed): (Vec<Change>, _) = (vec![], vec![]);
    let mut touched = None;
    if let Some(limit) = old_rejects {
        let sweep = old_rows(workspace.store(), &lock, Table::Rejects, "rejected_at", limit, dry, &mut |old| {
            done.rejects += old.num_rows() as u64;
            Ok(())
        })
        .await?;
        changes.extend(sweep.change());
    }
    if let Some(limit) = events {
        say(Step::Events);
        let store = workspace.store();
        let touched = touched.insert(Touched::of(workspace).await?);
        let sweep = old_rows(store, &lock, Table::Events, "occurred_at", limit, dry, &mut |old| {
            done.events += old.num_rows() as u64;
            touched.add(old)
        })
        .await?;
        renamed.extend(sweep.replaced().to_vec());
        changes.extend(sweep.change());
        if done.events > 0 {
            changes.extend(links(store, &lock, limit, dry, &mut done.links).await?);
        }
    }
    if dry || done.is_nothing() {
        return Ok(done);
    }
    if !changes.is_empty() {
        touched.iter().try_for_each(Touched::begin)?;
        let sequence = workspace.store().snapshot().await?.sequence();
        workspace.store().commit(&lock, changes, &CommitKey::new("retain", sequence.to_string())).await?;
        touched.iter().try_for_each(|touched| touched.renamed(&renamed))?;
    }
    say(Step::Derived);
    let people = touched.map(|touched| touched.people).unwrap_or_default();
    let wanted = build::Wanted { credits: !people.is_empty(), people, ..build::Wanted::default() };
    build::locked(workspace, &lock, &wanted, say).await?;
    say(Step::OldFiles);
    done.old_files = clean(workspace, &lock).await?;
    Ok(done)
}

/// Takes rows out whose time in a column lies before a limit; `each` sees them.
async fn old_rows(
    store: &Store,
    lock: &WriteLock,
    table: Table,
    column: &str,
    limit: Micros,
    dry: bool,
    each: &mut (dyn FnMut(&RecordBatch) -> Result<()> + Send),
) -> Result<Sweep> {
    let snapshot = store.snapshot().await?;
    // Files without bounds are looked into.
    let may = |file: &DataFile| table != Table::Events || file.min_time.is_none_or(|least| least < limit);
    let files: Vec<DataFile> = store.files(&snapshot, table).await?.into_iter().filter(may).collect();
    store.sweep(lock, table, &files, |batch| {
        let old: Vec<bool> = match batch.column_by_name(column) {
            Some(times) => {
                times.as_primitive::<TimestampMicrosecondType>().values().iter().map(|at| *at < limit).collect()
            }
            None => vec![false; batch.num_rows()],
        };
        if !old.contains(&true) {
            return Ok(None);
        }
        let chosen = |wanted: bool| -> BooleanArray { old.iter().map(|old| Some(*old == wanted)).collect() };
        each(&filter_record_batch(batch, &chosen(true))?)?;
        Ok::<_, Error>(Some(filter_record_batch(batch, &chosen(false))?).filter(|_| !dry))
    })
}

/// Identifiers by namespace, and whether each occurs in what is left.
type Seen = HashMap<(String, String), bool>;

/// The change that takes out links that are older than a limit, and of which neither identifier occurs in events that are left.
async fn links(store: &Store, lock: &WriteLock, limit: Micros, dry: bool, count: &mut u64) -> Result<Option<Change>> {
    const SPACES: [(&str, &str); 5] = [
        ("anonymous", "anonymous_id"),
        ("user", "user_id"),
        ("email", "email_hash"),
        ("phone", "phone_hash"),
        ("crm", "crm_id"),
    ];
    let snapshot = store.snapshot().await?;
    let files = store.files(&snapshot, Table::IdentityLinks).await?;
    let ends = |batch: &RecordBatch, row: usize| {
        let text = |name: &str| {
            batch
                .column_by_name(name)
                .map_or_else(String::new, |column| column.as_string::<i32>().value(row).to_owned())
        };
        [(text("ns_a"), text("id_a")), (text("ns_b"), text("id_b"))]
    };
    let is_old = |batch: &RecordBatch, row: usize| {
        let at = batch.column_by_name("observed_at").map(|column| column.as_primitive::<TimestampMicrosecondType>());
        at.is_some_and(|at| at.value(row) < limit)
    };
    let mut seen = Seen::new();
    store.read(Table::IdentityLinks, &files, |batch| {
        let old = (0..batch.num_rows()).filter(|row| is_old(batch, *row));
        seen.extend(old.flat_map(|row| ends(batch, row)).map(|end| (end, false)));
        Ok::<_, Error>(())
    })?;
    if seen.is_empty() {
        return Ok(None);
    }
    store.read(Table::Events, &store.files(&snapshot, Table::Events).await?, |batch| {
        let at = batch.column_by_name("occurred_at").map(|column| column.as_primitive::<TimestampMicrosecondType>());
        for (space, column) in SPACES {
            let Some(ids) = batch.column_by_name(column).map(|column| column.as_string::<i32>()) else { continue };
            for row in (0..ids.len()).filter(|row| ids.is_valid(*row) && at.is_some_and(|at| at.value(*row) >= limit)) {
                if let Some(occurs) = seen.get_mut(&(space.to_owned(), ids.value(row).to_owned())) {
                    *occurs = true;
                }
            }
        }
        Ok::<_, Error>(())
    })?;
    let sweep = store.sweep(lock, Table::IdentityLinks, &files, |batch| {
        let gone = |row: usize| is_old(batch, row) && ends(batch, row).iter().all(|end| seen.get(end) == Some(&false));
        let keep: BooleanArray = (0..batch.num_rows()).map(|row| Some(!gone(row))).collect();
        let lost = keep.false_count();
        *count += lost as u64;
        if lost == 0 || dry {
            return Ok::<_, Error>(None);
        }
        Ok(Some(filter_record_batch(batch, &keep)?))
    })?;
    Ok(sweep.change())
}

/// Removes segments of kept requests whose making lies before a limit.
fn segments(workspace: &Workspace, limit: Micros, dry: bool) -> Result<u64> {
    let log = |error: safar_collect::log::LogError| Error::Request(error.to_string());
    let mut count = 0;
    for path in published(&workspace.root().join("collect")).map_err(log)? {
        let made_at = Segment::read(&path).map_err(log)?.made_at();
        if made_at.is_some_and(|made_at| made_at < limit) || made_at.is_none() && changed(&path)? < limit {
            count += 1;
            if !dry {
                fs::remove_file(&path).map_err(|source| Error::io(&path, source))?;
            }
        }
    }
    Ok(count)
}

/// Removes files of rejects that were written before a limit.
fn files(workspace: &Workspace, limit: Micros, dry: bool) -> Result<u64> {
    let mut count = 0;
    for path in rejects::files(workspace)? {
        if changed(&path)? < limit {
            count += 1;
            if !dry {
                fs::remove_file(&path).map_err(|source| Error::io(&path, source))?;
            }
        }
    }
    Ok(count)
}

/// Removes what was moved to `done` and `failed` of the drop folder before a limit.
fn dropped_before(workspace: &Workspace, limit: Micros, dry: bool) -> Result<u64> {
    let mut count = 0;
    for path in dropped(workspace)? {
        if changed(&path)? < limit {
            count += 1;
            if !dry {
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(|source| Error::io(&path, source))?;
            }
        }
    }
    Ok(count)
}

/// When a file was written last, microseconds UTC.
fn changed(path: &std::path::Path) -> Result<Micros> {
    let time = fs::metadata(path).and_then(|about| about.modified()).map_err(|source| Error::io(path, source))?;
    Ok(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as Micros))
}
