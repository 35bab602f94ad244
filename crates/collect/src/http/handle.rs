//! One request: read, decoded, made safe, answered.
use super::{Collector, KEPT_REFUSAL, body, body::Held, now, serve::Peer, sources::Source};
use crate::{
    Protocol, Refusal, Reply, Request, Stored, cors, decode, log::AppendError, preflight, route, route::glance,
};
use axum::{
    body::{Body, Bytes},
    extract::{Request as HttpRequest, State},
    http::{HeaderName, HeaderValue, Method, header, request::Parts},
    response::Response,
};
use safar_model::Micros;
use std::{borrow::Cow, net::IpAddr, sync::Arc};

/// Larger bodies, in bytes, are decoded beside the threads that answer the others.
const LARGE: usize = 64 << 10;

pub(super) async fn handle(State(collector): State<Collector>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let origin = text(&parts, header::ORIGIN).map(str::to_owned);
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let let_in = collector.0.reader.sources.let_in(origin.as_deref());
    let mut headers = cors(origin.as_deref().filter(|_| let_in));
    let reply = if parts.method == Method::OPTIONS {
        if let_in {
            headers.extend(preflight());
        } else {
            collector.0.notices.stranger(None, origin.as_deref(), now());
        }
        let known = ["POST", "GET"].iter().any(|method| route(method, path).is_some());
        Reply::empty(if known { 204 } else { 404 })
    } else if let Some(protocol) = route(method, path) {
        let notices = collector.clone();
        let taken = take(collector, protocol, parts, body, origin).await;
        taken.unwrap_or_else(|refusal| {
            notices.0.notices.refused(&refusal);
            refusal.reply()
        })
    } else {
        Reply::empty(404)
    };
    respond(reply, headers)
}

fn respond(reply: Reply, also: Vec<(&'static str, String)>) -> Response {
    let body = match reply.body {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = axum::http::StatusCode::from_u16(reply.status).unwrap_or_default();
    for (name, value) in reply.headers.into_iter().chain(also) {
        // What cannot stand in a header is left out; decoders and `cors` write none of it.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

fn text(parts: &Parts, name: HeaderName) -> Option<&str> {
    parts.headers.get(name)?.to_str().ok()
}

/// A request that was read.
struct Taken {
    protocol: Protocol,
    parts: Parts,
    held: Held,
    origin: Option<String>,
    received_at: Micros,
}

/// What is to be done with it: the record is made safe before the answer is given.
struct Outcome {
    answer: Result<Reply, Refusal>,
    record: Option<Vec<u8>>,
    source: Option<Arc<Source>>,
}

async fn take(
    collector: Collector,
    protocol: Protocol,
    parts: Parts,
    body: Body,
    origin: Option<String>,
) -> Result<Reply, Refusal> {
    let held = body::read(body, &collector.0.memory).await?;
    let received_at = now();
    let taken = Taken { protocol, parts, held, origin, received_at };
    collector.turn(received_at);
    let outcome = if taken.held.bytes.len() > LARGE {
        let _turn = collector.0.decoding.acquire().await;
        let collector = collector.clone();
        let outcome = tokio::task::spawn_blocking(move || taken.outcome(&collector)).await;
        outcome.map_err(|_| Refusal::Busy(LATER))?
    } else {
        taken.outcome(&collector)
    };
    if let Some(record) = outcome.record {
        let safe = collector.0.log.append(&record).await;
        if let (Ok(_), Err(error)) = (&outcome.answer, safe) {
            return Err(unsafe_now(error));
        }
        outcome.source.inspect(|source| source.took(received_at));
    }
    outcome.answer
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
        let (inner, settings) = (&collector.0, collector.settings());
        let headers: Vec<(&str, &[u8])> =
            self.parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = Request {
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
            query: self.parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body: &self.held.bytes,
            remote: self.remote(settings.proxies),
            https: settings.proxies > 0
                && self.parts.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https"),
            received_at: self.received_at,
        };
        let record = |source: &str| Some(Stored::encode(&request, source, settings.whole_addresses));
        let glance = glance(self.protocol, &request);
        let seen = glance.is_some();
        let closer = || inner.reader.under(self.received_at, |terms| decode(self.protocol, &request, terms));
        let decoded = match glance.map_or_else(closer, Ok) {
            Ok(decoded) => decoded,
            Err(refusal @ (Refusal::Unreadable(_) | Refusal::Damaged))
                if request.body.len() <= KEPT_REFUSAL && inner.refused.admit().is_ok() =>
            {
                return Outcome { answer: Err(refusal), record: record(""), source: None };
            }
            Err(refusal) => return Outcome { answer: Err(refusal), record: None, source: None },
        };
        let only_asked = !seen && decoded.events.is_empty() && decoded.rejects.is_empty();
        let source = inner.reader.sources.of(self.protocol, &decoded, self.origin.as_deref());
        if source.is_err() {
            inner.notices.stranger(decoded.key.as_deref(), self.origin.as_deref(), self.received_at);
        }
        match source.and_then(|source| if only_asked { Ok(source) } else { source.admit().map(|()| source) }) {
            Ok(source) => Outcome {
                record: if only_asked { None } else { record(&source.settings.name) },
                answer: Ok(decoded.reply),
                source: Some(Arc::clone(source)),
            },
            Err(refusal) => Outcome { answer: Err(refusal), record: None, source: None },
        }
    }

    /// Who sent it: as many steps back as there are proxies of our own.
    fn remote(&self, proxies: u8) -> Option<IpAddr> {
        let peer = self.parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        let lines = self.parts.headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
        let steps: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        match usize::from(proxies) {
            0 => peer,
            back => steps.len().checked_sub(back).and_then(|at| steps[at].parse().ok()),
        }
    }
}
