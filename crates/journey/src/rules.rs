//! What a team decides about its journeys: sessions, goals, look-back windows.
use safar_model::{DAY_US, Interaction, Micros};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Everything that turns events into journeys. Equal rules on equal events give equal rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JourneyRules {
    /// How events become sessions.
    pub sessions: SessionRules,
    /// What counts as a result, in the order of reports.
    pub goals: Vec<Goal>,
    /// How far back touches earn credit, for goals without windows of their own.
    pub windows: Windows,
    /// IANA name of the site's time zone: where days begin.
    pub time_zone: String,
    /// ISO 4217 code that values are expected in; values in another one are kept as they are and counted in the findings.
    pub currency: String,
}

impl Default for JourneyRules {
    fn default() -> Self {
        Self {
            sessions: SessionRules::default(),
            goals: vec![Goal::default()],
            windows: Windows::default(),
            time_zone: "UTC".to_owned(),
            currency: "EUR".to_owned(),
        }
    }
}

/// A vendor's way of cutting sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionPreset {
    /// Google Analytics 4: 30 minutes idle, nothing else cuts.
    #[default]
    Ga4,
    /// Universal Analytics: 30 minutes idle, midnight, a new campaign. It called search engines and referrers campaigns too.
    UniversalAnalytics,
    /// Matomo: 30 minutes idle, midnight, a new campaign but not a new referrer.
    Matomo,
    /// Adobe Analytics: 30 minutes idle, at most 12 hours.
    Adobe,
}

/// How events become sessions: a preset, and what to do otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionRules {
    /// Whose rules apply where nothing else is said.
    pub preset: SessionPreset,
    /// A pause longer than this starts a new session.
    pub idle_minutes: Option<NonZeroU32>,
    /// Whether a new day in the site's time zone starts a new session.
    pub cut_at_midnight: Option<bool>,
    /// Whether arriving by another campaign (tags or a click id) starts a new session.
    pub cut_on_new_campaign: Option<bool>,
    /// Whether arriving from another site without tags starts a new session.
    pub cut_on_new_referrer: Option<bool>,
    /// A session that lasted this long ends.
    pub max_hours: Option<NonZeroU32>,
}

/// [`SessionRules`] with every question answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionCuts {
    pub idle_us: Micros,
    pub at_midnight: bool,
    pub on_new_campaign: bool,
    pub on_new_referrer: bool,
    pub max_us: Option<Micros>,
}

impl SessionRules {
    pub(crate) fn cuts(&self) -> SessionCuts {
        use SessionPreset::{Adobe, Ga4, Matomo, UniversalAnalytics};
        let (midnight, campaign, referrer, hours) = match self.preset {
            Ga4 => (false, false, false, None),
            UniversalAnalytics => (true, true, true, None),
            Matomo => (true, true, false, None),
            Adobe => (false, false, false, Some(12)),
        };
        SessionCuts {
            idle_us: i64::from(self.idle_minutes.map_or(30, NonZeroU32::get)) * 60_000_000,
            at_midnight: self.cut_at_midnight.unwrap_or(midnight),
            on_new_campaign: self.cut_on_new_campaign.unwrap_or(campaign),
            on_new_referrer: self.cut_on_new_referrer.unwrap_or(referrer),
            max_us: self.max_hours.map(NonZeroU32::get).or(hours).map(|hours| i64::from(hours) * 3_600_000_000),
        }
    }
}

/// How far back touches count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Windows {
    /// Days before the conversion in which clicks, visits and every touch that a person took part in count.
    pub click_days: NonZeroU32,
    /// Days before the conversion in which impressions count; 0: they do not.
    pub view_days: u32,
    /// Whether touches before an earlier conversion of the same goal count once more.
    pub count_again: bool,
    /// Who walked without converting.
    pub null_paths: NullPaths,
}

impl Default for Windows {
    fn default() -> Self {
        let thirty = NonZeroU32::MIN.saturating_add(29);
        Self { click_days: thirty, view_days: 1, count_again: false, null_paths: NullPaths::People }
    }
}

impl Windows {
    /// The longest age at which a touch of this kind counts; `None`: it never does.
    #[must_use]
    pub fn reach_us(&self, is_view: bool) -> Option<Micros> {
        let days = if is_view { self.view_days } else { self.click_days.get() };
        (days > 0).then(|| i64::from(days) * DAY_US)
    }
}

/// Which walks without a conversion become null paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NullPaths {
    /// One for each person who never reached the goal.
    #[default]
    People,
    /// One more for each person who went on after the last conversion: every journey that has not ended well.
    Journeys,
}

