//! Reports by hand: four people, told in a table that anybody can count in.
use arrow::{
    array::AsArray,
    datatypes::Float64Type,
    util::display::{ArrayFormatter, FormatOptions},
};
use safar_attribution::uncertainty::Bootstrap;
use safar_engine::Session;
use safar_ingest::{ImportOptions, Rules, Silent, import};
use safar_pipeline::{
    Workspace, build,
    report::{
        self, Activity, Answer, Dimension, Direction, Every, ExplorerQuery, FunnelQuery, Modelling, Nodes, Note, Order,
        PathQuery, Scope, Step,
    },
};
use std::{fs, sync::Arc};

/// ann buys on her first visit and comes back; bob leaves at the cart, cat at the tea; dan buys without seeing the tea.
const EVENTS: &str = "event_id,name,occurred_at,anonymous_id,page_url,order_id,value,currency
a1,page_view,2026-03-02T10:00:00Z,ann,https://shop.example/?utm_source=google&utm_medium=cpc,,,
a2,page_view,2026-03-02T10:01:00Z,ann,https://shop.example/tea,,,
a3,add_to_cart,2026-03-02T10:02:00Z,ann,https://shop.example/tea,,,
a4,page_view,2026-03-02T10:03:00Z,ann,https://shop.example/cart,,,
a5,purchase,2026-03-02T10:05:00Z,ann,https://shop.example/thanks,o1,100,EUR
a6,page_view,2026-03-11T09:00:00Z,ann,https://shop.example/?utm_source=news&utm_medium=email,,,
b1,page_view,2026-03-03T12:00:00Z,bob,https://shop.example/?utm_source=news&utm_medium=email,,,
b2,page_view,2026-03-03T12:01:00Z,bob,https://shop.example/tea,,,
b3,page_view,2026-03-03T12:02:00Z,bob,https://shop.example/cart,,,
c1,page_view,2026-03-04T08:00:00Z,cat,https://shop.example/?utm_source=google&utm_medium=cpc,,,
c2,page_view,2026-03-04T08:01:00Z,cat,https://shop.example/tea,,,
d1,page_view,2026-03-10T20:30:00Z,dan,https://shop.example/?utm_source=news&utm_medium=email,,,
d2,page_view,2026-03-10T20:31:00Z,dan,https://shop.example/cart,,,
d3,purchase,2026-03-10T20:35:00Z,dan,https://shop.example/thanks,o2,50,EUR
d4,page_view,2026-03-24T08:00:00Z,dan,https://shop.example/,,,
";

struct Shop {
    workspace: Workspace,
    session: Session,
    _folder: tempfile::TempDir,
}

async fn shop(zone: &str) -> Shop {
    shop_of(EVENTS, 15, |settings| settings.replace("time_zone = \"UTC\"", &format!("time_zone = \"{zone}\""))).await
}

async fn shop_of(events: &str, rows: u64, change: impl Fn(String) -> String) -> Shop {
    shop_with(events, rows, None, change).await
}

/// With another file beside the events: costs, or ready paths of the goal `more`.
async fn shop_with(events: &str, rows: u64, more: Option<&str>, change: impl Fn(String) -> String) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("shop");
    Workspace::init(&root, true).await.unwrap();
    let settings = fs::read_to_string(root.join("safar.toml")).unwrap();
    fs::write(root.join("safar.toml"), change(settings)).unwrap();
    fs::write(folder.path().join("events.csv"), events).unwrap();
    let workspace = Workspace::open(&root).await.unwrap();
    let lock = workspace.store().lock().unwrap();
    let (settings, enricher) = (workspace.import_settings(), workspace.enricher().unwrap());
    let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
    let mut inputs = vec![folder.path().join("events.csv").display().to_string()];
    if let Some(more) = more {
        fs::write(folder.path().join("more.csv"), more).unwrap();
        inputs.push(folder.path().join("more.csv").display().to_string());
    }
    let done = import(workspace.store(), &lock, rules, &inputs, &ImportOptions::default(), &Silent).await.unwrap();
    assert_eq!((done.stored, done.rejected_total()), (rows, 0), "{done:?}");
    drop(lock);
    build(&workspace, false, &|_| {}).await.unwrap();
    let session = report::session(&workspace).await.unwrap();
    Shop { workspace, session, _folder: folder }
}

/// The rows, cells parted by `|`.
fn rows(answer: &Answer) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<_> = answer
        .rows
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    (0..answer.rows.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"))
        .collect()
}

