//! The server as clients meet it: over TCP, from the first byte to the published line.
use crate::{
    client::{Client, Server, published},
    shared,
};
use flate2::{Compression, write::GzEncoder};
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use safar_collect::{
    Stored,
    drain::{Part, Publish, PublishError, Raw, drain},
    http::{CollectSettings, Collector, SourceSettings},
    limits,
    log::LogSettings,
};
use serde_json::json;
use std::{
    fs,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
};

fn settings(text: &str) -> CollectSettings {
    toml::from_str(text).unwrap()
}

const SHOP: &str = r#"
    [[sources]]
    name = "shop"
    keys = ["k", "k2"]
    origins = ["https://*.shop.example"]
    secret = "s"
    [[sources]]
    name = "slow"
    keys = ["few"]
    requests_per_second = 1
"#;

fn track(key: &str, id: &str) -> Vec<u8> {
    json!({"writeKey": key, "type": "track", "event": "e", "messageId": id, "userId": "u"}).to_string().into_bytes()
}

/// Files of captured requests whose name holds a word, with their bytes.
fn captured(word: &str, holds: bool) -> Option<Vec<(PathBuf, Vec<u8>)>> {
    let mut out = vec![];
    for client in fs::read_dir(shared("fixtures/sdk")?).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(client).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let name = file.file_name().unwrap().to_string_lossy();
            if name.ends_with(".http") && name.contains(word) == holds {
                out.push((file.clone(), fs::read(file).unwrap()));
            }
        }
    }
    out.sort();
    Some(out)
}

#[tokio::test]
async fn every_captured_request_is_taken_over_the_wire() {
    let Some(requests) = captured("OPTIONS", false) else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = "matomo_token = \"TOKEN32TOKEN32TOKEN32TOKEN32TOKE\"";
    let server = Server::start(folder.path(), settings(text)).await;
    let (mut events, mut rejects) = (0, 0);
    for (file, bytes) in &requests {
        let sent = crate::sent::Sent::captured(bytes);
        let expected = sent.at(jiff::Timestamp::now().as_microsecond()).unwrap();
        events += expected.events.len();
        rejects += expected.rejects.len();
        let answer = Client::to(server.address).await.unwrap().raw(bytes).await.unwrap();
        assert_eq!(answer.status, expected.reply.status, "{}", file.display());
        let origin = sent.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("origin"));
        if let Some((_, origin)) = origin {
            assert_eq!(answer.headers["access-control-allow-origin"].as_bytes(), origin, "{}", file.display());
        }
        if !expected.reply.body.windows(5).any(|five| five == b"cache") {
            assert_eq!(answer.body, expected.reply.body.as_ref(), "{}", file.display());
        }
    }
    let kept = server.stop().await;
    assert_eq!((kept.column("default", "event_id").len(), kept.letters().len()), (events, rejects));
    assert!(events > 100, "{events}");
}

#[tokio::test]
async fn every_captured_preflight_is_answered() {
    let Some(requests) = captured("OPTIONS", true) else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CollectSettings::default()).await;
    let mut client = Client::to(server.address).await.unwrap();
    for (file, bytes) in &requests {
        let sent = crate::sent::Sent::captured(bytes);
        let told = |wanted: &str| {
            let found = sent.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| String::from_utf8(value.clone()).unwrap()).unwrap_or_default()
        };
        let answer = client.raw(bytes).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{}", file.display());
        assert_eq!(answer.headers["access-control-allow-origin"], told("origin"));
        assert_eq!(answer.headers["access-control-allow-credentials"], "true");
        assert!(answer.headers["access-control-allow-methods"].contains(&told("access-control-request-method")));
        for asked in told("access-control-request-headers").split(',') {
            let allowed = &answer.headers["access-control-allow-headers"];
            assert!(allowed.split(", ").any(|allowed| allowed == asked), "{}: {asked}", file.display());
        }
    }
    assert!(requests.len() > 15);
    assert_eq!(client.raw(b"OPTIONS /nobody HTTP/1.1\r\nHost: t\r\n\r\n").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_head_is_answered_and_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), settings("link_key = \"a key of sixteen or more\"")).await;
    let link = safar_collect::signed_link(b"a key of sixteen or more", "https://shop.example/sale").unwrap();
    for (target, wanted) in [
        (link.as_str(), ["302 ", "location: https://shop.example/sale"]),
        ("/pixel/email.gif?user_id=u", ["200 ", "content-length: 43"]),
        ("/matomo.php?idsite=k&rec=1", ["200 ", "image/gif"]),
        ("/go?to=https://evil.example&sig=x", ["403 ", "text/plain"]),
        ("/v1/track", ["404 ", "vary: Origin"]),
    ] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let head = format!("HEAD {target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(wanted.iter().all(|wanted| answer.contains(wanted)), "{target}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{target}: no body");
    }
    let kept = server.stop().await;
    assert!(kept.column("default", "event_id").is_empty() && kept.letters().is_empty());
}

