//! Events of people, sorted, to sessions, touchpoints, conversions and paths.
use super::{
    Scope, commit_key,
    merge::Merge,
    people::{NAMESPACES, People, is_one_of},
    person_events::Unplaced,
};
use crate::{Result, Workspace};
use arrow::{
    array::{AsArray, RecordBatch},
    compute::cast,
    datatypes::Int64Type,
};
use datafusion::{
    dataframe::DataFrame,
    prelude::{Expr, col, lit},
};
use futures::TryStreamExt;
use safar_engine::Session;
use safar_journey::{Findings, INPUT_COLUMNS, JourneyBatches, JourneyBuilder, SharedRefunds};
use safar_model::Table;
use safar_store::{Change, Staged, TableWriter, WriteLock};
use std::sync::Arc;

/// The tables that journeys are, in the order of [`JourneyBatches`].
pub(crate) const TABLES: [Table; 5] =
    [Table::PersonEvents, Table::Sessions, Table::Touchpoints, Table::Conversions, Table::Paths];

/// Rows that wait before they are written.
const ROWS_WAITING: usize = 1 << 16;

/// What journeys are made from.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub workspace: &'a Workspace,
    pub session: &'a Session,
    pub people: &'a Arc<People>,
    pub refunds: &'a SharedRefunds,
}

/// What a rebuild needs.
pub(super) struct Rebuild<'a> {
    pub walk: Walk<'a>,
    pub lock: &'a WriteLock,
}

/// What it did.
#[derive(Default)]
pub(crate) struct Done {
    pub people: u64,
    pub findings: Findings,
}

impl Rebuild<'_> {
    /// Rebuilds the people of `scope`, and commits all tables at once.
    pub async fn run(&self, scope: &Scope) -> Result<Done> {
        let mut done = Done::default();
        let mut staged = match scope {
            Scope::Everyone => {
                let mut writers = self.writers()?;
                self.walk.run(scope, &mut done, |table, batch| Ok(writers[table].write(&batch)?)).await?;
                writers.into_iter().map(|writer| Ok(writer.finish()?)).collect::<Result<Vec<Staged>>>()?
            }
            Scope::Only(people) => {
                let mut fresh: [Vec<RecordBatch>; TABLES.len()] = Default::default();
                self.walk
                    .run(scope, &mut done, |table, batch| {
                        fresh[table].push(batch);
                        Ok(())
                    })
                    .await?;
                let mut staged = vec![];
                for ((table, fresh), writer) in TABLES.into_iter().zip(fresh).zip(self.writers()?) {
                    let mut merge = Merge::new(fresh, writer);
                    let mut kept = self.walk.kept(table, scope, &is_one_of(people)).await?.execute_stream().await?;
                    while let Some(batch) = kept.try_next().await? {
                        merge.kept(&conform(&batch, table)?)?;
                    }
                    staged.push(merge.finish()?);
                }
                staged
            }
        };
        let buckets = scope.buckets();
        let mut changes: Vec<Change> =
            staged.drain(..).map(|staged| Change::ReplaceBuckets { staged, buckets: buckets.clone() }).collect();
        let Walk { workspace, session, people, .. } = self.walk;
        let persons = workspace.store().writer(self.lock, Table::Persons)?;
        changes.push(Change::ReplaceAll(people.stage(session, persons).await?));
        workspace.store().commit(self.lock, changes, &commit_key("journeys")).await?;
        Ok(done)
    }

    fn writers(&self) -> Result<Vec<TableWriter>> {
        TABLES.into_iter().map(|table| Ok(self.walk.workspace.store().writer(self.lock, table)?)).collect()
    }
}

impl Walk<'_> {
    /// Streams the events of the people in `scope` through the journey builder; `put` takes rows of `TABLES[i]`.
    pub(crate) async fn run(
        &self,
        scope: &Scope,
        done: &mut Done,
        mut put: impl FnMut(usize, RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let mut columns: Vec<Expr> = INPUT_COLUMNS.into_iter().filter(|name| *name != "person_id").map(col).collect();
        columns.push(self.people.expression().alias("person_id"));
        columns.extend(NAMESPACES.map(|(_, column)| col(column)));
        columns.extend(["received_at", "origin_row"].map(col));
        // Journeys are those of people.
        let people = self.session.table(Table::Events).await?.filter(col("bot").is_not_true())?;
        let mut events = people.select(columns)?;
        if let Scope::Only(people) = scope {
            events = events.filter(is_one_of(people))?;
        }
        // Equal times keep the order in which they were told; the event's id settles what is left, so that no build depends
        // on chance.
        let order = ["person_id", "occurred_at", "received_at", "origin_row", "event_id"]
            .map(|name| col(name).sort(true, true));
        let mut stream = events.sort(order.to_vec())?.execute_stream().await?;
        let mut builder =
            JourneyBuilder::with_shared_refunds(&self.workspace.settings().journey_rules(), self.refunds.clone())?;
        let mut unplaced = Unplaced::default();
        let mut last = None;
        while let Some(batch) = stream.try_next().await? {
            if let Some(people) = batch.column_by_name("person_id") {
                for person in people.as_primitive::<Int64Type>().values() {
                    if last != Some(*person) {
                        last = Some(*person);
                        done.people += 1;
                    }
                }
            }
            builder.push(&batch)?;
            unplaced.push(batch);
            if builder.waiting_rows() >= ROWS_WAITING {
                deliver(builder.take()?, &mut unplaced, &mut put)?;
            }
        }
        let (rest, findings) = builder.finish()?;
        done.findings.merge(findings);
        deliver(rest, &mut unplaced, &mut put)
    }

    /// The rows of the buckets in `scope` that stay, in the table's order.
    async fn kept(&self, table: Table, scope: &Scope, is_rebuilt: &Expr) -> Result<DataFrame> {
        let buckets = scope.buckets().into_iter().map(lit).collect();
        let rows = self.session.table(table).await?.filter(col("bucket").in_list(buckets, false))?;
        // They lie in this order, which is also that of buckets: nothing is sorted again.
        let order = table.sort_columns().iter().map(|name| col(*name).sort(true, false)).collect();
        Ok(rows.filter(is_rebuilt.clone().is_false())?.sort(order)?)
    }
}

fn deliver(
    batches: JourneyBatches,
    unplaced: &mut Unplaced,
    put: &mut impl FnMut(usize, RecordBatch) -> Result<()>,
) -> Result<()> {
    let JourneyBatches { places, sessions, touchpoints, conversions, paths } = batches;
    for batch in unplaced.place(&places)? {
        put(0, batch)?;
    }
    for (batch, table) in [sessions, touchpoints, conversions, paths].into_iter().zip(1..) {
        if batch.num_rows() > 0 {
            put(table, batch)?;
        }
    }
    Ok(())
}

/// The same rows in the column types of `table`: the engine may read texts as views.
pub(super) fn conform(batch: &RecordBatch, table: Table) -> Result<RecordBatch> {
    let schema = table.schema();
    let columns = schema.fields().iter().enumerate().map(|(index, field)| cast(batch.column(index), field.data_type()));
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}
