//! The tables of a workspace and their schemas.
//!
//! Instants are microseconds UTC, keys are 63-bit hashes ([`crate::key_of`]), money is a 64-bit float in the
//! currency of the row. Clustered tables carry a `bucket` column: the Delta partition, the highest bits of the key.
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// A table of the workspace; closed, so that a match on it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Everything that happened, as it was told to Safar.
    Events,
    /// Statements that two identifiers belong to one person.
    IdentityLinks,
    /// Which person an identifier belongs to, and from when to when.
    Persons,
    /// The events of people, bots left out: each under its person, in order, with its session.
    PersonEvents,
    /// Visits: runs of events of one person without a long pause.
    Sessions,
    /// Contacts that can earn credit.
    Touchpoints,
    /// Results: events that reached a goal, net of refunds.
    Conversions,
    /// The touchpoints before each conversion, and those of people who did not convert.
    Paths,
    /// What each model gives each touchpoint.
    Credits,
    /// Money spent, by day and campaign.
    Costs,
    /// Rows that could not be read, with the reason.
    Rejects,
}

impl Table {
    /// Every table, in the order in which data walks.
    pub const ALL: [Self; 11] = [
        Self::Events,
        Self::IdentityLinks,
        Self::Persons,
        Self::PersonEvents,
        Self::Sessions,
        Self::Touchpoints,
        Self::Conversions,
        Self::Paths,
        Self::Credits,
        Self::Costs,
        Self::Rejects,
    ];

    /// The name in SQL and on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::IdentityLinks => "identity_links",
            Self::Persons => "persons",
            Self::PersonEvents => "person_events",
            Self::Sessions => "sessions",
            Self::Touchpoints => "touchpoints",
            Self::Conversions => "conversions",
            Self::Paths => "paths",
            Self::Credits => "credits",
            Self::Costs => "costs",
            Self::Rejects => "rejects",
        }
    }

    /// The columns that order the rows of a file, and by whose first the table is split into buckets;
    /// empty for tables that are neither sorted nor split.
    #[must_use]
    pub const fn sort_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &["key", "occurred_at"],
            Self::Sessions => &["person_id", "started_at"],
            Self::PersonEvents | Self::Touchpoints | Self::Conversions | Self::Paths | Self::Credits => {
                &["person_id", "occurred_at"]
            }
            Self::IdentityLinks | Self::Persons | Self::Costs | Self::Rejects => &[],
        }
    }

    /// Whether the table has a `bucket` column (its last), the Delta partition.
    #[must_use]
    pub const fn is_clustered(self) -> bool {
        !self.sort_columns().is_empty()
    }

    /// The schema, with `bucket` last where the table is clustered.
    ///
    /// Columns that came later than version 0.1 can be null: tables of earlier builds lack them until they are written to.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        let mut fields = match self {
            Self::Events => events(),
            Self::IdentityLinks => identity_links(),
            Self::Persons => persons(),
            Self::PersonEvents => person_events(),
            Self::Sessions => sessions(),
            Self::Touchpoints => touchpoints(),
            Self::Conversions => conversions(),
            Self::Paths => paths(),
            Self::Credits => credits(),
            Self::Costs => costs(),
            Self::Rejects => rejects(),
        };
        if self.is_clustered() {
            fields.push(need("bucket", DataType::Int32));
        }
        Arc::new(Schema::new(fields))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No table has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no table `{0}`; the tables are events, identity_links, persons, person_events, sessions, touchpoints, conversions, paths, credits, costs, rejects"
)]
pub struct UnknownTable(pub String);

impl FromStr for Table {
    type Err = UnknownTable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|table| table.name() == text).ok_or_else(|| UnknownTable(text.to_owned()))
    }
}

/// The type of every instant: microseconds, UTC.
#[must_use]
pub fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn need(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, false)
}

fn maybe(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true)
}

fn texts(names: &[&str]) -> impl Iterator<Item = Field> {
    names.iter().map(|name| maybe(name, DataType::Utf8))
}