#[tokio::test]
async fn sources_have_keys_pages_secrets_and_rates() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), settings(SHOP)).await;
    let mut client = Client::to(server.address).await.unwrap();
    let page = |origin: &str| format!("Origin: {origin}\r\n");
    assert_eq!(client.post("/v1/t", "", &track("k", "a")).await.unwrap().status, 200);
    assert_eq!(client.post("/v1/t", "", &track("unknown", "b")).await.unwrap().status, 401);
    assert_eq!(client.post("/v1/t", "", b"{\"type\":\"track\"}").await.unwrap().status, 401);
    assert_eq!(client.get("/pixel/email.gif?event_id=p").await.unwrap().status, 200, "the first source's");

    let answer = client.post("/v1/t", &page("https://a.shop.example"), &track("k2", "c")).await.unwrap();
    assert_eq!(
        (answer.status, answer.headers["access-control-allow-origin"].as_str()),
        (200, "https://a.shop.example")
    );
    let answer = client.post("/v1/t", &page("https://evil.example"), &track("k", "d")).await.unwrap();
    assert_eq!(answer.status, 401);

    let ga4 = |secret: &str| format!("/mp/collect?measurement_id=k&api_secret={secret}");
    let body = br#"{"client_id":"c","events":[{"name":"e"}]}"#;
    assert_eq!(client.post(&ga4("s"), "", body).await.unwrap().status, 204);
    assert_eq!(client.post(&ga4("wrong"), "", body).await.unwrap().status, 401);

    let mut taken = 0;
    let refused = loop {
        let answer = client.post("/v1/t", "", &track("few", &format!("f{taken}"))).await.unwrap();
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 100);
    };
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (429, "1"));
    assert!(taken >= 10);
    assert_eq!(client.get("/sourceConfig/?writeKey=few").await.unwrap().status, 200, "questions are free");

    let kept = server.stop().await;
    assert_eq!(kept.column("shop", "event_id").len(), 4);
    assert_eq!(kept.column("slow", "event_id").len(), taken);
    let twice = settings(&SHOP.replace("\"few\"", "\"k\""));
    let error = Collector::open(&folder.path().join("other"), twice).unwrap_err().to_string();
    assert!(error.contains("`k`") && error.contains("`shop`") && error.contains("`slow`"), "{error}");
    assert!(toml::from_str::<CollectSettings>("sauces = []").is_err());
}

#[tokio::test]
async fn what_is_too_large_is_heard_out_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CollectSettings::default()).await;
    let mut client = Client::to(server.address).await.unwrap();
    let answer = client.post("/v1/batch", "", &vec![b' '; limits::BODY + 1]).await.unwrap();
    assert_eq!(answer.status, 400);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b'['; 64 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    let answer = client.post("/v1/batch", "Content-Encoding: gzip\r\n", &bomb).await.unwrap();
    assert_eq!((answer.status, answer.body.starts_with(b"the body is larger")), (400, true));
    assert_eq!(client.post("/v1/t", "", &track("k", "a")).await.unwrap().status, 200, "on the same connection");
    let events: Vec<_> =
        (0..2_000).map(|at| json!({"type": "track", "event": "e", "messageId": at.to_string()})).collect();
    let large = json!({ "batch": events }).to_string();
    assert!(large.len() > 64 << 10);
    assert_eq!(client.post("/v1/batch", "", large.as_bytes()).await.unwrap().status, 200);
    assert_eq!(server.stop().await.column("default", "event_id").len(), 2_001);
}

