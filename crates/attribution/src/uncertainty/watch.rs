//! Who waits for resamples.
use crate::Stop;
use std::sync::atomic::{AtomicU32, Ordering};

/// Who waits for resamples: hears how far they are, and may end them.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Ends resampling, in the middle of a fit too.
    pub stop: &'a Stop,
    /// Called with the number of resamples that are done, each number once and by any thread.
    pub told: &'a (dyn Fn(u32) + Sync),
}

/// Work under a watch.
pub(crate) struct Watched<'a> {
    pub(crate) stop: &'a Stop,
    told: &'a (dyn Fn(u32) + Sync),
    done: AtomicU32,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(Watch { stop, told }: Watch<'a>) -> Self {
        Self { stop, told, done: AtomicU32::new(0) }
    }

    /// Another resample is done.
    pub(crate) fn tell(&self) {
        (self.told)(self.done.fetch_add(1, Ordering::Relaxed) + 1);
    }
}
