//! Every route against every role; the document; problems; headers.
use crate::support::{PASSWORD, Server};
use axum::http::{Method, StatusCode};
use safar_server::app::{Access, accounts::Role, document, routes::routes};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn name(access: Access) -> &'static str {
    match access {
        Access::Public => "public",
        Access::Role(role) => role.name(),
    }
}

/// What a reviewer of a new route must agree to.
const RULES: &str = "\
public GET /session
public POST /setup
public POST /login
public POST /logout
viewer POST /password
public GET /openapi.json
admin GET /users
admin POST /users
admin PATCH /users/{id}
admin DELETE /users/{id}
viewer GET /tokens
viewer POST /tokens
viewer DELETE /tokens/{id}
viewer GET /workspace
analyst GET /people/{id}
admin GET /people/{id}/export
admin POST /people/{id}/erase
admin GET /audit
viewer GET /live
viewer GET /tables
analyst POST /sql
analyst GET /settings
analyst GET /settings/history
analyst POST /settings/check
analyst POST /settings/preview
admin PUT /settings
analyst POST /build
analyst GET /jobs/{id}
viewer GET /reports/overview
viewer GET /reports/trend
viewer GET /reports/attribution
viewer GET /reports/agreement
viewer GET /reports/backtest
viewer GET /reports/experiment
analyst GET /reports/explain
viewer GET /reports/channels
viewer GET /reports/paths
viewer GET /reports/null-paths
viewer GET /reports/path-lengths
viewer GET /reports/time-lags
viewer GET /reports/positions
viewer GET /reports/transitions
viewer GET /reports/explorer
viewer GET /reports/funnel
viewer GET /reports/dropouts
analyst GET /reports/dropped-people
viewer GET /reports/obstacles
viewer GET /reports/retention
analyst GET /reports/people
analyst GET /reports/compare
analyst GET /reports/compare-flow
viewer GET /reports/sessions
viewer GET /reports/quality
analyst GET /reports/rejects
viewer GET /reports/reject-reasons
viewer GET /reports/sources
";

#[test]
fn who_may_what_is_as_agreed() {
    let rules: String =
        routes().iter().map(|route| format!("{} {} {}\n", name(route.access), route.method, route.path)).collect();
    assert_eq!(rules, RULES, "a route was added or its rule changed: agree to it here");
}

/// Nobody gets into a route below its role, with a cookie or a token, and everybody from its role on does.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_closed_to_those_below_its_role() {
    let (server, mut admin) = Server::with_admin().await;
    let mut callers = vec![(None, server.browser().await)];
    for role in [Role::Viewer, Role::Analyst] {
        callers.push((Some(role), server.user(&mut admin, role.name()).await));
    }
    callers.push((Some(Role::Admin), admin));
    for (role, browser) in callers.clone() {
        let Some(role) = role else { continue };
        let answer = browser.clone().post("/tokens", json!({"name": "test"})).await;
        let mut by_token = browser.clone();
        (by_token.cookie, by_token.csrf) = (None, None);
        by_token.token = Some(format!("Bearer {}", answer.json()["secret"].as_str().unwrap()));
        callers.push((Some(role), by_token));
    }
    for route in routes() {
        for (role, browser) in &callers {
            // Routes that would end the session, lock the address or change the accounts for the next ones.
            if ["/logout", "/setup", "/login", "/password"].contains(&route.path.as_str())
                && route.method == Method::POST
            {
                continue;
            }
            let mut path = route.path.replace("{id}", "987654");
            if path.starts_with("/reports/") {
                path.push_str("?unknown=1"); // Whoever may see it learns that; nothing is computed.
            }
            let body = (route.method != Method::GET).then(|| json!({"unknown": 1}));
            let answer = browser.clone().send(route.method.clone(), &path, body).await;
            let may = match route.access {
                Access::Public => true,
                Access::Role(least) => role.is_some_and(|role| role >= least),
            };
            let what = format!("{role:?} {} {path}: {} {}", route.method, answer.status, answer.text());
            match (may, role) {
                (true, _) => assert!(![401, 403].contains(&answer.status.as_u16()), "{what}"),
                (false, None) => assert_eq!(answer.problem(), "login_needed", "{what}"),
                (false, Some(_)) => assert_eq!(answer.problem(), "not_allowed", "{what}"),
            }
            assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        }
    }
}

