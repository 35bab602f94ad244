//! What is kept of those who refused, and of those who were erased.
use crate::support::Shop;
use safar_model::{
    Table,
    consent::{WithoutAdvertising, WithoutAnalytics},
};
use safar_store::Erased;
use std::fs;

const ROWS: &str = "ts,event,user_id,cookie_id,email,page_url,consent\n\
    2025-01-01,visit,u-1,c-1,a@example.com,https://shop.example/?gclid=secret,\"{\"\"analytics_storage\"\":true,\"\"ad_storage\"\":true}\"\n\
    2025-01-02,visit,u-2,c-2,b@example.com,https://shop.example/?gclid=secret,\"{\"\"analytics_storage\"\":false,\"\"ad_storage\"\":true}\"\n\
    2025-01-03,visit,u-3,c-3,c@example.com,https://shop.example/?gclid=secret,\"{\"\"sale_or_sharing\"\":false}\"\n\
    2025-01-04,visit,u-4,day.0123,d@example.com,https://shop.example/?gclid=secret,denied\n";

#[test]
fn identifiers_of_a_refused_purpose_are_not_stored() {
    let shop = Shop::new();
    let report = shop.take("a.csv", ROWS).unwrap();
    assert_eq!(report.stored, 4);
    assert_eq!(shop.events("user_id"), ["u-1", "", "u-3", ""]);
    assert_eq!(shop.events("anonymous_id"), ["c-1", "", "c-3", "day.0123"], "the visitor of a day may be kept");
    let hashes: Vec<bool> = shop.events("email_hash").iter().map(|hash| hash.is_empty()).collect();
    assert_eq!(hashes, [false, true, false, true]);
    assert_eq!(shop.events("click_id"), ["secret", "secret", "withheld", "withheld"]);
    let pages: Vec<bool> = shop.events("page_url").iter().map(|page| page.contains("secret")).collect();
    assert_eq!(pages, [true, true, false, false]);
    assert_eq!(shop.events("channel"), ["Paid Search"; 4], "which advertiser it was of stays");
    let links = shop.rows(Table::IdentityLinks);
    assert_eq!(links.len(), 4, "two of u-1 and two of u-3");
    assert!(
        links
            .iter()
            .all(|link| link.values().all(|value| !["u-2", "u-4", "c-2", "day.0123"].contains(&value.as_str())))
    );
    assert_eq!(shop.take("again.csv", ROWS).unwrap().duplicates, 4, "and the same row is still the same");
}

/// Also where it stands in the page before, in columns of its own, and within objects.
#[test]
fn ids_of_clicks_that_were_refused_stand_nowhere() {
    let shop = Shop::new();
    let row = |consent: &str| {
        format!(
            r#"{{"ts":"2025-01-01","event":"visit","user_id":"u-{consent}","page_url":"https://shop.example/?gclid=secret","referrer":"https://shop.example/?gclid=secret","fbclid":"secret","search":"?gclid=secret","context":{{"page":{{"gclid":"secret","n":1}}}},"consent":"{consent}"}}"#
        ) + "\n"
    };
    let rows = row("denied") + &row("granted");
    assert_eq!(shop.take("a.ndjson", &rows).unwrap().stored, 2);
    let told: Vec<usize> = shop
        .rows(Table::Events)
        .iter()
        .map(|row| row.values().filter(|value| value.contains("secret")).count())
        .collect();
    assert!(told.contains(&0) && told.iter().any(|count| *count >= 4), "{:?}", shop.rows(Table::Events));
    assert_eq!(shop.take("again.ndjson", &rows).unwrap().duplicates, 2, "and the same row is still the same");
}

#[test]
fn what_a_refusal_does_can_be_chosen() {
    let mut keeping = Shop::new();
    keeping.settings.consent.without_analytics = WithoutAnalytics::Keep;
    keeping.settings.consent.without_advertising = WithoutAdvertising::Keep;
    keeping.take("a.csv", ROWS).unwrap();
    assert_eq!(keeping.events("user_id"), ["u-1", "u-2", "u-3", "u-4"]);
    assert_eq!(keeping.events("click_id"), ["secret"; 4]);

    let mut dropping = Shop::new();
    dropping.settings.consent.without_analytics = WithoutAnalytics::Drop;
    dropping.options.rejects = Some(dropping.path("rejects.csv"));
    let report = dropping.take("a.csv", ROWS).unwrap();
    assert_eq!((report.stored, report.rejected["the visitor refused analytics"]), (2, 2));
    let rejects = dropping.rows(Table::Rejects);
    assert!(
        rejects.iter().all(|row| !row.contains_key("raw")),
        "what was refused is not kept among the rejects: {rejects:?}"
    );
    let file = fs::read_to_string(dropping.path("rejects.csv")).unwrap();
    assert!(!file.contains("u-2") && !file.contains("example.com"), "{file}");
}

#[test]
fn who_was_erased_stays_out_until_they_come_back() {
    let shop = Shop::new();
    let rows = "ts,event,user_id,email,order_id,value\n\
        2025-01-01,visit,u-1,,,\n\
        2025-01-05,visit,u-1,,,\n\
        2025-01-01,visit,,a@example.com,,\n\
        2025-01-01,refund,,,o-1,5\n\
        2025-01-01,refund,u-2,,o-1,5\n\
        never,visit,u-1,,,\n\
        never,visit,,,,\"said A@example.com\"\n\
        never,visit,u-2,,,\n";
    shop.take("none.csv", "ts,event\n2024-12-31,visit\n").unwrap();
    let until = 1_735_776_000_000_000; // 2025-01-02
    let email = "a@example.com";
    let hash = safar_identity::normalise("email", email, &safar_identity::IdentitySettings::default());
    let hash = hash.id().unwrap().into_owned();
    let ids = [("user", "u-1", until), ("email", hash.as_str(), until), (Erased::ORDER, "o-1", until)];
    Erased::open(&shop.data()).unwrap().add(ids).unwrap();
    let report = shop.take("a.csv", rows).unwrap();
    assert_eq!((report.rows, report.stored, report.erased), (8, 2, 3), "{report:?}");
    assert_eq!(shop.events("user_id"), ["", "u-2", "u-1"]);
    let raw: Vec<String> = shop.rows(Table::Rejects).iter().map(|row| row["raw"].clone()).collect();
    assert_eq!(raw.iter().filter(|raw| *raw == "(erased)").count(), 2, "{raw:?}");
    assert_eq!(raw.iter().filter(|raw| raw.contains("u-2")).count(), 1, "{raw:?}");
}
