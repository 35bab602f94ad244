//! The table `credits` says what `safar attribute` says, for every model, also after builds of some people.
use crate::kit::Shop;
use safar_attribution::{ModelSpec, all_models};
use safar_pipeline::report::{self, Dimension, Modelling, PathQuery};
use std::collections::BTreeMap;

const HEAD: &str = "event_id,name,occurred_at,anonymous_id,page_url,interaction,order_id,value,currency";

/// Visits by four sources, hours and days apart, of people of whom some buy; those with an even number first.
fn events(odd: usize) -> String {
    let mut rows = vec![HEAD.to_owned()];
    for person in (odd..60).step_by(2) {
        for touch in 0..=person % 4 {
            let (source, medium) =
                [("google", "cpc"), ("news", "email"), ("blog", "referral"), ("meta", "paid_social")]
                    [(person * 7 + touch * 5) % 11 % 4];
            rows.push(format!(
                "v{person}-{touch},page_view,2026-03-{:02}T{:02}:00:00Z,p{person},https://shop.example/?utm_source={source}&utm_medium={medium},,,,",
                1 + touch * (1 + person % 5),
                person % 24
            ));
        }
        if person % 3 > 0 {
            rows.push(format!("o{person},purchase,2026-03-20T12:00:00Z,p{person},,none,o{person},{},EUR", 10 + person));
        }
    }
    rows.push(String::new());
    rows.join("\n")
}

fn models() -> Vec<ModelSpec> {
    let others =
        ["custom:first=0.5,middle=0.2,last=0.3", "shapley_rate:most=2", "time_decay:half_life=12h", "markov:order=2"];
    all_models().into_iter().chain(others.map(|text| text.parse().unwrap())).collect()
}

async fn with(models: &[ModelSpec]) -> Shop {
    let shop = Shop::new().await;
    let list = models.iter().map(|model| format!("{:?}", model.to_string())).collect::<Vec<_>>().join(", ");
    shop.set(
        "models = [\"first\", \"last\", \"last_non_direct\", \"linear\", \"position\", \"time_decay\", \"markov\"]",
        &format!("models = [{list}]"),
    );
    shop
}

/// Model and channel to conversions and value; what is 0 may be absent.
type Cells = BTreeMap<(String, String), [f64; 2]>;

async fn reported(shop: &Shop, models: Vec<ModelSpec>) -> Cells {
    let modelling = Modelling { models, ..Modelling::default() };
    let report =
        report::attribute(&shop.open().await, &modelling, &Dimension::Channel, &PathQuery::default()).await.unwrap();
    let mut cells = Cells::new();
    for model in &report.models {
        let rest = (report::UNATTRIBUTED, &model.unattributed);
        for (label, credit) in report.labels.iter().map(String::as_str).zip(&model.credits).chain([rest]) {
            cells.insert((model.model.to_string(), label.to_owned()), [credit.conversions, credit.value]);
        }
    }
    cells
}

async fn stored(shop: &Shop) -> Cells {
    let rows = shop
        .sql("select model, coalesce(channel, '(unattributed)'), sum(conversions), sum(value) from credits group by 1, 2")
        .await;
    let cells = rows.iter().map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        ((cells[0].to_owned(), cells[1].to_owned()), [2, 3].map(|at: usize| cells[at].parse().unwrap()))
    });
    cells.collect()
}

