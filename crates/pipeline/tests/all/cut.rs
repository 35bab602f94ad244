//! A build that is cut off anywhere is made good by the next one.
use crate::kit::Shop;

const HEAD: &str = "event_id,name,occurred_at,anonymous_id,user_id,page_url,interaction,order_id,value,currency";
const STEPS: [&str; 3] = ["journeys", "credits", "small files"];

/// People with a visit and an order each; ann has a laptop and a tablet.
async fn shop() -> Shop {
    let shop = Shop::new().await;
    let mut rows = vec![
        "a1,page_view,2026-03-01T10:00:00Z,laptop,,https://shop.example/?utm_source=google&utm_medium=cpc,,,,"
            .to_owned(),
        "a2,purchase,2026-03-01T11:00:00Z,laptop,,,none,o1,40,EUR".to_owned(),
        "a3,page_view,2026-03-02T10:00:00Z,tablet,,https://shop.example/?utm_source=news&utm_medium=email,,,,"
            .to_owned(),
        "a4,login,2026-03-02T10:01:00Z,tablet,ann,,none,,,".to_owned(),
        "a5,purchase,2026-03-02T11:00:00Z,tablet,ann,,none,o2,60,EUR".to_owned(),
        // Of an order that is told later.
        "r9,refund,2026-03-09T11:00:00Z,,,,none,o9,5,EUR".to_owned(),
    ];
    for number in 0..20 {
        rows.push(format!(
            "p{number},page_view,2026-03-03T10:00:00Z,c{number},,https://shop.example/?utm_source=s{}&utm_medium=cpc,,,,",
            number % 3
        ));
        rows.push(format!("q{number},purchase,2026-03-03T11:00:00Z,c{number},,,none,x{number},{number},EUR"));
    }
    shop.import("events.csv", &format!("{HEAD}\n{}\n", rows.join("\n"))).await;
    shop.build(false).await;
    shop
}

/// Cuts a build at each step in turn, each time after the `change`; the next build must leave what a full one leaves.
async fn cut_everywhere(change: impl AsyncFn(&Shop)) {
    for step in STEPS {
        let shop = shop().await;
        change(&shop).await;
        assert!(shop.cut_build(step), "{step}");
        shop.build(false).await;
        shop.is_as_built_from_scratch(step).await;
        let again = shop.build(false).await;
        assert!(again.reasons.is_empty(), "{step}: {:?}", again.reasons);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_identifier_was_blocked() {
    cut_everywhere(async |shop| shop.set("[identity]", "[identity]\nblocked = [\"tablet\"]")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_login_made_two_people_one() {
    cut_everywhere(async |shop| {
        let login = "a6,login,2026-03-05T10:00:00Z,laptop,ann,,none,,,";
        assert_eq!(shop.import("login.csv", &format!("{HEAD}\n{login}\n")).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_order_came_that_was_refunded_before_and_is_told_of_twice() {
    cut_everywhere(async |shop| {
        let rows = [
            "z1,purchase,2026-03-08T11:00:00Z,c3,,,none,o9,30,EUR",
            "z2,purchase,2026-03-08T11:00:01Z,,zoe,,none,o9,30,EUR",
        ];
        assert_eq!(shop.import("late.csv", &format!("{HEAD}\n{}\n", rows.join("\n"))).await, 2);
    })
    .await;
}

/// What a cut build had found stays known to the builds after the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_not_forgotten_when_its_buyer_is_built_again() {
    let shop = shop().await;
    let order = "z1,purchase,2026-03-08T11:00:00Z,c3,,,none,o9,30,EUR";
    shop.import("late.csv", &format!("{HEAD}\n{order}\n")).await;
    assert!(shop.cut_build("small files"));
    let visit = "z3,page_view,2026-03-10T11:00:00Z,c3,,https://shop.example/,,,,";
    shop.import("later.csv", &format!("{HEAD}\n{visit}\n")).await;
    shop.build(false).await;
    assert_eq!(shop.sql("select value from conversions where order_id = 'o9'").await, ["25.0"]);
    shop.is_as_built_from_scratch("the refund").await;
}
