//! Disks that are slow, full or broken; and what a reopened folder holds.
use super::{
    AppendError, Entry, Log, LogError, LogSettings,
    faulty::{Disk, on},
};
use std::{
    io,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// The records of all sealed segments, and how many bytes were none.
fn stored(log: &Log) -> (Vec<Vec<u8>>, usize) {
    let (mut records, mut other) = (vec![], 0);
    for number in log.sealed().unwrap() {
        for entry in log.read(number).unwrap().entries() {
            match entry {
                Entry::Record { payload, .. } => records.push(payload.to_vec()),
                Entry::Damaged { bytes, .. } | Entry::Torn { bytes, .. } => other += bytes.len(),
            }
        }
    }
    (records, other)
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let log = Log::over(folder.path(), &LogSettings::default(), on(&disk), PATIENCE).unwrap();
    log.append(b"before").await.unwrap();
    disk.full.store(true, SeqCst);
    for _ in 0..3 {
        assert_eq!(log.append(b"while it is full").await, Err(AppendError::Disk(io::ErrorKind::StorageFull)));
    }
    assert_eq!(log.sealed().unwrap(), [0; 0], "without a successor no segment is offered, so no number is used twice");
    disk.full.store(false, SeqCst);
    log.append(b"after").await.unwrap();
    log.seal().await;
    assert_eq!(stored(&log), (vec![b"before".to_vec(), b"after".to_vec()], 0));
}

#[tokio::test]
async fn what_a_failed_sync_left_is_not_trusted() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let log = Log::over(folder.path(), &LogSettings::default(), on(&disk), PATIENCE).unwrap();
    log.append(b"before").await.unwrap();
    for (cut_fails, left) in [(false, 0), (true, 1)] {
        disk.sync_fails.store(true, SeqCst);
        disk.cut_fails.store(cut_fails, SeqCst);
        assert_eq!(log.append(b"while it is broken").await, Err(AppendError::Disk(io::ErrorKind::Other)));
        disk.sync_fails.store(false, SeqCst);
        let before = log.current();
        log.append(b"after").await.unwrap();
        assert_eq!(log.current(), before + 1, "another file");
        log.seal().await;
        let unacknowledged = stored(&log).0.iter().filter(|record| record.starts_with(b"while")).count();
        assert_eq!(unacknowledged, left, "what was not acknowledged may be there only where it cannot be cut off");
    }
}

#[tokio::test]
async fn a_slow_disk_is_shared() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let log = Log::over(folder.path(), &LogSettings::default(), on(&disk), PATIENCE).unwrap();
    disk.delay_ms.store(30, SeqCst);
    let before = disk.syncs.load(SeqCst);
    let tasks: Vec<_> = (0..300_u32)
        .map(|at| {
            let (log, disk) = (log.clone(), Arc::clone(&disk));
            tokio::spawn(async move {
                log.append(&at.to_le_bytes()).await.unwrap();
                assert!(disk.syncs.load(SeqCst) > before, "answered before it was safe");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let syncs = disk.syncs.load(SeqCst) - before;
    assert!(syncs <= 10, "{syncs} syncs for 300 records that came at once");
    log.seal().await;
    assert_eq!(stored(&log).0.len(), 300);
}

#[tokio::test]
async fn a_disk_that_stands_still_keeps_nobody_waiting() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let patience = Duration::from_millis(200);
    let log = Log::over(folder.path(), &LogSettings::default(), on(&disk), patience).unwrap();
    log.append(b"before").await.unwrap();
    disk.delay_ms.store(1_500, SeqCst);
    let began = Instant::now();
    let (first, second) = tokio::join!(log.append(b"first"), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        log.append(b"second").await
    });
    assert_eq!((first, second), (Err(AppendError::Busy), Err(AppendError::Busy)));
    let third = log.append(b"third").await;
    assert!(began.elapsed() < Duration::from_millis(1_000), "{:?}", began.elapsed());
    assert_eq!(third, Err(AppendError::Busy), "it is known to be too slow");
    disk.delay_ms.store(0, SeqCst);
    log.seal().await;
    log.append(b"after").await.unwrap();
    log.seal().await;
    let records: Vec<_> = stored(&log).0.into_iter().map(|record| String::from_utf8(record).unwrap()).collect();
    assert_eq!(records, ["before", "first", "second", "after"], "what the disk had is written when it goes on");
}

#[tokio::test]
async fn a_reserve_is_kept_for_what_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LogSettings { megabytes: 1, ..LogSettings::default() };
    let log = Log::open(folder.path(), &settings).unwrap();
    let payload = vec![7; 64 << 10];
    let mut taken = 0;
    while log.append(&payload).await.is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 14);
    log.append_last(&payload).await.unwrap();
    assert_eq!(log.append_last(&payload).await, Err(AppendError::Full));
}

