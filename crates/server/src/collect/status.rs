//! What a running collector says of itself: `collect/status.json`, written anew every few seconds.
use super::{publish::Published, tables::Tables};
use safar_collect::http::{CollectSettings, Noticed};
use safar_model::Micros;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    time::Duration,
};
use tokio::sync::watch;

/// How often it is written.
pub(super) const EVERY: Duration = Duration::from_secs(2);
const FILE: &str = "status.json";

/// All times are microseconds UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub program: String,
    /// Its process.
    pub process: u32,
    /// Where it listens.
    pub listening: SocketAddr,
    /// Fingerprint of `[collect]` as it was read.
    pub settings: String,
    /// When it began.
    pub started_at: Micros,
    /// When this was written.
    pub written_at: Micros,
    /// Whether it ended as it should.
    pub stopped: bool,
    /// Who sent, and who was turned away; empty once it was stopped.
    pub noticed: Noticed,
    /// Bytes of the log that wait for the tables.
    pub log_bytes: u64,
    /// New events since it began.
    pub stored: u64,
    /// Events that were stored before, since it began.
    pub duplicates: u64,
    /// What is no event, since it began.
    pub rejected: u64,
    /// When events went to the tables last.
    pub published_at: Option<Micros>,
    /// Why the last try to publish failed, where it did.
    pub problem: Option<String>,
    /// The last build.
    pub built: Option<Built>,
}

/// How a build went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Built {
    /// When it ended.
    pub at: Micros,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed, where it did.
    pub problem: Option<String>,
}

/// Microseconds UTC.
pub(super) fn now() -> Micros {
    jiff::Timestamp::now().as_microsecond()
}

/// A fingerprint that tells whether two settings are the same; their secrets cannot be read from it.
pub(super) fn fingerprint(settings: &CollectSettings) -> String {
    let text = serde_json::to_string(settings).unwrap_or_default(); // plain members always serialise
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Status {
    pub(super) fn begin(listening: SocketAddr, settings: &CollectSettings) -> Self {
        let now = now();
        Self {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            listening,
            settings: fingerprint(settings),
            started_at: now,
            written_at: now,
            stopped: false,
            noticed: Noticed::default(),
            log_bytes: 0,
            stored: 0,
            duplicates: 0,
            rejected: 0,
            published_at: None,
            problem: None,
            built: None,
        }
    }

    pub(super) fn publish(&mut self, published: &Published) {
        self.stored += published.stored;
        self.duplicates += published.duplicates;
        self.rejected += published.rejected;
        self.published_at = Some(now());
        self.problem = None;
    }

    /// Reads what the collector of this folder wrote last; `None` where none ever did, or another version.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(folder.join(FILE)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Readers see the old one or the new one.
    pub(super) fn write(&mut self, folder: &Path) -> io::Result<()> {
        self.written_at = now();
        let draft = folder.join("status.new");
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600); // it names keys
        options.open(&draft)?.write_all(&serde_json::to_vec_pretty(self)?)?;
        fs::rename(&draft, folder.join(FILE))
    }
}

/// Writes it until the collector stops.
pub(super) async fn keep_telling(tables: &Tables, mut stopping: watch::Receiver<bool>) {
    loop {
        tables.tell_status(false);
        tables.collector.turn(now()); // secrets of days are forgotten also where nobody sends
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}
