//! Cancelling: also while rows are on their way, which the protocol's library leaves to its users.
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
use futures::{
    FutureExt, Sink, Stream, StreamExt,
    channel::oneshot::Receiver,
    future::{BoxFuture, Either, select},
    stream,
};
use std::{fmt::Debug, pin::Pin, sync::Arc};

type Rows<T> = Pin<Box<dyn Stream<Item = PgWireResult<T>> + Send>>;
type Handle = Option<Arc<Arc<ConnectionHandle>>>;

/// Answers queries until somebody cancels them.
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
        let handle = client.session_extensions().get();
        all_cancellable(SimpleQueryHandler::do_query(self.0.as_ref(), client, query), handle)
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
        let handle = client.session_extensions().get();
        one_cancellable(ExtendedQueryHandler::do_query(self.0.as_ref(), client, portal, max_rows), handle)
    }
}

fn one_cancellable(
    answer: BoxFuture<'_, PgWireResult<Response>>,
    handle: Handle,
) -> BoxFuture<'_, PgWireResult<Response>> {
    async move { Ok(cancellable(answer.await?, &handle)) }.boxed()
}

fn all_cancellable(
    answers: BoxFuture<'_, PgWireResult<Vec<Response>>>,
    handle: Handle,
) -> BoxFuture<'_, PgWireResult<Vec<Response>>> {
    async move { Ok(answers.await?.into_iter().map(|answer| cancellable(answer, &handle)).collect()) }.boxed()
}

fn cancellable(answer: Response, handle: &Handle) -> Response {
    let Some(handle) = handle else { return answer };
    match answer {
        Response::Query(mut rows) => {
            rows.data_rows = until_cancelled(rows.data_rows, Arc::clone(handle.as_ref()));
            Response::Query(rows)
        }
        Response::CopyOut(mut copy) => {
            copy.data_stream = until_cancelled(copy.data_stream, Arc::clone(handle.as_ref()));
            Response::CopyOut(copy)
        }
        other => other,
    }
}

/// The rows, and an error in place of the rest once the query is cancelled.
#[expect(clippy::async_yields_async, reason = "what it yields is the signal, to be waited for beside the rows")]
fn until_cancelled<T: Send + 'static>(rows: Rows<T>, handle: Arc<ConnectionHandle>) -> Rows<T> {
    // Only when the first row is wanted: until then, the library itself waits for the signal.
    let begun = stream::once(async move { handle.start_query().await });
    let mut rows = Some(rows);
    begun.flat_map(move |signal| follow(rows.take(), signal)).boxed()
}

fn follow<T: Send + 'static>(rows: Option<Rows<T>>, signal: Receiver<()>) -> Rows<T> {
    let next = |(rows, signal): (Option<Rows<T>>, Option<Receiver<()>>)| async move {
        let mut rows = rows?;
        let Some(waiting) = signal else { return rows.next().await.map(|row| (row, (Some(rows), None))) };
        match select(rows.next(), waiting).await {
            Either::Left((row, waiting)) => row.map(|row| (row, (Some(rows), Some(waiting)))),
            Either::Right((Ok(()), _)) => Some((Err(PgWireError::QueryCanceled), (None, None))),
            // Another query of the connection has begun: this one can no longer be cancelled, and goes on.
            Either::Right((Err(_), row)) => row.await.map(|row| (row, (Some(rows), None))),
        }
    };
    stream::unfold((rows, Some(signal)), next).boxed()
}