/// Appends are answered where there is no runtime, and where the one of the first append has ended.
#[test]
fn appends_are_answered_on_any_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), &LogSettings::default()).unwrap();
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(log.append(b"x")).unwrap();
    }
}

#[tokio::test]
async fn more_than_the_limit_waits_for_publishing() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LogSettings { megabytes: 1, keep_megabytes: 0, ..LogSettings::default() };
    let log = Log::open(folder.path(), &settings).unwrap();
    let payload = vec![7; 300 << 10];
    for _ in 0..3 {
        log.append(&payload).await.unwrap();
    }
    assert_eq!(log.append(&payload).await, Err(AppendError::Full));
    assert_eq!(log.append(&vec![0; super::RECORD + 1]).await, Err(AppendError::TooLarge));
    log.seal().await;
    let [number] = log.sealed().unwrap().try_into().unwrap();
    log.put_away(number, &[]).unwrap();
    log.put_away(number, &[]).unwrap();
    log.append(&payload).await.unwrap();
    assert_eq!(log.size(), std::fs::metadata(folder.path().join(format!("{:06}.log", number + 1))).unwrap().len());
}

#[tokio::test]
async fn segments_are_sealed_by_size_and_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LogSettings { segment_megabytes: 1, segment_seconds: 1, ..LogSettings::default() };
    let log = Log::open(folder.path(), &settings).unwrap();
    for _ in 0..5 {
        log.append(&vec![1; 600 << 10]).await.unwrap();
    }
    log.append(b"few").await.unwrap();
    loop {
        let seen = log.current();
        if stored(&log).0.len() == 6 {
            break;
        }
        log.changed(seen).await;
    }
    assert!(log.sealed().unwrap().len() >= 3);
    for number in log.sealed().unwrap() {
        let large = log.read(number).unwrap().entries().count();
        assert!(large <= 3, "two records of 600 KB fill a segment; {large} are in {number}");
    }
}

#[tokio::test]
async fn one_writes_and_numbers_are_used_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LogSettings { keep_megabytes: 0, ..LogSettings::default() };
    let log = Log::open(folder.path(), &settings).unwrap();
    assert!(matches!(Log::open(folder.path(), &settings), Err(LogError::Locked(_))));
    let identity = log.identity().to_owned();
    log.append(b"a").await.unwrap();
    log.put_away(log.current(), &[]).unwrap();
    drop(log);
    for expected in 3..6 {
        let log = Log::open(folder.path(), &settings).unwrap();
        assert_eq!((log.identity(), log.current()), (identity.as_str(), expected));
        for number in log.sealed().unwrap() {
            log.put_away(number, &[]).unwrap();
        }
    }
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert_ne!(Log::open(folder.path(), &settings).unwrap().identity(), identity);
}

#[tokio::test]
async fn what_was_published_is_kept_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LogSettings { keep_megabytes: 1, ..LogSettings::default() };
    let log = Log::open(folder.path(), &settings).unwrap();
    for _ in 0..4 {
        log.append(&vec![1; 400 << 10]).await.unwrap();
        log.seal().await;
    }
    for number in log.sealed().unwrap() {
        log.put_away(number, &[]).unwrap();
    }
    assert_eq!(log.sealed().unwrap(), [0; 0]);
    let kept = folder.path().join("published");
    let mut names: Vec<_> = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["000003.log", "000004.log"]);
    assert_eq!(super::Segment::read(&kept.join("000004.log")).unwrap().entries().count(), 1);
}

#[tokio::test]
async fn what_is_withheld_is_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), &LogSettings::default()).unwrap();
    for payload in [b"first", b"other", b"third"] {
        log.append(payload).await.unwrap();
    }
    log.seal().await;
    let [number] = log.sealed().unwrap().try_into().unwrap();
    let places: Vec<usize> = log.read(number).unwrap().entries().map(Entry::at).collect();
    log.put_away(number, &[places[1]]).unwrap();
    assert_eq!(log.sealed().unwrap(), [0; 0]);
    let kept = super::Segment::read(&folder.path().join("published/000001.log")).unwrap();
    let records: Vec<_> = kept
        .entries()
        .map(|entry| match entry {
            Entry::Record { at, payload } => (at, payload.to_vec()),
            other => panic!("{other:?}"),
        })
        .collect();
    let texts = [b"first".to_vec(), vec![0; 5], b"third".to_vec()];
    assert_eq!(records, places.into_iter().zip(texts).collect::<Vec<_>>(), "all others lie where they lay");
}
