//! One request of Matomo's tracking API.
//!
//! What happened, the first that fits: `ping=1` is a ping; `idgoal=0` with `ec_id` a purchase (`revenue`, `ec_items`), without
//! it a changed cart; another `idgoal` is `goal_N`; an event takes its action (`e_a`) for its name; then site search,
//! download, outlink, content (seen or clicked); else a page view. Refunds are no part of the protocol.
use crate::{
    Collected, Request, Terms, body, clock, commerce,
    consent::Consent,
    ids,
    json::{Object, written},
    reason,
    request::Params,
    visitor::{self, Stated},
};
use safar_model::{DAY_US, Interaction};
use serde_json::Value;

/// Reads the parameters of one request.
pub(super) fn event(
    request: &Request<'_>,
    terms: &Terms<'_>,
    place: usize,
    mut told: Params,
    token: Option<&str>,
) -> Result<Collected, (&'static str, String)> {
    let content = written(&told);
    let trusted = terms.matomo_token.is_some() && token == terms.matomo_token;
    let received = request.received_at;
    let kind = kind(&told);
    let mut take = |name: &str| told.remove(name).filter(|text| !text.trim().is_empty());
    let Some(site) = take("idsite") else { return Err((reason::SITE_UNNAMED, content)) };
    let age = take("cdo").and_then(|age| age.trim().parse::<u32>().ok());
    let stated = take("cdt");
    let own =
        stated.as_deref().and_then(clock::read_text).or_else(|| age.map(|age| received - i64::from(age) * 1_000_000));
    if !trusted && own.is_some_and(|own| received.saturating_sub(own) > DAY_US) {
        return Err((reason::OLD_WITHOUT_TOKEN, content));
    }
    let random = take("r").or_else(|| take("rand"));
    let (name, interaction) = kind;
    let mut event = Collected::new("matomo", &name, interaction, clock::correct(received, own, None));
    let again = random.is_some() || stated.is_some() || age.is_some();
    event.set("event_id", ids::made("matomo", &[&place.to_string(), &content], (!again).then_some(received)));
    event.keep_clock(stated.map(Value::from), None);

    let address = take("cip").filter(|_| trusted).and_then(|text| text.trim().parse().ok());
    let agent = take("ua");
    event.set("user_id", take("uid"));
    let device = take("cid").or_else(|| take("_id"));
    event.set("anonymous_id", device.or_else(|| ids::visitor(request, terms, &site, address, agent.as_deref())));
    for (parameter, column) in
        [("url", "page_url"), ("action_name", "page_title"), ("urlref", "referrer"), ("ec_id", "order_id")]
    {
        event.set(column, take(parameter));
    }
    if let Some(revenue) = take("revenue").map(Value::from) {
        match commerce::amount(&revenue) {
            Some(amount) => event.set("value", amount),
            None => event.keep("revenue", revenue),
        }
    }
    if let Some(items) = take("ec_items") {
        match body::json(items.as_bytes()) {
            Ok(Value::Array(items)) => event.set("items", items.into_iter().map(item).collect::<Vec<_>>()),
            _ => event.keep("ec_items", items),
        }
    }
    Consent::of(request).tell(&mut event);
    let hints = take("uadata").map(|text| body::json(text.as_bytes()).unwrap_or(Value::String(text)));
    visitor::describe(request, &mut event, Stated { agent, address, language: take("lang"), hints });
    for (parameter, name) in
        [("res", "$screen"), ("e_c", "e_category"), ("e_n", "e_name"), ("e_v", "e_value"), ("pv_id", "pv_id")]
    {
        event.keep(name, take(parameter));
    }
    event.keep("idsite", site);
    for noise in ["rec", "send_image", "apiv", "cookie", "queuedtracking"] {
        told.remove(noise); // about the request, not about the visit
    }
    let rest = told.into_iter().map(|(name, text)| match text.starts_with(['{', '[']) {
        true => (name, body::json(text.as_bytes()).unwrap_or(Value::String(text))),
        false => (name, Value::String(text)),
    });
    event.keep_all(rest.collect());
    Ok(event.done())
}

/// What happened.
fn kind(told: &Params) -> (String, Interaction) {
    let says = |name: &str| told.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let name = match (says("idgoal"), says("e_a")) {
        _ if says("ping") == Some("1") => "ping".to_owned(),
        (Some("0"), _) if says("ec_id").is_some() => "purchase".to_owned(),
        (Some("0"), _) => "cart_update".to_owned(),
        (Some(goal), _) => format!("goal_{goal}"),
        (None, Some(action)) => action.to_owned(),
        (None, None) => {
            let others = [
                ("search", "site_search"),
                ("download", "download"),
                ("link", "outlink"),
                ("c_i", "content_interaction"),
                ("c_n", "content_impression"),
            ];
            match others.into_iter().find(|(parameter, _)| says(parameter).is_some()) {
                Some((_, name)) => name.to_owned(),
                None => return ("page_view".to_owned(), Interaction::Visit),
            }
        }
    };
    (name, Interaction::None)
}

/// `[sku, name, category, price, quantity]`
fn item(told: Value) -> Value {
    let Value::Array(parts) = told else { return told };
    let names = ["item_id", "item_name", "item_category", "price", "quantity"];
    let item: Object = names.into_iter().map(str::to_owned).zip(parts).filter(|(_, part)| !part.is_null()).collect();
    Value::Object(item)
}
