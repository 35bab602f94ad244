//! One file of the log: written at its end, or read whole.
use super::{
    Entry, LogError,
    folder::disk,
    frame::{Entries, HEADER, Salt, header, read_header, record},
};
use safar_model::Micros;
use std::{
    fmt::Debug,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

/// A file that is written. Tests put slow and failing disks in its place.
pub(crate) trait Sink: Debug + Send {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to a length and goes on writing there.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Makes an empty file, which only its owner reads, in place of what may lie there.
pub(crate) type Create = Arc<dyn Fn(&Path) -> io::Result<Box<dyn Sink>> + Send + Sync>;

pub(crate) fn create(path: &Path) -> io::Result<Box<dyn Sink>> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600); // addresses and keys of visitors and clients
    Ok(Box::new(options.open(path)?))
}

impl Sink for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length))?;
        self.sync_data()
    }
}

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Open {
    sink: Box<dyn Sink>,
    /// Bytes that are safe.
    pub length: u64,
    /// Whether a write failed: no more are made here.
    pub failed: bool,
}

impl Open {
    /// Makes a segment durable, except for its name.
    pub fn create(path: &Path, salt: &Salt, made_at: Micros, create: &Create) -> io::Result<Self> {
        let mut sink = create(path)?;
        sink.write(&header(salt, made_at))?;
        sink.sync()?;
        Ok(Self { sink, length: HEADER as u64, failed: false })
    }

    pub fn is_empty(&self) -> bool {
        self.length <= HEADER as u64
    }

    /// Makes records durable, or none of them.
    pub fn commit(&mut self, records: &[u8]) -> io::Result<()> {
        let done = self.sink.write(records).and_then(|()| self.sink.sync());
        match &done {
            Ok(()) => self.length += records.len() as u64,
            Err(_) => {
                self.failed = true;
                let _ = self.sink.cut(self.length); // where that fails as well, readers find a torn tail
            }
        }
        done
    }
}

/// When a segment was made, by its header.
pub(super) fn made_at(path: &Path) -> Option<Micros> {
    let mut header = [0; HEADER];
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    read_header(&header).map(|(_, made_at)| made_at)
}

/// A sealed segment in memory.
#[derive(Clone, Debug)]
pub struct Segment {
    bytes: Vec<u8>,
    header: Option<(Salt, Micros)>,
}

impl Segment {
    /// Reads a file of a log, for example one that was published.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, LogError> {
        let bytes = fs::read(path).map_err(disk("read", path))?;
        let header = read_header(&bytes);
        Ok(Self { bytes, header })
    }

    /// When it was made, microseconds UTC; `None` where its header is damaged.
    #[must_use]
    pub fn made_at(&self) -> Option<Micros> {
        self.header.map(|(_, made_at)| made_at)
    }

    /// Where it ends, in bytes.
    pub(crate) fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Its parts, in order; together with the header they are all of its bytes. A segment whose header is damaged is torn
    /// from its beginning.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries_from(0)
    }

    /// The record that begins at a place, in bytes, if a whole one does.
    #[must_use]
    pub fn record(&self, at: usize) -> Option<&[u8]> {
        record(&self.header?.0, &self.bytes, at)
    }

    /// As [`Segment::entries`], from the place of one of them on, or from the end of the last one.
    pub(crate) fn entries_from(&self, at: usize) -> impl Iterator<Item = Entry<'_>> {
        let headless = self.header.is_none() && at < self.bytes.len();
        let torn = headless.then(|| Entry::Torn { at, bytes: &self.bytes[at..] });
        let whole = self.header.map(|(salt, _)| Entries { salt, bytes: &self.bytes, at: at.max(HEADER) });
        torn.into_iter().chain(whole.into_iter().flatten())
    }
}
