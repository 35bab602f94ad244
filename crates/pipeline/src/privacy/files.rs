//! Files that the workspace holds as they came: what was laid into the drop folder, and the list of `[identity.matching]`.
//!
//! Text falls into records, lines that a quote may run over; their records are taken out and all others stay byte for byte.
//! What does not fall into records (packed files, Parquet, JSON over several lines) is removed whole: what an import read of
//! others is in the tables. What waits to be imported is only told, because somebody may still be writing it.
use super::traces::Traces;
use crate::{Error, Result, Workspace};
use safar_identity::{Matching, normalise};
use safar_ingest::any_row;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// The longest record that is looked at.
const LONGEST: u64 = 64 << 20;

/// What of a person such files hold.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Their records.
    pub records: u64,
    /// Files that hold something of theirs and fall into no records.
    pub files: u64,
    /// What people have to do themselves.
    pub notes: Vec<String>,
}

/// How a file falls into records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Cells between delimiters: a record is a line that quotes may run over.
    Rows,
    /// A record is a line that is an object of JSON.
    Objects,
    /// It does not.
    Packed,
}

/// What one file holds of a person.
enum Holds {
    Nothing,
    Records(u64),
    Whole,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |source| Error::io(path, source)
}

/// The drop folder, where there is one.
fn drop_folder(workspace: &Workspace) -> Option<PathBuf> {
    workspace.settings().import.drop.as_ref().map(|folder| workspace.root().join(folder))
}

/// What the drop folder keeps of what was taken: the entries of `done` and `failed`, by name.
pub(super) fn dropped(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let Some(folder) = drop_folder(workspace) else { return Ok(vec![]) };
    let mut found = vec![];
    for kept in ["done", "failed"].map(|name| folder.join(name)) {
        found.extend(entries(&kept)?);
    }
    Ok(found)
}

/// What lies in a folder, by name; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(failed(folder))?,
    };
    let paths: io::Result<Vec<PathBuf>> = read.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(failed(folder))?;
    paths.sort();
    Ok(paths)
}

/// Every file below a path; links are not followed.
fn below(path: PathBuf, found: &mut Vec<PathBuf>) -> Result<()> {
    let about = match fs::symlink_metadata(&path) {
        // It was taken meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed(&path))?,
    };
    if about.is_dir() {
        return entries(&path)?.into_iter().try_for_each(|entry| below(entry, found));
    }
    if about.is_file() {
        found.push(path);
    }
    Ok(())
}

/// Whose the rows of a file are.
struct Whose<'a> {
    traces: &'a Traces,
    /// The settings of the list, and the place of its column of identifiers.
    list: Option<(&'a Matching, Option<usize>)>,
    workspace: &'a Workspace,
}

impl Whose<'_> {
    fn is_theirs(&self, record: &str) -> bool {
        self.traces.row(record) || self.is_listed(record)
    }

    /// Whether the record's identifier is theirs, however short it is.
    fn is_listed(&self, record: &str) -> bool {
        let Some((list, Some(column))) = self.list else { return false };
        let identity = &self.workspace.settings().identity;
        let id = cells(record).and_then(|cells| cells.get(column).map(str::to_owned));
        id.is_some_and(|raw| {
            normalise(&list.namespace, &raw, identity).id().is_some_and(|id| self.traces.has(&list.namespace, &id))
        })
    }
}

/// The cells of a line of CSV.
fn cells(record: &str) -> Option<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record.as_bytes());
    reader.records().next()?.ok()
}

