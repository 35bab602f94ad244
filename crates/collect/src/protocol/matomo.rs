//! Matomo's tracking API at `/matomo.php` and `/piwik.php`: a query, a form, or a bulk of `"?…"` texts and objects.
//!
//! - **Ids.** The protocol has none. A request with a random number (`r`, `rand`), and one with its own time (`cdt`, `cdo`), gets
//!   a hash of its place in the bulk and of what it says, so that a resend of the same bytes is one event (the log importer
//!   resends); any other is told by its receipt, in microseconds.
//! - **Clock.** `cdt` (UTC) where it is at most a day old or comes with the right `token_auth`, as in Matomo; an older one without
//!   it is refused for this event. `cdo` is an age in seconds. Else the receipt.
//! - **Address.** `cip` only with the right `token_auth`.
//! - **Identity.** `uid` is the person, `cid` or `_id` the device; both are on every event.
use super::matomo_event;
use crate::{
    Decoded, Refusal, Reply, Request, Terms, body,
    json::{take_text, text},
    reason,
    reply::Batch,
    request::{Params, params},
};
use serde_json::{Value, json};

/// One request, or a bulk of them.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let body = body::of(request)?;
    let mut shared = params(request.query.as_bytes());
    if body.trim_ascii_start().starts_with(b"{") {
        return bulk(request, terms, &body);
    }
    shared.extend(params(&body));
    let token = shared.remove("token_auth");
    let key = shared.get("idsite").cloned();
    let silent = shared.get("send_image").map(String::as_str) == Some("0");
    let mut batch = Batch::default();
    batch.push(matomo_event::event(request, terms, 0, shared, token.as_deref()))?;
    let mut decoded = batch.answer(if silent { Reply::empty(204) } else { Reply::gif() }, key);
    decoded.secret = token;
    Ok(decoded)
}

fn bulk(request: &Request<'_>, terms: &Terms<'_>, body: &[u8]) -> Result<Decoded, Refusal> {
    let Value::Object(mut whole) = body::json(body)? else {
        return Err(Refusal::Unreadable(reason::BODY_NO_OBJECT));
    };
    let Some(Value::Array(requests)) = whole.remove("requests") else {
        return Err(Refusal::Unreadable(reason::BODY_NO_REQUESTS));
    };
    let token = take_text(&mut whole, "token_auth");
    let mut batch = Batch::default();
    let mut key = None;
    for (place, one) in requests.into_iter().enumerate() {
        let told: Result<Params, _> = match one {
            Value::String(query) => Ok(params(query.strip_prefix('?').unwrap_or(&query).as_bytes())),
            Value::Object(members) => {
                Ok(members.iter().filter_map(|(name, value)| Some((name.clone(), member(value)?))).collect())
            }
            other => Err((reason::NO_REQUEST, other.to_string())),
        };
        let event = told.and_then(|mut told| {
            key = key.take().or_else(|| told.get("idsite").cloned());
            let own = told.remove("token_auth");
            matomo_event::event(request, terms, place, told, own.as_deref().or(token.as_deref()))
        });
        batch.push(event)?;
    }
    let (tracked, invalid) = (batch.events.len(), batch.rejects.len());
    let reply = Reply::json(&json!({ "status": "success", "tracked": tracked, "invalid": invalid }));
    let mut decoded = batch.answer(reply, key);
    decoded.secret = token;
    Ok(decoded)
}

/// A parameter of an object: lists are JSON, as in a query.
fn member(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) | Value::Bool(_) => Some(value.to_string()),
        other => text(other),
    }
}
