//! Requests that are kept beside the tables: read again they change what they told and double nothing, and of who refused
//! nothing is kept.
use crate::{
    Shop,
    collected::{Server, collecting, post, send},
    erasure::found_of,
    journey_of_a_user::derived,
};
use std::{
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const SOURCE: &str = "[[collect.sources]]\nname = \"web\"\nkeys = [\"k\"]\n";
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36";

/// Four events of Ada (one of them comes twice), what is no event, and what the import refuses.
fn visited(server: &Server) {
    let page = r#"{"type":"page","messageId":"m1","anonymousId":"ada-phone","properties":{"url":"https://shop.example/?code=s-17&x=1"}}"#;
    let parts = [
        format!(
            r#"{{"writeKey":"k","batch":[{page},{{"type":"dance"}},{{"type":"identify","messageId":"m2","anonymousId":"ada-phone","userId":"ada"}}]}}"#
        ),
        format!(
            r#"{{"writeKey":"k","batch":[{page},{{"type":"track","event":"Order Completed","messageId":"m3","userId":"ada","properties":{{"order_id":"o1","revenue":12.5}}}}]}}"#
        ),
        r#"{"writeKey":"k","batch":[{"type":"track","event":"e","messageId":"m4","userId":"ada","timestamp":"1890-01-01T00:00:00Z"},{"type":"track","event":"","messageId":"m5","userId":"bob"}]}"#.to_owned(),
    ];
    for part in parts {
        assert_eq!(post(server.address, "/v1/batch", &part), Some(200));
    }
}

/// What the tables hold of collected requests, without when it came there.
fn tables(shop: &Shop) -> [String; 3] {
    [
        "select event_id, name, occurred_at, anonymous_id, user_id, page_url, order_id, value, properties, origin from events order by 1, 2",
        "select ns_a, id_a, ns_b, id_b, source, event_id from identity_links order by 1, 2, 3, 4, 6",
        "select origin, line, reason, raw from rejects order by 1, 2, 3",
    ]
    .map(|query| shop.sql(query))
}

fn replay(shop: &Shop) -> String {
    let output = shop.safar(&["-C", "shop", "collect", "replay", "--kept"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

fn set(shop: &Shop, before: &str, after: &str) {
    let path = shop.path("shop/safar.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(before), "{before}");
    fs::write(path, text.replacen(before, after, 1)).unwrap();
}

#[test]
fn what_kept_requests_tell_today_takes_the_place_of_what_they_told() {
    let shop = collecting(SOURCE);
    for _ in 0..2 {
        let server = Server::start(&shop);
        visited(&server); // the second time all of it is a resend
        assert!(server.stop().success());
    }
    shop.safar(&["-C", "shop", "build"]).assert().success();
    let before = tables(&shop);
    assert!(
        before[0].contains("code=s-17") && before[1].contains("ada-phone") && before[2].contains("dance"),
        "{before:?}"
    );
    let events = before[0].lines().count();

    // Nothing has changed: nothing changes, and a build has nobody to rebuild but those who were touched.
    for _ in 0..2 {
        let said = replay(&shop);
        assert!(said.contains(&format!("{events} events in the place of {events}")), "{said}");
        assert_eq!(tables(&shop), before);
    }
    shop.safar(&["-C", "shop", "build"]).assert().success();
    assert_eq!(shop.sql("select count(*), sum(value) from conversions"), "1,12.5");

    // Another rule for addresses.
    set(&shop, "# personal_parameters = [\"email\", \"token\"]", "personal_parameters = [\"code\"]");
    replay(&shop);
    let cleaned = tables(&shop);
    assert!(!cleaned[0].contains("s-17") && cleaned[0].contains("x=1"), "{}", cleaned[0]);
    assert_eq!((cleaned[0].lines().count(), &cleaned[1..]), (events, &before[1..]));

    // Nobody is to be recognised any more: the events are somebody else's, and the links are gone.
    set(&shop, "keys = [\"k\"]", "keys = [\"k\"]\ncookieless = true");
    replay(&shop);
    assert_eq!(
        shop.sql("select count(*), count(distinct event_id), count(user_id) from events"),
        format!("{events},{events},0")
    );
    assert_eq!(shop.sql("select count(*) from identity_links"), "0");
    shop.safar(&["-C", "shop", "build"]).assert().success();
    assert_eq!(shop.sql("select count(*) from persons where identifier like '%ada%'"), "0");
    assert_eq!(shop.sql("select count(*), sum(value) from conversions"), "1,12.5");
    assert_eq!(shop.sql("select count(*) from events"), shop.sql("select count(*) from person_events"));
}

/// Begins to read kept requests again, and kills that as soon as `now` says so of the time that it took.
fn cut_off(shop: &Shop, now: impl Fn(Duration) -> bool) {
    let mut program = Command::new(crate::program());
    program.current_dir(shop.folder.path()).args(["-C", "shop", "collect", "replay", "--kept"]);
    let mut child = program.stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() && !now(began.elapsed()) {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_while_it_reads_again_it_loses_and_doubles_nothing() {
    const RULE: &str = "personal_parameters = [\"code\"]";
    const NONE: &str = "personal_parameters = [\"other\"]";
    let shop = collecting(SOURCE);
    set(&shop, "# personal_parameters = [\"email\", \"token\"]", NONE);
    for life in 0..3 {
        let server = Server::start(&shop);
        visited(&server); // twice again
        let page = |at: u32| {
            format!(
                r#"{{"type":"page","messageId":"p{life}-{at}","anonymousId":"d{at}","userId":"u{life}","properties":{{"url":"https://shop.example/?code=c{life}-{at}"}}}}"#
            )
        };
        let pages: Vec<String> = (0..40).map(page).collect();
        let body = format!(r#"{{"writeKey":"k","batch":[{}]}}"#, pages.join(","));
        assert_eq!(post(server.address, "/v1/batch", &body), Some(200));
        assert!(server.stop().success());
    }
    shop.safar(&["-C", "shop", "build"]).assert().success();
    let began = Instant::now();
    replay(&shop);
    let whole = began.elapsed();
    let first = tables(&shop);
    set(&shop, NONE, RULE);
    replay(&shop);
    let mut told = [first, tables(&shop)];
    assert!(told[0][0].contains("code=c2-39") && !told[1][0].contains("code=c"), "the rule changes what is told");
    shop.safar(&["-C", "shop", "build"]).assert().success();

    // To and fro between two rules, cut off earlier and later, and as soon as the commit is decided.
    let decided = shop.path("shop/data/commit.json");
    for round in 0..10_u32 {
        let (before, after) = if round % 2 == 0 { (RULE, NONE) } else { (NONE, RULE) };
        set(&shop, before, after);
        told.swap(0, 1);
        match round {
            0..8 => cut_off(&shop, |took| took >= whole * (round + 1) / 9),
            _ => cut_off(&shop, |_| decided.exists()),
        }
        let left = tables(&shop);
        assert!(told.contains(&left), "round {round}: neither what was told nor what is told now: {left:?}");
        if round % 3 == 0 {
            shop.safar(&["-C", "shop", "build"]).assert().success();
            let partly = derived(&shop);
            shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
            assert_eq!(partly, derived(&shop), "round {round}");
        }
        replay(&shop);
        assert_eq!(tables(&shop), told[1], "round {round}");
    }
}

#[test]
fn of_who_refused_no_request_is_kept_and_their_events_stay() {
    let shop = collecting(SOURCE);
    let server = Server::start(&shop);
    let page = |id: &str, device: &str, consent: &str| {
        format!(
            r#"{{"writeKey":"k","batch":[{{"type":"page","messageId":"{id}","anonymousId":"{device}","properties":{{"url":"https://shop.example/?gclid=click-{device}","search":"?gclid=click-{device}"}},"context":{{"page":{{"referrer":"https://shop.example/a?gclid=click-{device}"}},"consent":{{"categoryPreferences":{consent}}}}}}},{{"type":"dance","by":"dance-{device}"}}]}}"#
        )
    };
    let head = |length: usize, more: &str| {
        format!("POST /v1/batch HTTP/1.1\r\nHost: t\r\nUser-Agent: {BROWSER}\r\n{more}Content-Length: {length}\r\n\r\n")
    };
    for (id, device, consent, more) in [
        ("m1", "plain-device", "{}", ""),
        ("m2", "private-device", "{}", "Sec-GPC: 1\r\n"),
        ("m3", "hidden-device", r#"{"analytics":false}"#, ""),
    ] {
        let body = page(id, device, consent);
        assert_eq!(send(server.address, (head(body.len(), more) + &body).as_bytes()), Some(200));
    }
    assert!(server.stop().success());
    let holding = |text: &str| found_of(&shop, &[text.to_owned()]);
    let kept = |text: &str| holding(text).iter().any(|name| name.starts_with("collect/published"));
    for text in ["plain-device", "click-plain-device", "dance-plain-device"] {
        assert!(kept(text), "who refused nothing is kept: {text}");
    }
    assert!(!kept("private-device") && !kept("hidden-device"), "{:?}", holding("private-device"));
    for text in ["click-private-device", "anonymousid\":\"hidden-device", "dance-private-device", "dance-hidden-device"]
    {
        assert_eq!(holding(text).into_iter().collect::<Vec<_>>(), [""; 0], "{text}");
    }
    assert_eq!(shop.sql("select event_id, click_id from events where event_id = 'm2'"), "m2,withheld");
    assert_eq!(
        shop.sql("select anonymous_id = 'private-device', referrer from events where event_id = 'm2'"),
        "true,https://shop.example/a?gclid=withheld"
    );
    assert_eq!(shop.sql("select count(*) from rejects where reason like '%type of a message%'"), "3");

    // Read again: who is kept changes nothing, and of the others nothing is lost or doubled.
    let before = tables(&shop);
    let said = replay(&shop);
    assert!(said.contains("1 events in the place of 1") && said.contains("2 requests are not kept"), "{said}");
    assert_eq!(tables(&shop), before);
}
