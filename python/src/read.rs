//! Reads files of paths.
use crate::paths::{Paths, check_separator};
use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
    pybacked::PyBackedBytes,
};
use safar_attribution::{ReadError, ReadOptions};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// Where paths come from.
#[derive(FromPyObject)]
pub enum Source {
    #[pyo3(annotation = "bytes")]
    Bytes(PyBackedBytes),
    #[pyo3(annotation = "str | os.PathLike")]
    File(PathBuf),
}

/// Reads paths from a file, or from its content as bytes: text with one path a row.
///
/// The first row names the columns, in any order and case: `path`, `total_conversions` (or `conversions`), and
/// optionally `total_conversion_value` (`conversion_value`, `value`) and `total_null` (`null`, `nulls`); other columns
/// are ignored. In a path, `sep` stands between the names of channels; spaces around names do not count. An empty path
/// is a conversion that no touch came before. `delimiter` separates columns; it is found out among `;` `,` tab `|`
/// where it is not given.
///
/// Raises `ValueError` with the line, the column and the value that cannot be read: no row is ever skipped; `OSError`
/// where the file cannot be read.
///
/// >>> import safar
/// >>> paths = safar.read_paths(b"path;conversions;value\nAds > Mail;2;50\nMail;1;10\n")
/// >>> len(paths), paths.channels
/// (2, ['Ads', 'Mail'])
#[pyfunction]
#[pyo3(signature = (path_or_bytes, *, sep=">", delimiter=None))]
pub fn read_paths(py: Python<'_>, path_or_bytes: Source, sep: &str, delimiter: Option<&str>) -> PyResult<Paths> {
    check_separator(sep)?;
    let delimiter = match delimiter.map(str::as_bytes) {
        None => None,
        Some([byte]) if byte.is_ascii() => Some(*byte),
        Some(_) => return Err(PyValueError::new_err("`delimiter` must be one ASCII character, such as ; or ,")),
    };
    let options = ReadOptions { delimiter, separator: sep.into() };
    let read = match &path_or_bytes {
        Source::Bytes(bytes) => py.detach(|| read(&bytes[..], &options)),
        Source::File(file) => py.detach(|| read(File::open(file)?, &options)),
    };
    let (paths, channels) = read.map_err(|error| match (error, path_or_bytes) {
        (ReadError::Io(error), Source::File(file)) => failed(py, error, &file),
        (ReadError::Io(error), Source::Bytes(_)) => error.into(),
        (error, Source::File(file)) => PyValueError::new_err(format!("{}: {error}", file.display())),
        (error, Source::Bytes(_)) => PyValueError::new_err(error.to_string()),
    })?;
    Ok(Paths::new(paths, channels))
}

fn read(source: impl Read, options: &ReadOptions) -> Result<(safar_model::Paths, Vec<String>), ReadError> {
    safar_attribution::read_paths(Interruptible(BufReader::with_capacity(BLOCK, source)), options)
}

/// Bytes between two looks for Ctrl-C.
const BLOCK: usize = 1 << 20;

/// Looks for Ctrl-C whenever a new block is read.
struct Interruptible<R>(BufReader<R>);

impl<R: Read> Read for Interruptible<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.buffer().is_empty() {
            Python::attach(|py| py.check_signals())?;
        }
        self.0.read(into)
    }
}

impl<R: Read> BufRead for Interruptible<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

/// An `OSError` that names the file, of the subclass that fits; or the exception that interrupted the reading.
fn failed(py: Python<'_>, error: io::Error, file: &Path) -> PyErr {
    let Some(number) = error.raw_os_error() else { return error.into() };
    let text = py.import("os").and_then(|os| os.call_method1("strerror", (number,))?.extract::<String>());
    PyOSError::new_err((number, text.unwrap_or_else(|_| error.to_string()), file.to_path_buf()))
}
