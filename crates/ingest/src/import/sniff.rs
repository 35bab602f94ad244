//! What a file is, by its first bytes: its format, and the delimiter and header of delimited text.
use super::{
    error::Error,
    field,
    input::{HEAD, Opened},
    number,
    split::split_all,
    time::TimeReader,
};
use serde::{Deserialize, Serialize};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Cells between delimiters, rows on lines.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// A JSON array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
        })
    }
}

/// How files begin that are often taken for data, and what to do with them.
const FOREIGN: [(&[u8], &str); 10] = [
    (b"PK\x03\x04", "it is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook: save the sheet as CSV"),
    (b"BZh", "it is packed with bzip2: unpack it, or pack it with gzip or zstd"),
    (b"\xfd7zXZ", "it is packed with xz: unpack it, or pack it with gzip or zstd"),
    (b"7z\xbc\xaf", "it is a 7-Zip archive: unpack it"),
    (b"%PDF", "it is a PDF document"),
    (b"<!DOCTYPE", "it is a web page; a log-in page, perhaps, in the place of a download"),
    (b"<!doctype", "it is a web page; a log-in page, perhaps, in the place of a download"),
    (b"<html", "it is a web page; a log-in page, perhaps, in the place of a download"),
    (b"<?xml", "it is XML"),
];

/// The format of an input that holds something.
pub(crate) fn format_of(file: &str, opened: &Opened) -> Result<Format, Error> {
    let unknown = |why: &str| Error::UnknownFormat { file: file.to_owned(), why: why.to_owned() };
    let head = &opened.head;
    if head.starts_with(b"PAR1") {
        return Ok(Format::Parquet);
    }
    if let Some((_, why)) = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(unknown(why));
    }
    match head.trim_ascii_start().first() {
        Some(b'{') => return Ok(Format::Ndjson),
        Some(b'[') if head.trim_ascii_start()[1..].trim_ascii_start().first() == Some(&b'{') => {
            return Ok(Format::Json);
        }
        _ => {}
    }
    let sample = &head[..head.len().min(4096)];
    if sample.contains(&0) {
        return Err(unknown(
            "it holds zero bytes; if it is UTF-16 without a byte order mark, state `--encoding utf16le`",
        ));
    }
    let odd = sample.iter().filter(|byte| **byte < 32 && !matches!(byte, b'\t' | b'\r' | b'\n')).count();
    if odd * 50 > sample.len() {
        return Err(unknown("it is no text"));
    }
    Ok(Format::Csv)
}

/// Delimited text, as its first rows show it.
pub(crate) struct Delimited {
    pub delimiter: u8,
    pub mac: bool,
    /// Lines up to and including the header.
    pub skip: u64,
    pub columns: Vec<String>,
    /// Whether the columns were named by the file.
    pub header: bool,
    /// Rows of the sample, as wide as the header.
    pub sample: Vec<Vec<String>>,
}

const SAMPLE_ROWS: usize = 1000;
/// How many rows may stand before the header.
const PREAMBLE_ROWS: usize = 25;

