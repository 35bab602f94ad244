//! What a channel is, as far as causes go.
use serde::{Deserialize, Serialize};

/// How people and a channel come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// People come by themselves, for no reason that can be paid for: direct visits. Earns no credit, whatever seems to
    /// follow from it: what would be its effect is the part of intent that the model missed.
    Direct,
    /// People come by themselves: search. Other channels can bring it about.
    Pull,
    /// People are reached, and come: e-mail, messages.
    Reach,
    /// People are shown something: display, social, retargeting. Visitors may be followed by it.
    Push,
}

/// Whole words that tell a role, tried in this order.
const WORDS: [(Role, &[&str]); 4] = [
    (
        Role::Reach,
        &[
            "mail",
            "mails",
            "mailing",
            "mailings",
            "email",
            "emails",
            "sms",
            "mms",
            "push",
            "notification",
            "notifications",
            "newsletter",
            "newsletters",
            "message",
            "messages",
            "messaging",
            "affiliate",
            "affiliates",
            "call",
            "calls",
        ],
    ),
    (Role::Pull, &["organic"]),
    (
        Role::Push,
        &[
            "display",
            "banner",
            "banners",
            "video",
            "audio",
            "programmatic",
            "retargeting",
            "remarketing",
            "impressions",
        ],
    ),
    (Role::Pull, &["search", "searches", "brand", "seo", "sea", "cpc", "shopping", "referral", "referrals"]),
];

/// A name is that of direct visits where it has one of the first words and no other than these.
const DIRECT: [&str; 2] = ["direct", "typed"];
const BESIDE_DIRECT: [&str; 9] =
    ["none", "in", "bookmarked", "bookmark", "traffic", "visit", "visits", "entry", "unknown"];

impl Role {
    /// What a channel's name suggests, by whole words; [`Role::Push`] where it suggests nothing, since a channel taken for that
    /// can be credited but brings nobody to the site. [`Role::Direct`], which earns nothing, only where nothing else is said.
    ///
    /// ```
    /// use safar_attribution::hazard::Role;
    /// assert_eq!(Role::of_name("Paid Search"), Role::Pull);
    /// assert_eq!(Role::of_name("(direct) / (none)"), Role::Direct);
    /// assert_eq!(Role::of_name("Paid Social direct response"), Role::Push);
    /// ```
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let words = words(name);
        let has = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
        let is_known = |word: &String| DIRECT.contains(&word.as_str()) || BESIDE_DIRECT.contains(&word.as_str());
        if words == ["none"] || (has(&DIRECT) && words.iter().all(is_known)) {
            return Self::Direct;
        }
        WORDS.iter().find(|(_, of)| has(of)).map_or(Self::Push, |(role, _)| *role)
    }

    /// The word used in files and on screens.
    ///
    /// ```
    /// assert_eq!(safar_attribution::hazard::Role::Pull.as_str(), "pull");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Pull => "pull",
            Self::Reach => "reach",
            Self::Push => "push",
        }
    }

    /// Whether a touch of it brings the person to the site.
    pub(super) fn lands(self) -> bool {
        self != Self::Push
    }

    /// Whether others can bring it about.
    pub(super) fn is_lifted(self) -> bool {
        matches!(self, Self::Direct | Self::Pull)
    }

    /// Whether it can bring others about.
    pub(super) fn lifts(self) -> bool {
        matches!(self, Self::Reach | Self::Push)
    }
}

/// The words of a name in lower case: letters and digits in a row, a capital after a small letter beginning a new one.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (was_small && letter.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn names_suggest_roles() {
        for (name, role) in [
            ("Direct", Role::Direct),
            ("Direct mail", Role::Reach),
            ("Paid Search Brand", Role::Pull),
            ("Organic Social", Role::Pull),
            ("Email", Role::Reach),
            ("Display", Role::Push),
            ("retargeting", Role::Push),
            ("Paid Social", Role::Push),
            ("direct", Role::Direct),
            ("Direct Traffic", Role::Direct),
            ("(direct) / (none)", Role::Direct),
            ("(none)", Role::Direct),
            ("Typed/Bookmarked", Role::Direct),
            // Direct sales, indirect ones and the like are something else.
            ("Paid Social direct response", Role::Push),
            ("Indirect", Role::Push),
            ("Gmail ads", Role::Push),
            ("Local inventory", Role::Push),
            ("E-Mail", Role::Reach),
            ("PaidSearch", Role::Pull),
            ("search_generic", Role::Pull),
            ("Brand display", Role::Push),
            ("Organic Video", Role::Pull),
            ("", Role::Push),
        ] {
            assert_eq!(Role::of_name(name), role, "{name}");
        }
    }
}
