//! A disk that refuses, and a second writer.
use crate::support::{block_on, key, parquet_files, read, row, stage};
use safar_model::Table;
use safar_store::{Change, Error, Store};
use std::{fs, path::Path, process::Command};

const CHILD: &str = "SAFAR_TEST_FULL";
const READER: &str = "SAFAR_TEST_READER";

#[test]
fn a_second_writer_is_told_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        // Reading goes on meanwhile.
        let other = Store::open(folder.path()).await.unwrap();
        let error = other.lock().unwrap_err();
        assert!(error.is_locked());
        let pid = std::process::id();
        assert!(error.to_string().contains(&format!("is being written by another process (process {pid})")), "{error}");
        drop(lock);
        let lock = other.lock().unwrap();
        // A lock opens only its own store.
        let elsewhere = tempfile::tempdir().unwrap();
        let error = Store::create(elsewhere.path()).await.unwrap().writer(&lock, Table::Events).unwrap_err();
        assert!(matches!(error, Error::WrongLock { .. }), "{error}");
    });
}

#[test]
fn a_folder_without_tables_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = block_on(Store::open(folder.path())).unwrap_err();
    assert!(error.to_string().contains("holds no tables; make a workspace with `safar init`"), "{error}");
}

#[test]
fn a_file_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(&data, "not a folder").unwrap();
    let error = block_on(Store::create(&data)).unwrap_err();
    assert!(error.to_string().contains(&data.display().to_string()), "{error}");
    assert!(error.to_string().contains("a file is in the way"), "{error}");

    fs::remove_file(&data).unwrap();
    block_on(async {
        let store = Store::create(&data).await.unwrap();
        let lock = store.lock().unwrap();
        let wanted = row(1);
        let bucket = data.join(format!("events/bucket={}", safar_model::bucket_of(wanted.0)));
        fs::write(&bucket, "not a folder").unwrap();
        let mut writer = store.writer(&lock, Table::Events).unwrap();
        let error = writer.write(&crate::support::batch(Table::Events, &[wanted])).unwrap_err();
        assert!(matches!(&error, Error::Io { path, .. } if *path == bucket), "{error}");
    });
}

/// Not a test by itself: a user who may not write the folder.
#[test]
fn user_who_may_only_read() {
    let Ok(folder) = std::env::var(READER) else { return };
    block_on(async {
        let store = Store::open(Path::new(&folder)).await.unwrap();
        let rows = read(&store, &store.snapshot().await.unwrap(), Table::Events).await;
        eprintln!("rows: {}; lock: {}", rows.len(), store.lock().unwrap_err());
    });
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_can_be_read() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    };
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let rights = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    block_on(async {
        let store = Store::create(&data).await.unwrap();
        let lock = store.lock().unwrap();
        let staged = stage(&store, &lock, Table::Events, &[row(1)]);
        store.commit(&lock, vec![Change::Append(staged)], &key(1)).await.unwrap();
    });
    // A program of its own, where anybody may run it: root may write everywhere, so it runs as nobody.
    let program = folder.path().join("reader");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    rights(folder.path(), 0o755);
    rights(&program, 0o755);
    rights(&data.join(".lock"), 0o444);
    rights(&data, 0o555);
    let mut child = Command::new(&program);
    child.args(["--exact", "faults::user_who_may_only_read", "--nocapture"]).env(READER, &data);
    if fs::metadata(&data).unwrap().uid() == 0 {
        child.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let said = String::from_utf8_lossy(&child.output().unwrap().stderr).into_owned();
    rights(&data, 0o755);
    assert!(said.contains("rows: 1; lock: "), "{said}");
    assert!(said.contains("give this user the right to write there"), "{said}");
}

/// Not a test by itself: the writer whose files may not grow beyond a limit, as on a full disk.
#[test]
fn writer_on_a_full_disk() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    block_on(async {
        let store = Store::open(Path::new(&folder)).await.unwrap();
        let lock = store.lock().unwrap();
        let mut writer = store.writer(&lock, Table::Events).unwrap();
        let rows: Vec<_> = (0..60_000).map(row).collect();
        let written = writer.write(&crate::support::batch(Table::Events, &rows)).and_then(|()| writer.finish());
        eprintln!("outcome: {}", written.map_or_else(|error| error.to_string(), |_| "written".to_owned()));
    });
}

#[cfg(unix)]
#[test]
fn a_full_disk_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let lock = store.lock().unwrap();
        let staged = stage(&store, &lock, Table::Events, &[row(1)]);
        store.commit(&lock, vec![Change::Append(staged)], &key(1)).await.unwrap();
    });
    let files = parquet_files(folder.path());
    // The limit makes writes fail like a full disk does, once the signal is ignored.
    let script = "trap '' XFSZ; ulimit -f 40; exec \"$0\" --exact faults::writer_on_a_full_disk --nocapture";
    let child = Command::new("bash")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(said.contains("outcome: cannot write"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await, [row(1)]);
        assert_eq!(parquet_files(folder.path()), files);
        store.lock().unwrap();
    });
}
