//! Reads ready paths: text with one path a row.
//!
//! The first row names the columns, in any order and case: `path`, `total_conversions` (or `conversions`), and
//! optionally `total_conversion_value` (`conversion_value`, `value`) and `total_null` (`null`, `nulls`); other columns
//! are ignored. A path is channel names joined by `>`; spaces around names do not count. An empty path holds
//! conversions that no touch came before. Rows end with LF or CRLF, blank rows are passed over, a byte order mark is
//! fine, and a field may be quoted as in CSV. A row that cannot be read is an error, never skipped.
mod blocks;
mod header;
mod names;
mod number;
mod rows;
#[cfg(test)]
mod tests;

use blocks::{Block, Blocks};
use header::{Column, Header};
use memchr::{memchr, memmem::Finder};
use names::Names;
use rayon::prelude::*;
use rows::Rows;
use safar_model::{ChannelId, PathRef, Paths, PathsBuilder};
use std::io::Read;
use thiserror::Error;

/// How to read paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// What separates columns; found out from the header among `;` `,` tab `|` where it is not given.
    pub delimiter: Option<u8>,
    /// What separates channels in a path, surrounding spaces aside. Not empty.
    pub separator: String,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { delimiter: None, separator: ">".into() }
    }
}

/// Why paths could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source itself failed.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
    /// The first row does not name the columns.
    #[error("line 1: {problem}; {hint}")]
    Header {
        /// What is wrong.
        problem: String,
        /// What is needed.
        hint: String,
    },
    /// A row holds something unusable.
    #[error("line {line}, column `{column}`: {problem} `{value}`; {hint}")]
    Row {
        /// From 1, the header included.
        line: usize,
        /// Name of the column.
        column: &'static str,
        /// The offending text, cut to 80 characters.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
        /// The way out.
        hint: &'static str,
    },
}

/// Reads paths, and the names of their channels in the order in which they first appear.
///
/// All threads of the current pool read. Memory is what the paths take, plus a few megabytes a thread and the longest
/// row; rows of 64 MB and more are refused.
///
/// # Errors
/// See [`ReadError`]; rows are named by line, column, value and way out.
///
/// ```
/// use safar_attribution::{ReadOptions, read_paths};
/// let text = "path,conversions,null\nA > B,3,1\nA > B,x,1\n";
/// let error = read_paths(text.as_bytes(), &ReadOptions::default()).unwrap_err();
/// assert_eq!(error.to_string(), "line 3, column `total_conversions`: not a number `x`; \
///     write a number of 0 or more, with a point for decimals and without thousands separators");
/// ```
pub fn read_paths(source: impl Read, options: &ReadOptions) -> Result<(Paths, Vec<String>), ReadError> {
    read_in_blocks(source, options, BLOCK)
}

/// Large against the cost of handing a block to a thread, small against the memory of a core.
const BLOCK: usize = 1 << 20;

fn read_in_blocks(source: impl Read, options: &ReadOptions, block: usize) -> Result<(Paths, Vec<String>), ReadError> {
    let mut source = Blocks::new(source, block);
    let is_delimiter = |byte| DELIMITERS.contains(&byte);
    let first = source.take(|text| rows::first(text, is_delimiter))?;
    let first = first.as_ref().and_then(|block| Rows::new(&block.text, block.line).next(is_delimiter));
    let Some(row) = first else {
        return Err(ReadError::Header {
            problem: "there is none, the input is empty".into(),
            hint: format!("the first row names the columns: {}", Column::ALLOWED),
        });
    };
    let layout = Layout {
        header: Header::parse(row.bytes, options.delimiter)?,
        separator: match options.separator.as_bytes() {
            [] => Separator::Byte(b'>'),
            [byte] => Separator::Byte(*byte),
            bytes => Separator::Text(Box::new(Finder::new(bytes))),
        },
    };
    let delimiter = layout.header.delimiter;
    let (mut names, mut paths) = (Names::default(), PathsBuilder::default());
    let bytes_most = 2 * rayon::current_num_threads() * block;
    loop {
        // Long rows make large blocks, and then there are fewer of them. What fails is told after what was read before it.
        let (mut blocks, mut bytes, mut fault) = (vec![], 0, None);
        while bytes < bytes_most {
            match source.take(|text| rows::whole(text, |byte| byte == delimiter)) {
                Ok(Some(block)) => {
                    bytes += block.text.len();
                    blocks.push(block);
                }
                Ok(None) => break,
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        if blocks.is_empty() && fault.is_none() {
            return Ok((paths.finish(), names.finish()));
        }
        let read: Vec<_> = blocks.into_par_iter().map(|block| layout.read(&block)).collect();
        for part in read {
            let (part, own) = part?;
            let ids: Option<Vec<_>> = own.iter().map(|name| names.find(name.as_bytes())).collect();
            let ids = ids.ok_or_else(|| std::io::Error::other("more than four billion names of channels"))?;
            paths.append(&part, &ids);
        }
        if let Some(error) = fault {
            return Err(error);
        }
    }
}

/// What may separate columns.
const DELIMITERS: [u8; 4] = *b";,\t|";

/// The fields of a row without quotes.
struct Plain<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Iterator for Plain<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = memchr(self.delimiter, rest);
        self.rest = end.map(|end| &rest[end + 1..]);
        Some(&rest[..end.unwrap_or(rest.len())])
    }
}

