//! Rules apply to the past when they change, except where the input said otherwise.
use crate::support::{Shop, text_rows};
use safar_enrich::{EnrichSettings, Enricher};
use safar_ingest::reenrich;
use safar_model::Table;

#[test]
fn derived_columns_follow_the_rules_and_given_ones_stay() {
    let shop = Shop::new();
    let text = "ts,page_url,referrer,channel,source,order_id\n\
        2025-01-01,https://shop.example/?utm_source=ada&utm_medium=creator,,,,\n\
        2025-01-02,https://shop.example/,https://www.google.com/,,,\n\
        2025-01-03,,,Radio,ada,\n\
        2025-01-04,,,,,o-1\n";
    shop.take("a.csv", text).unwrap();
    assert_eq!(shop.events("channel"), ["Unassigned", "Organic Search", "Radio", ""]);
    let same = Enricher::new(&EnrichSettings::default()).unwrap();
    for batch in shop.batches(Table::Events) {
        assert!(reenrich(&batch, &mut same.cached()).unwrap().is_none());
    }
    let rule = serde_json::json!({ "channel": "Influencer", "when": { "source": "ada" } });
    let rule = serde_json::from_value(rule).unwrap();
    let changed = Enricher::new(&EnrichSettings { rules: vec![rule], ..EnrichSettings::default() }).unwrap();
    let mut channels = Vec::new();
    for batch in shop.batches(Table::Events) {
        let fresh = reenrich(&batch, &mut changed.cached()).unwrap().unwrap_or(batch);
        channels
            .extend(text_rows(&fresh).into_iter().map(|row| (row["occurred_at"].clone(), row.get("channel").cloned())));
    }
    channels.sort();
    let channels: Vec<_> = channels.iter().map(|(_, channel)| channel.as_deref().unwrap_or("")).collect();
    assert_eq!(channels, ["Influencer", "Organic Search", "Radio", ""]);
}
