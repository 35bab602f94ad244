//! One touch in, what it says about itself out.
use crate::{
    cache::CachedEnricher,
    click_id::{self, CLICK_IDS},
    rules::{ChannelRules, Traffic, lower},
    settings::{EnrichSettings, RuleError},
    sources::{self, Category},
    tags::Tags,
    url::{Parts, registrable, split},
    visitor::Visitors,
};
use hashbrown::HashMap;
use safar_model::Interaction;
use std::borrow::Cow;

/// A touch as it was received. Blank texts count as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch<'a> {
    /// Address of the page, absolute or relative.
    pub page_url: Option<&'a str>,
    /// Address of the page before.
    pub referrer: Option<&'a str>,
    /// Tag given apart from the page's address, like the next four.
    pub utm_source: Option<&'a str>,
    /// See `utm_source`.
    pub utm_medium: Option<&'a str>,
    /// See `utm_source`.
    pub utm_campaign: Option<&'a str>,
    /// See `utm_source`.
    pub utm_term: Option<&'a str>,
    /// See `utm_source`.
    pub utm_content: Option<&'a str>,
    /// Click id given apart from the page's address.
    pub click_id: Option<&'a str>,
    /// Its type, such as `gclid`.
    pub click_id_type: Option<&'a str>,
    /// Source that somebody else derived, as in another tool's export.
    pub source: Option<&'a str>,
    /// Medium that somebody else derived.
    pub medium: Option<&'a str>,
    /// The kind of contact.
    pub interaction: Interaction,
}

impl Default for Touch<'_> {
    /// A visit of which nothing is known.
    fn default() -> Self {
        Self {
            page_url: None,
            referrer: None,
            utm_source: None,
            utm_medium: None,
            utm_campaign: None,
            utm_term: None,
            utm_content: None,
            click_id: None,
            click_id_type: None,
            source: None,
            medium: None,
            interaction: Interaction::Visit,
        }
    }
}

/// What a touch says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enriched {
    /// Tag, verbatim: as given, else as in the page's address (decoded). So for the next four.
    pub utm_source: Option<String>,
    /// See `utm_source`.
    pub utm_medium: Option<String>,
    /// See `utm_source`; this is the campaign of reports, too.
    pub utm_campaign: Option<String>,
    /// See `utm_source`.
    pub utm_term: Option<String>,
    /// See `utm_source`.
    pub utm_content: Option<String>,
    /// Other `utm_*` parameters of the page's address: names in lower case, sorted, each once.
    pub utm_custom: Vec<(String, String)>,
    /// Click id, as given, else from the page's address.
    pub click_id: Option<String>,
    /// Its type, such as `gclid`.
    pub click_id_type: Option<Cow<'static, str>>,
    /// Where the touch came from: a name, a host, `(direct)` or `(not set)`.
    pub source: Cow<'static, str>,
    /// How it came: `cpc`, `organic`, `referral`, `(none)`, `(not set)` …
    pub medium: Cow<'static, str>,
    /// The channel that the rules name.
    pub channel: Cow<'static, str>,
    /// The number of the rule that named the channel, see [`ChannelRules::describe`].
    pub rule: usize,
    /// The touch came from the business's own pages or a payment or log-in page and has no source of its own: a
    /// session that is open goes on with its first source.
    pub continues_session: bool,
}

impl Enriched {
    /// The campaign of reports: the tag.
    #[must_use]
    pub fn campaign(&self) -> Option<&str> {
        self.utm_campaign.as_deref()
    }
}

/// Derives source, medium, campaign and channel. Shared between threads; see [`Self::cached`] for the fast way.
///
/// ```
/// use safar_enrich::{EnrichSettings, Enricher, Touch};
/// let enricher = Enricher::new(&EnrichSettings::default())?;
/// let visit = enricher.enrich(&Touch {
///     page_url: Some("https://shop.example/?gclid=Cj0"),
///     referrer: Some("https://www.google.com/"),
///     ..Touch::default()
/// });
/// assert_eq!((&*visit.source, &*visit.medium, &*visit.channel), ("google", "cpc", "Paid Search"));
/// # Ok::<(), safar_enrich::RuleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Enricher {
    own: Vec<String>,
    ignored: Vec<String>,
    aliases: HashMap<String, String, foldhash::fast::FixedState>,
    rules: ChannelRules,
    fingerprint: u64,
    visitors: Visitors,
}

