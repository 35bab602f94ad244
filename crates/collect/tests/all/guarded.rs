//! Who may send, what is taken at nearly any cost, and what stays within bounds.
use crate::client::{Client, Server, published};
use safar_collect::{
    drain::{Part, Publish, PublishError, drain},
    http::{CollectSettings, Collector, KEPT_REFUSALS_A_DAY},
    log::LogSettings,
    signed_link,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, Mutex},
};

fn settings(text: &str) -> CollectSettings {
    toml::from_str(text).unwrap()
}

fn track(key: &str, id: &str) -> Vec<u8> {
    json!({"writeKey": key, "type": "track", "event": "e", "messageId": id, "userId": "u"}).to_string().into_bytes()
}

/// Tables as they are: a part whose key they know is done.
#[derive(Clone, Default)]
struct Tables {
    parts: Arc<Mutex<BTreeMap<String, Part>>>,
    /// So many more parts are taken.
    takes: usize,
}

impl Publish for Tables {
    async fn publish(&mut self, part: Part) -> Result<(), PublishError> {
        let mut parts = self.parts.lock().unwrap();
        if let Entry::Vacant(place) = parts.entry(part.key()) {
            self.takes = self.takes.checked_sub(1).ok_or("the disk is full")?;
            place.insert(part);
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_segment_that_was_half_published_goes_on_where_it_ended_whatever_has_changed() {
    for (before, after) in [(false, true), (true, false)] {
        let shop = |cookieless: bool| {
            settings(&format!("[[sources]]\nname = \"s\"\nkeys = [\"k\"]\ncookieless = {cookieless}"))
        };
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), shop(before)).await;
        let mut client = Client::to(server.address).await.unwrap();
        let ids: BTreeSet<String> = (0..60).map(|at| format!("m{at:02}")).collect();
        for id in &ids {
            // Where nobody is recognised, what is told about people goes: the events become a tenth of their size.
            let event = json!({
                "writeKey": "k", "type": "track", "event": "e", "messageId": id, "userId": "u",
                "properties": {"note": "y".repeat(50_000)}, "context": {"traits": {"text": "x".repeat(450_000)}},
            });
            assert_eq!(client.post("/v1/t", "", event.to_string().as_bytes()).await.unwrap().status, 200);
        }
        let log = server.collector.log().clone();
        log.seal().await;
        // The first part is taken, and the disk is full; a second one may be all there is.
        let mut tables = Tables { takes: usize::from(!before), ..Tables::default() };
        drain(server.collector.clone(), tables.clone(), std::future::ready(())).await;
        drop((client, log));
        server.halt().await;
        let collector = Collector::open(folder.path(), shop(after)).unwrap();
        tables.takes = usize::MAX;
        drain(collector, tables.clone(), std::future::ready(())).await;
        let parts = tables.parts.lock().unwrap();
        let lines = parts.values().flat_map(|part| part.lines.values()).flat_map(|lines| lines.lines());
        let found: Vec<String> = lines
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (ids.len(), ids), "{after}");
        assert!(parts.len() >= 2 || before);
        let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("parts")).collect();
        assert_eq!(left, [""; 0], "nothing is left of the notes");
    }
}

#[tokio::test]
async fn servers_bring_the_secret_of_their_source() {
    let folder = tempfile::tempdir().unwrap();
    let sources = r#"
        [[sources]]
        name = "shop"
        keys = ["k"]
        secret = "s"
        [[sources]]
        name = "backend"
        keys = ["b"]
        secret = "t"
        secret_required = true
    "#;
    let server = Server::start(folder.path(), settings(sources)).await;
    let mut client = Client::to(server.address).await.unwrap();
    let hit = br#"{"client_id":"c","events":[{"name":"e"}]}"#;
    for (target, status) in [
        ("/mp/collect?measurement_id=k&api_secret=s", 204),
        ("/mp/collect?measurement_id=k&api_secret=t", 401),
        ("/mp/collect?measurement_id=k", 401),
        ("/debug/mp/collect?measurement_id=k", 401),
    ] {
        assert_eq!(client.post(target, "", hit).await.unwrap().status, status, "{target}");
    }
    let call = br#"{"type":"track","event":"e","messageId":"j","userId":"u"}"#;
    for (path, key, status) in [
        ("/api/s/s2s/track", "k:s", 200),
        ("/api/s/s2s/track", "k", 401),
        ("/api/s/track", "k", 200),
        ("/api/s/track", "k:t", 401),
        ("/api/s/track", "b", 401),
    ] {
        let headers = format!("X-Write-Key: {key}\r\n");
        assert_eq!(client.post(path, &headers, call).await.unwrap().status, status, "{path} {key}");
    }
    // `k:`, `k:s`, `k:t`, `b:`, `b:t`
    for (basic, status) in [("azo=", 200), ("azpz", 200), ("azp0", 401), ("Yjo=", 401), ("Yjp0", 200)] {
        let headers = format!("Authorization: Basic {basic}\r\n");
        assert_eq!(client.post("/v1/t", &headers, call).await.unwrap().status, status, "{basic}");
    }
    assert_eq!(client.post("/v1/t", "", &track("b", "x")).await.unwrap().status, 401);
    assert_eq!(client.post("/v1/t", "", &track("k", "x")).await.unwrap().status, 200);
}