/// Steps and dimensions that tell single people apart are closed to viewers: all but the columns that many people share.
#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_nobody_through_steps_and_properties() {
    const SHARED: [&str; 19] = [
        "name",
        "value",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "click_id_type",
        "source",
        "medium",
        "campaign",
        "channel",
        "interaction",
        "currency",
        "country",
        "language",
        "device",
        "browser",
        "os",
    ];
    let (server, mut admin) = Server::with_admin().await;
    let mut callers = vec![
        (Role::Viewer, server.user(&mut admin, "viewer").await),
        (Role::Analyst, server.user(&mut admin, "analyst").await),
    ];
    callers.push((Role::Admin, admin));
    for (role, browser) in &mut callers {
        let mut opens = async |path: &str, is_shared: bool| {
            let answer = browser.get(path).await;
            if is_shared || *role >= Role::Analyst {
                assert_eq!(answer.status, StatusCode::OK, "{role:?} {path}: {}", answer.text());
            } else {
                assert_eq!(answer.problem(), "not_allowed", "{path}");
            }
        };
        for field in safar_journey::INPUT_COLUMNS.into_iter().skip(2).chain(["plan"]) {
            let test = if field == "value" {
                json!({"field": field, "above": 0})
            } else {
                json!({"field": field, "exists": true})
            };
            let step = json!({"name": "step", "where": [test]}).to_string();
            let step: String = step.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let is_shared = SHARED.contains(&field);
            opens(&format!("/reports/funnel?step=event:page_view&step={step}"), is_shared).await;
            if ["order_id", "plan", "name"].contains(&field) {
                opens(&format!("/reports/funnel?step=event:page_view&step=goal:purchase&exclude={step}"), is_shared)
                    .await;
                opens(&format!("/reports/explorer?start={step}"), is_shared).await;
                opens(&format!("/reports/explorer?end={step}"), is_shared).await;
                opens(&format!("/reports/dropouts?step={step}&step=goal:purchase"), is_shared).await;
            }
        }
        for report in ["attribution", "agreement"] {
            opens(&format!("/reports/{report}?by=campaign"), true).await;
            opens(&format!("/reports/{report}?by=property:plan"), false).await;
            opens(&format!("/reports/{report}?by=property:plan&within=channel=Direct"), false).await;
            // One thing that browsers tell is many people's; several soon are one's.
            opens(&format!("/reports/{report}?by=device&within=channel=Direct"), true).await;
            opens(&format!("/reports/{report}?by=device&within=country=PL"), false).await;
            opens(&format!("/reports/{report}?by=channel&within=os=iOS&within=language=pl"), false).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_without_the_sessions_token() {
    let (server, admin) = Server::with_admin().await;
    let mut other = server.browser().await;
    other.get("/session").await;
    for route in routes().iter().filter(|route| route.method != Method::GET) {
        let path = route.path.replace("{id}", "1");
        for csrf in [None, Some(String::new()), other.csrf.clone()] {
            let mut browser = admin.clone();
            browser.csrf = csrf;
            let answer = browser.send(route.method.clone(), &path, Some(json!({}))).await;
            assert_eq!(answer.problem(), "csrf", "{} {path}", route.method);
        }
    }
    assert_eq!(admin.clone().get("/users").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_a_problem_with_a_way_out() {
    let (_server, mut admin) = Server::with_admin().await;
    let cases: [(Method, &str, Option<Value>, &str); 13] = [
        (Method::GET, "/nothing", None, "not_found"),
        (Method::DELETE, "/workspace", None, "wrong_method"),
        (Method::GET, "/reports/nothing", None, "not_found"),
        (Method::GET, "/reports/attribution?colour=red", None, "bad_request"),
        (Method::GET, "/reports/attribution?model=psychic", None, "bad_request"),
        (Method::GET, "/reports/attribution?from=yesterday", None, "bad_request"),
        (Method::GET, "/reports/attribution?goal=nothing", None, "bad_request"),
        (Method::GET, "/reports/attribution?limit=0", None, "bad_request"),
        (Method::GET, "/reports/attribution?format=xlsx", None, "bad_request"),
        (Method::GET, "/reports/explain?model=linear", None, "bad_request"),
        (Method::POST, "/sql", Some(json!({"query": "SELECT colour FROM events"})), "bad_query"),
        (
            Method::POST,
            "/sql",
            Some(json!({"query": "SELECT 1 / (value - 1) FROM generate_series(1, 2)"})),
            "bad_query",
        ),
        (Method::POST, "/sql", Some(json!({"query": "CREATE TABLE t AS SELECT 1"})), "read_only"),
    ];
    for (method, path, body, code) in cases {
        let answer = admin.send(method, path, body).await;
        assert_eq!(answer.problem(), code, "{path}: {}", answer.text());
    }
    for unread in
        ["COPY events TO 'stolen.csv' STORED AS CSV", "SET datafusion.execution.batch_size = 1", "DROP TABLE events"]
    {
        assert_eq!(admin.post("/sql", json!({"query": unread})).await.problem(), "read_only", "{unread}");
    }
    let problem = admin.get("/reports/attribution?colour=red").await.json();
    assert!(problem["detail"].as_str().unwrap().contains("there are by, within, model"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_told_what_to_refuse() {
    let (server, mut admin) = Server::with_admin().await;
    for answer in [admin.get("/session").await, admin.get("/nothing").await] {
        assert!(answer.header("content-security-policy").contains("script-src 'self'"));
        assert!(!answer.header("content-security-policy").contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    let mut stranger = server.browser().await;
    let cookie = stranger.post("/login", json!({"email": "ana@example.com", "password": PASSWORD})).await;
    let cookie = cookie.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("Secure"), "over HTTP on this machine, as the settings say: {cookie}");
}

/// `SAFAR_WRITE=1 cargo test … document_is_committed` writes it.
#[test]
fn the_document_is_committed() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    let now = format!("{}\n", document().to_pretty_json().unwrap());
    if std::env::var_os("SAFAR_WRITE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == now,
        "the API changed: run this test with SAFAR_WRITE=1 and review the difference in docs/reference/openapi.json"
    );
}

/// Programs and screens go by codes: each stands in the documentation, and no other.
#[test]
fn the_codes_of_problems_are_documented() {
    let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
    let codes = document["components"]["schemas"]["Code"]["enum"].as_array().unwrap();
    let mut codes: Vec<&str> = codes.iter().map(|code| code.as_str().unwrap()).collect();
    let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/server.md")).unwrap();
    let table = text.split_once("| code | status |").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut documented: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    codes.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, codes);
}

/// All references lead somewhere, every route has its line, and no two operations have one name.
#[test]
fn the_document_hangs_together() {
    let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeMap::new();
    for route in routes() {
        let operation = &document["paths"][format!("/api/v1{}", route.path)][route.method.as_str().to_lowercase()];
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{} is missing", route.path));
        assert_eq!(ids.insert(id.to_owned(), route.path.clone()), None, "{id}");
    }
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| match value.as_str() {
                Some(to) if key == "$ref" => found.push(to.to_owned()),
                _ => references(value, found),
            }),
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = vec![];
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_or_how_to_build_it_is_shown() {
    let (server, _) = Server::with_admin().await;
    use tower::ServiceExt;
    let get = |path: &str| {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        server.router.clone().oneshot(request)
    };
    let page = get("/paths?goal=purchase").await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(get("/assets/gone.js").await.unwrap().status(), StatusCode::NOT_FOUND);
}
