//! Texts in SQL.

/// A text as SQL spells it: in quotes, those within it doubled.
///
/// ```
/// assert_eq!(safar_engine::quoted("it's"), "'it''s'");
/// ```
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
