//! Reports about people and what they did, as the program prints them: what must add up, and what they say when they cannot.
mod recount;
mod recount_models;

use safar_testkit::Shop;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// The sample, made once for all tests that run at a time: reports change nothing.
fn with_sample() -> Arc<Shop> {
    static SHOP: Mutex<Weak<Shop>> = Mutex::new(Weak::new());
    let mut shop = SHOP.lock().unwrap_or_else(PoisonError::into_inner);
    shop.upgrade().unwrap_or_else(|| {
        let made = Arc::new(Shop::with_sample(PathBuf::from(env!("CARGO_BIN_EXE_safar"))));
        *shop = Arc::downgrade(&made);
        made
    })
}

/// The rows of a report, cell by cell; no cell of these reports holds a comma.
fn rows(shop: &Shop, words: &[&str]) -> Vec<Vec<String>> {
    let words: Vec<&str> = [&["-C", "shop"], words, &["--format", "csv"]].concat();
    let text = shop.output(&words);
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("`{cell}` is no number"))
}

fn sum(rows: &[Vec<String>], column: usize) -> f64 {
    rows.iter().map(|row| number(&row[column])).sum()
}

const FUNNEL: [&str; 7] =
    ["funnel", "--step", "event:view_item", "--step", "event:add_to_cart", "--step", "goal:purchase"];

#[test]
fn days_add_up_to_the_overview_and_lengths_to_all_paths() {
    let shop = with_sample();
    let figures = rows(&shop, &["overview"]);
    let trend = rows(&shop, &["overview", "--show", "trend"]);
    let value = |kpi: &str| number(&figures.iter().find(|row| row[0] == kpi).unwrap()[1]);
    assert!(value("sessions") > 300.0 && value("conversions") > 10.0);
    assert!((sum(&trend, 1) - value("sessions")).abs() < 1e-9);
    assert!((sum(&trend, 3) - value("conversions")).abs() < 1e-9);
    assert!((sum(&trend, 4) - value("value")).abs() < 0.005);
    for show in ["lengths", "lags"] {
        let paths = rows(&shop, &["paths", "--show", show]);
        assert!((sum(&paths, 1) - value("conversions")).abs() < 1e-9, "{show}");
        assert!((sum(&paths, 2) - value("value")).abs() < 0.005, "{show}");
    }
    for parts in rows(&shop, &["paths", "--show", "positions"]) {
        assert!((number(&parts[2]) + number(&parts[3]) + number(&parts[4]) - 1.0).abs() < 1e-9, "{parts:?}");
    }
}

#[test]
fn as_many_steps_lead_to_a_channel_as_lead_away() {
    let shop = with_sample();
    let steps = rows(&shop, &["flow", "--limit", "0"]);
    let mut net: BTreeMap<&str, f64> = BTreeMap::new();
    for step in &steps {
        *net.entry(&step[0]).or_default() -= number(&step[3]);
        *net.entry(&step[1]).or_default() += number(&step[3]);
    }
    let ends = ["(start)", "(conversion)", "(no conversion)"];
    assert!(net.len() > 5, "{net:?}");
    for (place, net) in net.iter().filter(|(place, _)| !ends.contains(place)) {
        assert!(net.abs() < 1e-9, "{place} {net}");
    }
    let conversions = number(&rows(&shop, &["overview"])[2][1]);
    assert!((net["(conversion)"] - conversions).abs() < 1e-9, "{net:?}");
}

#[test]
fn whoever_drops_out_of_a_funnel_went_somewhere() {
    let shop = with_sample();
    let steps = rows(&shop, &FUNNEL);
    assert_eq!(steps.len(), 3);
    for pair in steps.windows(2) {
        let came = number(&pair[1][1]) - number(&pair[1][2]);
        assert_eq!(number(&pair[0][1]), came + number(&pair[0][6]), "{steps:?}");
    }
    assert!(number(&steps[2][1]) > 20.0, "{steps:?}");
    for (after, step) in [("1", &steps[0]), ("2", &steps[1])] {
        let next = rows(&shop, &[&FUNNEL[..], &["--dropped", after]].concat());
        assert_eq!(sum(&next, 1), number(&step[6]), "{next:?}");
        let who = rows(&shop, &[&FUNNEL[..], &["--dropped", after, "--who"]].concat());
        assert_eq!(who.len() as f64, number(&step[6]));
    }
    // More people come through when they may enter anywhere; fewer when nothing may lie between.
    let last = |words: &[&str]| number(&rows(&shop, &[&FUNNEL[..], words].concat())[2][1]);
    let closed = last(&[]);
    assert!(
        last(&["--order", "strict"]) <= closed && closed <= last(&["--open"]) && closed <= last(&["--order", "any"])
    );
    assert!(last(&["--window-days", "1"]) <= closed);
}

