//! Every way in which a file may be written leads to the same events.
use crate::support::Shop;
use safar_ingest::{Encoding, Format, How, SavedMapping};
use safar_model::Table;
use std::{io::Read, sync::Arc};

const COLUMNS: [&str; 6] = ["ts", "event", "cookie_id", "url", "utm_source", "amount"];
const ROWS: [[&str; 6]; 4] = [
    ["2025-02-10T01:44:00Z", "page_view", "a-1", "https://shop.example/?utm_source=x", "Día \"news\"", ""],
    ["2025-02-10 01:45:00.5", "purchase", "a-1", "", "", "12.50"],
    ["1739151960", "page_view", "a-2", "https://shop.example/a,b;c", "line\nbreak", ""],
    ["2025-02-10", "signup", "", "", "", "-3"],
];

fn delimited(delimiter: char, ending: &str) -> String {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |cells: &[&str]| {
        cells.iter().map(|text| if text.is_empty() { String::new() } else { cell(text) }).collect::<Vec<_>>()
    };
    let join = |cells: Vec<String>| cells.join(&delimiter.to_string()) + ending;
    let mut text = COLUMNS.join(&delimiter.to_string()) + ending;
    ROWS.iter().for_each(|row| text += &join(line(row)));
    text
}

fn objects() -> Vec<String> {
    let object = |row: &[&str; 6]| {
        let members = COLUMNS.iter().zip(row).filter(|(_, text)| !text.is_empty());
        let members = members.map(|(name, text)| (name.to_string(), serde_json::Value::from(*text)));
        serde_json::Value::Object(members.collect()).to_string()
    };
    ROWS.iter().map(object).collect()
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::fast()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn parquet() -> Vec<u8> {
    use arrow::{
        array::{ArrayRef, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
    };
    let fields: Vec<_> = COLUMNS.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let column = |at: usize| -> ArrayRef {
        std::sync::Arc::new(
            ROWS.iter().map(|row| Some(row[at]).filter(|text| !text.is_empty())).collect::<StringArray>(),
        )
    };
    let schema = std::sync::Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), (0..6).map(column).collect()).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn all_formats_are_the_same_events() {
    let text = delimited(',', "\n");
    let mixed: String = text
        .split_inclusive('\n')
        .enumerate()
        .map(|(at, line)| if at % 2 == 0 { line.replace('\n', "\r\n") } else { line.to_owned() })
        .collect();
    let mixed = mixed.replace("line\r\nbreak", "line\nbreak");
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("comma.csv", text.clone().into_bytes()),
        ("semicolon.csv", delimited(';', "\r\n").into_bytes()),
        ("tab.tsv", delimited('\t', "\n").into_bytes()),
        ("bar.txt", delimited('|', "\n").into_bytes()),
        ("mixed.csv", mixed.into_bytes()),
        ("no-last-newline.csv", text.trim_end().as_bytes().to_vec()),
        ("bom.csv", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("utf16le.csv", utf16(&text, false)),
        ("utf16be.csv", utf16(&delimited('\t', "\r\n"), true)),
        ("preamble.csv", format!("Report\n\n\"made, today\"\n{text}").into_bytes()),
        ("text.csv.gz", gzip(&text)),
        ("text.csv.zst", zstd::stream::encode_all(text.as_bytes(), 1).unwrap()),
        ("lines.ndjson", objects().join("\n").into_bytes()),
        ("lines.ndjson.gz", gzip(&(objects().join("\r\n") + "\n\n"))),
        ("array.json", format!("[\n{}\n]\n", objects().join(",\n")).into_bytes()),
        ("table.parquet", parquet()),
        ("named-wrongly.csv", parquet()),
    ];
    let shop = Shop::new();
    let first = shop.take(inputs[0].0, &inputs[0].1).unwrap();
    assert_eq!((first.stored, first.rejected_total()), (4, 0), "{first:?} {:?}", shop.rejects());
    let events = shop.rows(Table::Events);
    for (name, bytes) in &inputs[1..] {
        let report = shop.take(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (report.rows, report.stored, report.duplicates),
            (4, 0, 4),
            "{name}: {report:?} {:?}",
            shop.rejects()
        );
    }
    assert_eq!(shop.rows(Table::Events), events);
    assert_eq!(shop.events("name"), ["signup", "page_view", "purchase", "page_view"]);
    assert_eq!(shop.events("value"), ["-3.0", "", "12.5", ""]);
    assert_eq!(shop.events("utm_source"), ["", "Día \"news\"", "", "line\nbreak"]);
    assert_eq!(shop.events("occurred_at")[3], "2025-02-10T01:46:00Z");
    // All at once, by folder and by glob: still the same.
    let folder = shop.folder.path().to_string_lossy().into_owned();
    let report = Shop::import(&shop, &[&format!("{folder}/*.csv"), &format!("{folder}/tab.tsv")]).unwrap();
    assert_eq!(report.stored, 0);
    assert_eq!(report.files.len(), 10);
}

#[test]
fn folders_are_read_whole_and_empty_files_are_told() {
    let shop = Shop::new();
    shop.write("in/a.csv", "ts,event\n2025-01-01,x\n");
    shop.write("in/deep/b.ndjson", "{\"ts\":\"2025-01-02\",\"event\":\"y\"}\n");
    shop.write("in/empty.csv", "");
    shop.write("in/README.md", "not data");
    let report = shop.import(&[&shop.path("in").to_string_lossy()]).unwrap();
    assert_eq!(report.stored, 2);
    assert_eq!(report.skipped.len(), 2, "{:?}", report.skipped);
    let error = shop.import(&[&shop.path("in/empty.csv").to_string_lossy()]).unwrap_err();
    assert!(error.to_string().contains("is empty"), "{error}");
    let error = shop.import(&["no/such/*.csv"]).unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");
    let header_only = shop.take("header.csv", "ts,event\n").unwrap();
    assert_eq!((header_only.rows, header_only.stored), (0, 0));
}

#[test]
fn notes_and_lists_in_a_folder_are_set_aside() {
    let shop = Shop::new();
    shop.write("in/events.csv", "ts,event\n2025-01-01,x\n");
    shop.write("in/README.txt", "Ask Ada for the file of June.");
    shop.write("in/countries.csv", "code,name\nIS,Iceland\nPL,Poland\n");
    let folder = shop.path("in").to_string_lossy().into_owned();
    let report = shop.import(&[&folder]).unwrap();
    assert_eq!((report.stored, report.files.len(), report.unclear.len()), (1, 1, 2), "{:?}", report.unclear);
    assert!(
        report.unclear[0].contains("README.txt") && report.unclear[1].contains("code, name"),
        "{:?}",
        report.unclear
    );
    // Named by itself, a file must be what an import knows; and so must one of a folder.
    assert!(shop.import(&[&format!("{folder}/countries.csv")]).is_err());
    std::fs::remove_file(shop.path("in/events.csv")).unwrap();
    let error = shop.import(&[&folder]).unwrap_err().to_string();
    assert!(error.contains("README.txt"), "{error}");
}

#[test]
fn what_is_no_data_is_told_by_what_it_is() {
    let shop = Shop::new();
    for (bytes, said) in [
        (&b"PK\x03\x04 and more"[..], "unpack it"),
        (b"BZh91AY&SY and more", "bzip2"),
        (b"\xfd7zXZ\x00 and more", "xz"),
        (b"<!DOCTYPE html><title>Log in</title>", "log-in page"),
        (b"{\n\"data\": [\n1\n]}", "an object on each line"),
    ] {
        let error = shop.take("download.csv", bytes).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("--input-format"), "{error}");
    }
    // A first line of 300 KB is a line like others.
    let long = format!(r#"{{"ts":"2025-01-01","event":"upload","note":"{}"}}"#, "x".repeat(300 << 10));
    assert_eq!(shop.take("long.ndjson", long).unwrap().stored, 1);
    // What the first 256 KiB do not tell is an error, not a file without rows.
    let long = format!("ts,event\n2025-01-01,{}\n", "x".repeat(300 << 10));
    let error = shop.take("long.csv", long).unwrap_err().to_string();
    assert!(error.contains("256 KiB"), "{error}");
    // However many columns there are, the message stays short.
    let wide: Vec<String> = (0..5_000).map(|number| format!("c{number}")).collect();
    let error = shop.take("wide.csv", format!("{}\n{}\n", wide.join(","), "1,".repeat(4_999))).unwrap_err().to_string();
    assert!(error.contains("and 4940 more") && error.len() < 1_000, "{error}");
}

#[test]
fn names_with_digits_are_names() {
    let shop = Shop::new();
    shop.take("survey.csv", "ts,event,Q1,R2,Top 10\n2025-01-01,answered,5,4,yes\n").unwrap();
    assert_eq!(shop.events("properties"), [r#"{"Q1":"5","R2":"4","Top 10":"yes"}"#]);
}

#[test]
fn a_header_may_lack_the_delimiter_that_ends_each_row() {
    let shop = Shop::new();
    shop.take("a.csv", "ts,event,user_id\n2025-01-01,a,u,\n2025-01-02,b,u,\n").unwrap();
    assert_eq!(
        (shop.events("name"), shop.events("user_id")),
        (vec!["a".into(), "b".into()], vec!["u".into(), "u".into()])
    );
    assert_eq!(shop.events("properties"), ["", ""]);
    // Where the cell holds something, nobody knows which column the header leaves out.
    let error = shop.take("b.csv", "ts,event,user_id\n1,2025-01-01,a,u\n2,2025-01-02,b,u\n").unwrap_err().to_string();
    assert!(error.contains("no header row"), "{error}");
}

#[test]
fn whole_numbers_are_the_same_identifiers_in_every_format() {
    use arrow::array::{Float64Array, RecordBatch, StringArray};
    let shop = Shop::new();
    shop.take("a.csv", "ts,event,user_id,order_id\n2025-01-01,purchase,7,1001\n").unwrap();
    shop.take("b.ndjson", r#"{"ts":"2025-01-01","event":"purchase","user_id":7.0,"order_id":1001.0}"#).unwrap();
    // A table of numbers with gaps holds no whole ones.
    let text = |text: &str| Arc::new(StringArray::from(vec![text, text])) as _;
    let numbers = |number: f64| Arc::new(Float64Array::from(vec![Some(number), None])) as _;
    let columns = [
        ("ts", text("2025-01-01")),
        ("event", text("purchase")),
        ("user_id", numbers(7.0)),
        ("order_id", numbers(1001.0)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let report = shop.take("c.parquet", writer.into_inner().unwrap()).unwrap();
    assert_eq!((report.stored, report.duplicates), (1, 1));
    assert_eq!(shop.events("user_id"), ["7", ""]);
}

#[test]
fn latin1_by_option() {
    let mut shop = Shop::new();
    shop.options.encoding = Some(Encoding::Latin1);
    shop.take("old.csv", b"ts,event,city\n2025-01-01,visit,M\xe1laga\n").unwrap();
    assert_eq!(shop.events("properties"), ["{\"city\":\"Málaga\"}"]);
}

#[test]
fn stated_and_saved_mappings() {
    let mut shop = Shop::new();
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    shop.settings.mappings = vec![SavedMapping {
        name: "till".into(),
        files: "till-*.txt".into(),
        columns: pairs(&[("occurred_at", "Wann"), ("value", "Betrag"), ("order_id", "Bon")]),
        constants: pairs(&[("name", "purchase"), ("interaction", "store"), ("source", "shop floor")]),
        format: Some(Format::Csv),
        delimiter: Some(';'),
        zone: Some("Europe/Berlin".into()),
        decimal: Some(safar_ingest::Decimal::Comma),
        date_order: Some(safar_ingest::DateOrder::Dmy),
        ..SavedMapping::default()
    }];
    shop.take("till-7.txt", "Wann;Betrag;Bon;Kasse\n01.07.2025 12:00;1.204,50 €;b-1;3\n2/7/2025 09:30;7;b-2;3\n")
        .unwrap();
    assert_eq!(shop.events("occurred_at"), ["2025-07-01T10:00:00Z", "2025-07-02T07:30:00Z"]);
    assert_eq!(shop.events("value"), ["1204.5", "7.0"]);
    assert_eq!(shop.events("interaction"), ["store", "store"]);
    assert_eq!(shop.events("source"), ["shop floor", "shop floor"]);
    assert_eq!(shop.events("properties")[0], r#"{"$given_source":"shop floor","Kasse":"3"}"#);

    let file = shop.write("other.csv", "when,what,who,mail\n2025-01-01,x,u-1,Ada@Example.com\n");
    shop.options.columns =
        vec![("occurred_at".into(), "when".into()), ("name".into(), "what".into()), ("user_id".into(), "WHO".into())];
    let preview = shop.preview(&file).unwrap().remove(0);
    let seen: Vec<_> = preview
        .columns
        .iter()
        .map(|column| (column.column.as_str(), column.target.to_string(), column.how.clone()))
        .collect();
    let stated = |name, target: &str| (name, target.to_owned(), How::Stated);
    assert_eq!(seen[..3], [stated("when", "occurred_at"), stated("what", "name"), stated("who", "user_id")]);
    assert_eq!(preview.events.num_rows(), 1);
}

#[test]
fn json_of_trackers() {
    let shop = Shop::new();
    let segment = r#"{"messageId":"m1","type":"track","event":"Order Completed","timestamp":"2025-03-01T10:00:00Z","anonymousId":"a","userId":"u","context":{"page":{"url":"https://shop.example/x?gclid=G1","referrer":"https://www.google.com/"},"traits":{"email":"Ada@Example.com"}},"properties":{"order_id":"o-1","revenue":12.5,"currency":"eur","note":null},"traffic":{"Email":"b@example.com"}}"#;
    shop.take("segment.ndjson", segment).unwrap();
    let event = shop.rows(Table::Events).remove(0);
    for (column, expected) in [
        ("event_id", "m1"),
        ("name", "Order Completed"),
        ("anonymous_id", "a"),
        ("user_id", "u"),
        ("order_id", "o-1"),
        ("value", "12.5"),
        ("currency", "EUR"),
        ("click_id", "G1"),
        ("click_id_type", "gclid"),
        ("source", "google"),
    ] {
        assert_eq!(event.get(column).map(String::as_str), Some(expected), "{column}");
    }
    assert_eq!(event["email_hash"].len(), 64);
    assert!(event.values().all(|value| !value.to_lowercase().contains("@example.com")), "{event:?}");
    assert_eq!(shop.rows(Table::IdentityLinks).len(), 2);
}

#[test]
fn contact_details_are_hashed_everywhere_unless_kept() {
    let rows =
        "ts,event,email,customer_email,phone\n2025-01-01,signup,Ada@Example.com,second@example.com,+49 151 23456789\n";
    let shop = Shop::new();
    shop.take("a.csv", rows).unwrap();
    let event = shop.rows(Table::Events).remove(0);
    assert!(event.values().all(|value| !value.contains('@') && !value.contains("23456789")), "{event:?}");
    assert_eq!((event["email_hash"].len(), event["phone_hash"].len()), (64, 64));
    assert!(event["properties"].starts_with("{\"customer_email_hash\":\""), "{}", event["properties"]);
    let mut keeping = Shop::new();
    keeping.settings.keep_contact_details = true;
    keeping.take("a.csv", rows).unwrap();
    let kept = keeping.rows(Table::Events).remove(0);
    assert!(kept["properties"].contains("Ada@Example.com") && kept["properties"].contains("second@example.com"));
    assert_eq!(kept["email_hash"], event["email_hash"]);
}

#[test]
fn what_each_row_means() {
    let shop = Shop::new();
    shop.take(
        "a.csv",
        "ts,page_url,channel,conversion,order_id,value,interaction,user_id,consent,items\n\
         2025-01-01,https://shop.example/,,,,,,u,granted,\n\
         2025-01-02,,Facebook,0,,,,u,,\n\
         2025-01-03,,Facebook,1,,5,impression,guest,\"{\"\"ads\"\":true}\",\n\
         2025-01-04,,,,o-1,7,,null,,\"[{\"\"sku\"\":1}]\"\n",
    )
    .unwrap();
    assert_eq!(shop.events("name"), ["page_view", "touch", "conversion", "purchase"]);
    assert_eq!(shop.events("interaction"), ["visit", "click", "impression", "none"]);
    assert_eq!(shop.events("channel"), ["Direct", "Facebook", "Facebook", ""]);
    assert_eq!(shop.events("user_id"), ["u", "u", "", ""]);
    assert_eq!(shop.events("consent"), [r#"{"all":true}"#, "", r#"{"ads":true}"#, ""]);
    assert_eq!(shop.events("items"), ["", "", "", r#"[{"sku":1}]"#]);
    assert_eq!(shop.events("properties")[1], r#"{"$given_channel":"Facebook"}"#);
}

#[test]
fn names_that_say_nothing_certain_are_no_touches() {
    let kinds = |rows: &[(&str, &str, &str)]| -> Vec<String> {
        let shop = Shop::new();
        let rows = rows.iter().enumerate();
        let lines =
            rows.map(|(at, (name, campaign, kind))| format!("2025-01-{:02},{name},{campaign},{kind}\n", at + 1));
        shop.take("a.csv", format!("ts,event,campaign,interaction\n{}", lines.collect::<String>())).unwrap();
        shop.events("interaction")
    };
    let app = ["open", "view", "text", "post", "print", "click", "push", "store", "phone", "other"];
    assert_eq!(kinds(&app.map(|name| (name, "", ""))), ["none"; 10]);
    // With a source, a click and a view are those of an advertisement; the rest stays what an app calls so.
    let expected = ["none", "impression", "none", "none", "none", "click", "none", "none", "none", "none"];
    assert_eq!(kinds(&app.map(|name| (name, "spring", ""))), expected);
    let sure = [
        ("email_open", "email"),
        ("Email Opened", "email"),
        ("ad_impression", "impression"),
        ("ad-click", "click"),
        ("store_visit", "store"),
        ("Call", "call"),
        ("text_message", "sms"),
        ("push_opened", "push"),
        ("page_view", "visit"),
        ("screen", "visit"),
        ("meeting", "meeting"),
    ];
    assert_eq!(kinds(&sure.map(|(name, _)| (name, "", ""))), sure.map(|(_, kind)| kind));
    assert_eq!(kinds(&[("open", "", "email"), ("print", "", "print")]), ["email", "print"], "the column decides");
}

/// The lists of touches that people keep by hand, or export from a shop.
#[test]
fn a_list_of_sources_is_a_list_of_touches() {
    let shop = Shop::new();
    let text = "date,visitor,source,medium,campaign,event,order,revenue\n\
        2025-01-01,v1,google,cpc,spring,,,\n2025-01-02,v1,newsletter,,,,,\n2025-01-03,v1,facebook,paid_social,,lead,,\n\
        2025-01-04,v1,google,cpc,,impression,,\n2025-01-05,v1,ios,,,open,,\n2025-01-06,v1,google,organic,,,o-1,49.90\n";
    let report = shop.take("a.csv", text).unwrap();
    assert_eq!(report.files[0].notes, Vec::<String>::new());
    assert_eq!(shop.events("name"), ["touch", "touch", "lead", "impression", "open", "purchase"]);
    assert_eq!(shop.events("interaction"), ["click", "click", "click", "impression", "none", "click"]);
    assert_eq!(shop.events("anonymous_id"), ["v1"; 6]);
    assert_eq!(shop.events("order_id")[5], "o-1");
}

#[test]
fn a_file_that_tells_nobody_is_said_to() {
    let shop = Shop::new();
    let note = |text: &str| shop.take("a.csv", text).unwrap().files[0].notes.clone();
    let said = note("date,who,source\n2025-01-01,ada,google\n");
    assert!(
        said[0].starts_with("no column tells whose events these are") && said[0].ends_with("not understood: `who`"),
        "{said:?}"
    );
    assert_eq!(note("date,user,source\n2025-01-01,ada,google\n"), Vec::<String>::new());
}

#[test]
fn a_day_and_a_time_of_day_are_one_time() {
    let shop = Shop::new();
    shop.take("a.csv", "Date,Time,event\n2/10/2025,2:30 PM,x\n2/13/2025,,y\n2/14/2025,25:00,z\n2/30/2025,10:00,z\n")
        .unwrap();
    assert_eq!(shop.events("occurred_at"), ["2025-02-10T14:30:00Z", "2025-02-13T00:00:00Z"]);
    let expected = ["4 | Time | 25:00 | not a time of day", "5 | Date | 2/30/2025 | not a time that exists"];
    assert_eq!(shop.rejects(), expected);
    let twin = shop.take("b.csv", "ts,event\n2025-02-10T14:30:00Z,x\n").unwrap();
    assert_eq!(twin.duplicates, 1, "however it is written");
    // Where one column tells both, the other is a property.
    shop.take("c.csv", "time,date,event\n2025-03-01 10:00,2025-03-02,x\n").unwrap();
    assert_eq!(shop.events("occurred_at")[2], "2025-03-01T10:00:00Z");
    let mut stated = Shop::new();
    stated.options.columns = vec![("occurred_at".into(), "Tag".into()), ("time_of_day".into(), "Uhrzeit".into())];
    stated.take("d.csv", "Tag;Uhrzeit;event\n10.02.2025;14:30;x\n").unwrap();
    assert_eq!(stated.events("occurred_at"), ["2025-02-10T14:30:00Z"]);
}

#[test]
fn when_an_event_was_received() {
    let shop = Shop::new();
    shop.take(
        "a.csv",
        "ts,event,Server Timestamp\n2025-01-01 10:00,x,2025-01-01 10:00:05\n2025-01-02 10:00,y,\n2025-01-03 10:00,z,soon\n2025-01-04 10:00,z,2027-01-01\n",
    )
    .unwrap();
    assert_eq!(shop.events("received_at"), ["2025-01-01T10:00:05Z", "2026-01-01T00:00:00Z"]);
    assert_eq!(shop.events("properties"), ["", ""]);
    let expected =
        ["4 | Server Timestamp | soon | not a time that exists", "5 | Server Timestamp | 2027-01-01 | in the future"];
    assert_eq!(shop.rejects(), expected);
    // Received once more, it is the same event; the first time stays.
    let report = shop
        .take("b.ndjson", "{\"ts\":\"2025-01-01T10:00:00Z\",\"event\":\"x\",\"receivedAt\":\"2025-01-05\"}")
        .unwrap();
    assert_eq!((report.stored, report.duplicates), (0, 1));
    // Its order of day and month is told by both columns.
    let orders = Shop::new();
    orders.take("c.csv", "ts,event,received_at\n1/2/2025,x,13/2/2025\n").unwrap();
    assert_eq!(
        (orders.events("occurred_at"), orders.events("received_at")),
        (vec!["2025-02-01T00:00:00Z".into()], vec!["2025-02-13T00:00:00Z".into()])
    );
    // Without a time of its own, a row has none: when it was received is another thing.
    let error = orders.take("d.csv", "received_at,event\n2025-01-01 10:00,x\n").unwrap_err().to_string();
    assert!(error.contains("--map occurred_at=received_at"), "{error}");
}

#[test]
fn damaged_files_are_named_and_nothing_of_them_is_stored() {
    let shop = Shop::new();
    let lines: String = (0..60_000u64)
        .map(|row| format!("2025-01-01,visit,a-{:x}\n", row.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    let packed = gzip(&format!("ts,event,cookie_id\n{lines}"));
    let error = shop.take("cut.csv.gz", &packed[..packed.len() - 100]).unwrap_err().to_string();
    assert!(error.contains("cut.csv.gz") && error.contains("broken off") && !error.contains("after 0 rows"), "{error}");
    let table = parquet();
    for cut in [table.len() - 10, table.len() / 2, 4] {
        let error = shop.take("cut.parquet", &table[..cut]).unwrap_err().to_string();
        assert!(error.contains("cut.parquet"), "{error}");
    }
    let error = shop.take("book.csv", b"PK\x03\x04rest").unwrap_err().to_string();
    assert!(error.contains("Excel"), "{error}");
    assert_eq!(shop.rows(Table::Events), []);
}
