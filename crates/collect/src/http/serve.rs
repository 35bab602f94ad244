//! Connections: so many at a time, none that dawdles, and none cut off when the server stops.
use super::{Collector, router};
use axum::body::Body;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tower::Service;

/// The longest wait for the head of a request, also of the next one on a connection.
const HEAD: Duration = Duration::from_secs(30);
/// The longest that a server which stops waits for requests that are being answered.
const DRAIN: Duration = Duration::from_secs(30);
/// The pause after a connection could not be accepted, such as where files are used up.
const PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub SocketAddr);

/// Answers requests until `stop` is done; then no more connections are accepted, those that are being answered end, and
/// what is in the log is sealed.
pub async fn serve(collector: Collector, listener: TcpListener, stop: impl Future<Output = ()>) {
    let router = router(collector.clone());
    let most = (collector.settings().max_connections as usize).clamp(1, Semaphore::MAX_PERMITS);
    let free = Arc::new(Semaphore::new(most));
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
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            router.clone().call(request.map(Body::new))
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
    collector.log().seal().await;
}
