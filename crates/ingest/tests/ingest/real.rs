//! Real files, and files laid out as real tools lay them out.
use crate::support::{Shop, shared};
use safar_model::Table;
use std::{collections::BTreeMap, fs};

#[test]
fn touchpoints_of_three_data_sets() {
    for (name, rows) in [("july2018", None), ("kaggle_mta", None), ("simple_shop", Some(()))] {
        let Some(file) = shared(&format!("data/journeys/{name}/touchpoints.csv")) else { return };
        let text = fs::read_to_string(&file).unwrap();
        // The first rows are enough to see that the shape is read; the whole of the smallest shows the rest.
        let cut: String = if rows.is_some() {
            text.clone()
        } else {
            text.lines().take(20_001).flat_map(|line| [line, "\n"]).collect()
        };
        let lines = cut.lines().count() as u64 - 1;
        let shop = Shop::new();
        let report = shop.take("touchpoints.csv", &cut).unwrap();
        assert_eq!((report.rows, report.rejected_total()), (lines, 0), "{name}");
        assert_eq!(report.stored, lines, "{name}: rows carry their number, so none repeats");
        let again = shop.import(&[&shop.path("touchpoints.csv").to_string_lossy()]).unwrap();
        assert_eq!((again.stored, again.duplicates), (0, lines));
        let mut expected: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut reader = csv::Reader::from_reader(cut.as_bytes());
        for record in reader.records().map(Result::unwrap) {
            let (touches, conversions) = expected.entry(record[4].to_owned()).or_default();
            *touches += 1;
            *conversions += u64::from(&record[6] == "1");
        }
        let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for row in shop.rows(Table::Events) {
            let (touches, conversions) = found.entry(row["channel"].clone()).or_default();
            *touches += 1;
            *conversions += u64::from(row["name"] == "conversion");
        }
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn ready_paths_replace_those_of_their_name() {
    let Some(file) = shared("data/journeys/kaggle_mta/paths.csv") else { return };
    let shop = Shop::new();
    let other = shop.write("other.csv", "path;total_conversions\na > b;2\nb;1\na>b;1\n");
    shop.import(&[&other]).unwrap();
    let report = shop.import(&[&file]).unwrap();
    let lines = fs::read_to_string(&file).unwrap().lines().count() as u64 - 1;
    assert_eq!((report.paths, report.rejected_total()), (lines, 0));
    let rows = shop.rows(Table::Paths);
    let sum = |goal: &str, column: &str| -> f64 {
        rows.iter().filter(|row| row["goal"] == goal).map(|row| row[column].parse::<f64>().unwrap()).sum()
    };
    assert_eq!((sum("other", "conversions"), sum("other", "nulls")), (4.0, 0.0));
    let mut expected = [0.0; 3];
    let text = fs::read_to_string(&file).unwrap();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(';').collect();
        expected.iter_mut().zip(&cells[1..]).for_each(|(sum, cell)| *sum += cell.parse::<f64>().unwrap());
    }
    assert_eq!(["conversions", "value", "nulls"].map(|column| sum("paths", column)), expected);
    assert_eq!(shop.import(&[&file]).unwrap().paths, lines);
    assert_eq!(shop.rows(Table::Paths), rows);
}

/// Every export is read as what it is; those that cannot be laid over days say what would help.
#[test]
fn exports_of_other_tools() {
    let Some(folder) = shared("data/imports/synthetic_ui_exports") else { return };
    // File, what it is read as, new events, rows of costs.
    let expected = [
        ("call_log.csv", "a call log", 1, 0),
        ("google_ads_campaign_report.csv", "Google Ads costs", 0, 3),
        ("google_ads_campaign_report_utf16.csv", "Google Ads costs", 0, 1),
        ("hubspot_contacts.csv", "HubSpot contacts", 2, 0),
        ("klaviyo_campaigns.csv", "Klaviyo campaigns (counts)", 0, 1),
        ("mailchimp_audience_export.csv", "Mailchimp subscribers", 1, 0),
        ("meta_ads_manager_daily.csv", "Meta Ads costs", 0, 2),
        ("microsoft_ads_campaign_performance.csv", "Microsoft Advertising costs", 0, 2),
        ("nps_responses.csv", "survey responses (NPS, CSAT)", 2, 0),
        ("salesforce_opportunities_report.csv", "Salesforce opportunities", 2, 0),
        ("search_console_dates.csv", "Google Search Console performance", 0, 1),
        ("shopify_orders_export.csv", "Shopify orders", 1, 0),
        ("tiktok_ads_campaign_report.csv", "TikTok Ads costs", 0, 1),
    ];
    for (name, read_as, events, costs) in expected {
        let shop = Shop::lately();
        let report = shop.import(&[&format!("{folder}/{name}")]).unwrap();
        let file = &report.files[0];
        let told = (file.read_as, report.stored, report.costs_stored, report.rejected_total());
        assert_eq!(told, (Some(read_as), events, costs, 0), "{name}: {report:?}");
        assert!(file.notes.iter().all(|note| !note.contains("rows may be missing")), "{name}: {:?}", file.notes);
    }
    for (name, way_out) in
        [("search_console_queries.csv", "Dates.csv"), ("meta_ads_manager_period_totals_fr.csv", "--spread-totals")]
    {
        let error = Shop::lately().import(&[&format!("{folder}/{name}")]).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(way_out), "{error}");
    }
}

