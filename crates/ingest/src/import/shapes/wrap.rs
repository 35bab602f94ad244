//! What warehouses and connectors add to rows: Fivetran, Airbyte, dlt, and the marks of deleted rows of the sources themselves.
use super::record::Record;
use serde_json::{Map, Value};

/// Names of the columns that connectors add.
pub(super) fn is_added(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["_fivetran_", "_airbyte_", "_ab_", "_dlt_", "_sdc_"].iter().any(|prefix| header.starts_with(prefix))
}

/// Whether a connector wrote the table.
pub(crate) fn is_wrapped(headers: &[String]) -> bool {
    headers.iter().any(|header| is_added(header))
}

/// Where the columns stand that say that a row is gone.
#[derive(Default)]
pub(super) struct Wrapping {
    /// True: deleted.
    deleted: Vec<usize>,
    /// Not empty: deleted then.
    deleted_at: Vec<usize>,
    /// False: replaced by a later version.
    active: Vec<usize>,
}

impl Wrapping {
    pub(super) fn of(headers: &[String]) -> Self {
        let mut found = Self::default();
        for (at, header) in headers.iter().enumerate() {
            match header.to_ascii_lowercase().as_str() {
                "_fivetran_deleted" | "is_deleted" | "isdeleted" => found.deleted.push(at),
                "_ab_cdc_deleted_at" | "_sdc_deleted_at" => found.deleted_at.push(at),
                "_fivetran_active" => found.active.push(at),
                _ => {}
            }
        }
        found
    }

    /// What a row is that is not there any more.
    pub(super) fn gone(&self, row: &Record<'_>) -> Option<&'static str> {
        let said = |places: &[usize], words: &[&str]| {
            places.iter().any(|at| words.iter().any(|word| row.at(*at).eq_ignore_ascii_case(word)))
        };
        if said(&self.deleted, &["true", "1", "t"]) || self.deleted_at.iter().any(|at| !row.at(*at).is_empty()) {
            Some("rows deleted at the source")
        } else if said(&self.active, &["false", "0", "f"]) {
            Some("older versions of rows")
        } else {
            None
        }
    }
}

/// The object within an Airbyte record of a raw table; any other object as it is.
pub(super) fn unwrapped(mut object: Map<String, Value>) -> Map<String, Value> {
    let data = object.remove("_airbyte_data").map(|data| match data {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        other => other,
    });
    match data {
        Some(Value::Object(inner)) => inner,
        _ => object,
    }
}
