//! What is not taken, and that the client is told so in a way that it understands.
use crate::sent::{NOW, Sent, TERMS, told};
use flate2::{Compression, write::GzEncoder};
use safar_collect::{Refusal, limits, route, signed_link};
use serde_json::json;
use std::io::Write;

const BODIES: [&str; 12] = [
    "/v1/batch",
    "/v1/t",
    "/com.snowplowanalytics.snowplow/tp2",
    "/e/",
    "/batch/",
    "/i/v1/analytics/events",
    "/mp/collect",
    "/api/event",
    "/api/send",
    "/api/s/track",
    "/flags/",
    "/matomo.php",
];

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bombs_and_broken_archives_are_refused_by_name() {
    let bomb = zipped(&vec![b'['; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let cut = &zipped(br#"{"batch":[]}"#)[..15];
    for path in BODIES {
        assert_eq!(Sent::post(path, bomb.clone()).at(NOW).unwrap_err(), Refusal::Bomb, "{path}");
        assert_eq!(Sent::post(path, cut).at(NOW).unwrap_err(), Refusal::Damaged, "{path}");
        let large = Sent::post(path, vec![b' '; limits::BODY + 1]);
        assert_eq!(large.at(NOW).unwrap_err(), Refusal::TooLarge, "{path}");
        let long = Sent { query: "a".repeat(limits::QUERY + 1), ..Sent::post(path, "{}") };
        assert_eq!(long.at(NOW).unwrap_err(), Refusal::TooLarge, "{path}");
    }
    let hidden = Sent::post("/e/", format!("data={}", base64_of(&bomb)));
    assert_eq!(hidden.at(NOW).unwrap_err(), Refusal::Bomb);
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE};
    BASE64_URL_SAFE.encode(bytes)
}

#[test]
fn bodies_of_the_wrong_shape_are_refused_for_good() {
    for path in BODIES.into_iter().filter(|path| *path != "/matomo.php") {
        for body in ["", "no json", "{", "[1", "null", "\u{0}"] {
            let refusal = Sent::post(path, body).at(NOW);
            let Err(refusal) = refusal else {
                assert!(
                    ["/api/send", "/api/s/track", "/e/", "/batch/", "/i/v1/analytics/events", "/flags/"]
                        .contains(&path),
                    "{path} {body:?}"
                );
                assert_eq!(refusal.unwrap().events.len(), 0, "{path} {body:?}");
                continue;
            };
            assert_eq!(refusal.reply().status, 400, "{path} {body:?}");
        }
    }
}

#[test]
fn one_bad_message_does_not_cost_the_batch() {
    let good = json!({"type": "track", "event": "e", "messageId": "m"});
    let decoded = Sent::json("/v1/batch", &json!({"batch": [good, 7, {"type": "dance"}, null, good]})).at(NOW).unwrap();
    assert_eq!(decoded.events.len(), 2);
    let places: Vec<usize> = decoded.rejects.iter().map(|reject| reject.place).collect();
    assert_eq!(places, [1, 2, 3]);
    assert_eq!(decoded.rejects[1].raw, r#"{"type":"dance"}"#);
    let v1 = json!({"batch": [{"uuid": "a", "event": "e", "distinct_id": "u"}, {"uuid": "b", "distinct_id": "u"}]});
    let reply = Sent::json("/i/v1/analytics/events", &v1).at(NOW).unwrap().reply;
    assert_eq!(String::from_utf8_lossy(&reply.body), r#"{"results":{"a":{"result":"ok"},"b":{"result":"drop"}}}"#);
}

#[test]
fn a_batch_at_the_vendors_limits_is_taken_and_one_beyond_is_not() {
    let one = json!({"type": "track", "event": "e", "properties": {"text": "x".repeat(limits::SEGMENT_EVENT)}});
    assert_eq!(Sent::json("/v1/t", &one).events().len(), 1);
    let whole =
        Sent::json("/v1/batch", &json!({ "batch": vec![&one; limits::SEGMENT_BATCH / limits::SEGMENT_EVENT + 1] }));
    assert!(whole.body.len() > limits::SEGMENT_BATCH && !whole.events().is_empty());
    let small = json!({"type": "track", "event": "e"});
    let many = |count: usize| Sent::json("/v1/batch", &json!({ "batch": vec![&small; count] })).at(NOW);
    assert_eq!(many(limits::SEGMENT_BATCH_EVENTS).unwrap().events.len(), limits::SEGMENT_BATCH_EVENTS);
    assert_eq!(many(limits::EVENTS + 1).unwrap_err(), Refusal::TooLarge);
    // What a batch shares is repeated on each event: the product is bounded as well.
    let shared = json!({"context": {"text": "x".repeat(1 << 20)}, "batch": vec![&small; 2_000]});
    assert_eq!(Sent::json("/v1/batch", &shared).at(NOW).unwrap_err(), Refusal::TooLarge);
    let lines = "en=a\n".repeat(limits::EVENTS + 1);
    assert_eq!(Sent::post("/g/collect?v=2", lines).at(NOW).unwrap_err(), Refusal::TooLarge);
}

#[test]
fn statuses_make_clients_drop_or_resend() {
    assert_eq!(Refusal::Unauthorised.reply().status, 401);
    let busy = Refusal::Busy(5).reply();
    assert_eq!((busy.status, busy.headers.contains(&("retry-after", "5".into()))), (503, true));
    for refusal in [Refusal::Bomb, Refusal::Damaged, Refusal::TooLarge, Refusal::Unreadable("x")] {
        assert_eq!(refusal.reply().status, 400, "413 makes Snowplow's Python tracker resend for ever");
    }
}

/// What clients did when a recording server answered so.
#[test]
fn clients_drop_what_is_refused_for_good_and_resend_the_rest() {
    let Some(matrix) = crate::shared("fixtures/sdk/retry_matrix.jsonl") else { return };
    let mut tries = std::collections::BTreeMap::<(String, String), usize>::new();
    for line in std::fs::read_to_string(matrix).unwrap().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let attempts = row["attempts"].as_array().unwrap();
        let word = |name: &str| row[name].as_str().unwrap().to_owned();
        tries.insert(
            (word("sdk"), word("mode")),
            attempts.iter().filter(|attempt| attempt.get("path").is_some()).count(),
        );
    }
    let mut met = 0;
    for ((client, mode), tries) in tries {
        let never = ["jitsu-node", "snowplow-node"].contains(&client.as_str());
        met += usize::from(match mode.parse::<u16>() {
            Ok(status) if status == Refusal::Bomb.reply().status || status == Refusal::Unauthorised.reply().status => {
                assert!(tries == 1 || client == "rudder-python", "{client} resends after {status}");
                true
            }
            Ok(status) if status == Refusal::Busy(1).reply().status => {
                assert!(tries > 1 || never, "{client} drops after {status}");
                true
            }
            _ => false,
        });
    }
    assert!(met >= 27, "{met}");
}

#[test]
fn redirects_go_only_where_the_server_signed() {
    let destination = "https://shop.example/?utm_source=letter&a=ä b";
    let link = signed_link(TERMS.link_key.unwrap(), destination).unwrap();
    let decoded = Sent::get(&format!("{link}&user_id=u&event_id=e")).at(NOW).unwrap();
    let location = &decoded.reply.headers.iter().find(|(name, _)| *name == "location").unwrap().1;
    assert_eq!(
        (decoded.reply.status, location.as_ref()),
        (302, "https://shop.example/?utm_source=letter&a=%C3%A4%20b")
    );
    let columns = ["name", "interaction", "user_id", "event_id", "page_url"];
    assert_eq!(columns.map(|column| told(&decoded.events[0], column)), ["click", "click", "u", "e", destination]);

    let other = link.replace("shop.example", "evil.example");
    for wrong in [other.as_str(), "/go", "/go?to=https%3A%2F%2Fevil.example", "/go?to=&sig=", &format!("{link}x")] {
        assert_eq!(Sent::get(wrong).at(NOW).unwrap_err(), Refusal::NotSigned, "{wrong}");
    }
    let keyless = safar_collect::Terms { link_key: None, ..TERMS };
    assert_eq!(Sent::get(&link).under(&keyless, NOW).unwrap_err(), Refusal::NotSigned);
    for scheme in ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/local", "ftp://a.example/"] {
        assert_eq!(signed_link(b"k", scheme), None, "{scheme}");
    }
}

#[test]
fn other_paths_and_methods_are_nobodys() {
    for (method, path) in [
        ("GET", "/v1/batch"),
        ("POST", "/"),
        ("GET", "/"),
        ("POST", "/v2/batch"),
        ("PUT", "/e/"),
        ("POST", "/go"),
        ("GET", "/pixel/x.gif"),
    ] {
        assert_eq!(route(method, path), None, "{method} {path}");
    }
    assert_eq!(route("POST", "/v1/batch/"), route("POST", "/v1/batch"));
    assert!(route("POST", "/com.acme/tp2").is_some());
}