#[test]
fn whose_an_event_is_is_what_the_build_said() {
    let shop = with_sample();
    // What makes sessions: events with a page that did not happen elsewhere.
    let visits = r#"{"name": "on the site", "interactions": ["visit", "click", "none"], "pages": ["*"]}"#;
    let adverts = r#"{"name": "shown", "interactions": ["impression"]}"#;
    let seen = "select count(distinct person_id) from touchpoints where interaction = 'impression'";
    for (step, sql) in [(visits, "select count(distinct person_id) from sessions"), (adverts, seen)] {
        assert_eq!(rows(&shop, &["funnel", "--step", step])[0][1], shop.sql(sql), "{step}");
    }
}

#[test]
fn an_exploration_loses_nobody() {
    let shop = with_sample();
    for anchor in [["--start", "event:view_item"], ["--end", "goal:purchase"]] {
        let flows = rows(&shop, &["explore", anchor[0], anchor[1], "--depth", "3", "--width", "2"]);
        let mut arrived: BTreeMap<(u32, &str), f64> = BTreeMap::new();
        let mut left = arrived.clone();
        for flow in &flows {
            let level: u32 = flow[0].parse().unwrap();
            *left.entry((level, &flow[1])).or_default() += number(&flow[3]);
            if level < 2 && !["(end)", "(start)"].contains(&flow[2].as_str()) {
                *arrived.entry((level + 1, &flow[2])).or_default() += number(&flow[3]);
            }
        }
        left.retain(|(level, _), _| *level > 0);
        assert_eq!(arrived, left, "{anchor:?}");
        assert!(arrived.keys().any(|(_, place)| *place == "(others)"), "{arrived:?}");
    }
}

#[test]
fn retention_is_what_sql_counts() {
    let shop = with_sample();
    let expected = shop.sql(
        "with t as (select distinct person_id, date_trunc('week', occurred_at) as week from touchpoints where interaction <> 'impression'), \
         c as (select person_id, min(week) as cohort from t group by 1) \
         select cast(cohort as date), (cast(week as bigint) - cast(cohort as bigint)) / 604800000000, count(*) \
         from t join c on t.person_id = c.person_id group by 1, 2 order by 1, 2",
    );
    let found: Vec<String> =
        rows(&shop, &["retention"]).into_iter().filter(|row| row[2] != "0").map(|row| row[..3].join(",")).collect();
    assert!(found.len() > 20, "{found:?}");
    assert_eq!(found.join("\n"), expected);
}

#[test]
fn everybody_on_the_list_has_a_page_and_every_event_of_a_person_is_on_it() {
    let shop = with_sample();
    let people = rows(&shop, &["people", "--limit", "0"]);
    let count =
        shop.sql("select count(*) from (select person_id from touchpoints union select person_id from conversions)");
    assert_eq!(people.len().to_string(), count);
    // Somebody who bought: most identifiers.
    let buyer = people.iter().find(|row| number(&row[4]) > 0.0 && number(&row[3]) > 1.0).unwrap();
    let page = |show: &str| rows(&shop, &["person", &buyer[0], "--show", show]);
    assert_eq!(page("card"), std::slice::from_ref(buyer));
    let events: u64 = page("sessions").iter().map(|session| session[8].parse::<u64>().unwrap()).sum();
    assert!(page("timeline").len() as u64 >= events && events > 0);
    let identifiers = page("identifiers");
    let known = shop.sql(&format!("select count(*) from persons where person_id = {}", buyer[0]));
    assert_eq!(identifiers.len().to_string(), known);
    assert!(identifiers.iter().all(|row| row[6].trim_matches('"').starts_with("with ")), "{identifiers:?}");
    let found = rows(&shop, &["people", "--search", &identifiers[0][1]]);
    assert!(found.iter().any(|row| row[0] == buyer[0]), "{found:?}");
}

#[test]
fn groups_are_compared_with_an_interval_and_steps_too() {
    let shop = with_sample();
    let groups = ["compare", "channel = 'Email'", "channel = 'Paid Search'"];
    for words in [&groups[..], &[&groups[..], &FUNNEL[1..]].concat()] {
        let found = rows(&shop, words);
        assert!(found.len() >= 3, "{found:?}");
        for row in &found[1..] {
            let [a, b, difference, low, high] = [1, 2, 3, 4, 5].map(|cell| number(&row[cell]));
            assert!((a - b - difference).abs() < 1e-12 && low <= difference && difference <= high, "{row:?}");
        }
    }
    let same = shop.failure(&["-C", "shop", "compare", "channel = 'Email'", "channel = 'Email'"]);
    assert!(same.contains("people"), "{same}");
}

