//! The folder of a log: who may write it, what lies in it.
use super::{
    LogError,
    blank::blank_to,
    frame::{Entry, HEADER},
    segment::made_at,
    settings::Keep,
};
use safar_model::Micros;
use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A folder that only this process writes.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    identity: String,
    lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started has copies of all open files for a moment, and the lock lives in them.
        let _ = self.lock.unlock();
    }
}

/// For `map_err`.
pub(super) fn disk(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Disk { what, path, source }
}

/// Makes a new or removed name durable.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Folder {
    pub fn open(path: &Path) -> Result<Self, LogError> {
        fs::create_dir_all(path).map_err(disk("make", path))?;
        let name = path.join("lock");
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = options.open(&name).map_err(disk("open", &name))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LogError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(disk("lock", &name)(source)),
        }
        let identity = identity(&mut lock).map_err(disk("write", &name))?;
        sync_names(path).map_err(disk("sync", path))?;
        Ok(Self { path: path.to_owned(), identity, lock })
    }

    pub fn identity(&self) -> &str {
        &self.identity
    }

    pub fn path(&self, number: u64) -> PathBuf {
        self.path.join(name(number))
    }

    /// Numbers of all segments that were not published, in order.
    pub fn segments(&self) -> Result<Vec<u64>, LogError> {
        numbers(&self.path).map_err(disk("read", &self.path))
    }

    /// Bytes of all segments that were not published.
    pub fn size(&self) -> Result<u64, LogError> {
        Ok(self
            .segments()?
            .into_iter()
            .map(|number| fs::metadata(self.path(number)).map_or(0, |about| about.len()))
            .sum())
    }

    pub fn sync(&self) -> io::Result<()> {
        sync_names(&self.path)
    }

    /// Where the parts of a segment end that were handed on.
    pub fn parts(&self, number: u64) -> Result<Vec<usize>, LogError> {
        let path = self.path(number).with_extension("parts");
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(disk("read", &path)(error)),
            Ok(text) => Ok(text.lines().map_while(|line| line.parse().ok()).collect()),
        }
    }

    /// Notes them; readers see the old ones or the new ones.
    pub fn set_parts(&self, number: u64, ends: &[usize]) -> Result<(), LogError> {
        let path = self.path(number).with_extension("parts");
        let draft = self.path.join("parts.new");
        let text: String = ends.iter().map(|end| format!("{end}\n")).collect();
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            self.sync()
        };
        write().map_err(disk("write", &path))
    }

    /// Moves a segment to those that were published, with zeros for the records that begin at the places `withheld`, or removes it
    /// where none are kept. Returns its size.
    pub fn put_away(&self, number: u64, withheld: &[usize], keep: Keep) -> Result<u64, LogError> {
        let from = self.path(number);
        let bytes = match fs::metadata(&from) {
            Ok(about) => about.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(disk("read", &from)(error)),
        };
        let published = self.path.join("published");
        if keep.bytes == 0 {
            fs::remove_file(&from).map_err(disk("remove", &from))?;
        } else {
            fs::create_dir_all(&published).map_err(disk("make", &published))?;
            let kept = published.join(name(number));
            // Until its copy is whole the segment stays, and would be published again, which changes nothing.
            let is_withheld = |entry: Entry<'_>| withheld.binary_search(&entry.at()).is_ok();
            if withheld.is_empty() || blank_to(&from, &kept, is_withheld)? == 0 {
                fs::rename(&from, &kept).map_err(disk("move", &from))?;
                sync_names(&published).map_err(disk("sync", &published))?;
            } else {
                fs::remove_file(&from).map_err(disk("remove", &from))?;
            }
        }
        let parts = from.with_extension("parts");
        match fs::remove_file(&parts) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk("remove", &parts)(error)),
            _ => {}
        }
        self.sync().map_err(disk("sync", &self.path))?;
        if published.is_dir() {
            forget(&published, keep).map_err(disk("clear", &published))?;
        }
        Ok(bytes)
    }
}

/// What waits in a log's folder, as another process than its writer sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Of all segments that were not published.
    pub bytes: u64,
    /// When the oldest segment that holds something was written last.
    pub since: Option<SystemTime>,
    /// When the newest segment was made, microseconds UTC by the clock of then.
    pub newest: Option<Micros>,
}

impl Waiting {
    /// Looks into a log's folder; where there is none, nothing waits.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        let mut waiting = Self::default();
        let found = match numbers(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(waiting),
            other => other?,
        };
        for number in found {
            let path = folder.join(name(number));
            let about = match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // it was published meanwhile
                other => other?,
            };
            waiting.bytes += about.len();
            if about.len() > HEADER as u64 && waiting.since.is_none() {
                waiting.since = Some(about.modified()?);
            }
            waiting.newest = made_at(&path).or(waiting.newest);
        }
        Ok(waiting)
    }
}

/// The segments in a log's folder that were published and are kept, oldest first; where there is no folder, none.
///
/// # Errors
/// When the folder cannot be read.
pub fn published(folder: &Path) -> Result<Vec<PathBuf>, LogError> {
    let kept = folder.join("published");
    match numbers(&kept) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(disk("read", &kept)(error)),
        Ok(found) => Ok(found.into_iter().map(|number| kept.join(name(number))).collect()),
    }
}

/// Numbers of the segments in a log's folder that hold something and were not published, as another process than their writer
/// sees them; where there is no folder, none.
///
/// # Errors
/// When the folder cannot be read.
pub fn unpublished(folder: &Path) -> Result<Vec<u64>, LogError> {
    let mut found = match numbers(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(disk("read", folder))?,
    };
    found.retain(|number| fs::metadata(folder.join(name(*number))).is_ok_and(|about| about.len() > HEADER as u64));
    Ok(found)
}

fn name(number: u64) -> String {
    format!("{number:06}.log")
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name();
        let number = file.to_str().and_then(|text| text.strip_suffix(".log")).and_then(|text| text.parse().ok());
        found.extend(number.filter(|number| *file == *name(*number)));
    }
    found.sort_unstable();
    Ok(found)
}

/// Removes the oldest published segments beyond what is kept.
fn forget(published: &Path, keep: Keep) -> io::Result<()> {
    let mut bytes = 0;
    for number in numbers(published)?.into_iter().rev() {
        let path = published.join(name(number));
        let about = fs::metadata(&path)?;
        bytes += about.len();
        let age = about.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        if bytes > keep.bytes || age.is_some_and(|age| age > keep.age) {
            fs::remove_file(&path)?;
        }
    }
    sync_names(published)
}

/// The identity in the lock file, drawn if there is none.
fn identity(lock: &mut File) -> io::Result<String> {
    let mut text = String::new();
    lock.read_to_string(&mut text)?;
    if text.len() == 32 {
        return Ok(text);
    }
    let mut drawn = [0; 16];
    getrandom::fill(&mut drawn).map_err(io::Error::from)?;
    let text = crate::ids::hex(&drawn);
    lock.set_len(0)?;
    io::Seek::rewind(lock)?;
    lock.write_all(text.as_bytes())?;
    lock.sync_all()?;
    Ok(text)
}
