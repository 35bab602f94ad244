//! Exports of shops, analytics, customer systems, mail, calls, tills and surveys → events, each with its traps.
use crate::support::{Row, Shop, example};
use safar_ingest::ImportReport;
use safar_model::Table;

fn take(files: &[&str]) -> (Shop, ImportReport) {
    let shop = Shop::lately();
    let files: Vec<String> = files.iter().map(|file| example(file)).collect();
    let report = shop.import(&files.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    (shop, report)
}

/// These columns of every event, by time.
fn told(shop: &Shop, columns: &[&str]) -> Vec<String> {
    let mut rows = shop.rows(Table::Events);
    rows.sort_by_key(|row| (row["occurred_at"].clone(), row["event_id"].clone()));
    let get = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_else(|| "-".to_owned());
    rows.iter().map(|row| columns.iter().map(|column| get(row, column)).collect::<Vec<_>>().join(" | ")).collect()
}

fn left_out(report: &ImportReport) -> Vec<(&str, u64)> {
    report.files.iter().flat_map(|file| &file.left_out).map(|(what, rows)| (*what, *rows)).collect()
}

fn property(row: &Row, name: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(&row["properties"]).unwrap();
    all[name].clone()
}

const ORDER: [&str; 5] = ["name", "order_id", "value", "currency", "interaction"];

#[test]
fn shopify_orders_continuation_rows_refunds_and_unpaid_orders() {
    let (shop, report) = take(&["shopify-orders.csv"]);
    let expected = [
        "purchase | 5550001 | 134.9 | EUR | none",
        "refund | 5550001 | 20.0 | EUR | none",
        "purchase | 5550003 | 30.0 | EUR | store",
    ];
    assert_eq!(told(&shop, &ORDER), expected);
    assert_eq!(left_out(&report), [("orders that are not paid", 1)]);
    assert_eq!(report.files[0].read_as, Some("Shopify orders"));
    let rows = shop.rows(Table::Events);
    let order = rows.iter().find(|row| row["event_id"] == "shopify:5550001").unwrap();
    let items: serde_json::Value = serde_json::from_str(&order["items"]).unwrap();
    assert_eq!((items[0]["quantity"].as_f64(), items[1]["item_id"].as_str()), (Some(2.0), Some("SKU-9")));
    assert_eq!((&order["occurred_at"][..], &order["consent"][..]), ("2026-10-01T07:59:00Z", "{\"marketing\":true}"));
    assert_eq!(order["origin_row"], "2");
    assert!(order.contains_key("email_hash") && order.contains_key("phone_hash"), "'+33… is a telephone number");
    let again = shop.import(&[&example("shopify-orders.csv")]).unwrap();
    assert_eq!((again.stored, again.duplicates), (0, 3));
}

#[test]
fn shopify_tables_join_customers_and_refunds() {
    let (shop, report) = take(&["shopify-tables"]);
    assert_eq!(
        told(&shop, &["name", "order_id", "value", "user_id", "occurred_at"]),
        [
            "purchase | 5550001 | 134.9 | 88 | 2026-10-01T07:59:00Z",
            "refund | 5550001 | 20.0 | 88 | 2026-10-03T08:00:00Z",
        ],
        "the refund is its items with their taxes, and the shipping"
    );
    assert!(
        shop.rows(Table::Events)[0].contains_key("email_hash")
            || shop.rows(Table::Events)[1].contains_key("email_hash")
    );
    assert_eq!(left_out(&report), [("test orders", 1)]);
}

#[test]
fn woocommerce_rows_repeat_the_order_with_each_item() {
    let (shop, report) = take(&["woocommerce-orders.csv"]);
    assert_eq!(told(&shop, &ORDER), ["purchase | 2001 | 55.0 | EUR | none", "refund | 2001 | 5.0 | EUR | none"]);
    assert_eq!(left_out(&report), [("orders that are not paid", 1)]);
    let (shop, report) = take(&["woocommerce-orders.ndjson"]);
    assert_eq!(told(&shop, &ORDER), ["purchase | 2003 | 40.0 | EUR | none", "refund | 2003 | 10.0 | EUR | none"]);
    assert_eq!(report.files[0].read_as, Some("WooCommerce orders"), "within the records of Airbyte");
    let rows = shop.rows(Table::Events);
    assert!(rows.iter().all(|row| row["occurred_at"] == "2026-10-02T10:00:00Z"), "_gmt is UTC");
    assert!(rows.iter().all(|row| !row.contains_key("user_id")), "a guest is customer 0");
}

#[test]
fn ga4_takes_what_the_click_said_and_not_what_a_model_made_of_it() {
    let (shop, report) = take(&["ga4-events.ndjson"]);
    let columns = ["name", "anonymous_id", "user_id", "order_id", "value", "currency", "source", "medium", "click_id"];
    let expected = [
        "page_view | 11.22 | - | - | - | - | news | email | -",
        "purchase | 11.22 | u-7 | T-1 | 45.5 | EUR | google | cpc | Cj0",
    ];
    assert_eq!(told(&shop, &columns), expected);
    assert_eq!(report.files[0].read_as, Some("Google Analytics 4 events (BigQuery export)"));
    let rows = shop.rows(Table::Events);
    let view = rows.iter().find(|row| row["name"] == "page_view").unwrap();
    let consent: serde_json::Value = serde_json::from_str(&view["consent"]).unwrap();
    assert_eq!(consent, serde_json::json!({"ads": false, "analytics": true}));
    assert_eq!(property(view, "ga4")["ga_session_id"], 1_790_848_800);
    assert_eq!(view["occurred_at"], "2026-10-01T10:00:00.123456Z");
    // The table of a day is written again with more columns filled in: the same events.
    let text = std::fs::read_to_string(example("ga4-events.ndjson")).unwrap();
    let again = shop
        .take("again.ndjson", text.replace("\"source\":\"google\",\"medium\":\"cpc\"}}}", "\"source\":\"x\"}}}"))
        .unwrap();
    assert_eq!((again.stored, again.duplicates, again.rejected_total()), (0, 2, 0));
}

#[test]
fn hubspot_dates_of_two_orders_capitals_and_several_values() {
    let (shop, _) = take(&["hubspot-contacts.csv"]);
    assert_eq!(
        told(&shop, &["name", "crm_id", "occurred_at", "channel"]),
        ["contact_created | 101 | 2026-09-12T09:14:00Z | -", "contact_created | 102 | 2026-09-15T14:30:00Z | -"],
        "the source that HubSpot gives a contact is no touch"
    );
    let rows = shop.rows(Table::Events);
    let ada = rows.iter().find(|row| row["crm_id"] == "101").unwrap();
    assert_eq!(property(ada, "companies"), serde_json::json!(["9002", "9003"]));
    // SHA-256 of ada@example.com: capitals are the same address.
    assert_eq!(ada["email_hash"].len(), 64);
    let plain = Shop::lately();
    plain.take("a.csv", "ts,event,email\n2026-10-01,x,ada@example.com\n").unwrap();
    assert_eq!(plain.rows(Table::Events)[0]["email_hash"], ada["email_hash"]);
}

#[test]
fn hubspot_deals_are_worth_something_once_they_are_won() {
    let (shop, _) = take(&["hubspot-deals.csv"]);
    let expected = [
        "deal_created | 101 | - | - | 2026-09-20T10:00:00Z",
        "deal_created | 102 | - | - | 2026-09-25T10:00:00Z",
        "deal_won | 101 | 501 | 12500.0 | 2026-10-02T16:00:00Z",
    ];
    assert_eq!(told(&shop, &["name", "crm_id", "order_id", "value", "occurred_at"]), expected);
    let (shop, report) = take(&["hubspot-tables"]);
    let expected = ["contact_created | 101 | -", "deal_created | 101 | -", "deal_won | 101 | 12500.0"];
    assert_eq!(told(&shop, &["name", "crm_id", "value"]), expected, "contact 99 became 101");
    assert_eq!(left_out(&report), [("rows deleted at the source", 1), ("rows deleted at the source", 1)]);
}

#[test]
fn salesforce_totals_day_month_and_long_ids() {
    let (shop, report) = take(&["salesforce-opportunities.csv"]);
    let expected = [
        "deal_created | 003A0000001AbCdIAK | - | - | 2026-09-01T00:00:00Z",
        "deal_won | 003A0000001AbCdIAK | 006A0000001AbCdIAK | 12500.0 | 2026-09-30T00:00:00Z",
    ];
    assert_eq!(told(&shop, &["name", "crm_id", "order_id", "value", "occurred_at"]), expected);
    assert_eq!(left_out(&report), [("rows of totals", 1)]);
}

#[test]
fn salesforce_reports_of_people_are_the_people_of_its_tables() {
    let (shop, report) = take(&["salesforce-contacts.csv", "salesforce-leads.csv"]);
    let titles: Vec<_> = report.files.iter().map(|file| file.read_as).collect();
    assert_eq!(titles, [Some("Salesforce contacts"), Some("Salesforce leads")]);
    let expected = [
        "contact_created | 003A0000001AbCdIAK | 2026-08-28T00:00:00Z | none | -",
        "lead_created | 00QA0000001AbCdMAK | 2026-08-30T14:05:00Z | click | Paid Social",
        "contact_created | 003A0000001AbCeIAK | 2026-09-02T00:00:00Z | none | -",
        "lead_created | 00QA0000001AbCeMAK | 2026-09-02T09:00:00Z | none | -",
    ];
    assert_eq!(told(&shop, &["name", "crm_id", "occurred_at", "interaction", "channel"]), expected);
    assert_eq!(left_out(&report), [("rows of totals", 1), ("rows of totals", 1)]);
    assert_eq!(report.rejected_total(), 0);
    let ada = shop.rows(Table::Events).into_iter().find(|row| row["crm_id"] == "003A0000001AbCdIAK").unwrap();
    assert!(ada.contains_key("email_hash") && ada.contains_key("phone_hash"));
    assert_eq!(ada["event_id"], "salesforce:contact:003A0000001AbCdIAK");
}

#[test]
fn salesforce_tables_give_an_opportunity_to_the_contact_of_its_account() {
    let (shop, report) = take(&["salesforce-tables"]);
    let expected = [
        "contact_created | 003A0000001AbCdIAK | - | -",
        "deal_created | 003A0000001AbCdIAK | - | -",
        "lead_created | 00QA0000001AbCdMAK | - | Paid Social",
        "deal_won | 003A0000001AbCdIAK | 12500.0 | -",
    ];
    assert_eq!(told(&shop, &["name", "crm_id", "value", "channel"]), expected);
    assert_eq!(left_out(&report), [("rows deleted at the source", 1), ("older versions of rows", 1)]);
    let won = shop.rows(Table::Events).into_iter().find(|row| row["name"] == "deal_won").unwrap();
    assert_eq!(property(&won, "lead_campaign"), "Spring webinar");
}

#[test]
fn qualtrics_tables_hold_answers_beside_their_responses() {
    let (shop, report) = take(&["qualtrics-tables"]);
    assert_eq!(
        told(&shop, &["name", "occurred_at"]),
        ["survey_response | 2026-10-02T09:00:00Z", "survey_response | 2026-10-02T10:53:00Z"]
    );
    assert_eq!((report.rejected_total(), report.aside.len()), (0, 0), "{report:?}");
    let rows = shop.rows(Table::Events);
    let ada = rows.iter().find(|row| row.contains_key("email_hash")).unwrap();
    assert_eq!((property(ada, "survey"), property(ada, "score")), ("After the order".into(), "9".into()));
    assert_eq!(property(ada, "answers")["What could be better?"], "Faster delivery");
    assert_eq!(property(ada, "finished"), true);
    assert!(rows.iter().any(|row| property(row, "finished") == false && !row.contains_key("email_hash")));
}

#[test]
fn ga4_tables_take_what_the_click_said_and_dollars() {
    let (shop, _) = take(&["ga4-tables"]);
    let columns = ["name", "anonymous_id", "user_id", "order_id", "value", "currency", "source", "medium", "campaign"];
    let expected = [
        "page_view | 11.22 | - | - | - | - | news | email | Autumn news",
        "purchase | 11.22 | u-7 | T-1 | 45.5 | USD | (direct) | (none) | -",
        "refund | 11.22 | u-7 | T-1 | 5.5 | USD | - | - | -",
    ];
    assert_eq!(told(&shop, &columns), expected, "what a model made of it is not taken");
}

#[test]
fn mailchimp_people_and_activity() {
    let (shop, _) = take(&["mailchimp-audience.csv"]);
    assert_eq!(told(&shop, &["name", "occurred_at"]), ["subscribed | 2026-09-14T09:14:00Z"]);
    let (shop, report) = take(&["mailchimp-tables"]);
    let expected = [
        "email_open | email | Email | Autumn news | 2026-10-01T09:30:00Z",
        "email_click | email | Email | Autumn news | 2026-10-01T09:31:00Z",
    ];
    assert_eq!(told(&shop, &["name", "interaction", "channel", "campaign", "occurred_at"]), expected);
    let expected = [
        ("activity of members who are not in this import's table of members", 1),
        ("mail events that are no contact (sent, delivered, bounced …)", 1),
    ];
    assert_eq!(left_out(&report), expected);
}

#[test]
fn calls_carry_the_click_that_led_to_them() {
    let (shop, _) = take(&["call-log.csv"]);
    let expected = ["call | call | Paid Search | abc | yes", "call | call | Phone | - | no"];
    let mut rows = shop.rows(Table::Events);
    rows.sort_by_key(|row| row["occurred_at"].clone());
    let get = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_else(|| "-".to_owned());
    let lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let told = ["name", "interaction", "channel", "click_id"].map(|column| get(row, column)).join(" | ");
            format!("{told} | {}", if row.contains_key("phone_hash") { "yes" } else { "no" })
        })
        .collect();
    assert_eq!(lines, expected, "the caller of an outbound call is the business");
    assert_eq!(rows[0]["occurred_at"], "2026-10-01T08:02:03Z", "times bring their own offset");
}