/// Takes what is theirs out of the files, or only counts it (`dry`).
pub(super) fn erase(workspace: &Workspace, traces: &Traces, dry: bool) -> Result<Held> {
    let mut held = Held::default();
    each(workspace, traces, &mut held, &mut |path, whose, ours| {
        let mut told = Held::default();
        let holds = match holds(path, whose) {
            Ok(holds) => holds,
            Err(why) => {
                told.notes.push(format!(
                    "{} cannot be looked through ({why}): look yourself whether it holds the person, and remove it",
                    path.display()
                ));
                return Ok(told);
            }
        };
        match holds {
            Holds::Nothing => {}
            _ if !ours => told.notes.push(format!(
                "{} mentions the person, and is outside of the workspace: take the person out of it yourself",
                path.display()
            )),
            Holds::Records(records) => {
                told.records = records;
                if !dry {
                    without(path, whose)?;
                }
            }
            Holds::Whole if whose.list.is_some() => told.notes.push(format!(
                "{} mentions the person where no row can be taken out: change it yourself",
                path.display()
            )),
            Holds::Whole => {
                told.files = 1;
                if !dry {
                    fs::remove_file(path).map_err(failed(path))?;
                }
            }
        }
        Ok(told)
    })?;
    for path in waiting(workspace)? {
        let whose = Whose { traces, list: None, workspace };
        // What is said is kept in the audit log, so a name that tells who it is of is left out.
        let what = if named(&path, traces) {
            format!("a file in {}", path.parent().unwrap_or(&path).display())
        } else if any_row(&path, &mut |row| whose.is_theirs(row)).unwrap_or(false) {
            path.display().to_string()
        } else {
            continue; // what cannot be looked through is told once it was taken
        };
        held.notes.push(format!(
            "{what} waits to be imported and mentions the person: take it away, or erase again once it was taken"
        ));
    }
    Ok(held)
}

/// Their records, each with the file's name; of files without records, the name alone.
pub(super) fn export(workspace: &Workspace, traces: &Traces) -> Result<Vec<(String, Option<String>)>> {
    let mut found = vec![];
    each(workspace, traces, &mut Held::default(), &mut |path, whose, _| {
        let name = path.strip_prefix(workspace.root()).unwrap_or(path).display().to_string();
        match holds(path, whose) {
            Ok(Holds::Records(_)) => records(path, &mut |_, record| {
                let text = String::from_utf8_lossy(record);
                if whose.is_theirs(&text) {
                    found.push((name.clone(), Some(text.trim_end_matches(['\r', '\n']).to_owned())));
                }
                Ok(())
            })?,
            Ok(Holds::Whole) => found.push((name, None)),
            Ok(Holds::Nothing) | Err(_) => {}
        }
        Ok(Held::default())
    })?;
    Ok(found)
}

/// Goes through the files: those that were taken from the drop folder, and the list; `true` for files that Safar may change.
fn each(
    workspace: &Workspace,
    traces: &Traces,
    held: &mut Held,
    one: &mut dyn FnMut(&Path, &Whose<'_>, bool) -> Result<Held>,
) -> Result<()> {
    let mut add = |told: Held| {
        held.records += told.records;
        held.files += told.files;
        held.notes.extend(told.notes);
    };
    let mut files = vec![];
    for path in dropped(workspace)? {
        below(path, &mut files)?;
    }
    for path in files {
        add(one(&path, &Whose { traces, list: None, workspace }, true)?);
    }
    let Some(list) = &workspace.settings().identity.matching else { return Ok(()) };
    let path = workspace.root().join(&list.file);
    if path.is_file() {
        let mut column = None;
        records(&path, &mut |number, record| {
            if number == 0 {
                let head = cells(String::from_utf8_lossy(record).trim_start_matches('\u{feff}'));
                column = head.and_then(|head| head.iter().position(|name| name == list.identifier));
            }
            Ok(())
        })?;
        let inside = |path: &Path| {
            let [root, path] = [workspace.root(), path].map(Path::canonicalize);
            root.ok().zip(path.ok()).is_some_and(|(root, path)| path.starts_with(root))
        };
        add(one(&path, &Whose { traces, list: Some((list, column)), workspace }, inside(&path))?);
    }
    Ok(())
}

/// What lies in the drop folder and was not taken yet.
fn waiting(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let Some(folder) = drop_folder(workspace) else { return Ok(vec![]) };
    let mut files = vec![];
    for path in entries(&folder)? {
        if ![folder.join("done"), folder.join("failed")].contains(&path) {
            below(path, &mut files)?;
        }
    }
    Ok(files)
}

fn named(path: &Path, traces: &Traces) -> bool {
    path.file_name().is_some_and(|name| traces.mentions.in_bytes(name.to_string_lossy().as_bytes()))
}

/// What a file holds of them; an error says why it cannot be looked through.
fn holds(path: &Path, whose: &Whose<'_>) -> std::result::Result<Holds, String> {
    if named(path, whose.traces) {
        return Ok(Holds::Whole);
    }
    let told = |error: Error| error.to_string();
    let kind = kind(path).map_err(told)?;
    if kind == Kind::Packed {
        let found = any_row(path, &mut |row| whose.is_theirs(row)).map_err(|error| error.to_string())?;
        return Ok(if found { Holds::Whole } else { Holds::Nothing });
    }
    let (mut theirs, mut whole) = (0, false);
    records(path, &mut |_, record| {
        if whose.is_theirs(&String::from_utf8_lossy(record)) {
            theirs += 1;
            // An object over several lines would be broken without one of them.
            whole |= kind == Kind::Objects && serde_json::from_slice::<serde::de::IgnoredAny>(record).is_err();
        }
        Ok(())
    })
    .map_err(told)?;
    Ok(match theirs {
        0 => Holds::Nothing,
        _ if whole => Holds::Whole,
        _ => Holds::Records(theirs),
    })
}

/// How a file falls into records, by its first bytes.
fn kind(path: &Path) -> Result<Kind> {
    const PACKED: [&[u8]; 7] =
        [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1", b"\xff\xfe", b"\xfe\xff", b"%PDF"];
    let mut head = vec![];
    File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head)).map_err(failed(path))?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    Ok(match text.first() {
        _ if PACKED.iter().any(|magic| head.starts_with(magic)) || head.contains(&0) => Kind::Packed,
        Some(b'[') => Kind::Packed,
        Some(b'{') => Kind::Objects,
        _ => Kind::Rows,
    })
}

