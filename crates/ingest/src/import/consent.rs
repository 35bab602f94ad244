//! What is left of an event whose visitor refused a purpose.
use super::row::{agreed, flag};
use safar_enrich::is_click_id;
use safar_model::consent::{ConsentRules, Refused, WITHHELD};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Why an event is rejected where nothing may be kept of it. Neither is the row.
pub(crate) const REFUSED: &str = "the visitor refused analytics";

/// Reads the column `consent`. Equal values come in runs, so the last answer is kept.
#[derive(Default)]
pub(crate) struct Consents {
    last: (String, Refused),
}

impl Consents {
    pub fn refused(&mut self, consent: &str, rules: &ConsentRules) -> Refused {
        if self.last.0 != consent {
            let refused = match flag(consent).or_else(|| agreed(consent)) {
                Some(given) => rules.refused([("all", given)]),
                None => {
                    let told: Map<String, Value> = serde_json::from_str(consent).unwrap_or_default();
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
            self.last = (consent.to_owned(), refused);
        }
        self.last.1
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
        let mut said = |text: &str| {
            let refused = consents.refused(text, &rules);
            (refused.analytics, refused.advertising)
        };
        assert_eq!(said(""), (false, false));
        assert_eq!(said("denied"), (true, true));
        assert_eq!(said("granted"), (false, false));
        assert_eq!(said(r#"{"analytics":"denied","ads":1}"#), (true, false));
        assert_eq!(said(r#"{"marketing":false}"#), (false, true));
        assert_eq!(said("tcf-string"), (false, false));
    }
}
