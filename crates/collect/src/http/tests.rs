//! The server over disks that are slow.
use super::*;
use crate::log::{
    LogSettings,
    faulty::{Disk, on},
};
use std::{sync::atomic::Ordering::SeqCst, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

async fn send(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.to_ascii_lowercase()
}

#[tokio::test]
async fn a_disk_that_stands_still_sends_clients_away_and_links_lead_on() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let patience = Duration::from_millis(300);
    let log = Log::over(folder.path(), &LogSettings::default(), on(&disk), patience).unwrap();
    let settings = CollectSettings { link_key: Some("key".to_owned()), ..CollectSettings::default() };
    let collector = Collector::over(log, folder.path(), settings).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(serve(collector.clone(), listener, async { _ = stopped.await }));

    let event = |id: &str| {
        let body = format!(r#"{{"userId":"u","event":"e","messageId":"{id}"}}"#);
        let length = body.len();
        format!("POST /v1/track HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let link = crate::signed_link(b"key", "https://shop.example/").unwrap();
    let click = format!("GET {link}&event_id=c HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    assert!(send(address, &event("a")).await.starts_with("http/1.1 200"));
    disk.delay_ms.store(3_000, SeqCst);
    let began = Instant::now();
    let late = event("b");
    let (slow, led) = tokio::join!(send(address, &late), send(address, &click));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(slow.starts_with("http/1.1 503") && slow.contains("retry-after: 2\r\n"), "{slow}");
    assert!(led.starts_with("http/1.1 302") && led.contains("location: https://shop.example/\r\n"), "{led}");
    assert_eq!(collector.noticed().not_kept.values().sum::<u64>(), 1, "the click is counted");
    disk.delay_ms.store(0, SeqCst);
    collector.log().seal().await;
    assert!(send(address, &event("b")).await.starts_with("http/1.1 200"), "sent again, under the same id");
    _ = stop.send(());
    running.await.unwrap();
}

#[test]
fn a_days_budget_is_kept_to() {
    let (budget, mut taken) = (Budget::default(), 0);
    while budget.take(5, 1 << 20) {
        taken += 1;
    }
    assert_eq!(taken, KEPT_REFUSALS_A_DAY >> 20);
    assert!(!budget.take(DAY - 1, 1 << 20) && budget.take(DAY, 1 << 20), "the next day has its own");
}

#[test]
fn secrets_of_days_are_kept_and_forgotten_without_requests() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::open(folder.path(), CollectSettings::default()).unwrap();
    let days = || {
        let text = std::fs::read_to_string(folder.path().join("salts")).unwrap_or_default();
        text.lines().filter_map(|line| line.split_once(' ')?.0.parse().ok()).collect::<Vec<i64>>()
    };
    let draft = folder.path().join("salts.new");
    std::fs::create_dir(&draft).unwrap();
    collector.turn(5 * DAY);
    std::fs::remove_dir(&draft).unwrap();
    collector.turn(5 * DAY + AGAIN - 1);
    assert_eq!(days(), [0; 0], "the disk is not asked for each request");
    collector.turn(5 * DAY + AGAIN);
    assert_eq!(days(), [5]);
    collector.turn(6 * DAY);
    assert_eq!(days(), [5, 6], "what came yesterday may still wait");
    collector.turn(9 * DAY);
    assert_eq!(days(), [9]);
}
