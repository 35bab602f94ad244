//! The requests of Google's own tag: `/g/collect?v=2&…`, several events in the lines of the body.
//!
//! - **Ids.** The tag never resends and gives none, but numbers its hits on a page: with `_p` (the page) and `_s` (the hit) the
//!   id is a hash of what was said, so that a doubled request is one event. Without `_p` it is told by its receipt.
//! - **Clock.** No time is sent: events are told when they come.
//! - **Identity.** `cid` is the device, `uid` the person.
//! - **Consent.** `gcs`, `gcd`, `npa`: see the column `consent`.
use super::ga4_measurement::CAMPAIGN;
use crate::{
    Collected, Decoded, Refusal, Reply, Request, Terms, body, commerce,
    consent::Consent,
    ids,
    json::{Object, written},
    limits, reason,
    reply::Batch,
    request::{Params, params},
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::{Number, Value};

/// `POST` or `GET`; parameters of a line win over those of the query.
pub(crate) fn decode(request: &Request<'_>, terms: &Terms<'_>) -> Result<Decoded, Refusal> {
    let body = body::of(request)?;
    let shared = params(request.query.as_bytes());
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let mut lines: Vec<&[u8]> = lines.take(limits::EVENTS + 1).collect();
    if lines.is_empty() {
        lines.push(b"");
    }
    let mut batch = Batch::default();
    for (place, line) in lines.into_iter().enumerate() {
        let mut hit = shared.clone();
        hit.extend(params(line));
        batch.push(event(request, terms, place, hit))?;
    }
    Ok(batch.answer(Reply::empty(204), shared.get("tid").cloned()))
}

fn event(
    request: &Request<'_>,
    terms: &Terms<'_>,
    place: usize,
    mut hit: Params,
) -> Result<Collected, (&'static str, String)> {
    let content = written(&hit);
    let counted = hit.contains_key("_p") && hit.contains_key("_s");
    let mut take = |name: &str| hit.remove(name).filter(|text| !text.trim().is_empty());
    let Some(name) = take("en") else { return Err((reason::HIT_UNNAMED, content)) };
    let interaction =
        if ["page_view", "screen_view"].contains(&name.as_str()) { Interaction::Visit } else { Interaction::None };
    let mut event = Collected::new("ga4_gtag", &name, interaction, request.received_at);
    let id = ids::made("ga4_gtag", &[&place.to_string(), &content], (!counted).then_some(request.received_at));
    event.set("event_id", id);

    let stream = take("tid");
    event.set("user_id", take("uid"));
    let device =
        take("cid").or_else(|| ids::visitor(request, terms, stream.as_deref().unwrap_or_default(), None, None));
    event.set("anonymous_id", device);
    for (parameter, column) in [("dl", "page_url"), ("dt", "page_title"), ("dr", "referrer")] {
        event.set(column, take(parameter));
    }
    for (parameter, (_, column)) in ["cs", "cm", "cn", "ck", "cc", "ci"].into_iter().zip(CAMPAIGN) {
        event.set(column, take(parameter));
    }
    event.set("currency", take("cu"));
    let npa = take("npa").or_else(|| take("_npa"));
    let mut consent = Consent::of(request);
    consent.google(take("gcd").as_deref(), take("gcs").as_deref(), npa.as_deref());
    consent.tell(&mut event);
    for (parameter, name) in [("sid", "$session_id"), ("sr", "$screen")] {
        event.keep(name, take(parameter));
    }
    let hints = ["uaa", "uab", "uafvl", "uam", "uamb", "uap", "uapv", "uaw"];
    let hints = hints.into_iter().filter_map(|name| Some((name.to_owned(), Value::from(take(name)?))));
    let hints: Object = hints.collect();
    let hints = (!hints.is_empty()).then_some(Value::Object(hints));
    visitor::describe(request, &mut event, Stated { language: take("ul"), hints, ..Stated::default() });
    event.keep("measurement_id", stream);

    let (mut own, mut traits, mut rest) = (Object::new(), Object::new(), Object::new());
    let mut items = Vec::new();
    for (parameter, told) in hit {
        if let Some(name) = parameter.strip_prefix("epn.") {
            own.insert(name.to_owned(), number(told));
        } else if let Some(name) = parameter.strip_prefix("ep.") {
            own.insert(name.to_owned(), told.into());
        } else if let Some(name) = parameter.strip_prefix("upn.") {
            traits.insert(name.to_owned(), number(told));
        } else if let Some(name) = parameter.strip_prefix("up.") {
            traits.insert(name.to_owned(), told.into());
        } else if let Some(place) = parameter.strip_prefix("pr").and_then(|place| place.parse::<u32>().ok()) {
            items.push((place, item(&told)));
        } else {
            rest.insert(parameter, told.into());
        }
    }
    items.sort_by_key(|(place, _)| *place);
    if !items.is_empty() {
        event.set("items", items.into_iter().map(|(_, item)| item).collect::<Vec<Value>>());
    }
    commerce::take_order(&mut own, &mut event);
    event.keep_all(own);
    event.keep("$traits", Value::Object(traits));
    event.keep("$context", Value::Object(rest));
    Ok(event.done())
}

/// A number where it is written as JSON writes it back, else the text.
fn number(text: String) -> Value {
    match text.parse::<Number>() {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => Value::String(text),
    }
}

/// `idSKU-1~nmShoe~pr64.95~qt2`: names of two letters, parts between single tildes, a doubled tilde for one in a value.
/// Values are often encoded once more.
fn item(text: &str) -> Value {
    const NAMES: [(&str, &str); 24] = [
        ("id", "item_id"),
        ("nm", "item_name"),
        ("br", "item_brand"),
        ("va", "item_variant"),
        ("ca", "item_category"),
        ("c2", "item_category2"),
        ("c3", "item_category3"),
        ("c4", "item_category4"),
        ("c5", "item_category5"),
        ("pr", "price"),
        ("qt", "quantity"),
        ("cp", "coupon"),
        ("ds", "discount"),
        ("lp", "index"),
        ("ln", "item_list_name"),
        ("li", "item_list_id"),
        ("af", "affiliation"),
        ("lo", "location_id"),
        ("pi", "promotion_id"),
        ("pn", "promotion_name"),
        ("cn", "creative_name"),
        ("cs", "creative_slot"),
        ("ps", "item_list_position"),
        ("tx", "item_text"),
    ];
    let marked = text.replace("~~", "\u{0}");
    let mut item = Object::new();
    let mut custom = Object::new();
    for part in marked.split('~').filter(|part| !part.is_empty()) {
        let (Some(code), Some(told)) = (part.get(..2), part.get(2..)) else {
            item.insert(part.replace('\u{0}', "~"), Value::Null);
            continue;
        };
        let told = told.replace('\u{0}', "~");
        // `a=…` keeps a plus sign from being taken for a blank: here only percent signs are codes.
        let told = params(format!("a={}", told.replace('+', "%2B").replace('&', "%26")).as_bytes())
            .remove("a")
            .unwrap_or(told);
        match NAMES.iter().find(|(known, _)| *known == code) {
            Some((_, name @ ("price" | "quantity" | "discount" | "index"))) => {
                item.insert((*name).to_owned(), number(told));
            }
            Some((_, name)) => {
                item.insert((*name).to_owned(), told.into());
            }
            None => {
                custom.insert(code.to_owned(), told.into());
            }
        }
    }
    // Own parameters come in pairs: k0 is a name, v0 its value.
    let names: Vec<String> = custom.keys().filter(|code| code.starts_with('k')).cloned().collect();
    for code in names {
        let value = custom.remove(&code.replacen('k', "v", 1));
        if let (Some(Value::String(name)), Some(value)) = (custom.remove(&code), value) {
            item.insert(name, value);
        }
    }
    item.extend(custom);
    Value::Object(item)
}
