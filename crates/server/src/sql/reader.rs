//! What a connection may do: read.
use super::{
    copy,
    dialect::translate,
    errors::{error, of_query},
    hook::{Answer, Hook},
    login::Seat,
    names::restore,
    service::set_timeout,
    variables::{self, Setting},
};
use datafusion::{
    common::ParamValues,
    logical_expr::LogicalPlan,
    prelude::{DataFrame, SessionContext},
    sql::{parser::Statement as Parsed, sqlparser::ast::Statement},
};
use datafusion_postgres::{
    arrow_pg::datatypes::df::encode_dataframe,
    hooks::HookClient,
    pgwire::{
        api::{
            ClientInfo,
            portal::Format,
            results::{Response, Tag},
        },
        error::PgWireResult,
        messages::response::TransactionStatus,
        types::format::FormatOptions,
    },
};
use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};
use safar_engine::{Engine, Session};
use safar_pipeline::{Workspace, privacy::Act, report::add_conflicts};
use safar_store::Snapshot;
use serde_json::json;
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// What a connection sees: one version of every table, moved on between statements.
pub struct View {
    workspace: Workspace,
    engine: Engine,
    session: Session,
    seen: Mutex<Snapshot>,
}

impl View {
    /// The newest version.
    pub async fn open(workspace: Workspace) -> safar_pipeline::Result<Self> {
        let engine = workspace.engine()?;
        let snapshot = workspace.store().snapshot().await?;
        let session = engine.session(&snapshot)?;
        // What is now, and times with a zone, are instants, as the tables' are.
        let zone = session.context().sql("SET datafusion.execution.time_zone = 'UTC'").await;
        zone.map_err(safar_engine::Error::from)?;
        add_conflicts(&workspace, &session, &snapshot)?;
        Ok(Self { workspace, engine, session, seen: Mutex::new(snapshot) })
    }

    /// The session of the connection.
    pub fn context(&self) -> SessionContext {
        self.session.context().clone()
    }

    /// Moves on to what was published last.
    async fn refresh(&self) -> safar_pipeline::Result<()> {
        let newest = self.workspace.store().snapshot().await?;
        let mut seen = self.seen.lock().await;
        if *seen != newest {
            self.engine.advance(&self.session, &newest)?;
            add_conflicts(&self.workspace, &self.session, &newest)?;
            *seen = newest;
        }
        Ok(())
    }
}

/// Plans a statement, and makes sure that it only reads.
pub async fn plan(context: &SessionContext, statement: &Statement) -> PgWireResult<LogicalPlan> {
    let mut statement = statement.clone();
    let names = translate(&mut statement).map_err(|problem| error("0A000", problem))?;
    let parsed = Parsed::Statement(Box::new(statement));
    let plan = context.state().statement_to_plan(parsed).await.map_err(of_query)?;
    Session::check_read_only(&plan).map_err(|problem| error("25006", problem.to_string()))?;
    match names {
        Some(names) => restore(plan, &names).map_err(of_query),
        None => Ok(plan),
    }
}

/// First of all: refuses those who may no longer ask and what is no reading, and moves the view on.
pub struct Guard {
    /// What the connection sees.
    pub view: Arc<View>,
    /// Who asks.
    pub seat: Arc<Seat>,
    /// The longest that a statement may take.
    pub timeout: Option<Duration>,
}

impl Guard {
    fn admitted<'a>(&'a self, statement: &'a Statement, status: TransactionStatus) -> BoxFuture<'a, PgWireResult<()>> {
        self.admit(statement, status).boxed()
    }

    async fn admit(&self, statement: &Statement, status: TransactionStatus) -> PgWireResult<()> {
        self.seat.user()?;
        if status == TransactionStatus::Idle {
            self.view.refresh().await.map_err(|problem| error("XX000", problem.to_string()))?;
        }
        match statement {
            // `Reader` and `Cursors` look at what these would do.
            Statement::Query(_)
            | Statement::Explain { .. }
            | Statement::ExplainTable { .. }
            | Statement::Declare { .. } => Ok(()),
            Statement::Copy { .. } => copy::wanted(statement).map_or(Ok(()), |wanted| wanted.map(drop)),
            // Options of the query engine are limits of this server.
            Statement::Set(_) if statement.to_string().to_lowercase().contains("datafusion.") => {
                Err(error("42501", "options of the query engine cannot be changed here"))
            }
            Statement::Set(set) => variables::setting(set).map(drop),
            Statement::ShowVariable { .. }
            | Statement::ShowStatus { .. }
            | Statement::ShowCatalogs { .. }
            | Statement::Fetch { .. }
            | Statement::Close { .. }
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. }
            | Statement::Discard { .. }
            | Statement::Deallocate { .. }
            | Statement::UNLISTEN { .. }
            | Statement::Reset(_) => Ok(()),
            other => {
                let text = other.to_string();
                let word = text.split_whitespace().next().unwrap_or_default();
                Err(error("25006", format!("cannot execute {word}: queries only read")))
            }
        }
    }
}

