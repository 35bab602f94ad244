//! One row of any source, and why it may be no event.
use super::{
    field::{FIELDS, Field},
    number::whole_text,
};
use std::borrow::Cow;

/// One row, borrowed from its source. An empty text is an absent one.
pub(crate) struct Row<'a> {
    text: [&'a str; FIELDS],
    /// A click parameter that is a column of its own.
    pub click: Option<(&'static str, &'a str)>,
    /// Other utm_* tags, by whole name, sorted.
    pub tags: Vec<(&'a str, &'a str)>,
    /// Everything else, sorted by name.
    pub extra: Vec<(&'a str, Member<'a>)>,
}

/// A member of `properties`.
pub(crate) enum Member<'a> {
    Text(&'a str),
    Json(Cow<'a, str>),
}

impl<'a> Row<'a> {
    pub(crate) fn new() -> Self {
        Self { text: [""; FIELDS], click: None, tags: Vec::new(), extra: Vec::new() }
    }

    /// Takes a text, [`trimmed`]; an identifier also without the `.0` that tables with gaps put behind it.
    #[inline]
    pub(crate) fn set(&mut self, field: Field, text: &'a str) {
        let text = trimmed(text);
        let is_id = matches!(field, Field::OrderId | Field::UserId | Field::CrmId);
        self.text[field as usize] = if is_id { whole_text(text) } else { text };
    }

    #[inline]
    pub(crate) fn get(&self, field: Field) -> &'a str {
        self.text[field as usize]
    }
}

/// Why a row is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Whose value is wrong.
    pub field: Option<Field>,
    /// One of few texts, so that rejects can be counted by it.
    pub reason: &'static str,
}

impl Fault {
    pub(super) const fn of(field: Field, reason: &'static str) -> Self {
        Self { field: Some(field), reason }
    }
}

/// A text without the blanks around it.
#[inline]
pub(super) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}