/// How often one person can reach a goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Count {
    /// Every event that fits.
    #[default]
    Every,
    /// The first that fits in each session.
    OncePerSession,
    /// The first that fits.
    OncePerPerson,
}

/// A result that matters. An event reaches the goal when all conditions hold; an empty list is no condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// What reports call it.
    pub name: String,
    /// Event names, any of them; capitals do not matter.
    #[serde(default)]
    pub events: Vec<String>,
    /// Paths of pages, any of them; `*` stands for any text.
    #[serde(default)]
    pub pages: Vec<String>,
    /// Kinds of contact, any of them.
    #[serde(default)]
    pub interactions: Vec<Interaction>,
    /// Tests of columns or properties, all of them.
    #[serde(default, rename = "where")]
    pub tests: Vec<FieldTest>,
    /// How often one person can reach it.
    #[serde(default)]
    pub count: Count,
    /// What each is worth; the event's value where this is left out.
    #[serde(default)]
    pub fixed_value: Option<f64>,
    /// Names of the events that take money back, by `order_id`; [`DEFAULT_REFUND_EVENTS`] where left out.
    #[serde(default = "default_refunds")]
    pub refunds: Vec<String>,
    /// Windows of this goal's own.
    #[serde(default)]
    pub windows: Option<Windows>,
}

/// The names that the goal `purchase` goes by when `safar.toml` names no goal: those of Google Analytics, Segment, Shopify,
/// Klaviyo and Universal Analytics, and the one that imports give to rows whose column `conversion` is 1.
pub const DEFAULT_PURCHASE_EVENTS: [&str; 7] = [
    "purchase",
    "order_completed",
    "Order Completed",
    "checkout_completed",
    "Placed Order",
    "transaction",
    "conversion",
];

/// The names that refunds go by where a goal names none (Google Analytics, Segment, Klaviyo).
pub const DEFAULT_REFUND_EVENTS: [&str; 4] = ["refund", "order_refunded", "Order Refunded", "Refunded Order"];

fn default_refunds() -> Vec<String> {
    DEFAULT_REFUND_EVENTS.map(str::to_owned).to_vec()
}

impl Default for Goal {
    fn default() -> Self {
        Self {
            name: "purchase".to_owned(),
            events: DEFAULT_PURCHASE_EVENTS.map(str::to_owned).to_vec(),
            pages: vec![],
            interactions: vec![],
            tests: vec![],
            count: Count::Every,
            fixed_value: None,
            refunds: default_refunds(),
            windows: None,
        }
    }
}

/// A test of one column of `events`, or of one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTest", into = "RawTest")]
pub struct FieldTest {
    /// A column that [`crate::INPUT_COLUMNS`] lists as text, `value`, or a name inside `properties`; `country`, `language`,
    /// `device`, `browser` and `os` are looked for in both, the column first.
    pub field: String,
    /// What must hold.
    pub must: Must,
}

/// What must hold for a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Must {
    /// It equals one of these texts.
    Be(Vec<String>),
    /// It contains this text.
    Contain(String),
    /// It is a number above this one.
    Exceed(f64),
    /// It is a number below this one.
    StayBelow(f64),
    /// It is there (true) or absent (false).
    Exist(bool),
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTest {
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<OneOrMany>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl TryFrom<RawTest> for FieldTest {
    type Error = String;

    fn try_from(raw: RawTest) -> Result<Self, String> {
        let musts = [
            raw.is.map(|texts| match texts {
                OneOrMany::One(text) => Must::Be(vec![text]),
                OneOrMany::Many(texts) => Must::Be(texts),
            }),
            raw.contains.map(Must::Contain),
            raw.above.map(Must::Exceed),
            raw.below.map(Must::StayBelow),
            raw.exists.map(Must::Exist),
        ];
        let mut musts = musts.into_iter().flatten();
        match (musts.next(), musts.next()) {
            (Some(must), None) => Ok(Self { field: raw.field, must }),
            _ => Err(format!("the test of `{}` needs exactly one of is, contains, above, below, exists", raw.field)),
        }
    }
}

impl From<FieldTest> for RawTest {
    fn from(test: FieldTest) -> Self {
        let mut raw = Self { field: test.field, ..Self::default() };
        match test.must {
            Must::Be(texts) => raw.is = Some(OneOrMany::Many(texts)),
            Must::Contain(text) => raw.contains = Some(text),
            Must::Exceed(number) => raw.above = Some(number),
            Must::StayBelow(number) => raw.below = Some(number),
            Must::Exist(yes) => raw.exists = Some(yes),
        }
        raw
    }
}
