//! `[server]`: the application, its API, and SQL over the Postgres protocol.
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{net::SocketAddr, path::PathBuf};

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSettings {
    /// Where the application and its API listen.
    pub listen: SocketAddr,
    /// Whether browsers send the cookie of a login over HTTPS only.
    pub secure_cookies: bool,
    /// How many days a login lasts, 1 to 365.
    #[serde(deserialize_with = "days")]
    pub session_days: u32,
    /// SQL over the Postgres protocol; not served where left out.
    pub sql: Option<SqlSettings>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), secure_cookies: false, session_days: 14, sql: None }
    }
}

/// `[server.sql]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlSettings {
    /// Where it listens.
    #[serde(default = "sql_listen")]
    pub listen: SocketAddr,
    /// PEM file of the certificate chain, from the workspace's folder on. With it, connections must be encrypted.
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    pub key: Option<PathBuf>,
    /// How many seconds a statement may be computed; 0: without limit. `SET statement_timeout` of a connection can only lower it.
    #[serde(default = "sql_timeout")]
    pub statement_timeout_seconds: u32,
}

fn sql_timeout() -> u32 {
    3600
}

fn sql_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5433))
}

fn days<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        days @ 1..=365 => Ok(days),
        other => Err(D::Error::custom(format!("a login cannot last `{other}` days; use 1 to 365"))),
    }
}
