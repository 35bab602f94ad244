//! Finding a person in text: their identifiers as they are stored, and addresses and numbers whose hashes are theirs.
use super::who::Found;
use memchr::memmem::Finder;
use safar_collect::unpacked;
use safar_identity::{EMAIL, IdentitySettings, PHONE, mentions, normalise};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is written in the place of a mention.
pub(super) const ERASED: &str = "(erased)";

/// Shorter identifiers of digits only, and still shorter ones of anything, are looked for where identifiers stand, not in texts:
/// an amount or a page may read the same.
const SHORTEST_NUMBER: usize = 8;
const SHORTEST: usize = 6;
/// The least letters of a word of a rejected row that is taken for an identifier.
const SHORTEST_WORD: usize = 4;

/// Tells whether a text mentions a person.
#[derive(Clone, Debug)]
pub(super) struct Mentions {
    literals: Vec<Finder<'static>>,
    words: BTreeSet<String>,
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
    identity: IdentitySettings,
}

impl Mentions {
    pub fn new(found: &Found, identity: IdentitySettings) -> Self {
        // A device that was others', too, is no mark of this person.
        let whole = || found.identifiers.iter().filter(|own| own.from.is_none() && own.to.is_none());
        let of = |namespace: &str| -> BTreeSet<String> {
            whole().filter(|own| own.namespace == namespace).map(|own| own.identifier.clone()).collect()
        };
        let (emails, phones) = (of(EMAIL), of(PHONE));
        let plain = whole().map(|own| own.identifier.as_str()).chain(found.asked.iter().map(String::as_str));
        let words: BTreeSet<String> = plain.filter(|word| word.len() >= SHORTEST_WORD).map(str::to_owned).collect();
        let telling = |word: &&String| {
            word.len() >= SHORTEST_NUMBER || word.len() >= SHORTEST && word.bytes().any(|byte| !byte.is_ascii_digit())
        };
        let upper = emails.iter().chain(&phones).map(|hash| hash.to_ascii_uppercase());
        let literals = words.iter().filter(telling).cloned().chain(upper);
        let literals = literals.map(|word| Finder::new(word.as_bytes()).into_owned()).collect();
        Self { literals, words, emails, phones, identity }
    }

    /// Whether a text mentions the person, plainly or in anything packed in it.
    pub fn in_bytes(&self, bytes: &[u8]) -> bool {
        unpacked(bytes, &mut |bytes| self.plainly(bytes))
    }

    /// As [`Self::in_bytes`], or as a word of its own that is too short to be looked for in any text.
    pub fn in_row(&self, text: &str) -> bool {
        mentions::words(text).any(|word| self.words.contains(word)) || self.in_bytes(text.as_bytes())
    }

    fn plainly(&self, bytes: &[u8]) -> bool {
        let edge = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let stands = |finder: &Finder<'_>| {
            finder.find_iter(bytes).any(|at| {
                edge(at.checked_sub(1).and_then(|before| bytes.get(before)))
                    && edge(bytes.get(at + finder.needle().len()))
            })
        };
        if self.literals.iter().any(stands) {
            return true;
        }
        let addresses = !self.emails.is_empty() && memchr::memchr(b'@', bytes).is_some();
        if !addresses && self.phones.is_empty() {
            return false;
        }
        let text = String::from_utf8_lossy(bytes);
        let is = |namespace: &str, raw: &str, hashes: &BTreeSet<String>| {
            normalise(namespace, raw, &self.identity).id().is_some_and(|id| hashes.contains(&*id))
        };
        addresses && mentions::addresses(&text).any(|found| is(EMAIL, found, &self.emails))
            || !self.phones.is_empty()
                && mentions::numbers(&text).any(|found| {
                    // A number of another country may have lost its plus.
                    is(PHONE, found, &self.phones) || is(PHONE, &format!("+{found}"), &self.phones)
                })
    }

    /// The text without what mentions the person; `None` where it does not. Of JSON, only the members that do are replaced.
    pub fn scrub(&self, text: &str) -> Option<String> {
        if !self.in_bytes(text.as_bytes()) {
            return None;
        }
        let json = text.starts_with(['{', '[']).then(|| serde_json::from_str::<Value>(text).ok()).flatten();
        let Some(mut value) = json else { return Some(ERASED.to_owned()) };
        self.scrub_value(&mut value);
        let scrubbed = value.to_string();
        // What only shows in the whole of it goes as a whole.
        Some(if self.in_bytes(scrubbed.as_bytes()) { format!("{{\"{ERASED}\":true}}") } else { scrubbed })
    }

    fn scrub_value(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, mut value) in std::mem::take(members) {
                    self.scrub_value(&mut value);
                    let name = if self.in_bytes(name.as_bytes()) { ERASED.to_owned() } else { name };
                    members.insert(name, value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub_value(item)),
            Value::String(text) if self.in_bytes(text.as_bytes()) => ERASED.clone_into(text),
            Value::Number(number) if self.in_bytes(number.to_string().as_bytes()) => *value = ERASED.into(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::who::Own;

    fn mentions() -> Mentions {
        let identity = IdentitySettings { phone_country: Some("354".to_owned()), ..IdentitySettings::default() };
        let own = |namespace: &str, raw: &str| Own {
            namespace: namespace.to_owned(),
            identifier: normalise(namespace, raw, &identity).id().unwrap().into_owned(),
            from: None,
            to: None,
        };
        let identifiers = [
            own("user", "ada-17"),
            own("crm", "1234"),
            own("email", "Ada@X.example"),
            own("phone", "555 1234"),
            Own { from: Some(5), ..own("anonymous", "the-kiosk") },
        ];
        Mentions::new(&Found { identifiers: identifiers.into(), ..Found::default() }, identity)
    }

    #[test]
    fn a_person_is_found_in_text_and_nobody_else() {
        let mentions = mentions();
        let hash = normalise("email", "ada@x.example", &mentions.identity).id().unwrap().into_owned();
        for text in [
            "https://shop.example/?u=ada-17&x",
            "https://shop.example/?u=ada%2D17",
            "write to ADA@x.example.",
            "call +354 555-1234 or",
            "call 555 1234",
            &hash,
            &hash.to_uppercase(),
            "eyJ1c2VyIjoiYWRhLTE3In0=", // {"user":"ada-17"}
        ] {
            assert!(mentions.in_bytes(text.as_bytes()), "{text}");
        }
        for text in ["ada-170", "bob@x.example", "price 1234", "+354 555-1235", "the-kiosk"] {
            assert!(!mentions.in_bytes(text.as_bytes()), "{text}");
        }
        assert!(mentions.in_row("2026,1234,x") && !mentions.in_row("2026,12345,x"));
    }

    #[test]
    fn only_what_mentions_goes() {
        let mentions = mentions();
        assert_eq!(mentions.scrub(r#"{"plan":"pro","n":1}"#), None);
        assert_eq!(
            mentions
                .scrub(r#"{"by":["ada-17","bob"],"tel":3545551234,"note":{"ada@x.example":1},"plan":"pro"}"#)
                .unwrap(),
            r#"{"by":["(erased)","bob"],"note":{"(erased)":1},"plan":"pro","tel":"(erased)"}"#
        );
        assert_eq!(mentions.scrub("https://x.example/ada-17").unwrap(), ERASED);
    }
}
