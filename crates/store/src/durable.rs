//! Writing so that it survives a power cut: data first, then the name, then the folder.
use crate::error::{IoContext, Result};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Flushes a file's content to the disk.
pub(crate) fn sync_file(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).at("flush", path)
}

/// Flushes a folder's entries to the disk, so that a created or renamed file keeps its name.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    // Windows cannot open a folder as a file and journals its names anyway.
    if cfg!(unix) { sync_file(path) } else { Ok(()) }
}

/// Makes a folder and those above it that are missing, each durable.
pub(crate) fn create_dir(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_dir(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => {
            Err(error).at("create folder", path)
        }
        _ => parent.map_or(Ok(()), sync_dir),
    }
}

/// Replaces `path` by `bytes`: readers see the old content or the new, also after a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("tmp");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.at("write", &temporary)?;
    fs::rename(&temporary, path).at("replace", path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Removes a file for good; one that is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => {
            result.at("remove", path)?;
            path.parent().map_or(Ok(()), sync_dir)
        }
    }
}
