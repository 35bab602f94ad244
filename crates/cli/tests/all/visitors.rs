//! What is told of visitors, from the file to the reports; bots, countries, addresses.
use crate::shop;
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
