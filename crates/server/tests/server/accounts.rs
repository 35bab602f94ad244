//! Set-up, logins, guesses, users and tokens.
use crate::support::{PASSWORD, Server};
use axum::http::{Method, StatusCode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_needs_the_printed_code() {
    let server = Server::new().await;
    let mut browser = server.browser().await;
    assert_eq!(browser.get("/session").await.json()["setup_needed"], true);
    assert_eq!(browser.get("/workspace").await.problem(), "login_needed");
    let wish = |code: &str| json!({"code": code, "name": "Ana", "email": "ana@example.com", "password": PASSWORD});
    assert_eq!(browser.post("/setup", wish("guess")).await.problem(), "wrong_password");
    let code = server.app.setup_code().unwrap();
    let mut weak = wish(&code);
    weak["password"] = "short".into();
    assert_eq!(browser.post("/setup", weak).await.problem(), "bad_request");
    let made = browser.post("/setup", wish(&code)).await.json();
    assert_eq!((&made["user"]["role"], &made["setup_needed"]), (&json!("admin"), &json!(false)));
    assert_eq!(browser.get("/workspace").await.status, StatusCode::OK);
    assert_eq!(server.app.setup_code(), None);
    assert_eq!(browser.post("/setup", wish(&code)).await.problem(), "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_ends_soon_and_says_when_to_go_on() {
    let (server, mut admin) = Server::with_admin().await;
    server.user(&mut admin, "viewer").await;
    let mut guesser = server.browser().await;
    let login = |password: &str| json!({"email": "Ana@Example.com ", "password": password});
    for guess in 0..5 {
        assert_eq!(guesser.post("/login", login(&format!("guess {guess}"))).await.problem(), "wrong_password");
    }
    let answer = guesser.post("/login", login(PASSWORD)).await;
    assert_eq!(answer.problem(), "too_many_attempts", "also with the right password");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=901).contains(&seconds));
    // Others get in from the same address.
    let other = json!({"email": "viewer@example.com", "password": PASSWORD});
    assert_eq!(guesser.post("/login", other).await.status, StatusCode::OK);
}

/// Guesses are counted before the password is looked at, which takes long: many at once are no more than many in a row.
#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_no_more_than_in_a_row() {
    let (server, _) = Server::with_admin().await;
    let guesser = server.browser().await;
    let guesses: Vec<_> = (0..40)
        .map(|guess| {
            let mut guesser = guesser.clone();
            let login = json!({"email": "ana@example.com", "password": format!("guess {guess}")});
            tokio::spawn(async move { guesser.post("/login", login).await.problem() })
        })
        .collect();
    let mut codes = vec![];
    for guess in guesses {
        codes.push(guess.await.unwrap());
    }
    assert_eq!(codes.iter().filter(|code| *code == "wrong_password").count(), 5, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| *code == "too_many_attempts").count(), 35, "{codes:?}");
}

