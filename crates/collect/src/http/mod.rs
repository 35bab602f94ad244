//! The collector's server: every route of [`crate::route`], answered once the events are safe.
//!
//! A request is read ([`limits`](crate::limits)), decoded once to know its source and the answer that its client needs, written to
//! the log as it came, and then answered. [`crate::drain`] publishes the log.
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
mod serve;
mod settings;
mod sources;

pub use serve::serve;
pub use settings::{CollectSettings, SourceSettings};

use crate::{
    Decoded, Protocol, Refusal, Terms,
    log::{Log, LogError},
    salts::Salts,
};
use axum::Router;
use safar_model::Micros;
use sources::{Source, Sources};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
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
    settings: CollectSettings,
    sources: Sources,
    log: Log,
    salts: RwLock<Salts>,
    /// Kilobytes for bodies.
    memory: Arc<Semaphore>,
    /// Large bodies that are decoded at a time.
    decoding: Semaphore,
    /// Of requests that are refused and kept.
    refused: Arc<Source>,
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
    /// Two sources have one key.
    #[error("the key `{key}` is that of `{one}` and of `{other}`; give each source keys of its own")]
    SameKey {
        /// The key.
        key: String,
        /// A source.
        one: String,
        /// Another one.
        other: String,
    },
}

impl Collector {
    /// Opens the log in a folder, which is made where it is absent.
    ///
    /// # Errors
    /// When another process has it, when the disk says no, and when two sources have the same key.
    pub fn open(folder: &Path, settings: CollectSettings) -> Result<Self, CollectError> {
        let sources = Sources::new(&settings)?;
        let log = Log::open(folder, &settings.log)?;
        let salts = Salts::open(folder).map_err(|source| CollectError::Salts { path: folder.join("salts"), source })?;
        Ok(Self(Arc::new(Inner {
            sources,
            log,
            salts: RwLock::new(salts),
            memory: Arc::new(Semaphore::new(settings.memory_megabytes as usize * 1_024)),
            decoding: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            refused: Source::limited(KEPT_REFUSALS),
            settings,
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
        &self.0.settings
    }

    /// Runs `read` with what decoders need to know of a time's day.
    pub(crate) fn under<T>(&self, time: Micros, read: impl FnOnce(&Terms<'_>) -> T) -> T {
        let salt = self.0.salts.read().unwrap_or_else(PoisonError::into_inner).of(time).copied();
        let settings = &self.0.settings;
        read(&Terms {
            day_salt: salt.as_ref().map(<[u8; 32]>::as_slice),
            matomo_token: settings.matomo_token.as_deref(),
            link_key: settings.link_key.as_deref().map(str::as_bytes),
        })
    }

    /// The name of the source that a request is for, by its key.
    pub(crate) fn source_of(&self, protocol: Protocol, decoded: &Decoded) -> Result<String, Refusal> {
        self.0.sources.of(protocol, decoded, None).map(|source| source.settings.name.clone())
    }

    /// Draws the secret of a day that begins. Where it cannot be kept, visitors without a cookie stay unknown for now.
    fn turn(&self, now: Micros) {
        if self.under(now, |terms| terms.day_salt.is_some()) {
            return;
        }
        let first = self.0.log.sealed().ok().and_then(|sealed| sealed.first().copied());
        let oldest = first.and_then(|number| self.0.log.made_at(number)).unwrap_or(now);
        let mut salts = self.0.salts.write().unwrap_or_else(PoisonError::into_inner);
        if salts.of(now).is_none()
            && let Err(error) = salts.turn(now, oldest)
        {
            tracing::error!(%error, "the secret of the day cannot be kept");
        }
    }
}

/// All routes of a collector.
pub fn router(collector: Collector) -> Router {
    Router::new().fallback(handle::handle).with_state(collector)
}

fn now() -> Micros {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros() as Micros)
}
