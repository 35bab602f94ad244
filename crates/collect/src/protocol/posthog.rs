//! PostHog's capture endpoints: `/e/`, `/i/v0/e/`, `/batch/`, `/capture/`, `/track/` and `/i/v1/analytics/events`.
//!
//! A body is a batch, an array, or one event; in a form it is base64 in the field `data`; gzip is told by its first bytes,
//! because the browser's client sends it as text.
//!
//! - **Ids.** `uuid`, else `$insert_id`; resends repeat them. Without either: a hash of the content with its own time, or with
//!   its receipt where it has none.
//! - **Clock.** `received − (sent_at − timestamp)`, or `received − offset` (milliseconds) of old clients;
//!   `$ignore_sent_at` leaves a stated time as it is.
use super::posthog_event::{self, Sending};
use crate::{
    Decoded, Refusal, Reply, Request, Terms, body,
    json::{Object, take_first, take_text},
    reason,
    reply::Batch,
    request::params,
};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The JSON of a request, whatever it is wrapped in.
fn read(request: &Request<'_>) -> Result<Value, Refusal> {
    let body = body::of(request)?;
    let text = body.trim_ascii_start();
    let form: Cow<'_, [u8]> = match text {
        [b'{' | b'[', ..] => return body::json(text),
        [] => Cow::Borrowed(request.query.as_bytes()),
        _ => body,
    };
    let Some(data) = params(&form).remove("data") else {
        return Err(Refusal::Unreadable(reason::BODY_NO_FORM));
    };
    if data.trim_start().starts_with(['{', '[']) {
        return body::json(data.as_bytes());
    }
    let bytes = body::base64_bytes(&data).ok_or(Refusal::Unreadable(reason::BODY_NO_BASE64))?;
    body::json(&body::gunzip(&bytes)?)
}

/// The events of a request, its key, and of each event its id and whether it was taken.
struct Batched {
    batch: Batch,
    key: Option<String>,
    results: Vec<(Option<String>, bool)>,
}

fn batch(request: &Request<'_>, terms: &Terms<'_>) -> Result<Batched, Refusal> {
    let mut key = None;
    let mut sending = Sending { request, terms, sent: params(request.query.as_bytes()).remove("_").map(Value::from) };
    let events = match read(request)? {
        Value::Array(events) => events,
        Value::Object(mut whole) => {
            key = take_first(&mut whole, &["api_key", "token"]);
            sending.sent = whole.remove("sent_at").or(sending.sent);
            match whole.remove("batch") {
                Some(Value::Array(events)) => events,
                Some(_) => return Err(Refusal::Unreadable(reason::BODY_BATCH)),
                None => vec![Value::Object(whole)],
            }
        }
        _ => return Err(Refusal::Unreadable(reason::BODY_NO_EVENT)),
    };
    let mut batched = Batched { batch: Batch::default(), key, results: vec![] };
    for mut event in events {
        if batched.key.is_none() {
            batched.key = event.as_object_mut().and_then(own_key);
        }
        let id = event.get("uuid").and_then(Value::as_str).map(str::to_owned);
        let read = posthog_event::event(&sending, event);
        batched.results.push((id, read.is_ok()));
        batched.batch.push(read)?;
    }
    let bearer = || request.header("authorization")?.strip_prefix("Bearer ").map(str::to_owned);
    batched.key = batched.key.or_else(bearer);
    Ok(batched)
}

/// The key that an event names itself, outside a batch.
fn own_key(event: &mut Object) -> Option<String> {
    let own = take_first(event, &["api_key", "token"]);
    own.or_else(|| take_text(event.get_mut("properties")?.as_object_mut()?, "token"))
}

/// The endpoints that answer for the whole request.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let Batched { batch, key, .. } = batch(request, terms)?;
    Ok(batch.answer(Reply::json(&json!({ "status": "Ok" })), key))
}

/// `/i/v1/analytics/events`, which answers for each event: `ok`, or `drop` where it is none.
pub(crate) fn decode_v1(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let Batched { batch, key, results } = batch(request, terms)?;
    let result = |taken: bool| json!({ "result": if taken { "ok" } else { "drop" } });
    let results: Map<String, Value> =
        results.into_iter().filter_map(|(id, taken)| Some((id?, result(taken)))).collect();
    Ok(batch.answer(Reply::json(&json!({ "results": results })), key))
}

/// `/flags/` and `/decide/`: there are no flags, and what the client must know to send events.
pub(crate) fn flags(request: &Request<'_>) -> Result<Decoded, Refusal> {
    let key = match read(request)? {
        Value::Object(mut whole) => take_first(&mut whole, &["token", "api_key"]),
        _ => None,
    };
    let flags = json!({
        "config": { "enable_collect_everything": true },
        "toolbarParams": {},
        "isAuthenticated": false,
        "supportedCompression": ["gzip", "gzip-js"],
        "featureFlags": {},
        "flags": {},
        "featureFlagPayloads": {},
        "errorsWhileComputingFlags": false,
        "requestId": "00000000-0000-4000-8000-000000000000",
        "sessionRecording": false,
        "analytics": { "endpoint": "/i/v0/e/" },
        "hasFeatureFlags": false,
        "autocapture_opt_out": false,
    });
    Ok(Decoded::answer(Reply::json(&flags), key))
}

/// `GET /array/TOKEN/config`
pub(crate) fn config(request: &Request<'_>) -> Decoded {
    let key = request.path.trim_start_matches('/').split('/').nth(1).unwrap_or_default();
    let config = json!({
        "token": key,
        "supportedCompression": ["gzip", "gzip-js"],
        "hasFeatureFlags": false,
        "captureDeadClicks": false,
        "capturePerformance": false,
        "autocapture_opt_out": false,
        "autocaptureExceptions": false,
        "analytics": { "endpoint": "/i/v0/e/" },
        "elementsChainAsString": true,
        "sessionRecording": false,
        "heatmaps": false,
        "surveys": false,
        "defaultIdentifiedOnly": true,
        "siteApps": [],
        "isAuthenticated": false,
    });
    Decoded::answer(Reply::json(&config), Some(key.to_owned()))
}
