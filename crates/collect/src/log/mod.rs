//! The write-ahead log: nothing is acknowledged before it lies on the disk.
//!
//! # Folder
//! | file | what it is |
//! |---|---|
//! | `lock` | held by the one process that writes; its text is the log's identity, drawn once |
//! | `NNNNNN.log` | segments, numbered upwards; the highest is being written, the others are sealed and never change |
//! | `NNNNNN.parts` | where the parts of a sealed segment end that were handed on, one a line, in bytes |
//! | `published/NNNNNN.log` | sealed segments whose events were published, kept for reading them again |
//!
//! A number is never used twice: a segment is offered as sealed only once its successor lies on the disk. The pair of
//! identity and number therefore names what was in a segment for ever, also to the tables that it is published to.
//!
//! # Segment
//! A header of 28 bytes: `SAFARLG1`, a salt of 8 bytes, the time of its making (µs, 8 bytes), CRC-32 of these. Then records:
//! the mark `a5 53 52 5a`, the payload's length, CRC-32 of salt and length, CRC-32 of salt and payload (4 bytes each), the
//! payload. Integers are little-endian. The salt, which nobody outside knows, keeps a record that a client hides in its
//! payload from being taken for one of ours when a damaged segment is searched.
//!
//! # Promises
//! - [`Log::append`] returns after `fdatasync`. One thread writes what has gathered meanwhile in one go (group commit).
//! - A disk that takes longer than five seconds for a group is too slow: those who wait are told to come back, and so is who comes
//!   until it is done. What was handed to it may be written all the same; clients send again under the same id.
//! - After a failed write the file is cut back to its last whole record and a new segment begins, because what a failed
//!   `fsync` left behind cannot be known (the "fsyncgate" of PostgreSQL, 2018). The appends fail, none of them is
//!   acknowledged; once there is space again, appends succeed again.
//! - Files are created and removed with an `fsync` of their folder.
mod blank;
#[cfg(test)]
pub(crate) mod faulty;
mod folder;
mod frame;
mod segment;
mod settings;
#[cfg(test)]
mod tests;
mod writer;

pub use blank::blank;
pub use folder::{Waiting, published, unpublished};
pub use frame::{Entry, RECORD};
pub use segment::Segment;
pub use settings::LogSettings;

use folder::Folder;
pub(crate) use folder::sync_names;
use safar_model::Micros;
pub(crate) use segment::create;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use writer::Writer;

/// Why a log cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Another process writes it.
    #[error("{0} is being written by another process; stop that one, or give this one a folder of its own")]
    Locked(PathBuf),
    /// The disk says no.
    #[error("cannot {what} {path}: {source}")]
    Disk {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a record is not safe. The same append may succeed later, except for [`AppendError::TooLarge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The log has reached its limit: sealed segments wait for being published.
    #[error("the log is full: its segments wait for being published")]
    Full,
    /// More waits for the disk than it takes.
    #[error("the disk is slower than what comes in")]
    Busy,
    /// The disk says no, for example because it is full.
    #[error("the disk takes no writes: {0}")]
    Disk(io::ErrorKind),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// Longer than [`RECORD`] bytes.
    #[error("a record is longer than {RECORD} bytes")]
    TooLarge,
}

/// A write-ahead log in a folder. Clones write the same log; the last one to go closes it.
#[derive(Clone, Debug)]
pub struct Log {
    folder: Arc<Folder>,
    writer: Arc<Writer>,
}

impl Log {
    /// Opens the log in a folder, which is made where it is absent. Segments that lie there are sealed, whatever state
    /// their last writer left them in.
    ///
    /// # Errors
    /// When another process writes it, or the disk says no.
    pub fn open(folder: &Path, settings: &LogSettings) -> Result<Self, LogError> {
        Self::over(folder, settings, Arc::new(segment::create), writer::PATIENCE)
    }

    /// As [`Log::open`], over files of another kind, and with another patience with the disk.
    pub(crate) fn over(
        folder: &Path,
        settings: &LogSettings,
        create: segment::Create,
        patience: Duration,
    ) -> Result<Self, LogError> {
        let folder = Arc::new(Folder::open(folder)?);
        let writer = Arc::new(Writer::start(Arc::clone(&folder), settings, create, patience)?);
        Ok(Self { folder, writer })
    }

    /// The log's identity, 32 hexadecimal digits: another one once its folder was emptied.
    #[must_use]
    pub fn identity(&self) -> &str {
        self.folder.identity()
    }

    /// Makes a payload safe: returns once it lies on the disk. A record whose future is dropped may be written all the same.
    ///
    /// # Errors
    /// When it is not known to be safe. It may be in the log nevertheless.
    pub async fn append(&self, payload: &[u8]) -> Result<(), AppendError> {
        self.writer.append(payload, false).await
    }

    /// As [`Log::append`], for what nobody will send again: it may use the last sixteenth of the log's limit, which is kept for
    /// it.
    ///
    /// # Errors
    /// As there.
    pub async fn append_last(&self, payload: &[u8]) -> Result<(), AppendError> {
        self.writer.append(payload, true).await
    }

    /// As [`Log::append`], or [`Log::append_last`]: the payload is handed over at once, and may go while it is waited for.
    pub(crate) fn hand(
        &self,
        payload: &[u8],
        last: bool,
    ) -> Result<impl Future<Output = Result<(), AppendError>> + use<>, AppendError> {
        self.writer.gather(payload, last)
    }

    /// Bytes of all segments that were not published.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.writer.size()
    }

    /// Numbers of the sealed segments, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn sealed(&self) -> Result<Vec<u64>, LogError> {
        let current = self.writer.current();
        Ok(self.folder.segments()?.into_iter().filter(|number| *number < current).collect())
    }

    /// Seals what was written so far, without waiting for size or age. Returns once that is done or has failed; an empty
    /// segment stays.
    pub async fn seal(&self) {
        self.writer.seal().await;
    }

    /// Waits until another segment is sealed.
    pub async fn changed(&self, seen: u64) {
        self.writer.changed(seen).await;
    }

    /// The number of the segment that is being written: all below are sealed.
    #[must_use]
    pub fn current(&self) -> u64 {
        self.writer.current()
    }

    /// Reads a sealed segment into memory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, number: u64) -> Result<Segment, LogError> {
        Segment::read(&self.folder.path(number))
    }

    /// When a segment was made, microseconds UTC, where that can be read.
    #[must_use]
    pub fn made_at(&self, number: u64) -> Option<Micros> {
        segment::made_at(&self.folder.path(number))
    }

    /// Where the parts of a sealed segment end that were handed on before, in order.
    pub(crate) fn parts(&self, number: u64) -> Result<Vec<usize>, LogError> {
        self.folder.parts(number)
    }

    /// Notes where they end, durably.
    pub(crate) fn set_parts(&self, number: u64, ends: &[usize]) -> Result<(), LogError> {
        self.folder.set_parts(number, ends)
    }

    /// Puts a sealed segment away once its events are safe elsewhere, and forgets older ones beyond what is kept. Of records that
    /// begin at the places `withheld`, which ascend, zeros are kept. Doing it again does nothing.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn put_away(&self, number: u64, withheld: &[usize]) -> Result<(), LogError> {
        if number < self.writer.current() {
            let bytes = self.folder.put_away(number, withheld, self.writer.keep())?;
            self.writer.freed(bytes);
        }
        Ok(())
    }
}
