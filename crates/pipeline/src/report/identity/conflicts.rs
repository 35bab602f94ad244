//! The table `identity_conflicts` of SQL: the links that join nobody, found when a query reads it.
use super::super::answer::{instants, maybe_texts, numbers, texts};
use crate::{Result, Workspace, build::people::graph};
use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::{
    catalog::{Session as PlanSession, TableProvider},
    common::{DataFusionError, Result as PlanResult},
    datasource::{TableType, memory::MemorySourceConfig},
    logical_expr::Expr,
    physical_plan::ExecutionPlan,
};
use futures::{FutureExt, future::BoxFuture};
use safar_engine::Session;
use safar_identity::{Conflict, Link};
use safar_model::table::instant;
use safar_store::Snapshot;
use std::sync::Arc;

/// Its name in SQL.
const NAME: &str = "identity_conflicts";

/// A session over the newest snapshot for questions in SQL: it knows `identity_conflicts` beside the tables.
///
/// # Errors
/// When the tables cannot be read.
pub async fn sql_session(workspace: &Workspace) -> Result<Session> {
    let session = super::super::session(workspace).await?;
    add_conflicts(workspace, &session, session.snapshot())?;
    Ok(session)
}

/// Lets a session know the table `identity_conflicts` of a snapshot, by the rules of the workspace as they are now.
///
/// # Errors
/// When the session cannot take it.
pub fn add_conflicts(workspace: &Workspace, session: &Session, snapshot: &Snapshot) -> Result<()> {
    let workspace = workspace.pinned(snapshot.clone());
    let table = Conflicts { workspace, schema: schema() };
    session.context().register_table(NAME, Arc::new(table)).map_err(|error| session.explain(error))?;
    Ok(())
}

/// As `identity_links`, with the rule and both people.
fn schema() -> SchemaRef {
    let text = |name: &str, null| Field::new(name, DataType::Utf8, null);
    Arc::new(Schema::new(vec![
        text("ns_a", false),
        text("id_a", false),
        text("ns_b", false),
        text("id_b", false),
        Field::new("observed_at", instant(), false),
        text("source", true),
        text("event_id", true),
        text("kind", false),
        Field::new("confidence", DataType::Float64, false),
        text("rule", false),
        Field::new("person_a", DataType::Int64, false),
        Field::new("person_b", DataType::Int64, false),
    ]))
}

#[derive(Debug)]
struct Conflicts {
    workspace: Workspace,
    schema: SchemaRef,
}

impl Conflicts {
    async fn rows(&self) -> Result<RecordBatch> {
        let session = super::super::session(&self.workspace).await?;
        let (graph, _) = graph(&session, &self.workspace.settings().identity).await?;
        let found = graph.resolve().conflicts;
        let link = |of: fn(&Link) -> &str| texts(found.iter().map(|conflict| of(&conflict.link)));
        let people =
            |of: fn(&Conflict) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(found.iter().map(of))) };
        let columns = vec![
            link(|link| &link.ns_a),
            link(|link| &link.id_a),
            link(|link| &link.ns_b),
            link(|link| &link.id_b),
            instants(found.iter().map(|conflict| Some(conflict.link.observed_at))),
            maybe_texts(found.iter().map(|conflict| conflict.link.source.as_deref())),
            maybe_texts(found.iter().map(|conflict| conflict.link.event_id.as_deref())),
            link(|link| link.kind.as_str()),
            numbers(found.iter().map(|conflict| Some(conflict.link.confidence))),
            texts(found.iter().map(|conflict| conflict.rule.to_string())),
            people(|conflict| conflict.person_a),
            people(|conflict| conflict.person_b),
        ];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    async fn plan(&self, projection: Option<Vec<usize>>) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let rows = self.rows().await.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(MemorySourceConfig::try_new_exec(&[vec![rows]], Arc::clone(&self.schema), projection)?)
    }
}

impl TableProvider for Conflicts {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    // Written out: docs/adr/0007-futures-written-out.md.
    fn scan<'life0, 'life1, 'life2, 'life3, 'async_trait>(
        &'life0 self,
        _: &'life1 dyn PlanSession,
        projection: Option<&'life2 Vec<usize>>,
        _: &'life3 [Expr],
        _: Option<usize>,
    ) -> BoxFuture<'async_trait, PlanResult<Arc<dyn ExecutionPlan>>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
    {
        self.plan(projection.cloned()).boxed()
    }
}
