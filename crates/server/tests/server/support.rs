//! A shop of 200 simulated people, and a browser that talks to the router.
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use safar_ingest::{ImportOptions, Rules, Silent, import};
use safar_pipeline::{Workspace, build, settings::ServerSettings};
use safar_server::app::{App, router};
use serde_json::{Value, json};
use std::{fs, net::SocketAddr, path::Path, sync::Arc};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tower::ServiceExt;

static SHOP: OnceCell<TempDir> = OnceCell::const_new();

async fn make() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("shop");
    let workspace = Workspace::init(&root, true).await.unwrap();
    let events = folder.path().join("events.csv");
    let shop = safar_simulate::Shop { people: 200, days: 60, seed: 1, ..Default::default() };
    safar_simulate::write_csv(&shop, &mut fs::File::create(&events).unwrap()).unwrap();
    let lock = workspace.store().lock().unwrap();
    let (settings, enricher) = (workspace.import_settings(), workspace.enricher().unwrap());
    let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
    let inputs = [events.display().to_string()];
    import(workspace.store(), &lock, rules, &inputs, &ImportOptions::default(), &Silent).await.unwrap();
    drop(lock);
    build(&workspace, false, &|_| {}).await.unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

pub const PASSWORD: &str = "three plain words";

/// A server over a workspace of its own.
pub struct Server {
    pub folder: TempDir,
    pub app: Arc<App>,
    pub router: Router,
}

impl Server {
    /// Without users.
    pub async fn new() -> Self {
        let shop = SHOP.get_or_init(make).await;
        let folder = tempfile::tempdir().unwrap();
        copy(&shop.path().join("shop"), &folder.path().join("shop"));
        Self::of(folder)
    }

    fn of(folder: TempDir) -> Self {
        let app = App::open(&folder.path().join("shop"), ServerSettings::default()).unwrap();
        let router = router(&app);
        Self { folder, app, router }
    }

    /// With an administrator, who is logged in.
    pub async fn with_admin() -> (Self, Browser) {
        let server = Self::new().await;
        let mut browser = server.browser().await;
        let code = server.app.setup_code().unwrap();
        let body = json!({"code": code, "name": "Ana", "email": "ana@example.com", "password": PASSWORD});
        let answer = browser.post("/setup", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        (server, browser)
    }

    pub async fn browser(&self) -> Browser {
        let address = [192, 0, 2, 1];
        let router = self.router.clone();
        let mut browser = Browser { router, cookie: None, csrf: None, token: None, accept_encoding: None, address };
        browser.get("/session").await;
        browser
    }

    /// Somebody with a role, made by `admin`, who is logged in.
    pub async fn user(&self, admin: &mut Browser, role: &str) -> Browser {
        let email = format!("{role}@example.com");
        let body = json!({"name": role, "email": email, "password": PASSWORD, "role": role});
        assert_eq!(admin.post("/users", body).await.status, StatusCode::CREATED);
        let mut browser = self.browser().await;
        let answer = browser.post("/login", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        browser
    }

    pub fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("shop")
    }
}

/// Keeps its cookie, and repeats the session's token.
#[derive(Clone)]
pub struct Browser {
    pub router: Router,
    pub cookie: Option<String>,
    pub csrf: Option<String>,
    pub token: Option<String>,
    pub accept_encoding: Option<&'static str>,
    pub address: [u8; 4],
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem, whose shape is checked.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:safar:problem:{code}"));
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(!problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty());
        assert!(problem.get("hint").is_some());
        code
    }
}

impl Browser {
    /// The answer as it comes.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        for (name, value) in [("cookie", &self.cookie), ("x-safar-csrf", &self.csrf), ("authorization", &self.token)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(encoding) = self.accept_encoding {
            request = request.header(header::ACCEPT_ENCODING, encoding);
        }
        let body = match body {
            None => Body::empty(),
            Some(value) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(value.to_string())
            }
        };
        let address = ConnectInfo(SocketAddr::from((self.address, 4000)));
        self.router.clone().oneshot(request.extension(address).body(body).unwrap()).await.unwrap()
    }

    pub async fn send(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let response = self.ask(method, path, body).await;
        let (status, headers) = (response.status(), response.headers().clone());
        // A stream of news has no end.
        let endless = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if endless { vec![] } else { to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec() };
        if let Some(cookie) = headers.get(header::SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        let answer = Answer { status, headers, body };
        if let Ok(value) = serde_json::from_slice::<Value>(&answer.body)
            && let Some(csrf) = value.get("csrf").and_then(Value::as_str)
        {
            self.csrf = Some(csrf.to_owned());
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }
}