/// Looks for the delimiter under which most rows have equally many cells, and for the first such row as the header.
pub(crate) fn delimited(file: &str, opened: &Opened, stated: Option<u8>) -> Result<Delimited, Error> {
    let mut head = opened.head.as_slice();
    let mac = head.contains(&b'\r') && !head.contains(&b'\n');
    if !opened.whole && head.len() >= HEAD {
        // The last line is cut off.
        let end = memchr::memrchr(if mac { b'\r' } else { b'\n' }, head).map_or(head.len(), |end| end + 1);
        head = &head[..end];
    }
    let candidates: &[u8] = match &stated {
        Some(delimiter) => std::slice::from_ref(delimiter),
        None => b",;\t|",
    };
    let mut best: Option<(f64, u8, usize)> = None;
    for &delimiter in candidates {
        let rows = split_all(head, delimiter, mac, 100);
        let mut widths: Vec<usize> = rows.iter().map(|(_, row)| row.len()).collect();
        widths.sort_unstable();
        // The commonest width; the wider of equally common ones.
        let common = widths
            .chunk_by(|a, b| a == b)
            .max_by_key(|run| (run.len(), run[0]))
            .map_or((0, 0), |run| (run.len(), run[0]));
        let (count, width) = common;
        if width < 2 && stated.is_none() {
            continue;
        }
        let known = rows.iter().take(PREAMBLE_ROWS).filter(|(_, row)| row.len() == width);
        let known = known.map(|(_, row)| row.iter().filter(|cell| field::well_known(cell).is_some()).count()).max();
        let score =
            count as f64 / rows.len().max(1) as f64 * 10.0 + width.min(40) as f64 / 10.0 + known.unwrap_or(0) as f64;
        if best.is_none_or(|(other, ..)| score > other) {
            best = Some((score, delimiter, width));
        }
    }
    let lone = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().is_some_and(|line| !line.contains(&b' '));
    let (delimiter, width) = match best {
        Some((_, delimiter, width)) => (delimiter, width),
        None if lone => (b',', 1),
        None => {
            let why = "no delimiter makes its rows equally wide";
            return Err(Error::UnknownFormat { file: file.to_owned(), why: why.to_owned() });
        }
    };
    let rows = split_all(head, delimiter, mac, SAMPLE_ROWS + PREAMBLE_ROWS);
    let Some(first) = rows.iter().take(PREAMBLE_ROWS).position(|(_, row)| row.len() == width) else {
        let why = "no row among the first is as wide as most";
        return Err(Error::UnknownFormat { file: file.to_owned(), why: why.to_owned() });
    };
    let names = |row: &[String]| -> Vec<String> { row.iter().map(|cell| cell.trim().to_owned()).collect() };
    let (columns, header, data) = match &rows[first].1 {
        row if is_header(row) => (names(row), true, first + 1),
        _ => match shorter_header(&rows, first, width) {
            Some(row) => ([names(row), vec![String::new()]].concat(), true, first),
            None => ((1..=width).map(|number| format!("column_{number}")).collect(), false, first),
        },
    };
    // A header may hold line breaks, so the first row of data says where it ends; without one, everything is skipped.
    let skip = match rows.get(data) {
        Some((line, _)) => line - 1,
        None if opened.whole => u64::MAX,
        None => {
            let why = format!("its header and first row do not end within {} KiB", HEAD / 1024);
            return Err(Error::UnknownFormat { file: file.to_owned(), why });
        }
    };
    let sample = rows[data..].iter().filter(|(_, row)| row.len() == width).map(|(_, row)| row.clone()).collect();
    Ok(Delimited { delimiter, mac, skip, columns, header, sample })
}

/// A header without the delimiter that ends each row behind it.
fn shorter_header(rows: &[(u64, Vec<String>)], first: usize, width: usize) -> Option<&[String]> {
    let (_, row) = rows.get(first.checked_sub(1)?)?;
    let data = || rows[first..].iter().filter(|(_, row)| row.len() == width);
    let ended = data().all(|(_, row)| row.last().is_some_and(String::is_empty));
    (row.len() + 1 == width && is_header(row) && ended).then_some(row)
}

/// A header names things: no cell is a number or a time, and most are filled.
fn is_header(row: &[String]) -> bool {
    let reader = TimeReader::new(jiff::tz::TimeZone::UTC, Some(super::time::DateOrder::Dmy));
    // `R1` and `Top 10` are names before they are rand.
    let amount = |cell: &str| number::read(cell, None).is_ok_and(|it| !it.mark.contains(char::is_alphabetic));
    let data = |cell: &String| !cell.is_empty() && (amount(cell) || reader.read(cell).is_some());
    let filled = row.iter().filter(|cell| !cell.trim().is_empty()).count();
    filled * 2 >= row.len() && !row.iter().any(data)
}
