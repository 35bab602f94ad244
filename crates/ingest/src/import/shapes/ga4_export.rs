//! Google Analytics 4: events as it exports them to BigQuery (NDJSON or Parquet), and the flat table that Fivetran makes of them.
//!
//! Traps: integers as JSON texts; parameters in a list, each value in one of four members; tables of the last days are written
//! again for up to three days, so an event is known by device, time, name and its place in the batch; what the click said
//! (`collected_traffic_source`) is taken, what a model made of it (`session_traffic_source_last_click`, `traffic_source`) is
//! not; purchases are worth `purchase_revenue`, in the currency of the event. Source: support.google.com/analytics/answer/7029846.
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
    reading::{Fault, Reading},
    record::{Record, text_of},
};
use crate::import::reason;
use serde_json::{Map, Value, json};

pub(super) static EXPORT: Shape = Shape {
    name: "ga4-bigquery",
    title: "Google Analytics 4 events (BigQuery export)",
    hint: "export the table events_YYYYMMDD with all columns",
    columns: &[
        need("at", &["event_timestamp"]),
        need("name", &["event_name"]),
        need("device", &["user_pseudo_id"]),
        need("params", &["event_params"]),
        maybe("user", &["user_id"]),
        maybe("bundle", &["event_bundle_sequence_id"]),
        maybe("in_batch", &["batch_event_index"]),
        maybe("privacy", &["privacy_info"]),
        maybe("commerce", &["ecommerce"]),
        maybe("items", &["items"]),
        maybe("clicked", &["collected_traffic_source"]),
        maybe("category", &["device.category"]),
        maybe("device_info", &["device"]),
        maybe("user_properties", &["user_properties"]),
        maybe("geo", &["geo"]),
        maybe("platform", &["platform"]),
        maybe("stream", &["stream_id"]),
    ],
    utc: true,
    row: export,
    ..Shape::PLAIN
};

/// The members of a parameter list by name.
fn params(list: Option<&Value>) -> Map<String, Value> {
    let mut found = Map::new();
    // Parquet writers keep lists as {"list":[{"element":…}]} or as plain arrays.
    let entries = list.and_then(|list| list.as_array().or_else(|| list.get("list")?.as_array()));
    for entry in entries.into_iter().flatten() {
        let entry = entry.get("element").or_else(|| entry.get("item")).unwrap_or(entry);
        let Some(key) = entry.get("key").and_then(Value::as_str) else { continue };
        let value = match entry.get("value") {
            Some(Value::Object(members)) => ["string_value", "int_value", "double_value", "float_value"]
                .iter()
                .filter_map(|name| members.get(*name).map(|value| (name, value)))
                .find(|(_, value)| !value.is_null())
                .map(|(name, value)| match (*name, value.as_str().and_then(|text| text.parse::<i64>().ok())) {
                    ("int_value", Some(number)) => number.into(),
                    _ => value.clone(),
                }),
            other => other.cloned(),
        };
        if let Some(value) = value {
            found.insert(key.to_owned(), value);
        }
    }
    found
}

fn text(object: Option<&Value>, name: &str) -> String {
    object.and_then(|object| object.get(name)).map(|value| text_of(value).into_owned()).unwrap_or_default()
}

