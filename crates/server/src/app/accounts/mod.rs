//! Who may do what: users, logins and API tokens in the workspace's `app.sqlite`, and the history of its settings.
//!
//! Secrets are kept as digests: passwords by Argon2id, logins and tokens (256 random bits) by SHA-256. A token also signs in
//! to the SQL server by SCRAM-SHA-256, for which salt and salted password are kept; the file can be read by its owner only.
mod history;
mod logins;
mod password;
mod tokens;
mod users;

pub use history::SettingsVersion;
pub use password::{hash, matches};
pub use tokens::{NewToken, SCRAM_ITERATIONS, ScramSecret, Token, TokenWish};
pub use users::{Change, NewUser, Role, User};

use super::{answer::Page, reason::Reason};
use rusqlite::{Connection, Params, Row};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The file in the workspace's folder.
pub const FILE: &str = "app.sqlite";

/// Which shape of the tables this program writes; `PRAGMA user_version` tells a file's.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        email TEXT NOT NULL UNIQUE COLLATE NOCASE,
        role TEXT NOT NULL,
        password TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE logins (
        digest BLOB PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        digest BLOB NOT NULL UNIQUE,
        scram_salt BLOB NOT NULL,
        scram_password BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER
    ) STRICT;
    CREATE TABLE settings_history (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        version TEXT NOT NULL,
        text TEXT NOT NULL,
        user TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;
";

/// Why accounts cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file cannot be made or protected.
    #[error("{}: {source}; give this user the right to write there", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file was written by a later Safar.
    #[error("{} has shape {found}, this Safar reads {VERSION}; use the Safar that wrote it", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its shape.
        found: i64,
    },
    /// The database said no.
    #[error("the file of users ({FILE}): {0}")]
    Database(#[from] rusqlite::Error),
    /// There is no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// A password cannot be digested.
    #[error("the password cannot be digested: {0}")]
    Digest(argon2::password_hash::Error),
    /// A wish that the rules do not allow, in words for the person who had it.
    #[error("{0}")]
    Refused(String, Reason),
}

/// The accounts of a workspace.
#[derive(Debug)]
pub struct Accounts {
    connection: Mutex<Connection>,
}

impl Accounts {
    /// Opens the file in `folder`, and makes it where it is missing, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be made, or was written by a later Safar.
    pub fn open(folder: &Path) -> Result<Self, AccountError> {
        let path = folder.join(FILE);
        protect(&path).map_err(|source| AccountError::File { path: path.clone(), source })?;
        let connection = Connection::open(&path)?;
        connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA secure_delete = ON;")?;
        match connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? {
            0 => connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?,
            VERSION => {}
            found => return Err(AccountError::Newer { path, found }),
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// The one connection; statements are short.
    fn database(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page of what a query finds, and how many rows there are. The query ends where `LIMIT` would stand.
fn page<T>(
    database: &Connection,
    query: &str,
    parameters: impl Params + Clone,
    page: Page,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<(Vec<T>, usize), AccountError> {
    let count = format!("SELECT count(*) FROM ({query})");
    let total: i64 = database.query_row(&count, parameters.clone(), |row| row.get(0))?;
    // SQLite's numbers have 63 bits: what is beyond them is beyond every table.
    let [limit, offset] = [page.limit, page.offset].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let mut query = database.prepare(&format!("{query} LIMIT {limit} OFFSET {offset}"))?;
    let rows = query.query_map(parameters, read)?.collect::<Result<_, _>>()?;
    Ok((rows, usize::try_from(total).unwrap_or(0)))
}

/// Makes the file where it is missing, and takes it from everybody but its owner.
fn protect(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        options.open(path)?.set_permissions(std::fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    options.open(path).map(drop)
}

/// 256 random bits, in letters and digits.
pub fn secret() -> Result<String, AccountError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(AccountError::Random)?;
    Ok(hex(&bytes))
}

/// SHA-256, by which secrets are kept.
pub fn digest(secret: &str) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(secret.as_bytes()).into()
}

/// Bytes as digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
