//! The drop folder: what somebody lays into it is imported, and moved to `done/` or, with the reason beside it, to `failed/`.
//!
//! A file (or a folder of tables that belong together) is taken once nobody has written to it for some seconds. It is moved
//! after its import is stored; when the program ends in between, it is imported once more at the next start, which stores
//! nothing twice: events are known by what they say, costs replace themselves.
use super::{News, publish::options, tables::Tables};
use safar_ingest::{ImportOptions, ImportReport, Rules, Silent, import};
use safar_pipeline::Workspace;
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::watch;

/// Between two looks at the folder.
const EVERY: Duration = Duration::from_secs(1);
/// So long a file must have been still.
const STILL: Duration = Duration::from_secs(3);
/// Endings of files that browsers and copying programs have not finished.
const UNFINISHED: [&str; 5] = ["part", "partial", "tmp", "crdownload", "filepart"];

/// Size, files and last change of what lies in the folder under one name.
type Looks = (u64, u64, Option<SystemTime>);

/// Takes what is dropped until the collector stops.
pub(super) async fn keep_taking(tables: &Tables, mut stopping: watch::Receiver<bool>) {
    let mut seen: HashMap<PathBuf, (Looks, Instant)> = HashMap::new();
    let mut complained = None;
    loop {
        let workspace = tables.workspace().await;
        if let Some(folder) = workspace.settings().import.drop.as_ref().map(|folder| workspace.root().join(folder)) {
            let taken = still(&folder, &mut seen);
            let problem = taken.as_ref().err().map(ToString::to_string);
            for path in taken.unwrap_or_default() {
                if !tables.is_stopping() {
                    take(tables, &workspace, &folder, &path).await;
                    seen.remove(&path);
                }
            }
            if problem.is_some() && complained != problem {
                let why = format!("{}: {}", folder.display(), problem.clone().unwrap_or_default());
                (tables.tell)(News::DropFailed(why));
            }
            complained = problem;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

/// What lies in the folder and has been still long enough, in the order of the names.
fn still(folder: &Path, seen: &mut HashMap<PathBuf, (Looks, Instant)>) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut here = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = path.is_dir() && (name == "done" || name == "failed");
        if !ours && !name.starts_with('.') && !is_unfinished(&path) {
            here.push(path);
        }
    }
    here.sort();
    seen.retain(|path, _| here.contains(path));
    let mut taken = Vec::new();
    for path in here {
        let looks = match looks(&path) {
            // Taken away since, or a link to nothing: no reason to leave all others where they are.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            looks => looks?,
        };
        let (known, since) = seen.entry(path.clone()).or_insert_with(|| (looks, Instant::now()));
        if *known != looks {
            (*known, *since) = (looks, Instant::now());
        }
        // An empty file may be one that is only begun.
        if since.elapsed() >= STILL && looks.0 > 0 {
            taken.push(path);
        }
    }
    Ok(taken)
}

fn is_unfinished(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    UNFINISHED.contains(&ending.as_str())
}

/// Whether a thing in the folder is never taken as it is: unfinished by its name, or empty.
pub(super) fn is_left_alone(path: &Path) -> bool {
    is_unfinished(path) || looks(path).is_ok_and(|(size, ..)| size == 0)
}

fn looks(path: &Path) -> io::Result<Looks> {
    let about = fs::metadata(path)?;
    let mut looks = (0, 1, about.modified().ok());
    if !about.is_dir() {
        looks.0 = about.len();
        return Ok(looks);
    }
    for entry in fs::read_dir(path)? {
        let (size, files, changed) = self::looks(&entry?.path())?;
        looks = (looks.0 + size, looks.1 + files, looks.2.max(changed));
    }
    Ok(looks)
}

/// Imports one thing and moves it away. What is not its own fault leaves it where it is, to be tried again.
async fn take(tables: &Tables, workspace: &Workspace, folder: &Path, path: &Path) {
    let name = path.file_name().unwrap_or_default();
    let before = looks(path).ok();
    let news = match taken(tables, workspace, path).await {
        // Whoever writes it went on: it stays until it is whole, and what is stored of it stays once.
        Ok(_) if looks(path).is_ok_and(|now| before != Some(now)) => return,
        Ok(report) => match away(path, &folder.join("done"), name, None) {
            Ok(_) => News::Dropped { name: name.to_string_lossy().into_owned(), report: Box::new(report) },
            Err(error) => News::DropFailed(format!("{} is imported but cannot be moved: {error}", path.display())),
        },
        Err(safar_ingest::Error::Store(error)) => {
            News::DropFailed(format!("{} will be tried again: {error}", path.display()))
        }
        Err(error) => match away(path, &folder.join("failed"), name, Some(&error.to_string())) {
            Ok(place) => News::DropFailed(format!("{}: {error}", place.display())),
            Err(other) => News::DropFailed(format!("{}: {error}; and it cannot be moved: {other}", path.display())),
        },
    };
    (tables.tell)(news);
}

async fn taken(tables: &Tables, workspace: &Workspace, path: &Path) -> Result<ImportReport, safar_ingest::Error> {
    let _turn = tables.turn.lock().await;
    let settings = workspace.import_settings();
    let setting = |error: safar_pipeline::Error| safar_ingest::Error::Setting {
        what: "rule of [channels]",
        value: String::new(),
        hint: error.to_string(),
    };
    let enricher = workspace.enricher().map_err(setting)?;
    let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3f");
    let rejects = workspace.root().join("rejects").join(format!("{stamp}.csv"));
    let options = ImportOptions { rejects: Some(rejects), ..options() };
    let lock = tables.lock(workspace).await?;
    let files = [path.to_string_lossy().into_owned()];
    let report = import(workspace.store(), &lock, rules, &files, &options, &Silent).await?;
    if report.stored + report.paths > 0 {
        tables.fresh.notify_one();
    }
    Ok(report)
}

/// Moves a thing into a folder, under a name that is free there; the reason is written first, so that it is never missing.
fn away(path: &Path, folder: &Path, name: &OsStr, reason: Option<&str>) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let name = name.to_string_lossy();
    let mut place = folder.join(&*name);
    let mut number = 2;
    while place.exists() {
        place = folder.join(format!("{number}-{name}"));
        number += 1;
    }
    if let Some(reason) = reason {
        let mut beside = place.clone().into_os_string();
        beside.push(".txt");
        fs::write(beside, format!("{reason}\n"))?;
    }
    fs::rename(path, &place)?;
    // `keep_dropped` counts from here on, however old the file is. Where its time cannot be set, its own counts.
    let _ = fs::File::open(&place).and_then(|moved| moved.set_modified(SystemTime::now()));
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_moved_away_is_as_old_as_its_move() {
        let folder = tempfile::tempdir().unwrap();
        let year = Duration::from_secs(365 * 86_400);
        for (name, is_folder) in [("old.csv", false), ("tables", true)] {
            let path = folder.path().join(name);
            if is_folder {
                fs::create_dir(&path).unwrap()
            } else {
                fs::write(&path, "a\n").unwrap()
            }
            fs::File::open(&path).unwrap().set_modified(SystemTime::now() - year).unwrap();
            let place = away(&path, &folder.path().join("done"), OsStr::new(name), None).unwrap();
            let age = fs::metadata(&place).unwrap().modified().unwrap().elapsed().unwrap_or_default();
            assert!(age < year / 2, "{name}: {age:?}");
        }
    }
}
