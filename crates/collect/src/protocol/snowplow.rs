//! Snowplow's trackers: `POST /…/tp2` with `payload_data`, and `GET /i?…` with one event in the query.
//!
//! - **Ids.** `eid` is the event's id. Events of very old trackers without one get a hash of what they say (but not of `stm`,
//!   which a resend renews) and of their own time, or of their receipt.
//! - **Clock.** `ttm` (true time stamp) as it is; else `received − (stm − dtm)`.
//! - **Identity.** `uid` is the user, `duid` the device, else `client_session.userId` (apps), `tnuid` or `nuid` (network).
//!   Every event carries them: `setUserId` needs no event of its own.
//! - `SP-Anonymous` leaves out the address and says `identification`: false.
use super::snowplow_event;
use crate::{
    Decoded, Refusal, Reply, Request, Terms, body, json::into_text, reason, reply::Batch, request::Params,
    request::params,
};
use serde_json::Value;

/// `POST`: a `payload_data` object.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let whole = body::json(&body::of(request)?)?;
    let Value::Object(mut whole) = whole else { return Err(Refusal::Unreadable(reason::BODY_NO_PAYLOAD_DATA)) };
    let Some(Value::Array(payloads)) = whole.remove("data") else {
        return Err(Refusal::Unreadable(reason::BODY_PAYLOAD_WITHOUT_DATA));
    };
    let mut batch = Batch::default();
    let mut key = None;
    for payload in payloads {
        let event = match payload {
            Value::Object(members) => {
                let payload: Params =
                    members.into_iter().filter_map(|(name, value)| Some((name, into_text(value).ok()?))).collect();
                key = key.or_else(|| payload.get("aid").cloned());
                snowplow_event::event(request, terms, payload)
            }
            other => Err((reason::NO_PAYLOAD_OBJECT, other.to_string())),
        };
        batch.push(event)?;
    }
    Ok(batch.answer(Reply::text(200, "ok"), key))
}

/// `GET /i?…`
pub(crate) fn pixel(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    if request.query.len() > crate::limits::QUERY {
        return Err(Refusal::TooLarge);
    }
    let payload = params(request.query.as_bytes());
    let key = payload.get("aid").cloned();
    let mut batch = Batch::default();
    batch.push(snowplow_event::event(request, terms, payload))?;
    Ok(batch.answer(Reply::gif(), key))
}
