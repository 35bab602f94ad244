//! Cuts text into rows, which may hold line ends inside quotes.
use super::{ReadError, cut};
use memchr::{memchr, memchr_iter, memchr2};
use std::{io::Read, ops::Range};

pub(super) struct Rows<R> {
    source: R,
    buffer: Vec<u8>,
    /// What is still to be given out.
    start: usize,
    end: usize,
    ended: bool,
    line: usize,
}

/// One row in the buffer, without its line end.
pub(super) struct Row {
    span: Range<usize>,
    pub(super) line: usize,
    /// Whether some field is quoted.
    pub(super) quoted: bool,
}

const BLOCK: usize = 1 << 18;
const ROW_MAX: usize = 1 << 26;

impl<R: Read> Rows<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; BLOCK], start: 0, end: 0, ended: false, line: 1 }
    }

    pub(super) fn bytes(&self, row: &Row) -> &[u8] {
        &self.buffer[row.span.clone()]
    }

    /// The next row that is not blank. A quote opens a quoted field at the beginning of a row or behind a delimiter.
    pub(super) fn next(&mut self, is_delimiter: impl Fn(u8) -> bool) -> Result<Option<Row>, ReadError> {
        loop {
            let Some(row) = self.next_any(&is_delimiter)? else { return Ok(None) };
            if !self.bytes(&row).trim_ascii().is_empty() {
                return Ok(Some(row));
            }
        }
    }

    fn next_any(&mut self, is_delimiter: impl Fn(u8) -> bool) -> Result<Option<Row>, ReadError> {
        // Bytes of this row that were looked at, and where its last quoted field closed.
        let (mut seen, mut inside, mut quoted, mut closed) = (0, false, false, None);
        let mut breaks = 0;
        let length = loop {
            let rest = &self.buffer[self.start + seen..self.end];
            let found = if inside { memchr(b'"', rest) } else { memchr2(b'\n', b'"', rest) };
            if inside {
                breaks += memchr_iter(b'\n', &rest[..found.unwrap_or(rest.len())]).count();
            }
            match found {
                Some(at) if rest[at] == b'\n' => break seen + at,
                Some(at) => {
                    let at = seen + at;
                    if inside {
                        (inside, closed) = (false, Some(at));
                    } else if at == 0 || closed == Some(at - 1) || is_delimiter(self.buffer[self.start + at - 1]) {
                        (inside, quoted) = (true, true);
                    }
                    seen = at + 1;
                }
                None if self.ended => break self.end - self.start,
                None => {
                    seen = self.end - self.start;
                    self.fill()?;
                }
            }
        };
        if self.start == self.end {
            return Ok(None);
        }
        let span = self.start..self.start + length;
        let line = self.line;
        self.line += breaks + 1;
        self.start = (span.end + 1).min(self.end);
        let kept = self.buffer[span.clone()].strip_suffix(b"\r").map_or(length, <[u8]>::len);
        Ok(Some(Row { span: span.start..span.start + kept, line, quoted }))
    }

    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == self.buffer.len() {
            if self.end >= ROW_MAX {
                return Err(ReadError::Row {
                    line: self.line,
                    column: "path",
                    value: cut(&self.buffer[..200]),
                    problem: "a row of more than 64 MB, beginning with",
                    hint: "look for a quote that is never closed",
                });
            }
            self.buffer.resize(self.end * 2, 0);
        }
        match self.source.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.ended = true,
            Ok(more) => self.end += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// The fields of a row, quotes taken off; or the field in which text follows the closing quote.
pub(super) fn unquote(row: &[u8], delimiter: u8) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut fields = vec![];
    let mut rest = Some(row);
    while let Some(text) = rest {
        let Some(mut inner) = text.strip_prefix(b"\"") else {
            let end = memchr(delimiter, text);
            fields.push(text[..end.unwrap_or(text.len())].to_vec());
            rest = end.map(|end| &text[end + 1..]);
            continue;
        };
        let mut field = vec![];
        rest = loop {
            let end = memchr(b'"', inner).unwrap_or(inner.len());
            field.extend_from_slice(&inner[..end]);
            match inner.get(end + 1..) {
                Some([b'"', after @ ..]) => {
                    field.push(b'"');
                    inner = after;
                }
                Some([next, after @ ..]) if *next == delimiter => break Some(after),
                None | Some([]) => break None,
                Some(_) => return Err(text.to_vec()),
            }
        };
        fields.push(field);
    }
    Ok(fields)
}
