//! Channel rules apply to the past, whenever they changed and whatever was cut off.
use crate::kit::Shop;

const HEAD: &str = "event_id,name,occurred_at,anonymous_id,page_url";
const OWN: &str = "[channels]\nrules = [{ channel = \"Influencer\", when = { medium = \"influencer\" } }]";

async fn visit(shop: &Shop, number: u64) {
    let row = format!(
        "v{number},page_view,2026-03-0{number}T10:00:00Z,c{number},https://shop.example/?utm_source=bob&utm_medium=influencer"
    );
    shop.import(&format!("{number}.csv"), &format!("{HEAD}\n{row}\n")).await;
}

async fn channels(shop: &Shop) -> Vec<String> {
    shop.sql("select channel, count(*) from touchpoints group by 1 order by 1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_may_change_before_the_first_build() {
    let shop = Shop::new().await;
    visit(&shop, 1).await;
    shop.import("costs.csv", "date,source,medium,campaign,cost,currency\n2026-03-01,bob,influencer,x,5,EUR\n").await;
    shop.set("[channels]", OWN);
    shop.build(false).await;
    assert_eq!(channels(&shop).await, ["Influencer|1"]);
    assert_eq!(shop.sql("select channel from costs").await, ["Influencer"]);
    assert!(shop.build(false).await.reasons.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_other_rules_stood_is_by_those_of_the_build() {
    let shop = Shop::new().await;
    visit(&shop, 1).await;
    shop.build(false).await;
    shop.set("[channels]", OWN);
    visit(&shop, 2).await;
    shop.set(OWN, "[channels]");
    let report = shop.build(false).await;
    assert_eq!((channels(&shop).await, report.people_rebuilt), (vec!["Unassigned|2".to_owned()], 1));
    assert!(shop.build(false).await.reasons.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_a_cut_build_brought_can_be_taken_back() {
    let shop = Shop::new().await;
    visit(&shop, 1).await;
    shop.build(false).await;
    shop.set("[channels]", OWN);
    assert!(shop.cut_build("orders"));
    shop.set(OWN, "[channels]");
    shop.build(false).await;
    assert_eq!(channels(&shop).await, ["Unassigned|1"]);
    assert_eq!(shop.sql("select channel from events").await, ["Unassigned"]);
}
