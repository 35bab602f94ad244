//! A client of HTTP/1.1 for tests: it sends the bytes that it is given.
use safar_collect::{
    drain::{DeadLetter, Part, Publish, PublishError, drain},
    http::{CollectSettings, Collector, serve},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

pub struct Client(BufReader<TcpStream>);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Client {
    pub async fn to(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub async fn raw(&mut self, bytes: &[u8]) -> std::io::Result<Answer> {
        self.0.write_all(bytes).await?;
        self.answer().await
    }

    pub async fn post(&mut self, target: &str, headers: &str, body: &[u8]) -> std::io::Result<Answer> {
        let mut bytes = format!("POST {target} HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n{headers}\r\n", body.len())
            .into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes).await
    }

    pub async fn get(&mut self, target: &str) -> std::io::Result<Answer> {
        self.raw(format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n").as_bytes()).await
    }

    pub async fn answer(&mut self) -> std::io::Result<Answer> {
        let mut head = vec![];
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let status = head[0].split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let headers: BTreeMap<String, String> = head[1..]
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(Answer { status, headers, body })
    }
}

/// What was published, for tests to look at.
#[derive(Clone, Default)]
pub struct Kept(pub Arc<Mutex<Vec<Part>>>);

impl Publish for Kept {
    async fn publish(&mut self, part: Part) -> Result<(), PublishError> {
        self.0.lock().unwrap().push(part);
        Ok(())
    }
}

impl Kept {
    /// A column of every event of a source.
    pub fn column(&self, source: &str, column: &str) -> Vec<String> {
        let parts = self.0.lock().unwrap();
        let lines = parts.iter().filter_map(|part| part.lines.get(source)).flat_map(|lines| lines.lines());
        lines
            .map(|line| serde_json::from_str::<Value>(line).unwrap()[column].as_str().unwrap_or("-").to_owned())
            .collect()
    }

    pub fn letters(&self) -> Vec<DeadLetter> {
        self.0.lock().unwrap().iter().flat_map(|part| part.letters.clone()).collect()
    }
}

/// A server in this process.
pub struct Server {
    pub address: SocketAddr,
    pub collector: Collector,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Server {
    pub async fn start(folder: &Path, settings: CollectSettings) -> Self {
        Self::over(Collector::open(folder, settings).unwrap()).await
    }

    pub async fn over(collector: Collector) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(serve(collector.clone(), listener, async { _ = stopped.await }));
        Self { address, collector, stop, running }
    }

    /// Stops it; what is in its log stays there.
    pub async fn halt(self) {
        _ = self.stop.send(());
        self.running.await.unwrap();
    }

    /// Stops it and publishes all that is in its log.
    pub async fn stop(self) -> Kept {
        _ = self.stop.send(());
        self.running.await.unwrap();
        published(self.collector).await
    }
}

pub async fn published(collector: Collector) -> Kept {
    let kept = Kept::default();
    drain(collector, kept.clone(), std::future::ready(())).await;
    kept
}
