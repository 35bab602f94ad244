//! One canonical event, in the names that the import reads.
//!
//! # Columns
//! Those of the import: `event_id`, `name`, `occurred_at`, `anonymous_id`, `user_id`, `email`, `email_hash`, `phone`,
//! `phone_hash`, `crm_id`, `page_url`, `page_title`, `referrer`, `utm_*`, `click_id`, `click_id_type`, `source`, `medium`,
//! `campaign`, `channel`, `interaction`, `order_id`, `value`, `currency`, `items`, `consent`, `properties`.
//! E-mail addresses and telephone numbers are as sent; the import stores their hashes.
//!
//! # Properties
//! Everything else that the client said stays in `properties`. Properties of the event keep their own names; null ones say
//! nothing and go. Names that begin with `$` are these, and PostHog's own:
//!
//! | name | what it holds |
//! |---|---|
//! | `$protocol` | which decoder read the event: `segment`, `snowplow`, `matomo` … |
//! | `$library`, `$library_version` | the client and its version |
//! | `$user_agent`, `$client_hints` | the visitor's browser, as text and as client hints |
//! | `$ip` | the visitor's address, cut to /24 or /48 |
//! | `$language`, `$timezone` | of the browser |
//! | `$screen`, `$viewport` | `800x600`, in pixels |
//! | `$session_id` | the client's own session |
//! | `$traits`, `$traits_once` | what is told about the person (once: unless known) |
//! | `$groups`, `$group_traits` | group type → group id, and what is told about the group |
//! | `$previous_id` | the earlier name in an alias call |
//! | `$clock` | the client's own `original` and `sent` times, as told |
//! | `$offset` | PostHog: milliseconds between the event and its sending |
//! | `$distinct_id` | PostHog: a distinct id that is neither the device nor the person |
//! | `$contexts` | Snowplow's entities: `[{"schema", "data"}]` |
//! | `$schema` | the schema of a Snowplow event |
//! | `$name` | the name that a page or screen call gives beside the page's title |
//! | `$context` | what else a client says around the event |
//! | `$rest` | members of the message that have no name here |
//! | `$unread` | members named like an amount that are none: the import would refuse the whole event for them |
use crate::{
    clock,
    json::{says_nothing, written},
};
use safar_enrich::withhold_member;
use safar_model::{
    Interaction, Micros,
    consent::{VISITOR_OF_THE_DAY, WITHHELD},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
};

const IDENTIFIERS: [&str; 7] = ["anonymous_id", "user_id", "email", "email_hash", "phone", "phone_hash", "crm_id"];
/// Properties that hold what is told about the person, or what a client says around the event, where that often stands.
const AROUND: [&str; 9] =
    ["$context", "$contexts", "$group_traits", "$groups", "$ip", "$rest", "$traits", "$traits_once", "$unread"];
/// Names of identifiers, in lower case and without other signs: of clients (Snowplow's `fp` and `tnuid`, Matomo's `_id`,
/// `_idts` and `_viewts`) and what people call theirs.
const NAMED: [&str; 16] = [
    "cid",
    "crmid",
    "duid",
    "email",
    "fingerprint",
    "fp",
    "idts",
    "nuid",
    "phone",
    "previousid",
    "refts",
    "sid",
    "tnuid",
    "uid",
    "viewts",
    "vid",
];
/// What such names end in.
const ENDINGS: [&str; 12] = [
    "anonymousid",
    "anonid",
    "clientid",
    "customerid",
    "deviceid",
    "distinctid",
    "domainuserid",
    "emailaddress",
    "sessionid",
    "userid",
    "visitorid",
    "windowid",
];
/// Texts at least so long are identifiers wherever they stand, once they stood where one does.
const LONG: usize = 4;

