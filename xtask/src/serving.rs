//! A running `safar serve`, its first account, and requests to it.
use crate::run::{Outcome, command};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

/// The program; killed where it was not stopped.
pub struct Serving {
    child: Child,
    /// Address and port of the application.
    pub app: String,
    /// Address and port of the collector.
    pub collector: String,
    /// Address and port of SQL, where the settings open it.
    pub sql: Option<String>,
    code: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token of the administrator.
pub struct Token {
    /// What programs send.
    pub secret: String,
    /// The user of SQL connections.
    pub sql_user: String,
}

impl Serving {
    /// Serves the workspace `shop` on free ports.
    pub fn start(safar: &Path, shop: &Path) -> Outcome<Self> {
        let mut child = command(safar)
            .arg("--workspace")
            .arg(shop)
            .args(["serve", "--listen", "127.0.0.1:0", "--collect", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("safar serve: {e}"))?;
        let said = child.stderr.take().ok_or("safar serve says nothing")?;
        let mut serving = Self { child, app: String::new(), collector: String::new(), sql: None, code: String::new() };
        let mut said = BufReader::new(said).lines().map_while(Result::ok);
        let mut heard = String::new();
        for line in said.by_ref() {
            let after = |start: &str| line.split_once(start).map(|(_, rest)| rest.trim().to_owned());
            let first = |rest: String| rest.split([',', ' ']).next().unwrap_or_default().to_owned();
            if let Some(address) = after("the application: http://") {
                serving.app = address;
            } else if let Some(code) = after("with the code ") {
                serving.code = code;
            } else if let Some(address) = after("SQL: ") {
                serving.sql = Some(first(address));
            } else if let Some(address) = after("collecting on http://") {
                serving.collector = address;
            }
            heard.push_str(&line);
            heard.push('\n');
            if line.contains("Ctrl-C stops") {
                std::thread::spawn(move || said.for_each(drop));
                return Ok(serving);
            }
        }
        Err(format!("safar serve did not start:\n{heard}"))
    }

    /// Makes the first account and a token of it.
    pub fn set_up(&self) -> Outcome<Token> {
        let session = request(&self.app, "GET", "/api/v1/session", &[], "")?;
        let body =
            json!({"code": self.code, "name": "Ada", "email": "ada@shop.example", "password": "correct horse battery"});
        let made = Self::post("/api/v1/setup", &self.app, &session, &body)?;
        let token = Self::post("/api/v1/tokens", &self.app, &made, &json!({"name": "xtask"}))?;
        let text = |name: &str| token.json()[name].as_str().map(str::to_owned);
        match (text("secret"), text("sql_user")) {
            (Some(secret), Some(sql_user)) => Ok(Token { secret, sql_user }),
            _ => Err(format!("no token: {}", String::from_utf8_lossy(&token.body))),
        }
    }

    /// The secret of a token of a viewer, whom the administrator makes.
    pub fn viewer(&self, admin: &Token) -> Outcome<String> {
        let (email, password) = ("grace@shop.example", "correct horse battery");
        let bearer = format!("Bearer {}", admin.secret);
        let user = json!({"name": "Grace", "email": email, "password": password, "role": "viewer"});
        request(&self.app, "POST", "/api/v1/users", &[("authorization", &bearer)], &user.to_string())?;
        let session = request(&self.app, "GET", "/api/v1/session", &[], "")?;
        let login = Self::post("/api/v1/login", &self.app, &session, &json!({"email": email, "password": password}))?;
        let token = Self::post("/api/v1/tokens", &self.app, &login, &json!({"name": "xtask"}))?;
        let secret = token.json()["secret"].as_str().map(str::to_owned);
        secret.ok_or_else(|| format!("no token: {}", String::from_utf8_lossy(&token.body)))
    }

    /// Sends as a browser that has had the answer `before`.
    fn post(path: &str, app: &str, before: &Answer, body: &Value) -> Outcome<Answer> {
        let cookie = before.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        let csrf = before.json()["csrf"].as_str().unwrap_or_default().to_owned();
        request(app, "POST", path, &[("cookie", &cookie), ("x-safar-csrf", &csrf)], &body.to_string())
    }

    /// SIGTERM, and its end.
    pub fn stop(mut self) -> Outcome {
        crate::run::run(command("kill").arg(self.child.id().to_string()))?;
        let ended = self.child.wait().map_err(|e| e.to_string())?;
        if ended.success() { Ok(()) } else { Err(format!("safar serve ended with {ended}")) }
    }
}

/// What a server answered.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }

    /// The body; null where it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// One request over a connection of its own, which the server closes after its answer.
pub fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Outcome<Answer> {
    let problem = |e: std::io::Error| format!("{method} {address}{path}: {e}");
    let mut stream = TcpStream::connect(address).map_err(problem)?;
    stream.set_read_timeout(Some(Duration::from_secs(120))).map_err(problem)?;
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).map_err(problem)?;
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).map_err(problem)?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(format!("{method} {path}: no answer"))?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Ok(Answer { status, head, body: bytes.split_off(end + 4) })
}
