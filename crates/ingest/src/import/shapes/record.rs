//! One row of a file of a known shape, whatever its format.
use super::column::{Sheet, is_id};
use crate::import::{
    json::number_text,
    number::{is_shortened, whole_text},
};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A row: its cells by the columns of the shape.
pub(crate) struct Record<'a> {
    /// From 1; the number of the row in Parquet files.
    pub line: u64,
    pub sheet: &'a Sheet,
    pub cells: Cells<'a>,
}

/// Cells as the format has them.
pub(crate) enum Cells<'a> {
    Texts(&'a [&'a str]),
    Object(&'a Map<String, Value>),
}

/// A member of an object, or of an object within it: `billing.email`.
pub(crate) fn member<'v>(object: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    object.get(path).or_else(|| {
        let (head, rest) = path.split_once('.')?;
        member(object.get(head)?.as_object()?, rest)
    })
}

/// An identifier without the sign by which spreadsheets are told to leave it alone: `'+33 6…`.
pub(super) fn bare(text: &str) -> &str {
    text.trim_start_matches('\'')
}

/// Texts by which reports say that there is nothing.
fn is_nothing(text: &str) -> bool {
    matches!(text, "--" | "-" | "—" | "null" | "NULL")
}

pub(crate) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number_text(number)),
        other => Cow::Owned(other.to_string()),
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    let bare = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    if is_nothing(&bare) { Cow::Borrowed("") } else { bare }
}

impl<'a> Record<'a> {
    /// The cell in a place of the header.
    pub(crate) fn at(&self, place: usize) -> Cow<'a, str> {
        let text = match &self.cells {
            Cells::Texts(texts) => Cow::Borrowed(texts.get(place).copied().unwrap_or_default()),
            Cells::Object(object) => {
                self.sheet.headers.get(place).and_then(|name| member(object, name)).map_or(Cow::Borrowed(""), text_of)
            }
        };
        trimmed(text)
    }

    /// The text of a column, trimmed; empty where the row or the file says nothing.
    pub(crate) fn get(&self, key: &str) -> Cow<'a, str> {
        match self.sheet.place(key).map_or(Cow::Borrowed(""), |place| self.at(place)) {
            Cow::Borrowed(id) if is_id(key) => Cow::Borrowed(whole_text(bare(id))),
            text => text,
        }
    }

    /// The column of an identifier that a spreadsheet has shortened.
    pub(crate) fn shortened(&self) -> Option<&'static str> {
        self.sheet.ids().find(|key| is_shortened(&self.get(key)))
    }

    pub(crate) fn is(&self, key: &str, word: &str) -> bool {
        self.get(key).eq_ignore_ascii_case(word)
    }

    /// A column that holds JSON.
    pub(crate) fn json(&self, key: &str) -> Option<Cow<'a, Value>> {
        let place = self.sheet.place(key)?;
        let value = match &self.cells {
            Cells::Object(object) => Cow::Borrowed(member(object, self.sheet.headers.get(place)?)?),
            Cells::Texts(texts) => Cow::Owned(Value::String((*texts.get(place)?).to_owned())),
        };
        match &*value {
            Value::String(text) => serde_json::from_str(text.trim()).ok().map(Cow::Owned),
            Value::Null => None,
            _ => Some(value),
        }
    }

    /// The first cell that says something.
    pub(crate) fn first(&self) -> Cow<'a, str> {
        (0..self.sheet.headers.len()).map(|place| self.at(place)).find(|cell| !cell.is_empty()).unwrap_or_default()
    }

    /// The whole row as a JSON object, for what is told of rejected rows.
    pub(crate) fn raw(&self) -> String {
        let members = self.sheet.headers.iter().enumerate().filter_map(|(place, name)| {
            let cell = self.at(place);
            (!cell.is_empty()).then(|| (name.clone(), Value::from(cell.into_owned())))
        });
        Value::Object(members.collect()).to_string()
    }
}