fn list(name: &str, item: DataType) -> Field {
    need(name, DataType::List(Arc::new(Field::new("element", item, true))))
}

/// What an event says about the visitor and what they use: columns of `events`, and of the sessions and touchpoints that are
/// made of them.
pub const VISITOR: [&str; 5] = ["country", "language", "device", "browser", "os"];

fn events() -> Vec<Field> {
    let mut fields = vec![
        need("event_id", DataType::Utf8),
        need("name", DataType::Utf8),
        need("occurred_at", instant()),
        need("received_at", instant()),
    ];
    fields.extend(texts(&[
        "anonymous_id",
        "user_id",
        "email_hash",
        "phone_hash",
        "crm_id", // raw identifiers, normalised
        "page_url",
        "page_title",
        "referrer", // as received
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content", // as received
        "utm_custom",  // JSON object of other utm_* tags
        "click_id",
        "click_id_type", // value, and the parameter's name (gclid …)
        "source",
        "medium",
        "campaign",
        "channel", // derived by the rules; rewritten when rules change
        "interaction",
        "order_id",
    ]));
    fields.push(maybe("value", DataType::Float64));
    fields.extend(texts(&[
        "currency",
        "items",      // JSON array
        "consent",    // JSON object purpose → bool
        "properties", // JSON object: every column that has no place of its own
    ]));
    fields.extend(texts(&VISITOR));
    fields.push(maybe("browser_version", DataType::Utf8));
    fields.push(maybe("bot", DataType::Boolean)); // null: stored by a build that did not tell
    fields.push(maybe("origin", DataType::Utf8)); // which import or collector brought it
    fields.push(maybe("origin_row", DataType::Int64)); // its line or row there: keeps the order of equal times
    fields.push(need("key", DataType::Int64)); // of the first identifier present
    fields
}

fn identity_links() -> Vec<Field> {
    vec![
        need("ns_a", DataType::Utf8),
        need("id_a", DataType::Utf8),
        need("ns_b", DataType::Utf8),
        need("id_b", DataType::Utf8),
        need("observed_at", instant()),
        maybe("source", DataType::Utf8),
        maybe("event_id", DataType::Utf8),
        need("kind", DataType::Utf8),
        need("confidence", DataType::Float64),
        maybe("valid_from", instant()),
        maybe("valid_to", instant()),
    ]
}

fn persons() -> Vec<Field> {
    vec![
        need("namespace", DataType::Utf8),
        need("identifier", DataType::Utf8),
        need("person_id", DataType::Int64),
        maybe("valid_from", instant()),
        maybe("valid_to", instant()),
        need("version", DataType::Int64),
    ]
}

fn person_events() -> Vec<Field> {
    let mut fields = vec![
        need("person_id", DataType::Int64),
        need("occurred_at", instant()),
        need("step", DataType::Int32), // 1: the person's first event
        maybe("session_id", DataType::Int64),
        need("event_id", DataType::Utf8),
        need("name", DataType::Utf8),
    ];
    fields.extend(texts(&[
        "anonymous_id",
        "user_id",
        "email_hash",
        "phone_hash",
        "crm_id",
        "page_url",
        "referrer",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "click_id",
        "click_id_type",
        "source",
        "medium",
        "campaign",
        "channel",
        "interaction",
        "order_id",
    ]));
    fields.push(maybe("value", DataType::Float64));
    fields.extend(texts(&["currency", "properties"]));
    fields.extend(texts(&VISITOR));
    fields
}

fn sessions() -> Vec<Field> {
    let mut fields = vec![
        need("session_id", DataType::Int64),
        need("person_id", DataType::Int64),
        need("started_at", instant()),
        need("ended_at", instant()),
        need("events", DataType::Int32),
        need("page_views", DataType::Int32),
        need("engaged", DataType::Boolean),
        need("conversions", DataType::Int32),
        need("value", DataType::Float64),
    ];
    fields.extend(texts(&[
        "landing_page",
        "exit_page",
        "referrer",
        "source",
        "medium",
        "campaign",
        "term",
        "content",
        "channel",
    ]));
    fields.extend(texts(&VISITOR));
    fields
}

