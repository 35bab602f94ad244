//! Which channel a touch belongs to: own rules first, then the defaults.
use crate::{
    condition::{Field, When},
    ga4::{DEFAULT_RULES, Seen, UNASSIGNED},
    sources::category_of,
};
use safar_model::Interaction;
use serde::Deserialize;
use std::{borrow::Cow, fmt};

/// A rule of one's own: the channel, and when it applies.
///
/// ```
/// # #[derive(serde::Deserialize)] struct File { channels: safar_enrich::EnrichSettings }
/// let text = r#"
///     [[channels.rules]]
///     channel = "Influencer"
///     when = { medium = "influencer" }
///
///     [[channels.rules]]                     # one of a list, and a prefix: both must hold
///     channel = "Brand Search"
///     when = { source = ["google", "bing"], campaign = { starts = "brand" } }
///
///     [[channels.rules]]                     # either of two conditions
///     channel = "Partners"
///     when = [
///         { referrer = { contains = "partner.example" } },
///         { page_path = { matches = "^/p/[0-9]+" }, medium = { not = ["email", "sms"] } },
///     ]
///
///     [[channels.rules]]                     # assistants that tag their links, too
///     channel = "AI Assistant"
///     when = { source_category = "ai" }
/// "#;
/// let file: File = toml::from_str(text)?;
/// let enricher = safar_enrich::Enricher::new(&file.channels)?;
/// let url = "https://shop.example/p/42?utm_source=Bing&utm_medium=cpc&utm_campaign=Brand%20UK";
/// let touch = safar_enrich::Touch { page_url: Some(url), ..Default::default() };
/// assert_eq!(enricher.enrich(&touch).channel, "Brand Search");
/// assert_eq!(
///     enricher.rules().describe(1).to_string(),
///     r#"Brand Search: source is "google" or "bing" and campaign starts with "brand""#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelRule {
    /// The channel's name in reports.
    pub channel: String,
    /// The condition.
    pub when: When,
}

/// What channel rules look at, as stored; every field may be in any case.
#[derive(Clone, Copy, Debug)]
pub struct Traffic<'a> {
    /// Derived source, such as `google` or `(direct)`.
    pub source: &'a str,
    /// Derived medium, such as `cpc` or `(none)`.
    pub medium: &'a str,
    /// Campaign tag.
    pub campaign: Option<&'a str>,
    /// Term tag.
    pub term: Option<&'a str>,
    /// Content tag.
    pub content: Option<&'a str>,
    /// Host of the page, in lower case.
    pub page_host: Option<&'a str>,
    /// Path of the page, without its query.
    pub page_path: Option<&'a str>,
    /// The referrer's whole address.
    pub referrer: Option<&'a str>,
    /// Such as `gclid`.
    pub click_id_type: Option<&'a str>,
    /// The kind of contact.
    pub interaction: Interaction,
}

impl Default for Traffic<'_> {
    /// A visit of which nothing is known.
    fn default() -> Self {
        Self {
            source: "(direct)",
            medium: "(none)",
            campaign: None,
            term: None,
            content: None,
            page_host: None,
            page_path: None,
            referrer: None,
            click_id_type: None,
            interaction: Interaction::Visit,
        }
    }
}

/// An ordered list of channel rules: own rules, then those of Google Analytics 4, then Safar's for offline touches.
/// The first that holds names the channel; where none does it is `Unassigned`.
#[derive(Clone, Debug, Default)]
pub struct ChannelRules {
    own: Vec<ChannelRule>,
    /// By field: whether an own rule asks about it.
    used: [bool; Field::ALL.len()],
}

impl ChannelRules {
    /// Whether an own rule asks about the path of the page; no other derivation does.
    pub(crate) fn read_page_paths(&self) -> bool {
        self.used[Field::PagePath as usize]
    }

    /// Own rules before the defaults.
    #[must_use]
    pub fn new(own: Vec<ChannelRule>) -> Self {
        let mut used = [false; Field::ALL.len()];
        own.iter().flat_map(|rule| rule.when.fields()).for_each(|field| used[field as usize] = true);
        Self { own, used }
    }

