//! Our own pixels: `GET /pixel/email.gif` (an e-mail was opened) and `GET /pixel/impression.gif` (an advertisement was shown).
//!
//! Parameters are columns by their own names: `anonymous_id`, `user_id`, `crm_id`, `email_hash`, `phone_hash`, `name`,
//! `event_id`, `source`, `medium`, `campaign`, `channel`, `click_id`, `click_id_type`, `utm_*`; all others are properties.
//! There is none for an e-mail address or a telephone number in the clear: addresses of requests end in logs.
//!
//! With `event_id` a pixel counts once however often it is loaded, and without it each time: its id is then a hash of
//! what it says and of its receipt in microseconds.
use crate::{
    Collected, Decoded, Refusal, Reply, Request,
    consent::Consent,
    ids,
    json::{Object, written},
    limits,
    reply::Batch,
    request::{Params, params},
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::Value;

const COLUMNS: [&str; 12] = [
    "event_id",
    "anonymous_id",
    "user_id",
    "crm_id",
    "email_hash",
    "phone_hash",
    "source",
    "medium",
    "campaign",
    "channel",
    "click_id",
    "click_id_type",
];

/// The answer is a transparent pixel that is never cached.
pub(crate) fn decode(request: &Request<'_>) -> Result<Decoded, Refusal> {
    if request.query.len() > limits::QUERY {
        return Err(Refusal::TooLarge);
    }
    let (name, interaction) = match request.path.rsplit('/').next() {
        Some("email.gif") => ("email_open", Interaction::Email),
        _ => ("ad_impression", Interaction::Impression),
    };
    let mut batch = Batch::default();
    batch.push(Ok(event(request, "pixel", name, interaction, params(request.query.as_bytes()))))?;
    Ok(batch.answer(Reply::gif(), None))
}

/// An event of our own links and pixels.
pub(super) fn event(
    request: &Request<'_>,
    protocol: &str,
    name: &str,
    interaction: Interaction,
    mut told: Params,
) -> Collected {
    let content = written(&told);
    let name = told.remove("name").filter(|name| !name.trim().is_empty()).unwrap_or_else(|| name.to_owned());
    let mut event = Collected::new(protocol, &name, interaction, request.received_at);
    let mut rest = Object::new();
    for (name, value) in told {
        if COLUMNS.contains(&name.as_str()) || (name.starts_with("utm_") && name.len() > 4) {
            event.set(name, value);
        } else {
            rest.insert(name, value.into());
        }
    }
    event.set_if_none("event_id", ids::made(protocol, &[&content], Some(request.received_at)));
    event.set("referrer", request.header("referer").map(Value::from).unwrap_or_default());
    Consent::of(request).tell(&mut event);
    // Whatever program asks is the visitor's own; none speaks for others here.
    let agent = request.header("user-agent").map(str::to_owned);
    visitor::describe(request, &mut event, Stated { agent, address: request.remote, ..Stated::default() });
    event.keep_all(rest);
    event.done()
}
