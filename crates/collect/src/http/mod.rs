//! The collector's server: every route of [`crate::route`], answered once the events are safe.
//!
//! A request is read ([`limits`](crate::limits)), decoded (of plain batches a glance is enough) to know its source and the answer
//! that its client needs, written to the log as it came, and then answered. [`crate::drain`] publishes the log.
//!
//! | answer | when |
//! |---|---|
//! | what the client waits for | its events are on the disk, or it only asked |
//! | 400 | it cannot be read, or is too large |
//! | 401 | its key, secret or page is not known |
//! | 403 | a redirect that was not signed here |
//! | 404 | nobody's path |
//! | 429 + `Retry-After` | the source sends more than it may |
//! | 503 + `Retry-After` | the log or the disk is full or slow, or there is no memory |
mod body;
mod handle;
mod noticed;
mod serve;
mod settings;
mod sources;

pub use noticed::{Noticed, SourceNoticed, Stranger};
pub use serve::serve;
pub use settings::{CollectSettings, SettingsError, SourceSettings};
pub(crate) use sources::Sources;

use crate::{
    Reader,
    log::{Log, LogError},
};
use axum::Router;
use noticed::Notices;
use safar_model::Micros;
use sources::Source;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use tokio::sync::Semaphore;

/// Requests a second that cannot be read and are kept all the same, with the reason, for you to look at and to send again.
pub const KEPT_REFUSALS: u32 = 1;
/// Longer ones, in bytes, are never kept.
pub const KEPT_REFUSAL: usize = 32 << 10;

/// A collector over the log in a folder. Clones are the same collector.
#[derive(Clone, Debug)]
pub struct Collector(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reader: Reader,
    log: Log,
    /// Kilobytes for bodies.
    memory: Arc<Semaphore>,
    /// Large bodies that are decoded at a time.
    decoding: Semaphore,
    /// Of requests that are refused and kept.
    refused: Arc<Source>,
    notices: Notices,
}

/// Why a collector cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Its log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The secrets of the days.
    #[error("cannot read or write {path}: {source}")]
    Salts {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The settings contradict themselves.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Collector {
    /// Opens the log in a folder, which is made where it is absent.
    ///
    /// # Errors
    /// When another process has it, when the disk says no, and when two sources have the same key.
    pub fn open(folder: &Path, settings: CollectSettings) -> Result<Self, CollectError> {
        settings.check()?;
        let log = Log::open(folder, &settings.log)?;
        Ok(Self(Arc::new(Inner {
            log,
            memory: Arc::new(Semaphore::new(settings.memory_megabytes as usize * 1_024)),
            decoding: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            refused: Source::limited(KEPT_REFUSALS),
            notices: Notices::default(),
            reader: Reader::open(folder, settings)?,
        })))
    }

    /// The log that it writes.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &CollectSettings {
        self.0.reader.settings()
    }

    /// Reads what the log holds.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.0.reader
    }

    /// Who sent since it was opened, and who was turned away.
    #[must_use]
    pub fn noticed(&self) -> Noticed {
        self.0.notices.tell(self.0.reader.sources.noticed())
    }

    /// Draws the secret of a day that begins.
    fn turn(&self, now: Micros) {
        self.0.reader.turn(now, || {
            let first = self.0.log.sealed().ok().and_then(|sealed| sealed.first().copied());
            first.and_then(|number| self.0.log.made_at(number)).unwrap_or(now)
        });
    }
}

/// All routes of a collector.
pub fn router(collector: Collector) -> Router {
    Router::new().fallback(handle::handle).with_state(collector)
}

fn now() -> Micros {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros() as Micros)
}
