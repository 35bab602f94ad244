//! One person handed out and erased over the API, and what the audit log says of it.
use crate::support::Server;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::{fs, time::Duration};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_handed_out_and_erased() {
    let (server, mut admin) = Server::with_admin().await;
    let query = "SELECT CAST(min(person_id) AS VARCHAR) FROM conversions";
    let answer = admin.post("/sql", json!({"query": query})).await;
    let person = answer.json()["rows"][0][0].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned();

    let out = admin.get(&format!("/people/{person}/export")).await;
    assert_eq!(out.status, StatusCode::OK, "{}", out.text());
    let out = out.json();
    let events = out["events"].as_array().unwrap().len();
    assert!(events > 0 && !out["conversions"].as_array().unwrap().is_empty(), "{out}");
    let identifier = out["identifiers"][0]["identifier"].as_str().unwrap().to_owned();

    let path = format!("/people/{person}/erase");
    assert_eq!(admin.post(&path, json!({"person": "1"})).await.status, StatusCode::BAD_REQUEST);
    let started = admin.post(&path, json!({"person": person})).await;
    assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.text());
    let job = started.json()["job"].as_i64().unwrap();
    let job = loop {
        let job = admin.get(&format!("/jobs/{job}")).await.json();
        if job["state"] != "running" {
            break job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(job["state"], "done", "{job}");
    let query = format!(
        "SELECT count(*) FROM persons WHERE CAST(person_id AS VARCHAR) = '{person}' OR identifier = '{identifier}'"
    );
    assert_eq!(admin.post("/sql", json!({"query": query})).await.json()["rows"][0][0], 0);
    assert_ne!(admin.get(&format!("/people/{person}/export")).await.status, StatusCode::OK);

    let mut stranger = server.browser().await;
    let login = json!({"email": "nobody@example.com", "password": "wrong password"});
    assert_ne!(stranger.post("/login", login).await.status, StatusCode::OK);
    server.user(&mut admin, "viewer").await;
    admin.post("/tokens", json!({"name": "bi"})).await;
    admin.send(axum::http::Method::POST, "/sql?format=csv", Some(json!({"query": "SELECT 1"}))).await;
    let audit = admin.get("/audit").await.json();
    let acts: Vec<&str> = audit.as_array().unwrap().iter().map(|line| line["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["download", "token_made", "user_added", "login_failed", "erase", "export", "user_added"]);
    let of = |act: &str| audit.as_array().unwrap().iter().find(|line| line["act"] == act).unwrap();
    assert_eq!(of("erase")["who"], "account:ana@example.com");
    assert_eq!(of("erase")["detail"]["rows"]["events"], events);
    assert_eq!(of("export")["detail"]["rows"]["events"], events);
    assert_eq!(of("login_failed")["who"], "unknown", "what a stranger types is not kept");
    let text = fs::read_to_string(server.root().join("audit.ndjson")).unwrap();
    assert!(!text.contains(&identifier) && !text.contains("nobody@example.com"), "{text}");
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}
