//! How the model is set, and what it takes each channel for.
use safar_model::Micros;

/// What a channel is, as far as causes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// People come by themselves and for no reason that can be paid for: direct visits. Earns no credit.
    Direct,
    /// People come by themselves: search.
    Pull,
    /// People are reached, and come: e-mail, messages.
    Reach,
    /// People are shown something: display, social, retargeting.
    Push,
}

impl Role {
    /// What a channel's name suggests.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["direct", "(none)", "typein"]) && !has(&["mail"]) {
            Self::Direct
        } else if has(&["search", "brand", "organic", "seo", "sem", "cpc", "google", "bing", "shopping", "referral"]) {
            Self::Pull
        } else if has(&["mail", "sms", "push", "newsletter", "message", "call", "affiliate"]) {
            Self::Reach
        } else {
            Self::Push
        }
    }

    /// Whether a touch of it brings the person to the site.
    pub(super) fn lands(self) -> bool {
        self != Self::Push
    }

    /// Whether other channels can bring it about.
    pub(super) fn is_lifted(self) -> bool {
        matches!(self, Self::Direct | Self::Pull)
    }

    /// Whether it can bring others about.
    pub(super) fn lifts(self) -> bool {
        matches!(self, Self::Reach | Self::Push)
    }
}

/// The settings of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct HazardSettings {
    /// What each channel is, by index; those beyond the list, as their names suggest.
    pub roles: Vec<Option<Role>>,
    /// Levels of lasting intent; 1: everybody is alike.
    pub levels: usize,
    /// Levels of passing intent; 1: intent does not change.
    pub moods: usize,
    /// How long intent is taken to stand still.
    pub step: Option<Micros>,
    /// Stretches of the calendar, each with its own rates.
    pub seasons: usize,
    /// Whether direct visits and searches are traced back to what brought them about.
    pub upstream: bool,
    /// Whether visits make people be followed.
    pub follow: bool,
    /// Whether touches that come in bursts tell less of intent than touches that come evenly.
    pub trust: bool,
    /// Whether conversions that would have come later anyway are taken back.
    pub anyway: bool,
    /// Most rounds.
    pub rounds: usize,
}

impl Default for HazardSettings {
    fn default() -> Self {
        Self {
            roles: vec![],
            levels: 9,
            moods: 3,
            step: None,
            seasons: 1,
            upstream: true,
            follow: true,
            trust: true,
            anyway: true,
            rounds: 60,
        }
    }
}