#[test]
fn credits_of_channels_add_up_and_every_report_has_every_format() {
    let shop = with_sample();
    let channels = rows(&shop, &["channels", "--model", "linear"]);
    assert!((sum(&channels, 8) - number(&rows(&shop, &["overview"])[2][1])).abs() < 1e-6);
    let reports: [&[&str]; 12] = [
        &["overview"],
        &["overview", "--show", "trend"],
        &["channels", "--model", "last"],
        &["paths", "--show", "nulls"],
        &["flow"],
        &["explore", "--start", "page:/*"],
        &FUNNEL,
        &["obstacles"],
        &["retention", "--every", "month", "--conversions"],
        &["people"],
        &["quality"],
        &["quality", "--show", "sources"],
    ];
    for words in reports {
        for format in ["table", "csv", "json", "markdown", "parquet"] {
            let words = [&["-C", "shop"], words, &["--format", format]].concat();
            let bytes = shop.safar(&words).assert().success().get_output().stdout.clone();
            assert!(!bytes.is_empty(), "{words:?}");
        }
    }
    let table = shop.output(&[&["-C", "shop"], &FUNNEL[..]].concat());
    assert!(table.contains('█'), "{table}");
}

#[test]
fn what_is_wrong_is_said_with_the_way_out() {
    let shop = with_sample();
    let said = |words: &[&str]| shop.failure(&[&["-C", "shop"], words].concat());
    let cases: [(&[&str], &str); 7] = [
        (&["funnel"], "a funnel needs steps"),
        (&["funnel", "--step", "cart"], "`cart` is no step; write event:NAME, page:/path*, goal:NAME or JSON"),
        (&["funnel", "--step", "goal:fame"], "there is no goal `fame`; there are purchase"),
        (&["funnel", "--step", "{}"], "step `{}` asks for nothing"),
        (&["person", "7"], "there is no person 7"),
        (&["overview", "--from", "2026-07-02", "--to", "2026-07-02"], "no day lies between 2026-07-02 and 2026-07-02"),
        (&["people", "--people", "colour = 'red'"], "colour"),
    ];
    for (words, expected) in cases {
        let error = said(words);
        assert!(error.contains(expected), "{words:?}: {error}");
    }
}

/// A workspace on a medium that is read only answers all the same.
#[test]
fn reports_need_nothing_to_write() {
    let shop = Shop::with_sample(PathBuf::from(env!("CARGO_BIN_EXE_safar")));
    let scratch = shop.path("shop/data/.tmp");
    std::fs::remove_dir_all(&scratch).ok();
    std::fs::write(&scratch, "no folder").unwrap();
    assert!(!rows(&shop, &["attribute", "--model", "last"]).is_empty());
    assert!(!rows(&shop, &["paths"]).is_empty());
    assert_eq!(shop.sql("select 1"), "1");
}

/// Groups are the same whether they are asked for as a filter or as one of two; and what is kept apart adds up.
#[test]
fn filters_agree_with_sql() {
    let shop = with_sample();
    let email = "channel = 'Email'";
    let of = "person_id in (select person_id from touchpoints where channel = 'Email')";
    let figures = rows(&shop, &["overview", "--people", email]);
    let sessions = shop.sql(&format!("select count(*) from sessions where {of}"));
    let conversions = shop.sql(&format!("select sum(conversions) from paths where goal = 'purchase' and {of}"));
    assert_eq!(number(&figures[1][1]), number(&sessions));
    assert_eq!(number(&figures[2][1]), number(&conversions));
    let people = rows(&shop, &["people", "--limit", "0", "--people", email]);
    assert_eq!(
        people.len().to_string(),
        shop.sql("select count(distinct person_id) from touchpoints where channel = 'Email'")
    );
    let compared = rows(&shop, &["compare", email, "channel = 'Paid Search'"]);
    let both =
        shop.sql(&format!("select count(distinct person_id) from touchpoints where channel = 'Paid Search' and {of}"));
    assert_eq!(number(&compared[0][1]) + number(&both), people.len() as f64);
    let flow = rows(&shop, &["compare", email, "channel = 'Paid Search'", "--flow", "--limit", "0"]);
    let start = flow.iter().find(|row| row[0] == "(start)" && row[1].is_empty()).unwrap();
    assert!(number(&start[2]) <= number(&compared[0][1]));
    // Of two conditions both hold.
    let narrow = ["compare", "channel = 'Email'", "channel = 'Paid Search'", "--people", "channel = 'Direct'"];
    assert!(number(&rows(&shop, &narrow)[0][1]) < number(&compared[0][1]));
}

/// What the last touch that is not direct earns by source and by campaign is no more than channels say.
#[test]
fn direct_visits_are_passed_over_by_source_and_by_campaign() {
    let shop = with_sample();
    let by = |by: &str, model: &str| {
        let rows = rows(&shop, &["attribute", "--model", model, "--by", by]);
        rows.into_iter().map(|row| (row[1].clone(), number(&row[2]))).collect::<BTreeMap<_, _>>()
    };
    let direct = by("channel", "last_non_direct")["Direct"];
    assert_eq!(by("source", "last_non_direct")["(direct)"], direct);
    assert!(by("source", "last")["(direct)"] > direct);
    assert!(by("campaign", "last_non_direct")["(not set)"] < by("campaign", "last")["(not set)"]);
}