#[tokio::test]
async fn a_full_log_and_full_memory_send_clients_away_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogSettings { megabytes: 1, ..LogSettings::default() };
    let server =
        Server::start(folder.path(), CollectSettings { log, memory_megabytes: 2, ..CollectSettings::default() }).await;
    let mut client = Client::to(server.address).await.unwrap();
    let event =
        |id: &str| json!({"type": "track", "event": "e", "messageId": id, "properties": {"t": "x".repeat(700 << 10)}});
    assert_eq!(client.post("/v1/t", "", event("a").to_string().as_bytes()).await.unwrap().status, 200);
    let full = client.post("/v1/t", "", event("b").to_string().as_bytes()).await.unwrap();
    assert_eq!((full.status, full.headers["retry-after"].as_str()), (503, "10"));
    assert_eq!(client.post("/v1/t", "", &track("k", "c")).await.unwrap().status, 200, "there is space for this one");
    let much = client.post("/v1/t", "", &vec![b' '; 3 << 20]).await.unwrap();
    assert_eq!((much.status, much.headers["retry-after"].as_str()), (503, "2"));
    assert_eq!(server.stop().await.column("default", "event_id"), ["a", "c"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_with_its_reason_and_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), settings(SHOP)).await;
    let mut client = Client::to(server.address).await.unwrap();
    let batch =
        json!({"writeKey": "k", "batch": [{"type": "track", "event": "e", "messageId": "a"}, {"type": "dance"}]});
    assert_eq!(client.post("/v1/batch", "", batch.to_string().as_bytes()).await.unwrap().status, 200);
    assert_eq!(client.post("/v1/batch", "", b"{\"batch\":").await.unwrap().status, 400);
    let kept = server.stop().await;
    let letters = kept.letters();
    let [member, request] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((member.source.as_str(), &member.raw), ("shop", &Raw::Member(1, r#"{"type":"dance"}"#.into())));
    assert!(request.reason.contains("no JSON") && request.received_at.is_some(), "{request:?}");
    let line: serde_json::Value = serde_json::from_str(&request.to_line()).unwrap();
    assert!(line["request"].is_string() && line["reason"] == request.reason.as_str());
    let Raw::Request(bytes) = &request.raw else { panic!("{request:?}") };
    let stored = Stored::decode(bytes).unwrap();
    assert_eq!((stored.body, stored.remote.unwrap().to_string().as_str()), (b"{\"batch\":".as_slice(), "127.0.0.0"));

    // Put right by hand, and the event that was safe read from the segment that was kept.
    let body = track("k", "again");
    let mended = Stored { body: &body, path: "/v1/t", ..stored };
    let collector = Collector::open(folder.path(), settings(SHOP)).unwrap();
    collector.log().append(&Stored::encode(&mended.request(), "", false)).await.unwrap();
    collector.log().seal().await;
    assert_eq!(published(collector.clone()).await.column("shop", "event_id"), ["again"]);
    let file = fs::read_dir(folder.path().join("published")).unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    let parts = safar_collect::drain::read(collector.reader(), &file).unwrap();
    let read: Vec<_> = parts.iter().flat_map(|part| part.lines.values()).flat_map(|lines| lines.lines()).collect();
    let before = kept.0.lock().unwrap();
    let before: Vec<_> = before.iter().flat_map(|part| part.lines.values()).flat_map(|lines| lines.lines()).collect();
    assert_eq!(read, before);
}

#[tokio::test]
async fn who_is_behind_our_own_proxies() {
    for (proxies, seen) in [(0, "127.0.0.0"), (1, "203.0.113.0"), (2, "198.51.100.0"), (3, "-")] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), CollectSettings { proxies, ..CollectSettings::default() }).await;
        let headers = "User-Agent: Mozilla/5.0 X\r\nX-Forwarded-For: 198.51.100.9, 203.0.113.8\r\n";
        let mut client = Client::to(server.address).await.unwrap();
        assert_eq!(client.post("/v1/t", headers, &track("k", "a")).await.unwrap().status, 200);
        let kept = server.stop().await;
        let parts = kept.0.lock().unwrap();
        let line: serde_json::Value = serde_json::from_str(parts[0].lines["default"].trim()).unwrap();
        assert_eq!(line["properties"]["$ip"].as_str().unwrap_or("-"), seen);
    }
}

