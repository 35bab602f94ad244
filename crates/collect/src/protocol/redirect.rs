//! Our own links: `GET /go?to=DESTINATION&sig=…&…` counts a click and sends the browser on.
//!
//! `sig` is an HMAC-SHA-256 of the destination with the server's key, so that nobody else's pages can be reached through
//! this server. It covers the destination alone: an e-mail program may fill in `user_id`, `event_id`, `utm_*` and the other
//! parameters of a pixel for each recipient. They describe the click and are not passed on.
use super::pixel;
use crate::{Decoded, Refusal, Reply, Request, Terms, body, limits, reply::Batch, request::params};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use safar_model::Interaction;
use sha2::Sha256;
use std::borrow::Cow;
use url::{Url, form_urlencoded};

fn mac(key: &[u8], destination: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(b"redirect\0");
    mac.update(destination.as_bytes());
    Some(mac)
}

/// The path and query of a signed link to a destination, which must be an absolute `http` or `https` address; further
/// parameters may be appended as `&name=value`. None for other destinations.
#[must_use]
pub fn signed_link(key: &[u8], destination: &str) -> Option<String> {
    web(destination)?;
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(key, destination)?.finalize().into_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("to", destination)
        .append_pair("sig", &signature)
        .finish();
    Some(format!("/go?{query}"))
}

/// The address as it may stand in a header.
fn web(destination: &str) -> Option<String> {
    let url = Url::parse(destination).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.into())
}

/// The answer is 302 with the destination, never cached.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    if request.query.len() > limits::QUERY {
        return Err(Refusal::TooLarge);
    }
    let mut told = params(request.query.as_bytes());
    let destination = told.remove("to").unwrap_or_default();
    let signature = told.remove("sig").and_then(|text| body::base64_bytes(&text)).unwrap_or_default();
    let mac = terms.link_key.and_then(|key| mac(key, &destination)).ok_or(Refusal::NotSigned)?;
    mac.verify_slice(&signature).map_err(|_| Refusal::NotSigned)?;
    let location = web(&destination).ok_or(Refusal::NotSigned)?;
    let mut event = pixel::event(request, "redirect", "click", Interaction::Click, told);
    event.set("page_url", destination);
    let mut batch = Batch::default();
    batch.push(Ok(event))?;
    let headers = vec![("location", location.into()), ("cache-control", "no-store".into())];
    Ok(batch.answer(Reply { status: 302, headers, body: Cow::Borrowed(&[]) }, None))
}