#[tokio::test]
async fn strangers_fill_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), settings("[[sources]]\nname = \"s\"\nkeys = [\"k\"]")).await;
    let mut client = Client::to(server.address).await.unwrap();
    // Of a burst ten are kept, as ever.
    for _ in 0..15 {
        assert_eq!(client.post("/v1/batch", "", b"{\"batch\":").await.unwrap().status, 400);
    }
    let not_kept: u64 = server.collector.noticed().not_kept.values().sum();
    assert!((3..=5).contains(&not_kept), "{not_kept}");
    assert!(server.collector.log().size() < KEPT_REFUSALS_A_DAY);
    assert_eq!(server.stop().await.letters().len() as u64, 15 - not_kept);
}

const FORWARDED: [(&str, &str); 6] = [
    ("198.51.100.9, 203.0.113.8", "203.0.113.0"),
    ("203.0.113.8:4711", "203.0.113.0"),
    ("[2001:db8:1:2::3]:443", "2001:db8:1::"),
    ("2001:db8:1:2::3", "2001:db8:1::"),
    ("\"[2001:db8:1:2::3]\"", "2001:db8:1::"),
    ("unknown", "-"),
];

#[tokio::test]
async fn addresses_are_read_however_a_proxy_writes_them() {
    for (header, seen) in FORWARDED {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), settings("proxies = 1")).await;
        let headers = format!("User-Agent: Mozilla/5.0 X\r\nX-Forwarded-For: {header}\r\n");
        let mut client = Client::to(server.address).await.unwrap();
        assert_eq!(client.post("/v1/t", &headers, &track("k", "a")).await.unwrap().status, 200);
        let kept = server.stop().await;
        let line = kept.0.lock().unwrap()[0].lines["default"].clone();
        let line: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
        assert_eq!(line["properties"]["$ip"].as_str().unwrap_or("-"), seen, "{header}");
    }
}

#[tokio::test]
async fn what_is_never_sent_again_goes_beyond_the_rate() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[sources]]\nname = \"s\"\nkeys = [\"k\"]\nrequests_per_second = 1";
    let server = Server::start(folder.path(), settings(text)).await;
    let mut client = Client::to(server.address).await.unwrap();
    let mut taken = 0;
    while client.post("/v1/t", "", &track("k", "a")).await.unwrap().status == 200 {
        taken += 1;
        assert!(taken < 100);
    }
    assert_eq!(client.get("/matomo.php?idsite=k&rec=1&url=https%3A%2F%2Fd%2F&r=1").await.unwrap().status, 200);
    let mut once = 0;
    let view = br#"{"n":"pageview","u":"https://d/","d":"k"}"#;
    while client.post("/api/event", "User-Agent: Mozilla/5.0 X\r\n", view).await.unwrap().status == 202 {
        once += 1;
        assert!(once < 1_000, "there is a limit to it");
    }
    assert!(taken < 20 && once > 70, "{taken} {once}");
}