    /// The channel, and the number of the rule that named it (see [`Self::describe`]).
    ///
    /// ```
    /// use safar_enrich::{ChannelRules, Traffic};
    /// let rules = ChannelRules::default();
    /// let channel = |source, medium| rules.decide(&Traffic { source, medium, ..Default::default() }).0;
    /// assert_eq!(channel("google", "cpm"), "Paid Search"); // source lists come before Display
    /// assert_eq!(channel("example.com", "CPM"), "Display");
    /// assert_eq!(channel("example.com", "whatever"), "Unassigned");
    /// ```
    #[must_use]
    pub fn decide(&self, traffic: &Traffic<'_>) -> (&str, usize) {
        let source = lower(traffic.source);
        let medium = lower(traffic.medium);
        let campaign = lower(traffic.campaign.unwrap_or(""));
        let category = category_of(&source);
        if !self.own.is_empty() {
            let text = |field: Field, value: Option<&'_ str>| match value {
                Some(value) if self.used[field as usize] => lower(value).into_owned(),
                _ => String::new(),
            };
            let term = text(Field::Term, traffic.term);
            let content = text(Field::Content, traffic.content);
            let page_host = text(Field::PageHost, traffic.page_host);
            let page_path = text(Field::PagePath, traffic.page_path);
            let referrer = text(Field::Referrer, traffic.referrer);
            let click_id_type = text(Field::ClickIdType, traffic.click_id_type);
            let get = |field| {
                let value: &str = match field {
                    Field::Source => &source,
                    Field::Medium => &medium,
                    Field::Campaign => &campaign,
                    Field::Term => &term,
                    Field::Content => &content,
                    Field::PageHost => &page_host,
                    Field::PagePath => &page_path,
                    Field::Referrer => &referrer,
                    Field::ClickIdType => &click_id_type,
                    Field::Interaction => traffic.interaction.as_str(),
                    Field::SourceCategory => category.map_or("", |category| category.as_str()),
                };
                Some(value).filter(|value| !value.is_empty())
            };
            if let Some(at) = self.own.iter().position(|rule| rule.when.holds(get)) {
                return (&self.own[at].channel, at);
            }
        }
        let seen =
            Seen { source: &source, medium: &medium, campaign: &campaign, category, interaction: traffic.interaction };
        let at = DEFAULT_RULES.iter().position(|rule| (rule.holds)(&seen)).unwrap_or(DEFAULT_RULES.len());
        (DEFAULT_RULES.get(at).map_or(UNASSIGNED, |rule| rule.channel), self.own.len() + at)
    }

    /// The channel's name to keep; only names of one's own are copied.
    pub(crate) fn name_of(&self, rule: usize) -> Cow<'static, str> {
        match self.own.get(rule) {
            Some(own) => Cow::Owned(own.channel.clone()),
            None => Cow::Borrowed(DEFAULT_RULES.get(rule - self.own.len()).map_or(UNASSIGNED, |rule| rule.channel)),
        }
    }

    /// How many rules there are, with the last that takes what is left.
    #[must_use]
    pub fn count(&self) -> usize {
        self.own.len() + DEFAULT_RULES.len() + 1
    }

    /// A rule in words: `Channel: condition`. Numbers beyond the list mean the last rule.
    ///
    /// ```
    /// let rules = safar_enrich::ChannelRules::default();
    /// assert_eq!(rules.describe(15).to_string(), "Audio: medium is audio");
    /// ```
    #[must_use]
    pub fn describe(&self, rule: usize) -> impl fmt::Display + use<'_> {
        fmt::from_fn(move |f| match (self.own.get(rule), DEFAULT_RULES.get(rule.wrapping_sub(self.own.len()))) {
            (Some(own), _) => write!(f, "{}: {}", own.channel, own.when),
            (None, Some(default)) => write!(f, "{}: {}", default.channel, default.text),
            (None, None) => write!(f, "{UNASSIGNED}: no other rule holds"),
        })
    }

    /// What names a rule for programs and other languages, and stays: `own` for rules of one's own, `unassigned` for the last.
    ///
    /// ```
    /// let rules = safar_enrich::ChannelRules::default();
    /// assert_eq!([rules.code(15), rules.code(99)], ["audio", "unassigned"]);
    /// ```
    #[must_use]
    pub fn code(&self, rule: usize) -> &'static str {
        match rule.checked_sub(self.own.len()) {
            None => "own",
            Some(default) => DEFAULT_RULES.get(default).map_or("unassigned", |rule| rule.code),
        }
    }
}

/// In lower case, copied only where something changes.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}
