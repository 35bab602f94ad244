//! One request: read, decoded, made safe, answered.
use super::{Collector, KEPT_REFUSAL, body, body::Held, now, sources::Source};
use crate::{
    Protocol, Refusal, Reply, Request, Stored, cors, decode, log::AppendError, preflight, reply::Header, route::glance,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    http::request::Parts,
};
use safar_enrich::address;
use safar_model::Micros;
use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Larger bodies, in bytes, are decoded beside the threads that answer the others.
const LARGE: usize = 64 << 10;

pub(super) async fn handle(
    collector: Collector,
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let (inner, origin) = (&*collector.0, text(&parts, header::ORIGIN));
    let (method, path) = (asked(&parts), parts.uri.path());
    let let_in = inner.reader.sources.let_in(origin);
    let mut headers = cors(origin.filter(|_| let_in));
    let reply = if parts.method == Method::OPTIONS {
        if let_in {
            headers.extend(preflight(text(&parts, header::ACCESS_CONTROL_REQUEST_HEADERS)));
        } else {
            inner.notices.stranger(None, origin, now());
        }
        let known = ["POST", "GET"].iter().any(|method| inner.reader.route(method, path).is_some());
        Reply::empty(if known { 204 } else { 404 })
    } else if let Some(protocol) = inner.reader.route(method, path) {
        take(&collector, protocol, parts, body, peer).await.unwrap_or_else(|refusal| {
            inner.notices.refused(&refusal);
            refusal.reply()
        })
    } else {
        // Whoever looks for holes asks; clients send.
        if parts.method == Method::POST {
            inner.notices.path(path, now());
        }
        Reply::empty(404)
    };
    respond(reply, headers)
}

