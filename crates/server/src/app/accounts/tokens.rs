//! Tokens of programs: for the HTTP API, and as passwords of the SQL server.
use super::{
    super::{answer::Page, reason::Reason},
    AccountError, Accounts, User, digest, now, secret,
    users::user,
};
use datafusion_postgres::pgwire::api::auth::sasl::scram::gen_salted_password;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often SCRAM digests a token. Tokens are random, so that more would only cost time (RFC 7677 asks for 4096 at least).
pub const SCRAM_ITERATIONS: usize = 4096;

/// A token as its owner sees it later: without the secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Token {
    /// Given once, never again.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// The user name that goes with it at the SQL server.
    pub sql_user: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970; never where null.
    pub expires_at: Option<i64>,
}

/// A token when it is made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewToken {
    /// What is shown later too.
    #[serde(flatten)]
    pub token: Token,
    /// The secret, shown this once: `Authorization: Bearer …`, and the password of the SQL server.
    pub secret: String,
}

/// A token to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenWish {
    /// What it is for.
    pub name: String,
    /// After how many days it ends; never where left out.
    pub days: Option<u32>,
}

/// What the SQL server checks a token by.
pub struct ScramSecret {
    /// Random.
    pub salt: Vec<u8>,
    /// The token, salted and digested [`SCRAM_ITERATIONS`] times.
    pub password: Vec<u8>,
    /// Whose it is.
    pub user: User,
}

fn sql_user(id: i64) -> String {
    format!("token_{id}")
}

impl Accounts {
    /// Makes a token of a user, which may do what they may.
    ///
    /// # Errors
    /// [`AccountError::Refused`] for a token without a name.
    pub fn add_token(&self, user_id: i64, wish: &TokenWish) -> Result<NewToken, AccountError> {
        let name = wish.name.trim();
        if name.is_empty() || name.len() > 200 {
            return Err(AccountError::Refused(
                "a token needs a name of 1 to 200 bytes that says what it is for".to_owned(),
                Reason::NameLength { most: 200 },
            ));
        }
        let secret = format!("safar_{}", secret()?);
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(AccountError::Random)?;
        let salted = gen_salted_password(&secret, &salt, SCRAM_ITERATIONS);
        let created_at = now();
        let expires_at = wish.days.map(|days| created_at + i64::from(days) * 86_400);
        let database = self.database();
        database.execute(
            "INSERT INTO tokens (user_id, name, digest, scram_salt, scram_password, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![user_id, name, digest(&secret), salt, salted, created_at, expires_at],
        )?;
        let id = database.last_insert_rowid();
        let token = Token { id, name: name.to_owned(), sql_user: sql_user(id), created_at, expires_at };
        Ok(NewToken { token, secret })
    }

    /// A page of the tokens of a user, newest first, and how many they are.
    pub fn tokens(&self, user_id: i64, page: Page) -> Result<(Vec<Token>, usize), AccountError> {
        let query = "SELECT id, name, created_at, expires_at FROM tokens WHERE user_id = ? ORDER BY id DESC";
        super::page(&self.database(), query, [user_id], page, |row| {
            let id = row.get(0)?;
            Ok(Token {
                id,
                name: row.get(1)?,
                sql_user: sql_user(id),
                created_at: row.get(2)?,
                expires_at: row.get(3)?,
            })
        })
    }

    /// Takes a token of a user away; whether there was one.
    pub fn delete_token(&self, user_id: i64, id: i64) -> Result<bool, AccountError> {
        Ok(self.database().execute("DELETE FROM tokens WHERE id = ? AND user_id = ?", [id, user_id])? > 0)
    }

    /// Whose a token is.
    pub fn token_user(&self, secret: &str) -> Result<Option<User>, AccountError> {
        let sql = "SELECT users.id, users.name, email, role, users.created_at FROM tokens JOIN users ON users.id = user_id \
                   WHERE digest = ? AND (expires_at IS NULL OR expires_at > ?)";
        Ok(self.database().query_row(sql, params![digest(secret), now()], user).optional()?)
    }

    /// What the SQL server checks the user name `token_ID` by.
    pub fn scram(&self, sql_user: &str) -> Result<Option<ScramSecret>, AccountError> {
        let Some(id) = sql_user.strip_prefix("token_").and_then(|id| id.parse::<i64>().ok()) else { return Ok(None) };
        let sql = "SELECT users.id, users.name, email, role, users.created_at, scram_salt, scram_password \
                   FROM tokens JOIN users ON users.id = user_id WHERE tokens.id = ? AND (expires_at IS NULL OR expires_at > ?)";
        let found = self.database().query_row(sql, params![id, now()], |row| {
            Ok(ScramSecret { user: user(row)?, salt: row.get(5)?, password: row.get(6)? })
        });
        Ok(found.optional()?)
    }
}
