//! Events of people, sorted, to sessions, touchpoints, conversions and paths.
use super::{
    Scope, commit_key,
    people::{NAMESPACES, People, is_one_of},
    person_events::Unplaced,
    tags,
};
use crate::{Result, Workspace};
use arrow::{
    array::{AsArray, RecordBatch},
    compute::cast,
    datatypes::Int64Type,
};
use datafusion::{
    dataframe::DataFrame,
    physical_expr::{LexOrdering, PhysicalSortExpr, expressions::col as col_of},
    physical_plan::{
        ExecutionPlan, SendableRecordBatchStream, coalesce_partitions::CoalescePartitionsExec, execute_stream,
        sorts::sort::SortExec,
    },
    prelude::{Expr, col},
};
use futures::TryStreamExt;
use safar_engine::Session;
use safar_journey::{Findings, INPUT_COLUMNS, JourneyBatches, JourneyBuilder, SharedOrders};
use safar_model::Table;
use safar_store::{Change, WriteLock};
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
    pub orders: &'a SharedOrders,
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
        let Walk { workspace, session, people, .. } = self.walk;
        let store = workspace.store();
        let mut changes = vec![];
        match scope {
            Scope::Everyone => {
                let writers = TABLES.into_iter().map(|table| store.writer(self.lock, table));
                let mut writers = writers.collect::<std::result::Result<Vec<_>, _>>()?;
                self.walk.run(scope, &mut done, |table, batch| Ok(writers[table].write(&batch)?)).await?;
                for writer in writers {
                    changes.push(Change::ReplaceBuckets { staged: writer.finish()?, buckets: scope.buckets() });
                }
            }
            Scope::Only(people) => {
                let mut people: Vec<i64> = people.iter().copied().collect();
                people.sort_unstable();
                let people: Arc<[i64]> = people.into();
                let mut replacers = vec![];
                for table in TABLES {
                    let files = store.files(session.snapshot(), table).await?;
                    replacers.push(store.replace_keys(self.lock, table, &files, people.clone())?);
                }
                self.walk.run(scope, &mut done, |table, batch| Ok(replacers[table].write(batch)?)).await?;
                for replacer in replacers {
                    changes.push(replacer.finish()?);
                }
            }
        }
        let persons = store.writer(self.lock, Table::Persons)?;
        changes.push(Change::ReplaceAll(people.stage(session, persons).await?));
        store.commit(self.lock, changes, &commit_key("journeys")).await?;
        Ok(done)
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
        // Journeys are those of people.
        let mut events = self.session.table(Table::Events).await?.filter(col("bot").is_not_true())?;
        if let Scope::Only(people) = scope {
            events = read_if(events.filter(is_one_of(people, self.people.expression()))?);
        }
        // Equal times keep the order in which they were told; the event's id settles what is left, so that no build depends
        // on chance.
        let order = ["person_id", "occurred_at", "received_at", "origin_row", "event_id"];
        let mut stream = sorted(self.session, events.select(input(self.people))?, &order).await?;
        let mut builder = JourneyBuilder::with_shared_orders(&self.workspace.settings().journey_rules(), self.orders)?;
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
}

/// What journeys are made of: columns of `events`, each with its person.
pub(super) fn input(people: &Arc<People>) -> Vec<Expr> {
    let given = INPUT_COLUMNS.into_iter().filter(|name| !["person_id", "properties"].contains(name));
    let mut columns: Vec<Expr> = given.map(col).collect();
    columns.push(people.expression().alias("person_id"));
    columns.push(tags::with_properties().alias("properties"));
    columns.extend(NAMESPACES.map(|(_, column)| col(column)));
    columns.extend(["received_at", "origin_row"].map(col));
    columns
}

/// The rows in the order of these columns.
///
/// All memory goes to one sort: several side by side take it from each other when they merge what they spilled, and large
/// tables then fail.
pub(super) async fn sorted(session: &Session, events: DataFrame, order: &[&str]) -> Result<SendableRecordBatchStream> {
    let plan = events.create_physical_plan().await?;
    let terms = order.iter().map(|name| Ok(PhysicalSortExpr::new_default(col_of(name, &plan.schema())?)));
    let plan: Arc<dyn ExecutionPlan> = match LexOrdering::new(terms.collect::<Result<Vec<_>>>()?) {
        Some(order) => Arc::new(SortExec::new(order, Arc::new(CoalescePartitionsExec::new(plan)))),
        None => plan,
    };
    Ok(execute_stream(plan, session.context().task_ctx())?)
}

/// The same rows; what its filter does not look at is only read of those that pass. It costs more where many pass.
pub(super) fn read_if(rows: DataFrame) -> DataFrame {
    let (mut state, plan) = rows.into_parts();
    state.config_mut().options_mut().execution.parquet.pushdown_filters = true;
    DataFrame::new(state, plan)
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