#[tokio::test]
async fn the_last_of_the_log_is_for_what_is_never_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogSettings { megabytes: 1, ..LogSettings::default() };
    let key = "key";
    let settings = CollectSettings { log, link_key: Some(key.to_owned()), ..CollectSettings::default() };
    let server = Server::start(folder.path(), settings).await;
    let mut client = Client::to(server.address).await.unwrap();
    let large = json!({"type": "track", "event": "e", "messageId": "l", "properties": {"t": "x".repeat(60_000)}});
    while client.post("/v1/t", "", large.to_string().as_bytes()).await.unwrap().status == 200 {}
    let mut views = 0;
    let view = json!({"n": "pageview", "u": "https://d/", "d": "d", "p": {"t": "x".repeat(20_000)}}).to_string();
    while client.post("/api/event", "", view.as_bytes()).await.unwrap().status == 202 {
        views += 1;
    }
    assert!((2..10).contains(&views), "{views}");
    // And whoever clicks is led on, whether or not there is any space.
    let link = signed_link(key.as_bytes(), "https://shop.example/").unwrap();
    let told = "x".repeat(6_000);
    let mut clicks = 0;
    while server.collector.noticed().not_kept.is_empty() {
        let answer = client.get(&format!("{link}&a={told}&n={clicks}")).await.unwrap();
        assert_eq!((answer.status, answer.headers["location"].as_str()), (302, "https://shop.example/"));
        clicks += 1;
        assert!(clicks < 100);
    }
    let forged = link.replace("shop", "evil");
    assert_eq!(client.get(&forged).await.unwrap().status, 403);
}

#[tokio::test]
async fn snowplow_sends_to_a_path_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings("snowplow_paths = [\"/com.acme/track\"]");
    let server = Server::start(folder.path(), settings.clone()).await;
    let mut client = Client::to(server.address).await.unwrap();
    let body = br#"{"schema":"s","data":[{"e":"pv","eid":"one","aid":"shop","url":"https://d/"}]}"#;
    assert_eq!(client.post("/com.acme/track", "", body).await.unwrap().status, 200);
    assert_eq!(client.post("/com.acme/other", "", body).await.unwrap().status, 404);
    let asked = "OPTIONS /com.acme/track HTTP/1.1\r\nHost: t\r\nOrigin: https://d\r\n\r\n";
    assert_eq!(client.raw(asked.as_bytes()).await.unwrap().status, 204);
    drop(client);
    assert_eq!(server.stop().await.column("default", "event_id"), ["one"]);
}

/// Browsers ask about the headers that clients add when they send again; without a yes the events would never come.
#[tokio::test]
async fn browsers_may_send_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CollectSettings::default()).await;
    let mut client = Client::to(server.address).await.unwrap();
    let asked = "OPTIONS /v1/t HTTP/1.1\r\nHost: t\r\nOrigin: https://d\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,content-type,x-retry-count\r\n\r\n";
    let answer = client.raw(asked.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 204);
    assert!(answer.headers["access-control-allow-headers"].contains("x-retry-count"), "{answer:?}");
}

#[test]
fn an_age_tells_a_resent_event_of_matomo() {
    use crate::sent::{NOW, Sent, told};
    let sent = Sent::get("/matomo.php?idsite=1&rec=1&cdo=30&url=https%3A%2F%2Fd%2F");
    let id = |at: i64| told(&sent.at(at).unwrap().events[0], "event_id");
    assert_eq!(id(NOW), id(NOW + 7_000_000));
    let plain = Sent::get("/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fd%2F");
    let id = |at: i64| told(&plain.at(at).unwrap().events[0], "event_id");
    assert_ne!(id(NOW), id(NOW + 7_000_000));
}

#[tokio::test]
async fn broken_json_behind_a_known_key_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CollectSettings::default()).await;
    let mut client = Client::to(server.address).await.unwrap();
    let basic = "Authorization: Basic azo=\r\n";
    for (body, status) in [("{\"batch\":[{\"a\":}]}", 200), ("{\"batch\":[", 400), ("no JSON", 400), ("", 400)] {
        assert_eq!(client.post("/v1/batch", basic, body.as_bytes()).await.unwrap().status, status, "{body}");
    }
    drop(client);
    let collector = server.collector.clone();
    let letters = server.stop().await.letters();
    assert_eq!(letters.len(), 4, "{letters:?}");
    assert!(letters.iter().all(|letter| letter.reason.contains("no JSON")), "{letters:?}");
    assert!(published(collector).await.letters().is_empty());
}
