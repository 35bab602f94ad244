//! What unchanged tracking clients send, read into canonical events.
//!
//! Three steps, in the order in which data walks:
//!
//! 1. [`route`] says which client a request is from.
//! 2. [`decode`] reads it: [`Decoded`] holds the events and the answer that the client needs, or a [`Refusal`] says why
//!    nothing is taken and what to answer so that the client drops or resends it.
//! 3. Each event is a [`Collected`]: one line of JSON in the names that the import reads, so that collected events go the
//!    way of imported rows.
//!
//! Decoders do no I/O and have no clock: the server says when a request came and who sent it.
//!
//! Around them, [`http`] is the server, [`log`] the write-ahead log that makes requests safe before they are answered, and
//! [`drain`] hands what was logged on to the tables; [`Reader`] reads what was stored once more.
//!
//! Numbers stay as they were told, except that whole JSON numbers beyond 64 bits are read as floating point.
//!
//! ```
//! use safar_collect::{Request, Terms, decode, route};
//!
//! let request = Request {
//!     method: "POST",
//!     path: "/v1/track",
//!     query: "",
//!     headers: &[],
//!     body: br#"{"event":"Order Completed","messageId":"m1","userId":"ada","properties":{"order_id":"o1","revenue":9.5}}"#,
//!     remote: None,
//!     https: true,
//!     received_at: 1_795_287_582_828_000,
//! };
//! let protocol = route(request.method, request.path).expect("a path of Segment's");
//! let decoded = decode(protocol, &request, &Terms::default())?;
//! assert_eq!(
//!     decoded.events[0].to_line(),
//!     r#"{"event_id":"m1","interaction":"none","name":"Order Completed","occurred_at":"2026-11-21T18:59:42.828000Z","order_id":"o1","properties":{"$protocol":"segment"},"user_id":"ada","value":9.5}"#
//! );
//! assert_eq!(decoded.reply.status, 200);
//! # Ok::<(), safar_collect::Refusal>(())
//! ```
mod body;
mod clock;
mod collected;
mod commerce;
mod consent;
mod cors;
pub mod drain;
pub mod http;
mod ids;
mod json;
pub mod limits;
pub mod log;
mod protocol;
mod reader;
mod reason;
mod reply;
mod request;
mod route;
mod salts;
mod stored;
mod unpack;
mod visitor;

pub use collected::Collected;
pub use cors::{ALLOWED_HEADERS, cors, preflight};
pub use protocol::redirect::signed_link;
pub use reader::{Members, Reader};
pub use reason::REASONS;
pub use reply::{Decoded, GIF, Header, Refusal, Reject, Reply};
pub use request::{Request, Terms};
pub use route::{Protocol, decode, route};
pub use stored::Stored;
pub use unpack::unpacked;

/// The OpenAPI 3.1 description of the JSON API for servers and apps, which are Segment's calls. It is written by hand, and
/// tests hold it against the decoders.
pub const OPENAPI: &str = include_str!("../openapi.json");
