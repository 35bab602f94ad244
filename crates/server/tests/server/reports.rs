//! Reports: what they add up to, paging, keeping, roles, and stopping.
use crate::support::{Browser, Server};
use axum::http::StatusCode;
use safar_pipeline::{Workspace, build};
use safar_server::app::reports::REPORTS;
use serde_json::{Value, json};
use std::time::Duration;

/// How each report is asked here; a report that is missing fails the test below.
pub const QUESTIONS: &[(&str, &str)] = &[
    ("attribution", "?intervals=true&resamples=30&seed=7"),
    ("agreement", ""),
    ("backtest", "?model=linear&model=markov"),
    ("explain", "?model=linear&label=Direct"),
    ("paths", ""),
    ("sessions", "?by=day"),
    ("overview", ""),
    ("trend", ""),
    ("channels", ""),
    ("null-paths", ""),
    ("path-lengths", ""),
    ("time-lags", ""),
    ("positions", ""),
    ("transitions", ""),
    ("obstacles", ""),
    ("retention", ""),
    ("people", ""),
    ("quality", ""),
    ("sources", ""),
    ("explorer", "?start=event:page_view"),
    ("funnel", "?step=event:page_view&step=goal:purchase"),
    ("dropouts", "?step=event:page_view&step=goal:purchase&after=1"),
    ("dropped-people", "?step=event:page_view&step=goal:purchase&after=1"),
    ("compare", "?a=channel%3D%27Direct%27&b=channel%3C%3E%27Direct%27"),
    ("compare-flow", "?a=channel%3D%27Direct%27&b=channel%3C%3E%27Direct%27"),
];

/// What these tell is the same whatever the goal is; the steps of a funnel name theirs.
const WITHOUT_GOAL: &[&str] =
    &["sessions", "retention", "people", "quality", "sources", "explorer", "funnel", "dropouts", "dropped-people"];

/// These need settings or faulty rows, which the commands of the same names are tested with.
const ELSEWHERE: &[&str] = &["experiment", "rejects", "reject-reasons"];

