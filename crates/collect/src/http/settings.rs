//! What a team decides about its collector.
use crate::log::LogSettings;
use safar_model::consent::ConsentRules;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr};

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
    /// Paths beside `/VENDOR/tp2` that Snowplow's trackers send to (`postPath`), such as `/com.acme/track`.
    pub snowplow_paths: Vec<String>,
    /// Journeys are built again at most every so many seconds once events came. 0: never; `safar build` does it.
    pub build_seconds: u32,
    /// The write-ahead log.
    pub log: LogSettings,
    /// `[privacy.consent]`, which stands elsewhere in the file.
    #[serde(skip_deserializing)]
    pub consent: ConsentRules,
}

/// Why `[collect]` cannot be used. The value stands between backticks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Two sources have one key.
    #[error("the key `{key}` is that of `{one}` and of `{other}`; give each source keys of its own")]
    SameKey {
        /// The key.
        key: String,
        /// A source.
        one: String,
        /// Another one.
        other: String,
    },
    /// A source cannot be told from another one, or is not called anything.
    #[error(
        "`{0}` is no name of a source of its own; give each of [[collect.sources]] another name, of letters, digits, - and _"
    )]
    Name(String),
    /// A page that cannot be.
    #[error(
        "`{0}` is no origin; write it as browsers do, such as \"https://shop.example\" or \"https://*.shop.example\", without a path"
    )]
    Origin(String),
    /// A path that cannot be.
    #[error(
        "`{0}` is no path for Snowplow's trackers; write it as they do, such as \"/com.acme/track\", and none that another client sends to"
    )]
    Path(String),
    /// A secret is asked for that there is not.
    #[error("the source `{0}` has `secret_required` and no `secret`; give it one")]
    NoSecret(String),
    /// A size that leaves no room.
    #[error("`{0}` must be more than 0")]
    Zero(&'static str),
}

impl CollectSettings {
    /// Whether the settings can be used.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        let sizes = [
            (self.max_connections, "max_connections"),
            (self.memory_megabytes, "memory_megabytes"),
            (self.log.megabytes, "megabytes"),
            (self.log.segment_megabytes, "segment_megabytes"),
            (self.log.segment_seconds, "segment_seconds"),
        ];
        if let Some((_, name)) = sizes.into_iter().find(|(size, _)| *size == 0) {
            return Err(SettingsError::Zero(name));
        }
        let taken = |path: &str| crate::route("POST", path).is_some_and(|known| known != crate::Protocol::Snowplow);
        let fits = |path: &str| {
            path.starts_with('/') && path.trim_matches('/').len() > 1 && !path.contains(['?', '#', ' ']) && !taken(path)
        };
        if let Some(wrong) = self.snowplow_paths.iter().find(|path| !fits(path)) {
            return Err(SettingsError::Path(wrong.clone()));
        }
        let (mut names, mut keys) = (BTreeMap::new(), BTreeMap::new());
        for source in &self.sources {
            let name = &source.name;
            let plain = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_' | '.');
            if name.is_empty() || !name.chars().all(plain) || names.insert(name, ()).is_some() {
                return Err(SettingsError::Name(name.clone()));
            }
            for key in &source.keys {
                if let Some(one) = keys.insert(key, name) {
                    let [one, other] = [one, name].map(String::clone);
                    return Err(SettingsError::SameKey { key: key.clone(), one, other });
                }
            }
            if source.secret_required && source.secret.as_ref().is_none_or(String::is_empty) {
                return Err(SettingsError::NoSecret(name.clone()));
            }
            if let Some(wrong) = source.origins.iter().find(|origin| !is_origin(origin)) {
                return Err(SettingsError::Origin(wrong.clone()));
            }
        }
        Ok(())
    }
}

/// A scheme and a host, perhaps a port and a slash at the end.
fn is_origin(text: &str) -> bool {
    let host = text.split_once("://").map(|(_, host)| host.strip_suffix('/').unwrap_or(host));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']))
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
            snowplow_paths: Vec::new(),
            build_seconds: 60,
            log: LogSettings::default(),
            consent: ConsentRules::default(),
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
    /// A secret, for clients on servers. Requests of the Measurement Protocol (`api_secret`) and of Jitsu's clients on servers
    /// (`KEY:SECRET`) must bring it; others that bring one, such as the password of a write key, must bring this one.
    #[serde(default)]
    pub secret: Option<String>,
    /// Every request must bring the secret, whatever its protocol. Then nothing comes from web pages: give them a source of
    /// their own.
    #[serde(default)]
    pub secret_required: bool,
    /// Pages that may send, such as `https://shop.example` or `https://*.shop.example`. Empty: all. Programs that are no
    /// browsers name no page and are not held back by this.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The most requests a second; ten seconds' worth may come at once. 0: any number. Requests that their clients never send
    /// again (Plausible, Umami, Jitsu, Matomo by GET, Google's tag, pixels and links) are taken up to ten times as many.
    #[serde(default)]
    pub requests_per_second: u32,
    /// Keep nobody's identifiers: every visitor is one of a day, as where consent to analytics was refused.
    #[serde(default)]
    pub cookieless: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_contradict_themselves_are_told() {
        let said = |text: &str| {
            let settings: CollectSettings = toml::from_str(text).unwrap();
            settings.check().err().map(|error| error.to_string()).unwrap_or_default()
        };
        let source = |name: &str, key: &str| format!("[[sources]]\nname = \"{name}\"\nkeys = [\"{key}\"]\n");
        assert_eq!(said(&(source("a", "k") + &source("b", "l"))), "");
        assert!(said(&(source("a", "k") + &source("b", "k"))).contains("the key `k` is that of `a` and of `b`"));
        assert!(said(&(source("a", "k") + &source("a", "l"))).contains("`a` is no name"));
        assert!(said(&source("a/b", "k")).contains("`a/b` is no name"));
        assert!(said("[log]\nsegment_seconds = 0").contains("`segment_seconds` must be"));
        assert!(said(&(source("a", "k") + "secret_required = true")).contains("no `secret`"));
        assert_eq!(said(&(source("a", "k") + "secret_required = true\nsecret = \"s\"")), "");
        for (path, fits) in
            [("/com.acme/track", true), ("com.acme/track", false), ("/v1/batch", false), ("/", false), ("/a?b", false)]
        {
            assert_eq!(said(&format!("snowplow_paths = [\"{path}\"]")).is_empty(), fits, "{path}");
        }
        for (origin, fits) in [
            ("https://shop.example", true),
            ("http://localhost:3000/", true),
            ("shop.example", false),
            ("https://shop.example/path", false),
            ("https://", false),
        ] {
            let text = source("a", "k") + &format!("origins = [\"{origin}\"]");
            assert_eq!(said(&text).is_empty(), fits, "{origin}");
        }
    }
}
