//! Jitsu: Segment's calls at `/api/s/{page,track,identify,group,…}` with the header `X-Write-Key: KEY:SECRET`. Its clients
//! never resend.
use super::spec::{Envelope, KINDS, message};
use crate::{Decoded, Refusal, Reply, Request, Terms, body, json::Object, json::take_text, reply::Batch};
use serde_json::{Value, json};

/// `POST /api/s/…` and, from servers, `POST /api/s/s2s/…`.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let last = request.path.trim_end_matches('/').rsplit('/').next();
    let envelope = Envelope {
        request,
        terms,
        protocol: "jitsu",
        kind: KINDS.into_iter().find(|kind| Some(*kind) == last),
        sent_at: None,
        anonymous_id: None,
        context: Object::new(),
    };
    let mut whole = body::json(&body::of(request)?)?;
    let told = whole.as_object_mut().and_then(|whole| take_text(whole, "writeKey"));
    let key = request.header("x-write-key").map(str::to_owned).or(told);
    let mut batch = Batch::default();
    match whole {
        Value::Array(messages) => {
            for one in messages {
                batch.push(message(&envelope, one))?;
            }
        }
        one => batch.push(message(&envelope, one))?,
    }
    let mut decoded = batch.answer(Reply::json(&json!({ "ok": true })), None);
    if let Some(key) = key {
        let (key, secret) = key.split_once(':').map_or((key.as_str(), None), |(key, secret)| (key, Some(secret)));
        decoded.key = Some(key.to_owned());
        decoded.secret = secret.map(str::to_owned);
    }
    Ok(decoded)
}
