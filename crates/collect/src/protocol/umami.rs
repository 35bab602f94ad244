//! Umami: `POST /api/send` with `{"type": "event"|"identify", "payload": {…}}`, `POST /api/batch` with an array of them.
//!
//! - **Ids.** Clients never resend and give none: an event is told by what it says and its receipt in microseconds.
//! - **Clock.** `timestamp` of the payload where a server states it, else the receipt.
//! - **Identity.** The visitor is a hash that lives for a day, made with the server's salt. `identify` and every later event
//!   carry the person in `id`; the Node client puts it into `data.id`.
//! - **Money.** `data.revenue`, `data.currency`.
use crate::{
    Collected, Decoded, Refusal, Reply, Request, Terms, body, clock, commerce,
    consent::Consent,
    ids,
    json::{Object, take, take_first, take_object, take_text, text},
    reason,
    reply::Batch,
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::{Value, json};

/// The answer holds `cache`, which the client sends back; nothing here depends on it.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let sent = match body::json(&body::of(request)?)? {
        Value::Array(sent) => sent,
        one => vec![one],
    };
    let mut batch = Batch::default();
    let mut key = None;
    for (place, one) in sent.into_iter().enumerate() {
        let event = event(request, terms, place, one);
        if let Ok(event) = &event {
            key = key.or_else(|| event.property("website").and_then(Value::as_str).map(str::to_owned));
        }
        batch.push(event)?;
    }
    let visitor = batch.events.first().and_then(|event| event.get("anonymous_id")).cloned();
    let visitor = visitor.unwrap_or_else(|| "0".into());
    let reply = Reply::json(&json!({ "cache": visitor, "sessionId": visitor, "visitId": visitor }));
    Ok(batch.answer(reply, key))
}

fn event(
    request: &Request<'_>,
    terms: &Terms<'_>,
    place: usize,
    sent: Value,
) -> Result<Collected, (&'static str, String)> {
    let content = sent.to_string();
    let Value::Object(mut whole) = sent else { return Err((reason::NO_MESSAGE_OBJECT, content)) };
    let kind = take_text(&mut whole, "type");
    let Some(Value::Object(mut told)) = whole.remove("payload") else {
        return Err((reason::MESSAGE_WITHOUT_PAYLOAD, content));
    };
    let mut data = take_object(&mut told, "data");
    let name = take_text(&mut told, "name");
    if kind.as_deref() != Some("identify") && name.is_none() && told.get("url").and_then(text).is_none() {
        return Err((reason::NEITHER_NAME_NOR_ADDRESS, content));
    }
    let (name, interaction) = match (kind.as_deref(), name.as_deref()) {
        (Some("identify"), _) => ("identify", Interaction::None),
        (_, Some(name)) => (name, Interaction::None),
        (_, None) => ("page_view", Interaction::Visit),
    };
    let original = told.remove("timestamp");
    let time = clock::correct(request.received_at, original.as_ref().and_then(clock::read), None);
    let mut event = Collected::new("umami", name, interaction, time);
    event.set("event_id", ids::made("umami", &[&place.to_string(), &content], Some(request.received_at)));
    event.keep_clock(original, None);

    let site = take_text(&mut told, "website");
    let address = take(&mut told, "ip", |value| value.as_str()?.trim().parse().ok());
    let agent = take_text(&mut told, "userAgent");
    let visitor = ids::visitor(request, terms, site.as_deref().unwrap_or_default(), address, agent.as_deref());
    event.set("anonymous_id", visitor);
    let person = take_text(&mut told, "id");
    event.set("user_id", person.or_else(|| (name == "identify").then(|| take_text(&mut data, "id")).flatten()));
    page(&mut told, &mut event);
    if name == "identify" {
        commerce::take_contact(&mut data, &mut event);
        event.keep("$traits", Value::Object(std::mem::take(&mut data)));
    }
    commerce::take_order(&mut data, &mut event);
    event.keep_all(data);
    event.keep("website", site);
    event.keep("$library", "umami");
    event.keep("$screen", take_text(&mut told, "screen"));
    Consent::of(request).tell(&mut event);
    let language = take_text(&mut told, "language");
    visitor::describe(request, &mut event, Stated { agent, address, language, hints: None });
    for (name, value) in told.into_iter().chain(whole) {
        event.rest(&name, value);
    }
    Ok(event.done())
}

/// Address, title, referrer. An address without its host gets the one that is told beside it.
fn page(told: &mut Object, event: &mut Collected) {
    let host = take_text(told, "hostname");
    if let Some(address) = take_first(told, &["url"]) {
        match host {
            Some(host) if address.starts_with('/') && !address.starts_with("//") => {
                event.set("page_url", format!("https://{host}{address}"));
            }
            _ => event.set("page_url", address),
        }
    } else {
        event.keep("hostname", host);
    }
    event.set("page_title", take_text(told, "title"));
    event.set("referrer", take_text(told, "referrer"));
}
