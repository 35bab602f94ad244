//! What a workspace does with what a visitor did not agree to: `[privacy.consent]`.
use serde::{Deserialize, Serialize};

/// What a visitor may agree to, as far as Safar acts on it. The column `consent` keeps every purpose as it was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To be recognised again, so that visits become a journey.
    Analytics,
    /// That ads and what followed from them are tied together.
    Advertising,
}

/// What is done with an event whose visitor refused analytics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutAnalytics {
    /// It is kept as it came.
    Keep,
    /// It is kept without identifiers. A collected one has the visitor of its day instead, which nobody can tell after that.
    #[default]
    Cookieless,
    /// It is rejected, without what it said.
    Drop,
}

/// What is done with an event whose visitor refused advertising.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutAdvertising {
    /// It is kept as it came.
    Keep,
    /// The click's id goes, also from addresses and properties, and [`WITHHELD`] stands there; which advertiser it was of stays.
    #[default]
    Strip,
}

/// What stands in the place of a click's id that is not kept.
pub const WITHHELD: &str = "withheld";

/// How the anonymous id begins of a visitor who is told apart for a day only, because who they are may not be kept.
pub const VISITOR_OF_THE_DAY: &str = "day.";

/// `[privacy.consent]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentRules {
    /// What a browser's Global Privacy Control refuses.
    pub global_privacy_control: Vec<Purpose>,
    /// What a browser's Do Not Track refuses. Its standard was given up in 2018 and few honour it.
    pub do_not_track: Vec<Purpose>,
    /// What is done without consent to analytics.
    pub without_analytics: WithoutAnalytics,
    /// What is done without consent to advertising.
    pub without_advertising: WithoutAdvertising,
    /// Further names of analytics in what a consent manager says, such as "C0002".
    pub analytics: Vec<String>,
    /// Further names of advertising.
    pub advertising: Vec<String>,
}

impl Default for ConsentRules {
    fn default() -> Self {
        Self {
            global_privacy_control: vec![Purpose::Advertising],
            do_not_track: vec![],
            without_analytics: WithoutAnalytics::default(),
            without_advertising: WithoutAdvertising::default(),
            analytics: vec![],
            advertising: vec![],
        }
    }
}

/// Which purposes were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// [`Purpose::Analytics`].
    pub analytics: bool,
    /// [`Purpose::Advertising`].
    pub advertising: bool,
}

/// Names under which clients and consent managers speak of a purpose. `identification`: the visitor asked Snowplow to be
/// anonymous. Google's `ad_personalization` and `ad_user_data` are about what Google may do, not about what is kept here.
const ANALYTICS: [&str; 7] =
    ["all", "analytics", "analytics_storage", "identification", "measurement", "performance", "statistics"];
const ADVERTISING: [&str; 6] = ["all", "ad_storage", "ads", "advertising", "marketing", "targeting"];

impl ConsentRules {
    /// What is refused by signals: purposes as they are named in the column `consent`, and whether they were agreed to. One
    /// refusal is enough, whatever else was said; silence refuses nothing.
    pub fn refused<'a>(&self, signals: impl IntoIterator<Item = (&'a str, bool)>) -> Refused {
        let mut refused = Refused::default();
        for (name, _) in signals.into_iter().filter(|(_, given)| !given) {
            let is = |known: &[&str], also: &[String], purpose: Purpose| {
                known.iter().any(|known| known.eq_ignore_ascii_case(name))
                    || also.iter().any(|also| also.eq_ignore_ascii_case(name))
                    || name == "sale_or_sharing" && self.global_privacy_control.contains(&purpose)
                    || name == "tracking" && self.do_not_track.contains(&purpose)
            };
            refused.analytics |= is(&ANALYTICS, &self.analytics, Purpose::Analytics);
            refused.advertising |= is(&ADVERTISING, &self.advertising, Purpose::Advertising);
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_refuse_what_the_rules_say() {
        let said = |rules: &ConsentRules, name: &str, given: bool| {
            let refused = rules.refused([("functional", false), (name, given), ("statistics", true)]);
            (refused.analytics, refused.advertising)
        };
        let rules = ConsentRules::default();
        for (name, wanted) in [
            ("analytics_storage", (true, false)),
            ("Analytics", (true, false)),
            ("ad_storage", (false, true)),
            ("ad_personalization", (false, false)),
            ("sale_or_sharing", (false, true)),
            ("tracking", (false, false)),
            ("all", (true, true)),
            ("C0002", (false, false)),
        ] {
            assert_eq!(said(&rules, name, false), wanted, "{name}");
            assert_eq!(said(&rules, name, true), (false, false), "{name}");
        }
        let strict = ConsentRules {
            do_not_track: vec![Purpose::Analytics],
            global_privacy_control: vec![],
            analytics: vec!["c0002".to_owned()],
            ..ConsentRules::default()
        };
        assert_eq!(said(&strict, "tracking", false), (true, false));
        assert_eq!(said(&strict, "sale_or_sharing", false), (false, false));
        assert_eq!(said(&strict, "C0002", false), (true, false));
        assert_eq!(rules.refused([]), Refused::default());
    }
}
