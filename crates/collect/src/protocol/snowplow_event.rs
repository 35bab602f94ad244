//! One event of Snowplow's tracker protocol.
//!
//! `pv` is a page view and `pp` a `page_ping`; `se` takes its action for its name; `ue` the name in its schema; `tr` is a
//! purchase and `ti` one of its items. A `snowplow_ecommerce_action` is named after its type, a transaction `purchase` as
//! everywhere else, and takes order, worth and items from its entities.
use crate::{
    Collected, Request, Terms, body, clock, commerce,
    consent::Consent,
    ids,
    json::{Object, take, take_first, take_object, take_text, text, written},
    reason,
    request::Params,
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::Value;

/// Reads the members of one payload.
pub(super) fn event(
    request: &Request<'_>,
    terms: &Terms<'_>,
    mut payload: Params,
) -> Result<Collected, (&'static str, String)> {
    let sent = payload.remove("stm");
    let says = |name: &str| payload.get(name).is_some_and(|text| !text.trim().is_empty());
    // What is asked for only where a kind or an id is missing.
    let content = if says("e") && says("eid") { String::new() } else { written(&payload) };
    let mut take = |name: &str| payload.remove(name).filter(|text| !text.trim().is_empty());
    let Some(kind) = take("e") else { return Err((reason::PAYLOAD_UNTOLD, content)) };
    let contexts = structured(take("co"), take("cx"));
    let described = structured(take("ue_pr"), take("ue_px"));
    let (id, created, exact) = (take("eid"), take("dtm"), take("ttm"));
    let read = |time: &Option<String>| time.as_deref().and_then(clock::read_text);
    let time = match read(&exact) {
        Some(exact) => clock::correct(request.received_at, Some(exact), None),
        None => clock::correct(request.received_at, read(&created), read(&sent)),
    };

    let entities = Entities::of(contexts);
    let (schema, mut data) = inner(described);
    let own_name = schema.as_deref().and_then(|schema| schema.split('/').nth(1)).map(str::to_owned);
    let (name, interaction) = match kind.as_str() {
        "pv" => ("page_view".to_owned(), Interaction::Visit),
        "pp" => ("page_ping".to_owned(), Interaction::None),
        "se" => (take("se_ac").unwrap_or_else(|| "structured_event".to_owned()), Interaction::None),
        "tr" => ("purchase".to_owned(), Interaction::None),
        "ti" => ("transaction_item".to_owned(), Interaction::None),
        "ue" => match own_name.as_deref() {
            Some("screen_view") => ("screen_view".to_owned(), Interaction::Visit),
            Some("snowplow_ecommerce_action") => (entities.action(&mut data), Interaction::None),
            Some(name) => (name.to_owned(), Interaction::None),
            None => ("unstructured_event".to_owned(), Interaction::None),
        },
        other => (other.to_owned(), Interaction::None),
    };
    let mut event = Collected::new("snowplow", &name, interaction, time);
    let own_time = read(&exact).or(read(&created));
    let made = || ids::made("snowplow", &[&content], own_time.is_none().then_some(request.received_at));
    event.set("event_id", id.unwrap_or_else(made));
    event.keep_clock(exact.or(created).map(Value::from), sent.map(Value::from));

    event.set("user_id", take("uid"));
    let network = take("tnuid").or_else(|| take("nuid"));
    let device = take("duid").or_else(|| entities.device()).or_else(|| network.clone());
    let address = take("ip").and_then(|text| text.trim().parse().ok());
    let agent = take("ua");
    let site = take("aid");
    let visitor = || ids::visitor(request, terms, site.as_deref().unwrap_or_default(), address, agent.as_deref());
    event.set("anonymous_id", device.or_else(visitor));
    for (parameter, column) in [("url", "page_url"), ("page", "page_title"), ("refr", "referrer")] {
        event.set(column, take(parameter));
    }
    let parts = [
        ("tr_id", "order_id"),
        ("tr_tt", "value"),
        ("tr_cu", "currency"),
        ("ti_id", "order_id"),
        ("ti_cu", "currency"),
    ];
    for (parameter, column) in parts {
        let read = |told: Value| if column == "value" { commerce::amount(&told) } else { Some(told) };
        if let Some(value) = take(parameter).map(Value::from) {
            match read(value.clone()) {
                Some(value) => event.set(column, value),
                None => event.keep(parameter, value),
            }
        }
    }
    for (parameter, name) in [
        ("tv", "$library_version"),
        ("sid", "$session_id"),
        ("tz", "$timezone"),
        ("res", "$screen"),
        ("vp", "$viewport"),
        ("se_ca", "se_category"),
        ("se_la", "se_label"),
        ("se_pr", "se_property"),
        ("se_va", "se_value"),
        ("aid", "app_id"),
    ] {
        let told = if parameter == "aid" { site.clone() } else { take(parameter) };
        event.keep(name, told);
    }
    event.keep("$library", "snowplow");
    event.keep("network_user_id", network);
    let language = take("lang");
    let mut consent = Consent::of(request);
    consent.managed(&mut data);
    consent.tell(&mut event);
    visitor::describe(request, &mut event, Stated { agent, address, language, hints: None });

    event.keep("$schema", schema);
    commerce::take_order(&mut data, &mut event);
    event.keep_all(data);
    event.keep_all(payload.into_iter().map(|(name, value)| (name, value.into())).collect());
    event.keep("$contexts", Value::Array(entities.0));
    Ok(event.done())
}

/// JSON as a text, or in base64.
fn structured(plain: Option<String>, packed: Option<String>) -> Value {
    let packed = || body::base64_bytes(&packed?);
    let bytes = plain.map(String::into_bytes).or_else(packed);
    bytes.and_then(|bytes| body::json(&bytes).ok()).unwrap_or_default()
}

/// Schema (`com.acme/order_completed/jsonschema/1-0-0`) and data of a self-describing event inside its envelope.
fn inner(mut described: Value) -> (Option<String>, Object) {
    let Some(mut event) = described.get_mut("data").map(Value::take) else { return (None, Object::new()) };
    let Some(event) = event.as_object_mut() else { return (None, Object::new()) };
    let schema = take_text(event, "schema");
    let schema = schema.map(|schema| schema.strip_prefix("iglu:").unwrap_or(&schema).to_owned());
    (schema, take_object(event, "data"))
}

/// The entities that surround an event.
struct Entities(Vec<Value>);

impl Entities {
    fn of(mut contexts: Value) -> Self {
        match contexts.get_mut("data").map(Value::take) {
            Some(Value::Array(entities)) => Self(entities),
            _ => Self(vec![]),
        }
    }

    /// The data of the entities whose schema has this name.
    fn named(&self, name: &str) -> impl Iterator<Item = &Object> {
        let fits = move |entity: &&Value| {
            let schema = entity.get("schema").and_then(Value::as_str).unwrap_or_default();
            schema.split('/').nth(1) == Some(name)
        };
        self.0.iter().filter(fits).filter_map(|entity| entity.get("data")?.as_object())
    }

    /// The device of an app, which has no cookie.
    fn device(&self) -> Option<String> {
        self.named("client_session").find_map(|session| text(session.get("userId")?))
    }

    /// The name of an e-commerce action; its order comes into `data` from the entities.
    fn action(&self, data: &mut Object) -> String {
        let kind = take_text(data, "type");
        for entity in ["transaction", "refund"] {
            if let Some(found) = self.named(entity).next() {
                let mut found = found.clone();
                let worth =
                    take(&mut found, if entity == "refund" { "refund_amount" } else { "revenue" }, commerce::amount);
                if let Some(worth) = worth {
                    data.insert("revenue".to_owned(), worth);
                }
                for name in ["transaction_id", "currency"] {
                    if let Some(told) = take_first(&mut found, &[name]) {
                        data.insert(name.to_owned(), told.into());
                    }
                }
            }
        }
        let products: Vec<Value> = self.named("product").map(|product| Value::Object(product.clone())).collect();
        if !products.is_empty() {
            data.insert("products".to_owned(), products.into());
        }
        match kind.as_deref() {
            Some("transaction") => "purchase".to_owned(),
            Some(kind) => kind.to_owned(),
            None => "snowplow_ecommerce_action".to_owned(),
        }
    }
}
