//! Requests for tests, written by hand or read from captures.
use safar_collect::{Collected, Decoded, Refusal, Request, Terms, decode, route};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

/// 2026-11-21T19:10:00Z, after every capture.
pub const NOW: i64 = 1_795_288_200_000_000;
pub const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64)";

pub const TERMS: Terms<'_> = Terms {
    day_salt: Some(b"salt of the day"),
    matomo_token: Some("TOKEN32TOKEN32TOKEN32TOKEN32TOKE"),
    link_key: Some(b"key of the links"),
};

#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn get(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method: "GET".into(), path: path.into(), query: query.into(), ..Self::default() }
    }

    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".into(), body: body.into(), ..Self::get(target) }
    }

    pub fn json(target: &str, body: &Value) -> Self {
        Self::post(target, body.to_string())
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.as_bytes().to_vec()));
        self
    }

    /// The exact bytes of a request.
    pub fn captured(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap().split(' ');
        let method = first.next().unwrap();
        let sent = Self { method: method.into(), ..Self::get(first.next().unwrap()) };
        let sent = Self { body: bytes[end + 4..].to_vec(), ..sent };
        lines.filter_map(|line| line.split_once(": ")).fold(sent, |sent, (name, value)| sent.header(name, value))
    }

    pub fn at(&self, received_at: i64) -> Result<Decoded, Refusal> {
        self.under(&TERMS, received_at)
    }

    pub fn under(&self, terms: &Terms<'_>, received_at: i64) -> Result<Decoded, Refusal> {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &self.body,
            remote: Some(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 23))),
            https: false,
            received_at,
        };
        let protocol = route(&self.method, &self.path).unwrap_or_else(|| panic!("no route for {}", self.path));
        decode(protocol, &request, terms)
    }

    /// The events of a request that is taken whole.
    pub fn events(&self) -> Vec<Collected> {
        let decoded = self.at(NOW).unwrap();
        assert_eq!(decoded.rejects, []);
        decoded.events
    }

    pub fn event(&self) -> Collected {
        let [event] = self.events().try_into().expect("one event");
        event
    }
}

/// A column or property (`$…` and others) as text; `-` where it is absent.
pub fn told(event: &Collected, name: &str) -> String {
    match event.get(name).or_else(|| event.property(name)) {
        None => "-".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
