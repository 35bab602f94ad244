//! What an event says about the visitor and what they use.
use crate::{
    agent::Agent,
    bot::is_bot,
    country::Countries,
    hints::Hints,
    language::language,
    personal::{PARAMETERS, Personal},
    shapes::Shape,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, net::IpAddr};

/// `[enrich]` of `safar.toml`.
///
/// ```
/// let settings: safar_enrich::VisitorSettings = toml::from_str(r#"
///     country_database = "GeoLite2-Country.mmdb"
///     personal_parameters = ["email", "token", "badge_number"]
///     personal_shapes = ["email"]
/// "#)?;
/// assert_eq!(settings.personal_parameters.len(), 3);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VisitorSettings {
    /// A file in MaxMind's format, such as GeoLite2-Country.mmdb, by which countries are told from addresses; its place is seen
    /// from the workspace's folder. Without it countries stay unknown unless the source tells them.
    pub country_database: Option<String>,
    /// Parameters in addresses of pages whose values are never stored, whatever case and signs they are written with. A list of
    /// your own takes the place of the usual one.
    pub personal_parameters: Vec<String>,
    /// What is replaced by a mark wherever it stands in the address of a page: email, phone.
    pub personal_shapes: Vec<Shape>,
}

impl Default for VisitorSettings {
    fn default() -> Self {
        Self {
            country_database: None,
            personal_parameters: PARAMETERS.map(str::to_owned).to_vec(),
            personal_shapes: vec![Shape::Email, Shape::Phone],
        }
    }
}

/// What is told, of a browser or by its source; empty texts say nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// The user agent.
    pub agent: &'a str,
    /// Client hints, as an object.
    pub hints: Option<&'a Value>,
    /// The visitor's address, whole or cut.
    pub address: Option<IpAddr>,
    /// `Accept-Language`, or what the client says.
    pub language: &'a str,
}

/// What a visitor uses, and where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    /// ISO 3166-1 code, such as `PL`.
    pub country: Option<String>,
    /// A tag of BCP 47.
    pub language: Option<String>,
    /// `desktop`, `mobile`, `tablet`, `tv`, `console` or `bot`.
    pub device: Option<&'static str>,
    /// The browser, or the application around the page.
    pub browser: Option<Cow<'static, str>>,
    /// Its major version.
    pub browser_version: Option<String>,
    /// The operating system.
    pub os: Option<&'static str>,
    /// Whether it is a program that is nobody's browser.
    pub bot: bool,
}

/// Reads what is told about visitors.
#[derive(Clone, Debug, Default)]
pub struct Visitors {
    countries: Option<Countries>,
    personal: Personal,
}

impl Visitors {
    /// A reader by the settings, and by the countries of the file that they name.
    #[must_use]
    pub fn new(settings: &VisitorSettings, countries: Option<Countries>) -> Self {
        let names = settings.personal_parameters.iter().map(String::as_str);
        Self { countries, personal: Personal::new(names, settings.personal_shapes.clone()) }
    }

    /// The rules by which personal data are taken out of addresses.
    #[must_use]
    pub fn personal(&self) -> &Personal {
        &self.personal
    }

    /// Whether countries can be told.
    #[must_use]
    pub fn knows_countries(&self) -> bool {
        self.countries.is_some()
    }

    /// The country of an address.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<String> {
        self.countries.as_ref()?.of(address)
    }

    /// What is told, in the words of reports.
    #[must_use]
    pub fn read(&self, told: &Told<'_>) -> Visitor {
        let hints = told.hints.map(Hints::read).unwrap_or_default();
        let bot = hints.headless || is_bot(told.agent);
        let agent = Agent::read(told.agent, &hints);
        Visitor {
            country: told.address.and_then(|address| self.country(address)),
            language: language(told.language),
            device: if bot { Some("bot") } else { agent.device },
            browser: agent.browser,
            browser_version: agent.version,
            os: agent.os,
            bot,
        }
    }
}
