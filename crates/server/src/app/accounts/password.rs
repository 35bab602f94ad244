//! Passwords, kept by Argon2id with the library's parameters (19 MiB, two passes, as OWASP recommends).
use super::{super::reason::Reason, AccountError};
use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};

/// The shortest password; long ones are worth more than odd ones (NIST SP 800-63B).
const LEAST_LETTERS: usize = 10;

/// The longest, so that digesting stays cheap.
const MOST_BYTES: usize = 1024;

/// What a password that nobody has was digested to: checking against it takes as long as against a real one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FmYXItbm9ib2R5LTAx$WcAgVYdbYaVEVPp1nQFeSNmXhLTkDqNdFFMjvXsFJsA";

/// Digests a new password.
///
/// # Errors
/// [`AccountError::Refused`] when it is too short or too long.
pub fn hash(password: &str) -> Result<String, AccountError> {
    if password.chars().count() < LEAST_LETTERS || password.len() > MOST_BYTES {
        return Err(AccountError::Refused(
            format!(
                "the password must have at least {LEAST_LETTERS} letters and at most {MOST_BYTES} bytes; a few words make a good one"
            ),
            Reason::PasswordLength { least: LEAST_LETTERS as u64, most: MOST_BYTES as u64 },
        ));
    }
    let salt = SaltString::generate(&mut OsRng);
    let digest = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(AccountError::Digest)?;
    Ok(digest.to_string())
}

/// Whether `password` is the one that was digested; without a digest, no, after the same time.
pub fn matches(password: &str, digest: Option<&str>) -> bool {
    if password.len() > MOST_BYTES {
        return false;
    }
    let Ok(parsed) = PasswordHash::new(digest.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && digest.is_some()
}
