//! Lines that a program hands over: once by their key, once by their ids, without the team's taste in files.
use crate::support::{NOW, Shop, block_on};
use arrow::{
    array::{AsArray, BooleanArray},
    compute::filter_record_batch,
};
use safar_enrich::{EnrichSettings, Enricher};
use safar_identity::IdentitySettings;
use safar_ingest::{
    Decimal, HandOver, ImportOptions, ImportReport, ImportSettings, Lines, Reject, Rules, SavedMapping, import_lines,
};
use safar_model::Table;
use safar_store::{CommitKey, DataFile, Store, Sweep, WriteLock};

fn told(origin: &str, text: &str) -> Lines {
    Lines { origin: origin.into(), text: text.as_bytes().to_vec() }
}

fn options() -> ImportOptions {
    ImportOptions { now: Some(NOW), threads: 1, ..ImportOptions::default() }
}

fn hand_over(shop: &Shop, key: &str, lines: &[(&str, &str)], letters: &[&str]) -> ImportReport {
    let enricher = Enricher::new(&EnrichSettings::default()).unwrap();
    let identity = IdentitySettings::default();
    let rules = Rules { import: &shop.settings, enricher: &enricher, identity: &identity };
    let lines = lines.iter().map(|(origin, text)| told(origin, text));
    let letter = |raw: &&str| {
        let reject = Reject { line: 7, column: None, value: None, reason: "no event".into(), raw: Some((*raw).into()) };
        ("web".to_owned(), reject)
    };
    let told =
        HandOver { lines: lines.collect(), letters: letters.iter().map(letter).collect(), ..HandOver::default() };
    let report = block_on(async {
        let store = Store::create(&shop.data()).await?;
        let lock = store.lock()?;
        import_lines(&store, &lock, rules, told, CommitKey::new("test", key), &options()).await
    })
    .unwrap();
    assert_eq!(report.rows, report.stored + report.duplicates + report.rejected_total(), "{report:?}");
    report
}

