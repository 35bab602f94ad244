//! What a workspace can say about sources and channels.
use crate::{
    rules::{ChannelRule, lower},
    url::{ascii_host, registrable, split},
};
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap};

/// Settings of enrichment; the defaults need none.
///
/// ```
/// let settings: safar_enrich::EnrichSettings = toml::from_str(r#"
///     own_domains = ["shop.example", "shop-help.example"]    # visits from here are no new source
///     ignored_referrers = ["pay.mybank.example"]             # in addition to the usual payment and log-in pages
///
///     [aliases]                                              # sources that are one; case never matters
///     facebook = ["fb", "m.facebook.com", "FB Ads"]
///
///     [[rules]]
///     channel = "Influencer"
///     when = { medium = "influencer" }
/// "#)?;
/// assert_eq!(settings.rules[0].channel, "Influencer");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnrichSettings {
    /// The business's own domains; each covers everything below its registrable domain. A page's own domain always counts.
    pub own_domains: Vec<String>,
    /// Hosts (and everything below them) that are no source, in addition to the payment and log-in pages in the table.
    pub ignored_referrers: Vec<String>,
    /// Name in reports → other spellings of it. Without an alias, spellings stay apart. Raw UTM tags are never changed.
    pub aliases: BTreeMap<String, Vec<String>>,
    /// Own channel rules, before the defaults; the first that holds wins.
    pub rules: Vec<ChannelRule>,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not a host name.
    #[error("`{value}` in `{setting}` is no host name; write it like shop.example, without a path")]
    Host {
        /// The name of the setting.
        setting: &'static str,
        /// As written.
        value: String,
    },
    /// One spelling under two names.
    #[error("the alias `{alias}` belongs to both `{first}` and `{second}`; keep one")]
    Alias {
        /// The spelling, in lower case.
        alias: String,
        /// The name that has it.
        first: String,
        /// The name that claims it, too.
        second: String,
    },
    /// An empty name or spelling of an alias.
    #[error("the aliases of `{name}` hold an empty text; name both sides, as in facebook = [\"fb\"]")]
    EmptyAlias {
        /// The name in reports.
        name: String,
    },
    /// A rule without a channel.
    #[error("rule {number} names no channel; add one, as in channel = \"Influencer\"")]
    EmptyChannel {
        /// Counted from 1.
        number: usize,
    },
}

/// A host as people write it: perhaps with a scheme, a leading dot or capitals.
pub(crate) fn host(setting: &'static str, value: &str) -> Result<String, RuleError> {
    let text = value.trim().trim_start_matches("*.").trim_start_matches('.');
    let host = if text.contains("//") {
        let parts = split(text);
        if parts.path.len() > 1 { Cow::Borrowed("") } else { parts.host }
    } else {
        ascii_host(text.trim_end_matches('.'))
    };
    if host.is_empty() { Err(RuleError::Host { setting, value: value.to_owned() }) } else { Ok(host.into_owned()) }
}

impl EnrichSettings {
    /// Whether an [`Enricher`](crate::Enricher) can be made of them.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), RuleError> {
        self.own()?;
        self.ignored()?;
        self.alias_map()?;
        self.checked_rules().map(|_| ())
    }

    /// Registrable domains, sorted.
    pub(crate) fn own(&self) -> Result<Vec<String>, RuleError> {
        let domain = |value: &String| Ok(registrable(&host("own_domains", value)?).to_owned());
        sorted(self.own_domains.iter().map(domain))
    }

    /// Hosts, sorted.
    pub(crate) fn ignored(&self) -> Result<Vec<String>, RuleError> {
        sorted(self.ignored_referrers.iter().map(|value| host("ignored_referrers", value)))
    }

    /// Spelling in lower case → name.
    pub(crate) fn alias_map(&self) -> Result<BTreeMap<String, String>, RuleError> {
        let mut map = BTreeMap::<String, String>::new();
        for (name, spellings) in &self.aliases {
            for spelling in std::iter::once(name).chain(spellings) {
                if spelling.trim().is_empty() {
                    return Err(RuleError::EmptyAlias { name: name.clone() });
                }
                let alias = lower(spelling).into_owned();
                if let Some(first) = map.get(&alias).filter(|first| *first != name) {
                    return Err(RuleError::Alias { alias, first: first.clone(), second: name.clone() });
                }
                map.insert(alias, name.clone());
            }
        }
        Ok(map)
    }

    /// The rules, each with a channel.
    pub(crate) fn checked_rules(&self) -> Result<Vec<ChannelRule>, RuleError> {
        match self.rules.iter().position(|rule| rule.channel.trim().is_empty()) {
            Some(at) => Err(RuleError::EmptyChannel { number: at + 1 }),
            None => Ok(self.rules.clone()),
        }
    }
}

fn sorted(values: impl Iterator<Item = Result<String, RuleError>>) -> Result<Vec<String>, RuleError> {
    let mut values = values.collect::<Result<Vec<_>, _>>()?;
    values.sort_unstable();
    values.dedup();
    Ok(values)
}
