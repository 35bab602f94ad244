//! Wrappings that clients put around their JSON, and what a batch shares.
use crate::sent::{NOW, Sent, told};
use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use serde_json::json;
use std::io::Write;

const BODY: &str = r#"{"api_key":"k","batch":[{"event":"e","uuid":"a","distinct_id":"u"}]}"#;

fn id(sent: &Sent) -> String {
    let decoded = sent.at(NOW).unwrap();
    assert_eq!(decoded.key.as_deref(), Some("k"));
    told(&decoded.events[0], "event_id")
}

#[test]
fn compressed_with_and_without_saying_so() {
    let mut gzip = GzEncoder::new(vec![], Compression::fast());
    gzip.write_all(BODY.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut zlib = ZlibEncoder::new(vec![], Compression::fast());
    zlib.write_all(BODY.as_bytes()).unwrap();
    let zlib = zlib.finish().unwrap();
    assert_eq!(id(&Sent::post("/e/", gzip.clone())), "a");
    assert_eq!(id(&Sent::post("/e/", gzip.clone()).header("Content-Encoding", "GZIP")), "a");
    assert_eq!(id(&Sent::post("/e/", zlib).header("content-encoding", "deflate")), "a");
    for left in ["gzip", "deflate", "br"] {
        assert_eq!(id(&Sent::post("/e/", BODY).header("content-encoding", left)), "a", "unpacked by a proxy");
    }
    assert!(Sent::post("/e/", &b"\x8b\x1f\x80packed"[..]).header("content-encoding", "br").at(NOW).is_err());

    // With compression off the browser's client sends a form; its `+` may come as it is.
    let packed = BASE64_STANDARD.encode(BODY);
    assert_eq!(id(&Sent::post("/e/?compression=base64", format!("data={packed}"))), "a");
    assert_eq!(id(&Sent::get(&format!("/e/?data={packed}"))), "a");
    let packed = BASE64_STANDARD.encode(&gzip);
    let form: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("data", &packed).finish();
    assert_eq!(id(&Sent::post("/e/", form)), "a");
    assert_eq!(id(&Sent::post("/e/", format!("data={packed}"))), "a");
}

#[test]
fn an_event_alone_and_in_a_list() {
    let event = json!({"event": "e", "uuid": "a", "properties": {"token": "k", "distinct_id": "u"}});
    assert_eq!(id(&Sent::json("/e/", &event)), "a");
    assert_eq!(id(&Sent::json("/e/", &json!([event]))), "a");
    let old = json!({"event": "e", "properties": {"token": "k", "distinct_id": "u", "$insert_id": "i"}});
    assert_eq!(id(&Sent::json("/e/", &old)), "i");
}

#[test]
fn lines_end_in_either_way_and_win_over_what_they_share() {
    for end in ["\n", "\r\n"] {
        let body = ["en=scroll&epn.percent_scrolled=90", "en=click&dl=https%3A%2F%2Fb.example%2F", ""].join(end);
        let events = Sent::post("/g/collect?v=2&cid=c&_p=1&_s=2&dl=https%3A%2F%2Fa.example%2F", body).events();
        let seen: Vec<_> =
            events.iter().map(|event| ["name", "anonymous_id", "page_url"].map(|column| told(event, column))).collect();
        assert_eq!(seen, [["scroll", "c", "https://a.example/"], ["click", "c", "https://b.example/"]]);
        assert_eq!(told(&events[0], "percent_scrolled"), "90");
        assert_ne!(told(&events[0], "event_id"), told(&events[1], "event_id"));
    }
}

#[test]
fn a_batch_shares_its_context_and_time() {
    let one =
        json!({"type": "page", "messageId": "m", "timestamp": "2026-11-21T00:00:00Z", "context": {"locale": "is-IS"}});
    let sent = Sent::json(
        "/v1/batch",
        &json!({"batch": [one], "sentAt": "2026-11-21T00:00:10Z", "context": {
            "locale": "en-US", "ip": "2001:db8:1:2::3", "campaign": {"source": "s", "name": "c", "id": "7"},
            "page": {"url": "https://a.example/x?y", "path": "/x", "tab": 1},
        }}),
    );
    let event = sent.event();
    let names = ["$language", "$ip", "utm_source", "utm_campaign", "utm_id", "page_url", "$context", "occurred_at"];
    let want = [
        "is-IS",
        "2001:db8:1::",
        "s",
        "c",
        "7",
        "https://a.example/x?y",
        r#"{"page":{"tab":1}}"#,
        "2026-11-21T19:09:50.000000Z",
    ];
    assert_eq!(names.map(|name| told(&event, name)), want);
}

#[test]
fn tags_that_stick_to_a_device_do_not_speak_for_a_page() {
    let tag = |properties: serde_json::Value| {
        let event = Sent::json("/e/", &json!({"event": "e", "distinct_id": "u", "properties": properties})).event();
        event.get("utm_source").is_some()
    };
    assert!(!tag(json!({"utm_source": "s", "$current_url": "https://a.example/"})));
    assert!(tag(json!({"utm_source": "s"})));
}
