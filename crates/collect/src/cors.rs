//! What browsers must hear before they let a page of another site talk to us.
//!
//! The origin is echoed and credentials are allowed: `*` breaks Snowplow, no answer loses nearly everything.

/// Headers that clients send and that a browser asks about first.
pub const ALLOWED_HEADERS: &str =
    "authorization, content-type, content-encoding, anonymousid, sentat, x-write-key, sp-anonymous, x-umami-cache";

/// Headers for every answer to a page of another site; none for a request without `Origin`.
#[must_use]
pub fn cors(origin: Option<&str>) -> Vec<(&'static str, String)> {
    let clean = |origin: &&str| !origin.is_empty() && origin.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(origin) = origin.filter(clean) else { return vec![("vary", "Origin".to_owned())] };
    vec![
        ("access-control-allow-origin", origin.to_owned()),
        ("access-control-allow-credentials", "true".to_owned()),
        ("access-control-expose-headers", "Retry-After".to_owned()),
        ("vary", "Origin".to_owned()),
    ]
}

/// Headers beside those of [`cors`] for the answer to `OPTIONS`, which is an empty 204. Browsers ask again after a day.
#[must_use]
pub fn preflight() -> Vec<(&'static str, String)> {
    vec![
        ("access-control-allow-methods", "GET, POST, OPTIONS".to_owned()),
        ("access-control-allow-headers", ALLOWED_HEADERS.to_owned()),
        ("access-control-max-age", "86400".to_owned()),
    ]
}
