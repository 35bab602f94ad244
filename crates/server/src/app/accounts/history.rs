//! Who changed the settings when, and what they were.
use super::{super::answer::Page, AccountError, Accounts, now};
use rusqlite::params;
use serde::Serialize;
use utoipa::ToSchema;

/// A change of the settings that was made here, or what the first change after it found: what other programs wrote.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SettingsVersion {
    /// Names the text.
    pub version: String,
    /// Seconds since 1970.
    pub time: i64,
    /// Who, by their address; empty where another program wrote the file.
    pub user: String,
    /// The settings after the change.
    pub text: String,
}

impl Accounts {
    /// Remembers a change.
    pub fn add_settings(&self, version: &str, text: &str, user: &str) -> Result<(), AccountError> {
        let sql = "INSERT INTO settings_history (version, text, user, at) VALUES (?, ?, ?, ?)";
        self.database().execute(sql, params![version, text, user, now()])?;
        Ok(())
    }

    /// Remembers what a change finds, where another program wrote it: so that it can be compared, and restored.
    pub fn find_settings(&self, version: &str, text: &str, at: Option<i64>) -> Result<(), AccountError> {
        let sql = "INSERT INTO settings_history (version, text, user, at) SELECT ?1, ?2, '', ?3 \
                   WHERE ?1 IS NOT (SELECT version FROM settings_history ORDER BY id DESC LIMIT 1)";
        self.database().execute(sql, params![version, text, at.unwrap_or_else(now)])?;
        Ok(())
    }

    /// A page of the changes, newest first, and how many they are.
    pub fn settings_history(&self, page: Page) -> Result<(Vec<SettingsVersion>, usize), AccountError> {
        let query = "SELECT version, at, user, text FROM settings_history ORDER BY id DESC";
        super::page(&self.database(), query, [], page, |row| {
            Ok(SettingsVersion { version: row.get(0)?, time: row.get(1)?, user: row.get(2)?, text: row.get(3)? })
        })
    }
}