fn respond(reply: Reply, also: Vec<Header>) -> Response<Full<Bytes>> {
    let body = match reply.body {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    let mut headers = HeaderMap::with_capacity(8); // and those that the server adds
    for (name, value) in reply.headers.into_iter().chain(also) {
        let value = match value {
            Cow::Borrowed(text) => Ok(HeaderValue::from_static(text)), // written in this crate
            Cow::Owned(text) => HeaderValue::try_from(text),
        };
        // What cannot stand in a header is left out; decoders and `cors` write none of it.
        if let Ok(value) = value {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    *response.headers_mut() = headers;
    response
}

/// The method: `HEAD` is answered as `GET` is, without its body, and tells of nothing.
fn asked(parts: &Parts) -> &str {
    if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() }
}

fn text(parts: &Parts, name: HeaderName) -> Option<&str> {
    parts.headers.get(name)?.to_str().ok()
}

/// A request that was read.
struct Taken {
    protocol: Protocol,
    parts: Parts,
    held: Held,
    peer: SocketAddr,
    received_at: Micros,
}

/// What is to be done with it: the record is made safe before the answer is given.
struct Outcome {
    answer: Result<Reply, Refusal>,
    record: Option<Vec<u8>>,
    source: Option<Arc<Source>>,
    /// Why the event is not kept although its answer is given.
    not_kept: Option<Refusal>,
}

/// Why a click is not kept whose link leads on.
const CLICK: &str = "a click on a link that led on";
/// Why a request that cannot be read is not kept.
const UNREADABLE: &str = "a request that cannot be read, beyond those that are kept a second and a day";

async fn take(
    collector: &Collector,
    protocol: Protocol,
    parts: Parts,
    body: Incoming,
    peer: SocketAddr,
) -> Result<Reply, Refusal> {
    let (inner, once) = (&*collector.0, protocol.comes_once(asked(&parts)));
    let held = body::read(body, &inner.memory).await?;
    let received_at = now();
    let taken = Taken { protocol, parts, held, peer, received_at };
    collector.turn(received_at);
    let Outcome { answer, record, source, mut not_kept } = if taken.held.bytes.len() > LARGE {
        let _turn = inner.decoding.acquire().await;
        let collector = collector.clone();
        let outcome = tokio::task::spawn_blocking(move || taken.outcome(&collector)).await;
        outcome.map_err(|_| Refusal::Busy(LATER))?
    } else {
        let outcome = taken.outcome(collector);
        drop(taken); // it may wait long
        outcome
    };
    if let Some(record) = record {
        let handed = inner.log.hand(&record, once);
        drop(record);
        let safe = match handed {
            Ok(safe) => safe.await,
            Err(error) => Err(error),
        };
        match (safe, source) {
            (Ok(()), source) => _ = source.inspect(|source| source.took(received_at)),
            (Err(error), _) if answer.is_ok() && protocol == Protocol::Redirect => not_kept = Some(unsafe_now(error)),
            (Err(error), _) if answer.is_ok() => return Err(unsafe_now(error)),
            (Err(_), _) => inner.notices.not_kept(UNREADABLE),
        }
    }
    if let Some(refusal) = not_kept {
        inner.notices.refused(&refusal);
        inner.notices.not_kept(CLICK);
    }
    answer
}

/// When to come back where decoding failed or the disk is slow, in seconds.
const LATER: u32 = 2;
/// When to come back where there is no space.
const MUCH_LATER: u32 = 10;

fn unsafe_now(error: AppendError) -> Refusal {
    match error {
        AppendError::Full | AppendError::Disk(_) => Refusal::Busy(MUCH_LATER),
        AppendError::Busy | AppendError::Closed => Refusal::Busy(LATER),
        AppendError::TooLarge => Refusal::TooLarge,
    }
}

impl Taken {
    fn outcome(&self, collector: &Collector) -> Outcome {
        let (inner, settings) = (&*collector.0, collector.settings());
        let headers: Vec<(&str, &[u8])> =
            self.parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = Request {
            method: asked(&self.parts),
            path: self.parts.uri.path(),
            query: self.parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body: &self.held.bytes,
            remote: self.remote(settings.proxies),
            https: settings.proxies > 0
                && self.parts.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https"),
            received_at: self.received_at,
        };
        let record = |source: &str| Stored::encode(&request, source, settings.whole_addresses);
        let refused = |refusal: Refusal| Outcome { answer: Err(refusal), record: None, source: None, not_kept: None };
        let glance = glance(self.protocol, &request);
        let seen = glance.is_some();
        let closer = || inner.reader.under(self.received_at, |terms| decode(self.protocol, &request, terms));
        let decoded = match glance.map_or_else(closer, Ok) {
            Ok(decoded) => decoded,
            Err(refusal @ (Refusal::Unreadable(_) | Refusal::Damaged)) => {
                let kept = request.body.len() <= KEPT_REFUSAL && inner.refused.admit(false).is_ok();
                let record = kept.then(|| record(""));
                let record = record.filter(|record| inner.refused_bytes.take(self.received_at, record.len()));
                if record.is_none() {
                    inner.notices.not_kept(UNREADABLE);
                }
                return Outcome { record, ..refused(refusal) };
            }
            Err(refusal) => return refused(refusal),
        };
        let nothing = !seen && decoded.events.is_empty() && decoded.rejects.is_empty();
        let only_asked = nothing || self.parts.method == Method::HEAD;
        let origin = text(&self.parts, header::ORIGIN);
        let source = inner.reader.sources.of(self.protocol, &decoded, origin);
        if source.is_err() {
            inner.notices.stranger(decoded.key.as_deref(), origin, self.received_at);
        }
        let once = self.protocol.comes_once(request.method);
        let admit = |source: &Arc<Source>| if only_asked { Ok(()) } else { source.admit(once) };
        match source.and_then(|source| admit(source).map(|()| source)) {
            Ok(source) => {
                // Of those that `Source::took` counts, so that the two can be compared.
                let direct = settings.proxies == 0 && self.parts.headers.contains_key("x-forwarded-for");
                if !only_asked && (request.remote.is_none() || direct) {
                    inner.notices.forwarded(settings.proxies > 0);
                }
                Outcome {
                    record: (!only_asked).then(|| record(&source.settings.name)),
                    answer: Ok(decoded.reply),
                    source: Some(Arc::clone(source)),
                    not_kept: None,
                }
            }
            // Whoever clicked is led on; the link was signed here.
            Err(refusal) if self.protocol == Protocol::Redirect => {
                Outcome { answer: Ok(decoded.reply), not_kept: Some(refusal), ..refused(refusal) }
            }
            Err(refusal) => refused(refusal),
        }
    }

    /// Who sent it: as many steps back as there are proxies of our own.
    fn remote(&self, proxies: u8) -> Option<IpAddr> {
        match usize::from(proxies) {
            0 => Some(self.peer.ip()),
            back => {
                let lines = self.parts.headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
                let steps: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
                steps.len().checked_sub(back).and_then(|at| address::read(steps[at]))
            }
        }
    }
}