/// Folders of tables as Fivetran writes them: what is known is read, the rest is set aside with the reason.
#[test]
fn tables_of_connectors() {
    // Folder, whether events come of it, and whether costs do.
    let folders: [(&str, bool, bool); 11] = [
        ("google_ads", false, true),
        ("facebook_ads", false, true),
        ("microsoft_ads", false, true),
        ("linkedin", false, true),
        ("tiktok_ads", false, true),
        ("shopify", true, false),
        ("hubspot", true, false),
        ("salesforce", true, false),
        ("mailchimp", true, false),
        ("qualtrics", true, false),
        ("ga4_export", true, false),
    ];
    for (name, events, costs) in folders {
        let Some(folder) = shared(&format!("data/imports/fivetran_{name}")) else { return };
        let shop = Shop::lately();
        let report = shop.import(&[&folder]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.stored > 0, events, "{name}: {report:?}");
        assert_eq!(report.costs_stored > 0, costs, "{name}: {report:?}");
        let again = shop.import(&[&folder]).unwrap();
        assert_eq!((again.stored, again.costs_stored), (0, 0), "{name}: the same once more changes nothing");
    }
}

/// What a campaign table says is what the costs say.
#[test]
fn google_ads_tables_add_up() {
    let Some(folder) = shared("data/imports/fivetran_google_ads") else { return };
    let shop = Shop::lately();
    shop.import(&[&folder]).unwrap();
    let mut reader = csv::Reader::from_path(format!("{folder}/campaign_stats_data.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (mut micros, mut clicks) = (0i64, 0i64);
    for record in reader.records().map(Result::unwrap) {
        micros += record[at("cost_micros")].parse::<i64>().unwrap();
        clicks += record[at("clicks")].parse::<i64>().unwrap();
    }
    let rows = shop.rows(Table::Costs);
    let sum: f64 = rows.iter().map(|row| row["cost"].parse::<f64>().unwrap()).sum();
    let told: i64 = rows.iter().map(|row| row["clicks"].parse::<i64>().unwrap()).sum();
    assert!((sum - micros as f64 / 1e6).abs() < 1e-6, "{sum}");
    assert_eq!(told, clicks);
    assert!(rows.iter().all(|row| row["currency"] == "USD"), "of the table of accounts");
}

#[test]
fn google_analytics_export() {
    let Some(file) = shared("data/imports/synthetic_ui_exports/ga4_bigquery_export_event.ndjson") else { return };
    let shop = Shop::lately();
    assert_eq!(shop.import(&[&file]).unwrap().stored, 1);
    let event = shop.rows(Table::Events).remove(0);
    for (column, expected) in [
        ("name", "purchase"),
        ("occurred_at", "2026-09-01T10:00:00.123456Z"),
        ("anonymous_id", "123456.7654321"),
        ("user_id", "u-42"),
        ("page_url", "https://shop.example.com/checkout?utm_source=google&utm_medium=cpc&gclid=withheld"),
        ("click_id", "withheld"), // its `ads_storage` is "No"
        ("click_id_type", "gclid"),
        ("referrer", "https://www.google.com/"),
        ("order_id", "o-1001"),
        ("value", "129.9"),
        ("channel", "Paid Search"),
    ] {
        assert_eq!(event.get(column).map(String::as_str), Some(expected), "{column}");
    }
}
