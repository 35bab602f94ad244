//! Cuts text into rows, which may hold line ends inside quotes.
use memchr::{memchr, memchr_iter, memchr2, memrchr};

/// The rows of a text.
pub(super) struct Rows<'a> {
    rest: &'a [u8],
    line: usize,
}

/// One row, without its line end.
pub(super) struct Row<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) line: usize,
    /// Whether some field is quoted.
    pub(super) quoted: bool,
}

/// Where the first row of a text ends.
struct End {
    /// Bytes before the line end, which is missing where they are all bytes.
    length: usize,
    quoted: bool,
    /// Line ends inside quotes.
    breaks: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `text`, which begins at `line`.
    pub(super) const fn new(text: &'a [u8], line: usize) -> Self {
        Self { rest: text, line }
    }

    /// The next row that is not blank.
    #[inline]
    pub(super) fn next(&mut self, is_delimiter: impl Fn(u8) -> bool) -> Option<Row<'a>> {
        while !self.rest.is_empty() {
            let end = end(self.rest, &is_delimiter);
            let (bytes, line) = (&self.rest[..end.length], self.line);
            self.rest = self.rest.get(end.length + 1..).unwrap_or_default();
            self.line += end.breaks + 1;
            if !bytes.trim_ascii().is_empty() {
                return Some(Row { bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes), line, quoted: end.quoted });
            }
        }
        None
    }
}

/// A quote opens a quoted field at the beginning of a row or behind a delimiter.
#[inline]
fn end(text: &[u8], is_delimiter: impl Fn(u8) -> bool) -> End {
    // Bytes of this row that were looked at, and where its last quoted field closed.
    let (mut seen, mut inside, mut quoted, mut closed) = (0, false, false, None);
    let mut breaks = 0;
    loop {
        let rest = &text[seen..];
        let found = if inside { memchr(b'"', rest) } else { memchr2(b'\n', b'"', rest) };
        if inside {
            breaks += memchr_iter(b'\n', &rest[..found.unwrap_or(rest.len())]).count();
        }
        let Some(at) = found.map(|at| seen + at) else { return End { length: text.len(), quoted, breaks } };
        if text[at] == b'\n' {
            return End { length: at, quoted, breaks };
        }
        if inside {
            (inside, closed) = (false, Some(at));
        } else if at == 0 || closed == Some(at - 1) || is_delimiter(text[at - 1]) {
            (inside, quoted) = (true, true);
        }
        seen = at + 1;
    }
}

/// Bytes of the rows of `text` that are there whole, line ends included.
pub(super) fn whole(text: &[u8], is_delimiter: impl Fn(u8) -> bool) -> usize {
    if memchr(b'"', text).is_none() {
        return memrchr(b'\n', text).map_or(0, |at| at + 1);
    }
    let mut whole = 0;
    loop {
        let next = whole + end(&text[whole..], &is_delimiter).length + 1;
        if next > text.len() {
            return whole;
        }
        whole = next;
    }
}

/// Bytes of the first row of `text` that is not blank, and of what stands before it; 0 where it is not there whole.
pub(super) fn first(text: &[u8], is_delimiter: impl Fn(u8) -> bool) -> usize {
    let mut at = 0;
    loop {
        let length = end(&text[at..], &is_delimiter).length;
        let blank = text[at..at + length].trim_ascii().is_empty();
        at += length + 1;
        if at > text.len() {
            return 0;
        }
        if !blank {
            return at;
        }
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