#[tokio::test]
async fn visitors_without_a_cookie_are_told_apart_for_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || CollectSettings {
        sources: vec![SourceSettings { name: "s".into(), keys: vec!["d".into()], ..SourceSettings::default() }],
        ..CollectSettings::default()
    };
    let mut ids = vec![];
    for _ in 0..2 {
        let server = Server::start(folder.path(), settings()).await;
        let mut client = Client::to(server.address).await.unwrap();
        let body = br#"{"n":"pageview","u":"https://d/","d":"d"}"#;
        assert_eq!(client.post("/api/event", "User-Agent: Mozilla/5.0 X\r\n", body).await.unwrap().status, 202);
        ids.extend(server.stop().await.column("s", "anonymous_id"));
    }
    assert!(ids[0].len() == 32 && ids[0] == ids[1], "the same after a restart: {ids:?}");
}

/// Whatever comes over the wire, the server goes on.
#[tokio::test]
async fn any_bytes_over_the_wire() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CollectSettings::default()).await;
    let mut runner = TestRunner::deterministic();
    let mut any = |length| vec(any::<u8>(), 0..length).new_tree(&mut runner).unwrap().current();
    for round in 0..60 {
        let mut bytes = match round % 4 {
            0 => vec![],
            1 => b"POST /v1/batch HTTP/1.1\r\n".to_vec(),
            2 => b"POST /e/?compression=base64 HTTP/1.1\r\nHost: t\r\nContent-Length: 90\r\n\r\n".to_vec(),
            _ => b"POST /v1/t HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n".to_vec(),
        };
        bytes.extend(any(200));
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut vec![]).await;
    }
    let mut client = Client::to(server.address).await.unwrap();
    assert_eq!(client.post("/v1/t", "", &track("k", "after")).await.unwrap().status, 200);
    assert!(server.stop().await.column("default", "event_id").contains(&"after".to_owned()));
}

/// Refuses the first part that it is handed.
struct Flaky(Arc<Mutex<Vec<Part>>>, Arc<Notify>);

impl Publish for Flaky {
    async fn publish(&mut self, part: Part) -> Result<(), PublishError> {
        let mut handed = self.0.lock().unwrap();
        handed.push(part);
        if handed.len() == 1 {
            return Err("not now".into());
        }
        self.1.notify_one();
        Ok(())
    }
}

#[tokio::test]
async fn what_was_not_published_is_handed_on_again_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CollectSettings::default()).await;
    let mut client = Client::to(server.address).await.unwrap();
    for id in ["a", "b", "a"] {
        assert_eq!(client.post("/v1/t", "", &track("k", id)).await.unwrap().status, 200);
    }
    let log = server.collector.log().clone();
    log.seal().await;
    let (handed, published) = (Arc::default(), Arc::new(Notify::new()));
    drain(server.collector.clone(), Flaky(Arc::clone(&handed), Arc::clone(&published)), published.notified()).await;
    let handed = handed.lock().unwrap();
    let [refused, taken] = handed.as_slice() else { panic!("{} parts", handed.len()) };
    assert_eq!(refused, taken);
    assert_eq!((&taken.log[..], taken.segment, taken.number), (log.identity(), 1, 0));
    assert_eq!(taken.lines["default"].lines().count(), 3, "telling resent events apart is the tables' work");
    assert_eq!(log.sealed().unwrap(), [0; 0]);
}
