//! One writer a workspace: an advisory lock on `data/.lock` that the operating system frees when its holder dies.
use crate::error::{Error, IoContext, Result};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

/// The right to write a store. Dropping it lets the next writer in; so does the end of the process, however it ends.
#[derive(Debug)]
pub struct WriteLock {
    dir: PathBuf,
    file: File,
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started has copies of all open files for a moment, and the lock lives in them.
        let _ = self.file.unlock();
    }
}

impl WriteLock {
    /// Takes the lock of `dir`, or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(".lock");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).at("write", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(Error::Locked { path: dir.to_owned(), pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(error).at("lock", &path),
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        note(&mut file).at("write", &path)?;
        Ok(Self { dir: dir.to_owned(), file })
    }

    /// Whether this is the lock of `dir`.
    pub(crate) fn check(&self, dir: &Path) -> Result<()> {
        if self.dir == dir {
            return Ok(());
        }
        Err(Error::WrongLock { locked: self.dir.clone(), written: dir.to_owned() })
    }
}
