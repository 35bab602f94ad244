//! Settings and builds over the API.
use crate::support::Server;
use axum::http::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_replaced_and_remembered() {
    let (server, mut admin) = Server::with_admin().await;
    let old = admin.get("/settings").await.json();
    let text = old["text"].as_str().unwrap();
    assert_eq!(text, std::fs::read_to_string(server.root().join("safar.toml")).unwrap());
    let wrong = text.replace("time_zone = \"UTC\"", "time_zone = \"Mars\"");
    let checked = admin.post("/settings/check", json!({"text": wrong})).await.json();
    assert_eq!((&checked["ok"], &checked["problem"]["line"]), (&json!(false), &json!(7)), "{checked}");
    assert_eq!(admin.post("/settings/check", json!({"text": text})).await.json(), json!({"ok": true, "problem": null}));
    let refused = admin.send(Method::PUT, "/settings", Some(json!({"text": wrong, "version": old["version"]}))).await;
    assert_eq!(refused.problem(), "bad_settings");
    assert_eq!(refused.json()["file"], "safar.toml");

    let new = text.replace("currency = \"EUR\"", "currency = \"ISK\"");
    let wish = json!({"text": new, "version": old["version"]});
    let done = admin.send(Method::PUT, "/settings", Some(wish.clone())).await.json();
    assert_eq!(
        (done["text"].as_str(), done["history"][0]["user"].as_str()),
        (Some(new.as_str()), Some("ana@example.com"))
    );
    assert_eq!(std::fs::read_to_string(server.root().join("safar.toml")).unwrap(), new);
    assert_eq!(admin.send(Method::PUT, "/settings", Some(wish)).await.problem(), "conflict");
    assert_eq!(admin.get("/workspace").await.json()["currency"], "ISK");
    assert_eq!(admin.get("/settings/history").await.json()[0]["text"], new);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_program_broke_is_a_problem_with_its_line() {
    let (server, mut admin) = Server::with_admin().await;
    let file = server.root().join("safar.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[windows]\nclick_days = 30", "[windows]\nclick_days = \"many\"")).unwrap();
    let answer = admin.get("/reports/attribution").await;
    assert_eq!(answer.problem(), "bad_settings");
    assert!(answer.json()["line"].as_u64().unwrap() > 1, "{}", answer.text());
    std::fs::write(&file, text).unwrap();
    assert_eq!(admin.get("/reports/attribution").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_started_and_followed() {
    let (_server, mut admin) = Server::with_admin().await;
    let started = admin.send(Method::POST, "/build", None).await;
    assert_eq!(started.status, StatusCode::ACCEPTED);
    let path = format!("/jobs/{}", started.json()["job"]);
    for _ in 0..600 {
        let job = admin.get(&path).await.json();
        if job["state"] != "running" {
            assert_eq!(job["state"], "done", "{job}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the build does not end");
}