/// A consent of Google's: `Yes`, `No`, or not told.
fn agreed(told: &str) -> Option<bool> {
    match told.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn export(reading: &mut Reading<'_>, row: &Record<'_>) -> Result<(), Fault> {
    let stamp = row.get("at");
    let at = reading.need_time(row, "at")?;
    let (name, device) = (row.get("name"), row.get("device"));
    if name.is_empty() {
        return Err(Fault::of("name", reason::NOTHING_HAPPENED));
    }
    let list = row.json("params");
    let mut said = params(list.as_deref());
    let (commerce, clicked, privacy) = (row.json("commerce"), row.json("clicked"), row.json("privacy"));
    let (commerce, clicked, privacy) = (commerce.as_deref(), clicked.as_deref(), privacy.as_deref());
    let mut take = |key: &str| said.remove(key).map(|value| text_of(&value).into_owned()).unwrap_or_default();
    let (page, title, referrer) = (take("page_location"), take("page_title"), take("page_referrer"));
    let (currency, order, amount) = (take("currency"), take("transaction_id"), take("value"));
    let worth = match &*name {
        "purchase" => text(commerce, "purchase_revenue"),
        "refund" => text(commerce, "refund_value"),
        _ => String::new(),
    };
    let worth = [worth, amount].into_iter().find_map(|text| text.parse::<f64>().ok());
    let order =
        Some(text(commerce, "transaction_id")).filter(|id| !id.is_empty() && id != "(not set)").unwrap_or(order);
    let place = [row.get("bundle"), row.get("in_batch")].map(|part| part.into_owned()).join(".");
    let mut event = Event::new(&name, format!("ga4:{device}:{stamp}:{name}:{place}"), at, row.line)
        .set("anonymous_id", &device)
        .set("user_id", &row.get("user"))
        .set("page_url", &page)
        .set("page_title", &title)
        .set("referrer", &referrer)
        .set("order_id", &order)
        .set("currency", &currency)
        .value(worth);
    for (field, told) in [
        ("utm_source", "manual_source"),
        ("utm_medium", "manual_medium"),
        ("utm_campaign", "manual_campaign_name"),
        ("utm_term", "manual_term"),
        ("utm_content", "manual_content"),
        ("utm_id", "manual_campaign_id"),
        ("gclid", "gclid"),
        ("dclid", "dclid"),
        ("srsltid", "srsltid"),
    ] {
        event.put(field, &text(clicked, told));
    }
    let storage = [("analytics", "analytics_storage"), ("ads", "ads_storage")];
    let consent: Map<String, Value> = storage
        .into_iter()
        .filter_map(|(purpose, member)| Some((purpose.to_owned(), agreed(&text(privacy, member))?.into())))
        .collect();
    let items = row.json("items").map(|items| items.into_owned());
    let items = items.filter(|items| items.as_array().is_some_and(|list| !list.is_empty())).unwrap_or(Value::Null);
    let consent = if consent.is_empty() { Value::Null } else { Value::Object(consent) };
    let category = match &*row.get("category") {
        "" => text(row.json("device_info").as_deref(), "category"),
        told => told.to_owned(),
    };
    let (geo, device_info) = (row.json("geo"), row.json("device_info"));
    let (geo, device_info) = (geo.as_deref(), device_info.as_deref());
    let browser = text(device_info.and_then(|device| device.get("web_info")), "browser");
    let user = params(row.json("user_properties").as_deref());
    let told = if said.is_empty() { Value::Null } else { json!(said) };
    let event = event
        .json("items", items)
        .json("consent", consent)
        .property("ga4", told)
        .property("device", category)
        .property("system", text(device_info, "operating_system"))
        .property("browser", browser)
        .property("country", text(geo, "country"))
        .property("region", text(geo, "region"))
        .property("city", text(geo, "city"))
        .property("user_properties", if user.is_empty() { Value::Null } else { Value::Object(user) })
        .property("platform", row.get("platform").into_owned())
        .property("stream", row.get("stream").into_owned());
    reading.tell(event)
}

pub(super) static TABLE: Shape = Shape {
    name: "ga4-table",
    title: "Google Analytics 4 events of a connector",
    columns: &[
        need("at", &["timestamp"]),
        need("name", &["name", "event_name"]),
        need("device", &["user_pseudo_id"]),
        need("bundle", &["bundle_sequence_id"]),
        maybe("in_batch", &["batch_event_index"]),
        maybe("user", &["user_id"]),
        maybe("page_url", &["param_page_location"]),
        maybe("page_title", &["param_page_title"]),
        maybe("referrer", &["param_page_referrer"]),
        maybe("order_id", &["ecommerce_transaction_id"]),
        maybe("currency", &["param_currency"]),
        maybe("value", &["ecommerce_purchase_revenue", "param_value"]),
        maybe("dollars", &["ecommerce_purchase_revenue_in_usd"]),
        maybe("refund_dollars", &["ecommerce_refund_value_in_usd"]),
        maybe("utm_source", &["collected_traffic_source_manual_source", "param_source"]),
        maybe("utm_medium", &["collected_traffic_source_manual_medium", "param_medium"]),
        maybe("utm_campaign", &["collected_traffic_source_manual_campaign_name", "param_campaign"]),
        maybe("gclid", &["collected_traffic_source_gclid", "param_gclid"]),
        maybe("category", &["device_category"]),
        maybe("country", &["geo_country"]),
    ],
    utc: true,
    row: |reading, row| {
        let at = reading.need_time(row, "at")?;
        let (name, device) = (row.get("name"), row.get("device"));
        let place = [row.get("bundle"), row.get("in_batch")].map(|part| part.into_owned()).join(".");
        let dollars = if &*name == "refund" { "refund_dollars" } else { "dollars" };
        let (value, currency) = match reading.amount(row, "value")? {
            Some(value) => (Some(value), row.get("currency").into_owned()),
            None => match reading.amount(row, dollars)?.filter(|value| *value != 0.0) {
                Some(value) => (Some(value), "USD".to_owned()),
                None => (None, String::new()),
            },
        };
        let mut event = Event::new(&name, format!("ga4:{device}:{}:{name}:{place}", row.get("at")), at, row.line)
            .set("anonymous_id", &device)
            .set("user_id", &row.get("user"))
            .set("currency", &currency)
            .value(value)
            .property("device", row.get("category").into_owned())
            .property("country", row.get("country").into_owned());
        for field in
            ["page_url", "page_title", "referrer", "order_id", "utm_source", "utm_medium", "utm_campaign", "gclid"]
        {
            event.put(field, &row.get(field));
        }
        reading.tell(event)
    },
    ..Shape::PLAIN
};