#[test]
fn receipts_of_two_stores_may_have_one_number() {
    let (shop, _) = take(&["store-receipts.csv"]);
    let expected = [
        "purchase | Lyon/7 | 45.0 | EUR | store | L-1",
        "purchase | Nice/7 | 20.0 | EUR | store | -",
        "refund | Lyon/7 | 5.0 | EUR | none | L-1",
    ];
    let columns = [&ORDER[..], &["user_id"]].concat();
    assert_eq!(told(&shop, &columns), expected, "each receipt once, what was brought back as a refund");
}

#[test]
fn surveys_keep_scores_and_refuse_those_beyond_their_scale() {
    let (shop, report) = take(&["nps-responses.csv"]);
    assert_eq!(told(&shop, &["name", "interaction"]), ["survey_response | none", "survey_response | none"]);
    assert_eq!(shop.rejects(), ["4 | Score | 11 | a score beyond its scale"]);
    assert_eq!(report.rejected_total(), 1);
    let mut groups: Vec<_> = shop.rows(Table::Events).iter().map(|row| property(row, "group")).collect();
    groups.sort_by_key(ToString::to_string);
    assert_eq!(groups, ["detractor", "promoter"]);
    assert_eq!(shop.rows(Table::Events).iter().filter(|row| row.contains_key("email_hash")).count(), 2);
}

