//! What ends statements early, also while rows are on their way, which the protocol's library leaves to its users: cancelling, and a
//! limit of time.
use super::errors::error;
use datafusion_postgres::{
    DfSessionService,
    pgwire::{
        api::{
            ClientInfo, ClientPortalStore, ConnectionHandle,
            portal::Portal,
            query::{ExtendedQueryHandler, SimpleQueryHandler},
            results::Response,
            store::PortalStore,
        },
        error::{PgWireError, PgWireResult},
        messages::PgWireBackendMessage,
    },
};
use futures::{FutureExt, Sink, Stream, StreamExt, channel::oneshot::Receiver, future::BoxFuture, stream};
use std::{
    fmt::Debug,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep_until};

type Rows<T> = Pin<Box<dyn Stream<Item = PgWireResult<T>> + Send>>;
type Handle = Option<Arc<Arc<ConnectionHandle>>>;

/// Answers queries until somebody cancels them or their time is over.
pub struct Service(pub Arc<DfSessionService>);

// Functions that wait are written out here: docs/adr/0007-futures-written-out.md.
impl SimpleQueryHandler for Service {
    fn do_query<'life0, 'life1, 'life2, 'async_trait, C>(
        &'life0 self,
        client: &'life1 mut C,
        query: &'life2 str,
    ) -> BoxFuture<'async_trait, PgWireResult<Vec<Response>>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync + 'async_trait,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
    {
        let limits = Limits::of(&*client);
        all_limited(SimpleQueryHandler::do_query(self.0.as_ref(), client, query), limits)
    }
}

impl ExtendedQueryHandler for Service {
    type Statement = <DfSessionService as ExtendedQueryHandler>::Statement;
    type QueryParser = <DfSessionService as ExtendedQueryHandler>::QueryParser;

    fn query_parser(&self) -> Arc<Self::QueryParser> {
        self.0.query_parser()
    }

    fn do_query<'life0, 'life1, 'life2, 'async_trait, C>(
        &'life0 self,
        client: &'life1 mut C,
        portal: &'life2 Portal<Self::Statement>,
        max_rows: usize,
    ) -> BoxFuture<'async_trait, PgWireResult<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync + 'async_trait,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
    {
        let limits = Limits::of(&*client);
        one_limited(ExtendedQueryHandler::do_query(self.0.as_ref(), client, portal, max_rows), limits)
    }
}

/// What stops a statement: somebody who cancels it, or its time.
#[derive(Clone)]
struct Limits {
    handle: Handle,
    /// How long it may still be computed.
    left: Option<Duration>,
}

impl Limits {
    fn of(client: &impl ClientInfo) -> Self {
        Self { handle: client.session_extensions().get(), left: timeout(client) }
    }
}

/// Where the library keeps the time limit of a connection's statements, in milliseconds; `SHOW statement_timeout` reads it.
const TIMEOUT: &str = "statement_timeout_ms";

/// How long statements of a connection may be computed.
fn timeout(client: &impl ClientInfo) -> Option<Duration> {
    client.metadata().get(TIMEOUT)?.parse().ok().map(Duration::from_millis)
}

/// Sets it.
pub fn set_timeout<C: ClientInfo + ?Sized>(client: &mut C, timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => client.metadata_mut().insert(TIMEOUT.to_owned(), timeout.as_millis().to_string()),
        None => client.metadata_mut().remove(TIMEOUT),
    };
}

fn too_long() -> PgWireError {
    error("57014", "canceling statement due to statement timeout")
}

fn one_limited(answer: BoxFuture<'_, PgWireResult<Response>>, limits: Limits) -> BoxFuture<'_, PgWireResult<Response>> {
    async move {
        let (answer, limits) = begun(answer, limits).await?;
        Ok(limited(answer, &limits))
    }
    .boxed()
}

fn all_limited(
    answers: BoxFuture<'_, PgWireResult<Vec<Response>>>,
    limits: Limits,
) -> BoxFuture<'_, PgWireResult<Vec<Response>>> {
    async move {
        let (answers, limits) = begun(answers, limits).await?;
        Ok(answers.into_iter().map(|answer| limited(answer, &limits)).collect())
    }
    .boxed()
}

/// What comes before the rows, and the time that is left for them.
async fn begun<T>(answer: BoxFuture<'_, PgWireResult<T>>, limits: Limits) -> PgWireResult<(T, Limits)> {
    let Some(left) = limits.left else { return Ok((answer.await?, limits)) };
    let since = Instant::now();
    let answer = tokio::time::timeout(left, answer).await.map_err(|_| too_long())??;
    Ok((answer, Limits { left: Some(left.saturating_sub(since.elapsed())), ..limits }))
}

fn limited(answer: Response, limits: &Limits) -> Response {
    match answer {
        Response::Query(mut rows) => {
            rows.data_rows = until_stopped(rows.data_rows, limits.clone());
            Response::Query(rows)
        }
        Response::CopyOut(mut copy) => {
            copy.data_stream = until_stopped(copy.data_stream, limits.clone());
            Response::CopyOut(copy)
        }
        other => other,
    }
}

/// The rows, and an error in place of the rest once the query is cancelled or its time is over.
fn until_stopped<T: Send + 'static>(rows: Rows<T>, limits: Limits) -> Rows<T> {
    // Only when the first row is wanted: until then, the library itself waits for the signal.
    let Limits { handle, left } = limits;
    let begun = stream::once(async move {
        match handle {
            Some(handle) => Some(handle.start_query().await),
            None => None,
        }
    });
    let mut rows = Some(rows);
    begun.flat_map(move |signal| Limited { rows: rows.take(), signal, left, pause: None }).boxed()
}

/// Rows that end when they are cancelled, or were computed for too long. The time in which the client takes rows does not count.
struct Limited<T> {
    /// None once they have ended.
    rows: Option<Rows<T>>,
    signal: Option<Receiver<()>>,
    left: Option<Duration>,
    /// Since when a row is waited for, and what ends that.
    pause: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<T> Limited<T> {
    fn spend(&mut self, since: Instant) {
        self.left = self.left.map(|left| left.saturating_sub(since.elapsed()));
    }

    fn stop(&mut self, why: PgWireError) -> Poll<Option<PgWireResult<T>>> {
        self.rows = None;
        Poll::Ready(Some(Err(why)))
    }
}

impl<T> Stream for Limited<T> {
    type Item = PgWireResult<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(rows) = &mut this.rows else { return Poll::Ready(None) };
        let since = this.pause.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        if let Poll::Ready(row) = rows.as_mut().poll_next(context) {
            this.pause = None;
            this.spend(since);
            return match row {
                Some(Ok(_)) if this.left.is_some_and(|left| left.is_zero()) => this.stop(too_long()),
                row => Poll::Ready(row),
            };
        }
        if let Some(signal) = &mut this.signal
            && let Poll::Ready(end) = signal.poll_unpin(context)
        {
            // An error: another query of the connection has begun, this one can no longer be cancelled, and goes on.
            this.signal = None;
            if end.is_ok() {
                return this.stop(PgWireError::QueryCanceled);
            }
        }
        if let Some(left) = this.left {
            let (_, end) = this.pause.get_or_insert_with(|| (since, Box::pin(sleep_until((since + left).into()))));
            if end.as_mut().poll(context).is_ready() {
                return this.stop(too_long());
            }
        }
        Poll::Pending
    }
}