enum Separator<'a> {
    Byte(u8),
    Text(Box<Finder<'a>>),
}

impl Separator<'_> {
    /// Splits at the first separator: before, and after where there is one.
    #[inline]
    fn split<'b>(&self, text: &'b [u8]) -> (&'b [u8], Option<&'b [u8]>) {
        let (found, length) = match self {
            Self::Byte(byte) => (near(*byte, text), 1),
            Self::Text(finder) => (finder.find(text), finder.needle().len()),
        };
        found.map_or((text, None), |at| (&text[..at], Some(&text[at + length..])))
    }
}

/// [`memchr`] for what is usually found within 16 bytes.
#[inline]
fn near(byte: u8, text: &[u8]) -> Option<usize> {
    const ONES: u128 = u128::from_ne_bytes([0x01; 16]);
    let Some(head) = text.first_chunk::<16>() else { return memchr(byte, text) };
    // A byte that is 0 after the difference borrows from its highest bit; the lowest such byte is a true one.
    let difference = u128::from_le_bytes(*head) ^ (ONES * u128::from(byte));
    let zeros = difference.wrapping_sub(ONES) & !difference & (ONES << 7);
    if zeros != 0 {
        return Some(zeros.trailing_zeros() as usize / 8);
    }
    memchr(byte, &text[16..]).map(|at| at + 16)
}

/// How rows are laid out.
struct Layout<'a> {
    header: Header,
    separator: Separator<'a>,
}

impl Layout<'_> {
    /// The paths of a block, and the names of their channels.
    fn read(&self, block: &Block) -> Result<(Paths, Vec<String>), ReadError> {
        let delimiter = self.header.delimiter;
        let mut reader =
            Reader { layout: self, names: Names::default(), paths: PathsBuilder::default(), channels: vec![] };
        let mut rows = Rows::new(&block.text, block.line);
        while let Some(row) = rows.next(|byte| byte == delimiter) {
            let line = row.line;
            if !row.quoted {
                reader.row(Plain { rest: Some(row.bytes), delimiter }, line)?;
                continue;
            }
            let fields = rows::unquote(row.bytes, delimiter).map_err(|value| ReadError::Row {
                line,
                column: "path",
                value: cut(&value),
                problem: "text after a closing quote in",
                hint: "write a quote inside a quoted field twice",
            })?;
            reader.row(fields.iter().map(Vec::as_slice), line)?;
        }
        Ok((reader.paths.finish(), reader.names.finish()))
    }
}

/// Reads the rows of a block.
struct Reader<'a> {
    layout: &'a Layout<'a>,
    names: Names,
    paths: PathsBuilder,
    channels: Vec<ChannelId>,
}

impl Reader<'_> {
    fn row<'b>(&mut self, fields: impl Iterator<Item = &'b [u8]>, line: usize) -> Result<(), ReadError> {
        let mut numbers = [0.0; 4];
        let mut columns = 0;
        for (place, field) in fields.enumerate() {
            columns = place + 1;
            match self.layout.header.columns.get(place) {
                Some(Some(Column::Path)) => self.path(field, line)?,
                Some(Some(column)) => numbers[*column as usize] = number::read(field, *column, line)?,
                Some(None) => {}
                None => {
                    let value = cut(field);
                    let (problem, hint) =
                        ("one field more than the header names:", "quote fields that hold the delimiter");
                    return Err(ReadError::Row { line, column: "(none)", value, problem, hint });
                }
            }
        }
        if let Some(column) = self.layout.header.columns[columns..].iter().flatten().next() {
            return Err(ReadError::Row {
                line,
                column: column.name(),
                value: String::new(),
                problem: "the row ends before this column",
                hint: "give every row as many fields as the header",
            });
        }
        self.paths.push(PathRef {
            channels: &self.channels,
            ages: None,
            conversions: numbers[Column::Conversions as usize],
            value: numbers[Column::Value as usize],
            nulls: numbers[Column::Nulls as usize],
        });
        Ok(())
    }

    fn path(&mut self, field: &[u8], line: usize) -> Result<(), ReadError> {
        self.channels.clear();
        let mut rest = Some(field);
        if field.trim_ascii().is_empty() {
            return Ok(());
        }
        let error =
            |problem, hint| ReadError::Row { line, column: Column::Path.name(), value: cut(field), problem, hint };
        while let Some(text) = rest {
            let (name, after) = self.layout.separator.split(text);
            let from = &text[name.len() - name.trim_ascii_start().len()..];
            let name = name.trim_ascii();
            if name.is_empty() {
                return Err(error("a channel without a name in", "put a name on both sides of every separator"));
            }
            let Some(channel) = self.names.intern(name, from) else {
                return Err(error("text that is not UTF-8:", "save the file as UTF-8"));
            };
            self.channels.push(channel);
            rest = after;
        }
        Ok(())
    }
}

/// Text for an error message.
fn cut(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