impl Guard {
    /// Sets what statements of the connection are limited by; nothing for other statements.
    fn set(&self, statement: &Statement, client: &mut dyn HookClient) -> Option<PgWireResult<Response>> {
        let set = match statement {
            Statement::Set(set) => set,
            Statement::Reset(_) => {
                if variables::resets_timeout(statement) {
                    set_timeout(client, self.timeout);
                }
                return Some(Ok(Response::Execution(Tag::new("RESET"))));
            }
            Statement::ShowVariable { variable } => return variables::show(variable, client),
            _ => return None,
        };
        match variables::setting(set) {
            Ok(Some(Setting::Timeout(wanted))) => {
                let limits = [wanted, self.timeout];
                set_timeout(client, limits.into_iter().flatten().min());
                Some(Ok(Response::Execution(Tag::new("SET"))))
            }
            // The zone that connections have.
            Ok(Some(Setting::TimeZone)) => Some(Ok(Response::Execution(Tag::new("SET")))),
            Ok(None) => None,
            Err(problem) => Some(Err(problem)),
        }
    }
}

/// Tags of statements that tidy up what a connection does not have.
fn tidy(statement: &Statement) -> Option<Response> {
    match statement {
        Statement::Discard { object_type } => Some(Response::Execution(Tag::new(&format!("DISCARD {object_type}")))),
        Statement::Deallocate { .. } => Some(Response::Execution(Tag::new("DEALLOCATE"))),
        Statement::UNLISTEN { .. } => Some(Response::Execution(Tag::new("UNLISTEN"))),
        // Nothing was written that could be kept or undone.
        Statement::Savepoint { .. } => Some(Response::Execution(Tag::new("SAVEPOINT"))),
        Statement::ReleaseSavepoint { .. } => Some(Response::Execution(Tag::new("RELEASE"))),
        _ => None,
    }
}

/// No columns and no rows.
pub fn nothing() -> LogicalPlan {
    LogicalPlan::EmptyRelation(datafusion::logical_expr::EmptyRelation {
        produce_one_row: false,
        schema: Arc::new(datafusion::common::DFSchema::empty()),
    })
}

impl Hook for Guard {
    fn simple<'a>(
        &'a self,
        statement: &'a Statement,
        _: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response> {
        let admitted = self.admitted(statement, client.transaction_status());
        let answer = self.set(statement, client).or_else(|| tidy(statement).map(Ok));
        admitted.map(move |admitted| admitted.map_or_else(|problem| Some(Err(problem)), |()| answer)).boxed()
    }

    fn parse<'a>(
        &'a self,
        statement: &'a Statement,
        _: &'a SessionContext,
        client: &(dyn ClientInfo + Send + Sync),
    ) -> Answer<'a, LogicalPlan> {
        let admitted = self.admitted(statement, client.transaction_status());
        let plan = || match statement {
            Statement::ShowVariable { variable } => variables::shown_as(variable),
            Statement::Reset(_) => Some(nothing()),
            _ => tidy(statement).map(|_| nothing()),
        };
        admitted.map(move |admitted| admitted.map(|()| plan()).transpose()).boxed()
    }

    fn extended<'a>(
        &'a self,
        statement: &'a Statement,
        _: &'a ParamValues,
        _: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response> {
        // It was prepared when its owner might still ask.
        let answer = match self.seat.user() {
            Ok(_) => self.set(statement, client).or_else(|| tidy(statement).map(Ok)),
            Err(problem) => Some(Err(problem)),
        };
        ready(answer).boxed()
    }
}

/// Last of all: answers queries.
pub struct Reader {
    /// Who asks.
    pub seat: Arc<Seat>,
}

async fn answer(
    statement: &Statement,
    context: &SessionContext,
    options: Arc<FormatOptions>,
    seat: &Seat,
) -> PgWireResult<Response> {
    let (query, style) = match copy::wanted(statement).transpose()? {
        Some((query, style)) => {
            // Before the first row leaves; how many will follow is not known.
            let noted = seat.app().note(&seat.user()?.email, Act::Download, json!({ "what": "copy" }));
            noted.map_err(|problem| error("58030", problem.detail))?;
            (Cow::Owned(query), Some(style))
        }
        None => (Cow::Borrowed(statement), None),
    };
    let frame = DataFrame::new(context.state(), plan(context, &query).await?);
    let format = style.as_ref().map_or(Format::UnifiedText, copy::Style::cells);
    let rows = encode_dataframe(frame, &format, Some(options)).await?;
    Ok(match style {
        Some(style) => Response::CopyOut(copy::copy(rows, style)),
        None => Response::Query(rows),
    })
}

impl Reader {
    /// The same, for a client.
    fn answered<'a>(
        &'a self,
        statement: &'a Statement,
        context: &'a SessionContext,
        client: &mut dyn HookClient,
    ) -> Answer<'a, Response> {
        let options = Arc::new(FormatOptions::from_client_metadata(client.metadata()));
        answer(statement, context, options, &self.seat).map(Some).boxed()
    }
}

impl Hook for Reader {
    fn simple<'a>(
        &'a self,
        statement: &'a Statement,
        context: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response> {
        self.answered(statement, context, client)
    }

    fn parse<'a>(
        &'a self,
        statement: &'a Statement,
        context: &'a SessionContext,
        _: &(dyn ClientInfo + Send + Sync),
    ) -> Answer<'a, LogicalPlan> {
        match statement {
            Statement::Copy { .. } => ready(Some(Ok(nothing()))).boxed(),
            _ => plan(context, statement).map(Some).boxed(),
        }
    }

    fn extended<'a>(
        &'a self,
        statement: &'a Statement,
        _: &'a ParamValues,
        context: &'a SessionContext,
        client: &'a mut dyn HookClient,
    ) -> Answer<'a, Response> {
        match statement {
            Statement::Copy { .. } => self.answered(statement, context, client),
            // Queries have their plan, which the service runs with the parameters.
            _ => ready(None).boxed(),
        }
    }
}
