//! What the visitor agreed to: the column `consent`, a JSON object of purpose → whether it was given.
//!
//! | signal | purpose |
//! |---|---|
//! | header `Sec-GPC: 1` (Global Privacy Control) | `sale_or_sharing`: false |
//! | header `DNT: 1` | `tracking`: false |
//! | header `SP-Anonymous` (Snowplow) | `identification`: false |
//! | Google `gcs` (`G1` + ads + analytics) | `ad_storage`, `analytics_storage` |
//! | Google `gcd` (letters 3, 5, 7 and 9) | `ad_storage`, `analytics_storage`, `ad_user_data`, `ad_personalization` |
//! | Google `npa=1`, `_npa=1` | `ad_personalization`: false |
//! | Google Measurement Protocol `consent` | `ad_user_data`, `ad_personalization` |
//! | PostHog `$process_person_profile`: false | `person_profile`: false |
//! | Segment `context.consent.categoryPreferences` | its categories |
//! | RudderStack `context.consentManagement` | ids of categories, allowed and denied |
//!
//! A signal that was not sent leaves its purpose out: silence is neither a yes nor a no.
use crate::{
    Collected, Request,
    json::{Object, take_object},
};
use serde_json::Value;

/// Purposes as they are gathered for an event.
#[derive(Debug, Default)]
pub(crate) struct Consent(Object);

impl Consent {
    /// What the headers of the request say.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let mut consent = Self::default();
        for (header, purpose) in [("sec-gpc", "sale_or_sharing"), ("dnt", "tracking")] {
            if request.header(header) == Some("1") {
                consent.say(purpose, false);
            }
        }
        if request.header("sp-anonymous").is_some() {
            consent.say("identification", false);
        }
        consent
    }

    pub(crate) fn say(&mut self, purpose: &str, given: bool) {
        self.0.insert(purpose.to_owned(), Value::Bool(given));
    }

    /// Google's consent mode in a `g/collect` request. What it says for itself wins over defaults: `gcd`, `gcs`, `npa`.
    pub(crate) fn google(&mut self, gcd: Option<&str>, gcs: Option<&str>, npa: Option<&str>) {
        const PURPOSES: [&str; 4] = ["ad_storage", "analytics_storage", "ad_user_data", "ad_personalization"];
        let gcd = gcd.filter(|text| text.starts_with('1')).unwrap_or_default().as_bytes();
        for (at, purpose) in PURPOSES.into_iter().enumerate() {
            // p, q, m, u: denied by default, by the visitor or both; t, r, n, v: granted; l: consent mode says nothing.
            match gcd.get(2 + 2 * at) {
                Some(b'p' | b'q' | b'm' | b'u') => self.say(purpose, false),
                Some(b't' | b'r' | b'n' | b'v') => self.say(purpose, true),
                _ => {}
            }
        }
        if let Some(flags) = gcs.and_then(|text| text.strip_prefix("G1")) {
            for (flag, purpose) in flags.bytes().zip(PURPOSES).take(2) {
                if matches!(flag, b'0' | b'1') {
                    self.say(purpose, flag == b'1');
                }
            }
        }
        if npa == Some("1") {
            self.say("ad_personalization", false);
        }
    }

    /// `GRANTED` or `DENIED` by purpose, in the Measurement Protocol.
    pub(crate) fn granted(&mut self, told: &mut Object) {
        told.retain(|purpose, value| match value.as_str() {
            Some("GRANTED" | "DENIED") => {
                self.say(purpose, value == "GRANTED");
                false
            }
            _ => true,
        });
    }

    /// The two forms of a consent manager in a `context`.
    pub(crate) fn managed(&mut self, context: &mut Object) {
        let mut consent = take_object(context, "consent");
        for (purpose, given) in take_object(&mut consent, "categoryPreferences") {
            match given {
                Value::Bool(given) => self.say(&purpose, given),
                other => {
                    consent.insert(purpose, other);
                }
            }
        }
        if !consent.is_empty() {
            context.insert("consent".to_owned(), Value::Object(consent));
        }
        if let Some(Value::Object(managed)) = context.get("consentManagement") {
            for (list, given) in [("allowedConsentIds", true), ("deniedConsentIds", false)] {
                let ids = managed.get(list).and_then(Value::as_array).into_iter().flatten();
                ids.filter_map(Value::as_str).for_each(|id| self.say(id, given));
            }
        }
    }

    pub(crate) fn tell(self, event: &mut Collected) {
        if !self.0.is_empty() {
            event.set("consent", Value::Object(self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn google(gcd: &str, gcs: &str, npa: &str) -> String {
        let mut consent = Consent::default();
        consent.google(Some(gcd), Some(gcs), Some(npa));
        Value::Object(consent.0).to_string()
    }

    /// Codes from public descriptions of consent mode (anowave.com, giancampo.com).
    #[test]
    fn consent_mode_is_read() {
        assert_eq!(google("13l3l3l3l1l1", "", "0"), "{}");
        assert_eq!(
            google("11p1p1p1p5", "", ""),
            r#"{"ad_personalization":false,"ad_storage":false,"ad_user_data":false,"analytics_storage":false}"#
        );
        assert_eq!(
            google("11t1t1t1p5", "", ""),
            r#"{"ad_personalization":false,"ad_storage":true,"ad_user_data":true,"analytics_storage":true}"#
        );
        assert_eq!(
            google("", "G101", "1"),
            r#"{"ad_personalization":false,"ad_storage":false,"analytics_storage":true}"#
        );
        assert_eq!(google("1é", "G1", "x"), "{}");
    }
}
