//! Cursors: `DECLARE`, `FETCH` and `CLOSE`, by which drivers take rows by and by.
use super::{
    errors::{error, of_query},
    hook::{Answer, Hook},
    reader::{nothing, plan},
};
use datafusion::{
    common::ParamValues,
    logical_expr::{EmptyRelation, LogicalPlan, Projection},
    prelude::{DataFrame, SessionContext},
    sql::sqlparser::ast::{CloseCursor, Declare, DeclareType, FetchDirection, Ident, Statement, Value},
};
use datafusion_postgres::{
    arrow_pg::datatypes::df::encode_dataframe,
    hooks::HookClient,
    pgwire::{
        api::{
            ClientInfo,
            portal::{Format, Portal},
            results::{Response, Tag},
            stmt::StoredStatement,
            store::{Entry, PortalStore},
        },
        error::PgWireResult,
        types::format::FormatOptions,
    },
};
use futures::{FutureExt, future::ready};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The cursors of a connection.
#[derive(Default)]
pub struct Cursors {
    /// What those that were declared ask: clients want to know the columns before they fetch.
    plans: Mutex<HashMap<String, LogicalPlan>>,
}

impl Cursors {
    async fn declare(
        &self,
        declared: &Declare,
        parameters: Option<&ParamValues>,
        context: &SessionContext,
        client: &mut dyn HookClient,
    ) -> PgWireResult<()> {
        let (name, statement) = asked(declared)?;
        let plan = plan(context, &statement).await?;
        let plan = match parameters {
            Some(parameters) => plan.replace_params_with_values(parameters).map_err(of_query)?,
            None => plan,
        };
        let frame = DataFrame::new(context.state(), plan.clone());
        let options = Arc::new(FormatOptions::from_client_metadata(client.metadata()));
        let rows = encode_dataframe(frame, &Format::UnifiedText, Some(options)).await?;
        let stored =
            StoredStatement::new(name.clone(), (statement.to_string(), Some((statement, plan.clone()))), vec![]);
        let portal = Portal::new_cursor(name.clone(), Arc::new(stored));
        portal.start(rows).await;
        client.portal_store().put_portal(Arc::new(portal));
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).insert(name, plan);
        Ok(())
    }

    async fn run(
        &self,
        statement: &Statement,
        parameters: Option<&ParamValues>,
        context: &SessionContext,
        client: &mut dyn HookClient,
    ) -> Option<PgWireResult<Response>> {
        Some(match statement {
            Statement::Declare { stmts } => {
                for declared in stmts {
                    if let Err(problem) = self.declare(declared, parameters, context, client).await {
                        return Some(Err(problem));
                    }
                }
                Ok(Response::Execution(Tag::new("DECLARE CURSOR")))
            }
            Statement::Fetch { name, direction, .. } => fetch(name, direction, client).await,
            Statement::Close { cursor } => {
                let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
                match cursor {
                    CloseCursor::All => {
                        plans.clear();
                        client.portal_store().clear_portals();
                    }
                    CloseCursor::Specific { name } => {
                        plans.remove(&name.value);
                        client.portal_store().rm_portal(&name.value);
                    }
                }
                Ok(Response::Execution(Tag::new("CLOSE CURSOR")))
            }
            _ => return None,
        })
    }
}

/// The name of a cursor, and what it asks.
fn asked(declared: &Declare) -> PgWireResult<(String, Statement)> {
    match (&declared.declare_type, declared.names.as_slice(), &declared.for_query) {
        (Some(DeclareType::Cursor), [name], Some(query)) => Ok((name.value.clone(), Statement::Query(query.clone()))),
        _ => Err(error("42601", "only DECLARE name CURSOR FOR query can be had")),
    }
}

/// No columns of what cursors ask, whose parameters clients must give.
async fn parameters(stmts: &[Declare], context: &SessionContext) -> PgWireResult<LogicalPlan> {
    let Some(declared) = stmts.first() else { return Ok(nothing()) };
    let (_, statement) = asked(declared)?;
    let plan = Arc::new(plan(context, &statement).await?);
    Ok(LogicalPlan::Projection(Projection::try_new(vec![], plan).map_err(of_query)?))
}

async fn fetch(name: &Ident, direction: &FetchDirection, client: &mut dyn HookClient) -> PgWireResult<Response> {
    let rows = match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Some(1),
        FetchDirection::Forward { limit: Some(limit) } | FetchDirection::Count { limit } => match &limit.value {
            Value::Number(number, _) => number.parse().ok().filter(|rows| *rows > 0),
            _ => None,
        },
        // To the library, none are all.
        FetchDirection::ForwardAll | FetchDirection::All => Some(0),
        _ => None,
    };
    let rows: usize = rows.ok_or_else(|| error("0A000", "cursors only go forward"))?;
    let portal = match client.portal_store().get_portal(&name.value) {
        Some(Entry::Value(portal)) => portal,
        _ => return Err(error("34000", format!("cursor \"{}\" does not exist", name.value))),
    };
    Ok(Response::Query(portal.fetch(rows).await?.response))
}

/// Rows of the columns of `plan`.
fn like(plan: &LogicalPlan) -> LogicalPlan {
    LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema: Arc::clone(plan.schema()) })
}

impl Hook for Cursors {
    fn simple<'a>(
        &'a self,
        statement: &'a Statement,
        context: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response> {
        self.run(statement, None, context, client).boxed()
    }

    fn parse<'a>(
        &'a self,
        statement: &'a Statement,
        context: &'a SessionContext,
        _: &(dyn ClientInfo + Send + Sync),
    ) -> Answer<'a, LogicalPlan> {
        if let Statement::Declare { stmts } = statement {
            return parameters(stmts, context).map(Some).boxed();
        }
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = match statement {
            Statement::Fetch { name, .. } => Some(plans.get(&name.value).map_or_else(nothing, like)),
            Statement::Close { .. } => Some(nothing()),
            _ => None,
        };
        ready(plan.map(Ok)).boxed()
    }

    fn extended<'a>(
        &'a self,
        statement: &'a Statement,
        parameters: &'a ParamValues,
        context: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response> {
        self.run(statement, Some(parameters), context, client).boxed()
    }
}
