//! What a kill or a power cut leaves is put right, and nothing confirmed is lost.
use crate::support::{block_on, key, read, row, stage};
use safar_model::Table;
use safar_store::{Change, Error, Store};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const TABLES: [Table; 2] = [Table::Events, Table::Touchpoints];
const CHILD: &str = "SAFAR_TEST_WRITER";

async fn append(store: &Store, id: u64) -> bool {
    let lock = store.lock().unwrap();
    let changes = TABLES.map(|table| Change::Append(stage(store, &lock, table, &[row(id), row(id + 1_000_000)])));
    store.commit(&lock, changes.into(), &key(id)).await.unwrap().already_done
}

/// Not a test by itself: the writer that the next test kills. It repeats every commit, as a program does that starts again.
#[test]
fn writer() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    block_on(async {
        let store = Store::open(Path::new(&folder)).await.unwrap();
        for id in 0.. {
            append(&store, id).await;
            eprintln!("confirmed {id}");
        }
    });
}

#[test]
fn a_killed_writer_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    block_on(Store::create(folder.path())).unwrap();
    let mut confirmed = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writer", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Somewhere inside the commit after two new ones.
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut ids = lines.filter_map(|line| line.strip_prefix("confirmed ")?.parse::<u64>().ok());
        let enough = confirmed + 2;
        ids.find(|id| *id >= enough).unwrap();
        std::thread::sleep(Duration::from_millis(round * 3));
        child.kill().unwrap();
        confirmed = ids.last().unwrap_or(enough);
        child.wait().unwrap();

        block_on(async {
            let store = Store::open(folder.path()).await.unwrap();
            let snapshot = store.snapshot().await.unwrap();
            let mut ids = vec![];
            for table in TABLES {
                let rows = read(&store, &snapshot, table).await;
                let found: BTreeSet<u64> = rows.iter().map(|row| row.2.parse().unwrap()).collect();
                assert_eq!(found.len(), rows.len(), "a row is doubled");
                let batches: BTreeSet<_> = found.iter().copied().filter(|id| *id < 1_000_000).collect();
                assert_eq!(found.len(), batches.len() * 2, "half a commit");
                assert!((0..=confirmed).all(|id| batches.contains(&id)), "round {round}: a confirmed commit is lost");
                ids.push(batches);
            }
            assert_eq!(ids[0], ids[1], "the tables differ");
            // At most the commit that was under way is there unconfirmed.
            assert!(ids[0].len() as u64 <= confirmed + 2);
        });
    }
}

/// The last log entry of a table is cut, and the snapshot was not yet published.
#[test]
fn a_cut_log_entry_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("snapshot.json");
    let entry = folder.path().join("events/_delta_log/00000000000000000001.json");
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        for cut in [0.0, 0.3, 0.999] {
            let before = fs::read(&snapshot).unwrap();
            let lock = store.lock().unwrap();
            let staged = stage(&store, &lock, Table::Events, &[row(1), row(2)]);
            let done = store.commit(&lock, vec![Change::Append(staged)], &key(cut)).await.unwrap();
            assert!(!done.already_done, "the entry that was set aside is not known");
            drop(lock);
            let bytes = fs::read(&entry).unwrap();
            fs::write(&entry, &bytes[..(bytes.len() as f64 * cut) as usize]).unwrap();
            fs::write(&snapshot, before).unwrap();

            let store = Store::open(folder.path()).await.unwrap();
            let now = store.snapshot().await.unwrap();
            assert_eq!(now.version(Table::Events), Some(0));
            assert!(read(&store, &now, Table::Events).await.is_empty());
            assert!(!entry.exists());
        }
        let torn = fs::read_dir(folder.path().join("events/_delta_log/torn")).unwrap();
        assert_eq!(torn.count(), 3);
        append(&Store::open(folder.path()).await.unwrap(), 1).await;
    });
}

#[test]
fn a_commit_that_was_not_published_is_published_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        let before = fs::read(&path).unwrap();
        append(&store, 1).await;
        fs::write(&path, &before).unwrap();
        assert!(append(&store, 1).await, "it is there, only nobody saw it");
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await.len(), 2);

        fs::remove_file(&path).unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        assert!(path.exists());
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await.len(), 2);
    });
}

#[test]
fn a_lost_commit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        append(&Store::create(folder.path()).await.unwrap(), 1).await;
        let entry = folder.path().join("events/_delta_log/00000000000000000001.json");
        fs::remove_file(&entry).unwrap();
        let error = Store::open(folder.path()).await.unwrap_err();
        assert!(matches!(error, Error::SnapshotAhead { table: Table::Events, published: 1, found: 0, .. }), "{error}");
        // The way out that the message names.
        fs::remove_file(folder.path().join("snapshot.json")).unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let snapshot = store.snapshot().await.unwrap();
        assert!(read(&store, &snapshot, Table::Events).await.is_empty());
        assert_eq!(read(&store, &snapshot, Table::Touchpoints).await.len(), 2);
    });
}

#[test]
fn a_cut_checkpoint_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = Store::create(folder.path()).await.unwrap();
        append(&store, 1).await;
        let log = folder.path().join("events/_delta_log");
        fs::write(log.join("00000000000000000001.checkpoint.parquet"), b"PAR1").unwrap();
        fs::write(log.join("_last_checkpoint"), br#"{"version":1,"size":9}"#).unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        assert_eq!(read(&store, &store.snapshot().await.unwrap(), Table::Events).await.len(), 2);
        assert!(append(&store, 1).await);
        assert!(!append(&store, 2).await);
    });
}
