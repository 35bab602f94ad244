//! Delimited text → records and cells, some megabytes at a time, with nothing copied on the usual path.
use super::reason;
use std::io::{self, Read};

/// How delimited text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Between cells.
    pub delimiter: u8,
    /// Lines end with a lone carriage return, as on old Macs.
    pub mac: bool,
    /// Lines before the first record of data: a preamble and the header.
    pub skip: u64,
}

/// How much text is split at once.
const BLOCK: usize = 4 << 20;
/// A record longer than this is taken for a broken one; a quote not closed within it as well.
const RECORD_MAX: usize = 1 << 20;

/// Some complete records.
#[derive(Default)]
pub(crate) struct Chunk {
    /// The records' text; cells with doubled quotes are kept unquoted behind it.
    pub text: String,
    /// `columns` cells for each record: start and end in `text`.
    pub cells: Vec<(u32, u32)>,
    /// Of each record: its line (from 1) and its span in `text`.
    pub records: Vec<(u64, u32, u32)>,
    /// Records that are none.
    pub broken: Vec<Broken>,
    /// Raw text of the chunk in bytes.
    pub bytes: u64,
}

/// A record that cannot be split.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// From 1.
    pub line: u64,
    /// What is wrong.
    pub reason: &'static str,
    /// Cells found, where their number is what is wrong.
    pub found: Option<usize>,
    /// The record, what is not UTF-8 replaced.
    pub raw: String,
}

/// Splits a reader's text into chunks.
pub(crate) struct Splitter<R> {
    reader: R,
    layout: Layout,
    columns: usize,
    carry: Vec<u8>,
    line: u64,
    done: bool,
    /// Why reading stopped; told after the rows before it.
    fault: Option<io::Error>,
}

enum Cell {
    Plain(usize),
    Quoted { end: usize, doubled: bool, after: usize },
    Incomplete,
    Broken,
}

/// The first delimiter or line end from `at`; cells are short, so eight bytes at a time before any call.
#[inline]
fn find_end(text: &[u8], mut at: usize, delimiter: u8, newline: u8) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (wide_d, wide_n) = (LOW * u64::from(delimiter), LOW * u64::from(newline));
    for _ in 0..4 {
        let Some(eight) = text.get(at..at + 8) else { break };
        let word = u64::from_le_bytes(eight.try_into().unwrap_or_default());
        let (d, n) = (word ^ wide_d, word ^ wide_n);
        // Exact for the lowest match, which is the one that counts.
        let found = ((d.wrapping_sub(LOW) & !d) | (n.wrapping_sub(LOW) & !n)) & HIGH;
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr2(delimiter, newline, &text[at..]).map(|found| at + found)
}

fn quoted(text: &[u8], start: usize, layout: Layout, eof: bool) -> Cell {
    let mut at = start + 1;
    let mut doubled = false;
    loop {
        let Some(found) = memchr::memchr(b'"', &text[at..]) else {
            return if eof || text.len() - start > RECORD_MAX { Cell::Broken } else { Cell::Incomplete };
        };
        let end = at + found;
        if end - start > RECORD_MAX {
            return Cell::Broken;
        }
        match text.get(end + 1) {
            Some(b'"') => {
                doubled = true;
                at = end + 2;
            }
            None if !eof => return Cell::Incomplete,
            Some(byte) if *byte != layout.delimiter && !matches!(byte, b'\n' | b'\r') => return Cell::Broken,
            _ => return Cell::Quoted { end, doubled, after: end + 1 },
        }
    }
}

impl<R: Read> Splitter<R> {
    /// Splits what `reader` gives into records of `columns` cells.
    pub(crate) fn new(reader: R, layout: Layout, columns: usize) -> Self {
        Self { reader, layout, columns, carry: Vec::new(), line: 1, done: false, fault: None }
    }

