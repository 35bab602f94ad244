//! What a workspace may decide about identity.
use crate::{
    ANONYMOUS, CRM, EMAIL, PHONE, USER,
    matching::{MatchError, MatchSettings},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The highest `limit` of a namespace: more identifiers than this are not one person.
const LIMIT_MAX: u32 = 10_000;

/// The identity section of a workspace. Every field has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySettings {
    /// Namespaces, strongest first: which identifier on an event decides, and which of two equally old ones names the
    /// person. Namespaces not listed come after, in alphabetical order.
    pub priority: Vec<String>,
    /// Rules by namespace; each replaces the built-in rule of that namespace ([`IdentitySettings::rule`]).
    pub namespaces: BTreeMap<String, NamespaceRule>,
    /// More values that are never an identifier, beside the built-in list; case does not matter.
    pub blocked: Vec<String>,
    /// The calling code of telephone numbers written without one, digits only: `"49"`.
    pub phone_country: Option<String>,
    /// Whether dots before `@gmail.com` and `@googlemail.com` are dropped, because Google ignores them.
    pub ignore_gmail_dots: bool,
    /// Links whose confidence is lower join nobody.
    pub min_confidence: f64,
    /// When a device counts as shared.
    pub devices: DeviceSettings,
    /// Which records are compared for probable matches; absent: none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matching: Option<Matching>,
}

/// A list of records in which one person may be several times, and how they are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// A CSV file with a header, in the workspace.
    pub file: String,
    /// The namespace of its identifiers.
    pub namespace: String,
    /// The column that holds them; every other column is a field.
    pub identifier: String,
    /// How records are compared.
    pub model: MatchSettings,
}

impl Default for IdentitySettings {
    fn default() -> Self {
        Self {
            priority: [USER, CRM, EMAIL, PHONE, ANONYMOUS].map(str::to_owned).to_vec(),
            namespaces: BTreeMap::new(),
            blocked: Vec::new(),
            phone_country: None,
            ignore_gmail_dots: false,
            min_confidence: 1.0,
            devices: DeviceSettings::default(),
            matching: None,
        }
    }
}

/// How many identifiers of a namespace a person may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamespaceRule {
    /// A person has at most one.
    pub unique: bool,
    /// A person has at most this many; absent: any number.
    pub limit: Option<u32>,
    /// The identifier names a device, which is owned for a time; always so for `anonymous`. A limit then bounds how
    /// many identifiers links between devices may join into one device.
    pub device: bool,
}

impl NamespaceRule {
    /// The most identifiers a person may have.
    #[must_use]
    pub fn max(self) -> Option<u32> {
        if self.unique { Some(1) } else { self.limit }
    }
}

/// When a device counts as shared, and what its owners keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceSettings {
    /// A device on which somebody logs in again after somebody else did (A, B, A) is shared.
    pub returning_is_shared: bool,
    /// A device on which this many people log in within `shared_days` is shared.
    pub shared_people: u32,
    /// See `shared_people`.
    pub shared_days: u32,
    /// On a shared device, events this many minutes before and after a login belong to who logged in.
    pub login_minutes: u32,
    /// On a shared device, what follows a login belongs to who logged in for this many days, until the next login. 0: only
    /// `login_minutes` around each login.
    pub last_login_days: u32,
}

impl Default for DeviceSettings {
    fn default() -> Self {
        Self { returning_is_shared: true, shared_people: 3, shared_days: 30, login_minutes: 30, last_login_days: 0 }
    }
}

/// A setting that cannot work.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// `unique` and a limit other than 1.
    #[error("namespace `{0}` is unique but has the limit {1}; remove one of the two")]
    UniqueWithLimit(String, u32),
    /// A limit of none, or of too many.
    #[error("namespace `{0}` has the limit {1}; use 1 to {LIMIT_MAX}, or leave it out for no limit")]
    Limit(String, u32),
    /// Twice the same namespace.
    #[error("namespace `{0}` is twice in the priority list; name it once")]
    PriorityTwice(String),
    /// Not a calling code.
    #[error("`{0}` is no calling code; write 1 to 3 digits that do not start with 0, such as \"49\"")]
    PhoneCountry(String),
    /// Not a probability.
    #[error("min_confidence is {0}; use a number from 0 to 1")]
    Confidence(f64),
    /// Records cannot be compared so.
    #[error("matching: {0}")]
    Matching(#[from] MatchError),
    /// Too few people to share.
    #[error("shared_people is {0}; a device is shared by at least 2")]
    SharedPeople(u32),
}

impl IdentitySettings {
    /// The rule of a namespace. Built in: one `user` and one `crm` id a person, at most five e-mail addresses and five
    /// telephone numbers (Segment's default limit), any number of others; `anonymous` ids are devices.
    #[must_use]
    pub fn rule(&self, namespace: &str) -> NamespaceRule {
        let free = NamespaceRule::default();
        let mut rule = self.namespaces.get(namespace).copied().unwrap_or(match namespace {
            USER | CRM => NamespaceRule { unique: true, ..free },
            EMAIL | PHONE => NamespaceRule { limit: Some(5), ..free },
            _ => free,
        });
        rule.device |= namespace == ANONYMOUS;
        rule
    }

    /// The place of a namespace in the priority list, 0 first; one past its end where it is not listed.
    pub(crate) fn rank(&self, namespace: &str) -> usize {
        self.priority.iter().position(|name| name == namespace).unwrap_or(self.priority.len())
    }

    /// Whether the settings can work.
    ///
    /// # Errors
    /// The first setting that cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        for (name, rule) in &self.namespaces {
            match rule.limit {
                Some(limit) if limit == 0 || limit > LIMIT_MAX => {
                    return Err(SettingsError::Limit(name.clone(), limit));
                }
                Some(limit) if rule.unique && limit != 1 => {
                    return Err(SettingsError::UniqueWithLimit(name.clone(), limit));
                }
                _ => {}
            }
        }
        for (at, name) in self.priority.iter().enumerate() {
            if self.priority[..at].contains(name) {
                return Err(SettingsError::PriorityTwice(name.clone()));
            }
        }
        if let Some(code) = &self.phone_country {
            let digits = code.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || code.starts_with('0') || !(1..=3).contains(&code.len()) {
                return Err(SettingsError::PhoneCountry(code.clone()));
            }
        }
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(SettingsError::Confidence(self.min_confidence));
        }
        if let Some(matching) = &self.matching {
            matching.model.check()?;
        }
        if self.devices.shared_people < 2 {
            return Err(SettingsError::SharedPeople(self.devices.shared_people));
        }
        Ok(())
    }
}
