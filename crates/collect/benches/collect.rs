//! Durable batches a second: the collector in one process, the load in another, beside a server that answers 204 and
//! stores nothing. `cargo bench -p safar-collect --bench collect [-- SECONDS CONNECTIONS]`; Linux only.
//!
//! Each request is a batch with 7 events as `@segment/analytics-node` sends it: its headers, its members, the key in the head.
//! The empty server reads it and answers over the same connections' code ([`listen`]). Prints a line of JSON for each server.
//! CPU is that of the server's process, user and system, divided by the requests that it answered.
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, StatusCode};
use safar_collect::{
    drain::{Part, Publish, PublishError, drain},
    http::{CollectSettings, Collector, listen, serve},
    log::LogSettings,
};
use serde_json::json;
use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

const SERVERS: [&str; 3] = ["nothing", "log", "log and drain"];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [serve, kind, folder] = args.as_slice()
        && serve == "serve"
    {
        return tokio::runtime::Runtime::new().expect("a runtime").block_on(server(kind, Path::new(folder)));
    }
    let number = |at: usize, or: u64| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(or);
    let (seconds, connections) = (number(0, 8), number(1, 256) as usize);
    let mut out = std::io::stdout();
    for kind in SERVERS {
        let folder = tempfile::tempdir().expect("a folder");
        let line = measure(kind, folder.path(), Duration::from_secs(seconds), connections);
        writeln!(out, "{line}").expect("an output");
    }
}

/// The process that is measured.
async fn server(kind: &str, folder: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut out = std::io::stdout();
    writeln!(out, "{}", listener.local_addr().expect("an address")).expect("an output");
    if kind == "nothing" {
        return listen(listener, 4_096, std::future::pending(), |request, _| async {
            let read = request.into_body().collect().await.is_ok();
            let mut response = Response::new(Full::new(Bytes::new()));
            *response.status_mut() = if read { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST };
            response
        })
        .await;
    }
    let log = LogSettings { megabytes: 16_384, ..LogSettings::default() };
    let settings = CollectSettings { log, ..CollectSettings::default() };
    let collector = Collector::open(folder, settings).expect("a collector");
    if kind == "log and drain" {
        tokio::spawn(drain(collector.clone(), Nobody, std::future::pending()));
    }
    serve(collector, listener, std::future::pending()).await;
}

struct Nobody;

impl Publish for Nobody {
    async fn publish(&mut self, _: Part) -> Result<(), PublishError> {
        Ok(())
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Seconds of CPU so far.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        let after = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 = after.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        ticks as f64 / 100.0 // USER_HZ
    }
}

fn measure(kind: &str, folder: &Path, time: Duration, connections: usize) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["serve", kind])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut out = child.stdout.take().expect("its output");
    let process = Process(child);
    let mut line = Vec::new();
    let mut byte = [0];
    while out.read(&mut byte).is_ok_and(|read| read == 1) && byte != *b"\n" {
        line.push(byte[0]);
    }
    let address: SocketAddr = String::from_utf8_lossy(&line).parse().expect("an address");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let warm = Duration::from_secs(1);
    runtime.block_on(load(address, warm, connections));
    let (before, began) = (process.cpu(), Instant::now());
    let mut waits = runtime.block_on(load(address, time, connections));
    let (cpu, took) = (process.cpu() - before, began.elapsed().as_secs_f64());
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let figures = [
        ("requests_per_s", waits.len() as f64 / took),
        ("p50_ms", at(0.5)),
        ("p99_ms", at(0.99)),
        ("max_ms", at(1.0)),
        ("cpu_us", cpu / waits.len() as f64 * 1e6),
    ];
    let mut line = json!({ "server": kind });
    for (name, figure) in figures {
        line[name] = figure.into();
    }
    line.to_string()
}

/// How long each answer took.
async fn load(address: SocketAddr, time: Duration, connections: usize) -> Vec<Duration> {
    let until = Instant::now() + time;
    let tasks: Vec<_> = (0..connections).map(|at| tokio::spawn(client(address, until, at))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("a client"));
    }
    all
}