    /// The next records, or `None` at the end.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        while !self.done {
            let mut text = std::mem::take(&mut self.carry);
            let before = text.len();
            text.reserve(BLOCK);
            self.fault = self.reader.by_ref().take(BLOCK as u64).read_to_end(&mut text).err();
            self.done = text.len() - before < BLOCK || self.fault.is_some();
            let eof = self.done && self.fault.is_none();
            let (chunk, used, aside) = self.split(&text, eof);
            if !eof {
                self.carry.extend_from_slice(&text[used..]);
            }
            if aside.is_empty() {
                text.truncate(used);
            }
            text.extend_from_slice(&aside);
            let chunk = Self::seal(chunk, text, used);
            if !chunk.records.is_empty() || !chunk.broken.is_empty() {
                return Ok(Some(chunk));
            }
        }
        self.fault.take().map_or(Ok(None), Err)
    }

    /// Records, how many bytes they take, and cells with doubled quotes, which belong behind the text.
    fn split(&mut self, text: &[u8], eof: bool) -> (Chunk, usize, Vec<u8>) {
        let mut chunk = Chunk::default();
        let mut aside: Vec<u8> = Vec::new();
        let length = text.len();
        let newline = if self.layout.mac { b'\r' } else { b'\n' };
        let mut start = 0;
        chunk.cells.reserve(length / 8);
        chunk.records.reserve(length / 64);
        'records: while start < length {
            if self.line <= self.layout.skip {
                match memchr::memchr(newline, &text[start..]) {
                    Some(end) => start += end + 1,
                    None if eof => start = length,
                    None => break,
                }
                self.line += 1;
                continue;
            }
            let cells = chunk.cells.len();
            let mut at = start;
            let mut lines = 1;
            let next = loop {
                let cell = if text.get(at) == Some(&b'"') {
                    quoted(text, at, self.layout, eof)
                } else {
                    match find_end(text, at, self.layout.delimiter, newline) {
                        Some(end) => Cell::Plain(end),
                        None if eof => Cell::Plain(length),
                        None if length - start > RECORD_MAX => Cell::Broken,
                        None => Cell::Incomplete,
                    }
                };
                let after = match cell {
                    Cell::Plain(end) => {
                        let ends_line = !self.layout.mac && text.get(end) != Some(&self.layout.delimiter);
                        let trimmed = if ends_line && end > at && text[end - 1] == b'\r' { end - 1 } else { end };
                        chunk.cells.push((at as u32, trimmed as u32));
                        end
                    }
                    Cell::Quoted { end, doubled, after } => {
                        let inner = &text[at + 1..end];
                        lines += memchr::memchr_iter(newline, inner).count() as u64;
                        if doubled {
                            let from = length + aside.len();
                            let mut last = 0;
                            for quote in memchr::memmem::find_iter(inner, b"\"\"") {
                                aside.extend_from_slice(&inner[last..=quote]);
                                last = quote + 2;
                            }
                            aside.extend_from_slice(&inner[last..]);
                            chunk.cells.push((from as u32, (length + aside.len()) as u32));
                        } else {
                            chunk.cells.push((at as u32 + 1, end as u32));
                        }
                        let carriage = !self.layout.mac && text.get(after) == Some(&b'\r');
                        if carriage && after + 1 == length && !eof {
                            chunk.cells.truncate(cells);
                            break 'records;
                        }
                        after + usize::from(carriage)
                    }
                    Cell::Incomplete => {
                        chunk.cells.truncate(cells);
                        break 'records;
                    }
                    Cell::Broken => {
                        // Only its first line is given up, so that a stray quote does not swallow what follows.
                        chunk.cells.truncate(cells);
                        let end = memchr::memchr(newline, &text[start..]).map_or(length, |end| start + end);
                        let reason = if end - start > RECORD_MAX { reason::TOO_LONG } else { reason::BROKEN_QUOTES };
                        chunk.broken.push(Broken { line: self.line, reason, found: None, raw: raw(&text[start..end]) });
                        self.line += 1;
                        start = (end + 1).min(length);
                        continue 'records;
                    }
                };
                match text.get(after) {
                    Some(byte) if *byte == self.layout.delimiter => at = after + 1,
                    _ => break after, // a line end, or the end; a carriage return alone after a quote is let pass
                }
            };
            let found = chunk.cells.len() - cells;
            let blank = found == 1 && chunk.cells[cells].0 == chunk.cells[cells].1;
            if blank {
                chunk.cells.truncate(cells);
            } else if found == self.columns {
                chunk.records.push((self.line, start as u32, next as u32));
            } else {
                chunk.cells.truncate(cells);
                let raw = raw(&text[start..next.min(length)]);
                chunk.broken.push(Broken { line: self.line, reason: reason::CELLS, found: Some(found), raw });
            }
            self.line += lines;
            start = (next + 1).min(length);
        }
        chunk.bytes = start as u64;
        (chunk, start, aside)
    }

    /// Makes the bytes text: records that are not UTF-8 are broken, their bytes blanked.
    fn seal(mut chunk: Chunk, bytes: Vec<u8>, used: usize) -> Chunk {
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => return Chunk { text, ..chunk },
            Err(error) => error.into_bytes(),
        };
        if let Err(error) = std::str::from_utf8(&bytes[..used]) {
            let columns = chunk.cells.len() / chunk.records.len().max(1);
            let (mut cells, mut records) = (Vec::new(), Vec::new());
            for (row, record) in chunk.records.iter().enumerate() {
                let span = &bytes[record.1 as usize..record.2 as usize];
                if (record.2 as usize) < error.valid_up_to() || std::str::from_utf8(span).is_ok() {
                    records.push(*record);
                    cells.extend_from_slice(&chunk.cells[row * columns..(row + 1) * columns]);
                } else {
                    chunk.broken.push(Broken { line: record.0, reason: reason::NOT_UTF8, found: None, raw: raw(span) });
                }
            }
            (chunk.cells, chunk.records) = (cells, records);
            chunk.broken.sort_by_key(|broken| broken.line);
        }
        chunk.text = String::from_utf8(bytes).unwrap_or_else(|error| {
            // Every byte that is not ASCII in a rejected record (or behind the last one) may go: nothing points to it.
            let mut bytes = error.into_bytes();
            let mut keep = vec![false; bytes.len()];
            for (_, start, end) in &chunk.records {
                keep[*start as usize..*end as usize].fill(true);
            }
            for (start, end) in &chunk.cells {
                keep[*start as usize..*end as usize].fill(true);
            }
            bytes
                .iter_mut()
                .zip(&keep)
                .filter(|(byte, keep)| !**keep && !byte.is_ascii())
                .for_each(|(byte, _)| *byte = b'?');
            String::from_utf8(bytes).unwrap_or_default()
        });
        chunk
    }
}

