//! A server in a process of its own: killed under load, with files that may not grow, with bodies of 100 MB.
use crate::client::{Client, published};
use safar_collect::http::{CollectSettings, Collector, serve};
use serde_json::json;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    task::JoinHandle,
};

const FOLDER: &str = "SAFAR_TEST_COLLECT";

/// Not a test by itself: the process that the others start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let collector = Collector::open(Path::new(&folder), CollectSettings::default()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::fs::write(Path::new(&folder).join("address.new"), address).unwrap();
    std::fs::rename(Path::new(&folder).join("address.new"), Path::new(&folder).join("address")).unwrap();
    serve(collector, listener, std::future::pending()).await;
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill(); // SIGKILL
        let _ = self.0.wait();
    }
}

/// Starts the server under a line of shell that ends in `exec "$@"`.
fn start(folder: &Path, shell: &str) -> (Process, SocketAddr) {
    let _ = std::fs::remove_file(folder.join("address"));
    let mut command = Command::new("sh");
    command.args(["-c", shell, "sh"]).arg(std::env::current_exe().unwrap()).args(["--exact", "crash::child"]);
    let child = command.env(FOLDER, folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let process = Process(child);
    let began = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(folder.join("address")) {
            return (process, text.parse().unwrap());
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the clients of a test were told.
#[derive(Default)]
struct Told {
    /// Ids of events in requests that were answered with 200.
    acknowledged: Mutex<BTreeSet<String>>,
    /// Requests that were answered with 503.
    refused: AtomicUsize,
}

impl Told {
    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until enough was told; the clients go on meanwhile.
    async fn until(&self, acknowledged: usize, refused: usize) {
        while self.acknowledged() < acknowledged || self.refused.load(SeqCst) < refused {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Sends batches of 7 events until the server is gone.
async fn load(address: SocketAddr, name: String, told: Arc<Told>) {
    let Ok(mut client) = Client::to(address).await else { return };
    for round in 0.. {
        let ids: Vec<String> = (0..7).map(|at| format!("{name}-{round}-{at}")).collect();
        let events: Vec<_> = ids.iter().map(|id| json!({"type": "track", "event": "e", "messageId": id})).collect();
        match client.post("/v1/batch", "", json!({ "batch": events }).to_string().as_bytes()).await {
            Ok(answer) if answer.status == 200 => told.acknowledged.lock().unwrap().extend(ids),
            Ok(answer) => {
                assert_eq!(answer.status, 503);
                assert!(answer.headers.contains_key("retry-after"));
                told.refused.fetch_add(1, SeqCst);
            }
            Err(_) => break,
        }
    }
}

/// Sixteen of them.
fn clients(address: SocketAddr, name: &str, told: &Arc<Told>) -> Vec<JoinHandle<()>> {
    (0..16).map(|client| tokio::spawn(load(address, format!("{name}-{client}"), Arc::clone(told)))).collect()
}

/// Everything that was acknowledged comes out of the log.
async fn nothing_is_lost(folder: &Path, told: &Told) {
    let collector = Collector::open(folder, CollectSettings::default()).unwrap();
    let kept = published(collector).await;
    let stored: BTreeSet<String> = kept.column("default", "event_id").into_iter().collect();
    let acknowledged = told.acknowledged.lock().unwrap();
    let lost: Vec<_> = acknowledged.difference(&stored).take(3).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_loses_nothing_that_was_acknowledged() {
    let (folder, told) = (tempfile::tempdir().unwrap(), Arc::new(Told::default()));
    for life in 0..3 {
        let (process, address) = start(folder.path(), "exec \"$@\"");
        if life == 0 {
            let second = Collector::open(folder.path(), CollectSettings::default()).unwrap_err();
            assert!(second.to_string().contains("another process"), "{second}");
        }
        let clients = clients(address, &life.to_string(), &told);
        told.until(told.acknowledged() + 2_000, 0).await;
        drop(process);
        for client in clients {
            client.await.unwrap();
        }
    }
    nothing_is_lost(folder.path(), &told).await;
}

/// `ulimit -f` makes writes fail as a full disk does: in the midst of a record.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_may_not_grow_lose_nothing_that_was_acknowledged() {
    let (folder, told) = (tempfile::tempdir().unwrap(), Arc::new(Told::default()));
    let (process, address) = start(folder.path(), "trap '' XFSZ; ulimit -f 64; exec \"$@\"");
    let clients = clients(address, "full", &told);
    told.until(2_000, 20).await;
    told.until(told.acknowledged() + 1_000, 0).await;
    drop(process);
    for client in clients {
        client.await.unwrap();
    }
    let largest = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).max();
    assert!(largest <= Some(64 << 10), "{largest:?}");
    nothing_is_lost(folder.path(), &told).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_100_megabytes_is_refused_and_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let (process, address) = start(folder.path(), "exec \"$@\"");
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
    };
    let before = peak();
    let send = |chunked: bool| async move {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (from, mut to) = stream.into_split();
        let length =
            if chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {}", 100 << 20) };
        to.write_all(format!("POST /v1/batch HTTP/1.1\r\nHost: t\r\n{length}\r\n\r\n").as_bytes()).await.unwrap();
        let piece = vec![b' '; 1 << 20];
        for _ in 0..100 {
            if chunked {
                to.write_all(b"100000\r\n").await.unwrap();
            }
            to.write_all(&piece).await.unwrap();
            if chunked {
                to.write_all(b"\r\n").await.unwrap();
            }
        }
        if chunked {
            to.write_all(b"0\r\n\r\n").await.unwrap();
        }
        let mut from = tokio::io::BufReader::new(from);
        let mut line = String::new();
        from.read_line(&mut line).await.unwrap();
        line
    };
    for line in [send(false).await, send(true).await, send(false).await] {
        assert!(line.starts_with("HTTP/1.1 400"), "{line}");
    }
    let grown = peak() - before;
    assert!(grown < 24 << 10, "{grown} KB more");
}
