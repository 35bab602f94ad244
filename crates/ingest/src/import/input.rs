//! Arguments → files; files → plain UTF-8 bytes. Compression and encoding are told by the first bytes.
use super::error::Error;
use encoding_rs::{Decoder, Encoding as Charset, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::Xxh3;

/// How text is written in bytes. Byte order marks are recognised by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, the default.
    Utf8,
    /// UTF-16, lower byte first.
    Utf16le,
    /// UTF-16, higher byte first.
    Utf16be,
    /// ISO 8859-1, read as its superset Windows-1252 like browsers do.
    Latin1,
}

/// One thing to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    /// The path as given, or `-`; of lines in memory, their origin.
    pub name: String,
    /// `None`: standard input, or lines in memory.
    pub path: Option<PathBuf>,
    /// Lines in memory, or what was read ahead of standard input.
    pub text: Option<Arc<[u8]>>,
    /// Standard input goes on behind `text`.
    pub more: bool,
    /// What keeps the file at `path`, where standard input was put on disk.
    pub kept: Option<Arc<NamedTempFile>>,
    /// Bytes on disk.
    pub size: u64,
    /// Named by itself rather than found in a folder or by a glob.
    pub named: bool,
}

/// How much of standard input is read to look at it: more than [`HEAD`] in any encoding.
const AHEAD: u64 = 1 << 20;

impl Input {
    /// Standard input, looked at before it is read.
    pub(crate) fn ahead(self) -> Result<Self, Error> {
        if self.path.is_some() || self.text.is_some() {
            return Ok(self);
        }
        let mut text = Vec::new();
        io::stdin().take(AHEAD).read_to_end(&mut text).map_err(Error::io(self.name.as_str()))?;
        Ok(Self { text: Some(text.into()), more: true, ..self })
    }

    /// What can be looked at without being taken away.
    pub(crate) fn peek(&self) -> Self {
        Self { more: false, ..self.clone() }
    }

    /// Standard input as a file, which can be read twice.
    pub(crate) fn on_disk(self) -> Result<Self, Error> {
        if !self.more {
            return Ok(self);
        }
        let mut file = NamedTempFile::new().map_err(Error::io(std::env::temp_dir()))?;
        let mut all = io::Cursor::new(self.text.as_deref().unwrap_or_default()).chain(io::stdin());
        io::copy(&mut all, &mut file).map_err(Error::io(self.name.as_str()))?;
        Ok(Self { path: Some(file.path().to_owned()), text: None, more: false, kept: Some(Arc::new(file)), ..self })
    }
}

const PACKED: [&str; 3] = [".gz", ".zst", ".zstd"];
const ENDINGS: [&str; 9] = ["csv", "tsv", "txt", "tab", "ndjson", "jsonl", "json", "parquet", "pq"];

fn is_data(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    !name.starts_with('.') && name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// A file's name without the endings that say how it is packed and what it is.
pub(crate) fn stem(name: &str) -> &str {
    let cut = |name: &str, ending: &str| {
        let at = name.len().checked_sub(ending.len()).filter(|at| name.is_char_boundary(*at))?;
        name[at..].eq_ignore_ascii_case(ending).then_some(at)
    };
    let name = PACKED.iter().find_map(|ending| cut(name, ending)).map_or(name, |at| &name[..at]);
    match name.rsplit_once('.') {
        Some((stem, ending)) if ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)) => stem,
        _ => name,
    }
}

/// The files that the arguments name, each once, those of a folder or glob in the order of their names; and those that
/// were passed over because their names do not end like data.
pub(crate) fn expand(arguments: &[String]) -> Result<(Vec<Input>, Vec<String>), Error> {
    let (mut inputs, mut skipped, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut push = |path: &Path, named: bool| -> Result<(), Error> {
        let meta = path.metadata().map_err(Error::io(path))?;
        if seen.insert(path.canonicalize().map_err(Error::io(path))?) {
            let name = path.to_string_lossy().into_owned();
            inputs.push(Input { name, path: Some(path.to_owned()), size: meta.len(), named, ..Input::default() });
        }
        Ok(())
    };
    let mut stdin = false;
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            stdin = true;
        } else if path.is_dir() {
            let found = walk(path, argument, |_| true)?;
            for file in &found {
                if is_data(file) {
                    push(file, false)?;
                } else {
                    skipped.push(file.to_string_lossy().into_owned());
                }
            }
        } else if path.exists() {
            push(path, true)?;
        } else if argument.contains(['*', '?', '[', '{']) {
            let glob = globset::GlobBuilder::new(argument).literal_separator(true).build().map_err(|error| {
                Error::Setting { what: "glob", value: argument.clone(), hint: error.kind().to_string() }
            })?;
            let matcher = glob.compile_matcher();
            let fixed = &argument[..argument.find(['*', '?', '[', '{']).unwrap_or(0)];
            let base = fixed.rfind('/').map_or("", |at| &fixed[..=at]);
            let base = if base.is_empty() { Path::new(".") } else { Path::new(base) };
            let found = walk(base, argument, |file| matcher.is_match(file.strip_prefix("./").unwrap_or(file)))?;
            if found.is_empty() {
                return Err(Error::NoInput(argument.clone()));
            }
            for file in &found {
                push(file.strip_prefix("./").unwrap_or(file), false)?;
            }
        } else {
            return Err(Error::NoInput(argument.clone()));
        }
    }
    if stdin {
        inputs.push(Input { name: "-".into(), named: true, ..Input::default() });
    }
    Ok((inputs, skipped))
}

