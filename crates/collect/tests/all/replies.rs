//! Answers that clients wait for.
use crate::sent::{BROWSER, NOW, Sent, told};
use safar_collect::{ALLOWED_HEADERS, Decoded, GIF, cors, preflight};
use serde_json::{Value, json};

fn answer(sent: &Sent) -> (u16, String, Vec<u8>) {
    let Decoded { reply, .. } = sent.at(NOW).unwrap();
    let kind = reply.headers.iter().find(|(name, _)| *name == "content-type").map(|(_, value)| value.to_string());
    (reply.status, kind.unwrap_or_default(), reply.body.into_owned())
}

fn json_of(sent: &Sent) -> Value {
    serde_json::from_slice(&answer(sent).2).unwrap()
}

#[test]
fn settings_point_back_at_this_server() {
    let settings = json_of(&Sent::get("/v1/projects/KEY/settings").header("HOST", "collect.example"));
    let segment = &settings["integrations"]["Segment.io"];
    assert_eq!([&segment["apiKey"], &segment["apiHost"], &segment["protocol"]], ["KEY", "collect.example/v1", "http"]);
    let config = json_of(&Sent::get("/sourceConfig/?p=npm&writeKey=KEY"));
    assert_eq!((&config["source"]["writeKey"], &config["source"]["enabled"]), (&json!("KEY"), &json!(true)));
    assert_eq!(json_of(&Sent::get("/array/phc_K/config"))["token"], "phc_K");
    assert_eq!(json_of(&Sent::json("/flags/?v=2", &json!({"token": "k"})))["featureFlags"], json!({}));
}

#[test]
fn every_client_hears_what_it_waits_for() {
    let gif = (200, "image/gif".to_owned(), GIF.to_vec());
    assert_eq!(answer(&Sent::get("/i?e=pv")), gif);
    assert_eq!(answer(&Sent::get("/matomo.php?idsite=1")), gif);
    assert_eq!(answer(&Sent::get("/matomo.php?idsite=1&send_image=0")).0, 204);
    assert_eq!(
        json_of(&Sent::json("/matomo.php", &json!({"requests": ["?idsite=1", 7]}))),
        json!({"status": "success", "tracked": 1, "invalid": 1})
    );
    assert_eq!(answer(&Sent::get("/g/collect?en=a")).0, 204);
    assert_eq!(answer(&Sent::json("/mp/collect", &json!({"events": []}))).0, 204);
    assert_eq!(
        answer(&Sent::json("/api/event", &json!({}))),
        (202, "text/plain; charset=utf-8".into(), b"ok".to_vec())
    );
    assert_eq!(json_of(&Sent::json("/api/s/track", &json!({"type": "track"}))), json!({"ok": true}));
    assert_eq!(json_of(&Sent::json("/v1/t", &json!({}))), json!({"success": true}));
    assert!(json_of(&Sent::json("/api/send", &json!({"type": "event", "payload": {}})))["cache"].is_string());
    let debug = Sent::json("/debug/mp/collect", &json!({"events": [{"name": "e"}]})).at(NOW).unwrap();
    assert_eq!((debug.events.len(), debug.reply.body.as_ref()), (0, br#"{"validationMessages":[]}"#.as_slice()));
    assert_eq!(GIF.len(), 43);
}

#[test]
fn browsers_are_let_in() {
    let headers = cors(Some("https://shop.example"));
    let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref());
    assert_eq!(find("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(find("access-control-allow-credentials"), Some("true"));
    assert_eq!(find("access-control-expose-headers"), Some("Retry-After"));
    assert_eq!(find("vary"), Some("Origin"));
    assert_eq!(cors(None), [("vary", "Origin".into())]);
    assert_eq!(cors(Some("https://a\r\nset-cookie: x")).len(), 1);
    for asked in
        ["anonymousid", "authorization", "content-type", "sentat", "x-write-key", "sp-anonymous", "x-umami-cache"]
    {
        assert!(ALLOWED_HEADERS.split(", ").any(|allowed| allowed == asked), "{asked}");
    }
    assert!(preflight(None).iter().any(|(name, _)| *name == "access-control-max-age"));
    let allowed = |asked: &str| {
        let headers = preflight(Some(asked));
        headers.into_iter().find(|(name, _)| *name == "access-control-allow-headers").unwrap().1.into_owned()
    };
    // What Segment's client adds when it sends again.
    assert_eq!(allowed("authorization,x-retry-count"), format!("{ALLOWED_HEADERS}, x-retry-count"));
    assert_eq!(allowed("Authorization, a b, x\r\ny, ,"), ALLOWED_HEADERS);
    assert!(allowed(&"x-more,".repeat(1_000)).len() < ALLOWED_HEADERS.len() + 32 * 8 + 1);
}

#[test]
fn keys_are_found_wherever_they_are_put() {
    let key = |sent: Sent| sent.at(NOW).unwrap().key;
    let track = || Sent::json("/v1/t", &json!({"type": "track"}));
    assert_eq!(key(track().header("AUTHORIZATION", "Basic V1JJVEVfS0VZOg==")).as_deref(), Some("WRITE_KEY"));
    assert_eq!(key(Sent::json("/v1/t", &json!({"writeKey": "k"}))).as_deref(), Some("k"));
    assert_eq!(key(Sent::json("/beacon/v1/batch?writeKey=k", &json!({"batch": []}))).as_deref(), Some("k"));
    assert_eq!(key(track().header("authorization", "Basic ???")), None);
    let jitsu = Sent::json("/api/s/track", &json!({"type": "track"})).header("x-write-key", "k:s").at(NOW).unwrap();
    assert_eq!((jitsu.key.as_deref(), jitsu.secret.as_deref()), (Some("k"), Some("s")));
    let google = Sent::json("/mp/collect?measurement_id=G-1&api_secret=s", &json!({"events": []})).at(NOW).unwrap();
    assert_eq!((google.key.as_deref(), google.secret.as_deref()), (Some("G-1"), Some("s")));
}

#[test]
fn pixels_are_touches() {
    let sent = Sent::get("/pixel/email.gif?user_id=u&email_hash=aa&utm_source=letter&list=spring&email=a%40b.c");
    let event = sent.header("User-Agent", BROWSER).header("Referer", "https://mail.example/").event();
    let columns = ["name", "interaction", "user_id", "email_hash", "utm_source", "list", "referrer"];
    let want = ["email_open", "email", "u", "aa", "letter", "spring", "https://mail.example/"];
    assert_eq!(columns.map(|column| told(&event, column)), want);
    assert_eq!(event.get("email"), None);
    // Programs that open letters and follow links need not be browsers: those that look through mail are told by their name.
    let scanner = Sent::get("/pixel/email.gif?user_id=u").header("User-Agent", "python-requests/2.32").event();
    assert_eq!(["$user_agent", "$ip"].map(|name| told(&scanner, name)), ["python-requests/2.32", "198.51.100.0"]);
    let shown = Sent::get("/pixel/impression.gif?event_id=i1&campaign=c").event();
    assert_eq!(
        ["name", "interaction", "event_id", "campaign"].map(|column| told(&shown, column)),
        ["ad_impression", "impression", "i1", "c"]
    );
}