#[test]
fn what_connectors_add_is_taken_off() {
    let (shop, report) = take(&["dlt-events.ndjson"]);
    assert_eq!(
        told(&shop, &["name", "user_id", "properties"]),
        ["signup | u1 | {\"plan\":\"pro\"}", "signup | u2 | {\"plan\":\"free\"}"]
    );
    assert_eq!(report.files[0].read_as, Some("a connector's table of events"));
    let (shop, report) = take(&["singer-events.jsonl"]);
    assert_eq!(told(&shop, &["name", "user_id", "properties"]), ["signup | u1 | {\"plan\":\"pro\"}"]);
    assert_eq!(report.files[0].read_as, Some("a connector's table of events"));
    assert_eq!(left_out(&report), [("rows deleted at the source", 1)]);
    let gone = "event,ts,user_id,_fivetran_deleted,_fivetran_synced\nx,2026-10-01,u1,FALSE,2026-10-02\ny,2026-10-01,u1,TRUE,2026-10-02\n";
    let shop = Shop::lately();
    let report = shop.take("events.csv", gone).unwrap();
    assert_eq!(told(&shop, &["name", "properties"]), ["x | -"]);
    assert_eq!(left_out(&report), [("rows deleted at the source", 1)]);
    // Airbyte's raw tables as CSV hold the row in one cell.
    let raw = "_airbyte_ab_id,_airbyte_emitted_at,_airbyte_data\nu1,1790000000000,\"{\"\"event\"\":\"\"x\"\",\"\"ts\"\":\"\"2026-10-01\"\",\"\"user_id\"\":\"\"u1\"\"}\"\n";
    let shop = Shop::lately();
    shop.take("raw.csv", raw).unwrap();
    assert_eq!(told(&shop, &["name", "user_id"]), ["x | u1"]);
}

