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
//!
//! `HEAD` is answered as `GET` is, and nothing is kept of it: mail programs look at links in this way before anybody clicks.
//!
//! Clients that never send again ([`Protocol::comes_once`](crate::Protocol::comes_once)) are taken at ten times the rate of
//! their source and while a last part of the log is left. A link that was signed here leads on even where its click cannot be
//! kept.
mod body;
mod handle;
mod noticed;
mod paths;
mod serve;
mod settings;
mod sources;
#[cfg(test)]
mod tests;

pub use noticed::{Noticed, SourceNoticed, Stranger};
#[doc(hidden)]
pub use serve::listen;
pub use serve::serve;
pub use settings::{CollectSettings, SettingsError, SourceSettings};
pub(crate) use sources::Sources;

use crate::{
    Reader,
    log::{Log, LogError},
};
use body::Memory;
use noticed::Notices;
use safar_model::Micros;
use sources::Source;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::SystemTime,
};
use tokio::sync::Semaphore;

/// Requests a second that cannot be read and are kept all the same, with the reason, for you to look at and to send again.
pub const KEPT_REFUSALS: u32 = 1;
/// Longer ones, in bytes, are never kept.
pub const KEPT_REFUSAL: usize = 32 << 10;
/// Of a day, in UTC, so many bytes of them are kept: anybody may send them.
pub const KEPT_REFUSALS_A_DAY: u64 = 16 << 20;

const DAY: Micros = 86_400_000_000;
/// Between two tries to keep the secret of a day.
const AGAIN: Micros = 10_000_000;

/// A collector over the log in a folder. Clones are the same collector.
#[derive(Clone, Debug)]
pub struct Collector(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reader: Reader,
    log: Log,
    memory: Memory,
    /// Large bodies that are decoded at a time.
    decoding: Semaphore,
    /// Of requests that are refused and kept.
    refused: Arc<Source>,
    refused_bytes: Budget,
    /// The day whose secret is drawn, since 1970.
    day: AtomicI64,
    /// When it could not be kept.
    not_drawn_at: AtomicI64,
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
        Self::over(log, folder, settings)
    }

    fn over(log: Log, folder: &Path, settings: CollectSettings) -> Result<Self, CollectError> {
        Ok(Self(Arc::new(Inner {
            log,
            memory: Memory::new((settings.memory_megabytes as usize) << 20),
            decoding: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            refused: Source::limited(KEPT_REFUSALS),
            refused_bytes: Budget::default(),
            day: AtomicI64::new(i64::MIN),
            not_drawn_at: AtomicI64::new(i64::MIN),
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

    /// Draws the secret of a day that begins, and forgets those that are over. Requests do so, too.
    pub fn turn(&self, now: Micros) {
        let today = now.div_euclid(DAY);
        let waited = now.saturating_sub(self.0.not_drawn_at.load(Ordering::Relaxed));
        if self.0.day.load(Ordering::Relaxed) == today || waited < AGAIN {
            return;
        }
        let drawn = self.0.reader.turn(now, || {
            let first = self.0.log.sealed().ok().and_then(|sealed| sealed.first().copied());
            first.and_then(|number| self.0.log.made_at(number)).unwrap_or(now)
        });
        if drawn {
            self.0.day.store(today, Ordering::Relaxed);
        } else {
            self.0.not_drawn_at.store(now, Ordering::Relaxed);
        }
    }
}

/// So many bytes a day.
#[derive(Debug, Default)]
struct Budget {
    day: AtomicI64,
    used: AtomicU64,
}

impl Budget {
    /// Whether the day's limit leaves room for so many bytes; then they are taken.
    fn take(&self, now: Micros, bytes: usize) -> bool {
        let today = now.div_euclid(DAY);
        if self.day.swap(today, Ordering::Relaxed) != today {
            self.used.store(0, Ordering::Relaxed); // a few bytes more at midnight do no harm
        }
        let more = |used: u64| used.checked_add(bytes as u64).filter(|used| *used <= KEPT_REFUSALS_A_DAY);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

fn now() -> Micros {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros() as Micros)
}
