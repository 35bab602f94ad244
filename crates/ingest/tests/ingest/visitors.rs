//! What rows say about visitors: columns, addresses that are cut, personal data that is never stored.
use crate::support::{Row, Shop, text_rows};
use proptest::prelude::*;
use safar_enrich::{EnrichSettings, Enricher};
use safar_ingest::reenrich;
use safar_model::Table;

const AGENT: &str = "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/21.0 Chrome/110.0.5481.154 Mobile Safari/537.36";

const COLUMNS: [&str; 7] = ["country", "language", "device", "browser", "browser_version", "os", "bot"];

fn about(row: &Row) -> String {
    COLUMNS.map(|column| row.get(column).map_or("-", String::as_str)).join(" ")
}

fn of(shop: &Shop) -> Vec<String> {
    let mut rows = shop.rows(Table::Events);
    rows.sort_by_key(|row| row["event_id"].clone());
    rows.iter().map(about).collect()
}

#[test]
fn agents_of_files_are_read_and_what_is_told_wins() {
    let shop = Shop::new();
    let text = format!(
        "event_id,ts,page_url,User Agent,Geo Country,locale,device_category,os,is_bot\n\
         a,2025-01-01,https://shop.example/,\"{AGENT}\",,pl_PL,,,\n\
         b,2025-01-01,https://shop.example/,\"{AGENT}\",is,,Smartphone,HarmonyOS,\n\
         c,2025-01-01,https://shop.example/,Googlebot/2.1 (+http://www.google.com/bot.html),,,,,\n\
         d,2025-01-01,https://shop.example/,Googlebot/2.1 (+http://www.google.com/bot.html),,,,,0\n\
         e,2025-01-01,https://shop.example/,,,,,,1\n\
         f,2025-01-01,https://shop.example/,,,,,,\n"
    );
    shop.take("a.csv", &text).unwrap();
    assert_eq!(
        of(&shop),
        [
            "- pl-PL mobile Samsung Internet 21 Android false",
            "IS - mobile Samsung Internet 21 HarmonyOS false",
            "- - bot - - - true",
            "- - bot - - - false",
            "- - bot - - - true",
            "- - - - - - false",
        ]
    );
    assert_eq!(shop.take("again.csv", &text).unwrap().stored, 0, "the same rows are stored once");
}

#[test]
fn events_of_trackers_are_read_where_they_lie() {
    let shop = Shop::new();
    let ga4 = r#"{"event_id":"a","event_name":"page_view","event_timestamp":1735689600000000,"user_pseudo_id":"1.2","device":{"category":"tablet","operating_system":"iOS","language":"en-us","web_info":{"browser":"Safari","browser_version":"17.4"}},"geo":{"country":"Poland"}}"#;
    let segment = format!(
        r#"{{"messageId":"b","event":"page_view","timestamp":"2025-01-01T00:00:00Z","anonymousId":"x","context":{{"userAgent":"{AGENT}","locale":"fa-IR","ip":"203.0.113.77"}}}}"#
    );
    let collected = format!(
        r#"{{"event_id":"c","name":"page_view","occurred_at":"2025-01-01T00:00:00Z","anonymous_id":"x","properties":{{"$user_agent":"{AGENT}","$client_hints":{{"mobile":"?1","model":"\"SM-X700\""}},"$language":"is","$ip":"203.0.113.0"}}}}"#
    );
    for (name, line) in [("ga4", ga4), ("segment", &segment), ("collected", &collected)] {
        assert_eq!(shop.take(&format!("{name}.ndjson"), line).unwrap().stored, 1, "{name}");
    }
    assert_eq!(
        of(&shop),
        [
            "Poland en-US tablet Safari 17 iOS false",
            "- fa-IR mobile Samsung Internet 21 Android false",
            "- is tablet Samsung Internet 21 Android false",
        ]
    );
}

