//! Downloads hold what the view does, whole.
use crate::{reports::QUESTIONS, support::Server};
use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Float64Type,
    ipc::reader::FileReader,
};
use axum::http::StatusCode;
use flate2::read::GzDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use std::io::{Cursor, Read};

/// A small reader of CSV as RFC 4180 has it: cells, and whether they stood in quotes.
fn csv(text: &str) -> Vec<Vec<(String, bool)>> {
    let (mut rows, mut row, mut cell, mut quoted, mut inside) = (vec![], vec![], String::new(), false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if inside && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => (inside, quoted) = (!inside, true),
            ',' if !inside => row.push((std::mem::take(&mut cell), std::mem::take(&mut quoted))),
            '\r' if !inside => {}
            '\n' if !inside => {
                row.push((std::mem::take(&mut cell), std::mem::take(&mut quoted)));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}

fn as_text(value: &Value) -> (String, bool) {
    match value {
        Value::Null => (String::new(), false),
        Value::String(text) => (text.clone(), text.is_empty()),
        other => (other.to_string(), false),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_json_parquet_and_arrow_hold_the_rows_of_the_view() {
    let (_server, mut admin) = Server::with_admin().await;
    for (name, query) in QUESTIONS {
        let path = format!("/reports/{name}{query}");
        let and = if query.is_empty() { '?' } else { '&' };
        let view = admin.get(&format!("{path}{and}limit=10000")).await.json();
        let rows = view["rows"].as_array().unwrap();
        let columns: Vec<&str> =
            view["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();

        let answer = admin.get(&format!("{path}{and}format=csv&limit=1")).await;
        assert_eq!(answer.header("x-safar-data-version"), view["meta"]["data_version"]);
        assert!(answer.header("content-disposition").contains(&format!("safar-{name}.csv")));
        let lines = csv(&answer.text());
        assert_eq!(lines[0].iter().map(|(cell, _)| cell.as_str()).collect::<Vec<_>>(), columns);
        assert_eq!(lines.len() - 1, rows.len(), "{name}: no row is left out, whatever the limit of the view");
        for (line, row) in lines[1..].iter().zip(rows) {
            for ((cell, quoted), value) in line.iter().zip(row.as_array().unwrap()) {
                let (text, empty) = as_text(value);
                assert_eq!(*cell, text, "{name}");
                assert!(!empty || *quoted, "{name}: an empty text is told from nothing");
            }
        }

        let objects = admin.get(&format!("{path}{and}format=json")).await.json();
        let listed: Vec<Value> = objects
            .as_array()
            .unwrap()
            .iter()
            .map(|object| columns.iter().map(|column| object[column].clone()).collect())
            .collect();
        assert_eq!(&listed, rows, "{name}");

        let parquet = admin.get(&format!("{path}{and}format=parquet")).await.body;
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap().build().unwrap();
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        same(name, &batches, &columns, rows);
        let arrow = admin.get(&format!("{path}{and}format=arrow")).await.body;
        let batches: Vec<RecordBatch> =
            FileReader::try_new(Cursor::new(arrow), None).unwrap().map(Result::unwrap).collect();
        same(name, &batches, &columns, rows);
    }
}

/// Numbers are the same to the last bit.
fn same(name: &str, batches: &[RecordBatch], columns: &[&str], rows: &[Value]) {
    let mut at = 0;
    for batch in batches {
        assert_eq!(
            batch.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
            columns,
            "{name}"
        );
        for row in 0..batch.num_rows() {
            for (column, array) in batch.columns().iter().enumerate() {
                if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
                    let value = arrow::array::Array::is_valid(array, row).then(|| numbers.value(row));
                    assert_eq!(value, rows[at][column].as_f64(), "{name}: {}", columns[column]);
                }
            }
            at += 1;
        }
    }
    assert_eq!(at, rows.len(), "{name}");
}

/// The largest table in parts: every part is written, and in order.
#[tokio::test(flavor = "multi_thread")]
async fn large_answers_of_sql_are_whole() {
    let (_server, mut admin) = Server::with_admin().await;
    let query = "SELECT value AS n, CASE WHEN value % 3 = 0 THEN NULL ELSE 'a \"b\", c' END AS t FROM generate_series(1, 30000) ORDER BY n";
    let answer = admin.post("/sql?format=csv", serde_json::json!({"query": query})).await;
    let lines = csv(&answer.text());
    assert_eq!(lines.len(), 30_001);
    for (at, line) in lines.iter().enumerate().skip(1) {
        assert_eq!(line[0].0, at.to_string());
        let text = if at % 3 == 0 { "" } else { "a \"b\", c" };
        assert_eq!(line[1], (text.to_owned(), at % 3 != 0));
    }
    let objects = admin.post("/sql?format=json", serde_json::json!({"query": query})).await.json();
    assert_eq!(objects.as_array().unwrap().len(), 30_000);
    assert_eq!(objects[29_999]["n"], 30_000);
    let none = admin.post("/sql?format=json", serde_json::json!({"query": "SELECT 1 AS n WHERE false"})).await;
    assert_eq!(none.json(), serde_json::json!([]));
}

/// Keys of 63 bits come through whole, as texts.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_not_rounded() {
    let (_server, mut admin) = Server::with_admin().await;
    let query = "SELECT 9223372036854775807 AS person_id, [9223372036854775807] AS touchpoint_ids, 0.1 + 0.2 AS x";
    let view = admin.post("/sql", serde_json::json!({"query": query})).await.json();
    let key = "9223372036854775807";
    assert_eq!(view["rows"], serde_json::json!([[key, [key], 0.1_f64 + 0.2]]));
}

/// What anybody may send to the collector is no formula in somebody's spreadsheet; programs can have it as it is.
#[tokio::test(flavor = "multi_thread")]
async fn formulas_reach_spreadsheets_as_texts() {
    let (_server, mut admin) = Server::with_admin().await;
    let query = serde_json::json!({"query": "SELECT '=1+1' AS a, '-5' AS b, -5 AS c, '@x' AS d, 'x' AS e"});
    let text = async |admin: &mut crate::support::Browser, format: &str| {
        admin.post(&format!("/sql?format={format}"), query.clone()).await.text()
    };
    assert_eq!(text(&mut admin, "csv").await, "a,b,c,d,e\r\n'=1+1,-5,-5,'@x,x\r\n");
    assert_eq!(text(&mut admin, "csv&raw=true").await, "a,b,c,d,e\r\n=1+1,-5,-5,@x,x\r\n");
    assert!(text(&mut admin, "json").await.contains("\"a\":\"=1+1\""));
}

/// Files of Parquet and Arrow come in parts too, and are whole.
#[tokio::test(flavor = "multi_thread")]
async fn large_files_come_in_parts() {
    use futures::StreamExt;
    let (_server, mut admin) = Server::with_admin().await;
    let query = serde_json::json!({"query": "SELECT value AS n, sha256(CAST(value AS VARCHAR)) AS t FROM generate_series(1, 200000) ORDER BY n"});
    for format in ["arrow", "csv", "json"] {
        let path = format!("/sql?format={format}");
        let response = admin.ask(axum::http::Method::POST, &path, Some(query.clone())).await;
        let parts = response.into_body().into_data_stream().count().await;
        assert!(parts > 10, "{format}: {parts}");
    }
    let parquet = admin.post("/sql?format=parquet", query).await.body;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap().build().unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 200_000);
}

/// Browsers ask for gzip: what they unpack is what others are sent, of small answers and of those that come in parts.
#[tokio::test(flavor = "multi_thread")]
async fn packed_downloads_are_whole() {
    let (_server, mut admin) = Server::with_admin().await;
    let query = "SELECT value AS n, sha256(CAST(value AS VARCHAR)) AS t FROM generate_series(1, 30000) ORDER BY n";
    let query = serde_json::json!({"query": query});
    for format in ["csv", "json", "parquet", "arrow"] {
        for large in [false, true] {
            let mut answers = vec![];
            for packed in [None, Some("gzip")] {
                admin.accept_encoding = packed;
                answers.push(match large {
                    true => admin.post(&format!("/sql?format={format}"), query.clone()).await,
                    false => admin.get(&format!("/reports/channels?format={format}")).await,
                });
            }
            let [plain, packed] = answers.try_into().unwrap_or_else(|_| panic!("two answers"));
            assert_eq!((plain.status, plain.header("content-encoding")), (StatusCode::OK, ""), "{}", plain.text());
            assert_eq!(packed.header("content-encoding"), "gzip", "{format}");
            let mut unpacked = vec![];
            GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
            assert!(unpacked == plain.body, "{format}: {} of {} bytes", unpacked.len(), plain.body.len());
            assert!(unpacked.len() > if large { 1 << 20 } else { 100 }, "{format}: {} bytes", unpacked.len());
        }
    }
}
