//! Finds the delimiter and the columns.
use super::{DELIMITERS, ReadError, cut, rows::unquote};

/// A column with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Path,
    Conversions,
    Value,
    Nulls,
}

impl Column {
    pub(super) const ALLOWED: &str = "path, total_conversions (or conversions), and optionally total_conversion_value \
        (conversion_value, value) and total_null (null, nulls)";

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Conversions => "total_conversions",
            Self::Value => "total_conversion_value",
            Self::Nulls => "total_null",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "path" => Self::Path,
            "total_conversions" | "conversions" => Self::Conversions,
            "total_conversion_value" | "conversion_value" | "value" => Self::Value,
            "total_null" | "null" | "nulls" => Self::Nulls,
            _ => return None,
        })
    }
}

pub(super) struct Header {
    pub(super) delimiter: u8,
    /// By place in the row.
    pub(super) columns: Vec<Option<Column>>,
}

impl Header {
    pub(super) fn parse(row: &[u8], delimiter: Option<u8>) -> Result<Self, ReadError> {
        let row = row.strip_prefix(b"\xef\xbb\xbf").unwrap_or(row);
        let read = |delimiter| {
            let fields = unquote(row, delimiter).unwrap_or_default();
            let names: Vec<_> = fields.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
            let columns: Vec<_> = names.iter().map(|name| Column::named(name)).collect();
            (delimiter, names, columns)
        };
        let candidates = delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        // The last of equals wins in `max_by_key`, so the candidates are tried from the rarest to the usual one.
        let best = candidates.into_iter().rev().map(read).max_by_key(|(.., columns)| columns.iter().flatten().count());
        let Some((delimiter, names, columns)) = best else { unreachable!("there are candidates") };
        let error = |problem| Err(ReadError::Header { problem, hint: format!("columns are {}", Column::ALLOWED) });
        for wanted in [Column::Path, Column::Conversions, Column::Value, Column::Nulls] {
            match columns.iter().flatten().filter(|column| **column == wanted).count() {
                0 if matches!(wanted, Column::Path | Column::Conversions) => {
                    let names = cut(names.join(", ").as_bytes());
                    return error(format!("no column `{}` among `{names}`", wanted.name()));
                }
                0 | 1 => {}
                _ => return error(format!("more than one column means `{}`", wanted.name())),
            }
        }
        Ok(Self { delimiter, columns })
    }
}