async fn say_the_same(shop: &Shop, models: Vec<ModelSpec>) {
    let (reported, stored) = (reported(shop, models).await, stored(shop).await);
    let keys: std::collections::BTreeSet<_> = reported.keys().chain(stored.keys()).collect();
    for key in keys {
        let [said, kept] = [&reported, &stored].map(|cells| cells.get(key).copied().unwrap_or_default());
        for at in 0..2 {
            assert!(
                (said[at] - kept[at]).abs() < 1e-9 * said[at].abs().max(1.0),
                "{key:?}: {said:?} reported, {kept:?} stored"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_are_those_of_the_report_for_every_model_after_every_build() {
    let shop = with(&models()).await;
    for odd in 0..2 {
        shop.import(&format!("{odd}.csv"), &events(odd)).await;
        let report = shop.build(false).await;
        assert!(!report.findings.iter().any(|line| line.to_string().contains("credits")), "{:?}", report.findings);
        say_the_same(&shop, models()).await;
    }
    let late = format!(
        "{HEAD}\nlate,page_view,2026-03-19T12:00:00Z,p7,https://shop.example/?utm_source=news&utm_medium=email,,,,\n"
    );
    shop.import("late.csv", &late).await;
    let report = shop.build(false).await;
    assert_eq!(report.people_rebuilt, 1);
    say_the_same(&shop, models()).await;
    shop.is_as_built_from_scratch("all models").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_cause_is_left_out_with_a_note_and_no_build_fails() {
    let models: Vec<ModelSpec> = ["hazard", "linear"].map(|text| text.parse().unwrap()).into();
    let shop = with(&models).await;
    shop.import("events.csv", &events(0)).await;
    let report = shop.build(false).await;
    let note = report.findings.iter().find(|line| line.to_string().contains("credits")).expect("a note");
    assert!(note.to_string().starts_with("hazard is not in the table credits"), "{note}");
    assert_eq!(shop.sql("select distinct model from credits").await, ["linear"]);
    say_the_same(&shop, vec!["linear".parse().unwrap()]).await;
    assert!(shop.build(false).await.reasons.is_empty());
}

/// Ready paths are no events: their import alone changes credits.
#[tokio::test(flavor = "multi_thread")]
async fn ready_paths_get_credits_though_nobody_is_rebuilt() {
    let shop = with(&["linear".parse().unwrap()]).await;
    shop.import("events.csv", &events(0)).await;
    shop.build(false).await;
    shop.import("paths.csv", "path,conversions,value\nTea > Coffee,4,40\nCoffee,1,5\n").await;
    let report = shop.build(false).await;
    assert_eq!(report.people_rebuilt, 0);
    let rows = "select channel, sum(conversions), sum(value) from credits where goal = 'paths' group by 1 order by 1";
    assert_eq!(shop.sql(rows).await, ["Coffee|3.0|25.0", "Tea|2.0|20.0"]);
    assert!(shop.build(false).await.reasons.is_empty());
}

/// `buy` is the first by its name, and has the last outcome.
#[tokio::test(flavor = "multi_thread")]
async fn goals_may_end_in_any_order() {
    let shop = with(&["markov".parse().unwrap(), "linear".parse().unwrap()]).await;
    let goals = "[[goals]]\nname = \"visit\"\nevents = [\"page_view\"]\n[[goals]]\nname = \"buy\"\nevents = [\"purchase\"]\n[identity]";
    shop.set("[identity]", goals);
    shop.import("events.csv", &events(0)).await;
    shop.build(false).await;
    assert_eq!(shop.unbalanced().await, Vec::<String>::new());
    assert_eq!(shop.sql("select distinct goal from credits order by 1").await, ["buy", "visit"]);
}

/// What a model passes over as direct goes by the name that own rules give it.
#[tokio::test(flavor = "multi_thread")]
async fn another_name_of_direct_computes_credits_anew() {
    let shop = with(&["last_non_direct".parse().unwrap()]).await;
    let rows = [
        "v1,page_view,2026-03-01T10:00:00Z,p1,https://shop.example/?utm_source=google&utm_medium=cpc,,,,,",
        "v2,store_visit,2026-03-02T10:00:00Z,p1,,store,,,,Own",
        "o1,purchase,2026-03-02T11:00:00Z,p1,,none,o1,10,EUR,",
    ];
    shop.import("events.csv", &format!("{HEAD},channel\n{}\n", rows.join("\n"))).await;
    shop.build(false).await;
    shop.set("[channels]", "[channels]\nrules = [{ channel = \"Own\", when = { source = \"(direct)\" } }]");
    shop.build(false).await;
    assert_eq!(shop.sql("select channel from credits").await, ["Paid Search"]);
    shop.is_as_built_from_scratch("direct").await;
}