/// Whoever knows an address cannot keep its owner out from elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_does_not_lock_the_owner_out() {
    let (server, _) = Server::with_admin().await;
    let mut stranger = server.browser().await;
    stranger.address = [203, 0, 113, 9];
    for guess in 0..6 {
        stranger.post("/login", json!({"email": "ana@example.com", "password": format!("guess {guess}")})).await;
    }
    let right = json!({"email": "ana@example.com", "password": PASSWORD});
    assert_eq!(stranger.post("/login", right.clone()).await.problem(), "too_many_attempts");
    assert_eq!(server.browser().await.post("/login", right).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_that_put_together_are_the_whole() {
    let (server, mut admin) = Server::with_admin().await;
    for role in ["viewer", "analyst"] {
        server.user(&mut admin, role).await;
    }
    for name in ["one", "two", "three"] {
        admin.post("/tokens", json!({"name": name})).await;
    }
    let settings = admin.get("/settings").await.json();
    let mut version = settings["version"].clone();
    for remark in 0..3 {
        let text = format!("{}\n# {remark}\n", settings["text"].as_str().unwrap());
        let wish = json!({"text": text, "version": version});
        version = admin.send(Method::PUT, "/settings", Some(wish)).await.json()["version"].clone();
    }
    for path in ["/users", "/tokens", "/settings/history", "/audit"] {
        let whole = admin.get(path).await;
        let total: usize = whole.header("x-safar-total-rows").parse().unwrap();
        let whole = whole.json().as_array().unwrap().clone();
        assert!(total >= 3 && total == whole.len(), "{path}: {total}");
        let mut pages = vec![];
        for offset in (0..total).step_by(2) {
            let page = admin.get(&format!("{path}?limit=2&offset={offset}")).await;
            assert_eq!(page.header("x-safar-total-rows"), total.to_string());
            let page = page.json().as_array().unwrap().clone();
            assert!(page.len() <= 2);
            pages.extend(page);
        }
        assert_eq!(pages, whole, "{path}");
        assert_eq!(admin.get(&format!("{path}?offset={total}")).await.json(), json!([]));
        for wrong in ["limit=0", "limit=10001", "offset=-1", "format=csv"] {
            assert_eq!(admin.get(&format!("{path}?{wrong}")).await.problem(), "bad_request", "{path} {wrong}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_gets_a_new_session_and_ends_with_log_out() {
    let (server, _) = Server::with_admin().await;
    let mut browser = server.browser().await;
    let planted = browser.cookie.clone();
    browser.post("/login", json!({"email": "ana@example.com", "password": PASSWORD})).await;
    assert_ne!(browser.cookie, planted);
    let mut thief = browser.clone();
    let mut fixed = browser.clone();
    fixed.cookie = planted;
    assert_eq!(fixed.get("/workspace").await.problem(), "login_needed");
    assert_eq!(browser.send(Method::POST, "/logout", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(thief.get("/workspace").await.problem(), "login_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_work_without_cookies_and_end_when_they_are_taken_away() {
    let (server, mut admin) = Server::with_admin().await;
    let made = admin.post("/tokens", json!({"name": "nightly report"})).await.json();
    let mut program = server.browser().await;
    (program.cookie, program.csrf) = (None, None);
    program.token = Some(format!("Bearer {}", made["secret"].as_str().unwrap()));
    assert_eq!(program.post("/sql", json!({"query": "SELECT 1 AS one"})).await.status, StatusCode::OK);
    let listed = admin.get("/tokens").await;
    assert!(!listed.text().contains(made["secret"].as_str().unwrap()), "the secret is shown once");
    let path = format!("/tokens/{}", made["id"]);
    assert_eq!(admin.send(Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(program.get("/workspace").await.problem(), "login_needed");
    let ended = admin.post("/tokens", json!({"name": "ended", "days": 0})).await.json();
    program.token = Some(format!("Bearer {}", ended["secret"].as_str().unwrap()));
    assert_eq!(program.get("/workspace").await.problem(), "login_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_or_password_ends_what_was_begun_and_an_admin_stays() {
    let (server, mut admin) = Server::with_admin().await;
    let mut viewer = server.user(&mut admin, "viewer").await;
    let id = viewer.get("/session").await.json()["user"]["id"].clone();
    let path = format!("/users/{id}");
    assert_eq!(admin.send(Method::PATCH, &path, Some(json!({"role": "analyst"}))).await.json()["role"], "analyst");
    assert_eq!(viewer.get("/workspace").await.problem(), "login_needed");
    let me = format!("/users/{}", admin.get("/session").await.json()["user"]["id"]);
    for (method, body) in [(Method::PATCH, Some(json!({"role": "viewer"}))), (Method::DELETE, None)] {
        let refused = admin.send(method, &me, body).await;
        assert_eq!(refused.problem(), "bad_request");
        assert!(refused.text().contains("last administrator"));
    }
    let taken = json!({"name": "x", "email": "ANA@example.com", "password": PASSWORD, "role": "viewer"});
    assert_eq!(admin.post("/users", taken).await.problem(), "bad_request");
    let token = admin.post("/tokens", json!({"name": "old"})).await.json();
    let wish = json!({"current": PASSWORD, "new": "another plain sentence"});
    assert_eq!(admin.post("/password", wish).await.status, StatusCode::OK);
    assert_eq!(admin.get("/workspace").await.status, StatusCode::OK, "whoever changed it stays logged in");
    assert_eq!(admin.get("/tokens").await.json(), json!([]), "{token} is gone");
    let mut again = server.browser().await;
    let old = json!({"email": "ana@example.com", "password": PASSWORD});
    assert_eq!(again.post("/login", old).await.problem(), "wrong_password");
    assert_eq!(admin.send(Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_read_the_accounts_and_no_secret_is_in_them() {
    use std::os::unix::fs::PermissionsExt;
    let (server, mut admin) = Server::with_admin().await;
    let token = admin.post("/tokens", json!({"name": "test"})).await.json();
    let file = server.root().join("app.sqlite");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&file).unwrap();
    let cookie = admin.cookie.clone().unwrap();
    for secret in [PASSWORD, token["secret"].as_str().unwrap(), cookie.split_once('=').unwrap().1] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}
