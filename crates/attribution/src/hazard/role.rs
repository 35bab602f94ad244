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

/// Words that tell a role, tried in this order.
const WORDS: [(Role, &[&str]); 3] = [
    (Role::Reach, &["mail", "sms", "push", "newsletter", "message", "affiliate", "call"]),
    (Role::Direct, &["direct", "(none)", "typed"]),
    (Role::Pull, &["search", "brand", "organic", "seo", "cpc", "shopping", "referral"]),
];

impl Role {
    /// What a channel's name suggests; [`Role::Push`] where it suggests nothing, since a channel taken for that can be
    /// credited but brings nobody to the site.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let name = name.to_lowercase();
        let known = WORDS.iter().find(|(_, words)| words.iter().any(|word| name.contains(word)));
        known.map_or(Self::Push, |(role, _)| *role)
    }

    /// The word used in files and on screens.
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
        ] {
            assert_eq!(Role::of_name(name), role, "{name}");
        }
    }
}
