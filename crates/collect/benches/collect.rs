//! Durable batches a second: the collector in one process, the load in another, beside a server that answers 204 and
//! stores nothing. `cargo bench -p safar-collect --bench collect [-- SECONDS CONNECTIONS]`; Linux only.
//!
//! Each request is a batch of Segment's with 7 events. Prints a line of JSON for each server. CPU is that of the server's
//! process, user and system, divided by the requests that it answered.
use axum::{Router, body::Body, body::Bytes, http::StatusCode};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use safar_collect::{
    drain::{Part, Publish, PublishError, drain},
    http::{CollectSettings, Collector, serve},
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
use tower::Service;

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
    let (seconds, connections) = (number(0, 8), number(1, 128) as usize);
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
        let router = Router::new().fallback(|_: Bytes| async { StatusCode::NO_CONTENT });
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let router = router.clone();
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                router.clone().call(request.map(Body::new))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
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

fn request(client: usize) -> Vec<u8> {
    let mut events = String::new();
    for event in 0..7 {
        let _ = write!(
            events,
            r#"{}{{"type":"track","event":"Product Viewed","messageId":"id-{client:05}-0000000-{event}","anonymousId":"a-{client}-{event}","userId":"user-{client}","timestamp":"2026-11-21T18:59:42.828Z","properties":{{"product_id":"p{event}","name":"A thing to buy","price":19.9,"currency":"EUR","category":"things"}},"context":{{"library":{{"name":"analytics-node","version":"2.1.3"}},"page":{{"url":"https://shop.example/things/{event}?utm_source=letter","title":"A thing"}},"locale":"en-US","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}}}}"#,
            if event == 0 { "" } else { "," }
        );
    }
    let body = format!(r#"{{"batch":[{events}],"writeKey":"k","sentAt":"2026-11-21T18:59:43.100Z"}}"#);
    let length = body.len();
    format!("POST /v1/batch HTTP/1.1\r\nHost: collect.example\r\nContent-Type: application/json\r\nUser-Agent: analytics-node/2.1.3\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}
