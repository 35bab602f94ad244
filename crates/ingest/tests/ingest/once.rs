//! The same row is stored once: in one file, in two, again, and after a crash.
use crate::support::Shop;
use proptest::prelude::*;
use safar_model::Table;
use std::{process::Command, time::Duration};

#[test]
fn within_a_file_between_files_and_again() {
    let shop = Shop::new();
    let a = shop.write("a.csv", "ts,event,user_id,page_url\n2025-01-01,view,u1,https://x.example/\n2025-01-01,view,u1,https://x.example/\n2025-01-02,view,u1,\n");
    let b = shop.write(
        "b.csv",
        "page_url;user_id;event;ts\nhttps://x.example/;u1;view;2025-01-01T00:00:00Z\n;u2;view;2025-01-01\n",
    );
    let report = shop.import(&[&a, &b]).unwrap();
    assert_eq!((report.rows, report.stored, report.duplicates), (5, 3, 2));
    assert_eq!(report.files.iter().map(|file| file.stored).collect::<Vec<_>>(), [2, 1]);
    let before = shop.rows(Table::Events);
    for files in [vec![&a, &b], vec![&b], vec![&a]] {
        let files: Vec<&str> = files.into_iter().map(String::as_str).collect();
        assert_eq!(shop.import(&files).unwrap().stored, 0);
    }
    assert_eq!(shop.rows(Table::Events), before);
}

#[test]
fn an_id_is_of_one_person() {
    let shop = Shop::new();
    let mut text = String::from("ts,event,user_id,event_id\n");
    // Many people, so that some have keys near each other, and one with many events.
    for person in 0..3_000 {
        text += &format!("2025-01-01,view,u{person},same\n");
    }
    for row in 0..200 {
        text += &format!("2025-01-{:02},view,u7,own-{}\n", 1 + row % 100 % 28, row % 100);
    }
    text += "2025-03-01,view,u7,own-3\n2025-03-02,view,u8,own-3\n";
    let report = shop.take("a.csv", &text).unwrap();
    assert_eq!((report.stored, report.duplicates, report.rejected_total()), (3_101, 100, 1));
    let again = shop.take("a.csv", &text).unwrap();
    assert_eq!((again.stored, again.duplicates, again.rejected_total()), (0, 3_201, 1));
}

#[test]
fn texts_stay_with_their_rows_however_many_there_are() {
    // More pairs of campaign and source than there are numbers, and more referrers than are numbered.
    const ROWS: usize = 70_000;
    const CAMPAIGNS: usize = 270;
    let referrer = |row: usize| format!("https://r{row}.example/");
    let channel = |row: usize| if row.is_multiple_of(3) { "Own" } else { "" };
    let mut text = String::from("ts,user_id,utm_campaign,utm_source,referrer,channel\n");
    for row in 0..ROWS {
        let referrer = if row % 3 == 1 { referrer(row) } else { String::new() };
        let (campaign, source) = (row % CAMPAIGNS, row / CAMPAIGNS);
        text += &format!("2025-01-01,u{row},c{campaign},s{source},{referrer},{}\n", channel(row));
    }
    let shop = Shop::new();
    assert_eq!(shop.take("a.csv", &text).unwrap().stored, ROWS as u64);
    let rows = shop.rows(Table::Events);
    assert_eq!(rows.len(), ROWS);
    for event in rows {
        let told = |name: &str| event.get(name).cloned().unwrap_or_default();
        let row: usize = told("user_id")[1..].parse().unwrap();
        let (campaign, source) = (format!("c{}", row % CAMPAIGNS), format!("s{}", row / CAMPAIGNS));
        assert_eq!([told("utm_campaign"), told("campaign")], [campaign.clone(), campaign], "{row}");
        assert_eq!([told("utm_source"), told("source")], [source.clone(), source], "{row}");
        assert_eq!(told("referrer"), if row % 3 == 1 { referrer(row) } else { String::new() }, "{row}");
        assert_eq!(told("channel") == "Own", !channel(row).is_empty(), "{row}");
    }
}

