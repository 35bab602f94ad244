//! Signals of every client reach the column `consent`, and who refused is not recognised.
use crate::{
    fixtures,
    sent::{BROWSER, NOW, told},
};
use safar_collect::{Reader, Request, Stored, http::CollectSettings};
use safar_model::consent::{Purpose, WithoutAnalytics};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, net::IpAddr, path::Path};

#[test]
fn every_event_of_every_client_carries_the_browsers_signals() {
    let Some(clients) = fixtures::all() else { return };
    let mut met = BTreeSet::new();
    for (client, requests) in clients {
        for (name, sent) in requests {
            for event in sent.header("Sec-GPC", "1").header("DNT", "1").at(NOW).unwrap().events {
                let consent: Value = serde_json::from_str(&told(&event, "consent")).unwrap_or_default();
                assert_eq!(
                    (&consent["sale_or_sharing"], &consent["tracking"]),
                    (&json!(false), &json!(false)),
                    "{client}/{name}"
                );
                met.insert(told(&event, "$protocol"));
            }
        }
    }
    assert!(met.len() >= 10, "{met:?}");
}

fn reader(folder: &Path, settings: CollectSettings) -> Reader {
    // The secret of the day of NOW.
    fs::write(folder.join("salts"), format!("{} {}\n", NOW.div_euclid(86_400_000_000), "ab".repeat(32))).unwrap();
    Reader::open(folder, settings).unwrap()
}

/// The events of a stored request of a browser, as they go to the tables.
fn read(reader: &Reader, body: &Value, source: &str, address: &str, headers: &[(&str, &str)]) -> Vec<Value> {
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .chain([("user-agent", BROWSER.as_bytes())])
        .collect();
    let body = body.to_string();
    let request = Request {
        method: "POST",
        path: "/v1/batch",
        query: "",
        headers: &headers,
        body: body.as_bytes(),
        remote: Some(address.parse::<IpAddr>().unwrap()),
        https: true,
        received_at: NOW,
    };
    let part = reader.request(&Stored::encode(&request, source, false));
    assert_eq!(part.letters, []);
    part.lines.values().flat_map(|lines| lines.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn batch(consent: &Value) -> Value {
    json!({"batch": [
        {"type": "identify", "userId": "u", "anonymousId": "a", "messageId": "1", "traits": {"email": "a@x.example"},
         "context": {"consent": {"categoryPreferences": consent}}},
        {"type": "page", "anonymousId": "a", "messageId": "2", "properties": {"plan": "pro"},
         "context": {"consent": {"categoryPreferences": consent}}}
    ]})
}

const TELLING: [&str; 6] = ["\"u\"", "\"a\"", "a@x.example", "198.51.100", "traits", "session"];

#[test]
fn who_refused_is_the_visitor_of_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let reader = reader(folder.path(), CollectSettings::default());
    let yes = read(&reader, &batch(&json!({"Analytics": true})), "web", "198.51.100.23", &[]);
    assert_eq!((yes[0]["user_id"].as_str(), yes[1]["anonymous_id"].as_str()), (Some("u"), Some("a")));
    let no = read(&reader, &batch(&json!({"Analytics": false})), "web", "198.51.100.23", &[]);
    let visitor = no[0]["anonymous_id"].as_str().unwrap();
    assert!(visitor.starts_with("day.") && visitor.len() == 36, "{visitor}");
    assert_eq!(no[1]["anonymous_id"], visitor, "one visitor of the day");
    assert_eq!(no[1]["properties"]["plan"], "pro", "what was done is kept");
    assert_eq!(no[0]["consent"], json!({"Analytics": false}));
    for (event, telling) in no.iter().flat_map(|event| TELLING.map(|telling| (event, telling))) {
        assert!(!event.to_string().contains(telling), "{telling}: {event}");
    }
    let other = read(&reader, &batch(&json!({"Analytics": false})), "web", "203.0.113.7", &[]);
    assert_ne!(other[0]["anonymous_id"], visitor, "somebody else");
    let nobody = read(&reader, &batch(&json!({"Analytics": false})), "web", "198.51.100.23", &[("sp-anonymous", "*")]);
    assert_eq!(nobody[0].get("anonymous_id"), None, "who asks to be anonymous is not told apart at all");
}

#[test]
fn rules_and_cookieless_sources_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings: CollectSettings = toml::from_str(
        "[[sources]]\nname = \"web\"\nkeys = [\"k\"]\n[[sources]]\nname = \"app\"\nkeys = [\"l\"]\ncookieless = true",
    )
    .unwrap();
    settings.consent.do_not_track = vec![Purpose::Analytics];
    let reader = reader(folder.path(), settings.clone());
    let id = |reader: &Reader, source: &str, headers: &[(&str, &str)]| {
        let events = read(reader, &batch(&json!({})), source, "198.51.100.23", headers);
        events[0]["anonymous_id"].as_str().unwrap_or("-").to_owned()
    };
    assert_eq!(id(&reader, "web", &[]), "a");
    assert!(id(&reader, "app", &[]).starts_with("day."), "a cookieless source asks nobody");
    assert_ne!(id(&reader, "app", &[]), id(&reader, "web", &[("dnt", "1")]), "visitors are told apart within a source");
    assert!(id(&reader, "web", &[("dnt", "1")]).starts_with("day."));
    assert_eq!(id(&reader, "web", &[("sec-gpc", "1")]), "a", "it refuses advertising, not analytics");
    settings.consent.without_analytics = WithoutAnalytics::Keep;
    let keeping = Reader::open(folder.path(), settings).unwrap();
    assert_eq!(id(&keeping, "web", &[("dnt", "1")]), "a");
}

#[test]
fn what_was_erased_is_no_event_and_no_letter() {
    let folder = tempfile::tempdir().unwrap();
    let part = Reader::open(folder.path(), CollectSettings::default()).unwrap().request(&[0; 90]);
    assert!(part.lines.is_empty() && part.letters.is_empty());
}
