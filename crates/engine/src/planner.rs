//! Query planners of our own: the engine's trait written out once (docs/adr/0007-futures-written-out.md).
use datafusion::{
    catalog::Session, common::Result, execution::context::QueryPlanner, logical_expr::LogicalPlan,
    physical_plan::ExecutionPlan,
};
use futures::future::BoxFuture;
use std::{fmt::Debug, sync::Arc};

/// A plan that is being made.
pub(crate) type Planned<'a> = BoxFuture<'a, Result<Arc<dyn ExecutionPlan>>>;

/// Makes plans that can be run.
pub(crate) trait Plan: Debug + Send + Sync + 'static {
    fn plan<'a>(&'a self, query: &'a LogicalPlan, session: &'a dyn Session) -> Planned<'a>;
}

/// The query planner of it.
#[derive(Debug)]
pub(crate) struct Planner<P>(pub P);

impl<P: Plan> QueryPlanner for Planner<P> {
    fn create_physical_plan<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        query: &'life1 LogicalPlan,
        session: &'life2 dyn Session,
    ) -> Planned<'async_trait>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
    {
        self.0.plan(query, session)
    }
}