/// What is kept of a row that was rejected.
fn raw(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(64 << 10)];
    String::from_utf8_lossy(cut).trim_end_matches(['\r', '\n']).to_owned()
}

/// Splits a whole text at once: headers and samples.
pub(crate) fn split_all(text: &[u8], delimiter: u8, mac: bool, rows: usize) -> Vec<(u64, Vec<String>)> {
    let layout = Layout { delimiter, mac, skip: 0 };
    let newline = if mac { b'\r' } else { b'\n' };
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < text.len() && found.len() < rows {
        let (mut row, start) = (Vec::new(), at);
        let mut lines = 1;
        loop {
            let (value, after) = match text.get(at) {
                Some(b'"') => match quoted(text, at, layout, true) {
                    Cell::Quoted { end, after, .. } => {
                        lines += memchr::memchr_iter(newline, &text[at..end]).count() as u64;
                        let after = after + usize::from(!mac && text.get(after) == Some(&b'\r'));
                        (String::from_utf8_lossy(&text[at + 1..end]).replace("\"\"", "\""), after)
                    }
                    _ => {
                        let end = memchr::memchr(newline, &text[at..]).map_or(text.len(), |end| at + end);
                        (String::from_utf8_lossy(&text[at..end]).into_owned(), end)
                    }
                },
                _ => {
                    let end = find_end(text, at, delimiter, newline).unwrap_or(text.len());
                    (String::from_utf8_lossy(&text[at..end]).trim_end_matches('\r').to_owned(), end)
                }
            };
            row.push(value);
            at = after + 1;
            if text.get(after) != Some(&delimiter) {
                break;
            }
        }
        if text[start..at.min(text.len())].iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            found.push((line, row));
        }
        line += lines;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Rows = Vec<(u64, Vec<String>)>;

    /// A reader that gives few bytes at a time would hide nothing here: blocks are filled before they are split.
    fn all(text: &[u8], columns: usize, skip: u64) -> (Rows, Vec<Broken>) {
        let mut splitter = Splitter::new(text, Layout { delimiter: b',', mac: false, skip }, columns);
        let (mut rows, mut broken) = (Vec::new(), Vec::new());
        while let Some(chunk) = splitter.next_chunk().unwrap() {
            for (row, record) in chunk.records.iter().enumerate() {
                let cells = &chunk.cells[row * columns..(row + 1) * columns];
                rows.push((
                    record.0,
                    cells.iter().map(|c| chunk.text[c.0 as usize..c.1 as usize].to_owned()).collect(),
                ));
            }
            broken.extend(chunk.broken);
        }
        (rows, broken)
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|&cell| cell.to_owned()).collect())
    }

    #[test]
    fn quotes_lines_and_blanks() {
        let (rows, broken) = all(b"a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\n2,\"\"\n3,mid\"quote\n4,end", 2, 1);
        let expected =
            [row(2, &["1", "x, \"y\"\nz"]), row(5, &["2", ""]), row(6, &["3", "mid\"quote"]), row(7, &["4", "end"])];
        assert_eq!(rows, expected);
        assert_eq!(broken, []);
    }

    #[test]
    fn broken_records_take_only_their_line() {
        let (rows, broken) = all(b"1,2\n3\n\"4,5\n6,7\n\"8\"x,9\n\xff,1\n10,\xc3\xa9\n", 2, 0);
        assert_eq!(rows, [row(1, &["1", "2"]), row(4, &["6", "7"]), row(7, &["10", "é"])]);
        let seen: Vec<_> = broken.iter().map(|broken| (broken.line, broken.reason, broken.found)).collect();
        let expected = [
            (2, "wrong number of cells", Some(1)),
            (3, "broken quotes", None),
            (5, "broken quotes", None),
            (6, reason::NOT_UTF8, None),
        ];
        assert_eq!(seen, expected);
        assert_eq!(broken[1].raw, "\"4,5");
    }

    #[test]
    fn blocks_do_not_show() {
        let mut text = String::new();
        for number in 0..400_000 {
            text.push_str(&format!("{number},\"quoted \"\"{number}\"\"\n\"\r\n"));
        }
        assert!(text.len() > 2 * BLOCK);
        let (rows, broken) = all(text.as_bytes(), 2, 0);
        assert_eq!((rows.len(), broken.len()), (400_000, 0));
        for (number, (line, cells)) in rows.iter().enumerate() {
            assert_eq!((*line, &cells[1]), (2 * number as u64 + 1, &format!("quoted \"{number}\"\n")));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_csv_crate(table in proptest::collection::vec(proptest::collection::vec("[a-zé,\"\n ]{0,12}", 3), 1..20)) {
            let mut writer = csv::Writer::from_writer(vec![]);
            table.iter().for_each(|row| writer.write_record(row).unwrap());
            let (rows, broken) = all(&writer.into_inner().unwrap(), 3, 0);
            let cells: Vec<_> = rows.into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(cells, table);
            prop_assert!(broken.is_empty());
        }

        #[test]
        fn any_bytes_are_split(bytes in proptest::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..300), columns in 1..4usize) {
            let (rows, _) = all(&bytes, columns, 0);
            prop_assert!(rows.iter().all(|(_, cells)| cells.len() == columns));
            split_all(&bytes, b',', false, 100);
        }

        #[test]
        fn every_end_is_found(text in "[a-c,\n]{0,80}", from in 0..80usize) {
            let bytes = text.as_bytes();
            let from = from.min(bytes.len());
            let plain = bytes[from..].iter().position(|byte| matches!(byte, b',' | b'\n')).map(|at| from + at);
            prop_assert_eq!(find_end(bytes, from, b',', b'\n'), plain);
        }
    }
}
