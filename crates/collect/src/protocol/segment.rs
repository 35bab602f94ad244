//! Segment's HTTP API, which RudderStack's clients speak as well: `@segment/analytics-next`, `-node`, `segment-analytics-
//! python`, `@rudderstack/analytics-js`, `rudder-sdk-node`, `-python`.
use super::spec::{Envelope, message};
use crate::{
    Decoded, Refusal, Reply, Request, Terms, body,
    json::{Object, take_object, take_text},
    reply::Batch,
};
use serde_json::{Value, json};

/// The call that a path names; a batch names none.
fn kind(path: &str) -> Option<&'static str> {
    Some(match path.trim_end_matches('/').rsplit('/').next()? {
        "t" | "track" => "track",
        "p" | "page" => "page",
        "s" | "screen" => "screen",
        "i" | "identify" => "identify",
        "g" | "group" => "group",
        "a" | "alias" => "alias",
        _ => return None,
    })
}

/// `POST /v1/{t,p,s,i,g,a,b,track,page,…,batch,import}` and RudderStack's `POST /beacon/v1/batch?writeKey=`.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let mut envelope = Envelope {
        request,
        terms,
        protocol: "segment",
        kind: kind(request.path),
        sent_at: request.header("sentat").map(Value::from),
        anonymous_id: request.header("anonymousid").and_then(body::base64_text),
        context: Object::new(),
    };
    let Value::Object(mut whole) = body::json(&body::of(request)?)? else {
        return Err(Refusal::Unreadable("it is no JSON object"));
    };
    let key = take_text(&mut whole, "writeKey");
    let key = key.or_else(|| request.basic_user()).or_else(|| super::query_key(request, "writeKey"));
    if request.header("anonymousid").is_some() || is_rudderstack(&whole) {
        envelope.protocol = "rudderstack";
    }
    let mut batch = Batch::default();
    match whole.remove("batch") {
        Some(Value::Array(messages)) => {
            envelope.kind = None;
            envelope.sent_at = whole.remove("sentAt").or(envelope.sent_at);
            envelope.context = take_object(&mut whole, "context");
            for one in messages {
                batch.push(message(&envelope, one))?;
            }
        }
        Some(_) => return Err(Refusal::Unreadable("its batch is no array")),
        None => batch.push(message(&envelope, Value::Object(whole)))?,
    }
    Ok(batch.answer(Reply::json(&json!({ "success": true })), key))
}

/// Whether RudderStack's clients wrote it: theirs alone call their own time `originalTimestamp`.
fn is_rudderstack(whole: &Object) -> bool {
    let first = whole.get("batch").and_then(|batch| batch.get(0)).and_then(Value::as_object).unwrap_or(whole);
    first.contains_key("originalTimestamp")
}

/// `GET /v1/projects/KEY/settings`, which `analytics-next` asks for first. Without `apiHost` it would send its events to
/// Segment.
pub(crate) fn settings(request: &Request<'_>) -> Decoded {
    let key = request.path.trim_start_matches('/').split('/').nth(2).unwrap_or_default();
    let host = request.header("host").unwrap_or_default();
    let settings = json!({
        "integrations": { "Segment.io": {
            "apiKey": key,
            "apiHost": format!("{host}/v1"),
            "protocol": if request.https { "https" } else { "http" },
            "unbundledIntegrations": [],
            "addBundledMetadata": true,
            "versionSettings": { "version": "4.4.7", "componentTypes": ["browser"] },
        } },
        "plan": {
            "track": { "__default": { "enabled": true, "integrations": {} } },
            "identify": { "__default": { "enabled": true } },
            "group": { "__default": { "enabled": true } },
        },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0 },
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    });
    Decoded::answer(Reply::json(&settings), Some(key.to_owned()))
}