fn walk(base: &Path, argument: &str, keep: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(base).sort_by_file_name().follow_links(true) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && keep(entry.path()) => files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => {
                let path = error.path().map_or_else(|| argument.into(), Path::to_path_buf);
                return Err(Error::Io { path, source: error.into() });
            }
        }
    }
    Ok(files)
}

/// What has gone through so far of an input's raw bytes.
#[derive(Default)]
pub(crate) struct Meter {
    state: Mutex<(u64, Xxh3)>,
}

impl Meter {
    fn add(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += bytes.len() as u64;
        state.1.update(bytes);
    }

    /// Raw bytes read.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Fingerprint of the raw bytes read.
    pub(crate) fn digest(&self) -> u128 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.digest128()
    }
}

struct Metered<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.meter.add(&buffer[..length]);
        Ok(length)
    }
}

/// A reader whose first bytes can be looked at.
pub(crate) struct Opened {
    /// The first bytes, [`HEAD`] of them where there are as many and a line ends there, as plain UTF-8 where the input is text.
    pub head: Vec<u8>,
    /// Whether `head` is everything.
    pub whole: bool,
    /// Why reading stopped inside the head, where it did.
    pub fault: Option<io::Error>,
    rest: Box<dyn Read + Send>,
    pub meter: Arc<Meter>,
}

/// How much of an input is looked at to learn its format and columns.
pub(crate) const HEAD: usize = 256 * 1024;
/// How much where no line ends before.
const HEAD_OF_ONE_LINE: usize = 4 << 20;

impl Opened {
    /// Everything, the head included.
    pub(crate) fn into_reader(self) -> Box<dyn Read + Send> {
        let head = io::Cursor::new(self.head);
        match self.fault {
            Some(fault) => Box::new(head.chain(Fault(Some(fault)))),
            None => Box::new(head.chain(self.rest)),
        }
    }
}

struct Fault(Option<io::Error>);

