//! The default channel groups of Google Analytics 4 for manually tagged traffic, then Safar's for offline touches.
//!
//! The rules are Google's (<https://support.google.com/analytics/answer/9756891>), in Google's order; the first match
//! wins and case never matters. Google Ads traffic that is tagged automatically gets its channel in Google's own
//! reports from the ad network, which no URL shows, so full parity from URLs alone is impossible.
use crate::sources::Category;
use safar_model::Interaction;

/// What the default rules look at, in lower case.
pub(crate) struct Seen<'a> {
    pub source: &'a str,
    pub medium: &'a str,
    pub campaign: &'a str,
    pub category: Option<Category>,
    pub interaction: Interaction,
}

impl Seen<'_> {
    /// `^(.*cp.*|ppc|retargeting|paid.*)$`
    fn paid(&self) -> bool {
        self.medium.contains("cp") || matches!(self.medium, "ppc" | "retargeting") || self.medium.starts_with("paid")
    }

    /// `^(.*(([^a-df-z]|^)shop|shopping).*)$`: so `eshop` is a shop, `workshop` is none.
    fn shop(&self) -> bool {
        let own_word = |(at, _): (usize, &str)| {
            !self.campaign.as_bytes()[..at].last().is_some_and(|b| b.is_ascii_lowercase() && *b != b'e')
        };
        self.campaign.contains("shopping") || self.campaign.match_indices("shop").any(own_word)
    }

    fn is(&self, category: Category) -> bool {
        self.category == Some(category)
    }

    fn source_or_medium(&self, words: &[&str]) -> bool {
        words.contains(&self.source) || words.contains(&self.medium)
    }
}

/// A rule that ships with Safar.
pub(crate) struct DefaultRule {
    pub channel: &'static str,
    /// Names it for programs and other languages, and stays.
    pub code: &'static str,
    /// The condition in words, for people who ask why.
    pub text: &'static str,
    pub holds: fn(&Seen<'_>) -> bool,
}

/// The channel where no rule matches.
pub(crate) const UNASSIGNED: &str = "Unassigned";

/// In order; the first that holds names the channel.
pub(crate) static DEFAULT_RULES: [DefaultRule; 24] = [
    DefaultRule {
        channel: "Direct",
        code: "direct",
        text: "source is (direct) and medium is (none) or (not set)",
        holds: |s| s.source == "(direct)" && matches!(s.medium, "(none)" | "(not set)"),
    },
    DefaultRule {
        channel: "Cross-network",
        code: "cross_network",
        text: "campaign contains cross-network",
        holds: |s| s.campaign.contains("cross-network"),
    },
    DefaultRule {
        channel: "Paid Shopping",
        code: "paid_shopping",
        text: "source is a shopping site or campaign names a shop, and medium is paid",
        holds: |s| (s.is(Category::Shopping) || s.shop()) && s.paid(),
    },
    DefaultRule {
        channel: "Paid Search",
        code: "paid_search",
        text: "source is a search engine and medium is paid",
        holds: |s| s.is(Category::Search) && s.paid(),
    },
    DefaultRule {
        channel: "Paid Social",
        code: "paid_social",
        text: "source is a social network and medium is paid",
        holds: |s| s.is(Category::Social) && s.paid(),
    },
    DefaultRule {
        channel: "Paid Video",
        code: "paid_video",
        text: "source is a video site and medium is paid",
        holds: |s| s.is(Category::Video) && s.paid(),
    },
    DefaultRule {
        channel: "Display",
        code: "display",
        text: "medium is display, banner, expandable, interstitial or cpm",
        holds: |s| matches!(s.medium, "display" | "banner" | "expandable" | "interstitial" | "cpm"),
    },
    DefaultRule { channel: "Paid Other", code: "paid_other", text: "medium is paid", holds: |s| s.paid() },
    DefaultRule {
        channel: "Organic Shopping",
        code: "organic_shopping",
        text: "source is a shopping site or campaign names a shop",
        holds: |s| s.is(Category::Shopping) || s.shop(),
    },
    DefaultRule {
        channel: "Organic Social",
        code: "organic_social",
        text: "source is a social network or medium is social, social-network, social-media, sm, social network or social media",
        holds: |s| {
            let media = ["social", "social-network", "social-media", "sm", "social network", "social media"];
            s.is(Category::Social) || media.contains(&s.medium)
        },
    },
    DefaultRule {
        channel: "Organic Video",
        code: "organic_video",
        text: "source is a video site or medium contains video",
        holds: |s| s.is(Category::Video) || s.medium.contains("video"),
    },
    DefaultRule {
        channel: "Organic Search",
        code: "organic_search",
        text: "source is a search engine or medium is organic",
        holds: |s| s.is(Category::Search) || s.medium == "organic",
    },
    DefaultRule {
        channel: "Referral",
        code: "referral",
        text: "medium is referral, app or link",
        holds: |s| matches!(s.medium, "referral" | "app" | "link"),
    },
    DefaultRule {
        channel: "Email",
        code: "email",
        text: "source or medium is email, e-mail, e_mail or e mail",
        holds: |s| s.source_or_medium(&["email", "e-mail", "e_mail", "e mail"]),
    },
    DefaultRule {
        channel: "Affiliates",
        code: "affiliates",
        text: "medium is affiliate",
        holds: |s| s.medium == "affiliate",
    },
    DefaultRule { channel: "Audio", code: "audio", text: "medium is audio", holds: |s| s.medium == "audio" },
    DefaultRule {
        channel: "SMS",
        code: "sms",
        text: "source or medium is sms",
        holds: |s| s.source_or_medium(&["sms"]),
    },
    DefaultRule {
        channel: "Mobile Push",
        code: "mobile_push",
        text: "medium ends with push or contains mobile or notification, or source is firebase",
        holds: |s| {
            s.medium.ends_with("push")
                || s.medium.contains("mobile")
                || s.medium.contains("notification")
                || s.source == "firebase"
        },
    },
    DefaultRule {
        channel: "AI Assistant",
        code: "ai_assistant",
        text: "medium is ai-assistant",
        holds: |s| s.medium == "ai-assistant",
    },
    // Google has no offline channels; these come after all of Google's.
    DefaultRule {
        channel: "Phone",
        code: "phone",
        text: "the touch is a call",
        holds: |s| s.interaction == Interaction::Call,
    },
    DefaultRule {
        channel: "Store",
        code: "store",
        text: "the touch is a store visit",
        holds: |s| s.interaction == Interaction::Store,
    },
    DefaultRule {
        channel: "Sales",
        code: "sales",
        text: "the touch is a meeting",
        holds: |s| s.interaction == Interaction::Meeting,
    },
    DefaultRule {
        channel: "Print",
        code: "print",
        text: "the touch is print",
        holds: |s| s.interaction == Interaction::Print,
    },
    DefaultRule {
        channel: "Chat",
        code: "chat",
        text: "the touch is a chat",
        holds: |s| s.interaction == Interaction::Chat,
    },
];
