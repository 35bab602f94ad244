//! Channel rules apply to the past: events whose source or channel changes are rewritten.
use super::{
    commit_key,
    journeys::conform,
    people::{People, WHO},
};
use crate::{Result, Workspace};
use arrow::{
    array::{AsArray, BooleanArray, RecordBatch},
    compute::{cast, filter_record_batch, kernels::cmp::distinct, or},
    datatypes::DataType,
};
use datafusion::prelude::{col, lit};
use futures::TryStreamExt;
use safar_engine::Session;
use safar_enrich::{CachedEnricher, Enricher};
use safar_model::{BUCKETS, Table};
use safar_store::{Change, WriteLock};
use std::collections::BTreeSet;

/// The columns that rules derive, or that are filled in once they can be told.
const DERIVED: [&str; 11] = [
    "source",
    "medium",
    "campaign",
    "channel",
    "country",
    "language",
    "device",
    "browser",
    "browser_version",
    "os",
    "bot",
];

/// Whether all events and costs are by `rules`.
pub(crate) fn is_current(workspace: &Workspace, rules: &Enricher) -> Result<bool> {
    let rules = rules.fingerprint();
    Ok(workspace.store().rules()?.is_some_and(|known| known.iter().all(|known| *known == rules)))
}

/// Rewrites the buckets of `events` in which a rule changes anything. How many events changed, and whose they are.
pub(super) async fn reenrich(
    workspace: &Workspace,
    lock: &WriteLock,
    session: &Session,
    rules: &Enricher,
    people: &People,
) -> Result<(u64, BTreeSet<i64>)> {
    // Should this be cut off, some rows are by the rules of today, and tomorrow's may be yesterday's again.
    workspace.store().add_rules(lock, rules.fingerprint())?;
    rechannel(workspace, lock, session, rules).await?;
    let mut enricher = rules.cached();
    let (mut events, mut owners, mut changes, mut buckets) = (0, BTreeSet::new(), None, vec![]);
    for bucket in 0..BUCKETS as i32 {
        let mut changed = 0;
        changes_in(session, &mut enricher, people, bucket, |change| {
            changed += change.people.len() as u64;
            owners.extend(change.people);
        })
        .await?;
        if changed == 0 {
            continue;
        }
        events += changed;
        buckets.push(bucket);
        let mut writer = workspace.store().writer(lock, Table::Events)?;
        let order = Table::Events.sort_columns().iter().chain(&["origin_row"]).map(|name| col(*name).sort(true, true));
        let frame = session.table(Table::Events).await?.filter(col("bucket").eq(lit(bucket)))?.sort(order.collect())?;
        let mut stream = frame.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            let batch = conform(&batch, Table::Events)?;
            writer.write(&safar_ingest::reenrich(&batch, &mut enricher)?.unwrap_or(batch))?;
        }
        let staged = writer.finish()?;
        changes = Some(match changes.take() {
            None => staged,
            Some(before) => safar_store::Staged::join(before, staged)?,
        });
    }
    if let Some(staged) = changes {
        workspace.store().commit(lock, vec![Change::ReplaceBuckets { staged, buckets }], &commit_key("rules")).await?;
    }
    workspace.store().set_rules(lock, &BTreeSet::from([rules.fingerprint()]))?;
    Ok((events, owners))
}

/// Costs belong to the channel of the clicks that they pay for.
async fn rechannel(workspace: &Workspace, lock: &WriteLock, session: &Session, rules: &Enricher) -> Result<()> {
    let mut stream = session.table(Table::Costs).await?.execute_stream().await?;
    let mut writer = workspace.store().writer(lock, Table::Costs)?;
    let mut changed = false;
    while let Some(batch) = stream.try_next().await? {
        let batch = conform(&batch, Table::Costs)?;
        let fresh = safar_ingest::rechannel(&batch, rules)?;
        changed |= fresh.is_some();
        writer.write(&fresh.unwrap_or(batch))?;
    }
    if changed {
        let change = Change::ReplaceAll(writer.finish()?);
        workspace.store().commit(lock, vec![change], &commit_key("rules-costs")).await?;
    }
    Ok(())
}

/// Events that change, as they are and as they would be.
pub(crate) struct Changes<'a> {
    pub old: RecordBatch,
    pub new: RecordBatch,
    /// Whose they are, row by row.
    pub people: &'a [i64],
}

/// Shows `look` the events of a bucket that the rules change.
pub(crate) async fn changes_in(
    session: &Session,
    enricher: &mut CachedEnricher<'_>,
    people: &People,
    bucket: i32,
    mut look: impl FnMut(Changes<'_>),
) -> Result<()> {
    let mut stream =
        session.table(Table::Events).await?.filter(col("bucket").eq(lit(bucket)))?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let old = conform(&batch, Table::Events)?;
        let Some(new) = safar_ingest::reenrich(&old, enricher)? else { continue };
        let differing = differing(&old, &new)?;
        let (old, new) = (filter_record_batch(&old, &differing)?, filter_record_batch(&new, &differing)?);
        let columns: Vec<_> = WHO.iter().filter_map(|name| old.column_by_name(name).cloned()).collect();
        let owners = people.of(&columns)?;
        look(Changes { old, new, people: owners.values() });
    }
    Ok(())
}

/// Which rows differ in a derived column.
fn differing(old: &RecordBatch, new: &RecordBatch) -> Result<BooleanArray> {
    let mut rows = BooleanArray::from(vec![false; old.num_rows()]);
    for name in DERIVED {
        if let (Some(old), Some(new)) = (old.column_by_name(name), new.column_by_name(name)) {
            let (old, new) = (cast(old, &DataType::Utf8)?, cast(new, &DataType::Utf8)?);
            rows = or(&rows, &distinct(old.as_string::<i32>(), new.as_string::<i32>())?)?;
        }
    }
    Ok(rows)
}
