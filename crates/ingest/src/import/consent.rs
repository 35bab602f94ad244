//! What is left of an event whose visitor refused a purpose.
use super::row::{agreed, flag, is_json};
use foldhash::fast::RandomState;
use safar_enrich::is_click_id;
use safar_model::consent::{ConsentRules, Refused, WITHHELD};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashMap};

/// Why an event is rejected where nothing may be kept of it. Neither is the row.
pub(crate) const REFUSED: &str = "the visitor refused analytics";

/// How many texts of consent are remembered, and how long ones: banners write a few dozen.
const TEXTS: usize = 256;
const TEXT_MAX: usize = 4 << 10;

/// What the column `consent` of a row says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Consent {
    pub refused: Refused,
    pub kept: Kept,
}

/// How it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kept {
    #[default]
    Nothing,
    /// As it is told: an object by purpose.
    Json,
    /// One word for all purposes.
    All(bool),
    /// A text that says neither, beside the other properties.
    Property,
}

/// Reads the column `consent`. Few texts come again and again, so the answers are kept.
#[derive(Default)]
pub(crate) struct Consents {
    known: HashMap<String, Consent, RandomState>,
}

impl Consents {
    pub(crate) fn read(&mut self, text: &str, rules: &ConsentRules) -> Consent {
        if text.is_empty() {
            return Consent::default();
        }
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let word = flag(text).or_else(|| agreed(text));
        let refused = match word {
            Some(given) => rules.refused([("all", given)]),
            None => {
                let told: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
                let signals = told.iter().filter_map(|(name, given)| {
                    let given = match given {
                        Value::Bool(given) => Some(*given),
                        Value::String(text) => flag(text).or_else(|| agreed(text)),
                        Value::Number(number) => flag(&number.to_string()),
                        _ => None,
                    };
                    Some((name.as_str(), given?))
                });
                rules.refused(signals)
            }
        };
        let kept = match word {
            Some(given) => Kept::All(given),
            None if is_json(text) => Kept::Json,
            None => Kept::Property,
        };
        let consent = Consent { refused, kept };
        if self.known.len() == TEXTS {
            self.known.clear();
        }
        if text.len() <= TEXT_MAX {
            self.known.insert(text.to_owned(), consent);
        }
        consent
    }
}

/// A page's address without the ids of clicks.
pub(crate) fn without_click_ids(address: &str) -> Cow<'_, str> {
    let named =
        |part: &str| part.split_once('=').filter(|(name, value)| is_click_id(name) && !value.is_empty()).is_some();
    if !address.split(['?', '&', '#', ';']).any(named) {
        return Cow::Borrowed(address);
    }
    let mut out = String::with_capacity(address.len());
    for part in address.split_inclusive(['?', '&', '#', ';']) {
        let (inner, sign) = match part.strip_suffix(['?', '&', '#', ';']) {
            Some(inner) => (inner, &part[inner.len()..]),
            None => (part, ""),
        };
        match inner.split_once('=') {
            Some((name, _)) if named(inner) => {
                out.push_str(name);
                out.push('=');
                out.push_str(WITHHELD);
            }
            _ => out.push_str(inner),
        }
        out.push_str(sign);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_clicks_go_and_nothing_else() {
        for (address, wanted) in [
            (
                "https://x.example/?a=1&gclid=secret&utm_source=g#x",
                "https://x.example/?a=1&gclid=withheld&utm_source=g#x",
            ),
            ("https://x.example/?FBCLID=secret", "https://x.example/?FBCLID=withheld"),
            ("https://x.example/gclid=secret", "https://x.example/gclid=secret"),
            ("https://x.example/#gclid=secret;b", "https://x.example/#gclid=withheld;b"),
            ("?gclid=&a", "?gclid=&a"),
            ("", ""),
        ] {
            assert_eq!(without_click_ids(address), wanted);
        }
    }

    #[test]
    fn a_word_or_an_object_refuses() {
        let rules = ConsentRules::default();
        let mut consents = Consents::default();
        for _ in 0..2 {
            let mut said = |text: &str| {
                let Consent { refused, kept } = consents.read(text, &rules);
                (refused.analytics, refused.advertising, kept)
            };
            assert_eq!(said(""), (false, false, Kept::Nothing));
            assert_eq!(said("denied"), (true, true, Kept::All(false)));
            assert_eq!(said("granted"), (false, false, Kept::All(true)));
            assert_eq!(said(r#"{"analytics":"denied","ads":1}"#), (true, false, Kept::Json));
            assert_eq!(said(r#"{"marketing":false}"#), (false, true, Kept::Json));
            assert_eq!(said("tcf-string"), (false, false, Kept::Property));
        }
    }
}