impl Read for Fault {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Opens an input: decompressed, and as UTF-8 where it is text.
pub(crate) fn open(input: &Input, encoding: Option<Encoding>) -> Result<Opened, Error> {
    let raw: Box<dyn Read + Send> = match (&input.path, &input.text) {
        (Some(path), _) => Box::new(File::open(path).map_err(Error::io(path))?),
        (None, Some(text)) if input.more => Box::new(io::Cursor::new(Arc::clone(text)).chain(io::stdin())),
        (None, Some(text)) => Box::new(io::Cursor::new(Arc::clone(text))),
        (None, None) => Box::new(io::stdin()),
    };
    let meter = Arc::new(Meter::default());
    let metered = Metered { inner: raw, meter: Arc::clone(&meter) };
    decode(metered, encoding, meter).map_err(Error::io(input.name.as_str()))
}

/// Unwraps compression and encoding of any reader.
pub(crate) fn decode(
    raw: impl Read + Send + 'static,
    encoding: Option<Encoding>,
    meter: Arc<Meter>,
) -> io::Result<Opened> {
    let mut raw: Box<dyn Read + Send> = Box::new(raw);
    let mut magic = fill(&mut raw, 4)?;
    if magic.starts_with(&[0x1f, 0x8b]) {
        let inner = io::Cursor::new(magic).chain(raw);
        raw = Box::new(flate2::read::MultiGzDecoder::new(inner));
        magic = Vec::new();
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let inner = io::Cursor::new(magic).chain(raw);
        raw = Box::new(zstd::stream::read::Decoder::new(inner)?);
        magic = Vec::new();
    }
    let mut fault = None;
    if magic.is_empty() {
        match fill(&mut raw, 4) {
            Ok(found) => magic = found,
            Err(error) => fault = Some(error),
        }
    }
    let (charset, mark): (Option<&'static Charset>, usize) = match (magic.as_slice(), encoding) {
        ([0xef, 0xbb, 0xbf, ..], _) => (None, 3),
        ([0xff, 0xfe, ..], _) => (Some(UTF_16LE), 2),
        ([0xfe, 0xff, ..], _) => (Some(UTF_16BE), 2),
        (_, Some(Encoding::Utf16le)) => (Some(UTF_16LE), 0),
        (_, Some(Encoding::Utf16be)) => (Some(UTF_16BE), 0),
        (_, Some(Encoding::Latin1)) => (Some(WINDOWS_1252), 0),
        (_, Some(Encoding::Utf8) | None) => (None, 0),
    };
    magic.drain(..mark);
    let mut rest: Box<dyn Read + Send> = Box::new(io::Cursor::new(magic).chain(raw));
    if let Some(charset) = charset {
        rest = Box::new(Transcoder {
            inner: rest,
            decoder: charset.new_decoder_without_bom_handling(),
            raw: vec![],
            done: false,
            out: vec![],
            at: 0,
        });
    }
    let (mut head, mut ends) = (Vec::new(), false);
    while fault.is_none() && (head.len() < HEAD || (!ends && head.len() < HEAD_OF_ONE_LINE)) {
        let before = head.len();
        head.resize(if before < HEAD { HEAD } else { before + HEAD }, 0);
        match rest.read(&mut head[before..]) {
            Ok(0) => {
                head.truncate(before);
                return Ok(Opened { head, whole: true, fault: None, rest, meter });
            }
            Ok(length) => {
                head.truncate(before + length);
                ends |= memchr::memchr(b'\n', &head[before..]).is_some();
            }
            Err(error) => {
                head.truncate(before);
                if error.kind() != io::ErrorKind::Interrupted {
                    fault = Some(error);
                }
            }
        }
    }
    Ok(Opened { head, whole: false, fault, rest, meter })
}

fn fill(reader: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    reader.by_ref().take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Another encoding as UTF-8. Byte sequences that mean nothing become the byte FF, so that their row is rejected
/// instead of quietly changed.
struct Transcoder {
    inner: Box<dyn Read + Send>,
    decoder: Decoder,
    raw: Vec<u8>,
    done: bool,
    out: Vec<u8>,
    at: usize,
}

impl Transcoder {
    fn refill(&mut self) -> io::Result<()> {
        use encoding_rs::DecoderResult::{InputEmpty, Malformed, OutputFull};
        const BLOCK: usize = 64 * 1024;
        self.out.clear();
        self.at = 0;
        while self.out.is_empty() && !self.done {
            self.raw.resize(BLOCK, 0);
            let length = self.inner.read(&mut self.raw)?;
            self.done = length == 0;
            let mut raw = &self.raw[..length];
            let mut block = vec![0; BLOCK];
            loop {
                let (result, read, written) =
                    self.decoder.decode_to_utf8_without_replacement(raw, &mut block, self.done);
                self.out.extend_from_slice(&block[..written]);
                raw = &raw[read..];
                match result {
                    InputEmpty => break,
                    OutputFull => {}
                    Malformed(..) => self.out.push(0xff),
                }
            }
        }
        Ok(())
    }
}

impl Read for Transcoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.out.len() {
            self.refill()?;
        }
        let length = buffer.len().min(self.out.len() - self.at);
        buffer[..length].copy_from_slice(&self.out[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(raw: Vec<u8>, encoding: Option<Encoding>) -> Vec<u8> {
        let mut all = Vec::new();
        decode(io::Cursor::new(raw), encoding, Arc::default()).unwrap().into_reader().read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn encodings_and_compression() {
        let plain = "Día;€ 1\n".repeat(40_000);
        let utf16 = |big: bool, mark: bool| -> Vec<u8> {
            let units = mark.then_some(0xfeff).into_iter().chain(plain.encode_utf16());
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        assert_eq!(text(plain.clone().into_bytes(), None), plain.as_bytes());
        assert_eq!(text([b"\xef\xbb\xbf", plain.as_bytes()].concat(), None), plain.as_bytes());
        assert_eq!(text(utf16(false, true), None), plain.as_bytes());
        assert_eq!(text(utf16(true, true), None), plain.as_bytes());
        assert_eq!(text(utf16(true, false), Some(Encoding::Utf16be)), plain.as_bytes());
        assert_eq!(text(b"D\xeda \x80".to_vec(), Some(Encoding::Latin1)), "Día €".as_bytes());
        let zstd = zstd::stream::encode_all(plain.as_bytes(), 1).unwrap();
        assert_eq!(text(zstd, None), plain.as_bytes());
        let mut gzip = Vec::new();
        flate2::read::GzEncoder::new(utf16(false, true).as_slice(), flate2::Compression::fast())
            .read_to_end(&mut gzip)
            .unwrap();
        assert_eq!(text(gzip, None), plain.as_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), encoding in 0..4usize) {
            let encoding = [None, Some(Encoding::Utf16le), Some(Encoding::Utf16be), Some(Encoding::Latin1)][encoding];
            for magic in [&b""[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"] {
                if let Ok(opened) = decode(io::Cursor::new([magic, &bytes].concat()), encoding, Arc::default()) {
                    let _ = opened.into_reader().read_to_end(&mut Vec::new());
                }
            }
        }
    }
}
