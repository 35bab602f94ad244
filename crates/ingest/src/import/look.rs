//! Looking for something in a file as an import would read it: unpacked and in UTF-8.
use super::{
    error::Error,
    input::{self, Input},
    parquet::ParquetInput,
    sniff::{Format, format_of},
};
use arrow::array::{Array, AsArray};
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};

/// The longest line that is looked at.
const LONGEST: u64 = 64 << 20;

/// Whether `found` holds for any line of a file, or any cell of a Parquet file; compression and encoding are undone as an
/// import undoes them. Bytes that are no UTF-8 are replaced.
///
/// # Errors
/// When it cannot be read, is of no known format, or has a line of more than 64 MB.
pub fn any_row(path: &Path, found: &mut dyn FnMut(&str) -> bool) -> Result<bool, Error> {
    let name = path.to_string_lossy().into_owned();
    let input = Input { name: name.clone(), path: Some(path.to_owned()), ..Input::default() };
    let opened = input::open(&input, None)?;
    if opened.whole && opened.head.is_empty() {
        return Ok(false);
    }
    if format_of(&name, &opened)? == Format::Parquet {
        let mut rows = ParquetInput::open(&name, path)?;
        while let Some((_, batch)) = rows.next_rows()? {
            let holds = |column: &dyn Array, found: &mut dyn FnMut(&str) -> bool| {
                column.as_string_opt::<i32>().is_some_and(|texts| texts.iter().flatten().any(found))
            };
            if batch.columns().iter().any(|column| holds(column, found)) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let (mut reader, mut line) = (BufReader::new(opened.into_reader()), vec![]);
    loop {
        line.clear();
        let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(Error::io(path))?;
        if read == 0 {
            return Ok(false);
        }
        if read as u64 == LONGEST && line.last() != Some(&b'\n') {
            let why = "it has a line of more than 64 MB".to_owned();
            return Err(Error::UnknownFormat { file: name, why });
        }
        if found(&String::from_utf8_lossy(&line)) {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn what_is_packed_or_in_another_encoding_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let text = "id,name\n1,ada\n2,bob\n";
        let mut gzip = GzEncoder::new(vec![], Compression::best());
        gzip.write_all(text.as_bytes()).unwrap();
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for (name, bytes) in [("a.csv", text.as_bytes().to_vec()), ("a.gz", gzip.finish().unwrap()), ("a.txt", utf16)] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert!(any_row(&path, &mut |line| line.contains("ada")).unwrap(), "{name}");
            assert!(!any_row(&path, &mut |line| line.contains("eve")).unwrap(), "{name}");
        }
        let zip = folder.path().join("a.zip");
        std::fs::write(&zip, b"PK\x03\x04 and more").unwrap();
        assert!(any_row(&zip, &mut |_| false).unwrap_err().to_string().contains("ZIP archive"));
        let empty = folder.path().join("empty.csv");
        std::fs::write(&empty, b"").unwrap();
        assert!(!any_row(&empty, &mut |_| true).unwrap());
    }
}
