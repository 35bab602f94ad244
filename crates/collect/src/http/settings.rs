//! What a team decides about its collector.
use crate::log::LogSettings;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// `[collect]` of `safar.toml`. Every member has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollectSettings {
    /// Where it listens. Clients from elsewhere are to come through a proxy that speaks TLS.
    pub listen: SocketAddr,
    /// How many proxies of your own stand before it: so far back `X-Forwarded-For` is believed. `X-Forwarded-Proto` is
    /// believed where there is one. Never more than there are, or anybody can pretend any address.
    pub proxies: u8,
    /// Connections at a time; others wait to be let in.
    pub max_connections: u32,
    /// Megabytes (2²⁰ bytes) of requests that are held at a time; beyond it clients are told to come back.
    pub memory_megabytes: u32,
    /// Who may send. Without any, everything is taken, for a source named `default`.
    pub sources: Vec<SourceSettings>,
    /// Whether visitors' addresses lie in the log as they are, not cut to /24 or /48. Visitors without a cookie are told
    /// apart more finely, and personal data are kept longer.
    pub whole_addresses: bool,
    /// The `token_auth` that lets Matomo's clients state other times and addresses than their own.
    pub matomo_token: Option<String>,
    /// The secret that signs the destinations of redirects (`/go`). Without it none is followed.
    pub link_key: Option<String>,
    /// The write-ahead log.
    pub log: LogSettings,
}

impl Default for CollectSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8090)),
            proxies: 0,
            max_connections: 4_096,
            memory_megabytes: 256,
            sources: Vec::new(),
            whole_addresses: false,
            matomo_token: None,
            link_key: None,
            log: LogSettings::default(),
        }
    }
}

/// `[[collect.sources]]`: a site, an app or a server that may send.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// How the source is called in events and reports.
    pub name: String,
    /// The write keys, site ids, domains or measurement ids that its clients name. Our own pixels and links name none: they
    /// are the first source's.
    pub keys: Vec<String>,
    /// A secret, for clients on servers: requests that bring one must bring this one.
    #[serde(default)]
    pub secret: Option<String>,
    /// Pages that may send, such as `https://shop.example` or `https://*.shop.example`. Empty: all. Programs that are no
    /// browsers name no page and are not held back by this.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The most requests a second; ten seconds' worth may come at once. 0: any number.
    #[serde(default)]
    pub requests_per_second: u32,
}