async fn client(address: SocketAddr, until: Instant, at: usize) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a connection");
    let mut request = request(at);
    let ids: Vec<usize> = (0..7).filter_map(|event| find(&request, &format!("id-{at:05}-0000000-{event}"))).collect();
    let (mut waits, mut answer) = (Vec::new(), vec![0; 4_096]);
    while Instant::now() < until {
        let number = format!("{:07}", waits.len());
        for id in &ids {
            request[id + 9..id + 16].copy_from_slice(number.as_bytes());
        }
        let began = Instant::now();
        stream.write_all(&request).await.expect("a connection");
        let mut read = 0;
        // Answers are short: they end in an object, or in the empty line of a 204.
        while !(answer[..read].ends_with(b"}") || answer[..read].ends_with(b"\r\n\r\n") && answer[9..12] == *b"204") {
            let more = stream.read(&mut answer[read..]).await.expect("a connection");
            assert!(more > 0, "the server hung up");
            read += more;
        }
        assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&answer[..read]));
        waits.push(began.elapsed());
    }
    waits
}

fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

/// As the client sends it (fixture `segment-node/001`), with seven events of the same kinds.
fn request(client: usize) -> Vec<u8> {
    const CONTEXT: &str = r#""context":{"ip":"203.0.113.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","page":{"url":"https://shop.example.com/checkout?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=TeSter-123","referrer":"https://www.google.com/","path":"/checkout","title":"Checkout","search":"?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=TeSter-123"},"campaign":{"source":"google","medium":"cpc","name":"spring"},"locale":"en-GB","library":{"name":"@segment/analytics-node","version":"3.1.0"}}"#;
    const BARE: &str = r#""context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}}"#;
    let mut events = String::new();
    for event in 0..7 {
        let what = match event {
            0 => format!(
                r#""type":"identify","userId":"u-{client}","traits":{{"email":"jane@example.com","plan":"pro","createdAt":"2026-01-02T03:04:05.678Z"}},{CONTEXT},"anonymousId":"anon-{client}""#
            ),
            1 => format!(
                r#""event":"Order Completed","type":"track","properties":{{"order_id":"o-{client}","revenue":129.9,"currency":"EUR","coupon":"WELCOME10","products":[{{"product_id":"p1","sku":"SKU-1","name":"Tëst “Shoe”","price":64.95,"quantity":2,"category":"Shoes"}}]}},{CONTEXT},"userId":"u-{client}""#
            ),
            2 => format!(
                r#""type":"page","properties":{{"url":"https://shop.example.com/","referrer":"https://t.co/x","category":"Docs"}},"category":"Docs","name":"Home",{BARE},"userId":"u-{client}""#
            ),
            _ => format!(
                r#""event":"Product Viewed","type":"track","properties":{{"product_id":"p{event}","name":"A thing to buy","price":19.9,"currency":"EUR","nested":{{"a":[1,2,{{"b":null}}]}},"emoji":"😀"}},{BARE},"anonymousId":"anon-{client}""#
            ),
        };
        let _ = write!(
            events,
            r#"{}{{"timestamp":"2026-11-21T18:57:12.884Z","integrations":{{}},{what},"messageId":"node-next-id-{client:05}-0000000-{event}-8c48-4ba7-a2a2-9c2f82c9858d","_metadata":{{"nodeVersion":"v20.20.2","jsRuntime":"node"}}}}"#,
            if event == 0 { "" } else { "," }
        );
    }
    let body = format!(r#"{{"batch":[{events}],"writeKey":"WRITE_KEY","sentAt":"2026-11-21T18:57:13.100Z"}}"#);
    let length = body.len();
    format!("POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1:9100\r\nconnection: keep-alive\r\nContent-Type: application/json\r\nUser-Agent: analytics-node-next/latest\r\nAuthorization: Basic V1JJVEVfS0VZOg==\r\naccept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\naccept-encoding: gzip, deflate\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}