/// Calls `each` with the number and the bytes of every record, its end of line included.
fn records(path: &Path, each: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    let kind = kind(path)?;
    let mut reader = BufReader::new(File::open(path).map_err(failed(path))?);
    let (mut record, mut number) = (vec![], 0);
    loop {
        record.clear();
        // Quotes come in pairs, doubled ones too: a line with an odd one goes on in the next.
        loop {
            let left = LONGEST - record.len() as u64;
            let read = reader.by_ref().take(left).read_until(b'\n', &mut record).map_err(failed(path))?;
            let quotes = record.iter().filter(|byte| **byte == b'"').count();
            if read == 0 || quotes % 2 == 0 || kind == Kind::Objects {
                break;
            }
        }
        if record.is_empty() {
            return Ok(());
        }
        if record.len() as u64 >= LONGEST {
            return Err(Error::Request(format!("{} has a row of more than 64 MB", path.display())));
        }
        each(number, &record)?;
        number += 1;
    }
}

/// Writes a file anew without their records, durably, with the rights and the time that it had; one without any row left goes.
fn without(path: &Path, whose: &Whose<'_>) -> Result<()> {
    let about = fs::metadata(path).map_err(failed(path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.new"));
    let mut writer = BufWriter::new(File::create(&draft).map_err(failed(&draft))?);
    let mut left = 0_u64;
    records(path, &mut |_, record| {
        if whose.is_theirs(&String::from_utf8_lossy(record)) {
            return Ok(());
        }
        left += 1;
        writer.write_all(record).map_err(failed(&draft))
    })?;
    let file = writer.into_inner().map_err(|error| Error::io(&draft, error.into_error()))?;
    file.set_permissions(about.permissions()).map_err(failed(&draft))?;
    if let Ok(changed) = about.modified() {
        file.set_modified(changed).map_err(failed(&draft))?;
    }
    file.sync_all().map_err(failed(&draft))?;
    // The list is named in the settings, so it stays.
    if left == 0 && whose.list.is_none() {
        fs::remove_file(&draft).map_err(failed(&draft))?;
        return fs::remove_file(path).map_err(failed(path));
    }
    fs::rename(&draft, path).map_err(failed(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_lines_together_and_json_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any");
        let of = |text: &str| {
            fs::write(&path, text).unwrap();
            let mut found = vec![];
            records(&path, &mut |_, record| {
                found.push(String::from_utf8_lossy(record).into_owned());
                Ok(())
            })
            .unwrap();
            found
        };
        assert_eq!(of("a,b\n1,\"x\ny \"\"z\"\"\"\r\n2,c"), ["a,b\n", "1,\"x\ny \"\"z\"\"\"\r\n", "2,c"]);
        assert_eq!(of("{\"a\":\"5\\\" tall\"}\n{}\n"), ["{\"a\":\"5\\\" tall\"}\n", "{}\n"]);
        assert_eq!(of("1,5\" tall\n2,c\n"), ["1,5\" tall\n2,c\n"], "a quote that nothing closes takes all with it");
        assert_eq!(of(""), Vec::<String>::new());
    }
}
