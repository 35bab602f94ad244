//! Whatever comes in which order: builds of some people leave what a build of everyone leaves.
use crate::kit::{Dice, Shop};
use arrow::{array::AsArray, datatypes::Int64Type};
use safar_pipeline::{
    BuildNote,
    report::{self, Dimension, Modelling, PathQuery},
};

const HEAD: &str =
    "event_id,name,occurred_at,anonymous_id,user_id,page_url,interaction,order_id,value,currency,refund_id";

/// One event of few people, devices and orders, so that orders and refunds are told by several.
fn event(dice: &mut Dice, number: u64) -> String {
    let at = format!("2026-04-{:02}T{:02}:00:00Z", 1 + dice.below(9), dice.below(24));
    let device = format!("d{}", dice.below(6));
    let user = format!("u{}", dice.below(4));
    let (device, user) = match dice.below(8) {
        0..=2 => (device, String::new()),
        3..=5 => (String::new(), user),
        6 => (device, user),
        _ => (String::new(), String::new()),
    };
    let order = format!("o{}", dice.below(5));
    let source = ["google", "news", "blog"][dice.below(3) as usize];
    let rest = match dice.below(7) {
        0..=2 => {
            format!("page_view,{at},{device},{user},https://shop.example/?utm_source={source}&utm_medium=cpc,,,,,")
        }
        3 | 4 => format!("purchase,{at},{device},{user},,none,{order},{},EUR,", 10 + dice.below(3)),
        5 => format!(
            "refund,{at},{device},{user},,none,{order},{},EUR,{}",
            1 + dice.below(2),
            ["", "1", "2"][dice.below(3) as usize]
        ),
        _ => format!("refund,{at},{device},{user},,none,{order},,EUR,"),
    };
    format!("e{number},{rest}")
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_builds_are_one_large_one() {
    for seed in 1..=2 {
        let shop = Shop::new().await;
        let models = "\"position\", \"time_decay\", \"markov\", \"shapley_rate\", \"leave_one_out\"]";
        shop.set("\"position\", \"time_decay\", \"markov\"]", models);
        let mut dice = Dice(seed);
        let mut number = 0;
        for part in 0..5 {
            let mut rows = vec![HEAD.to_owned()];
            for _ in 0..[40, 3, 1, 6, 2][part] {
                number += 1;
                rows.push(event(&mut dice, number));
            }
            rows.push(String::new());
            shop.import(&format!("{part}.csv"), &rows.join("\n")).await;
            shop.build(false).await;
            let twice = "select goal, order_id, count(*) from conversions where gross_value <> 0 group by 1, 2 having count(*) > 1";
            assert_eq!(shop.sql(twice).await, Vec::<String>::new(), "seed {seed}, part {part}");
        }
        shop.is_as_built_from_scratch(&format!("seed {seed}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_tags_can_be_reported_by() {
    let shop = Shop::new().await;
    let rows = [
        "b1,page_view,2026-05-01T10:00:00Z,c1,,https://shop.example/?utm_source=google&utm_medium=cpc&utm_id=77,,,,,",
        "b2,purchase,2026-05-01T10:10:00Z,c1,,https://shop.example/thanks,,A,100,EUR,",
    ];
    shop.import("events.csv", &format!("{HEAD}\n{}\n", rows.join("\n"))).await;
    shop.build(false).await;
    let modelling = Modelling { models: vec!["linear".parse().unwrap()], ..Modelling::default() };
    let by: Dimension = "property:utm_id".parse().unwrap();
    let report = report::attribute(&shop.open().await, &modelling, &by, &PathQuery::default()).await.unwrap();
    assert_eq!((report.labels, report.models[0].credits[0].conversions), (vec!["77".to_owned()], 1.0));
    let kept = "select count(*) from person_events where properties like '%\"utm_id\":\"77\"%'";
    assert_eq!(shop.sql(kept).await, ["1"]);
}

/// Rejected rows, and their reasons from the most frequent on, name each reason by its code.
#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_tell_the_code_of_their_reason() {
    let shop = Shop::new().await;
    let rows = ["2026-13-01,a,1", "yesterday,b,2", "2026-01-01,c,many"];
    shop.bring("bad.csv", &format!("time,event,value\n{}\n", rows.join("\n"))).await;
    let session = report::session(&shop.open().await).await.unwrap();
    let codes = |answer: report::Answer| {
        let codes = answer.rows.column_by_name("code").unwrap().as_string::<i32>().clone();
        codes.iter().map(|code| code.unwrap().to_owned()).collect::<Vec<_>>()
    };
    let rejects = codes(report::rejects(&session).await.unwrap());
    assert_eq!(rejects, ["no_such_time", "no_such_time", "not_a_number"]);
    assert_eq!(codes(report::reject_reasons(&session).await.unwrap()), ["no_such_time", "not_a_number"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_below_nothing_is_told() {
    let shop = Shop::new().await;
    shop.import("events.csv", &format!("{HEAD}\nn1,purchase,2026-05-01T10:00:00Z,,bea,,none,N,-50,EUR,\n")).await;
    let built = shop.build(false).await;
    assert!(
        built.findings.iter().any(|line| *line == BuildNote::WorthLessThanNothing { conversions: 1 }),
        "{:?}",
        built.findings
    );
    let workspace = shop.open().await;
    let quality = report::quality(&workspace, &report::session(&workspace).await.unwrap()).await.unwrap();
    let texts = |column: &str| quality.rows.column_by_name(column).unwrap().as_string::<i32>().clone();
    let at = texts("code").iter().position(|code| code == Some("negative_value")).unwrap();
    assert_eq!(quality.rows.column_by_name("count").unwrap().as_primitive::<Int64Type>().value(at), 1);
}

/// Which identifier of an event says whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn another_priority_of_identifiers_rebuilds_everyone() {
    let shop = Shop::new().await;
    shop.import("events.csv", &format!("{HEAD}\nn1,purchase,2026-05-01T10:00:00Z,,bea,,none,N,50,EUR,\n")).await;
    shop.build(false).await;
    shop.set("[identity]", "[identity]\npriority = [\"crm\", \"user\", \"email\", \"phone\"]");
    let report = shop.build(false).await;
    assert!(report.reasons.iter().any(|line| *line == BuildNote::PriorityChanged), "{:?}", report.reasons);
}

/// `bea` names nobody and the customer's record has no other link, until an account has it: the order is the account's then.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_blocked_identifier_goes_where_the_other_one_goes() {
    let shop = Shop::new().await;
    let order = "n1,purchase,2026-05-01T11:00:00Z,,bea,,none,M,5,EUR,,c7\nn2,purchase,2026-05-01T11:00:00Z,,bea,,none,N,5,EUR,,";
    shop.import("events.csv", &format!("{HEAD},crm_id\n{order}\n")).await;
    shop.set("[identity]", "[identity]\nblocked = [\"bea\"]");
    shop.build(false).await;
    shop.import("later.csv", &format!("{HEAD},crm_id\nn3,login,2026-05-01T12:00:00Z,,cat,,none,,,,,c7\n")).await;
    shop.build(false).await;
    shop.is_as_built_from_scratch("blocked").await;
}

/// The customer's record has another account, so that the link joins nobody; but `bea` names somebody again, and the order is hers.
#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_is_blocked_and_not_any_more_takes_its_events_along() {
    let shop = Shop::new().await;
    let rows =
        ["n1,login,2025-01-01T10:00:00Z,,cat,,none,,,,,c7", "n2,purchase,2026-01-02T11:00:00Z,,bea,,none,M,5,EUR,,c7"];
    shop.import("events.csv", &format!("{HEAD},crm_id\n{}\n", rows.join("\n"))).await;
    let [free, blocked] = ["[identity]\nblocked = []", "[identity]\nblocked = [\"bea\"]"];
    shop.set("[identity]", free);
    for (before, after) in [(free, blocked), (blocked, free), (free, blocked)] {
        shop.set(before, after);
        shop.build(false).await;
        shop.is_as_built_from_scratch(after).await;
    }
}

/// The first link of `c7` that counts joins nobody, but from then on `c7` says whose the order is.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_link_counts_also_where_it_joins_nobody() {
    let shop = Shop::new().await;
    let rows =
        ["n1,login,2024-06-01T10:00:00Z,,cat,,none,,,,,c1", "n2,purchase,2026-01-02T11:00:00Z,,bea,,none,M,5,EUR,,c7"];
    shop.import("events.csv", &format!("{HEAD},crm_id\n{}\n", rows.join("\n"))).await;
    shop.set("[identity]", "[identity]\nblocked = [\"bea\"]");
    shop.build(false).await;
    let login = "n3,login,2026-06-01T10:00:00Z,,cat,,none,,,,,c7";
    shop.import("later.csv", &format!("{HEAD},crm_id\n{login}\n")).await;
    shop.build(false).await;
    shop.is_as_built_from_scratch("refused").await;
}

/// Nobody whose event is taken away keeps it in a journey, whichever identifier of it decides.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_blocked_identifier_that_is_too_old_leaves_its_journey() {
    let shop = Shop::new().await;
    let rows =
        ["n1,purchase,2025-01-02T11:00:00Z,,bea,,none,M,5,EUR,,c7", "n2,login,2026-01-01T10:00:00Z,,cat,,none,,,,,c7"];
    shop.import("events.csv", &format!("{HEAD},crm_id\n{}\n", rows.join("\n"))).await;
    shop.set("[identity]", "[privacy]\nkeep_events = \"6 months\"\n[identity]\nblocked = [\"bea\"]");
    shop.build(false).await;
    assert_eq!(shop.sql("select count(distinct person_id), count(*) from person_events").await, ["1|2"]);
    let now = "2026-02-01T00:00:00Z".parse().unwrap();
    assert_eq!(safar_pipeline::privacy::retain(&shop.open().await, now, false, &|_| {}).await.unwrap().events, 1);
    assert_eq!(shop.sql("select event_id from person_events").await, ["n2"]);
    shop.is_as_built_from_scratch("retained").await;
}
