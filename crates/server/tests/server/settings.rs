//! Settings and builds over the API.
use crate::support::{Browser, Server};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
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
    let reason = json!({"setting": "workspace.time_zone", "found": checked["problem"]["hint"].as_str().unwrap().trim_start_matches("the line is: ")});
    assert_eq!(checked["problem"]["reason"], json!({"code": "bad_setting", "values": reason}));
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
    let history = admin.get("/settings/history").await.json();
    assert_eq!((&history[0]["text"], &history[1]["text"]), (&json!(new), &json!(text)), "what was found stays, too");
    assert_eq!((history[1]["user"].as_str(), history.as_array().map(Vec::len)), (Some(""), Some(2)));
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

/// Starts a build, follows it to its end, and gives what it said.
async fn built(browser: &mut Browser) -> Vec<Value> {
    let started = browser.send(Method::POST, "/build", None).await;
    assert_eq!(started.status, StatusCode::ACCEPTED);
    let path = format!("/jobs/{}", started.json()["job"]);
    for _ in 0..600 {
        let job = browser.get(&path).await.json();
        if job["state"] != "running" {
            assert_eq!(job["state"], "done", "{job}");
            return job["lines"].as_array().unwrap().clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the build does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_started_and_followed() {
    let (_server, mut admin) = Server::with_admin().await;
    let lines = built(&mut admin).await;
    assert_eq!(lines[0], json!({"code": "step", "values": {"step": "people"}, "text": "people"}));
}

/// What the preview says of a rule is what a build with the rule does; before that, nothing is changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_does_what_the_preview_says() {
    let (_server, mut admin) = Server::with_admin().await;
    let old = admin.get("/settings").await.json();
    let text = old["text"].as_str().unwrap();
    let count = async |browser: &mut Browser, query: &str| {
        browser.post("/sql", json!({"query": query})).await.json()["rows"][0][0].as_u64().unwrap()
    };
    let mut same = admin.post("/settings/preview", json!({"text": format!("{text}\n# a remark\n")})).await.json();
    let meta = same.as_object_mut().unwrap().remove("meta").unwrap();
    assert_eq!(meta["settings_version"], old["version"], "nothing is changed");
    assert_eq!(same, json!({"events": 0, "people": 0, "conversions": 0, "channels": [], "also": []}));

    let new = format!(
        "{text}\n[[channels.rules]]\nchannel = \"Poster\"\nwhen = {{ source = \"poster\", medium = \"qr\" }}\n"
    );
    let told = admin.post("/settings/preview", json!({"text": new})).await.json();
    let wanted = "SELECT count(*) FROM events WHERE source = 'poster' AND medium = 'qr'";
    let events = count(&mut admin, wanted).await;
    assert!(events > 0);
    assert_eq!(told["events"], events);
    assert_eq!(
        told["channels"],
        json!([{"from": "Unassigned", "to": "Poster", "events": events, "people": told["people"]}])
    );
    assert_eq!(told["also"], json!([]));
    assert_eq!(count(&mut admin, "SELECT count(*) FROM events WHERE channel = 'Poster'").await, 0);

    let wish = json!({"text": new, "version": old["version"]});
    assert_eq!(admin.send(Method::PUT, "/settings", Some(wish)).await.status, StatusCode::OK);
    let said = built(&mut admin).await;
    let changed = said.iter().find(|line| line["code"] == "rules_changed").expect("the rules changed");
    assert_eq!(changed["values"], json!({"events": events, "people": told["people"]}));
    assert_eq!(count(&mut admin, "SELECT count(*) FROM events WHERE channel = 'Poster'").await, events);
    let buyers = "SELECT count(*) FROM conversions WHERE person_id IN (SELECT person_id FROM touchpoints WHERE source = 'poster')";
    // A touch inside of a visit from elsewhere makes no touchpoint of its own: then its person is not found this way.
    assert!(told["conversions"].as_u64().unwrap() >= count(&mut admin, buyers).await);

    let text = admin.get("/settings").await.json()["text"].as_str().unwrap().to_owned();
    let other = text.replace("click_days = 30", "click_days = 14").replace("\"markov\"]", "\"shapley\"]");
    let told = admin.post("/settings/preview", json!({"text": other})).await.json();
    assert_eq!((&told["events"], &told["also"]), (&json!(0), &json!(["journeys", "models"])));
    assert_eq!(admin.post("/settings/preview", json!({"text": "[windows"})).await.problem(), "bad_settings");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_of_the_screens_is_told_before_anybody_logs_in() {
    let (server, mut admin) = Server::with_admin().await;
    assert_eq!(admin.get("/session").await.json()["locale"], "");
    let file = server.root().join("safar.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[workspace]", "[workspace]\nlocale = \"fa\"")).unwrap();
    assert_eq!(server.browser().await.get("/session").await.json()["locale"], "fa");
    assert_eq!(admin.get("/workspace").await.json()["locale"], "fa");
    std::fs::write(&file, text.replace("[workspace]", "[workspace]\nlocale = \"tlh\"")).unwrap();
    assert_eq!(admin.get("/workspace").await.problem(), "bad_settings");
    // Whoever mends the settings can still log in.
    assert_eq!(server.browser().await.get("/session").await.json()["locale"], "");
}

/// Over the API the drop folder lies in the workspace; what somebody wrote into the file stays.
#[tokio::test(flavor = "multi_thread")]
async fn the_drop_folder_lies_in_the_workspace() {
    let (server, mut admin) = Server::with_admin().await;
    let old = admin.get("/settings").await.json();
    let text = old["text"].as_str().unwrap();
    let with = |folder: &str| text.replace("\n[import]\n", &format!("\n[import]\ndrop = \"{folder}\"\n"));
    assert_ne!(with("inbox"), text);
    for folder in ["/etc", "../other", "inbox/../../x", ".", "", "data", "data/events", "collect", "rejects", ".git"] {
        let wish = json!({"text": with(folder), "version": old["version"]});
        assert_eq!(admin.send(Method::PUT, "/settings", Some(wish)).await.problem(), "bad_settings", "{folder}");
        let checked = admin.post("/settings/check", json!({"text": with(folder)})).await.json();
        assert_eq!(checked["ok"], false, "{folder}");
    }
    let file = server.root().join("safar.toml");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    // By hand it may lie elsewhere, and then other settings can still be changed.
    std::fs::write(&file, with("/srv/inbox")).unwrap();
    let now = admin.get("/settings").await.json();
    let wish = json!({"text": format!("{}\n# a remark\n", with("/srv/inbox")), "version": now["version"]});
    assert_eq!(admin.send(Method::PUT, "/settings", Some(wish)).await.status, StatusCode::OK);
    let now = admin.get("/settings").await.json();
    let wish = json!({"text": with("inbox/new"), "version": now["version"]});
    assert_eq!(admin.send(Method::PUT, "/settings", Some(wish)).await.status, StatusCode::OK);
}