async fn ask(browser: &mut Browser, path: &str) -> Value {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_answers_in_one_shape() {
    let (_server, mut admin) = Server::with_admin().await;
    for report in REPORTS.iter().filter(|report| !ELSEWHERE.contains(&report.name)) {
        let (name, query) =
            QUESTIONS.iter().find(|(name, _)| *name == report.name).expect("a question for each report");
        let view = ask(&mut admin, &format!("/reports/{name}{query}")).await;
        let (columns, rows) = (view["columns"].as_array().unwrap(), view["rows"].as_array().unwrap());
        assert!(!rows.is_empty(), "{name}");
        assert!(rows.iter().all(|row| row.as_array().unwrap().len() == columns.len()), "{name}");
        for (at, column) in columns.iter().enumerate() {
            let fits = |cell: &Value| match column["type"].as_str().unwrap() {
                "text" => cell.is_string() || cell.is_array(),
                "time" => cell.is_string(),
                "number" => cell.is_number(),
                "integer" => cell.is_i64() || cell.is_u64(),
                "bool" => cell.is_boolean(),
                other => panic!("{other}"),
            };
            assert!(rows.iter().all(|row| row[at].is_null() || fits(&row[at])), "{name}: {column}");
        }
        let meta = &view["meta"];
        for note in meta["notes"].as_array().unwrap() {
            assert!(note["code"].is_string() && !note["text"].as_str().unwrap().is_empty(), "{name}: {note}");
            assert!(note.get("values").is_none_or(Value::is_object), "{name}: {note}");
        }
        assert_eq!((meta["report"].as_str(), &meta["cached"]), (Some(*name), &json!(false)));
        for key in ["data_version", "settings_version", "program_version"] {
            assert!(!meta[key].as_str().unwrap().is_empty(), "{name}: {key}");
        }
    }
    assert!(REPORTS.iter().filter(|report| ELSEWHERE.contains(&report.name)).count() == ELSEWHERE.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_and_what_is_unattributed_are_all_conversions() {
    let (_server, mut admin) = Server::with_admin().await;
    let view = ask(&mut admin, "/reports/attribution?model=linear&model=last&intervals=true&resamples=30&seed=7").await;
    assert_eq!(view["meta"]["seed"], 7);
    let names: Vec<&str> = view["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["model", "label", "conversions", "value", "share", "low", "high"]);
    assert_eq!(view["columns"][3]["unit"], "EUR");
    let total = view["extra"]["conversions"].as_f64().unwrap();
    assert!(total > 0.0);
    for model in ["linear", "last"] {
        let rows: Vec<&Value> = view["rows"].as_array().unwrap().iter().filter(|row| row[0] == model).collect();
        let sum = |at: usize| rows.iter().map(|row| row[at].as_f64().unwrap()).sum::<f64>();
        assert!((sum(2) - total).abs() < 1e-6 && (sum(4) - 1.0).abs() < 1e-9, "{model}");
        assert_eq!(rows.last().unwrap()[1], "(unattributed)");
        assert!(rows.iter().all(|row| row[5].as_f64() <= row[6].as_f64()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_put_together_are_the_whole() {
    let (_server, mut admin) = Server::with_admin().await;
    let whole = ask(&mut admin, "/reports/paths?limit=10000").await;
    let total = whole["total_rows"].as_u64().unwrap();
    assert!(total > 20, "enough for several pages");
    let mut rows = vec![];
    for page in 0..total.div_ceil(7) {
        let view = ask(&mut admin, &format!("/reports/paths?limit=7&offset={}", page * 7)).await;
        assert_eq!(view["total_rows"], total);
        rows.extend(view["rows"].as_array().unwrap().clone());
    }
    assert_eq!(Value::from(rows), whole["rows"]);
    assert_eq!(ask(&mut admin, &format!("/reports/paths?offset={total}")).await["rows"], json!([]));
}

/// Sorting is of the whole table, before it is cut: nothing is lost, what is equal stays in order, empty cells come last.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_sorted_before_they_are_cut() {
    let (_server, mut admin) = Server::with_admin().await;
    let whole = ask(&mut admin, "/reports/people?limit=10000").await;
    let rows = whole["rows"].as_array().unwrap();
    let at =
        |name: &str| whole["columns"].as_array().unwrap().iter().position(|column| column["name"] == name).unwrap();
    let (value, last) = (at("value"), at("last_channel"));
    let mut wanted = rows.clone();
    wanted.sort_by(|a, b| b[value].as_f64().unwrap().total_cmp(&a[value].as_f64().unwrap()));
    assert_ne!(&wanted, rows);
    let sorted = ask(&mut admin, "/reports/people?limit=10000&sort=-value").await;
    assert_eq!(sorted["rows"].as_array().unwrap(), &wanted);
    let page = ask(&mut admin, "/reports/people?limit=5&offset=5&sort=-value").await;
    assert_eq!(page["rows"].as_array().unwrap(), &wanted[5..10]);
    assert_eq!(page["total_rows"], whole["total_rows"]);
    // Of the same question, so computed once.
    assert_eq!(page["meta"]["cached"], true);
    let mut wanted = rows.clone();
    wanted.sort_by_key(|row| (row[last].is_null(), row[last].as_str().unwrap_or_default().to_owned()));
    assert_eq!(ask(&mut admin, "/reports/people?limit=10000&sort=last_channel").await["rows"], Value::from(wanted));
    let csv = admin.get("/reports/people?sort=-value&format=csv").await.text();
    assert!(csv.lines().nth(1).unwrap().starts_with(sorted["rows"][0][0].as_str().unwrap()), "{csv}");
    assert_eq!(admin.get("/reports/people?sort=colour").await.problem(), "bad_request");
    let query = json!({"query": "SELECT column1 AS n FROM (VALUES (2), (NULL), (3), (1))"});
    for (order, rows) in [("n", json!([[1], [2], [3], [null]])), ("-n", json!([[3], [2], [1], [null]]))] {
        assert_eq!(admin.post(&format!("/sql?sort={order}"), query.clone()).await.json()["rows"], rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_kept_until_data_or_settings_change() {
    let (server, mut admin) = Server::with_admin().await;
    let path = "/reports/attribution?model=linear";
    let first = ask(&mut admin, path).await;
    let second = ask(&mut admin, path).await;
    assert_eq!((&first["meta"]["cached"], &second["meta"]["cached"]), (&json!(false), &json!(true)));
    assert_eq!(first["rows"], second["rows"]);
    // Another spelling of the same parameters is the same question; another question is not.
    assert_eq!(ask(&mut admin, "/reports/attribution?from=&model=linear").await["meta"]["cached"], true);
    assert_eq!(ask(&mut admin, "/reports/attribution?model=last").await["meta"]["cached"], false);
    // What a condition finds can depend on the time of day.
    let condition = "/reports/attribution?model=linear&where=value%20%3E%2010";
    for _ in 0..2 {
        assert_eq!(ask(&mut admin, condition).await["meta"]["cached"], false);
    }
    let workspace = Workspace::open(&server.root()).await.unwrap();
    build(&workspace, true, &|_| {}).await.unwrap();
    let after = ask(&mut admin, path).await;
    assert_eq!(after["meta"]["cached"], false);
    assert_ne!(after["meta"]["data_version"], first["meta"]["data_version"]);
    assert_eq!(after["meta"]["settings_version"], first["meta"]["settings_version"]);
    let file = server.root().join("safar.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n# changed\n")).unwrap();
    let changed = ask(&mut admin, path).await;
    assert_eq!(changed["meta"]["cached"], false);
    assert_ne!(changed["meta"]["settings_version"], first["meta"]["settings_version"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_no_single_people() {
    let (server, mut admin) = Server::with_admin().await;
    let mut viewer = server.user(&mut admin, "viewer").await;
    assert_eq!(viewer.get("/reports/attribution?where=value%3E0").await.problem(), "not_allowed");
    assert_eq!(viewer.get("/reports/explain?model=linear&label=Direct").await.problem(), "not_allowed");
    assert_eq!(viewer.post("/sql", json!({"query": "SELECT 1"})).await.problem(), "not_allowed");
    assert_eq!(viewer.get("/reports/attribution").await.status, StatusCode::OK);
}

/// A query that would run for hours stops when its client leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_stops_when_nobody_waits() {
    let (server, mut admin) = Server::with_admin().await;
    let numbers = "(SELECT * FROM generate_series(1, 100000000))";
    let query = format!("SELECT count(*) FROM {numbers} AS a (x) JOIN {numbers} AS b (y) ON a.x % 7 <= b.y % 9");
    let asked = tokio::time::timeout(Duration::from_secs(1), admin.post("/sql", json!({"query": query}))).await;
    if let Ok(answer) = asked {
        panic!("{}", answer.text());
    }
    ended(&server).await;
}

/// So does a model that would be fitted for minutes, in the middle of its fit.
#[tokio::test(flavor = "multi_thread")]
async fn a_fit_stops_when_nobody_waits() {
    let (server, mut admin) = Server::with_admin().await;
    let asked = admin.get("/reports/attribution?model=shapley_markov:order%3D2%2Csamples%3D1000000");
    if let Ok(answer) = tokio::time::timeout(Duration::from_secs(3), asked).await {
        panic!("{}", answer.text());
    }
    ended(&server).await;
}

/// Waits until nothing is computed any more.
async fn ended(server: &Server) {
    for _ in 0..600 {
        if server.app.running_queries() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the query goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_says_what_it_holds() {
    let (_server, mut admin) = Server::with_admin().await;
    let view = ask(&mut admin, "/workspace").await;
    let count = async |browser: &mut Browser, query: &str| {
        browser.post("/sql", json!({"query": query})).await.json()["rows"][0][0].clone()
    };
    assert_eq!(view["events"], count(&mut admin, "SELECT count(*) FROM events").await);
    let people = "SELECT count(*) FROM (SELECT person_id FROM sessions UNION SELECT person_id FROM touchpoints \
                  UNION SELECT person_id FROM conversions)";
    assert_eq!(view["people"], count(&mut admin, people).await);
    assert_eq!(view["goals"], json!(["purchase"]));
    assert!(view["first_day"].as_str() < view["last_day"].as_str());
    let shares = |spec: &str| {
        let models = view["models"].as_array().unwrap();
        models.iter().find(|model| model["spec"] == spec).unwrap_or_else(|| panic!("{spec}"))["shares_of_four"].clone()
    };
    assert_eq!(shares("linear"), json!([0.25, 0.25, 0.25, 0.25]));
    assert_eq!(shares("last"), json!([0.0, 0.0, 0.0, 1.0]));
    assert_eq!(shares("markov:order=1"), Value::Null);
    assert!(view["models"].as_array().unwrap().iter().all(|model| !model["help"].as_str().unwrap().is_empty()));
    let tables = ask(&mut admin, "/tables").await;
    assert!(tables.as_array().unwrap().iter().any(|table| table["name"] == "touchpoints"));
}

/// The web application always names days, and any model can be chosen there.
#[tokio::test(flavor = "multi_thread")]
async fn models_of_cause_answer_with_days_and_beside_models_that_cannot() {
    let (_server, mut admin) = Server::with_admin().await;
    let path = "/reports/attribution?model=linear&model=hazard&from=2026-06-15&to=2026-07-10";
    let view = ask(&mut admin, path).await;
    let total = view["extra"]["conversions"].as_f64().unwrap();
    let models: Vec<&str> = view["rows"].as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    assert!(total > 3.0 && models.iter().any(|model| model.starts_with("hazard")), "{view}");
    for model in ["linear", "hazard"] {
        let rows = view["rows"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row[0].as_str().unwrap().split(':').next() == Some(model));
        let sum: f64 = rows.map(|row| row[2].as_f64().unwrap()).sum();
        assert!((sum - total).abs() < 1e-6, "{model}: {sum} of {total}");
    }
    let association = json!({"code": "association", "text": "credit is association, not cause, unless it is calibrated by an experiment"});
    assert!(view["meta"]["notes"].as_array().unwrap().contains(&association), "{}", view["meta"]["notes"]);
    let notes = view["meta"]["notes"].to_string();
    assert!(notes.contains("association, not cause") && !notes.contains("--"), "{notes}");
}

/// Both ways to compare two groups count the same people.
#[tokio::test(flavor = "multi_thread")]
async fn ways_of_two_groups_are_those_of_the_people_compared() {
    let (_server, mut admin) = Server::with_admin().await;
    let groups = "a=channel%3D%27Email%27&b=channel%3D%27Paid%20Search%27";
    let figures = ask(&mut admin, &format!("/reports/compare?{groups}")).await;
    let flow = ask(&mut admin, &format!("/reports/compare-flow?{groups}&limit=10000")).await;
    let people = &figures["rows"][0];
    assert_eq!(people[0], "people");
    let of = |place: &str| {
        let rows = flow["rows"].as_array().unwrap().iter();
        rows.filter(|row| row[1].is_null()).find(|row| row[0] == place).unwrap().clone()
    };
    // Whoever has a touch has a path; and whoever converted came to the end of one.
    let start = of("(start)");
    assert!(start[2].as_f64().unwrap() <= people[1].as_f64().unwrap());
    let (rate, end) = (&figures["rows"][1], of("(conversion)"));
    for at in 0..5 {
        assert_eq!(rate[1 + at], end[4 + at], "{rate} {end}");
    }
    let both = |view: &Value| view["meta"]["notes"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(both(&figures), both(&flow));
    // Nobody of the second group is in the first: no group has more people at a place than it has people.
    for row in flow["rows"].as_array().unwrap() {
        assert!(row[2].as_f64() <= people[1].as_f64() && row[3].as_f64() <= people[2].as_f64(), "{row}");
        assert!(row[7].as_f64() <= row[6].as_f64() && row[6].as_f64() <= row[8].as_f64(), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_per_conversion_have_intervals_where_they_are_asked_for() {
    let (_server, mut admin) = Server::with_admin().await;
    let view = ask(&mut admin, "/reports/channels?model=linear&intervals=true&resamples=30&seed=7").await;
    let names: Vec<&str> = view["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let tail = ["cpa linear low", "cpa linear high", "roas linear low", "roas linear high"];
    assert!(names.ends_with(&tail), "{names:?}");
    assert_eq!(view["meta"]["seed"], 7);
}

/// Campaigns of a channel share what the channel has, and what is said beside them has parts that add up.
#[tokio::test(flavor = "multi_thread")]
async fn campaigns_have_the_columns_of_channels() {
    let (_server, mut admin) = Server::with_admin().await;
    let channels = ask(&mut admin, "/reports/channels?model=linear").await;
    let campaigns = ask(&mut admin, "/reports/channels?model=linear&by=campaign&within=channel%3DPaid%20Search").await;
    let names = |view: &Value| -> Vec<String> {
        view["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((names(&campaigns)[0].as_str(), &names(&campaigns)[1..]), ("campaign", &names(&channels)[1..]));
    let credit = names(&channels).iter().position(|name| name == "credit linear").unwrap();
    let rows = |view: &Value| view["rows"].as_array().unwrap().clone();
    let inside = |row: &Value| !["(elsewhere)", "(unattributed)"].contains(&row[0].as_str().unwrap());
    let sum: f64 = rows(&campaigns).iter().filter(|row| inside(row)).map(|row| row[credit].as_f64().unwrap()).sum();
    let paid = rows(&channels).into_iter().find(|row| row[0] == "Paid Search").unwrap();
    assert!((sum - paid[credit].as_f64().unwrap()).abs() < 1e-9, "{sum} {paid}");
    let refused = admin.get("/reports/channels?by=country").await;
    assert_eq!(refused.problem(), "bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn transitions_are_no_fewer_than_the_people_who_made_them() {
    let (_server, mut admin) = Server::with_admin().await;
    let view = ask(&mut admin, "/reports/explorer?start=event:page_view&depth=4&limit=10000").await;
    let rows = view["rows"].as_array().unwrap();
    let of = |at: usize| rows.iter().map(|row| row[at].as_u64().unwrap()).sum::<u64>();
    assert!(rows.iter().all(|row| row[4].as_u64() >= row[3].as_u64()), "{view}");
    assert!(of(4) > of(3), "somebody looked at pages twice");
    // Whoever comes to a place leaves it, and so do transitions.
    let sums = |level: u64, side: usize, at: usize| {
        let mut sums = std::collections::BTreeMap::new();
        for row in rows.iter().filter(|row| row[0] == level && row[side] != "(end)") {
            *sums.entry(row[side].as_str().unwrap().to_owned()).or_insert(0) += row[at].as_u64().unwrap();
        }
        sums
    };
    for level in 0..3 {
        for at in [3, 4] {
            assert_eq!(sums(level, 2, at), sums(level + 1, 1, at), "{level}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_that_people_meet_say_why_in_parts() {
    let (server, mut admin) = Server::with_admin().await;
    let mut viewer = server.user(&mut admin, "viewer").await;
    let reason = |answer: crate::support::Answer| answer.json()["reason"].clone();
    let needs = json!({"code": "needs_role", "values": {"role": "admin"}});
    assert_eq!(reason(viewer.get("/users").await), needs);
    let where_ = viewer.get("/reports/attribution?where=true").await;
    assert_eq!(reason(where_), json!({"code": "condition_needs_role", "values": {"role": "analyst"}}));
    let goal = admin.get("/reports/attribution?goal=fame").await;
    assert_eq!(reason(goal), json!({"code": "no_goal", "values": {"goal": "fame", "known": ["purchase"]}}));
    let nobody = admin.get("/people/1").await;
    assert_eq!(nobody.problem(), "not_found");
    assert_eq!(reason(nobody), json!({"code": "no_person", "values": {"id": "1"}}));
    let few = admin.get("/reports/compare?a=channel%3D%27none%27&b=channel%3D%27Direct%27").await;
    assert_eq!(reason(few), json!({"code": "too_few", "values": {"got": 0.0, "least": 2.0}}));
    let body = json!({"name": "B", "email": "b@example.com", "password": "short", "role": "viewer"});
    let short = admin.post("/users", body).await;
    assert_eq!(reason(short), json!({"code": "password_length", "values": {"least": 10, "most": 1024}}));
    assert!(reason(admin.get("/reports/paths?no_such=1").await).is_null(), "a program's mistake has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_queries_say_why_in_parts() {
    let (_server, mut admin) = Server::with_admin().await;
    for (query, code, values) in [
        ("SELECT chanel FROM sessions", "column_near", json!({"column": "chanel", "near": "channel"})),
        ("SELECT conut(*) FROM sessions", "no_function", json!({"function": "conut"})),
        ("SELECT channel, count(*) FROM sessions", "not_grouped", json!({"column": "sessions.channel"})),
        ("SELECT sum(channel) FROM sessions", "wrong_types", json!({"call": "sum(Utf8)"})),
        ("SELECT FROM", "query_unfinished", Value::Null),
        ("SELECT 1\nFROM sessions)", "not_understood", json!({"found": ")", "line": 2, "column": 14})),
        ("SELECT CAST('a' AS INT)", "not_of_type", json!({"value": "a", "kind": "Int32"})),
        ("SELECT 1 / 0", "division_by_zero", Value::Null),
    ] {
        let answer = admin.post("/sql", json!({"query": query})).await.json();
        let (reason, detail) = (&answer["reason"], answer["detail"].as_str().unwrap());
        assert_eq!((reason["code"].as_str(), &reason["values"]), (Some(code), &values), "{query}: {answer}");
        assert!(!detail.contains("bug") && detail.len() < 200, "{detail}");
    }
    let unknown = admin.post("/sql", json!({"query": "SELECT * FROM visits"})).await.json();
    assert_eq!(unknown["reason"]["code"], "no_table");
    assert_eq!(unknown["reason"]["values"]["known"].as_array().map(Vec::len), Some(11));
}

/// Days without any outcome are an empty answer, not a refusal.
#[tokio::test(flavor = "multi_thread")]
async fn models_agree_on_nothing_where_nothing_was_earned() {
    let (_server, mut admin) = Server::with_admin().await;
    let view = ask(&mut admin, "/reports/agreement?from=1999-01-01&to=1999-02-01").await;
    assert_eq!(view["rows"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_names_people_rules_and_windows() {
    let (_server, mut admin) = Server::with_admin().await;
    let view = ask(&mut admin, "/reports/explain?model=linear&label=Email&conversions=0&limit=10000").await;
    let names: Vec<&str> = view["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    for row in view["rows"].as_array().unwrap() {
        let person = row[at("person_id")].as_str().unwrap();
        assert!(person.parse::<i64>().unwrap() > 0);
        let rule = row[at("rule")].as_str().unwrap();
        let label = row[at("label")].as_str().unwrap();
        assert!(rule.starts_with(&format!("{label}: ")), "{label}: {rule}");
        assert_eq!(row[at("rule_code")], label.to_lowercase().replace([' ', '-'], "_"), "{rule}");
        let window = ["window", "window_code", "window_days"].map(|name| row[at(name)].clone());
        let (clicks, views) =
            (json!(["clicks and visits: 30 days", "clicks", 30]), json!(["impressions: 1 day", "views", 1]));
        assert!(json!(window) == clicks || json!(window) == views, "{window:?}");
    }
}

/// Every answer says what it was made from, and the same things name the same versions.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_versions_its_goal_and_its_seed() {
    use futures::StreamExt;
    let (_server, mut admin) = Server::with_admin().await;
    let meta = ask(&mut admin, "/reports/trend").await["meta"].clone();
    let workspace = ask(&mut admin, "/workspace").await;
    let person = ask(&mut admin, "/reports/people?limit=1").await["rows"][0][0].as_str().unwrap().to_owned();
    let person = ask(&mut admin, &format!("/people/{person}")).await;
    let text = ask(&mut admin, "/settings").await["text"].clone();
    let preview = admin.post("/settings/preview", json!({"text": text})).await.json();
    let mut news = admin.ask(axum::http::Method::GET, "/live", None).await.into_body().into_data_stream();
    let news = String::from_utf8(news.next().await.unwrap().unwrap().to_vec()).unwrap();
    let live: Value = serde_json::from_str(news.strip_prefix("data: ").unwrap_or_else(|| panic!("{news}"))).unwrap();
    for key in ["data_version", "settings_version", "program_version"] {
        assert!(!meta[key].as_str().unwrap().is_empty());
        for other in [&workspace, &person["meta"], &preview["meta"], &live["meta"]] {
            assert_eq!(other[key], meta[key], "{key}");
        }
    }
    for (name, query) in QUESTIONS {
        let goal = ask(&mut admin, &format!("/reports/{name}{query}")).await["meta"]["goal"].clone();
        let wanted = if WITHOUT_GOAL.contains(name) { Value::Null } else { "purchase".into() };
        assert_eq!(goal, wanted, "{name}");
    }
    assert_eq!(ask(&mut admin, "/reports/retention?conversions=true").await["meta"]["goal"], "purchase");
    assert_eq!(ask(&mut admin, "/reports/backtest?model=linear").await["meta"]["seed"], 1);
}

/// Models that are asked for with settings of their own say what they do, too.
#[tokio::test(flavor = "multi_thread")]
async fn models_of_an_answer_say_how_they_share() {
    let (_server, mut admin) = Server::with_admin().await;
    let query = "/reports/attribution?model=position:first=0.3,last=0.5&model=markov";
    let shares = ask(&mut admin, query).await["extra"]["shares_of_four"].clone();
    let of = |word: &str| {
        let shares = shares.as_object().unwrap();
        shares.iter().find(|(model, _)| model.starts_with(word)).unwrap_or_else(|| panic!("{shares:?}")).1.clone()
    };
    let position: Vec<f64> = serde_json::from_value(of("position")).unwrap();
    for (share, wanted) in position.iter().zip([0.3, 0.1, 0.1, 0.5]) {
        assert!((share - wanted).abs() < 1e-12, "{position:?}");
    }
    assert_eq!(of("markov"), Value::Null);
}

/// The events of a person come in pages.
#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_of_a_person_comes_in_pages() {
    let (_server, mut admin) = Server::with_admin().await;
    let query =
        "SELECT CAST(person_id AS VARCHAR) FROM person_events GROUP BY person_id ORDER BY count(*) DESC LIMIT 1";
    let person = admin.post("/sql", json!({"query": query})).await.json()["rows"][0][0].as_str().unwrap().to_owned();
    let path = format!("/people/{person}");
    let whole = ask(&mut admin, &path).await;
    let total = whole["timeline_rows"].as_u64().unwrap();
    assert!(total > 5 && whole["timeline"].as_array().unwrap().len() as u64 == total);
    let mut pages = vec![];
    for offset in (0..total).step_by(3) {
        let page = ask(&mut admin, &format!("{path}?limit=3&offset={offset}")).await;
        assert_eq!((&page["timeline_rows"], &page["sessions"]), (&whole["timeline_rows"], &whole["sessions"]));
        pages.extend(page["timeline"].as_array().unwrap().clone());
    }
    assert_eq!(Value::from(pages), whole["timeline"]);
}

/// Who dropped is as many as the funnel counts.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_dropped_are_listed() {
    let (_server, mut admin) = Server::with_admin().await;
    let steps = "step=event:page_view&step=goal:purchase";
    let funnel = ask(&mut admin, &format!("/reports/funnel?{steps}")).await;
    let at = funnel["columns"].as_array().unwrap().iter().position(|column| column["name"] == "dropped").unwrap();
    let page = ask(&mut admin, &format!("/reports/dropped-people?{steps}&limit=2")).await;
    assert_eq!(page["total_rows"], funnel["rows"][0][at]);
    assert_eq!(page["rows"].as_array().unwrap().len(), 2);
    let person = page["rows"][0][0].as_str().unwrap().to_owned();
    assert_eq!(ask(&mut admin, &format!("/people/{person}")).await["person"]["person_id"], person);
}

/// News end for those who may no longer see them.
#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_news_ends_with_the_login() {
    use futures::StreamExt;
    let (server, mut admin) = Server::with_admin().await;
    let mut viewer = server.user(&mut admin, "viewer").await;
    let mut news = viewer.ask(axum::http::Method::GET, "/live", None).await.into_body().into_data_stream();
    let first = String::from_utf8(news.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.starts_with("data: {"), "{first}");
    viewer.send(axum::http::Method::POST, "/logout", None).await;
    let ended =
        tokio::time::timeout(Duration::from_secs(30), async move { while news.next().await.is_some() {} }).await;
    assert!(ended.is_ok(), "the stream goes on");
}