#[test]
fn the_command_may_say_what_a_file_is() {
    let mut shop = Shop::lately();
    shop.options.shape = Some("events".into());
    let error = shop.import(&[&example("google-ads.csv")]).unwrap_err().to_string();
    assert!(!error.contains("Google"), "{error}");
    shop.options.shape = Some("shopify-orders".into());
    let error = shop.import(&[&example("nps-responses.csv")]).unwrap_err().to_string();
    assert!(error.contains("looks like Shopify orders") && error.contains("Financial Status"), "{error}");
    shop.options.shape = Some("shopfiy".into());
    let error = shop.import(&[&example("nps-responses.csv")]).unwrap_err().to_string();
    assert!(error.contains("`shopfiy`") && error.contains("google-ads") && error.contains("events"), "{error}");
}

#[test]
fn a_dry_run_shows_and_stores_nothing() {
    let shop = Shop::lately();
    let shown = shop.preview(&example("google-ads.csv")).unwrap();
    assert_eq!((shown[0].read_as, shown[0].costs.num_rows()), (Some("Google Ads costs"), 3));
    let shown = shop.preview(&example("shopify-orders.csv")).unwrap();
    assert_eq!((shown[0].read_as, shown[0].events.num_rows()), (Some("Shopify orders"), 3));
    assert!(!shop.data().exists());
}

