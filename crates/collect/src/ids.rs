//! Identifiers that are made here: of events whose client gives them none, and of visitors without a cookie.
use crate::{Request, Terms};
use hmac::{Hmac, Mac};
use safar_model::Micros;
use sha2::{Digest, Sha256};
use std::{fmt::Write, net::IpAddr};

/// The id of an event whose client gives it none: 128 bits of SHA-256 of the source and of what was said, each part with its
/// length, and of a time where the content alone may be said twice. Each protocol says what it takes for the time.
pub(crate) fn made(source: &str, parts: &[&str], time: Option<Micros>) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&source).chain(parts) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    if let Some(time) = time {
        hash.update(time.to_le_bytes());
    }
    hex(&hash.finalize()[..16])
}

/// A visitor of a client that keeps nothing on the device, until the day's salt is forgotten: HMAC-SHA-256 by the salt of
/// the site, the address and the browser, cut to 128 bits. `address` and `agent` are those that the client states for
/// the visitor, if any. None without a salt, and for visitors who ask to be anonymous (`SP-Anonymous`).
pub(crate) fn visitor(
    request: &Request<'_>,
    terms: &Terms<'_>,
    site: &str,
    address: Option<IpAddr>,
    agent: Option<&str>,
) -> Option<String> {
    if request.header("sp-anonymous").is_some() {
        return None;
    }
    let agent = agent.or_else(|| request.browser())?;
    let address = address.or(request.remote)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(terms.day_salt?).ok()?;
    for part in [site.as_bytes(), address.to_canonical().to_string().as_bytes(), agent.as_bytes()] {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    Some(hex(&mac.finalize().into_bytes()[..16]))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}"); // writing to a String cannot fail
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(made("s", &["ab", "c"], None), made("s", &["a", "bc"], None));
        assert_ne!(made("s", &["a"], None), made("s", &["a"], Some(0)));
        assert_eq!(made("s", &["a"], None).len(), 32);
    }
}
