//! What a query may do, and what is said when it may not.
use crate::support::{block_on, text, workspace};
use datafusion::arrow::{
    array::AsArray,
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use safar_engine::{Engine, EngineOptions, Error, Extensions, Fault, Session};
use safar_model::Table;

fn with_session(options: EngineOptions, test: impl AsyncFnOnce(Session)) {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = workspace(folder.path(), 200).await;
        let snapshot = store.snapshot().await.unwrap();
        let engine = Engine::embedded(store, options, Extensions::default()).unwrap();
        test(engine.session(&snapshot).unwrap()).await;
    });
}

#[test]
fn every_table_is_seen() {
    with_session(EngineOptions::default(), async |session| {
        for table in Table::ALL {
            let expected = match table {
                Table::Touchpoints => 600,
                Table::Conversions => 200,
                _ => 0,
            };
            assert_eq!(session.table(table).await.unwrap().count().await.unwrap(), expected, "{table}");
            let described = session.sql(&format!("DESCRIBE {table}")).await.unwrap().count().await.unwrap();
            assert_eq!(described, table.schema().fields().len());
        }
        let shown = session.sql("SHOW TABLES").await.unwrap();
        let shown = text(&session, shown).await.unwrap();
        assert!(Table::ALL.iter().all(|table| shown.contains(table.name())), "{shown}");
        let joined = session
            .sql("SELECT count(*) AS n FROM touchpoints JOIN conversions USING (person_id) WHERE value >= 0")
            .await
            .unwrap();
        assert!(text(&session, joined).await.unwrap().contains("| 600 |"));
    });
}

#[test]
fn ranges_are_not_merged() {
    with_session(EngineOptions::default(), async |session| {
        let ask = async |query: &str| text(&session, session.sql(query).await.unwrap()).await.unwrap();
        let by = |order: &str| format!("SELECT person_id, occurred_at FROM touchpoints ORDER BY {order}");
        let keys = &by("person_id, occurred_at");
        let plan = ask(&format!("EXPLAIN {keys}")).await;
        assert!(plan.contains("InOrderExec") && !plan.contains("Merge"), "{plan}");
        let sorted = async |query: &str| {
            let batches = session.sql(query).await.unwrap().collect().await.unwrap();
            let keys = batches.iter().flat_map(|batch| {
                let people = batch.column(0).as_primitive::<Int64Type>().values();
                let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
                people.iter().copied().zip(times.iter().copied()).collect::<Vec<_>>()
            });
            keys.collect::<Vec<_>>()
        };
        let mut ascending = sorted(keys).await;
        assert!(ascending.len() == 600 && ascending.is_sorted());
        // What is not the order of the ranges is sorted as before.
        let descending = sorted(&by("person_id DESC, occurred_at")).await;
        ascending.sort_by_key(|(person, time)| (std::cmp::Reverse(*person), *time));
        assert_eq!(descending, ascending);
        assert_eq!(sorted(&format!("{keys} LIMIT 7")).await.len(), 7);
        // The ranges of a join wait for each other, and are all asked for.
        let joined = "SELECT t.person_id, t.occurred_at FROM touchpoints t JOIN conversions c ON t.person_id = c.person_id \
                      WHERE c.value > 1 ORDER BY t.person_id, t.occurred_at";
        assert!(sorted(joined).await.is_sorted());
    });
}

#[test]
fn queries_only_read() {
    let outside = tempfile::tempdir().unwrap();
    with_session(EngineOptions::default(), async |session| {
        let file = outside.path().join("stolen.csv");
        for query in [
            "CREATE TABLE mine AS SELECT 1".to_owned(),
            "CREATE VIEW mine AS SELECT * FROM events".to_owned(),
            "CREATE EXTERNAL TABLE passwords STORED AS CSV LOCATION '/etc/passwd'".to_owned(),
            "DROP TABLE events".to_owned(),
            "INSERT INTO rejects SELECT * FROM rejects".to_owned(),
            "DELETE FROM events".to_owned(),
            "UPDATE events SET name = 'x'".to_owned(),
            "SET datafusion.execution.batch_size = 1".to_owned(),
            "BEGIN".to_owned(),
            format!("COPY (SELECT 1) TO '{}'", file.display()),
            format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{}'", file.display()),
        ] {
            let error = session.sql(&query).await.unwrap_err();
            assert!(matches!(error, Error::ReadOnly(_) | Error::Query { .. }), "{query}: {error:?}");
        }
        let error = session.sql("DROP TABLE events").await.unwrap_err();
        assert!(error.to_string().starts_with("queries only read: "), "{error}");
        assert!(session.sql("SELECT * FROM '/etc/passwd'").await.is_err());
        assert!(!file.exists());
        let explained = session.sql("EXPLAIN SELECT * FROM events").await.unwrap();
        assert!(text(&session, explained).await.unwrap().contains("physical_plan"));
    });
}

