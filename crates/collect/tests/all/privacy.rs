//! Signals of every client reach the column `consent`, and who refused is not recognised.
use crate::{
    client::{Client, Server},
    fixtures,
    sent::{BROWSER, NOW, told},
};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use flate2::read::GzDecoder;
use safar_collect::{Reader, Request, Stored, http::CollectSettings};
use safar_model::consent::{Purpose, WithoutAnalytics};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, io::Read, net::IpAddr, path::Path};
use url::form_urlencoded;

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

/// What the clients' own documentation calls identifiers of people, devices and visits.
const IDENTIFIERS: [&str; 35] = [
    "userId",
    "user_id",
    "anonymousId",
    "anonymous_id",
    "previousId",
    "previousSessionId",
    "sessionId",
    "session_id",
    "distinct_id",
    "$device_id",
    "$session_id",
    "$window_id",
    "$anon_distinct_id",
    "$user_id",
    "alias",
    "uid",
    "duid",
    "tnuid",
    "nuid",
    "sid",
    "vid",
    "fp",
    "cid",
    "_id",
    "_idts",
    "client_id",
    "app_instance_id",
    "email",
    "phone",
    "sha256_email_address",
    "ip",
    "$ip",
    "networkUserId",
    "domainUserId",
    "visitorId",
];

/// The values of identifiers anywhere in some bytes: in JSON, forms, base64 and gzip, within each other.
fn identifiers(bytes: &[u8], depth: usize, found: &mut BTreeSet<String>) {
    if depth == 0 {
        return;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = vec![];
        GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        return identifiers(&plain, depth, found);
    }
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(bytes) {
        return within(&value, depth, found);
    }
    for (name, value) in form_urlencoded::parse(bytes.strip_prefix(b"?").unwrap_or(bytes)) {
        if !value.is_empty() {
            member(&name, &Value::String(value.into_owned()), depth, found);
        }
    }
    let text: Vec<u8> = bytes
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .filter(|byte| *byte != b'=')
        .collect();
    if text.len() > 40
        && let Ok(inner) = BASE64_STANDARD_NO_PAD.decode(text)
    {
        identifiers(&inner, depth - 1, found);
    }
}

fn within(value: &Value, depth: usize, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| member(name, value, depth, found)),
        Value::Array(items) => items.iter().for_each(|item| within(item, depth, found)),
        Value::String(text) => identifiers(text.as_bytes(), depth - 1, found),
        _ => {}
    }
}

fn member(name: &str, value: &Value, depth: usize, found: &mut BTreeSet<String>) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    if IDENTIFIERS.contains(&name) && text.len() > 2 {
        found.insert(text);
    }
    within(value, depth, found);
}

/// For all that clients send: in cookieless mode no identifier of the request is in the line.
#[test]
fn no_identifier_of_a_request_is_in_a_cookieless_line() {
    let Some(clients) = fixtures::all() else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = "matomo_token = \"TOKEN32TOKEN32TOKEN32TOKEN32TOKE\"\n[[sources]]\nname = \"web\"\nkeys = []\ncookieless = true";
    let reader = reader(folder.path(), toml::from_str(settings).unwrap());
    let (mut met, mut lines) = (BTreeSet::new(), 0);
    for (client, requests) in clients {
        for (name, sent) in requests {
            let mut known = BTreeSet::new();
            identifiers(sent.query.as_bytes(), 4, &mut known);
            identifiers(&sent.body, 4, &mut known);
            let headers: Vec<(&str, &[u8])> =
                sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
            let request = Request {
                method: &sent.method,
                path: &sent.path,
                query: &sent.query,
                headers: &headers,
                body: &sent.body,
                remote: Some("198.51.100.23".parse().unwrap()),
                https: true,
                received_at: NOW,
            };
            let part = reader.request(&Stored::encode(&request, "web", false));
            for line in part.lines.values().flat_map(|lines| lines.lines()) {
                for identifier in &known {
                    assert!(
                        !line.contains(&format!("{identifier}\"")) && !line.contains(&format!(":{identifier},")),
                        "{client}/{name}: {identifier} in {line}"
                    );
                }
                lines += 1;
            }
            met.extend(known);
        }
    }
    assert!(met.len() > 30 && lines > 100, "{} identifiers, {lines} lines: {met:?}", met.len());
}

/// Who was known by the secret of a day that is forgotten is not read again: they would lose their visitor.
#[tokio::test]
async fn visitors_of_a_forgotten_day_are_told_in_the_tables_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CollectSettings::default()).await;
    let mut client = Client::to(server.address).await.unwrap();
    let headers = format!("User-Agent: {BROWSER}\r\n");
    let view = json!({"n": "pageview", "u": "https://shop.example/", "d": "shop.example", "r": null}).to_string();
    let track = json!({"type": "track", "event": "e", "messageId": "m", "userId": "u"}).to_string();
    for (path, body) in [("/api/event", view), ("/v1/track", track)] {
        let status = client.post(path, &headers, body.as_bytes()).await.unwrap().status;
        assert!(status == 200 || status == 202, "{status}");
    }
    assert_eq!(server.stop().await.column("default", "anonymous_id").len(), 2);
    let kept = folder.path().join("published/000001.log");
    for (secret, lines) in [(true, 2), (false, 1)] {
        if !secret {
            fs::remove_file(folder.path().join("salts")).unwrap();
        }
        let reader = Reader::open(folder.path(), CollectSettings::default()).unwrap();
        let parts = safar_collect::drain::read(&reader, &kept).unwrap();
        let told: usize = parts.iter().flat_map(|part| part.lines.values()).map(|lines| lines.lines().count()).sum();
        let untold: usize = parts.iter().map(|part| part.untold.len()).sum();
        assert_eq!((told, untold), (lines, 2 - lines));
    }
}