/// Nested Parquet, as BigQuery exports it, tells the same events as NDJSON.
#[test]
fn ga4_of_nested_parquet_is_the_same() {
    use arrow::{
        datatypes::{DataType, Field, Fields, Schema},
        json::ReaderBuilder,
    };
    let of = |name: &str, kind: DataType| Field::new(name, kind, true);
    let group = |fields: Vec<Field>| DataType::Struct(Fields::from(fields));
    let value = group(vec![
        of("string_value", DataType::Utf8),
        of("int_value", DataType::Int64),
        of("double_value", DataType::Float64),
    ]);
    let param = group(vec![of("key", DataType::Utf8), of("value", value)]);
    let item = group(vec![
        of("item_id", DataType::Utf8),
        of("item_name", DataType::Utf8),
        of("price", DataType::Float64),
        of("quantity", DataType::Utf8),
    ]);
    let clicked = ["manual_campaign_name", "manual_source", "manual_medium", "gclid"];
    let schema = std::sync::Arc::new(Schema::new(vec![
        of("event_timestamp", DataType::Int64),
        of("event_name", DataType::Utf8),
        of("event_params", DataType::List(std::sync::Arc::new(of("item", param)))),
        of("event_bundle_sequence_id", DataType::Int64),
        of("user_id", DataType::Utf8),
        of("user_pseudo_id", DataType::Utf8),
        of("items", DataType::List(std::sync::Arc::new(of("item", item)))),
        of("ecommerce", group(vec![of("purchase_revenue", DataType::Float64), of("transaction_id", DataType::Utf8)])),
        of("collected_traffic_source", group(clicked.map(|name| of(name, DataType::Utf8)).to_vec())),
        of("batch_event_index", DataType::Int64),
    ]));
    let text = std::fs::read_to_string(example("ga4-events.ndjson")).unwrap();
    let mut reader = ReaderBuilder::new(schema.clone()).build(text.as_bytes()).unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert_eq!(batch.num_rows(), 2);
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    let (shop, _) = take(&["ga4-events.ndjson"]);
    let report = shop.take("ga4.parquet", writer.into_inner().unwrap()).unwrap();
    assert_eq!(report.files[0].read_as, Some("Google Analytics 4 events (BigQuery export)"));
    assert_eq!((report.stored, report.duplicates, report.rejected_total()), (0, 2, 0));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]
    /// Whatever happens to a file on its way: it is read, or refused with a message; nothing breaks.
    #[test]
    fn damaged_exports_are_read_or_refused(which in 0..64usize, cuts in proptest::collection::vec((0..4000usize, proptest::prelude::any::<u8>()), 0..12), end in 0..6000usize) {
        let folder = std::path::PathBuf::from(example(""));
        let mut files: Vec<_> = walkdir(&folder);
        files.sort();
        let path = &files[which % files.len()];
        let mut bytes = std::fs::read(path).unwrap();
        for (at, byte) in cuts {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        let keep = bytes.len().min(end.max(40));
        bytes.truncate(keep);
        let shop = Shop::lately();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = shop.write(&name, bytes);
        match shop.preview(&file) {
            Ok(shown) => proptest::prop_assert_eq!(shown.len(), 1),
            Err(error) => proptest::prop_assert!(!error.to_string().is_empty()),
        }
    }
}