fn step(text: &str) -> Step {
    text.parse().unwrap()
}

fn days(from: &str, to: &str) -> Scope {
    Scope { from: Some(from.parse().unwrap()), to: Some(to.parse().unwrap()), ..Scope::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_week_stand_beside_those_of_the_week_before() {
    let shop = shop("UTC").await;
    let week = days("2026-03-09", "2026-03-16");
    let answer = report::overview(&shop.workspace, &shop.session, &week).await.unwrap();
    let expected = [
        "people|2.0|3.0|-0.33333333333333337|people",
        "sessions|2.0|3.0|-0.33333333333333337|sessions",
        "conversions|1.0|1.0|0.0|conversions",
        "value|50.0|100.0|-0.5|EUR",
        "conversion_rate|0.5|0.3333333333333333|0.5|percent",
        "average_value|50.0|100.0|-0.5|EUR",
        "unattributed_share|0.0|0.0|-|percent",
    ];
    assert_eq!(rows(&answer), expected);
    let email = Scope { people: Some("channel = 'Email'".to_owned()), ..week };
    let answer = report::overview(&shop.workspace, &shop.session, &email).await.unwrap();
    assert_eq!(rows(&answer)[0], "people|2.0|2.0|0.0|people");
    let trend = report::trend(&shop.workspace, &shop.session, &days("2026-03-09", "2026-03-12")).await.unwrap();
    assert_eq!(rows(&trend), ["2026-03-09|0|0|0.0|0.0", "2026-03-10|1|1|1.0|50.0", "2026-03-11|1|1|0.0|0.0"]);
}

/// Days before the first of the data are no days on which nothing happened.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_compared_with_days_before_the_data() {
    let shop = shop("UTC").await;
    let overview = async |from, to| report::overview(&shop.workspace, &shop.session, &days(from, to)).await.unwrap();
    let first = overview("2026-03-02", "2026-03-09").await;
    assert_eq!(
        rows(&first)[..3],
        ["people|3.0|-|-|people", "sessions|3.0|-|-|sessions", "conversions|1.0|-|-|conversions"]
    );
    assert!(first.notes.iter().any(|note| matches!(note, Note::PeriodAlone { .. })), "{:?}", first.notes);
    let part = overview("2026-03-04", "2026-03-10").await;
    assert_eq!(rows(&part)[0], "people|1.0|2.0|-0.5|people");
    assert!(part.notes.contains(&Note::DataBegin { first: "2026-03-02".to_owned() }), "{:?}", part.notes);
    let whole = overview("2026-03-09", "2026-03-16").await;
    assert!(!whole.notes.iter().any(|note| matches!(note, Note::DataBegin { .. })), "{:?}", whole.notes);
}

/// They are of the moment of their import, and of nobody.
#[tokio::test(flavor = "multi_thread")]
async fn ready_paths_beside_events_change_nothing_but_their_own_goal() {
    let ready = "path,conversions,value,nulls\nEmail > Direct,3,30,2\n,4,40,0\n";
    let (alone, beside) = (shop("UTC").await, shop_with(EVENTS, 15, Some(ready), |settings| settings).await);
    let (scope, of_theirs) = (Scope::default(), Scope { goal: Some("more".to_owned()), ..Scope::default() });
    let mut seen = vec![];
    for Shop { workspace, session, .. } in [&alone, &beside] {
        seen.push([
            rows(&report::overview(workspace, session, &scope).await.unwrap()),
            rows(&report::trend(workspace, session, &scope).await.unwrap()),
            rows(&report::retention(workspace, session, &scope, Every::Week, Activity::Touch).await.unwrap()),
            rows(&report::obstacles(workspace, session, &scope, Nodes::Steps, 7).await.unwrap()),
        ]);
    }
    assert_eq!(seen[0], seen[1]);
    let Shop { workspace, session, .. } = &beside;
    let theirs = rows(&report::overview(workspace, session, &of_theirs).await.unwrap());
    let expected = [
        "conversions|7.0|-|-|conversions",
        "value|70.0|-|-|EUR",
        "conversion_rate|-|-|-|percent",
        "average_value|10.0|-|-|EUR",
        "unattributed_share|0.5714285714285714|-|-|percent",
    ];
    assert_eq!(theirs[2..], expected);
    let quality = rows(&report::quality(workspace, session).await.unwrap());
    let untouched = quality.iter().find(|check| check.ends_with("|no_touch")).unwrap();
    assert!(untouched.starts_with("conversions that no touch preceded|4|0.4444444444444444|"), "{untouched}");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_begin_where_the_workspace_is() {
    // Half past eight in the evening is midnight in Tehran.
    let shop = shop("Asia/Tehran").await;
    let trend = report::trend(&shop.workspace, &shop.session, &Scope::default()).await.unwrap();
    let rows = rows(&trend);
    assert_eq!(rows.len(), 23);
    assert_eq!(rows[8..10], ["2026-03-10|0|0|0.0|0.0", "2026-03-11|2|2|1.0|50.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_short_and_quick_and_go_from_channel_to_channel() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let query = PathQuery::default();
    let (_, schema, batches) = report::common_paths(&workspace, &query, 0).await.unwrap();
    let common = Answer { rows: arrow::compute::concat_batches(&schema, &batches).unwrap(), notes: vec![] };
    assert_eq!(rows(&common), ["Email|1|1.0|50.0|1.0|0.5|2", "Paid Search|1|1.0|100.0|1.0|0.5|2"]);
    assert_eq!(rows(&report::path_lengths(&workspace, &session, &query).await.unwrap()), ["1|2.0|150.0|2.0|0.5"]);
    assert_eq!(rows(&report::time_lags(&workspace, &session, &query).await.unwrap()), ["0|2.0|150.0"]);
    assert_eq!(
        rows(&report::positions(&workspace, &session, &query).await.unwrap()),
        ["Email|1.0|0.0|0.0|1.0", "Paid Search|1.0|0.0|0.0|1.0"]
    );
    assert_eq!(
        rows(&report::null_paths(&workspace, &session, &query).await.unwrap()),
        ["Email|1|1.0|1.0|0.5", "Paid Search|1|1.0|1.0|0.5"]
    );
    assert_eq!(
        rows(&report::transitions(&workspace, &session, &query).await.unwrap()),
        [
            "(start)|Email|2|2.0|0.5|false|0.0|-",
            "(start)|Paid Search|2|2.0|0.5|false|0.0|-",
            "Email|(conversion)|1|1.0|0.5|false|0.0|300.0",
            "Email|(no conversion)|1|1.0|0.5|false|0.0|-",
            "Paid Search|(conversion)|1|1.0|0.5|false|0.0|300.0",
            "Paid Search|(no conversion)|1|1.0|0.5|false|0.0|-",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_funnel_counts_people_and_says_where_the_others_went() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let query = FunnelQuery {
        scope: Scope::default(),
        steps: ["page:/", "page:/tea", "page:/cart", "goal:purchase"].map(step).to_vec(),
        exclude: vec![],
        order: Order::Ordered,
        open: false,
        window_days: 14,
    };
    let of = async |query: &FunnelQuery| rows(&report::funnel(&workspace, &session, query).await.unwrap());
    assert_eq!(
        of(&query).await,
        [
            "/|4|4|1.0|-|-|1",
            "/tea|3|0|0.75|0.75|60.0|1",
            "/cart|2|0|0.5|0.6666666666666666|90.0|1",
            "purchase|1|0|0.25|0.5|120.0|-",
        ]
    );
    let people =
        |rows: Vec<String>| rows.iter().map(|row| row.split('|').nth(1).unwrap().to_owned()).collect::<Vec<_>>();
    let open = FunnelQuery { open: true, ..query.clone() };
    // What Ann put into the cart on the tea's page is one more visit to the tea, from which the cart is a minute away.
    assert_eq!(
        of(&open).await,
        [
            "/|4|4|1.0|-|-|1",
            "/tea|3|0|0.75|0.75|60.0|1",
            "/cart|3|1|0.75|0.6666666666666666|60.0|1",
            "purchase|2|0|0.5|0.6666666666666666|180.0|-",
        ]
    );
    let strict = FunnelQuery { order: Order::Strict, ..query.clone() };
    assert_eq!(people(of(&strict).await), ["4", "3", "1", "0"]);
    let any = FunnelQuery { order: Order::Any, ..query.clone() };
    assert_eq!(people(of(&any).await), ["4", "4", "3", "1"]);
    let without_cart = FunnelQuery { exclude: vec![step("event:add_to_cart")], ..query.clone() };
    assert_eq!(people(of(&without_cart).await), ["4", "3", "1", "0"]);
    let of_email = Scope { people: Some("channel = 'Email' AND medium = 'email'".to_owned()), ..Scope::default() };
    assert_eq!(people(of(&FunnelQuery { scope: of_email, ..query.clone() }).await), ["3", "2", "2", "1"]);

    let next = async |step| rows(&report::dropouts(&workspace, &session, &query, step, Nodes::Steps).await.unwrap());
    assert_eq!(next(1).await, ["/cart|1|1.0"]);
    assert_eq!(next(3).await, ["(nothing more)|1|1.0"]);
    let bob = report::dropped_people(&workspace, &session, &query, 3).await.unwrap();
    assert_eq!(rows(&bob), [safar_model::key_of("anonymous", "bob").to_string()]);
    let error = report::dropouts(&workspace, &session, &query, 4, Nodes::Steps).await.unwrap_err();
    assert_eq!(error.to_string(), "nobody can drop after step 4 of 4; name one from 1 to 3");
}

/// What is in the basket lies between two pages, also where only pages have names.
#[tokio::test(flavor = "multi_thread")]
async fn as_many_people_drop_whatever_steps_are_called() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let query = FunnelQuery {
        scope: Scope::default(),
        steps: vec![step(r#"{"events": ["page_view"], "pages": ["/tea"]}"#), step("page:/cart")],
        exclude: vec![],
        order: Order::Strict,
        open: false,
        window_days: 14,
    };
    let funnel = report::funnel(&workspace, &session, &query).await.unwrap();
    assert_eq!(rows(&funnel), ["/tea|3|3|1.0|-|-|2", "/cart|1|0|0.3333333333333333|0.3333333333333333|60.0|-"]);
    let next = async |nodes| rows(&report::dropouts(&workspace, &session, &query, 1, nodes).await.unwrap());
    assert_eq!(next(Nodes::Steps).await, ["(nothing more)|1|0.5", "add_to_cart|1|0.5"]);
    assert_eq!(next(Nodes::Pages).await, ["(nothing more)|1|0.5", "/cart|1|0.5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explorations_add_up_forwards_and_backwards() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let query = |direction, depth, width| ExplorerQuery {
        scope: Scope::default(),
        direction,
        nodes: Nodes::Steps,
        depth,
        width,
    };
    let forwards = query(Direction::From(step("page:/")), 2, 1);
    assert_eq!(
        rows(&report::explorer(&workspace, &session, &forwards).await.unwrap()),
        [
            "0|/|/tea|3|3",
            "0|/|(others)|1|1",
            // Ann and Dan came back to the first page, and left from there.
            "0|/|(end)|0|2",
            "1|/tea|/cart|1|1",
            "1|/tea|(others)|1|1",
            "1|/tea|(end)|1|1",
            "1|(others)|(others)|1|1",
        ]
    );
    let backwards = query(Direction::Before(step("goal:purchase")), 1, 5);
    assert_eq!(rows(&report::explorer(&workspace, &session, &backwards).await.unwrap()), ["0|purchase|/cart|2|2"]);
    let backwards = query(Direction::Before(step("page:/")), 1, 5);
    assert_eq!(
        rows(&report::explorer(&workspace, &session, &backwards).await.unwrap()),
        ["0|/|(start)|4|4", "0|/|(others)|0|2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn obstacles_are_ranked_by_what_similar_people_did() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let answer = report::obstacles(&workspace, &session, &Scope::default(), Nodes::Steps, 7).await.unwrap();
    // Bob left the cart, where Dan, who came by e-mail too, went on and paid 50; Cat the tea, where Ann went on.
    let expected = [
        "/cart|3|1|1.0|50.0",
        "/tea|3|1|1.0|100.0",
        "/|4|0|0.0|0.0",
        "add_to_cart|1|0|0.0|0.0",
        "purchase|2|0|0.0|0.0",
    ];
    assert_eq!(rows(&answer), expected);
    // With three weeks to settle, nobody who left is known to have left.
    let answer = report::obstacles(&workspace, &session, &Scope::default(), Nodes::Steps, 21).await.unwrap();
    assert_eq!(answer.notes[0], Note::Settled { goal: "purchase".to_owned(), people: 2, waiting: 2, days: 21 });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_back_by_week_of_the_first_time() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let touches =
        report::retention(&workspace, &session, &Scope::default(), Every::Week, Activity::Touch).await.unwrap();
    assert_eq!(
        rows(&touches),
        [
            "2026-03-02|0|3|3|1.0|true",
            "2026-03-02|1|1|3|0.3333333333333333|true",
            "2026-03-02|2|0|3|0.0|true",
            "2026-03-02|3|0|3|0.0|false",
            "2026-03-09|0|1|1|1.0|true",
            "2026-03-09|1|0|1|0.0|true",
            "2026-03-09|2|1|1|1.0|false",
            "2026-03-16|0|0|0|-|true",
            "2026-03-16|1|0|0|-|false",
            "2026-03-23|0|0|0|-|false",
        ]
    );
    let scope = days("2026-03-01", "2026-03-02");
    let month = report::retention(&workspace, &session, &scope, Every::Month, Activity::Conversion).await.unwrap();
    assert_eq!(rows(&month), ["2026-03-01|0|2|2|1.0|false"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_listed_found_and_shown() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let list = report::people(&workspace, &session, &Scope::default(), None, 0).await.unwrap();
    let dan = safar_model::key_of("anonymous", "dan");
    assert_eq!(list.rows.num_rows(), 4);
    assert_eq!(rows(&list)[0], format!("{dan}|2026-03-10T20:30:00Z|2026-03-24T08:00:00Z|2|1|50.0|Direct"));
    let two = report::people(&workspace, &session, &Scope::default(), None, 2).await.unwrap();
    assert_eq!((two.rows.num_rows(), two.notes[0].to_string().as_str()), (2, "2 of 4 people"));
    let found = report::people(&workspace, &session, &Scope::default(), Some("DA"), 0).await.unwrap();
    assert_eq!(rows(&found), rows(&list)[..1]);

    let page = report::person(&workspace, &session, dan).await.unwrap();
    assert_eq!(rows(&page.person), rows(&found));
    let identifier = "anonymous|dan|2026-03-10T20:30:00Z|2026-03-24T08:00:00Z|-|-|the only identifier, or tied to the others by nothing that is known|-|-|-|-|-";
    assert_eq!(rows(&page.identifiers), [identifier]);
    assert_eq!((page.sessions.rows.num_rows(), page.conversions.rows.num_rows()), (2, 1));
    let timeline = rows(&page.timeline);
    assert_eq!(timeline.len(), 4);
    assert!(timeline[2].starts_with("2026-03-10T20:35:00Z|visit|purchase|"), "{timeline:?}");
    let error = report::person(&workspace, &session, 1).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no person 1\n"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_carry_sessions_people_conversions_and_credit() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let models = ["linear".parse().unwrap()];
    let answer =
        report::channels(&workspace, &session, &Scope::default(), &Dimension::Channel, &models, None).await.unwrap();
    let expected = [
        "Email|3|3|1.0|50.0|-|-|-|1.0|50.0|-|-",
        "Paid Search|2|2|1.0|100.0|-|-|-|1.0|100.0|-|-",
        "(unattributed)|0|0|0.0|0.0|-|-|-|0.0|0.0|-|-",
        "Direct|1|1|0.0|0.0|-|-|-|0.0|0.0|-|-",
    ];
    assert_eq!(rows(&answer), expected);
    let quality = report::quality(&workspace, &session).await.unwrap();
    let checks: Vec<String> = rows(&quality);
    assert!(checks[0].starts_with("rejected rows|0|0.0|") && checks[0].ends_with("|rejected_rows"), "{checks:?}");
    assert!(
        checks.iter().any(|check| check.starts_with("touches without a source|1|0.16666666666666666|")),
        "{checks:?}"
    );
    let sources = report::sources(&workspace, &session, &Scope::default()).await.unwrap();
    assert_eq!(rows(&sources), ["news|email|Email|3|3", "google|cpc|Paid Search|2|2", "(direct)|(none)|Direct|1|1"]);
}

/// eve, hal and ida come by an advertisement and buy: links of the first carry the campaign's name, those of the second its
/// number, and what the third's cost nobody told.
const CAMPAIGNS: &str = "event_id,name,occurred_at,anonymous_id,page_url,order_id,value,currency
e1,page_view,2026-03-02T10:00:00Z,eve,https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring,,,
e2,purchase,2026-03-02T10:05:00Z,eve,https://shop.example/thanks,o1,100,EUR
h1,page_view,2026-03-03T10:00:00Z,hal,https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=12,,,
h2,purchase,2026-03-03T10:05:00Z,hal,https://shop.example/thanks,o2,60,EUR
i1,page_view,2026-03-04T10:00:00Z,ida,https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=quiet,,,
i2,purchase,2026-03-04T10:05:00Z,ida,https://shop.example/thanks,o3,40,EUR
";

const COSTS: &str = "date,source,medium,campaign,campaign_id,impressions,clicks,cost,currency
2026-03-02,google,cpc,spring,11,600,6,15,EUR
2026-03-03,google,cpc,spring,11,400,4,10,EUR
2026-03-03,google,cpc,brand,12,500,5,30,EUR
2026-03-03,google,cpc,lost,13,200,2,12,EUR
2026-03-03,google,cpc,lost,13,20,1,7,USD
";

#[tokio::test(flavor = "multi_thread")]
async fn costs_meet_campaigns_by_name_or_number_and_what_meets_nothing_is_told() {
    let Shop { workspace, session, _folder } = shop_with(CAMPAIGNS, 6, Some(COSTS), |settings| settings).await;
    let models = ["last".parse().unwrap()];
    let report =
        async |by: Dimension| report::channels(&workspace, &session, &Scope::default(), &by, &models, None).await;
    let campaigns = report("campaign".parse::<Dimension>().unwrap().within("channel=Paid Search").unwrap());
    let campaigns = campaigns.await.unwrap();
    let expected = [
        "12|1|1|1.0|60.0|500|5|30.0|1.0|60.0|30.0|2.0",
        "quiet|1|1|1.0|40.0|-|-|-|1.0|40.0|-|-",
        "spring|1|1|1.0|100.0|1000|10|25.0|1.0|100.0|25.0|4.0",
        "(unattributed)|0|0|0.0|0.0|-|-|-|0.0|0.0|-|-",
        "lost|0|0|0.0|0.0|220|3|12.0|0.0|0.0|-|0.0",
    ];
    assert_eq!(rows(&campaigns), expected);
    let model = "last".to_owned();
    let told = [
        Note::SpentWithoutCredit { model: model.clone(), cost: 12.0, rows: 1 },
        Note::CreditWithoutCost { model, conversions: 1.0, rows: 1 },
        Note::CostsLeftOut { currency: "USD".to_owned(), cost: 7.0 },
    ];
    assert!(told.iter().all(|note| campaigns.notes.contains(note)), "{:?}", campaigns.notes);
    // The sums of the campaigns are those of their channel.
    let channels = report(Dimension::Channel).await.unwrap();
    assert_eq!(
        rows(&channels)[0],
        "Paid Search|3|3|3.0|200.0|1720|18|67.0|3.0|200.0|22.333333333333332|2.985074626865672"
    );
    // Nothing of another channel is among them.
    let others = "campaign".parse::<Dimension>().unwrap().within("channel=Email").unwrap();
    let others = rows(&report(others).await.unwrap());
    assert_eq!(
        others,
        ["(elsewhere)|0|0|3.0|200.0|-|-|-|3.0|200.0|-|-", "(unattributed)|0|0|0.0|0.0|-|-|-|0.0|0.0|-|-"]
    );
    let error = report("country".parse().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("costs are not told by country; use channel, source"), "{error}");
    let within = "campaign".parse::<Dimension>().unwrap().within("device=mobile").unwrap();
    let error = report(within).await.unwrap_err().to_string();
    assert!(error.contains("costs are not told by campaign within device=mobile; use channel, source"), "{error}");
}

/// eve comes by an advertisement and buys from the address line; fay returns what nobody knows that she bought; gus buys
/// without coming from anywhere that is known, in another currency.
const DIRECT: &str = "event_id,name,occurred_at,anonymous_id,page_url,order_id,value,currency
e1,page_view,2026-03-02T10:00:00Z,eve,https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring,,,
e2,page_view,2026-03-03T10:00:00Z,eve,https://shop.example/,,,
e3,purchase,2026-03-03T10:05:00Z,eve,https://shop.example/thanks,o1,100,EUR
f1,page_view,2026-03-04T10:00:00Z,fay,https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=weekly,,,
f2,refund,2026-03-05T10:00:00Z,fay,https://shop.example/account,o9,30,EUR
g1,page_view,2026-03-06T10:00:00Z,gus,https://shop.example/,,,
g2,purchase,2026-03-06T10:05:00Z,gus,https://shop.example/thanks,o3,50,USD
";

fn credits(report: &report::AttributionReport, model: &str) -> Vec<(String, f64)> {
    let fitted = report.models.iter().find(|fitted| fitted.model.name() == model).unwrap();
    let rows = report.labels.iter().cloned().zip(fitted.credits.iter().map(|credit| credit.conversions));
    let mut rows: Vec<(String, f64)> = rows.filter(|row| row.1 > 0.0).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

/// Campaigns of other days would otherwise stand among the ranks by which models are held to agree.
#[tokio::test(flavor = "multi_thread")]
async fn only_labels_of_the_paths_asked_for_are_credited() {
    let Shop { workspace, _folder, .. } = shop("UTC").await;
    let first_day = PathQuery {
        from: Some("2026-03-02".parse().unwrap()),
        to: Some("2026-03-03".parse().unwrap()),
        ..PathQuery::default()
    };
    for by in ["channel", "source", "medium"] {
        let (by, models) = (by.parse().unwrap(), vec!["last".parse().unwrap()]);
        let modelling = Modelling { models, ..Modelling::default() };
        let report = report::attribute(&workspace, &modelling, &by, &first_day).await.unwrap();
        assert_eq!(report.labels.len(), 1, "{by}: {:?}", report.labels);
    }
}

/// Whether a touch is direct is a matter of its channel, whatever it is reported by and whatever the channel is called.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_touch_that_is_not_direct_is_found_by_every_dimension_and_own_name() {
    let as_it_is: fn(String) -> String = |settings| settings;
    let renamed: fn(String) -> String =
        |settings| settings + "\n[[channels.rules]]\nchannel = \"Typed\"\nwhen = { source = \"(direct)\" }\n";
    for change in [as_it_is, renamed] {
        let Shop { workspace, session, _folder } = shop_of(DIRECT, 7, change).await;
        let direct = workspace.direct_channel().unwrap();
        let by = |label: &str| vec![(label.to_owned(), 1.0)];
        for (dimension, eve, gus) in [
            ("channel", "Paid Search", direct.as_str()),
            ("source", "google", "(direct)"),
            ("campaign", "spring", "(not set)"),
        ] {
            let modelling = Modelling { models: vec!["last_non_direct".parse().unwrap()], ..Modelling::default() };
            let dimension = dimension.parse().unwrap();
            let query = PathQuery::default();
            let report = report::attribute(&workspace, &modelling, &dimension, &query).await.unwrap();
            let mut expected = [by(eve), by(gus)].concat();
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(credits(&report, "last_non_direct"), expected, "{dimension} {direct}");
            let bootstrap = Some(Bootstrap { replicates: 9, ..Bootstrap::default() });
            let drawn = Modelling { bootstrap, ..modelling };
            let drawn = report::attribute(&workspace, &drawn, &dimension, &query).await.unwrap();
            assert_eq!(credits(&drawn, "last_non_direct"), expected);
            let model = "last_non_direct".parse().unwrap();
            let why = report::explain(&workspace, &model, &dimension, eve, &query, 0).await.unwrap();
            let shares = why.touches.column_by_name("weight").unwrap();
            assert_eq!(shares.as_primitive::<Float64Type>().values().to_vec(), [1.0, 0.0], "{dimension}");
        }
        // The table of credits follows the same rule.
        let sql =
            "SELECT channel FROM credits WHERE model LIKE 'last_non_direct%' AND conversions > 0 ORDER BY occurred_at";
        let stored = session.sql(sql).await.unwrap().collect().await.unwrap();
        let stored: Vec<String> = stored
            .iter()
            .flat_map(|batch| {
                let texts = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).unwrap();
                texts.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(stored, ["Paid Search".to_owned(), direct]);
    }
}

/// A refund that found no order is money and no conversion, of these models as of all others; days and conditions select
/// outcomes, and a model that cannot take the paths takes nothing from the others.
#[tokio::test(flavor = "multi_thread")]
async fn models_of_cause_share_out_what_paths_add_up_to() {
    let Shop { workspace, _folder, .. } = shop_of(DIRECT, 7, |settings| settings).await;
    let models = || ["hazard", "intent_hazard", "linear"].map(|model| model.parse().unwrap()).to_vec();
    let day = |text: &str| Some(text.parse().unwrap());
    let queries = [
        PathQuery::default(),
        PathQuery { from: day("2026-03-04"), to: day("2026-03-06"), ..PathQuery::default() },
        PathQuery { from: day("2026-03-04"), ..PathQuery::default() },
        PathQuery { condition: Some("value > 60".to_owned()), ..PathQuery::default() },
    ];
    for (query, total) in queries.iter().zip([(2.0, 120.0), (0.0, -30.0), (1.0, 20.0), (1.0, 100.0)]) {
        for bootstrap in [None, Some(Bootstrap { replicates: 5, ..Bootstrap::default() })] {
            let modelling = Modelling { models: models(), bootstrap, ..Modelling::default() };
            let by = "source".parse().unwrap();
            let report = report::attribute(&workspace, &modelling, &by, query).await.unwrap();
            assert_eq!((report.total.conversions, report.total.value), total);
            assert_eq!((report.models.len(), report.refused.len()), (3, 0), "{:?}", report.refused);
            for fitted in &report.models {
                let sum = |of: fn(&safar_attribution::Credit) -> f64| {
                    fitted.credits.iter().map(of).sum::<f64>() + of(&fitted.unattributed)
                };
                let found = (sum(|credit| credit.conversions), sum(|credit| credit.value));
                assert!((found.0 - total.0).abs() < 1e-9 && (found.1 - total.1).abs() < 1e-7, "{found:?} {total:?}");
            }
        }
    }
    // One amount in dollars is among them, and told of; in a selection without it nothing is said.
    let modelling = Modelling { models: vec!["last".parse().unwrap()], ..Modelling::default() };
    let dollars = Note::OtherCurrency { currency: "USD".to_owned(), conversions: 1 };
    for (query, expected) in queries.iter().zip([1, 0, 1, 0]) {
        let report = report::attribute(&workspace, &modelling, &"channel".parse().unwrap(), query).await.unwrap();
        assert_eq!(report.other_currencies, vec![("USD".to_owned(), 1); expected]);
        assert_eq!(report.notes().contains(&dollars), expected == 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_touch_earned_is_explained_too() {
    let Shop { workspace, _folder, .. } = shop_of(DIRECT, 7, |settings| settings).await;
    let explain = async |label: &str| {
        let model = "linear".parse().unwrap();
        let by = "channel".parse().unwrap();
        report::explain(&workspace, &model, &by, label, &PathQuery::default(), 0).await.unwrap()
    };
    let fay = safar_model::key_of("anonymous", "fay");
    let rest = explain("(unattributed)").await;
    let answer = Answer { rows: rest.touches, notes: vec![] };
    let row = rows(&answer)[0].split('|').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(answer.rows.num_rows(), 1);
    assert_eq!((row[1].as_str(), row[4].as_str(), row[8].as_str()), (fay.to_string().as_str(), "-30.0", "-"));
    assert_eq!(row[19..], ["1.0", "0.0", "-30.0"]);
    let eve = Answer { rows: explain("Paid Search").await.touches, notes: vec![] };
    let rules = |row: &str| {
        let cells: Vec<_> = row.split('|').collect();
        [cells[14], cells[16]].join("; ")
    };
    let found: Vec<String> = rows(&eve).iter().map(|row| rules(row)).collect();
    assert!(found[0].starts_with("Paid Search: ") && found[0].ends_with("; clicks and visits: 30 days"), "{found:?}");
    assert!(found[1].starts_with("Direct: ") && found[1].ends_with("; clicks and visits: 30 days"), "{found:?}");
}

/// A condition is looked at once for each version of the data; one that can tell the time, once in a session.
#[tokio::test(flavor = "multi_thread")]
async fn reports_share_memory_footers_and_whom_a_condition_holds_for() {
    let Shop { workspace, session, _folder } = shop("UTC").await;
    let pinned = workspace.pinned(session.snapshot().clone());
    let other = report::session(&pinned).await.unwrap();
    assert!(Arc::ptr_eq(&session.context().runtime_env(), &other.context().runtime_env()));
    let looked = |session: &Session| session.context().state().scalar_functions().len();
    let before = looked(&session);
    for (people, new) in [("channel = 'Email'", 1), ("channel = 'Email'", 0), ("occurred_at < now()", 1)] {
        let before = looked(&session);
        let scope = Scope { people: Some(people.to_owned()), ..Scope::default() };
        for _ in 0..2 {
            report::overview(&workspace, &session, &scope).await.unwrap();
            report::trend(&workspace, &session, &scope).await.unwrap();
        }
        assert_eq!(looked(&session) - before, new, "{people}");
    }
    assert_eq!(looked(&session) - before, 2);
}
