//! What is left of addresses and properties where the visitor refused that ads and what followed are tied together.
use crate::click_id::{self, CLICK_IDS};
use safar_model::consent::WITHHELD;
use serde_json::Value;
use std::borrow::Cow;

/// An address with [`WITHHELD`] in the place of the ids of clicks.
#[must_use]
pub fn without_click_ids(address: &str) -> Cow<'_, str> {
    let told = |value: &str| !value.is_empty() && value != WITHHELD;
    let named =
        |part: &str| part.split_once('=').is_some_and(|(name, value)| click_id::find(name).is_some() && told(value));
    if !address.split(SIGNS).any(named) {
        return Cow::Borrowed(address);
    }
    let mut out = String::with_capacity(address.len());
    for part in address.split_inclusive(SIGNS) {
        let (inner, sign) = match part.strip_suffix(SIGNS) {
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

/// What parts the parameters of an address.
const SIGNS: [char; 4] = ['?', '&', '#', ';'];

/// Puts [`WITHHELD`] in the place of every id of a click in a JSON value: in addresses, and in members that are named like one
/// (`gclid`, `$initial_gclid`). Whether there was any.
pub fn withhold_click_ids(value: &mut Value) -> bool {
    match value {
        Value::String(text) => match without_click_ids(text) {
            Cow::Owned(clean) => {
                *text = clean;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Array(items) => items.iter_mut().fold(false, |found, item| withhold_click_ids(item) | found),
        Value::Object(members) => {
            members.iter_mut().fold(false, |found, (name, value)| withhold_member(name, value) | found)
        }
        _ => false,
    }
}

/// As [`withhold_click_ids`], of a member of an object.
pub fn withhold_member(name: &str, value: &mut Value) -> bool {
    let tells = match value {
        Value::String(text) => !text.is_empty() && text != WITHHELD,
        Value::Number(_) => true,
        _ => false,
    };
    if tells && is_named_like_one(name) {
        *value = WITHHELD.into();
        return true;
    }
    withhold_click_ids(value)
}

/// Whether a name is that of an id of clicks, or ends in one after a sign.
fn is_named_like_one(name: &str) -> bool {
    CLICK_IDS.iter().any(|id| {
        let Some(at) = name.len().checked_sub(id.name.len()) else { return false };
        let ends = name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(id.name));
        ends && !name[..at].ends_with(|before: char| before.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
            let clean = without_click_ids(address);
            assert_eq!(clean, wanted);
            assert!(matches!(without_click_ids(&clean), Cow::Borrowed(_)), "once is enough: {clean}");
        }
    }

    #[test]
    fn they_go_from_within_objects() {
        let mut value = json!({
            "search": "?gclid=secret&q=shoes", "gclid": "secret", "$initial_gclid": "secret", "lists": [{"MSCLKID": 7}],
            "epik_saga": "a word", "gclid_seen": true, "gbraid": "", "n": 1
        });
        assert!(withhold_click_ids(&mut value));
        let wanted = json!({
            "search": "?gclid=withheld&q=shoes", "gclid": "withheld", "$initial_gclid": "withheld",
            "lists": [{"MSCLKID": "withheld"}], "epik_saga": "a word", "gclid_seen": true, "gbraid": "", "n": 1
        });
        assert_eq!(value, wanted);
        assert!(!withhold_click_ids(&mut value), "once is enough");
    }
}