fn touchpoints() -> Vec<Field> {
    let mut fields = vec![
        need("touchpoint_id", DataType::Int64),
        need("person_id", DataType::Int64),
        need("occurred_at", instant()),
        maybe("session_id", DataType::Int64),
        need("event_id", DataType::Utf8),
        need("interaction", DataType::Utf8),
        need("channel", DataType::Utf8),
    ];
    fields.extend(texts(&[
        "source",
        "medium",
        "campaign",
        "term",
        "content",
        "click_id",
        "click_id_type",
        "properties",
    ]));
    fields.extend(texts(&VISITOR));
    fields
}

fn conversions() -> Vec<Field> {
    vec![
        need("conversion_id", DataType::Int64),
        need("person_id", DataType::Int64),
        need("occurred_at", instant()),
        need("goal", DataType::Utf8),
        need("event_id", DataType::Utf8),
        maybe("order_id", DataType::Utf8),
        need("value", DataType::Float64), // net: gross − refunded
        need("gross_value", DataType::Float64),
        need("refunded_value", DataType::Float64),
        maybe("currency", DataType::Utf8),
    ]
}

/// The bucket of `paths` that holds imported ready paths: rebuilds leave it alone.
pub const READY_PATHS_BUCKET: i32 = -1;

fn paths() -> Vec<Field> {
    vec![
        need("person_id", DataType::Int64),
        need("occurred_at", instant()), // of the conversion; of the last touch where there is none
        need("goal", DataType::Utf8),
        maybe("conversion_id", DataType::Int64), // null: the person did not convert
        need("conversions", DataType::Float64),  // 1, or 0 where there is none; a count in imported ready paths
        need("value", DataType::Float64),
        need("nulls", DataType::Float64), // people who did not convert
        need("length", DataType::Int32),  // touchpoints; 0: no touch in the window, unattributed
        list("channels", DataType::Utf8),
        list("touchpoint_ids", DataType::Int64),
        list("ages_us", DataType::Int64), // microseconds between each touch and `occurred_at`
    ]
}

fn credits() -> Vec<Field> {
    vec![
        need("person_id", DataType::Int64),
        need("occurred_at", instant()), // of the conversion
        need("model", DataType::Utf8),
        need("goal", DataType::Utf8),
        maybe("conversion_id", DataType::Int64), // null: a model that is fitted on all paths gives to channels only
        maybe("touchpoint_id", DataType::Int64), // null: unattributed, or as above
        maybe("channel", DataType::Utf8),        // null: unattributed
        need("conversions", DataType::Float64),
        need("value", DataType::Float64),
    ]
}

fn costs() -> Vec<Field> {
    let mut fields = vec![need("date", DataType::Date32)];
    fields.extend(texts(&["source", "medium", "campaign", "content", "term", "channel"]));
    fields.extend([
        maybe("impressions", DataType::Int64),
        maybe("clicks", DataType::Int64),
        need("cost", DataType::Float64),
        need("currency", DataType::Utf8),
        maybe("origin", DataType::Utf8),
    ]);
    fields.extend(texts(&["account", "campaign_id"])); // as the platform numbers them: what a restated day replaces
    fields
}

fn rejects() -> Vec<Field> {
    vec![
        need("rejected_at", instant()),
        need("origin", DataType::Utf8), // the file
        need("line", DataType::Int64),  // from 1; the row number in Parquet files
        maybe("column", DataType::Utf8),
        maybe("value", DataType::Utf8),
        need("reason", DataType::Utf8),
        maybe("raw", DataType::Utf8), // the whole row as text
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sort_columns_exist_and_start_with_the_bucket_key() {
        for table in Table::ALL {
            let schema = table.schema();
            for column in table.sort_columns() {
                assert!(schema.field_with_name(column).is_ok(), "{table}.{column}");
            }
            assert_eq!(table.is_clustered(), schema.field_with_name("bucket").is_ok());
            assert_eq!(table.name().parse(), Ok(table));
        }
    }
}