#[test]
fn wrong_names_are_answered_with_right_ones() {
    with_session(EngineOptions::default(), async |session| {
        let said = async |query: &str| session.sql(query).await.unwrap_err().to_string();
        let error = said("SELECT * FROM evnts").await;
        assert_eq!(
            error,
            "table 'evnts' not found; the tables are events, identity_links, persons, person_events, sessions, \
             touchpoints, conversions, paths, credits, costs, rejects"
        );
        let error = said("SELECT chanel FROM touchpoints").await;
        assert_eq!(error, "there is no column `chanel`; did you mean `channel`?");
        let error = said("SELECT weather FROM costs").await;
        assert!(error.starts_with("there is no column `weather`; the columns are date, source"), "{error}");
        let error = said("SELEC 1").await;
        assert!(error.contains("SELEC"), "{error}");
        let error = said("SELECT name, count(*) FROM events").await;
        assert!(error.starts_with("`events.name` stands beside an aggregate"), "{error}");
        let error = said("SELECT sum(name) FROM events").await;
        assert_eq!(error, "there is no `sum(Utf8)`; cast to another type, such as CAST(value AS DOUBLE)");
        let fault = async |query: &str| session.sql(query).await.unwrap_err().fault();
        let Some(Fault::NoColumn { column, near, known }) = fault("SELECT nam FROM events").await else {
            panic!("no such column");
        };
        assert_eq!((column.as_str(), near.as_deref()), ("nam", Some("name")));
        assert!(known.iter().any(|column| column == "occurred_at"), "{known:?}");
        let understood = Fault::NotUnderstood { found: "SELEC".to_owned(), line: 1, column: 1 };
        assert_eq!(fault("SELEC 1").await, Some(understood));
        assert_eq!(fault("SELECT FROM").await, Some(Fault::Unfinished));
    });
}

#[test]
fn memory_is_bounded() {
    let options = EngineOptions { memory_bytes: 4 << 20, threads: 2, ..EngineOptions::default() };
    with_session(options, async |session| {
        // What can be spilled is.
        let sorted = "SELECT sum(a) AS n FROM (SELECT value AS a, row_number() OVER (ORDER BY value DESC) AS b FROM range(1000000))";
        let sorted = text(&session, session.sql(sorted).await.unwrap()).await.unwrap();
        assert!(sorted.contains("499999500000"), "{sorted}");
        let held = session.sql("SELECT array_agg(value) FROM range(3000000)").await.unwrap();
        let error = text(&session, held).await.unwrap_err();
        assert!(matches!(error, Error::Memory { limit_mib: Some(4), .. }), "{error:?}");
    });
}

#[test]
fn a_session_reads_its_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = workspace(folder.path(), 10).await;
        let before = store.snapshot().await.unwrap();
        let lock = store.lock().unwrap();
        let nothing = store.writer(&lock, Table::Touchpoints).unwrap().finish().unwrap();
        let key = safar_store::CommitKey::new("test", "2");
        let after = store.commit(&lock, vec![safar_store::Change::ReplaceAll(nothing)], &key).await.unwrap().snapshot;
        let engine = Engine::embedded(store, EngineOptions::default(), Extensions::default()).unwrap();
        for (snapshot, rows) in [(before, 30), (after, 0)] {
            let session = engine.session(&snapshot).unwrap();
            assert_eq!(session.table(Table::Touchpoints).await.unwrap().count().await.unwrap(), rows);
            assert_eq!(session.snapshot(), &snapshot);
        }
    });
}

/// Cents are added as if by hand, whoever adds them first, in groups and without.
#[test]
fn exact_sums_keep_cents() {
    with_session(EngineOptions { threads: 3, ..EngineOptions::default() }, async |session| {
        let ask = async |query: &str| text(&session, session.sql(query).await.unwrap()).await.unwrap();
        let numbers = "(SELECT n % 3 AS part, CASE WHEN n % 3 = 2 THEN NULL ELSE 0.01 END AS x FROM (SELECT unnest(range(0, 300000)) AS n))";
        assert!(ask(&format!("SELECT exact_sum(x) AS s FROM {numbers}")).await.contains("| 2000.0 |"));
        let grouped = ask(&format!("SELECT part, exact_sum(x) AS s FROM {numbers} GROUP BY part ORDER BY part")).await;
        assert!(grouped.contains("| 0    | 1000.0 |") && grouped.contains("| 2    |        |"), "{grouped}");
        let filtered = ask(&format!("SELECT exact_sum(x) FILTER (WHERE part = 0) AS s FROM {numbers}")).await;
        assert!(filtered.contains("| 1000.0 |"), "{filtered}");
        let far = "SELECT exact_sum(x) AS s FROM (VALUES (1e100), (1.0), (-1e100)) AS t(x)";
        assert!(ask(far).await.contains("| 1.0 |"));
        assert!(
            ask("SELECT exact_sum(x) AS s FROM (VALUES (1), (2)) AS t(x)").await.contains("| 3.0 |"),
            "whole numbers, too"
        );
    });
}
