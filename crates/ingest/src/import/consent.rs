//! What is left of an event whose visitor refused a purpose.
use super::{
    flag::{agreed, flag},
    object::is_json,
};
use foldhash::fast::RandomState;
use safar_model::consent::{ConsentRules, Refused};
use serde_json::{Map, Value};
use std::collections::HashMap;

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

#[cfg(test)]
mod tests {
    use super::*;

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
