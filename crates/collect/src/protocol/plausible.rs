//! Plausible: `POST /api/event`, JSON sent as text. The answer is always 202.
//!
//! - **Ids.** Clients never resend and give none: an event is told by what it says and its receipt in microseconds.
//! - **Clock.** The receipt.
//! - **Identity.** None is kept on the device: the visitor is a hash that lives for a day, made with the server's salt.
//! - **Money.** `$` or `revenue`: `{"amount", "currency"}`.
use crate::{
    Collected, Decoded, Refusal, Reply, Request, Terms, body, commerce,
    consent::Consent,
    ids,
    json::{Object, says_nothing, take, take_first},
    reason,
    reply::Batch,
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::Value;

/// Short names are those of the script, long ones those of the documented API.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let whole = body::json(&body::of(request)?)?;
    let content = whole.to_string();
    let Value::Object(mut told) = whole else { return Err(Refusal::Unreadable(reason::BODY_NO_OBJECT)) };
    let mut batch = Batch::default();
    let reply = Reply::text(202, "ok");
    if !["n", "name", "u", "url"].iter().any(|member| told.get(*member).is_some_and(|value| !says_nothing(value))) {
        batch.push(Err((reason::NEITHER_NAME_NOR_ADDRESS, content)))?;
        return Ok(batch.answer(reply, None));
    }
    let name = take_first(&mut told, &["n", "name"]).unwrap_or_else(|| "pageview".to_owned());
    let (name, interaction) = match name.as_str() {
        "pageview" => ("page_view", Interaction::Visit),
        other => (other, Interaction::None),
    };
    let mut event = Collected::new("plausible", name, interaction, request.received_at);
    let site = take_first(&mut told, &["d", "domain"]);
    let visitor = ids::visitor(request, terms, site.as_deref().unwrap_or_default(), None, None);
    let parts = [visitor.as_deref().unwrap_or_default(), &content];
    event.set("event_id", ids::made("plausible", &parts, Some(request.received_at)));
    event.set("anonymous_id", visitor);
    event.set("page_url", take_first(&mut told, &["u", "url"]));
    event.set("referrer", take_first(&mut told, &["r", "referrer"]));
    let mut revenue = object(&mut told, &["$", "revenue"]);
    if let Some(amount) = take(&mut revenue, "amount", commerce::amount) {
        event.set("value", amount);
    }
    event.set("currency", take_first(&mut revenue, &["currency"]));
    let mut properties = object(&mut told, &["p", "props", "m", "meta"]);
    commerce::take_order(&mut properties, &mut event);
    event.keep_all(properties);
    for (members, name) in [
        (["i", "interactive"], "interactive"),
        (["e", "engagement_time"], "engagement_ms"),
        (["sd", "scroll_depth"], "scroll_depth"),
        (["v", "version"], "$library_version"),
    ] {
        if let Some(value) = members.iter().find_map(|member| told.remove(*member)) {
            event.keep(name, value);
        }
    }
    event.keep("$library", "plausible");
    event.keep("domain", site.clone());
    Consent::of(request).tell(&mut event);
    visitor::describe(request, &mut event, Stated::default());
    told.extend(revenue);
    for (name, value) in told {
        event.rest(&name, value);
    }
    batch.push(Ok(event.done()))?;
    Ok(batch.answer(reply, site))
}

/// The first of several members that is an object, or a text that holds one.
fn object(told: &mut Object, names: &[&str]) -> Object {
    let read = |value: &Value| match value {
        Value::Object(members) => Some(members.clone()),
        Value::String(text) => match body::json(text.as_bytes()) {
            Ok(Value::Object(members)) => Some(members),
            _ => None,
        },
        _ => None,
    };
    names.iter().find_map(|name| take(told, name, read)).unwrap_or_default()
}