/// Every text that is stored of events, and of the links between their identifiers.
fn stored(shop: &Shop) -> String {
    let rows = [Table::Events, Table::IdentityLinks].map(|table| shop.rows(table));
    rows.iter().flatten().flat_map(|row| row.values().cloned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn whole_addresses_of_visitors_are_stored_nowhere() {
    let shop = Shop::new();
    let csv = "event_id,ts,page_url,ip,client_address_ip,remote_addr\n\
        a,2025-01-01,https://shop.example/,203.0.113.77,198.51.100.77,2001:db8:1:2::77\n\
        b,2025-01-01,https://shop.example/,2001:db8:1:2::77,\"198.51.100.77, 10.0.0.77\",198.51.100.77:8077\n";
    shop.take("a.csv", csv).unwrap();
    let json = r#"{"messageId":"c","event":"page_view","timestamp":"2025-01-01T00:00:00Z","anonymousId":"x","context":{"ip":"203.0.113.77","device":{"ipAddress":"2001:db8:1:2::77"},"proxies":[{"x-forwarded-for":"198.51.100.77"}]},"properties":{"$ip":"203.0.113.77","build":"1.2.3.77"}}"#;
    shop.take("b.ndjson", json).unwrap();
    let all = stored(&shop);
    for whole in ["203.0.113.77", "198.51.100.77", "10.0.0.77", "::77", "8077"] {
        assert!(!all.contains(whole), "{whole} in {all}");
    }
    for cut in ["203.0.113.0", "198.51.100.0", "2001:db8:1::", "1.2.3.77"] {
        assert!(all.contains(cut), "{cut} in {all}");
    }
}

#[test]
fn what_was_not_known_is_filled_in_and_what_was_told_stays() {
    let shop = Shop::new();
    let line = |id: &str, extra: &str| {
        format!(
            r#"{{"event_id":"{id}","name":"page_view","occurred_at":"2025-01-01T00:00:00Z","anonymous_id":"x",{extra}"properties":{{"$user_agent":"{AGENT}","$language":"is"}}}}"#
        )
    };
    shop.take("a.ndjson", line("a", "") + "\n" + &line("b", r#""os":"Tizen","#)).unwrap();
    let enricher = Enricher::new(&EnrichSettings::default()).unwrap();
    for batch in shop.batches(Table::Events) {
        assert!(reenrich(&batch, &mut enricher.cached()).unwrap().is_none(), "nothing is missing");
        // As an earlier build stored it.
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
            let forgotten = COLUMNS.contains(&field.name().as_str()) && field.name() != "os";
            if forgotten { arrow::array::new_null_array(field.data_type(), batch.num_rows()) } else { column.clone() }
        });
        let old = arrow::array::RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
        let new = reenrich(&old, &mut enricher.cached()).unwrap().unwrap();
        let rows = text_rows(&new);
        let said: Vec<_> = rows.iter().map(about).collect();
        let wanted = |os: &str| format!("- is mobile Samsung Internet 21 {os} false");
        assert!(said.iter().all(|row| *row == wanted("Android") || *row == wanted("Tizen")), "{said:?}");
        assert_eq!(rows.len(), batch.num_rows());
    }
}

/// An event in whose addresses of pages `planted` stands at one of eight places.
fn planting(id: String, planted: &str, at: usize) -> serde_json::Value {
    let page = "https://shop.example/";
    let place = |number: usize| if number == at { planted } else { "" };
    serde_json::json!({
        "event_id": id, "name": "page_view", "occurred_at": "2025-01-01T00:00:00Z", "anonymous_id": "x",
        "page_url": format!("{page}{}?utm_content={}&utm_audience={}&who={}", place(0), place(1), place(2), place(3)),
        "referrer": format!("{page}?from={}#{}", place(4), place(5)),
        "properties": {
            "$context": { "page": {
                "url": format!("{page}?q={}", place(6)),
                "search": format!("?q={}", place(7)),
                "path": format!("/u/{}", place(6)),
            } },
            "$rest": { "href": format!("{page}{}", place(7)) },
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Wherever in the addresses of a page an e-mail address stands, and however it is written, no column holds it.
    #[test]
    fn a_planted_address_is_stored_nowhere(local in "[a-z]{6,9}[.+-][a-z]{6,9}") {
        let whole = format!("{local}@mail.example");
        let ways = [
            whole.clone(),
            whole.replace('@', "%40").replace('+', "%2B"),
            whole.replace('@', "%2540").replace('+', "%252B"),
        ];
        let events = (0..8).flat_map(|at| ways.iter().enumerate().map(move |(how, planted)| (at, how, planted)));
        let lines = events.map(|(at, how, planted)| planting(format!("{at}-{how}"), planted, at).to_string() + "\n");
        let shop = Shop::new();
        prop_assert_eq!(shop.take("a.ndjson", lines.collect::<String>()).unwrap().stored, 24);
        for row in shop.rows(Table::Events) {
            let all = row.values().cloned().collect::<Vec<_>>().join("\n");
            prop_assert!(!all.contains(&local) && !all.contains(&local.replace('+', "%2B")), "{}", all);
            prop_assert!(all.contains("(email)") && all.contains("shop.example"), "{}", all);
        }
    }
}
