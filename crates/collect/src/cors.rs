//! What browsers must hear before they let a page of another site talk to us.
//!
//! The origin is echoed and credentials are allowed: `*` breaks Snowplow, no answer loses nearly everything.
use crate::reply::Header;

/// Headers that clients send and that a browser asks about first.
pub const ALLOWED_HEADERS: &str =
    "authorization, content-type, content-encoding, anonymousid, sentat, x-write-key, sp-anonymous, x-umami-cache";

/// Headers for every answer to a page of another site; none for a request without `Origin`.
#[must_use]
pub fn cors(origin: Option<&str>) -> Vec<Header> {
    let clean = |origin: &&str| !origin.is_empty() && origin.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(origin) = origin.filter(clean) else { return vec![("vary", "Origin".into())] };
    vec![
        ("access-control-allow-origin", origin.to_owned().into()),
        ("access-control-allow-credentials", "true".into()),
        ("access-control-expose-headers", "Retry-After".into()),
        ("vary", "Origin".into()),
    ]
}

/// Headers beside those of [`cors`] for the answer to `OPTIONS`, which is an empty 204. Browsers ask again after a day.
#[must_use]
pub fn preflight() -> Vec<Header> {
    vec![
        ("access-control-allow-methods", "GET, POST, OPTIONS".into()),
        ("access-control-allow-headers", ALLOWED_HEADERS.into()),
        ("access-control-max-age", "86400".into()),
    ]
}
