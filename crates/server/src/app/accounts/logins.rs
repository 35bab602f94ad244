//! Logins of browsers.
use super::{AccountError, Accounts, User, digest, now, users::user};
use rusqlite::{OptionalExtension, params};

const DAY_SECONDS: i64 = 86_400;

impl Accounts {
    /// Remembers for `days` that whoever shows `secret` is the user, and forgets logins that have ended.
    pub fn log_in(&self, id: i64, secret: &str, days: u32) -> Result<(), AccountError> {
        let database = self.database();
        database.execute("DELETE FROM logins WHERE expires_at <= ?", [now()])?;
        let expires = now() + i64::from(days) * DAY_SECONDS;
        database.execute("INSERT INTO logins VALUES (?, ?, ?)", params![digest(secret), id, expires])?;
        Ok(())
    }

    /// Who logged in with `secret`.
    pub fn logged_in(&self, secret: &str) -> Result<Option<User>, AccountError> {
        let sql = "SELECT users.id, name, email, role, created_at FROM logins JOIN users ON users.id = user_id \
                   WHERE digest = ? AND expires_at > ?";
        Ok(self.database().query_row(sql, params![digest(secret), now()], user).optional()?)
    }

    /// Forgets a login.
    pub fn log_out(&self, secret: &str) -> Result<(), AccountError> {
        self.database().execute("DELETE FROM logins WHERE digest = ?", params![digest(secret)])?;
        Ok(())
    }
}
