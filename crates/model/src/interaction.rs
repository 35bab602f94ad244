//! What kind of contact an event was.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The kind of contact between a person and the business.
///
/// `visit`, `click` and `impression` are the online kinds that look-back windows distinguish; the others
/// are touches that a person took part in and count like clicks. `none` marks events that are no touch of
/// their own (a purchase, a step inside a session).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interaction {
    /// A page or screen was seen in a session.
    Visit,
    /// An advertisement or link was clicked.
    Click,
    /// An advertisement was shown.
    Impression,
    /// An e-mail was opened or answered.
    Email,
    /// A text message was received or answered.
    Sms,
    /// A push message was received or opened.
    Push,
    /// A telephone call.
    Call,
    /// A chat.
    Chat,
    /// A visit to a store.
    Store,
    /// A meeting with a sales person.
    Meeting,
    /// Post, print or a billboard that can be tied to a person.
    Print,
    /// Any other touch.
    Other,
    /// Not a touch of its own.
    None,
}

impl Interaction {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Visit,
        Self::Click,
        Self::Impression,
        Self::Email,
        Self::Sms,
        Self::Push,
        Self::Call,
        Self::Chat,
        Self::Store,
        Self::Meeting,
        Self::Print,
        Self::Other,
        Self::None,
    ];

    /// The word used in files, tables and screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::Click => "click",
            Self::Impression => "impression",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
            Self::Call => "call",
            Self::Chat => "chat",
            Self::Store => "store",
            Self::Meeting => "meeting",
            Self::Print => "print",
            Self::Other => "other",
            Self::None => "none",
        }
    }

    /// Whether the view-through window applies, not the click window.
    #[must_use]
    pub const fn is_view(self) -> bool {
        matches!(self, Self::Impression)
    }

    /// Whether it is a touchpoint by itself, outside any session.
    #[must_use]
    pub const fn is_offsite(self) -> bool {
        !matches!(self, Self::Visit | Self::Click | Self::None)
    }
}

impl fmt::Display for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The value is no kind of contact that Safar knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no kind of interaction; use one of visit, click, impression, email, sms, push, call, chat, store, meeting, print, other, none"
)]
pub struct UnknownInteraction(pub String);

impl FromStr for Interaction {
    type Err = UnknownInteraction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim().to_ascii_lowercase();
        Ok(match word.as_str() {
            "visit" | "pageview" | "page_view" | "page" | "screen" => Self::Visit,
            "click" => Self::Click,
            "impression" | "view" | "ad_view" => Self::Impression,
            "email" | "e-mail" | "open" => Self::Email,
            "sms" | "text" => Self::Sms,
            "push" => Self::Push,
            "call" | "phone" => Self::Call,
            "chat" => Self::Chat,
            "store" | "in-store" | "in_store" => Self::Store,
            "meeting" => Self::Meeting,
            "print" | "post" | "billboard" => Self::Print,
            "other" => Self::Other,
            "none" => Self::None,
            _ => return Err(UnknownInteraction(text.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_as_it_is_written() {
        for kind in Interaction::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("carrier pigeon".parse::<Interaction>().is_err());
    }
}
