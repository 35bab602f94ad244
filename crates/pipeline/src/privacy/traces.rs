//! What is somebody's: their events, by who the last build said they are, and every row that carries an identifier of theirs.
use super::{mentions::Mentions, who::Found};
use crate::build::people::Owners;
use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray},
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use hashbrown::HashSet;
use safar_identity::{EventIds, IdentitySettings, normalise};
use safar_model::Micros;
use serde_json::Value;
use std::collections::HashMap;

/// Tells what is somebody's.
///
/// An event is theirs where the person map gives it to them, where it carries an identifier that is theirs for all time, and where
/// it names nobody but an order of theirs (a refund that the back office told). What a device did while it was somebody else's
/// is not.
pub struct Traces {
    people: HashSet<i64>,
    whole: HashMap<String, HashSet<String>>,
    orders: HashSet<String>,
    pub(super) known: Owners,
    identity: IdentitySettings,
    pub(super) mentions: Mentions,
}

impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traces").field("people", &self.people.len()).finish_non_exhaustive()
    }
}

/// Texts of a batch by the name of their column.
fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>())
}

fn text<'a>(column: Option<&'a StringArray>, row: usize) -> Option<&'a str> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

impl Traces {
    pub(super) fn new(found: &Found, known: Owners, identity: IdentitySettings) -> Self {
        let mut whole: HashMap<String, HashSet<String>> = HashMap::new();
        for own in found.identifiers.iter().filter(|own| own.from.is_none() && own.to.is_none()) {
            whole.entry(own.namespace.clone()).or_default().insert(own.identifier.clone());
        }
        let mentions = Mentions::new(found, identity.clone());
        let orders = found.orders.iter().cloned().collect();
        Self { people: found.people.iter().copied().collect(), whole, orders, known, identity, mentions }
    }

    /// Whether a person is meant.
    pub(super) fn is_one(&self, person: i64) -> bool {
        self.people.contains(&person)
    }

    /// Whether an identifier is theirs for all time.
    pub(super) fn has(&self, namespace: &str, identifier: &str) -> bool {
        self.whole.get(namespace).is_some_and(|ids| ids.contains(identifier))
    }

    fn owns(&self, ids: &EventIds<'_>, at: Micros, key: Option<i64>, order: Option<&str>) -> bool {
        const SPACES: [&str; 5] = ["anonymous", "user", "email", "phone", "crm"];
        let columns = [ids.anonymous_id, ids.user_id, ids.email_hash, ids.phone_hash, ids.crm_id];
        let owner = self.known.published.map.person_of(ids, at);
        owner.or(key).is_some_and(|person| self.is_one(person))
            || SPACES.into_iter().zip(columns).any(|(space, id)| id.is_some_and(|id| self.has(space, id)))
            || owner.is_none() && order.is_some_and(|order| self.orders.contains(order))
    }

    /// Which rows of a batch of `events` are theirs.
    pub(super) fn events(&self, batch: &RecordBatch) -> Vec<bool> {
        let ids = ["anonymous_id", "user_id", "email_hash", "phone_hash", "crm_id", "order_id"];
        let ids = ids.map(|name| texts(batch, name));
        let at = batch.column_by_name("occurred_at").map(|column| column.as_primitive::<TimestampMicrosecondType>());
        let key = batch.column_by_name("key").map(|column| column.as_primitive::<Int64Type>());
        let own = |row: usize| {
            let [anonymous_id, user_id, email_hash, phone_hash, crm_id, order] = ids.map(|column| text(column, row));
            let ids = EventIds { anonymous_id, user_id, email_hash, phone_hash, crm_id };
            self.owns(&ids, at.map_or(0, |at| at.value(row)), key.map(|key| key.value(row)), order)
        };
        (0..batch.num_rows()).map(own).collect()
    }

    /// Whether a row of a file as somebody brought it is theirs: it mentions them, or names an order of theirs.
    pub(super) fn row(&self, text: &str) -> bool {
        let order = |word: &str| self.orders.contains(word);
        self.mentions.in_row(text) || !self.orders.is_empty() && safar_identity::mentions::words(text).any(order)
    }

    /// Whether a line of a collected event, in the names that the import reads, is theirs.
    pub(super) fn line(&self, line: &str) -> bool {
        let Ok(Value::Object(event)) = serde_json::from_str::<Value>(line) else { return false };
        let member = |name: &str| {
            event.get(name).and_then(|value| match value {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
        };
        let id = |namespace: &str, names: &[&str]| {
            let raw = names.iter().find_map(|name| member(name))?;
            normalise(namespace, &raw, &self.identity).id().map(std::borrow::Cow::into_owned)
        };
        let [anonymous, user, email, phone, crm] = [
            ("anonymous", &["anonymous_id"][..]),
            ("user", &["user_id"]),
            ("email", &["email", "email_hash"]),
            ("phone", &["phone", "phone_hash"]),
            ("crm", &["crm_id"]),
        ]
        .map(|(namespace, names)| id(namespace, names));
        let ids = EventIds {
            anonymous_id: anonymous.as_deref(),
            user_id: user.as_deref(),
            email_hash: email.as_deref(),
            phone_hash: phone.as_deref(),
            crm_id: crm.as_deref(),
        };
        let at = member("occurred_at").and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let at = at.map_or(Micros::MAX, jiff::Timestamp::as_microsecond);
        self.owns(&ids, at, None, member("order_id").as_deref())
    }
}
