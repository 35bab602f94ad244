//! Looking at the disk: how much is free, and what became of what was dropped.
use super::{super::drop_folder::is_left_alone, Check};
use safar_collect::http::CollectSettings;
use safar_pipeline::Workspace;
use std::{fs, io, path::Path, process::Command, time::Duration};

/// What `df` says of a folder's disk: bytes that are free. `None` where there is no such program.
fn free(folder: &Path) -> Option<u64> {
    let said = Command::new("df").arg("-Pk").arg(folder).output().ok().filter(|output| output.status.success())?;
    read(&String::from_utf8_lossy(&said.stdout))
}

/// The fourth column of the last line, in kilobytes (POSIX).
fn read(said: &str) -> Option<u64> {
    let kilobytes: u64 = said.lines().skip(1).last()?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Whether the log may grow to its limit, and published requests to theirs.
pub(super) fn space(root: &Path, settings: &CollectSettings) -> Option<Check> {
    Some(enough(free(root)?, settings))
}

fn enough(free: u64, settings: &CollectSettings) -> Check {
    const NAME: &str = "disk";
    let wanted = (u64::from(settings.log.megabytes) + u64::from(settings.log.keep_megabytes)) << 20;
    let segment = u64::from(settings.log.segment_megabytes) << 20;
    let found = format!("{:.1} GB are free", free as f64 / f64::from(1 << 30));
    let to_do = "make room, or lower megabytes and keep_megabytes of [collect.log], which bound what the log takes";
    if free < segment * 4 {
        return Check::bad(NAME, format!("{found}: clients will be told to come back"), to_do);
    }
    if free < wanted {
        let found =
            format!("{found}, and the log may take {:.1} GB by its settings", wanted as f64 / f64::from(1 << 30));
        return Check::look(NAME, found, to_do);
    }
    Check::good(NAME, found)
}

/// What lies in the drop folder that could not be imported, or that nobody takes.
pub(super) fn dropped(workspace: &Workspace, running: bool) -> Option<Check> {
    let folder = workspace.root().join(workspace.settings().import.drop.as_ref()?);
    Some(look(&folder, running))
}

/// Names of what lies in a folder, without hidden files; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

fn look(folder: &Path, running: bool) -> Check {
    const NAME: &str = "drop folder";
    /// So many are named.
    const NAMED: usize = 3;
    /// So long nobody takes a file to write.
    const UNTOUCHED: Duration = Duration::from_secs(600);
    match fs::read_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let found = format!("{} cannot be read: {error}", folder.display());
            let to_do =
                "let it be a folder that `safar serve` may read and write, or name another one as drop of [import]";
            return Check::bad(NAME, found, to_do);
        }
        _ => {}
    }
    let failed = folder.join("failed");
    let all = names(&failed);
    let reasons: Vec<&String> = all
        .iter()
        .filter(|name| name.strip_suffix(".txt").is_some_and(|thing| all.iter().any(|other| other == thing)))
        .collect();
    if !reasons.is_empty() {
        let tell = |name: &&String| {
            let text = fs::read_to_string(failed.join(name)).unwrap_or_default();
            let reason: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
            format!("{}: {reason}", name.trim_end_matches(".txt"))
        };
        let mut found: Vec<String> = reasons.iter().take(NAMED).map(tell).collect();
        if reasons.len() > NAMED {
            found.push(format!("and {} more", reasons.len() - NAMED));
        }
        return Check::look(
            NAME,
            format!("{} could not be imported: {}", reasons.len(), found.join("; ")),
            format!("put it right and lay it into {} again; then remove it from failed/", folder.display()),
        );
    }
    let mut waiting = names(folder);
    waiting.retain(|name| name != "done" && name != "failed");
    if !waiting.is_empty() && !running {
        return Check::look(
            NAME,
            format!("{} wait in {}, and nobody takes them", waiting.len(), folder.display()),
            "start `safar serve`, which imports them",
        );
    }
    let untouched = |path: &Path| {
        let changed = fs::metadata(path).and_then(|about| about.modified()).ok();
        changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > UNTOUCHED)
    };
    waiting.retain(|name| is_left_alone(&folder.join(name)) && untouched(&folder.join(name)));
    if !waiting.is_empty() {
        return Check::look(
            NAME,
            format!("empty, or unfinished by their names, and so not taken: {}", waiting.join(", ")),
            format!("write them anew, rename them, or take them out of {}", folder.display()),
        );
    }
    Check::good(NAME, "everything that was dropped is imported")
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn free_space_is_read_and_judged() {
        let said = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 100 60 40 60% /a folder\n";
        assert_eq!(read(said), Some(40 << 10));
        assert_eq!(read("df: nothing"), None);
        let settings = CollectSettings::default();
        let state = |megabytes: u64| enough(megabytes << 20, &settings).state;
        assert_eq!((state(100), state(1_000), state(10_000)), (State::Bad, State::Look, State::Good));
    }

    #[test]
    fn what_was_dropped_in_vain_is_told_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look(folder.path(), false).state, State::Good);
        fs::write(folder.path().join("orders.csv"), "x").unwrap();
        assert_eq!((look(folder.path(), true).state, look(folder.path(), false).state), (State::Good, State::Look));
        let failed = folder.path().join("failed");
        fs::create_dir(&failed).unwrap();
        fs::write(failed.join("notes.txt"), "dropped, and no reason").unwrap();
        assert!(!look(folder.path(), true).found.contains("notes"));
        fs::write(failed.join("costs.csv"), "x").unwrap();
        fs::write(failed.join("costs.csv.txt"), "line 1: no column for the day\nmore\n").unwrap();
        let check = look(folder.path(), true);
        assert_eq!(check.state, State::Look);
        assert_eq!(check.found, "1 could not be imported: costs.csv: line 1: no column for the day");
    }

    #[test]
    fn what_is_never_taken_is_told_once_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let hour = std::time::SystemTime::now() - Duration::from_secs(3_600);
        for name in ["orders.csv.part", "empty.csv", "new.csv.part", "whole.csv"] {
            let path = folder.path().join(name);
            fs::write(&path, if name == "empty.csv" { "" } else { "a\n" }).unwrap();
            if name != "new.csv.part" {
                fs::File::open(&path).unwrap().set_modified(hour).unwrap();
            }
        }
        let found = look(folder.path(), true).found;
        assert!(found.ends_with("not taken: empty.csv, orders.csv.part"), "{found}");
        let check = look(&folder.path().join("whole.csv"), true);
        assert!(check.state == State::Bad && check.found.contains("whole.csv cannot be read"), "{check:?}");
    }
}
