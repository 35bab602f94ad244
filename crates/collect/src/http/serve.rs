//! Connections: so many at a time, none that dawdles, and none cut off when the server stops.
use super::{Collector, handle::handle};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};

/// The longest wait for the head of a request, also of the next one on a connection.
const HEAD: Duration = Duration::from_secs(30);
/// The longest that a server which stops waits for requests that are being answered.
const DRAIN: Duration = Duration::from_secs(30);
/// The pause after a connection could not be accepted, such as where files are used up.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers requests until `stop` is done; then no more connections are accepted, those that are being answered end, and
/// what is in the log is sealed.
pub async fn serve(collector: Collector, listener: TcpListener, stop: impl Future<Output = ()>) {
    let (most, answering) = (collector.settings().max_connections as usize, collector.clone());
    listen(listener, most, stop, move |request, peer| handle(answering.clone(), request, peer)).await;
    collector.log().seal().await;
}

/// Answers requests over at most so many connections until `stop` is done. Public so that the benchmark's empty server
/// listens in the same way.
#[doc(hidden)]
pub async fn listen<A>(
    listener: TcpListener,
    most: usize,
    stop: impl Future<Output = ()>,
    answer: impl Fn(Request<Incoming>, SocketAddr) -> A + Clone + Send + 'static,
) where
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&free).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, peer, place) = tokio::select! {
            () = &mut stop => break,
            (accepted, place) = next => match accepted {
                Ok((stream, peer)) => (stream, peer, place),
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true); // a matter of speed alone
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request, peer);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut off that had not ended");
    }
}
