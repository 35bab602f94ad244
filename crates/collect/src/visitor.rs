//! What is known of the visitor's browser and address: as the client states it, else as the request shows it.
use crate::{Collected, Request, json::Object};
use safar_enrich::address;
use serde_json::Value;
use std::net::IpAddr;

/// What a client states about the visitor.
#[derive(Debug, Default)]
pub(crate) struct Stated {
    pub agent: Option<String>,
    pub address: Option<IpAddr>,
    pub language: Option<String>,
    pub hints: Option<Value>,
}

/// Keeps `$user_agent`, `$client_hints`, `$language` and `$ip`. The request's own headers and address are the visitor's
/// only where a browser sent it; a program on a server speaks for others. Who asks to be anonymous leaves no address.
pub(crate) fn describe(request: &Request<'_>, event: &mut Collected, stated: Stated) {
    let browser = request.browser();
    if let Some(hints) = stated.hints.or_else(|| browser.and_then(|_| header_hints(request))) {
        event.keep("$client_hints", hints);
    }
    let language = || {
        let list = browser.and_then(|_| request.header("accept-language"))?;
        list.split([',', ';']).next().map(str::trim).filter(|first| *first != "*").map(str::to_owned)
    };
    if let Some(language) = stated.language.or_else(language) {
        event.keep("$language", language);
    }
    let own = || browser.and(request.remote);
    if let Some(address) = stated.address.or_else(own).filter(|_| request.header("sp-anonymous").is_none()) {
        event.keep("$ip", address::cut(address).to_string());
    }
    if let Some(agent) = stated.agent.or_else(|| browser.map(str::to_owned)) {
        event.keep("$user_agent", agent);
    }
}

fn header_hints(request: &Request<'_>) -> Option<Value> {
    let hints = [
        ("brands", "sec-ch-ua"),
        ("mobile", "sec-ch-ua-mobile"),
        ("model", "sec-ch-ua-model"),
        ("platform", "sec-ch-ua-platform"),
    ];
    let hints = hints.into_iter().filter_map(|(name, header)| Some((name.to_owned(), request.header(header)?.into())));
    let hints: Object = hints.collect();
    (!hints.is_empty()).then_some(Value::Object(hints))
}
