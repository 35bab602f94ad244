//! Users and their roles.
use super::{
    super::{answer::Page, reason::Reason},
    AccountError, Accounts, now, password,
};
use rusqlite::{OptionalExtension, Row, params, types::FromSqlError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees reports about many people together.
    Viewer,
    /// Also asks in SQL, sees single people, rejected rows and settings, and starts builds.
    Analyst,
    /// Also changes settings and users.
    Admin,
}

impl Role {
    /// As it is stored and spelled.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Analyst, Self::Admin].into_iter().find(|role| role.name() == text)
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// Given once, never again.
    pub id: i64,
    /// How others call them.
    pub name: String,
    /// What they log in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// A user to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// How others call them.
    pub name: String,
    /// What they log in with.
    pub email: String,
    /// At least ten letters.
    pub password: String,
    /// What they may do.
    pub role: Role,
}

/// What changes about a user; the rest stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// How others call them.
    pub name: Option<String>,
    /// What they may do; logs them out.
    pub role: Option<Role>,
    /// At least ten letters; logs them out and takes their tokens away.
    pub password: Option<String>,
}

const COLUMNS: &str = "id, name, email, role, created_at";

pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let role: String = row.get(3)?;
    let role = Role::parse(&role).ok_or(FromSqlError::InvalidType)?;
    Ok(User { id: row.get(0)?, name: row.get(1)?, email: row.get(2)?, role, created_at: row.get(4)? })
}

impl Accounts {
    /// Whether nobody was set up yet.
    pub fn is_empty(&self) -> Result<bool, AccountError> {
        Ok(self.database().query_row("SELECT NOT EXISTS (SELECT 1 FROM users)", [], |row| row.get(0))?)
    }

    /// A page of everybody, by name, and how many they are.
    pub fn users(&self, page: Page) -> Result<(Vec<User>, usize), AccountError> {
        let query = format!("SELECT {COLUMNS} FROM users ORDER BY name, id");
        super::page(&self.database(), &query, [], page, user)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`AccountError::Refused`] when the address is taken or none, or the password too short.
    pub fn add_user(&self, new: &NewUser) -> Result<User, AccountError> {
        let digest = password::hash(&new.password)?;
        let (name, email) = (name(&new.name)?, email(&new.email)?);
        let database = self.database();
        let added = database.query_row(
            &format!(
                "INSERT INTO users (name, email, role, password, created_at) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
            ),
            params![name, email, new.role.name(), digest, now()],
            user,
        );
        added.optional()?.ok_or_else(|| {
            let text = format!("`{email}` has an account already; change that one, or use another address");
            AccountError::Refused(text, Reason::AddressTaken { email: email.to_owned() })
        })
    }

    /// Changes a user; `None` where there is none. The last administrator stays one.
    pub fn change_user(&self, id: i64, change: &Change) -> Result<Option<User>, AccountError> {
        let digest = change.password.as_deref().map(password::hash).transpose()?;
        let name = change.name.as_deref().map(name).transpose()?;
        let mut database = self.database();
        let transaction = database.transaction()?;
        let role = change.role.map(Role::name);
        transaction.execute(
            "UPDATE users SET name = coalesce(?2, name), role = coalesce(?3, role), password = coalesce(?4, password) WHERE id = ?1",
            params![id, name, role, digest],
        )?;
        if role.is_some() || digest.is_some() {
            transaction.execute("DELETE FROM logins WHERE user_id = ?", [id])?;
        }
        if digest.is_some() {
            transaction.execute("DELETE FROM tokens WHERE user_id = ?", [id])?;
        }
        keep_an_admin(&transaction)?;
        let changed =
            transaction.query_row(&format!("SELECT {COLUMNS} FROM users WHERE id = ?"), [id], user).optional()?;
        transaction.commit()?;
        Ok(changed)
    }

    /// Deletes a user with their logins and tokens; whether there was one. The last administrator stays.
    pub fn delete_user(&self, id: i64) -> Result<bool, AccountError> {
        let mut database = self.database();
        let transaction = database.transaction()?;
        let deleted = transaction.execute("DELETE FROM users WHERE id = ?", [id])? > 0;
        keep_an_admin(&transaction)?;
        transaction.commit()?;
        Ok(deleted)
    }

    /// The user with an address, and the digest of their password.
    pub fn by_email(&self, email: &str) -> Result<Option<(User, String)>, AccountError> {
        let sql = format!("SELECT {COLUMNS}, password FROM users WHERE email = ?");
        let found = self.database().query_row(&sql, [email.trim()], |row| Ok((user(row)?, row.get(5)?)));
        Ok(found.optional()?)
    }
}

fn keep_an_admin(transaction: &rusqlite::Transaction<'_>) -> Result<(), AccountError> {
    let left: bool =
        transaction.query_row("SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin')", [], |row| row.get(0))?;
    if left {
        return Ok(());
    }
    Err(AccountError::Refused(
        "this is the last administrator; make another user one first".to_owned(),
        Reason::LastAdmin,
    ))
}

fn name(text: &str) -> Result<&str, AccountError> {
    let refused = |text: &str| AccountError::Refused(text.to_owned(), Reason::NameLength { most: 200 });
    match text.trim() {
        "" => Err(refused("an empty text is no name; write one")),
        name if name.len() > 200 => Err(refused("the name is longer than 200 bytes; shorten it")),
        name => Ok(name),
    }
}

fn email(text: &str) -> Result<&str, AccountError> {
    let email = text.trim();
    let parts = email.rsplit_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
    if parts.is_none() || email.len() > 254 || email.chars().any(|letter| letter.is_whitespace() || letter.is_control())
    {
        let text = format!("`{email}` is no e-mail address; write one like ana@example.com");
        return Err(AccountError::Refused(text, Reason::NoAddress { email: email.to_owned() }));
    }
    Ok(email)
}
