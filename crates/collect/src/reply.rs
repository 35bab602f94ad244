//! What goes back: events and an answer, or a refusal that makes the client do the right thing.
use crate::{Collected, limits, reason};
use std::borrow::Cow;

/// A header of an answer; its name is in lower case.
pub type Header = (&'static str, Cow<'static, str>);

/// An answer to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case, each once.
    pub headers: Vec<Header>,
    /// May be empty.
    pub body: Cow<'static, [u8]>,
}

/// A transparent GIF of one pixel.
pub const GIF: [u8; 43] = *b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: vec![], body: Cow::Borrowed(&[]) }
    }

    pub(crate) fn text(status: u16, body: &'static str) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".into())];
        Self { status, headers, body: Cow::Borrowed(body.as_bytes()) }
    }

    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self { body: Cow::Owned(body.to_string().into_bytes()), ..Self::json_text("") }
    }

    /// JSON that is always the same.
    pub(crate) fn json_text(body: &'static str) -> Self {
        let headers = vec![("content-type", "application/json".into())];
        Self { status: 200, headers, body: Cow::Borrowed(body.as_bytes()) }
    }

    /// Never cached, so that every view is told.
    pub(crate) fn gif() -> Self {
        let headers = vec![("content-type", "image/gif".into()), ("cache-control", "no-store".into())];
        Self { status: 200, headers, body: Cow::Borrowed(&GIF) }
    }
}

/// What a request held.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// In the order in which they were sent. Empty for questions such as settings.
    pub events: Vec<Collected>,
    /// Members of a batch that are no events. The rest of the batch is taken.
    pub rejects: Vec<Reject>,
    /// What the client needs to hear once the events are safe.
    pub reply: Reply,
    /// The write key, site, domain or measurement id that the client names, for the server to check.
    pub key: Option<String>,
    /// The secret that came with it (`api_secret`, `token_auth`, the secret half of a write key); never stored with events.
    pub secret: Option<String>,
}

/// A member of a batch that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its place in the batch, from 0.
    pub place: usize,
    /// One of few texts, so that rejects can be counted by it.
    pub reason: &'static str,
    /// As it came.
    pub raw: String,
}

/// Why nothing of a request is taken.
///
/// Clients resend on 429, 5xx and a lost connection, and drop on 400 and 401 (`rudder-sdk-python` gives up after some
/// tries, Snowplow's Python tracker resends for ever on 413, so 413 is never used). A decoder's refusals are permanent:
/// the same bytes would be refused again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is neither JSON nor a form that this client sends.
    #[error("{0}")]
    Unreadable(&'static str),
    /// Compressed data that breaks off or is damaged.
    #[error("{}", reason::BODY_DAMAGED)]
    Damaged,
    /// Compressed data that grows beyond the limit.
    #[error("the body is larger than {} bytes once decompressed", limits::BODY)]
    Bomb,
    /// Larger than any client is allowed to send.
    #[error(
        "the request is too large: at most {} bytes, {} of query and {} events",
        limits::BODY,
        limits::QUERY,
        limits::EVENTS
    )]
    TooLarge,
    /// A redirect to a destination that was not signed with this server's key.
    #[error("the destination is not signed by this server")]
    NotSigned,
    /// For the server: the key or secret is not known here.
    #[error("{}", reason::UNKNOWN_KEY)]
    Unauthorised,
    /// For the server: the source sends more than it may; the client is to come back after so many seconds.
    #[error("too many requests; come back in {0} seconds")]
    TooMany(u32),
    /// For the server: events cannot be made safe now; the client is to come back after so many seconds.
    #[error("busy; come back in {0} seconds")]
    Busy(u32),
}

impl Refusal {
    /// The answer that makes the client drop the request, or resend it where that can help.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let status = match self {
            Self::Unauthorised => 401,
            Self::NotSigned => 403,
            Self::TooMany(_) => 429,
            Self::Busy(_) => 503,
            Self::Unreadable(_) | Self::Damaged | Self::Bomb | Self::TooLarge => 400,
        };
        let mut headers = vec![("content-type", "text/plain; charset=utf-8".into())];
        if let Self::Busy(seconds) | Self::TooMany(seconds) = self {
            headers.push(("retry-after", seconds.to_string().into()));
        }
        Reply { status, headers, body: Cow::Owned(self.to_string().into_bytes()) }
    }
}

/// The events of one request while they are read, within the limits.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub events: Vec<Collected>,
    pub rejects: Vec<Reject>,
    bytes: usize,
}

impl Batch {
    /// Takes an event, or the reason why it is none together with what it was.
    pub(crate) fn push(&mut self, event: Result<Collected, (&'static str, String)>) -> Result<(), Refusal> {
        let place = self.events.len() + self.rejects.len();
        if place >= limits::EVENTS {
            return Err(Refusal::TooLarge);
        }
        match event {
            Ok(event) => {
                self.bytes = self.bytes.saturating_add(event.size());
                self.events.push(event);
            }
            Err((reason, raw)) => {
                self.bytes = self.bytes.saturating_add(raw.len());
                self.rejects.push(Reject { place, reason, raw });
            }
        }
        if self.bytes > limits::DECODED { Err(Refusal::TooLarge) } else { Ok(()) }
    }

    pub(crate) fn answer(self, reply: Reply, key: Option<String>) -> Decoded {
        Decoded { events: self.events, rejects: self.rejects, reply, key, secret: None }
    }
}

impl Decoded {
    /// An answer to a question that brings no events.
    pub(crate) fn answer(reply: Reply, key: Option<String>) -> Self {
        Batch::default().answer(reply, key)
    }
}
