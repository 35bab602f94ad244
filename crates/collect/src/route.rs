//! Which client a request is from, by its method and path.
use crate::{Decoded, Refusal, Request, Terms, protocol as p};

/// A kind of request that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Events of Segment's and RudderStack's clients.
    Segment,
    /// What Segment's browser client asks first.
    SegmentSettings,
    /// What RudderStack's browser client asks first.
    RudderstackConfig,
    /// Snowplow's `tp2`.
    Snowplow,
    /// Snowplow's `/i`.
    SnowplowPixel,
    /// PostHog's events.
    Posthog,
    /// PostHog's events with an answer for each.
    PosthogV1,
    /// PostHog's feature flags: none.
    PosthogFlags,
    /// What PostHog's browser client asks first.
    PosthogConfig,
    /// Matomo's tracking API.
    Matomo,
    /// Google Analytics 4, Measurement Protocol.
    Ga4Measurement,
    /// Its check, which stores nothing.
    Ga4Debug,
    /// Google Analytics 4, the tag in browsers.
    Ga4Gtag,
    /// Plausible.
    Plausible,
    /// Umami.
    Umami,
    /// Jitsu in browsers.
    Jitsu,
    /// Jitsu on servers.
    JitsuServer,
    /// Our own pixels.
    Pixel,
    /// Our own links.
    Redirect,
}

impl Protocol {
    /// Whether its clients never send a request again that was refused or lost (`fixtures/sdk/retry_matrix.jsonl`). Of Matomo
    /// these are the clients that ask by `GET`.
    #[must_use]
    pub fn comes_once(self, method: &str) -> bool {
        match self {
            Self::Plausible | Self::Umami | Self::Jitsu | Self::JitsuServer | Self::Ga4Gtag => true,
            Self::Pixel | Self::Redirect => true,
            Self::Matomo => method == "GET",
            _ => false,
        }
    }

    /// Whether only programs on servers speak it, which can keep a secret and have a place for it.
    #[must_use]
    pub fn is_of_servers(self) -> bool {
        matches!(self, Self::Ga4Measurement | Self::Ga4Debug | Self::JitsuServer)
    }
}

/// The protocol of a request; a slash at the end does not matter. `OPTIONS` is answered by [`crate::preflight`] for any path
/// for which `POST` or `GET` has a protocol. Snowplow's `POST` path can be set freely in its trackers: any `/VENDOR/tp2` is
/// known here, others are named in the settings (`snowplow_paths`).
#[must_use]
pub fn route(method: &str, path: &str) -> Option<Protocol> {
    let path = path.trim_matches('/');
    let mut parts = [""; 6]; // one more than any path has
    let mut count = 0;
    for (place, part) in parts.iter_mut().zip(path.split('/')) {
        (*place, count) = (part, count + 1);
    }
    let (get, post) = (method == "GET", method == "POST");
    Some(match &parts[..count] {
        ["v1", "projects", _, "settings"] if get => Protocol::SegmentSettings,
        [
            "v1",
            "t" | "p" | "s" | "i" | "g" | "a" | "b" | "track" | "page" | "screen" | "identify" | "group" | "alias"
            | "batch" | "import",
        ]
        | ["beacon", "v1", "batch"]
            if post =>
        {
            Protocol::Segment
        }
        ["sourceConfig"] if get => Protocol::RudderstackConfig,
        [_, "tp2"] if post => Protocol::Snowplow,
        ["i"] if get => Protocol::SnowplowPixel,
        ["array", _, "config"] if get => Protocol::PosthogConfig,
        ["flags" | "decide"] if post => Protocol::PosthogFlags,
        ["i", "v1", "analytics", "events"] if post => Protocol::PosthogV1,
        ["e" | "batch" | "capture" | "track"] | ["i", "v0", "e"] if post || (get && parts[0] == "e") => {
            Protocol::Posthog
        }
        ["matomo.php" | "piwik.php"] if get || post => Protocol::Matomo,
        ["mp", "collect"] if post => Protocol::Ga4Measurement,
        ["debug", "mp", "collect"] if post => Protocol::Ga4Debug,
        ["g", "collect"] if get || post => Protocol::Ga4Gtag,
        ["api", "event"] if post => Protocol::Plausible,
        ["api", "send" | "batch"] if post => Protocol::Umami,
        ["api", "s", "s2s", _] if post => Protocol::JitsuServer,
        ["api", "s", _] if post => Protocol::Jitsu,
        ["pixel", "email.gif" | "impression.gif"] if get => Protocol::Pixel,
        ["go"] if get => Protocol::Redirect,
        _ => return None,
    })
}

/// Reads a request. Pure: the same request gives the same events, byte for byte, so that a stored request can be read again.
pub fn decode(protocol: Protocol, request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    match protocol {
        Protocol::Segment => p::segment::decode(request, terms),
        Protocol::SegmentSettings => Ok(p::segment::settings(request)),
        Protocol::RudderstackConfig => Ok(p::rudderstack::config(request)),
        Protocol::Snowplow => p::snowplow::decode(request, terms),
        Protocol::SnowplowPixel => p::snowplow::pixel(request, terms),
        Protocol::Posthog => p::posthog::decode(request, terms),
        Protocol::PosthogV1 => p::posthog::decode_v1(request, terms),
        Protocol::PosthogFlags => p::posthog::flags(request),
        Protocol::PosthogConfig => Ok(p::posthog::config(request)),
        Protocol::Matomo => p::matomo::decode(request, terms),
        Protocol::Ga4Measurement => p::ga4_measurement::decode(request, terms),
        Protocol::Ga4Debug => p::ga4_measurement::debug(request, terms),
        Protocol::Ga4Gtag => p::ga4_gtag::decode(request, terms),
        Protocol::Plausible => p::plausible::decode(request, terms),
        Protocol::Umami => p::umami::decode(request, terms),
        Protocol::Jitsu | Protocol::JitsuServer => p::jitsu::decode(request, terms),
        Protocol::Pixel => p::pixel::decode(request),
        Protocol::Redirect => p::redirect::decode(request, terms),
    }
}

/// The answer to a request, and its key, from a glance where that is enough; then it holds events or what is kept beside
/// them, and [`decode`] finds the same answer.
pub(crate) fn glance(protocol: Protocol, request: &Request<'_>) -> Option<Decoded> {
    match protocol {
        Protocol::Segment => p::segment::glance(request),
        _ => None,
    }
}
