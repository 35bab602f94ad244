//! `safar.toml`: what a team decides about its workspace, and reviews in git.
mod experiments;
mod fault;
mod privacy;
mod server;

pub use experiments::{ExperimentSettings, Unit};
pub use fault::{Fault, ValueKind};
pub use privacy::{Age, PrivacySettings};
pub use server::{ServerSettings, SqlSettings};

use safar_attribution::{ModelSpec, Transform, hazard::Role};
use safar_collect::http::CollectSettings;
use safar_enrich::{EnrichSettings, VisitorSettings};
use safar_identity::IdentitySettings;
use safar_ingest::ImportSettings;
use safar_journey::{Goal, JourneyBuilder, JourneyRules, SessionRules, Windows};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{collections::BTreeMap, fs, path::Path};

/// The whole of `safar.toml`. Every section may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Name, time zone and currency.
    pub workspace: WorkspaceSettings,
    /// How events become sessions.
    pub sessions: SessionRules,
    /// What counts as a result; the first is the one reports show unless another is named.
    pub goals: Vec<Goal>,
    /// How far back touches earn credit.
    pub windows: Windows,
    /// Sources, channels and the rules that name them.
    pub channels: EnrichSettings,
    /// What is told of visitors, and which personal data are taken out of addresses.
    pub enrich: VisitorSettings,
    /// Which identifiers there are and how they join people.
    pub identity: IdentitySettings,
    /// How files are read.
    pub import: ImportSettings,
    /// What `safar serve` takes from websites, apps and servers.
    pub collect: CollectSettings,
    /// Which models are shown side by side.
    pub attribution: AttributionSettings,
    /// Randomised hold-outs that credits can be calibrated by.
    pub experiments: Vec<ExperimentSettings>,
    /// How long what is kept, and what is done with what a visitor did not agree to.
    pub privacy: PrivacySettings,
    /// What `safar serve` answers browsers and programs.
    pub server: ServerSettings,
}

/// `[workspace]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspaceSettings {
    /// What reports are headed with.
    pub name: String,
    /// IANA time zone: where days begin.
    #[serde(deserialize_with = "time_zone")]
    pub time_zone: String,
    /// ISO 4217 code that values are reported in.
    #[serde(deserialize_with = "currency")]
    pub currency: String,
    /// The language of the screens for whoever has chosen none: one of [`LOCALES`]; the browser's own where empty.
    #[serde(deserialize_with = "locale")]
    pub locale: String,
}

/// The languages of the screens.
pub const LOCALES: [&str; 5] = ["en", "fa", "ar", "pl", "is"];

impl Default for WorkspaceSettings {
    fn default() -> Self {
        Self { name: String::new(), time_zone: "UTC".to_owned(), currency: "EUR".to_owned(), locale: String::new() }
    }
}

/// `[attribution]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttributionSettings {
    /// The models that `safar attribute` shows and `safar build` writes to `credits`.
    pub models: Vec<ModelSpec>,
    /// What `safar attribute` does to paths before models see them, one after the other. `credits` are of paths as they are.
    pub transform: Vec<Transform>,
    /// What channels are to models of cause, by name, case ignored; guessed from the name otherwise.
    pub roles: BTreeMap<String, Role>,
}

impl AttributionSettings {
    /// What is said of each of `channels`.
    #[must_use]
    pub fn roles_of(&self, channels: &[String]) -> Vec<Option<Role>> {
        let of = |channel: &String| {
            let said =
                |(name, role): (&String, &Role)| (name.to_lowercase() == channel.to_lowercase()).then_some(*role);
            self.roles.iter().find_map(said)
        };
        channels.iter().map(of).collect()
    }
}

impl Default for AttributionSettings {
    fn default() -> Self {
        let models = ["first", "last", "last_non_direct", "linear", "position", "time_decay", "markov"];
        let models = models.iter().filter_map(|text| text.parse().ok()).collect();
        Self { models, transform: vec![], roles: BTreeMap::new() }
    }
}

impl AttributionSettings {
    /// A model that is named twice would be two rows of one name in every report.
    fn fault(&self) -> Option<String> {
        let twice = self.models.iter().enumerate().find(|(at, model)| self.models[..*at].contains(model));
        twice.map(|(_, model)| format!("`{model}` stands twice in models; name each model once"))
    }
}

