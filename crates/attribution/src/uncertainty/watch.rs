//! Somebody hears how far resampling is, and may end it.
use super::BootstrapError;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Called with the number of resamples that are done, each number once and by any thread. Where it says `false`, no further
/// resamples are begun.
pub type Watch<'a> = &'a (dyn Fn(u32) -> bool + Sync);

/// Work under a watch.
pub(crate) struct Watched<'a> {
    watch: Watch<'a>,
    done: AtomicU32,
    stopped: AtomicBool,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(watch: Watch<'a>) -> Self {
        Self { watch, done: AtomicU32::new(0), stopped: AtomicBool::new(false) }
    }

    /// Another resample is done.
    pub(crate) fn tell(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if !(self.watch)(done) {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Whether no more are to be begun.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`BootstrapError::Stopped`]: then some are missing.
    pub(crate) fn end(&self) -> Result<(), BootstrapError> {
        if self.is_stopped() { Err(BootstrapError::Stopped) } else { Ok(()) }
    }
}
