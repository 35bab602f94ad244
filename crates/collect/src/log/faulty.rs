//! A disk for tests that is slow, full or broken when they say so.
use super::segment::{Create, Sink, create};
use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

/// What happens to a disk, and what it did.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub full: AtomicBool,
    pub sync_fails: AtomicBool,
    pub cut_fails: AtomicBool,
    pub delay_ms: AtomicUsize,
    pub syncs: AtomicUsize,
}

#[derive(Debug)]
struct Faulty {
    file: Box<dyn Sink>,
    disk: Arc<Disk>,
}

impl Sink for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.disk.full.load(SeqCst) {
            self.file.write(&bytes[..bytes.len() / 2])?; // a part still fits
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(self.disk.delay_ms.load(SeqCst) as u64));
        self.disk.syncs.fetch_add(1, SeqCst);
        if self.disk.sync_fails.load(SeqCst) { Err(io::Error::other("broken")) } else { self.file.sync() }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.disk.cut_fails.load(SeqCst) { Err(io::Error::other("broken")) } else { self.file.cut(length) }
    }
}

pub(crate) fn on(disk: &Arc<Disk>) -> Create {
    let disk = Arc::clone(disk);
    Arc::new(move |path: &Path| Ok(Box::new(Faulty { file: create(path)?, disk: Arc::clone(&disk) }) as Box<dyn Sink>))
}