/// Part of the fingerprint: raise it when the code derives something else from the same settings and table.
const DERIVATION: u64 = 2;

const NOT_SET: Cow<'static, str> = Cow::Borrowed("(not set)");

impl Enricher {
    /// Check the settings and prepare them.
    ///
    /// # Errors
    /// [`RuleError`] for a domain that is none, an alias under two names, or a rule without a channel.
    pub fn new(settings: &EnrichSettings) -> Result<Self, RuleError> {
        let own = settings.own()?;
        let ignored = settings.ignored()?;
        let aliases = settings.alias_map()?;
        let rules = ChannelRules::new(settings.checked_rules()?);
        let words = (0..rules.count()).map(|rule| rules.describe(rule).to_string()).collect::<Vec<_>>();
        let text = format!("{DERIVATION} {:x} {own:?} {ignored:?} {aliases:?} {words:?}", sources::version());
        let fingerprint = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
        Ok(Self {
            own,
            ignored,
            aliases: aliases.into_iter().collect(),
            rules,
            fingerprint,
            visitors: Visitors::default(),
        })
    }

    /// The same with what a workspace decides about visitors.
    #[must_use]
    pub fn with_visitors(self, visitors: Visitors) -> Self {
        Self { visitors, ..self }
    }

    /// What is told about visitors.
    #[must_use]
    pub fn visitors(&self) -> &Visitors {
        &self.visitors
    }