fn line(id: &str, time: &str, value: &str) -> String {
    format!(r#"{{"event_id":"{id}","name":"purchase","occurred_at":"{time}","user_id":"ann","value":{value}}}"#) + "\n"
}

#[test]
fn a_key_happens_once_with_all_that_belongs_to_it() {
    let shop = Shop::new();
    let text = line("a", "2025-06-01T10:00:00Z", "1");
    for time in 0..3 {
        let report = hand_over(&shop, "k", &[("web", &text), ("app", "")], &["alike", "alike"]);
        assert_eq!((report.stored, report.duplicates), if time == 0 { (1, 0) } else { (0, 1) });
        assert_eq!(shop.rows(Table::Events).len(), 1);
        assert_eq!(shop.rejects(), ["7 | - | - | no event"; 2], "letters that look alike are kept apart");
    }
    assert_eq!(shop.events("origin"), ["web"]);
    assert_eq!(hand_over(&shop, "k2", &[], &["alike"]).rejected_total(), 1);
    assert_eq!(shop.rejects().len(), 3);
}

#[test]
fn a_long_event_holds_nobody_up() {
    let shop = Shop::new();
    let long = |id: &str, length: usize| {
        let note = "x".repeat(length);
        format!(
            r#"{{"event_id":"{id}","name":"upload","occurred_at":"2025-06-01T10:00:00Z","user_id":"ann","note":"{note}"}}"#
        ) + "\n"
    };
    // Longer than what is looked at to learn the columns of a file, and than what is looked at of a file of one line.
    let first = long("a", 300 << 10) + &line("b", "2025-06-01T10:00:00Z", "1");
    let only = long("c", 5 << 20);
    let report = hand_over(&shop, "k", &[("web", &first), ("app", &only)], &[]);
    assert_eq!((report.stored, report.rejected_total()), (3, 0), "{:?}", shop.rejects());
    assert_eq!(shop.events("name"), ["upload", "purchase", "upload"]);
}

#[test]
fn one_id_is_one_event_whatever_it_says_later() {
    let shop = Shop::new();
    let both = line("a", "2025-06-01T10:00:00Z", "1") + &line("a", "2025-06-01T10:00:03Z", "2");
    assert_eq!(hand_over(&shop, "1", &[("web", &both)], &[]).duplicates, 1);
    for (key, time) in [("2", "2025-06-02T09:00:00Z"), ("3", "2025-05-31T10:00:00Z"), ("4", "2025-06-01T10:00:00Z")] {
        assert_eq!(hand_over(&shop, key, &[("web", &line("a", time, "3"))], &[]).duplicates, 1, "{time}");
    }
    assert_eq!((shop.events("value"), shop.rejects().len()), (vec!["1.0".to_owned()], 0));
}

#[test]
fn what_holds_for_files_does_not_hold_for_lines() {
    let mut shop = Shop::new();
    let mapping = SavedMapping {
        name: "all".into(),
        files: "*".into(),
        columns: [("user_id".to_owned(), "name".to_owned())].into(),
        ..SavedMapping::default()
    };
    shop.settings = ImportSettings {
        decimal: Some(Decimal::Comma),
        zone: Some("Asia/Tehran".into()),
        mappings: vec![mapping],
        ..ImportSettings::default()
    };
    let text = line("a", "2025-06-01T10:00:00Z", "\"12.5\"") + &line("b", "2025-06-01T10:00:01", "1234.567");
    assert_eq!(hand_over(&shop, "1", &[("all", &text)], &[]).stored, 2);
    assert_eq!(shop.events("value"), ["12.5", "1234.567"]);
    assert_eq!(shop.events("user_id"), ["ann", "ann"]);
    assert_eq!(shop.events("occurred_at")[1], "2025-06-01T10:00:01Z");
}

/// The same event with another content and another person, twice: it is the new one, once, as it was received then.
#[test]
fn lines_take_the_place_of_rows() {
    let shop = Shop::new();
    let (old, other) = (line("a", "2025-06-01T10:00:00Z", "1"), line("b", "2025-06-01T11:00:00Z", "7"));
    hand_over(&shop, "1", &[("web", &old), ("app", &other)], &["alike"]);
    let new = line("a", "2025-06-01T10:00:00Z", "2").replace("ann", "bob") + "no event\n";
    let enricher = Enricher::new(&EnrichSettings::default()).unwrap();
    let identity = IdentitySettings::default();
    let rules = Rules { import: &shop.settings, enricher: &enricher, identity: &identity };
    for key in ["2", "3"] {
        block_on(async {
            let store = Store::open(&shop.data()).await.unwrap();
            let lock = store.lock().unwrap();
            let mut instead_of = vec![];
            for table in [Table::Events, Table::Rejects] {
                let files = store.files(&store.snapshot().await.unwrap(), table).await.unwrap();
                instead_of.push(without(&store, &lock, table, &files));
            }
            let lines = vec![told("web", &new), told("web", &other)];
            let received_at = [("web".to_owned(), NOW - 1_000_000)].into();
            let told = HandOver { lines, received_at, instead_of, ..HandOver::default() };
            let report =
                import_lines(&store, &lock, rules, told, CommitKey::new("test", key), &options()).await.unwrap();
            assert_eq!((report.stored, report.duplicates, report.rejected_total()), (1, 1, 1), "{key}");
        });
        assert_eq!(shop.events("value"), ["2.0", "7.0"], "{key}");
        assert_eq!((shop.events("user_id"), shop.events("origin")), (strings(["bob", "ann"]), strings(["web", "app"])));
        assert_eq!(shop.events("received_at"), strings(["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"]));
        assert_eq!(shop.rows(Table::Rejects)[0]["rejected_at"], "2025-12-31T23:59:59Z");
        assert_eq!(shop.rejects().len(), 1, "{:?}", shop.rejects());
    }
}

fn strings(texts: [&str; 2]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// A table without the rows of the origin `web`.
fn without(store: &Store, lock: &WriteLock, table: Table, files: &[DataFile]) -> Sweep {
    let sweep = store.sweep(lock, table, files, |batch| {
        let origins = batch.column_by_name("origin").unwrap().as_string::<i32>();
        let others: BooleanArray = origins.iter().map(|origin| Some(origin != Some("web"))).collect();
        Ok::<_, safar_store::Error>(Some(filter_record_batch(batch, &others).unwrap()))
    });
    sweep.unwrap()
}
