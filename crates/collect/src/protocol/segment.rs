//! Segment's HTTP API, which RudderStack's clients speak as well: `@segment/analytics-next`, `-node`, `segment-analytics-
//! python`, `@rudderstack/analytics-js`, `rudder-sdk-node`, `-python`.
use super::spec::{Envelope, message};
use crate::{
    Decoded, Refusal, Reply, Request, Terms, body,
    json::{Object, take_object, take_text, text},
    limits,
    reply::Batch,
};
use serde::{Deserialize, de::IgnoredAny};
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

/// The answer to a batch of messages from a glance at it, without making its events; `None` where it takes a closer look.
///
/// A glance walks over the messages without keeping them. What it may miss (numbers beyond floating point, nesting beyond
/// 128 levels) makes a dead letter of a request that was acknowledged.
pub(crate) fn glance(request: &Request<'_>) -> Option<Decoded> {
    #[derive(Deserialize)]
    struct Glance {
        batch: Vec<IgnoredAny>,
        #[serde(rename = "writeKey", default)]
        key: Value,
        /// Shared by all messages, so that their events may be many times as large as the body.
        #[serde(default)]
        context: Option<IgnoredAny>,
    }
    /// What an event may hold beside its message, in bytes.
    const BESIDE: usize = 1_024;
    let body = body::of(request).ok()?;
    let Glance { batch, key, context: None } = serde_json::from_slice(&body).ok()? else { return None };
    std::str::from_utf8(&body).ok()?;
    let headers: usize = request.headers.iter().map(|(_, value)| value.len()).sum();
    let largest = body.len().saturating_mul(2).saturating_add((headers + BESIDE).saturating_mul(batch.len()));
    if batch.is_empty() || batch.len() > limits::EVENTS || largest > limits::DECODED {
        return None;
    }
    let key = text(&key).or_else(|| request.basic_user()).or_else(|| super::query_key(request, "writeKey"));
    Some(Decoded::answer(Reply::json(&json!({ "success": true })), key))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn request<'a>(body: &'a [u8], headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
        Request {
            method: "POST",
            path: "/v1/batch",
            query: "writeKey=query",
            headers,
            body,
            remote: None,
            https: false,
            received_at: 1_795_287_582_828_000,
        }
    }

    /// What is seen at a glance is what a closer look finds.
    fn agrees(body: &str, headers: &[(&str, &[u8])]) -> bool {
        let request = request(body.as_bytes(), headers);
        let (glance, decoded) = (glance(&request), decode(&request, &Terms::default()));
        if let Some(glance) = &glance {
            let decoded = decoded.as_ref().expect("a request that is taken");
            assert_eq!((&glance.key, &glance.secret, &glance.reply), (&decoded.key, &decoded.secret, &decoded.reply));
            assert!(!decoded.events.is_empty() || !decoded.rejects.is_empty());
        }
        glance.is_some()
    }

    #[test]
    fn a_plain_batch_takes_no_closer_look_and_others_do() {
        let basic: (&str, &[u8]) = ("authorization", b"Basic a2V5Og==");
        assert!(agrees(r#"{"batch":[{"type":"track","event":"e"},{"type":"dance"}]}"#, &[basic]));
        assert!(agrees(r#"{"writeKey":"k","batch":[1,null,"\u00e9"],"sentAt":7}"#, &[]));
        for other in [
            r#"{"batch":[]}"#,
            r#"{"batch":{}}"#,
            r#"{"batch":[1],"batch":[2]}"#,
            r#"{"batch":[1],"context":{"ip":"203.0.113.7"}}"#,
            r#"{"type":"track","event":"e"}"#,
            r#"{"batch":[1"#,
            "",
        ] {
            assert!(!agrees(other, &[]), "{other}");
        }
        let many = format!(r#"{{"batch":[{}1]}}"#, "1,".repeat(limits::EVENTS));
        assert!(!agrees(&many, &[]));
        assert!(!agrees(&many, &[("user-agent", &[b'x'; 8_192])]));
    }

    proptest! {
        #[test]
        fn a_glance_and_a_closer_look_agree(members in vec("(\\{\"type\":\"(track|page|dance)\",\"event\":\"[a-zé\\\\]{0,3}\"\\}|null|[0-9]{1,4}|\\[\\])", 0..4), key in "(\"k\"|\"\"|\" \"|7|null|\\{\\})", more in "(,\"sentAt\":\"x\"|,\"writeKey\":1|)") {
            agrees(&format!("{{\"writeKey\":{key},\"batch\":[{}]{more}}}", members.join(",")), &[]);
        }
    }
}
