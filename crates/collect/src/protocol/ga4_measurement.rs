//! Google Analytics 4 Measurement Protocol: `POST /mp/collect?measurement_id=…&api_secret=…`.
//!
//! - **Ids.** The protocol has none. With a stated `timestamp_micros` the id is a hash of stream, client, place in the request,
//!   event and that time, so that a resend is one event; without it each request is its own, told by its receipt.
//! - **Clock.** `timestamp_micros` of the event or the request, never later than the receipt.
//! - **Identity.** `client_id` or `app_instance_id` is the device, `user_id` the person; both are on every event.
//! - **Money.** `transaction_id`, `value`, `currency`, `items`, in `purchase` and `refund` as in all others.
//! - `campaign_details` gives the campaign's tags.
use crate::{
    Collected, Decoded, Refusal, Reply, Request, Terms, clock, commerce,
    consent::Consent,
    ids,
    json::{Object, take, take_first, take_object, take_text, written},
    reason,
    reply::Batch,
    request::params,
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::{Value, json};

/// What the events of one request share.
struct Hit<'a> {
    request: &'a Request<'a>,
    stream: &'a str,
    device: Option<String>,
    user: Option<String>,
    time: Option<Value>,
    shared: Object,
    consent: Object,
}

/// The body is JSON whatever its type says.
pub(crate) fn decode(request: &Request<'_>, _: &Terms<'_>) -> Result<Decoded, Refusal> {
    let Value::Object(mut whole) = crate::body::json(&crate::body::of(request)?)? else {
        return Err(Refusal::Unreadable(reason::BODY_NO_OBJECT));
    };
    let mut query = params(request.query.as_bytes());
    let stream = query.remove("measurement_id").or_else(|| query.remove("firebase_app_id"));
    let events = match whole.remove("events") {
        Some(Value::Array(events)) => events,
        _ => return Err(Refusal::Unreadable(reason::BODY_NO_EVENTS)),
    };
    let hit = Hit {
        request,
        stream: stream.as_deref().unwrap_or_default(),
        device: take_first(&mut whole, &["client_id", "app_instance_id"]),
        user: take_text(&mut whole, "user_id"),
        time: whole.remove("timestamp_micros"),
        consent: take_object(&mut whole, "consent"),
        shared: whole,
    };
    let mut batch = Batch::default();
    for (place, event) in events.into_iter().enumerate() {
        batch.push(hit.event(place, event))?;
    }
    let mut decoded = batch.answer(Reply::empty(204), stream.clone());
    decoded.secret = query.remove("api_secret");
    Ok(decoded)
}

/// `/debug/mp/collect` stores nothing, at Google's as here.
pub(crate) fn debug(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let Decoded { key, secret, .. } = decode(request, terms)?;
    Ok(Decoded { secret, ..Decoded::answer(Reply::json(&json!({ "validationMessages": [] })), key) })
}

impl Hit<'_> {
    fn event(&self, place: usize, told: Value) -> Result<Collected, (&'static str, String)> {
        let Value::Object(mut told) = told else { return Err((reason::NO_EVENT_OBJECT, told.to_string())) };
        let content = written(&told);
        let Some(name) = take_text(&mut told, "name") else { return Err((reason::EVENT_UNNAMED, content)) };
        let own = told.remove("timestamp_micros").or_else(|| self.time.clone());
        let stated = own.as_ref().and_then(micros);
        let interaction = match name.as_str() {
            "page_view" | "screen_view" => Interaction::Visit,
            _ => Interaction::None,
        };
        let time = clock::correct(self.request.received_at, stated, None);
        let mut event = Collected::new("ga4_measurement", &name, interaction, time);
        let device = self.device.as_deref().unwrap_or_default();
        let user = self.user.as_deref().unwrap_or_default();
        let parts = [self.stream, device, user, &place.to_string(), &content];
        event.set("event_id", ids::made("ga4", &parts, Some(stated.unwrap_or(self.request.received_at))));
        event.keep_clock(own, None);
        event.set("anonymous_id", self.device.clone());
        event.set("user_id", self.user.clone());

        let mut params = take_object(&mut told, "params");
        if name == "campaign_details" {
            for (member, column) in CAMPAIGN {
                event.set(column, take_text(&mut params, member));
            }
        }
        for (member, column) in
            [("page_location", "page_url"), ("page_title", "page_title"), ("page_referrer", "referrer")]
        {
            event.set(column, take_text(&mut params, member));
        }
        commerce::take_order(&mut params, &mut event);
        event.keep("$session_id", take_text(&mut params, "session_id"));

        let mut shared = self.shared.clone();
        let mut consent = Consent::of(self.request);
        let mut purposes = self.consent.clone();
        purposes.extend(take_object(&mut told, "consent"));
        consent.granted(&mut purposes);
        if shared.remove("non_personalized_ads") == Some(Value::Bool(true)) {
            consent.say("ad_personalization", false);
        }
        consent.tell(&mut event);
        let mut traits = take_object(&mut shared, "user_properties");
        traits.extend(take_object(&mut told, "user_properties"));
        for trait_ in traits.values_mut() {
            if let Some(value) = trait_.get_mut("value").map(Value::take) {
                *trait_ = value;
            }
        }
        event.keep("$traits", Value::Object(traits));
        let mut person = take_object(&mut shared, "user_data");
        person.extend(take_object(&mut told, "user_data"));
        for (member, column) in [("sha256_email_address", "email_hash"), ("sha256_phone_number", "phone_hash")] {
            event.set(column, take(&mut person, member, first));
        }
        let address = take(&mut shared, "ip_override", |value| value.as_str()?.trim().parse().ok());
        let agent = take_text(&mut shared, "user_agent");
        visitor::describe(self.request, &mut event, Stated { address, agent, ..Stated::default() });
        for (name, value) in [("user_data", Value::Object(person)), ("consent", Value::Object(purposes))] {
            if value.as_object().is_some_and(|members| !members.is_empty()) {
                shared.insert(name.to_owned(), value);
            }
        }
        event.keep("$context", Value::Object(shared));
        event.keep_all(params);
        for (name, value) in told {
            event.rest(&name, value);
        }
        Ok(event.done())
    }
}

/// Members of `campaign_details` and of the tag's own parameters.
pub(super) const CAMPAIGN: [(&str, &str); 6] = [
    ("source", "utm_source"),
    ("medium", "utm_medium"),
    ("campaign", "utm_campaign"),
    ("term", "utm_term"),
    ("content", "utm_content"),
    ("campaign_id", "utm_id"),
];

/// Always microseconds, whatever the size.
fn micros(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

/// A hash, or the first of several.
fn first(value: &Value) -> Option<String> {
    let value = value.as_array().map_or(Some(value), |list| list.first())?;
    value.as_str().map(str::to_owned)
}
