//! What browsers must hear before they let a page of another site talk to us.
//!
//! The origin is echoed and credentials are allowed: `*` breaks Snowplow, no answer loses nearly everything.
use crate::reply::Header;
use std::borrow::Cow;

/// Headers that clients send and that a browser asks about first. What else it asks about is allowed as well.
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
///
/// `asked` is what the browser asks about (`Access-Control-Request-Headers`). All of it is allowed: Segment's and RudderStack's
/// clients add headers of their own when they send again, and a browser that hears no yes sends nothing at all.
#[must_use]
pub fn preflight(asked: Option<&str>) -> Vec<Header> {
    /// So many names, each so long, are allowed beside those that are known.
    const MOST: (usize, usize) = (32, 64);
    let is_name = |name: &&str| {
        (1..=MOST.1).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !ALLOWED_HEADERS.split(", ").any(|known| known.eq_ignore_ascii_case(name))
    };
    let asked = asked.unwrap_or_default().split(',').map(str::trim).filter(is_name).take(MOST.0);
    let allowed = asked.fold(Cow::Borrowed(ALLOWED_HEADERS), |all, name| format!("{all}, {name}").into());
    vec![
        ("access-control-allow-methods", "GET, POST, OPTIONS".into()),
        ("access-control-allow-headers", allowed),
        ("access-control-max-age", "86400".into()),
    ]
}