    /// Equal fingerprints derive equal columns: it changes with the settings, the table of sources and the defaults.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        // Once countries can be told, events that wait for theirs are filled in.
        self.fingerprint ^ u64::from(self.visitors.knows_countries())
    }

    /// The channel rules, for explanations.
    #[must_use]
    pub fn rules(&self) -> &ChannelRules {
        &self.rules
    }

    /// A view with a small memory of its own, for one thread: rows that repeat cost little.
    #[must_use]
    pub fn cached(&self) -> CachedEnricher<'_> {
        CachedEnricher::new(self)
    }

    /// What the touch says about itself. Never fails: what cannot be read says nothing.
    #[must_use]
    pub fn enrich(&self, touch: &Touch<'_>) -> Enriched {
        let page = split(filled(touch.page_url).unwrap_or(""));
        let Tags { utm: [source, medium, campaign, term, content], custom, click } = Tags::read(page.query);
        let or_given = |given: Option<&str>, found: Option<Cow<'_, str>>| match filled(given) {
            Some(given) => Some(given.to_owned()),
            None => found.map(Cow::into_owned),
        };
        let utm_source = or_given(touch.utm_source, source);
        let utm_medium = or_given(touch.utm_medium, medium);
        let utm_campaign = or_given(touch.utm_campaign, campaign);
        let utm_term = or_given(touch.utm_term, term);
        let utm_content = or_given(touch.utm_content, content);
        let (click_id, click_id_type) = click_of(touch, click);

        let mut origin = self.origin(
            touch,
            &page,
            filled(touch.source).or(utm_source.as_deref()),
            filled(touch.medium).or(utm_medium.as_deref()),
            click_id_type.as_deref(),
        );
        if !self.aliases.is_empty()
            && let Some(name) = self.aliases.get(&*lower(&origin.source))
        {
            origin.source = Cow::Owned(name.clone());
        }
        let (_, rule) = self.rules.decide(&Traffic {
            source: &origin.source,
            medium: &origin.medium,
            campaign: utm_campaign.as_deref(),
            term: utm_term.as_deref(),
            content: utm_content.as_deref(),
            page_host: Some(&page.host),
            page_path: Some(page.path),
            referrer: filled(touch.referrer),
            click_id_type: click_id_type.as_deref(),
            interaction: touch.interaction,
        });
        Enriched {
            channel: self.rules.name_of(rule),
            rule,
            utm_source,
            utm_medium,
            utm_campaign,
            utm_term,
            utm_content,
            utm_custom: custom,
            click_id,
            click_id_type,
            source: origin.source,
            medium: origin.medium,
            continues_session: origin.continues_session,
        }
    }

    /// Tags, then what a click id proves, then the referrer, then nothing.
    fn origin(
        &self,
        touch: &Touch<'_>,
        page: &Parts<'_>,
        source: Option<&str>,
        medium: Option<&str>,
        click_id_type: Option<&str>,
    ) -> Origin {
        let proven = click_id_type.and_then(click_id::find).and_then(|at| CLICK_IDS[at].implies);
        let own = |text: &str| Cow::Owned(text.to_owned());
        let mut origin = match (source, medium, proven) {
            (None, None, Some((source, medium))) => Origin::new(source, medium),
            (None, None, None) => self.by_referrer(touch, page),
            (source, medium, proven) => Origin {
                source: source.map(own).or(proven.map(|(source, _)| Cow::Borrowed(source))).unwrap_or(NOT_SET),
                medium: medium.map(own).or(proven.map(|(_, medium)| Cow::Borrowed(medium))).unwrap_or(NOT_SET),
                continues_session: false,
            },
        };
        // Outside a visit, no source is not "typed the address", and the kind of contact says how it came.
        if touch.interaction.is_offsite() {
            if origin.source == "(direct)" && source.is_none() {
                (origin.source, origin.medium) = (NOT_SET, NOT_SET);
            }
            if origin.medium == NOT_SET && medium.is_none() {
                origin.medium = Cow::Borrowed(match touch.interaction {
                    Interaction::Impression => "cpm",
                    kind => kind.as_str(),
                });
            }
        }
        origin
    }

    fn by_referrer(&self, touch: &Touch<'_>, page: &Parts<'_>) -> Origin {
        let none = Origin::new("(direct)", "(none)");
        let Some(referrer) = filled(touch.referrer) else { return none };
        let Parts { scheme, host, path, .. } = split(referrer);
        let web =
            ["", "http", "https", "android-app", "ios-app"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        if host.is_empty() || !web {
            return none;
        }
        let domain = registrable(&host);
        let is_own = (!page.host.is_empty() && registrable(&page.host) == domain)
            || self.own.binary_search_by(|own| own.as_str().cmp(domain)).is_ok();
        if is_own || sources::is_returning(&host, path) || self.ignored.iter().any(|top| is_below(&host, top)) {
            return Origin { continues_session: true, ..none };
        }
        let place = sources::place(&host, path);
        let medium = match place {
            Some(place) if place.organic => "organic",
            Some(place) if place.category == Category::Ai => "ai-assistant",
            _ => "referral",
        };
        let source = match place.and_then(|place| place.name) {
            Some(name) => Cow::Borrowed(name),
            None => match host.strip_prefix("www.") {
                Some(bare) => Cow::Owned(bare.to_owned()),
                None => Cow::Owned(host.into_owned()),
            },
        };
        Origin { source, medium: Cow::Borrowed(medium), continues_session: false }
    }
}

struct Origin {
    source: Cow<'static, str>,
    medium: Cow<'static, str>,
    continues_session: bool,
}

impl Origin {
    const fn new(source: &'static str, medium: &'static str) -> Self {
        Self { source: Cow::Borrowed(source), medium: Cow::Borrowed(medium), continues_session: false }
    }
}

/// The click id and its type: as given, else as found in the page's address.
fn click_of(touch: &Touch<'_>, found: Option<(usize, Cow<'_, str>)>) -> (Option<String>, Option<Cow<'static, str>>) {
    let known = |name: &str| match click_id::find(name) {
        Some(at) => Cow::Borrowed(CLICK_IDS[at].name),
        None => Cow::Owned(name.to_owned()),
    };
    match (filled(touch.click_id), filled(touch.click_id_type), found) {
        (Some(id), Some(kind), _) => (Some(id.to_owned()), Some(known(kind))),
        // The address tells the type only of the id that it carries.
        (Some(id), None, found) => (
            Some(id.to_owned()),
            found.filter(|(_, value)| value == id).map(|(at, _)| Cow::Borrowed(CLICK_IDS[at].name)),
        ),
        (None, _, Some((at, value))) => (Some(value.into_owned()), Some(Cow::Borrowed(CLICK_IDS[at].name))),
        (None, _, None) => (None, None),
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

fn is_below(host: &str, top: &str) -> bool {
    host.strip_suffix(top).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}
