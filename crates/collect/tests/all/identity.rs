//! Calls that say who somebody is become events with both identifiers.
use crate::sent::{BROWSER, NOW, Sent, TERMS, told};
use safar_collect::{Collected, Terms};
use serde_json::{Value, json};

/// Name, interaction, device, person.
fn who(event: &Collected) -> [String; 4] {
    ["name", "interaction", "anonymous_id", "user_id"].map(|column| told(event, column))
}

fn segment(message: Value) -> Collected {
    Sent::json("/v1/batch", &json!({ "batch": [message] })).event()
}

fn posthog(event: Value) -> Collected {
    Sent::json("/batch/", &json!({ "api_key": "k", "batch": [event] })).event()
}

#[test]
fn identify_carries_device_and_person() {
    let event = segment(
        json!({"type": "identify", "anonymousId": "d", "userId": "u", "traits": {"email": "a@b.c", "plan": "pro"}}),
    );
    assert_eq!(who(&event), ["identify", "none", "d", "u"]);
    assert_eq!((told(&event, "email"), told(&event, "$traits")), ("a@b.c".into(), r#"{"plan":"pro"}"#.into()));
    let event = posthog(json!({"event": "$identify", "distinct_id": "u", "properties": {"$anon_distinct_id": "d"}}));
    assert_eq!(who(&event), ["identify", "none", "d", "u"]);
    let event = Sent::json(
        "/api/send",
        &json!({"type": "identify", "payload": {"website": "w", "data": {"id": "u", "email": "a@b.c"}}}),
    );
    let event = event.header("User-Agent", BROWSER).event();
    assert_eq!([told(&event, "name"), told(&event, "user_id"), told(&event, "email")], ["identify", "u", "a@b.c"]);
    assert_ne!(told(&event, "anonymous_id"), "-");
    assert_eq!(who(&Sent::get("/i?e=pv&duid=d&uid=u").event()), ["page_view", "visit", "d", "u"]);
    assert_eq!(who(&Sent::get("/matomo.php?idsite=1&_id=d&uid=u").event()), ["page_view", "visit", "d", "u"]);
    assert_eq!(who(&Sent::get("/g/collect?en=login&cid=d&uid=u").event()), ["login", "none", "d", "u"]);
}

#[test]
fn an_alias_ties_a_device_to_a_person() {
    let event = segment(json!({"type": "alias", "previousId": "d", "userId": "u"}));
    assert_eq!(who(&event), ["alias", "none", "d", "u"]);
    let event = segment(json!({"type": "alias", "previousId": "d", "anonymousId": "d", "userId": "u"}));
    assert_eq!(who(&event), ["alias", "none", "d", "u"]);
    // Beside the device's own id, an earlier account is no device.
    let event = segment(json!({"type": "alias", "previousId": "u-42", "anonymousId": "d", "userId": "u-43"}));
    assert_eq!(who(&event), ["alias", "none", "d", "u-43"]);
    assert_eq!(told(&event, "$previous_id"), "u-42");
}

#[test]
fn posthog_aliases_in_both_orders() {
    let alias = |library: &str, distinct: &str, alias: &str| {
        let properties = json!({"$lib": library, "distinct_id": distinct, "alias": alias});
        who(&posthog(json!({"event": "$create_alias", "distinct_id": distinct, "properties": properties})))
    };
    assert_eq!(alias("posthog-node", "u", "d"), ["alias", "none", "d", "u"]);
    assert_eq!(alias("posthog-python", "d", "u"), ["alias", "none", "d", "u"]);
    let known = posthog(
        json!({"event": "$create_alias", "distinct_id": "u-42", "properties": {"$lib": "web", "alias": "u-43", "$user_id": "u-42", "$device_id": "d"}}),
    );
    assert_eq!(who(&known), ["alias", "none", "d", "u-43"]);
    assert_eq!(told(&known, "$previous_id"), "u-42");
}

#[test]
fn posthog_tells_devices_from_people() {
    let who = |distinct: &str, properties: Value| {
        let event = posthog(json!({"event": "e", "distinct_id": distinct, "properties": properties}));
        (told(&event, "anonymous_id"), told(&event, "user_id"))
    };
    let pair = |device: &str, user: &str| (device.to_owned(), user.to_owned());
    assert_eq!(who("d", json!({"$device_id": "d", "$is_identified": false})), pair("d", "-"));
    assert_eq!(who("u", json!({"$device_id": "d", "$user_id": "u", "$is_identified": true})), pair("d", "u"));
    assert_eq!(who("u", json!({"$is_server": true})), pair("-", "u"));
    assert_eq!(who("x", json!({"$process_person_profile": false})), pair("x", "-"));
}

#[test]
fn visitors_without_a_cookie_live_for_a_day() {
    let sent = |agent: &str| {
        let body = json!({"n": "pageview", "u": "https://a.example/", "d": "a.example"});
        Sent::json("/api/event", &body).header("User-Agent", agent)
    };
    let visitor = |sent: Sent, terms: &Terms<'_>| told(&sent.under(terms, NOW).unwrap().events[0], "anonymous_id");
    let today = visitor(sent(BROWSER), &TERMS);
    assert_eq!(today.len(), 32);
    assert_eq!(today, visitor(sent(BROWSER), &TERMS));
    assert_ne!(today, visitor(sent("Mozilla/5.0 (other)"), &TERMS));
    assert_ne!(today, visitor(sent(BROWSER), &Terms { day_salt: Some(b"tomorrow"), ..TERMS }));
    assert_eq!("-", visitor(sent(BROWSER), &Terms::default()));
    assert_eq!("-", visitor(sent("curl/8"), &TERMS));
    assert_eq!("-", visitor(sent(BROWSER).header("SP-Anonymous", "*"), &TERMS));
}

#[test]
fn signals_of_privacy_are_consent() {
    let consent = |sent: Sent| told(&sent.event(), "consent");
    let track = || Sent::json("/v1/t", &json!({"type": "track", "event": "e"}));
    assert_eq!(consent(track()), "-");
    assert_eq!(
        consent(track().header("SEC-GPC", "1").header("dnt", "1")),
        r#"{"sale_or_sharing":false,"tracking":false}"#
    );
    assert_eq!(consent(track().header("sec-gpc", "0")), "-");
    let anonymous = Sent::get("/i?e=pv").header("sp-anonymous", "*").header("User-Agent", BROWSER);
    assert_eq!(consent(anonymous.clone()), r#"{"identification":false}"#);
    assert_eq!(told(&anonymous.event(), "$ip"), "-");
    let managed = json!({"type": "track", "event": "e", "context": {"consent": {"categoryPreferences": {"Advertising": false, "Analytics": true}}}});
    assert_eq!(consent(Sent::json("/v1/t", &managed)), r#"{"Advertising":false,"Analytics":true}"#);
    let profile = json!({"event": "e", "distinct_id": "d", "properties": {"$process_person_profile": false}});
    assert_eq!(told(&posthog(profile), "consent"), r#"{"person_profile":false}"#);
    let google = json!({"client_id": "c", "consent": {"ad_user_data": "GRANTED", "ad_personalization": "DENIED"}, "events": [{"name": "e"}]});
    assert_eq!(consent(Sent::json("/mp/collect", &google)), r#"{"ad_personalization":false,"ad_user_data":true}"#);
}
