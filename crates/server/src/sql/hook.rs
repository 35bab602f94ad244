//! Hooks of our own: the library's trait written out once (docs/adr/0007-futures-written-out.md).
use datafusion::{
    common::ParamValues, logical_expr::LogicalPlan, prelude::SessionContext, sql::sqlparser::ast::Statement,
};
use datafusion_postgres::{
    QueryHook,
    hooks::HookClient,
    pgwire::{
        api::{ClientInfo, results::Response},
        error::PgWireResult,
    },
};
use futures::future::BoxFuture;

/// What a hook answers with; nothing where it leaves a statement to the next one.
pub type Answer<'a, T> = BoxFuture<'a, Option<PgWireResult<T>>>;

/// Looks at statements before they are run.
pub trait Hook: Send + Sync + 'static {
    /// A statement of the simple protocol.
    fn simple<'a>(
        &'a self,
        statement: &'a Statement,
        context: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response>;

    /// A statement of the extended protocol, to be planned.
    fn parse<'a>(
        &'a self,
        statement: &'a Statement,
        context: &'a SessionContext,
        client: &(dyn ClientInfo + Send + Sync),
    ) -> Answer<'a, LogicalPlan>;

    /// The same, to be run with its parameters.
    fn extended<'a>(
        &'a self,
        statement: &'a Statement,
        parameters: &'a ParamValues,
        context: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response>;
}

/// The library's hook of it.
pub struct Hooked<H>(pub H);

impl<H: Hook> QueryHook for Hooked<H> {
    fn handle_simple_query<'life0, 'life1, 'life2, 'life3, 'async_trait>(
        &'life0 self,
        statement: &'life1 Statement,
        context: &'life2 SessionContext,
        client: &'life3 mut dyn HookClient,
    ) -> Answer<'async_trait, Response>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
    {
        self.0.simple(statement, context, client)
    }

    fn handle_extended_parse_query<'life0, 'life1, 'life2, 'life3, 'async_trait>(
        &'life0 self,
        statement: &'life1 Statement,
        context: &'life2 SessionContext,
        client: &'life3 (dyn ClientInfo + Send + Sync),
    ) -> Answer<'async_trait, LogicalPlan>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
    {
        self.0.parse(statement, context, client)
    }

    fn handle_extended_query<'life0, 'life1, 'life2, 'life3, 'life4, 'life5, 'async_trait>(
        &'life0 self,
        statement: &'life1 Statement,
        _: &'life2 LogicalPlan,
        parameters: &'life3 ParamValues,
        context: &'life4 SessionContext,
        client: &'life5 mut dyn HookClient,
    ) -> Answer<'async_trait, Response>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
        'life4: 'async_trait,
        'life5: 'async_trait,
    {
        self.0.extended(statement, parameters, context, client)
    }
}
