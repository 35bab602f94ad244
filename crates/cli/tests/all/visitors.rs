//! What is told of visitors, from the file to the reports; bots, countries, addresses.
use crate::{
    collected::{Server, TOKEN, collecting, send},
    shop,
};
use safar_testkit::country_database;
use std::fs;

const PHONE: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36";
const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
const CRAWLER: &str = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)";

fn line(id: &str, who: &str, name: &str, page: &str, agent: &str, ip: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","name":"{name}","occurred_at":"2026-10-01T10:00:0{}Z","anonymous_id":"{who}","page_url":"{page}","user_agent":"{agent}","ip":"{ip}","value":{}}}"#,
        id.len(),
        if name == "purchase" { "20" } else { "null" }
    ) + "\n"
}

#[test]
fn visitors_are_told_apart_and_bots_make_no_journeys() {
    let shop = shop();
    let settings = fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let file = "# country_database = \"GeoLite2-Country.mmdb\"";
    assert!(settings.contains(file));
    let text = [
        line("a", "ann", "page_view", "https://Shop.example:443/tea/?utm_source=ada&x=1#top", PHONE, "203.0.113.77"),
        line("bb", "ann", "purchase", "https://shop.example/thanks?email=ann%40mail.example", PHONE, "203.0.113.77"),
        line("c", "bob", "page_view", "https://shop.example/tea?x=1", MAC, "198.51.100.77"),
        line("d", "crawler", "page_view", "https://shop.example/tea?x=1", CRAWLER, "192.0.2.77"),
        line("ee", "crawler", "purchase", "https://shop.example/thanks", CRAWLER, "192.0.2.77"),
    ];
    shop.write("events.ndjson", text.concat());
    shop.safar(&["-C", "shop", "import", "events.ndjson"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    assert_eq!(
        shop.sql("select event_id, device, browser, browser_version, os, bot, country from events order by 1"),
        "a,mobile,Chrome,124,Android,false,\nbb,mobile,Chrome,124,Android,false,\nc,desktop,Safari,17,macOS,false,\nd,bot,,,,true,\nee,bot,,,,true,"
    );
    // The crawler is in events, and in nothing that is about people.
    for table in ["sessions", "touchpoints"] {
        assert_eq!(shop.sql(&format!("select count(distinct person_id) from {table}")), "2", "{table}");
    }
    assert_eq!(shop.sql("select count(*), sum(value) from conversions"), "1,20.0");
    let quality = shop.output(&["-C", "shop", "quality", "--format", "csv"]);
    assert!(quality.contains("\nevents of bots,2,0.4,"), "{quality}");
    let reached = shop.output(&[
        "-C",
        "shop",
        "funnel",
        "--step",
        "event:page_view",
        "--step",
        "goal:purchase",
        "--format",
        "csv",
    ]);
    assert!(reached.lines().nth(1).is_some_and(|row| row.contains(",2,")), "{reached}");
    // Pages have one spelling, and nobody's address.
    assert_eq!(shop.sql("select distinct landing_page from sessions"), "https://shop.example/tea?x=1");
    assert_eq!(
        shop.sql("select page_url from events where event_id = 'bb'"),
        "https://shop.example/thanks?email=(removed)"
    );

    // A file of countries fills in the past, from the networks that are kept.
    let networks = [("203.0.113.0", 24, "IS"), ("198.51.100.0", 24, "PL"), ("192.0.2.0", 24, "US")];
    shop.write("shop/countries.mmdb", country_database("Test-Country", &networks));
    let named = settings.replace(file, "country_database = \"countries.mmdb\"");
    shop.write("shop/safar.toml", &named);
    shop.safar(&["-C", "shop", "build"]).assert().success();
    assert_eq!(shop.sql("select event_id, country from events order by 1"), "a,IS\nbb,IS\nc,PL\nd,US\nee,US");
    let by = |column: &str| shop.output(&["-C", "shop", "sessions", "--by", column, "--format", "csv"]);
    assert!(by("country").contains("\nIS,1,") && by("country").contains("\nPL,1,"), "{}", by("country"));
    assert!(by("device").contains("\nmobile,1,") && by("device").contains("\ndesktop,1,"), "{}", by("device"));
    let credits = shop.output(&["-C", "shop", "attribute", "--by", "country", "--model", "last", "--format", "csv"]);
    assert!(credits.contains("IS"), "{credits}");
    let other = line("ff", "bob", "page_view", "https://shop.example/", MAC, "203.0.113.8");
    shop.write("more.ndjson", other);
    shop.safar(&["-C", "shop", "import", "more.ndjson"]).assert().success();
    assert_eq!(shop.sql("select country from events where event_id = 'ff'"), "IS");

    // Nothing in the tables of events holds more of an address than its network.
    for table in ["events", "identity_links", "sessions", "touchpoints", "persons"] {
        let all = shop.output(&["-C", "shop", "sql", &format!("select * from {table}"), "--format", "json"]);
        for whole in ["203.0.113.77", "203.0.113.8", "198.51.100.77", "192.0.2.77", "mail.example"] {
            assert!(!all.contains(whole), "{whole} in {table}: {all}");
        }
    }
    // A file that has gone stops what needs it, with the way out.
    fs::remove_file(shop.path("shop/countries.mmdb")).unwrap();
    let said = shop.failure(&["-C", "shop", "import", "more.ndjson"]);
    assert!(said.contains("[enrich] country_database") && said.contains("hint:"), "{said}");
}

/// What clients and proxies say of where a visitor is, and addresses of pages with somebody in them.
#[test]
fn of_collected_events_the_tables_hold_no_address_and_nobody() {
    let shop = collecting(&format!("proxies = 1\nmatomo_token = \"{TOKEN}\""));
    let server = Server::start(&shop);
    let ask = |method: &str, target: &str, body: &str| {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: t\r\nUser-Agent: {PHONE}\r\nAccept-Language: is-IS,is;q=0.9\r\nX-Forwarded-For: 203.0.113.77\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n{body}",
            body.len()
        );
        let status = send(server.address, head.as_bytes()).unwrap();
        assert!((200..300).contains(&status), "{target}: {status}");
    };
    let segment = r#"{"event":"e1","messageId":"s1","userId":"u","context":{"ip":"198.51.100.77","page":{"url":"https://shop.example/?email=jane@mail.example","search":"?q=jane@mail.example","path":"/u/jane@mail.example"}},"properties":{"user_ip":"198.51.100.77"}}"#;
    ask("POST", "/v1/track", segment);
    let page = "https%3A%2F%2Fshop.example%2Fu%2Fjane%2540mail.example";
    ask(
        "GET",
        &format!(
            "/matomo.php?idsite=1&rec=1&url={page}&urlref=https%3A%2F%2Fx.example%2F%3Ftoken%3Dopensesame&cip=198.51.100.77&token_auth={TOKEN}&_id=0123456789abcdef"
        ),
        "",
    );
    let posthog = r#"{"api_key":"k","event":"$pageview","distinct_id":"d","properties":{"$ip":"198.51.100.77","$current_url":"https://shop.example/?call=%2B48123456789","$pathname":"/u/jane@mail.example","$referrer":"https://x.example/?q=jane%40mail.example"}}"#;
    ask("POST", "/capture/", posthog);
    ask(
        "GET",
        &format!("/i?e=pv&url={page}&ip=198.51.100.77&p=web&tv=js-3&aid=a&eid=11111111-1111-4111-8111-111111111111"),
        "",
    );
    ask(
        "POST",
        "/api/event",
        r#"{"name":"pageview","url":"https://shop.example/jane@mail.example","domain":"shop.example"}"#,
    );
    ask(
        "POST",
        "/api/send",
        r#"{"type":"event","payload":{"website":"w","hostname":"shop.example","url":"/u/jane@mail.example?token=opensesame","referrer":"","language":"pl-PL","screen":"1x1","title":"t"}}"#,
    );
    assert!(server.stop().success());
    shop.safar(&["-C", "shop", "build"]).assert().success();
    assert_eq!(shop.sql("select count(*), count(distinct properties) from events"), "6,6");
    assert_eq!(shop.sql("select count(*) from rejects"), "0");
    assert_eq!(shop.sql("select distinct device, browser, os, bot from events"), "mobile,Chrome,Android,false");
    assert_eq!(shop.sql("select count(*) from events where language in ('is-IS', 'pl-PL')"), "6");
    assert_eq!(
        shop.sql(
            "select count(*) from events where properties like '%203.0.113.0%' or properties like '%198.51.100.0%'"
        ),
        "6"
    );
    for table in
        ["events", "identity_links", "persons", "person_events", "sessions", "touchpoints", "conversions", "paths"]
    {
        let all = shop.output(&["-C", "shop", "sql", &format!("select * from {table}"), "--format", "json"]);
        for whole in ["203.0.113.77", "198.51.100.77", "mail.example", "48123456789", "opensesame"] {
            assert!(!all.contains(whole), "{whole} in {table}: {all}");
        }
    }
}
