//! Segment's HTTP API, which RudderStack's clients speak as well: `@segment/analytics-next`, `-node`, `segment-analytics-
//! python`, `@rudderstack/analytics-js`, `rudder-sdk-node`, `-python`.
use super::spec::{Envelope, message};
use crate::{
    Decoded, Refusal, Reply, Request, Terms, body,
    json::{Object, take_object, take_text, text},
    limits, reason,
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
        return Err(Refusal::Unreadable(reason::BODY_NO_OBJECT));
    };
    let told = take_text(&mut whole, "writeKey");
    let key = Key::of(request).or_else(|| told.map(Key::plain));
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
        Some(_) => return Err(Refusal::Unreadable(reason::BODY_BATCH)),
        None => batch.push(message(&envelope, Value::Object(whole)))?,
    }
    Ok(taken(batch, key))
}

/// A write key, and the secret that came with it.
struct Key(String, Option<String>);

impl Key {
    fn plain(key: String) -> Self {
        Self(key, None)
    }

    /// Where the head of the request names it; that wins over the body.
    fn of(request: &Request<'_>) -> Option<Self> {
        let basic = request.basic().map(|(key, secret)| Self(key, secret));
        basic.or_else(|| super::query_key(request, "writeKey").map(Self::plain))
    }
}

fn taken(batch: Batch, key: Option<Key>) -> Decoded {
    let (key, secret) = key.map_or((None, None), |Key(key, secret)| (Some(key), secret));
    Decoded { secret, ..batch.answer(Reply::json_text(r#"{"success":true}"#), key) }
}

/// The answer to a batch of messages from a glance at it, without making its events; `None` where it takes a closer look.
///
/// Where the key is easily found, a glance looks at the ends and the size of the body alone, else it walks over the messages
/// without keeping them. What it misses (JSON that is broken in its middle, nesting beyond 128 levels) makes a dead letter of a
/// request that was acknowledged.
pub(crate) fn glance(request: &Request<'_>) -> Option<Decoded> {
    let ends = request.body.trim_ascii();
    if ends.starts_with(b"{") && ends.ends_with(b"}") && request.query.len() <= limits::QUERY {
        // At least as many as there are messages that are objects.
        let objects = memchr::memchr_iter(b'{', ends).count();
        if objects <= limits::EVENTS
            && fits(request, ends.len(), objects, ends.len())
            && let Some(key) = Key::of(request).or_else(|| told(ends).map(Key::plain))
        {
            return Some(taken(Batch::default(), Some(key)));
        }
    }
    walk(request)
}

/// The write key in a body, where all members of that name say the same, and say it plainly.
fn told(body: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\"writeKey\"";
    let mut found = None;
    for at in memchr::memmem::find_iter(body, NAME) {
        let value = body[at + NAME.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let value = value.strip_prefix(b"\"")?;
        let value = &value[..memchr::memchr(b'"', value)?];
        let plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
        if value.is_empty() || !value.iter().all(plain) || found.is_some_and(|other| other != value) {
            return None;
        }
        found = Some(value);
    }
    String::from_utf8(found?.to_vec()).ok()
}

/// Whether so many events of a body of so many bytes, each with what all share, are within the limits.
fn fits(request: &Request<'_>, body: usize, events: usize, shared: usize) -> bool {
    /// What an event may hold beside its message, in bytes.
    const BESIDE: usize = 1_024;
    let headers: usize = request.headers.iter().map(|(_, value)| value.len()).sum();
    let largest = (headers + BESIDE + shared).saturating_mul(events).saturating_add(body.saturating_mul(2));
    largest <= limits::DECODED
}

fn walk(request: &Request<'_>) -> Option<Decoded> {
    #[derive(Deserialize)]
    struct Glance {
        batch: Vec<IgnoredAny>,
        #[serde(rename = "writeKey", default)]
        key: Value,
        /// Shared by all messages, so that their events may be many times as large as the body.
        #[serde(default)]
        context: Option<IgnoredAny>,
    }
    let body = body::of(request).ok()?;
    let Glance { batch, key, context: None } = serde_json::from_slice(&body).ok()? else { return None };
    std::str::from_utf8(&body).ok()?;
    if batch.is_empty() || batch.len() > limits::EVENTS || !fits(request, body.len(), batch.len(), 0) {
        return None;
    }
    Some(taken(Batch::default(), Key::of(request).or_else(|| text(&key).map(Key::plain))))
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

    /// What is seen at a glance is what a closer look finds, but for dead letters. Whether it was seen.
    fn agrees(body: &str, headers: &[(&str, &[u8])], query: &str) -> bool {
        let request = Request { query, ..request(body.as_bytes(), headers) };
        let (glance, decoded) = (glance(&request), decode(&request, &Terms::default()));
        if let (Some(glance), Ok(decoded)) = (&glance, &decoded) {
            assert_eq!((&glance.key, &glance.secret, &glance.reply), (&decoded.key, &decoded.secret, &decoded.reply));
        }
        assert!(!matches!(decoded, Err(Refusal::TooLarge | Refusal::Bomb)) || glance.is_none(), "{body}");
        glance.is_some()
    }

    const BASIC: (&str, &[u8]) = ("authorization", b"Basic a2V5OnNlY3JldA==");

    #[test]
    fn a_plain_batch_takes_no_closer_look_and_others_do() {
        assert!(agrees(r#"{"batch":[{"type":"track","event":"e"},{"type":"dance"}]}"#, &[BASIC], ""));
        assert!(agrees(r#"{"writeKey":"k","batch":[1,null,"\u00e9"],"sentAt":7}"#, &[], ""));
        assert!(agrees(r#" {"type":"track","event":"e","writeKey" : "k"} "#, &[], ""));
        assert!(agrees(r#"{"batch":[1],"context":{"ip":"203.0.113.7"}}"#, &[], "writeKey=q"));
        assert!(agrees(r#"{"type":"track","event":"\"writeKey\"","writeKey":"a"}"#, &[], ""));
        for other in [
            r#"{"batch":[]}"#,
            r#"{"batch":{}}"#,
            r#"{"batch":[1],"batch":[2]}"#,
            r#"{"batch":[1],"context":{"ip":"203.0.113.7"}}"#,
            r#"{"type":"track","event":"e"}"#,
            r#"{"type":"track","event":"e","writeKey":"a","properties":{"writeKey":"b"}}"#,
            r#"{"type":"track","event":"e","writeKey":"\u0061"}"#,
            r#"{"batch":[1"#,
            "",
        ] {
            assert!(!agrees(other, &[], ""), "{other}");
        }
        let many = format!(r#"{{"batch":[{}1]}}"#, "1,".repeat(limits::EVENTS));
        assert!(!agrees(&many, &[], ""));
        assert!(!agrees(&many, &[("user-agent", &[b'x'; 8_192])], ""));
        let shared = "x".repeat(20_000);
        let many = format!(
            r#"{{"context":{{"a":"{shared}"}},"batch":[{}{{"type":"track"}}]}}"#,
            r#"{"type":"track"},"#.repeat(2_000)
        );
        assert!(!agrees(&many, &[BASIC], ""), "what all share would become too much");
    }

    #[test]
    fn the_key_is_that_of_the_head_where_it_names_one() {
        let key = |body: &str, headers: &[(&str, &[u8])], query: &str| {
            let request = Request { query, ..request(body.as_bytes(), headers) };
            let decoded = decode(&request, &Terms::default()).unwrap();
            agrees(body, headers, query);
            (decoded.key.unwrap_or_default(), decoded.secret.unwrap_or_default())
        };
        let body = r#"{"type":"track","event":"e","writeKey":"k"}"#;
        assert_eq!(key(body, &[], ""), ("k".to_owned(), String::new()));
        assert_eq!(key(body, &[], "writeKey=q"), ("q".to_owned(), String::new()));
        assert_eq!(key(body, &[BASIC], "writeKey=q"), ("key".to_owned(), "secret".to_owned()));
        assert_eq!(key(body, &[("authorization", b"Basic a2V5Og==")], ""), ("key".to_owned(), String::new()));
    }

    proptest! {
        #[test]
        fn a_glance_and_a_closer_look_agree(members in vec("(\\{\"type\":\"(track|page|dance)\",\"event\":\"[a-zé\\\\]{0,3}\"\\}|null|[0-9]{1,4}|\\[\\])", 0..4), key in "(\"k\"|\"\"|\" \"|7|null|\\{\\})", more in "(,\"sentAt\":\"x\"|,\"writeKey\":1|)", basic: bool, query in "(|writeKey=q|writeKey=)") {
            let headers: &[(&str, &[u8])] = if basic { &[BASIC] } else { &[] };
            agrees(&format!("{{\"writeKey\":{key},\"batch\":[{}]{more}}}", members.join(",")), headers, &query);
        }
    }
}
