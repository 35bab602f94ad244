//! Who did what that a data protection officer asks about: `audit.ndjson` in the workspace's folder, appended to and never changed.
//!
//! A file and not a table, because commands without accounts write it too, it outlives every other part of the workspace, and
//! a log shipper can follow it. It says nothing of the people whose data is kept: counts and kinds only.
use crate::{Error, Result, Workspace};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

/// The file in the workspace's folder.
const FILE: &str = "audit.ndjson";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A person was erased.
    Erase,
    /// What is known of a person was handed out.
    Export,
    /// What was older than its limit was removed.
    Retain,
    /// The settings were changed in the application.
    Settings,
    /// A user was made.
    UserAdded,
    /// A user's role, name or password was changed by an administrator.
    UserChanged,
    /// A user was deleted.
    UserDeleted,
    /// A token was made.
    TokenMade,
    /// A token was taken away.
    TokenDeleted,
    /// Somebody changed their own password.
    PasswordChanged,
    /// A whole table was downloaded, or asked for in SQL; from the command line, any question in SQL.
    Download,
    /// Somebody decided that two identifiers are one person, or are not.
    Decision,
    /// Probable matches were stored as links.
    Matches,
    /// Rejected requests were read again.
    Replay,
    /// A login failed.
    LoginFailed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who: `os:NAME` of the operating system, or `account:ADDRESS` of the application.
    pub who: String,
    /// What.
    pub act: Act,
    /// Counts and kinds.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

/// The audit log of a workspace.
#[derive(Clone, Debug)]
pub struct Audit {
    path: PathBuf,
}

impl Audit {
    /// Of a workspace.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        Self::at(workspace.root())
    }

    /// Of the workspace in a folder.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { path: root.join(FILE) }
    }

    /// Who runs this program, by the operating system's word.
    #[must_use]
    pub fn os_user() -> String {
        named(["USER", "LOGNAME", "USERNAME"].map(|name| std::env::var(name).ok()))
    }

    /// Adds a line, durable when this returns.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&self, who: &str, act: Act, detail: Value) -> Result<()> {
        let detail = match detail {
            Value::Object(detail) => detail,
            _ => Map::new(),
        };
        let entry = Entry { at: Timestamp::now().to_string(), who: who.to_owned(), act, detail };
        let failed = |source| Error::io(&self.path, source);
        let mut line = serde_json::to_vec(&entry).map_err(|error| Error::Request(error.to_string()))?;
        line.push(b'\n');
        let mut options = File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path).map_err(failed)?;
        // One write, so that lines of several processes stay whole.
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(failed)
    }

    /// The newest lines, newest first, after `offset` even newer ones; and how many there are. Only these are kept in memory.
    ///
    /// # Errors
    /// When the file cannot be read, or one of these lines is none.
    pub fn newest(&self, limit: usize, offset: usize) -> Result<(Vec<Entry>, usize)> {
        let failed = |source| Error::io(&self.path, source);
        let lines = || match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => file.map(|file| Some(BufReader::new(file).lines())),
        };
        let mut total = 0;
        for line in lines().map_err(failed)?.into_iter().flatten() {
            total += usize::from(!line.map_err(failed)?.is_empty());
        }
        let end = total.saturating_sub(offset);
        let (mut entries, mut at) = (vec![], 0);
        for (number, line) in lines().map_err(failed)?.into_iter().flatten().enumerate() {
            let line = line.map_err(failed)?;
            if at == end {
                break;
            }
            if !line.is_empty() {
                at += 1;
                if at > end.saturating_sub(limit) {
                    entries.push(self.entry(number, &line)?);
                }
            }
        }
        entries.reverse();
        Ok((entries, total))
    }

    /// A line, counted from 0.
    fn entry(&self, number: usize, line: &str) -> Result<Entry> {
        serde_json::from_str(line).map_err(|error| {
            Error::Request(format!(
                "{}:{}: {error}\n  hint: the line was changed or cut off; move it out of the file",
                self.path.display(),
                number + 1
            ))
        })
    }

    /// All lines, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is none.
    pub fn read(&self) -> Result<Vec<Entry>> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            other => other.map_err(|source| Error::io(&self.path, source))?,
        };
        let line = |(number, line): (usize, &str)| self.entry(number, line);
        text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(line).collect()
    }
}

/// The first name that is told, else the user's number: cron and containers often tell no name.
fn named(told: [Option<String>; 3]) -> String {
    let name = told.into_iter().flatten().find(|name| !name.is_empty());
    format!("os:{}", name.or_else(user_id).as_deref().unwrap_or("unknown"))
}

/// The user's number, where the system tells it.
fn user_id() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata("/proc/self").ok().map(|process| format!("uid-{}", process.uid()))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_has_no_name_has_a_number() {
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(named([None, name("ada"), name("bea")]), "os:ada");
        assert_eq!(named([name(""), name("ada"), None]), "os:ada");
        if cfg!(target_os = "linux") {
            let number = named([None, name(""), None]);
            assert!(number.strip_prefix("os:uid-").unwrap().parse::<u32>().is_ok(), "{number}");
        }
    }

    #[test]
    fn lines_are_added_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::at(folder.path());
        assert_eq!(audit.read().unwrap(), []);
        audit.add("os:ada", Act::Erase, json!({"rows": 3})).unwrap();
        audit.add("account:ada@x.example", Act::LoginFailed, Value::Null).unwrap();
        let read = audit.read().unwrap();
        assert_eq!(read.iter().map(|entry| entry.act).collect::<Vec<_>>(), [Act::Erase, Act::LoginFailed]);
        assert_eq!((read[0].detail["rows"].as_u64(), read[1].detail.len()), (Some(3), 0));
        let newest = |limit, offset| {
            let (entries, total) = audit.newest(limit, offset).unwrap();
            (entries.into_iter().map(|entry| entry.act).collect::<Vec<_>>(), total)
        };
        assert_eq!(newest(10, 0), (vec![Act::LoginFailed, Act::Erase], 2));
        assert_eq!(newest(1, 0), (vec![Act::LoginFailed], 2));
        assert_eq!(newest(1, 1), (vec![Act::Erase], 2));
        assert_eq!(newest(10, 2), (vec![], 2));
        assert_eq!(newest(10, usize::MAX), (vec![], 2));
        fs::write(folder.path().join(FILE), "{}\n").unwrap();
        assert!(audit.newest(10, 0).unwrap_err().to_string().contains("audit.ndjson:1"));
        assert!(audit.read().unwrap_err().to_string().contains("audit.ndjson:1"));
    }
}