fn walkdir(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walkdir(&path) } else { vec![path] }).collect()
}

/// The largest tables of HubSpot tell nothing that its others do not: alone they are refused, in a folder set aside.
#[test]
fn hubspot_histories_of_properties_tell_no_events() {
    let text = "contact_id,timestamp,_fivetran_synced,source,name,value,source_id\n101,2026-10-01 09:14:00,2026-10-02 00:00:00,CRM_UI,lifecyclestage,lead,7\n";
    let shop = Shop::lately();
    let error = shop.take("contact_property_history.csv", text).unwrap_err().to_string();
    assert!(error.contains("contact_property_history.csv is a history of HubSpot's properties"), "{error}");
    let contacts = std::fs::read_to_string(example("hubspot-tables/contact.csv")).unwrap();
    shop.write("hubspot/contact.csv", contacts);
    shop.write("hubspot/contact_property_history.csv", text);
    let report = shop.import(&[&shop.path("hubspot").to_string_lossy()]).unwrap();
    let [(name, why)] = &report.aside[..] else { panic!("{:?}", report.aside) };
    assert!(name.ends_with("history.csv") && why.contains("history of HubSpot's properties"), "{why}");
    assert_eq!(report.rejected_total(), 0);
}

/// Older tables say what they hold by their columns, and who took part in another table.
#[test]
fn hubspot_meetings_of_older_connectors() {
    let shop = Shop::lately();
    shop.write("hubspot/engagement_contact.csv", "engagement_id,contact_id\n7,101\n7,102\n");
    let text = "engagement_id,_fivetran_synced,end_time,start_time,meeting_outcome,title\n\
        7,2026-10-02 00:00:00,2026-10-01 15:00:00,2026-10-01 14:00:00,,Demo\n8,2026-10-02 00:00:00,2026-10-01 15:00:00,2026-10-01 14:00:00,,Alone\n";
    shop.write("hubspot/engagement_meeting.csv", text);
    let report = shop.import(&[&shop.path("hubspot").to_string_lossy()]).unwrap();
    let expected = ["meeting | 101 | 2026-10-01T14:00:00Z | meeting", "meeting | 102 | 2026-10-01T14:00:00Z | meeting"];
    assert_eq!(told(&shop, &["name", "crm_id", "occurred_at", "interaction"]), expected);
    assert_eq!(left_out(&report), [("calls and meetings without a contact", 1)]);
}