#[test]
fn links_show_every_change_of_hands() {
    let shop = Shop::new();
    let report = shop
        .take("a.csv", "ts,event,device_id,user_id\n2025-01-01,x,d,ann\n2025-01-02,x,d,ann\n2025-01-03,x,d,\n2025-01-04,x,d,bob\n2025-01-05,x,d,ann\n2025-01-06,x,e,\n")
        .unwrap();
    assert_eq!(report.links, 4);
    let mut links = shop.rows(Table::IdentityLinks);
    links.sort_by_key(|link| link["observed_at"].clone());
    let seen: Vec<_> = links
        .iter()
        .map(|link| format!("{}:{} {}:{} {}", link["ns_a"], link["id_a"], link["ns_b"], link["id_b"], link["kind"]))
        .collect();
    assert_eq!(seen, ["ann", "ann", "bob", "ann"].map(|name| format!("anonymous:d user:{name} event")));
}

#[test]
fn links_of_an_hour_are_its_first_and_its_last() {
    let shop = Shop::new();
    let times = ["10:00:00,ann", "10:10:00,bob", "10:20:00,ann", "10:50:00,ann", "11:00:00,ann"];
    let rows = times.map(|time| format!("2025-01-01T{},x", time.replacen(',', "Z,d,", 1)));
    let report = shop.take("a.csv", &format!("ts,device_id,user_id,event\n{}\n", rows.join("\n"))).unwrap();
    assert_eq!(report.links, 4);
    let mut links: Vec<_> = shop
        .rows(Table::IdentityLinks)
        .iter()
        .map(|link| format!("{} {}", link["observed_at"], link["id_b"]))
        .collect();
    links.sort();
    let named: Vec<&str> = links.iter().filter_map(|link| link.rsplit(' ').next()).collect();
    assert_eq!(named, ["ann", "bob", "ann", "ann"]);
}

#[test]
fn rows_come_back_sorted_however_little_memory_there_is() {
    let mut shop = Shop::new();
    let mut text = String::from("ts,event,user_id,note\n");
    for row in 0..30_000u64 {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        text += &format!("{},view,u-{},note {row}\n", 1_735_689_600 + mixed % 8_000_000, mixed % 997);
    }
    shop.take("a.csv", &text).unwrap();
    let roomy = shop.rows(Table::Events);
    assert_eq!(roomy.len(), 30_000);
    let mut tight = Shop::new();
    tight.options.memory_bytes = 1; // every chunk goes to a file of its own
    tight.options.threads = 1;
    let half = text.len() / 2 + text[text.len() / 2..].find('\n').unwrap();
    let (first, second) = (text[..half].to_owned(), format!("ts,event,user_id,note{}", &text[half..]));
    let (a, b) = (tight.write("a.csv", first), tight.write("b.csv", second));
    let report = tight.import(&[&a, &b]).unwrap();
    assert_eq!(report.stored, 30_000);
    let without = |rows: Vec<crate::support::Row>| -> Vec<_> {
        rows.into_iter()
            .map(|mut row| {
                row.remove("origin");
                row.remove("origin_row");
                row
            })
            .collect()
    };
    assert_eq!(without(tight.rows(Table::Events)), without(roomy));
    assert_eq!(std::fs::read_dir(tight.data().join(".tmp")).unwrap().count(), 0);
    shop.options.memory_bytes = 1;
    assert_eq!(shop.import(&[&shop.path("a.csv").to_string_lossy()]).unwrap().duplicates, 30_000);
}

