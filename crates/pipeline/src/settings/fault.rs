//! What is wrong with a line of `safar.toml`, for programs and other languages; the error says the same in words.
use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong. A setting is named with its section, such as `workspace.currency`; a value stands as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The line is no TOML.
    NotToml,
    /// There is no such setting.
    NoSetting {
        /// What was written, without its section.
        setting: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A setting that must be there is not.
    Missing {
        /// Which.
        setting: String,
    },
    /// The value is none of few.
    NotOneOf {
        /// Whose.
        setting: String,
        /// The value.
        value: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The value is of another kind.
    WrongKind {
        /// Whose.
        setting: String,
        /// Of which it must be.
        wanted: ValueKind,
    },
    /// The value cannot be used; only the error's words say why.
    Unusable {
        /// Whose.
        setting: String,
    },
}

/// Kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// A whole number of at least 1.
    PositiveWholeNumber,
    /// A whole number of at least 0.
    WholeNumber,
    /// A number.
    Number,
    /// A text in quotes.
    Text,
    /// `true` or `false`.
    TrueOrFalse,
    /// A list.
    List,
}

impl Fault {
    /// What the reader of the file, or a check, says of `line` (from 1) of `text`.
    pub(super) fn told(message: &str, text: &str, line: usize) -> Self {
        let setting = || setting_at(text, line);
        let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
        let mut first = || quoted.next().unwrap_or_default();
        if message.starts_with("unknown field") {
            Self::NoSetting { setting: first(), known: quoted.collect() }
        } else if message.starts_with("unknown variant") {
            Self::NotOneOf { value: first(), known: quoted.collect(), setting: setting() }
        } else if message.starts_with("missing field") {
            Self::Missing { setting: first() }
        } else if let Some(wanted) = kind(message) {
            Self::WrongKind { setting: setting(), wanted }
        } else {
            Self::Unusable { setting: setting() }
        }
    }
}

/// The kind that the reader of the file wants, where it names one.
fn kind(message: &str) -> Option<ValueKind> {
    let (found, wanted) = message.rsplit_once(", expected ")?;
    if !found.starts_with("invalid type") && !found.starts_with("invalid value") {
        return None;
    }
    Some(match wanted.trim() {
        "a nonzero u32" => ValueKind::PositiveWholeNumber,
        "u8" | "u16" | "u32" | "u64" | "usize" => ValueKind::WholeNumber,
        "f64" => ValueKind::Number,
        "a string" => ValueKind::Text,
        "a boolean" => ValueKind::TrueOrFalse,
        "a sequence" => ValueKind::List,
        _ => return None,
    })
}

/// The setting that holds a line: its section and its key, which may stand some lines before.
fn setting_at(text: &str, line: usize) -> String {
    let mut key = "";
    for line in text.lines().take(line).collect::<Vec<_>>().into_iter().rev() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let head =
            line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|head| !head.contains([',', '"']));
        if let Some(head) = head {
            let section = head.trim_matches(['[', ']', ' ']);
            return if key.is_empty() { section.to_owned() } else { format!("{section}.{key}") };
        }
        let name = line.split_once('=').map_or("", |(name, _)| name.trim());
        let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        if key.is_empty() && is_bare {
            key = name;
        }
    }
    key.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, SettingsError};

    fn fault(text: &str) -> Fault {
        match Settings::parse(text, "safar.toml").unwrap_err() {
            SettingsError::Bad { fault, .. } => fault,
            unreadable @ SettingsError::Unreadable { .. } => panic!("{unreadable}"),
        }
    }

    #[test]
    fn each_fault_names_its_setting() {
        let text = str::to_owned;
        let kind = |setting: &str, wanted| Fault::WrongKind { setting: text(setting), wanted };
        for (file, wanted) in [
            ("[windows]\nview_days = \"many\"", kind("windows.view_days", ValueKind::WholeNumber)),
            ("[windows]\nclick_days = -1", kind("windows.click_days", ValueKind::PositiveWholeNumber)),
            ("[windows]\ncount_again = 1 # [a, b]", kind("windows.count_again", ValueKind::TrueOrFalse)),
            ("[channels]\nown_domains = \"a.example\"", kind("channels.own_domains", ValueKind::List)),
            ("[workspace]\nname = 1", kind("workspace.name", ValueKind::Text)),
            ("[workspace]\nname = \"a", Fault::NotToml),
            ("[workspace]\nname = \"a\"\nname = \"b\"", Fault::NotToml),
            ("[workspace]\ncurrency = \"Euro\"", Fault::Unusable { setting: text("workspace.currency") }),
            (
                "[channels]\nown_domains = [\n  \"a.example\", # ours\n  \"/b\",\n]",
                Fault::Unusable { setting: text("channels.own_domains") },
            ),
            ("[[goals]]\nevents = [\"a\"]", Fault::Missing { setting: text("name") }),
            (
                "[server]\ncolour = 1",
                Fault::NoSetting {
                    setting: text("colour"),
                    known: ["listen", "secure_cookies", "session_days", "sql"].map(text).to_vec(),
                },
            ),
            (
                "[privacy.consent]\nwithout_advertising = \"drop\"",
                Fault::NotOneOf {
                    setting: text("privacy.consent.without_advertising"),
                    value: text("drop"),
                    known: ["keep", "strip"].map(text).to_vec(),
                },
            ),
        ] {
            assert_eq!(fault(file), wanted, "{file}");
        }
    }
}
