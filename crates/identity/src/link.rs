//! Links, and the identifiers that an event carries.
use crate::{ANONYMOUS, CRM, EMAIL, PHONE, USER};
use safar_model::Micros;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a link rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Both identifiers were on one event.
    #[default]
    Event,
    /// Both were in one record of a customer list.
    Record,
    /// A client said that one identifier is now the other.
    Alias,
    /// Likely by comparison of attributes; see `confidence`.
    Match,
    /// Somebody joined them by hand.
    Merge,
    /// Somebody took them apart by hand: they are never one person, whatever other links say. Between a device and a
    /// person's identifier it cancels their links between `valid_from` and `valid_to`.
    Split,
}

impl LinkKind {
    const ALL: [Self; 6] = [Self::Event, Self::Record, Self::Alias, Self::Match, Self::Merge, Self::Split];

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Record => "record",
            Self::Alias => "alias",
            Self::Match => "match",
            Self::Merge => "merge",
            Self::Split => "split",
        }
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The value is no kind of link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of link; use one of event, record, alias, match, merge, split")]
pub struct UnknownLinkKind(pub String);

impl FromStr for LinkKind {
    type Err = UnknownLinkKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownLinkKind(text.to_owned()))
    }
}

/// A statement that two identifiers, each normalised, belong to one person: one row of the table `identity_links`.
///
/// `T` is `String`, or `&str` where a column is read without copies. The order of the two identifiers has no meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Link<T = String> {
    /// Namespace of the first identifier.
    pub ns_a: T,
    /// The first identifier.
    pub id_a: T,
    /// Namespace of the second identifier.
    pub ns_b: T,
    /// The second identifier.
    pub id_b: T,
    /// When the two were seen together.
    pub observed_at: Micros,
    /// Where it was read.
    pub source: Option<T>,
    /// The event that carried both.
    pub event_id: Option<T>,
    /// What it rests on.
    pub kind: LinkKind,
    /// Probability that it is true, 0 to 1.
    pub confidence: f64,
    /// The device is owned from here on, not before; absent: from `observed_at`, and before by the first owner.
    pub valid_from: Option<Micros>,
    /// The link ends here (exclusive). An ended link between two identifiers of persons joins nothing.
    pub valid_to: Option<Micros>,
}

impl<T> Link<T> {
    /// A certain link, both identifiers seen on one event, open at both ends.
    pub fn new(ns_a: T, id_a: T, ns_b: T, id_b: T, observed_at: Micros) -> Self {
        Self {
            ns_a,
            id_a,
            ns_b,
            id_b,
            observed_at,
            source: None,
            event_id: None,
            kind: LinkKind::Event,
            confidence: 1.0,
            valid_from: None,
            valid_to: None,
        }
    }
}

/// The identifiers of one event, each normalised; the identifier columns of the table `events`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventIds<'a> {
    /// The device.
    pub anonymous_id: Option<&'a str>,
    /// The account.
    pub user_id: Option<&'a str>,
    /// The hashed e-mail address.
    pub email_hash: Option<&'a str>,
    /// The hashed telephone number.
    pub phone_hash: Option<&'a str>,
    /// The record in the customer system.
    pub crm_id: Option<&'a str>,
}

/// One of the identifiers of an event: its namespace, and the value where there is one.
type Column<'a> = (&'static str, Option<&'a str>);

impl<'a> EventIds<'a> {
    /// Namespace and identifier of each column, present or not: user, crm, email, phone, anonymous.
    pub(crate) fn columns(&self) -> [Column<'a>; 5] {
        [
            (USER, self.user_id),
            (CRM, self.crm_id),
            (EMAIL, self.email_hash),
            (PHONE, self.phone_hash),
            (ANONYMOUS, self.anonymous_id),
        ]
    }

    /// The pairs that one event links, as (namespace, identifier): its first identifier in the order user, crm, email,
    /// phone, anonymous with each of the others. Nothing where the event has fewer than two.
    pub fn pairs(&self) -> impl Iterator<Item = ((&'static str, &'a str), (&'static str, &'a str))> + use<'a> {
        let mut present = self.columns().into_iter().filter_map(|(namespace, id)| Some((namespace, id?)));
        let first = present.next();
        present.filter_map(move |other| Some((first?, other)))
    }
}