/// Killed at any moment, an import leaves nothing or everything; importing again completes it.
#[test]
fn killed_and_run_again() {
    const CHILD: &str = "SAFAR_TEST_IMPORT_FOLDER";
    if let Some(folder) = std::env::var_os(CHILD) {
        let mut shop = Shop::new();
        let own = std::mem::replace(
            &mut shop.folder,
            tempfile::Builder::new().disable_cleanup(true).tempdir_in(&folder).unwrap(),
        );
        drop(own);
        let data = std::path::Path::new(&folder);
        crate::support::block_on(async {
            let store = safar_store::Store::create(&data.join("data")).await.unwrap();
            let lock = store.lock().unwrap();
            let enricher = safar_enrich::Enricher::new(&Default::default()).unwrap();
            let (settings, identity) = Default::default();
            let rules = safar_ingest::Rules { import: &settings, enricher: &enricher, identity: &identity };
            let files = [data.join("a.csv").to_string_lossy().into_owned()];
            safar_ingest::import(&store, &lock, rules, &files, &shop.options, &safar_ingest::Silent).await.unwrap();
        });
        return;
    }
    let shop = Shop::new();
    let mut text = String::from("ts,event,device_id,user_id,note\n");
    for row in 0..60_000u64 {
        text += &format!("{},view,d-{},u-{},note {row}\n", 1_735_689_600 + row, row % 5000, row % 4999);
    }
    shop.write("a.csv", text);
    crate::support::block_on(safar_store::Store::create(&shop.data())).unwrap();
    for wait_ms in [5, 40, 100, 200, 350, 600] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["once::killed_and_run_again", "--exact", "--nocapture"])
            .env(CHILD, shop.folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = shop.rows(Table::Events).len();
        assert!(found == 0 || found == 60_000, "{found} rows after {wait_ms} ms");
    }
    let report = shop.import(&[&shop.path("a.csv").to_string_lossy()]).unwrap();
    assert_eq!(report.stored + report.duplicates, 60_000);
    assert_eq!(shop.rows(Table::Events).len(), 60_000);
    let links = shop.rows(Table::IdentityLinks);
    let mut distinct = links.clone();
    distinct.dedup();
    assert_eq!(links.len(), distinct.len());
    assert_eq!(std::fs::read_dir(shop.data().join(".tmp")).map_or(0, Iterator::count), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What was written as CSV is what `events` holds.
    #[test]
    fn csv_round_trip(rows in proptest::collection::vec(
        (0i64..1_700_000_000_000_000, "[a-z]{1,8}", "[a-zA-Z0-9é\",\n]{0,10}", proptest::option::of(-1e9f64..1e9), "[ -~é]{0,12}"), 1..40)
    ) {
        let shop = Shop::new();
        let mut writer = csv::Writer::from_writer(vec![]);
        writer.write_record(["ts", "event", "user_id", "value", "note", "row"]).unwrap();
        for (number, (time, name, user, value, note)) in rows.iter().enumerate() {
            let time = jiff::Timestamp::from_microsecond(*time).unwrap().to_string();
            let value = value.map(|value| value.to_string()).unwrap_or_default();
            writer.write_record([&time, name, user, &value, note, &number.to_string()]).unwrap();
        }
        let report = shop.take("a.csv", writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(report.stored, rows.len() as u64, "{:?}", shop.rejects());
        let found = shop.rows(Table::Events);
        for (number, (time, name, _, value, note)) in rows.iter().enumerate() {
            let row = found.iter().find(|row| {
                let properties: serde_json::Value = serde_json::from_str(&row["properties"]).unwrap();
                properties["row"].as_str().and_then(|row| row.parse().ok()) == Some(number) && properties.get("note").and_then(|note| note.as_str()).unwrap_or("") == note
            });
            let row = row.ok_or_else(|| TestCaseError::fail(format!("row {number} is missing")))?;
            prop_assert_eq!(&row["name"], name);
            prop_assert_eq!(row["occurred_at"].parse::<jiff::Timestamp>().unwrap().as_microsecond(), *time);
            prop_assert_eq!(row.get("value").map(|value| value.parse::<f64>().unwrap()), *value);
        }
    }

    /// Whatever the bytes are, there is a report or an error.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300), prefix in 0..5usize) {
        let shop = Shop::new();
        let prefix = [&b""[..], b"ts,event\n", b"{\"ts\":1,\"event\":\"x\"}\n", b"[{", b"PAR1"][prefix];
        let _ = shop.take("a.csv", [prefix, &bytes].concat());
    }
}