#[test]
fn tables_that_no_shape_knows_name_the_way_out() {
    let text = "id,_fivetran_synced,total_cost,created_date\n1,2026-10-02,5,2026-10-01\n";
    let error = Shop::lately().take("product.csv", text).unwrap_err().to_string();
    assert!(error.contains("import the folder of all tables") && !error.contains("advertising"), "{error}");
}

/// A spreadsheet makes one number of many: two orders must not become one.
#[test]
fn orders_whose_numbers_a_spreadsheet_cut_short_are_rejected() {
    let shop = Shop::lately();
    let text = "Name,Email,Financial Status,Currency,Total,Created at,Phone,Id\n\
        #1001,jane@example.com,paid,EUR,134.90,2026-10-01 09:59,,5.55E+12\n\
        #1002,bob@example.com,paid,EUR,34.90,2026-10-02 09:59,'+33612345678,5550000000002.0\n";
    shop.take("orders.csv", text).unwrap();
    assert_eq!(told(&shop, &["order_id", "value"]), ["5550000000002 | 34.9"]);
    assert!(shop.rows(Table::Events)[0].contains_key("phone_hash"));
    assert!(shop.rejects()[0].starts_with("2 | Id | 5.55E+12 | a spreadsheet"), "{:?}", shop.rejects());
    // Events of one's own are no exception.
    let shop = Shop::lately();
    let text = "ts,order_id,user_id,value\n2026-10-01,5.55E+12,7,1\n2026-10-02,5550000000002.0,7.0,2\n2026-10-03,00042,0007,3\n";
    shop.take("own.csv", text).unwrap();
    assert_eq!(told(&shop, &["order_id", "user_id"]), ["5550000000002 | 7", "00042 | 0007"]);
    assert!(shop.rejects()[0].starts_with("2 | order_id | 5.55E+12 | a spreadsheet"), "{:?}", shop.rejects());
}

#[test]
fn receipts_with_the_time_in_a_column_of_its_own() {
    let shop = Shop::lately();
    let text = "Receipt;Date;Time;Store;Total;Currency\n1;13.10.2026;10:15;Berlin;12,50;EUR\n2;13.10.2026;;Berlin;1.012,50;EUR\n3;13.10.2026;noon;Berlin;1,00;EUR\n";
    shop.take("till.csv", text).unwrap();
    let expected = ["2026-10-13T00:00:00Z | 1012.5", "2026-10-13T10:15:00Z | 12.5"];
    assert_eq!(told(&shop, &["occurred_at", "value"]), expected);
    assert_eq!(shop.rejects(), ["4 | Time | noon | not a time of day"]);
}
