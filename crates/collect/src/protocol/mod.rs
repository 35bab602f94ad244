//! One decoder a client.
pub(crate) mod ga4_gtag;
pub(crate) mod ga4_measurement;
pub(crate) mod jitsu;
pub(crate) mod matomo;
mod matomo_event;
pub(crate) mod pixel;
pub(crate) mod plausible;
pub(crate) mod posthog;
mod posthog_event;
pub(crate) mod redirect;
pub(crate) mod rudderstack;
pub(crate) mod segment;
pub(crate) mod snowplow;
mod snowplow_event;
mod spec;
pub(crate) mod umami;

use crate::{Request, request::params};

/// A key that stands in the query.
fn query_key(request: &Request<'_>, name: &str) -> Option<String> {
    params(request.query.as_bytes()).remove(name).filter(|key| !key.is_empty())
}
