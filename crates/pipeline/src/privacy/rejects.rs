//! Files of rejected rows in the workspace's folder `rejects`.
use super::{requests::Requests, rows::is_rejected, traces::Traces};
use crate::{Error, Result, Workspace};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

fn failed(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |source| Error::io(path, source)
}

/// The files, by name.
pub(super) fn files(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.root().join("rejects");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(failed(&folder))?,
    };
    let mut found = vec![];
    for entry in entries {
        let path = entry.map_err(failed(&folder))?.path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Calls `each` with every row of a file, header included, and whether it is theirs.
fn rows(
    path: &Path,
    traces: &Traces,
    requests: &Requests,
    mut each: impl FnMut(&csv::ByteRecord, bool) -> Result<()>,
) -> Result<()> {
    let fault = |error: csv::Error| Error::io(path, error.into());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(path).map_err(fault)?;
    let (mut row, mut first) = (csv::ByteRecord::new(), true);
    while reader.read_byte_record(&mut row).map_err(fault)? {
        // file, line, column, value, reason, raw
        let cell = |at: usize| row.get(at).map(String::from_utf8_lossy);
        let named = cell(0).is_some_and(|file| traces.mentions.in_bytes(file.as_bytes()));
        let theirs = !first && (named || is_rejected(traces, requests, cell(3).as_deref(), cell(5).as_deref()));
        first = false;
        each(&row, theirs)?;
    }
    Ok(())
}

/// Takes their rows out of every file; how many there were. A file without any row left goes. `dry`: only counts.
pub(super) fn erase(workspace: &Workspace, traces: &Traces, requests: &Requests, dry: bool) -> Result<u64> {
    let mut count = 0;
    for path in files(workspace)? {
        let (mut theirs, mut others) = (0, 0);
        rows(&path, traces, requests, |_, is| {
            theirs += u64::from(is);
            others += u64::from(!is);
            Ok(())
        })?;
        count += theirs;
        if theirs == 0 || dry {
            continue;
        }
        // The header is a row of nobody.
        if others <= 1 {
            fs::remove_file(&path).map_err(failed(&path))?;
            continue;
        }
        let draft = path.with_extension("new");
        let file = File::create(&draft).map_err(failed(&draft))?;
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
        rows(&path, traces, requests, |row, is| match is {
            true => Ok(()),
            false => writer.write_byte_record(row).map_err(|error| Error::io(&draft, error.into())),
        })?;
        let file = writer.into_inner().map_err(|error| Error::io(&draft, io::Error::other(error.to_string())))?;
        file.sync_all().map_err(failed(&draft))?;
        fs::rename(&draft, &path).map_err(failed(&path))?;
    }
    Ok(count)
}

/// Their rows: the name of the file, and the cells.
pub(super) fn export(
    workspace: &Workspace,
    traces: &Traces,
    requests: &Requests,
) -> Result<Vec<(String, Vec<String>)>> {
    let mut found = vec![];
    for path in files(workspace)? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        rows(&path, traces, requests, |row, is| {
            if is {
                found.push((name.clone(), row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()));
            }
            Ok(())
        })?;
    }
    Ok(found)
}