impl Settings {
    /// Reads and checks `path`.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is not allowed: the message names file, line and what is allowed.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.display().to_string(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Checks `text`, the contents of the file `name`.
    ///
    /// # Errors
    /// When a line is not allowed.
    pub fn parse(text: &str, name: &str) -> Result<Self, SettingsError> {
        let mut settings: Self = toml::from_str(text)
            .map_err(|error| bad(text, name, error.span().map_or(0, |span| span.start), error.message()))?;
        settings.collect.consent = settings.privacy.consent.clone();
        settings.import.consent = settings.privacy.consent.clone();
        settings.import.goals = settings.journey_rules().goals.into_iter().map(|goal| goal.name).collect();
        let check = |section: &str, reason: Option<String>| match reason {
            None => Ok(()),
            Some(reason) => Err(bad(text, name, place(text, section, &reason), &reason)),
        };
        check("channels", settings.channels.check().err().map(|error| error.to_string()))?;
        check("identity", settings.identity.check().err().map(|error| error.to_string()))?;
        check("import", settings.import.check().err().map(|error| error.to_string()))?;
        check("experiments", experiments::fault(&settings.experiments))?;
        check("attribution", settings.attribution.fault())?;
        check("collect", settings.collect.check().err().map(|error| error.to_string()))?;
        check("goals", JourneyBuilder::new(&settings.journey_rules()).err().map(|error| error.to_string()))?;
        Ok(settings)
    }

    /// What the journey crate needs.
    #[must_use]
    pub fn journey_rules(&self) -> JourneyRules {
        let goals = if self.goals.is_empty() { JourneyRules::default().goals } else { self.goals.clone() };
        JourneyRules {
            sessions: self.sessions.clone(),
            goals,
            windows: self.windows.clone(),
            time_zone: self.workspace.time_zone.clone(),
            currency: self.workspace.currency.clone(),
        }
    }
}

/// What the reader of the file says, without the names that programs have for kinds of values.
fn in_words(reason: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("unknown variant", "unknown value"),
        ("unknown field", "unknown setting"),
        ("expected a nonzero u32", "expected a whole number of at least 1"),
        ("expected u32", "expected a whole number of at least 0 that is not too large"),
        ("expected u64", "expected a whole number of at least 0"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list such as [\"one\", \"two\"]"),
    ];
    WORDS.iter().fold(reason.to_owned(), |text, (word, plain)| text.replace(word, plain))
}

/// The error of the line that holds byte `at`.
fn bad(text: &str, path: &str, at: usize, message: &str) -> SettingsError {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    let found = text.lines().nth(line - 1).unwrap_or_default().trim().to_owned();
    let is_toml = toml::from_str::<toml::Table>(text).is_ok();
    let fault = if is_toml { Fault::told(message, text, line) } else { Fault::NotToml };
    SettingsError::Bad { path: path.to_owned(), line, column, found, reason: in_words(message), fault }
}

/// Where the setting stands that a check of a whole section complains of: its message quotes the value between backticks, so
/// that is where the section first holds it; the section's head where it is not found.
fn place(text: &str, section: &str, reason: &str) -> usize {
    let quoted = reason.split('`').nth(1).unwrap_or_default().to_lowercase();
    let (mut at, mut head, mut within) = (0, None, false);
    for line in text.split_inclusive('\n') {
        let start = at + line.len() - line.trim_start().len();
        at += line.len();
        if line.trim_start().starts_with('[') {
            within = line.trim_start().trim_start_matches('[').starts_with(section);
        }
        if within {
            head = head.or(Some(start));
            let says = !line.trim_start().starts_with('#') && line.to_lowercase().contains(&quoted);
            if says && !quoted.is_empty() {
                return start;
            }
        }
    }
    head.unwrap_or(0)
}

fn time_zone<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    jiff::tz::TimeZone::get(&name).map_err(|_| {
        D::Error::custom(format!(
            "`{name}` is no time zone; use an IANA name such as \"UTC\", \"Atlantic/Reykjavik\" or \"Asia/Tehran\""
        ))
    })?;
    Ok(name)
}

fn locale<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    if name.is_empty() || LOCALES.contains(&name.as_str()) {
        return Ok(name);
    }
    Err(D::Error::custom(format!("`{name}` is no language of the screens; use {}", LOCALES.join(", "))))
}

fn currency<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let code = String::deserialize(from)?;
    if code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase()) {
        Ok(code)
    } else {
        Err(D::Error::custom(format!(
            "`{code}` is no currency code; use three capital letters of ISO 4217 such as \"EUR\""
        )))
    }
}

/// Why `safar.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error(
        "cannot read {path}: {source}\n  hint: `safar init FOLDER` makes a workspace; `--workspace FOLDER` names one"
    )]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not allowed.
    #[error(
        "{path}:{line}:{column}: {reason}\n  found: {found}\n  hint: `safar reference settings` lists every setting"
    )]
    Bad {
        /// Which file.
        path: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The line as it stands.
        found: String,
        /// What is wrong, and what is allowed.
        reason: String,
        /// The same for programs.
        fault: Fault,
    },
}
