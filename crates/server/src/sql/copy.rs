//! `COPY … TO STDOUT`: how psql's `\copy` and many tools take whole tables.
use super::errors::error;
use bytes::{Buf, Bytes};
use datafusion::sql::{
    parser::DFParser,
    sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption, CopySource, CopyTarget, Statement},
};
use datafusion_postgres::pgwire::{
    api::{
        portal::Format,
        results::{CopyResponse, QueryResponse},
    },
    error::{PgWireError, PgWireResult},
    messages::{copy::CopyData, data::DataRow},
};
use futures::{StreamExt, future::ready, stream};

/// The formats of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Csv,
    Binary,
}

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    format: Kind,
    delimiter: char,
    null: String,
    header: bool,
}

/// The query whose rows are wanted, and how; `None` for another statement.
///
/// # Errors
/// A `COPY` that writes or reads files, or wants what cannot be had.
pub fn wanted(statement: &Statement) -> Option<PgWireResult<(Statement, Style)>> {
    let Statement::Copy { source, to, target, options, legacy_options, .. } = statement else { return None };
    if !to || *target != CopyTarget::Stdout {
        return Some(Err(error("25006", "cannot execute COPY: queries only read; only COPY … TO STDOUT can be had")));
    }
    Some(query(source).and_then(|query| Ok((query, style(options, legacy_options)?))))
}

fn query(source: &CopySource) -> PgWireResult<Statement> {
    match source {
        CopySource::Query(query) => Ok(Statement::Query(query.clone())),
        CopySource::Table { table_name, columns } => {
            let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
            let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
            let parsed = DFParser::parse_sql(&format!("SELECT {columns} FROM {table_name}"));
            let parsed = parsed.map_err(|problem| error("42601", problem.to_string()))?.pop_front();
            match parsed {
                Some(datafusion::sql::parser::Statement::Statement(statement)) => Ok(*statement),
                _ => Err(error("42601", format!("`{table_name}` cannot be copied"))),
            }
        }
    }
}

fn style(options: &[CopyOption], legacy: &[CopyLegacyOption]) -> PgWireResult<Style> {
    let refused = |what: String| {
        error(
            "0A000",
            format!("COPY does not know {what} here; use FORMAT text, csv or binary, HEADER, DELIMITER and NULL"),
        )
    };
    let (mut format, mut delimiter, mut null, mut header) = (Kind::Text, None, None, false);
    for option in options {
        match option {
            CopyOption::Format(name) if name.value.eq_ignore_ascii_case("csv") => format = Kind::Csv,
            CopyOption::Format(name) if name.value.eq_ignore_ascii_case("text") => format = Kind::Text,
            CopyOption::Format(name) if name.value.eq_ignore_ascii_case("binary") => format = Kind::Binary,
            CopyOption::Delimiter(letter) => delimiter = Some(*letter),
            CopyOption::Null(text) => null = Some(text.clone()),
            CopyOption::Header(wanted) => header = *wanted,
            other => return Err(refused(other.to_string())),
        }
    }
    for option in legacy {
        match option {
            CopyLegacyOption::Csv(inner) => {
                format = Kind::Csv;
                for option in inner {
                    match option {
                        CopyLegacyCsvOption::Header => header = true,
                        other => return Err(refused(other.to_string())),
                    }
                }
            }
            CopyLegacyOption::Binary => format = Kind::Binary,
            CopyLegacyOption::Header => header = true,
            CopyLegacyOption::Delimiter(letter) => delimiter = Some(*letter),
            CopyLegacyOption::Null(text) => null = Some(text.clone()),
            other => return Err(refused(other.to_string())),
        }
    }
    if format == Kind::Binary && (delimiter.is_some() || null.is_some() || header) {
        return Err(error("42601", "HEADER, DELIMITER and NULL have no meaning in FORMAT binary"));
    }
    let (usual, none) = if format == Kind::Csv { (',', "") } else { ('\t', "\\N") };
    Ok(Style { format, delimiter: delimiter.unwrap_or(usual), null: null.unwrap_or_else(|| none.to_owned()), header })
}

impl Style {
    /// How cells are encoded.
    pub fn cells(&self) -> Format {
        if self.format == Kind::Binary { Format::UnifiedBinary } else { Format::UnifiedText }
    }
}

/// What begins a copy in binary (<https://www.postgresql.org/docs/16/sql-copy.html>); the library ends it.
const BINARY: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The rows of an answer, whose cells are as [`Style::cells`] wants them, as a copy.
pub fn copy(response: QueryResponse, style: Style) -> CopyResponse {
    let columns = response.row_schema.len();
    if style.format == Kind::Binary {
        let rows = response.data_rows.map(|row| {
            let row = row?;
            Ok([&row.field_count.to_be_bytes()[..], &row.data[..]].concat())
        });
        // Clients look for the beginning in front of the first row; where there is none, it comes alone.
        let mut head = Some(BINARY);
        let parts =
            rows.map(Some).chain(stream::iter([None])).filter_map(move |part: Option<PgWireResult<Vec<u8>>>| {
                let head = head.take();
                ready(match (part, head) {
                    (Some(part), head) => {
                        Some(part.map(|part| CopyData::new([head.unwrap_or_default(), &part[..]].concat().into())))
                    }
                    (None, head) => head.map(|head| Ok(CopyData::new(Bytes::from_static(head)))),
                })
            });
        return CopyResponse::new(1, columns, parts);
    }
    let names: Vec<Option<Bytes>> =
        response.row_schema.iter().map(|field| Some(Bytes::copy_from_slice(field.name().as_bytes()))).collect();
    let head = style.header.then(|| Ok(CopyData::new(line(&names, &style))));
    let rows = response.data_rows.map(move |row| Ok(CopyData::new(line(&cells(row?)?, &style))));
    CopyResponse::new(0, columns, stream::iter(head).chain(rows))
}

/// The cells of a row in text; `None` is null.
fn cells(row: DataRow) -> PgWireResult<Vec<Option<Bytes>>> {
    let mut data = row.data.freeze();
    let cut = || PgWireError::ApiError("a row is cut off".into());
    (0..row.field_count)
        .map(|_| {
            let length = data.try_get_i32().map_err(|_| cut())?;
            match usize::try_from(length) {
                Err(_) => Ok(None),
                Ok(length) if length <= data.len() => Ok(Some(data.split_to(length))),
                Ok(_) => Err(cut()),
            }
        })
        .collect()
}

fn line(cells: &[Option<Bytes>], style: &Style) -> Bytes {
    let mut out = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(style.delimiter);
        }
        let Some(cell) = cell else {
            out.push_str(&style.null);
            continue;
        };
        let text = String::from_utf8_lossy(cell);
        if style.format == Kind::Text {
            out.extend(text.chars().flat_map(|letter| escaped(letter, style.delimiter)));
        } else if *text == *style.null || text.contains([style.delimiter, '"', '\n', '\r']) {
            out.push_str(&format!("\"{}\"", text.replace('"', "\"\"")));
        } else {
            out.push_str(&text);
        }
    }
    out.push('\n');
    Bytes::from(out)
}

/// A letter of the text format.
fn escaped(letter: char, delimiter: char) -> impl Iterator<Item = char> {
    let escape = match letter {
        '\\' => Some('\\'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        other if other == delimiter => Some(other),
        _ => None,
    };
    escape.map(|_| '\\').into_iter().chain([escape.unwrap_or(letter)])
}