/// Whether a property holds an identifier of somebody, a device or a visit.
fn is_identifier(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect();
    // `_id` is Matomo's device; a plain `id` may be that of a product.
    name == "_id" || NAMED.contains(&plain.as_str()) || ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The texts and numbers in a value that are long enough to be known again.
fn texts<'a>(value: &'a Value, found: &mut Vec<Cow<'a, str>>) {
    match value {
        Value::String(text) if text.len() >= LONG => found.push(text.into()),
        Value::Number(number) if number.to_string().len() >= LONG => found.push(number.to_string().into()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

/// JSON values by name; most names are written in this crate.
type Named = BTreeMap<Cow<'static, str>, Value>;

/// An event as it goes to the import: columns by name, JSON values.
#[derive(Clone, Debug, PartialEq)]
pub struct Collected {
    columns: Named,
    properties: Named,
}

impl Collected {
    pub(crate) fn new(protocol: &str, name: &str, interaction: Interaction, time: Micros) -> Self {
        let mut event = Self { columns: Named::new(), properties: Named::new() };
        event.set("name", name);
        event.set("interaction", interaction.as_str());
        event.set("occurred_at", clock::show(time));
        event.keep("$protocol", protocol);
        event
    }

    /// A column, or `None` where the event has none; `properties` is an object.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.columns.get(column)
    }

    /// A property by its name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    /// The event as one line of JSON without a line break; equal events give equal bytes.
    #[must_use]
    pub fn to_line(&self) -> String {
        written(self)
    }

    /// What the visitor said to each purpose.
    pub(crate) fn consent(&self) -> impl Iterator<Item = (&str, bool)> {
        let told = self.columns.get("consent").and_then(Value::as_object).into_iter().flatten();
        told.filter_map(|(purpose, given)| Some((purpose.as_str(), given.as_bool()?)))
    }

    /// Takes out whatever tells who it was, but for the visitor of the day: identifiers by their name, what is told around the
    /// event, and properties that repeat an identifier under another name.
    pub(crate) fn forget_who(&mut self, visitor: Option<String>) {
        let mut gone: Vec<Value> = IDENTIFIERS.iter().filter_map(|column| self.columns.remove(*column)).collect();
        self.properties.retain(|name, value| {
            if is_identifier(name) {
                gone.push(value.take());
            }
            !value.is_null() && !AROUND.contains(&&**name)
        });
        let mut known = vec![];
        gone.iter().for_each(|value| texts(value, &mut known));
        self.properties.retain(|_, value| {
            let mut found = vec![];
            texts(value, &mut found);
            !found.iter().any(|text| known.contains(text))
        });
        if let Some(visitor) = visitor {
            self.set("anonymous_id", format!("{VISITOR_OF_THE_DAY}{visitor}"));
        }
    }

    /// Takes out the ids of clicks on ads, wherever they stand; whether there was any.
    pub(crate) fn forget_clicks(&mut self) -> bool {
        let id = self.columns.get_mut("click_id").filter(|id| **id != WITHHELD);
        let mut found = id.map(|id| *id = WITHHELD.into()).is_some();
        for (name, value) in self.columns.iter_mut().chain(&mut self.properties) {
            found |= withhold_member(name, value);
        }
        found
    }

    /// About how many bytes the event takes.
    pub(crate) fn size(&self) -> usize {
        let members = self.columns.iter().chain(&self.properties);
        members.map(|(name, value)| name.len() + size(value)).sum()
    }

    /// Sets a column unless the value says nothing.
    pub(crate) fn set(&mut self, column: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let value = value.into();
        if !says_nothing(&value) {
            self.columns.insert(column.into(), value);
        }
    }

    /// As [`Self::set`], where the column is still empty.
    pub(crate) fn set_if_none(&mut self, column: &'static str, value: impl Into<Value>) {
        if !self.columns.contains_key(column) {
            self.set(column, value);
        }
    }

    /// Sets a property unless the value says nothing. A client's property of that name moves to `$rest`.
    pub(crate) fn keep(&mut self, name: &'static str, value: impl Into<Value>) {
        let value = value.into();
        let empty = matches!(&value, Value::Object(members) if members.is_empty())
            || matches!(&value, Value::Array(items) if items.is_empty());
        if empty || says_nothing(&value) {
            return;
        }
        match self.properties.entry(name.into()) {
            Entry::Vacant(place) => _ = place.insert(value),
            Entry::Occupied(known) if *known.get() == value => {}
            Entry::Occupied(mut known) => {
                let other = known.insert(value);
                self.rest(name, other);
            }
        }
    }

    /// Keeps a member that has no name here.
    pub(crate) fn rest(&mut self, name: &str, value: Value) {
        let rest = self.properties.entry("$rest".into()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(rest) = rest {
            rest.insert(name.to_owned(), value);
        }
    }

    /// Keeps the members of an object as properties of the event.
    pub(crate) fn keep_all(&mut self, members: Map<String, Value>) {
        for (name, value) in members.into_iter().filter(|(_, value)| !says_nothing(value)) {
            if name == "$rest" || self.properties.contains_key(name.as_str()) {
                self.rest(&name, value);
            } else {
                self.properties.insert(name.into(), value);
            }
        }
    }

    /// The client's own times, as told.
    pub(crate) fn keep_clock(&mut self, original: Option<Value>, sent: Option<Value>) {
        let told = [("original", original), ("sent", sent)];
        let told = told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.keep("$clock", Value::Object(told.filter(|(_, value)| !says_nothing(value)).collect()));
    }

    /// Puts aside what would make the import refuse the event: it reads properties named like an amount where the event has
    /// no `value`.
    pub(crate) fn done(mut self) -> Self {
        if !self.columns.contains_key("value") {
            let wrong = self.properties.iter().filter(|(name, value)| is_unread(name, value));
            let wrong: Vec<_> = wrong.map(|(name, _)| name.clone()).collect();
            let wrong = wrong.into_iter().filter_map(|name| self.properties.remove_entry(&name));
            let wrong: Map<String, Value> = wrong.map(|(name, value)| (name.into_owned(), value)).collect();
            self.keep("$unread", Value::Object(wrong));
        }
        for value in self.columns.values_mut().chain(self.properties.values_mut()) {
            value.sort_all_objects();
        }
        self
    }
}

impl Serialize for Collected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const PROPERTIES: Cow<'static, str> = Cow::Borrowed("properties");
        let mut members = serializer.serialize_map(Some(self.columns.len() + 1))?;
        for (name, value) in self.columns.range(..PROPERTIES) {
            members.serialize_entry(name, value)?;
        }
        members.serialize_entry(&PROPERTIES, &self.properties)?;
        for (name, value) in self.columns.range(PROPERTIES..) {
            members.serialize_entry(name, value)?;
        }
        members.end()
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + size(value) + 4).sum::<usize>() + 2,
        _ => 8,
    }
}

/// Whether the import would read this property as an amount and fail.
fn is_unread(name: &str, value: &Value) -> bool {
    let signs = || name.chars().filter(|sign| sign.is_alphanumeric() || *sign == '.');
    let named = |known: &&str| signs().flat_map(char::to_lowercase).eq(known.chars());
    // Few names begin so.
    matches!(signs().next(), Some('r' | 'R' | 't' | 'T' | 'v' | 'V'))
        && ["revenue", "total", "value"].iter().any(named)
        && !value.is_array()
        && !value.is_object()
        && crate::commerce::amount(value).is_none()
}
