//! Rows that are no events: each is told with its line, column, value and reason, and counted.
use crate::support::Shop;
use safar_ingest::DateOrder;
use safar_model::Table;

#[test]
fn every_kind_of_csv_reject() {
    let mut shop = Shop::new();
    shop.options.rejects = Some(shop.path("rejects.csv"));
    let text = b"ts,event,page_url,value,interaction,conversion,email\n\
        2025-01-01,ok,,,,,a@example.com\n\
        ,no time,,,,,\n\
        2025-02-30,no such day,,,,,\n\
        2026-01-03,future,,,,,\n\
        1700-01-01,past,,,,,\n\
        2025-01-01,amount,,twelve,,,\n\
        2025-01-01,nan,,NaN,,,\n\
        2025-01-01,inf,,inf,,,\n\
        2025-01-01,comma,,\"1,204\",,,\n\
        2025-01-01,huge,,1e13,,,\n\
        2025-01-01,kind,,,telepathy,,\n\
        2025-01-01,flag,,,,maybe,\n\
        2025-01-01,,,,,,\n\
        2025-01-01,short\n\
        2025-01-01,\"broken,,,,,\n\
        2025-01-01,b\xffd,,,,,\n\
        2025-01-01,last one,,,,,\n";
    let report = shop.take("bad.csv", text).unwrap();
    assert_eq!((report.rows, report.stored), (17, 2));
    let expected = [
        "3 | ts |  | no time",
        "4 | ts | 2025-02-30 | not a time that exists",
        "5 | ts | 2026-01-03 | in the future",
        "6 | ts | 1700-01-01 | before the year 1900",
        "7 | value | twelve | not a number",
        "8 | value | NaN | not a number",
        "9 | value | inf | not a number",
        "10 | value | 1,204 | the comma may part thousands or decimals: state `decimal`",
        "11 | value | 1e13 | the amount is beyond ±10¹²",
        "12 | interaction | telepathy | unknown interaction",
        "13 | conversion | maybe | neither 0 nor 1",
        "14 | event |  | nothing says what happened",
        "15 | - | 2 instead of 7 | wrong number of cells",
        "16 | - | - | broken quotes",
        "17 | - | - | invalid UTF-8",
    ];
    assert_eq!(shop.rejects(), expected);
    assert_eq!(report.rejected_total(), 15);
    assert_eq!(report.rejected["not a number"], 3);
    // The file says the same, with the rows as they were.
    let mut reader = csv::Reader::from_path(shop.path("rejects.csv")).unwrap();
    let lines: Vec<_> = reader.records().map(|record| record.unwrap()).collect();
    assert_eq!(lines.len(), 15);
    assert_eq!(
        lines[12].iter().skip(1).collect::<Vec<_>>(),
        ["15", "", "2 instead of 7", "wrong number of cells", "2025-01-01,short"]
    );
    // Once more: nothing is told twice in the table.
    let again = shop.take("bad.csv", text).unwrap();
    assert_eq!((again.stored, again.duplicates, again.rejected_total()), (0, 2, 15));
    assert_eq!(shop.rejects().len(), 15);
}

#[test]
fn every_kind_of_json_reject() {
    let shop = Shop::new();
    let text = "{\"ts\":\"2025-01-01\",\"event\":\"ok\"}\n{\"ts\":\"2025-01-01\",\n[1,2]\n{\"time\":\"soon\",\"event\":\"x\"}\n{\"event\":\"x\"}\n{\"ts\":1739151840,\"event\":\"x\",\"amount\":\"many\"}\n";
    let report = shop.take("bad.ndjson", text).unwrap();
    assert_eq!((report.rows, report.stored), (6, 1));
    let expected = [
        "2 | - | - | not a JSON object",
        "3 | - | - | not a JSON object",
        "4 | time | soon | not a time that exists",
        "5 | time |  | no time",
        "6 | amount | many | not a number",
    ];
    assert_eq!(shop.rejects(), expected);
}

#[test]
fn dates_that_can_be_read_two_ways() {
    let mut shop = Shop::new();
    let file = shop.write("a.csv", "date,event\n1/2/2025,x\n3/4/2025,y\n");
    let error = shop.import(&[&file]).unwrap_err().to_string();
    assert!(error.contains("`1/2/2025`") && error.contains("--date-order dmy"), "{error}");
    shop.options.date_order = Some(DateOrder::Mdy);
    shop.import(&[&file]).unwrap();
    assert_eq!(shop.events("occurred_at"), ["2025-01-02T00:00:00Z", "2025-03-04T00:00:00Z"]);
    let told = Shop::new();
    told.take("b.csv", "date,event\n1/2/2025,x\n13/2/2025,y\n").unwrap();
    assert_eq!(told.events("occurred_at"), ["2025-02-01T00:00:00Z", "2025-02-13T00:00:00Z"]);
}

#[test]
fn one_id_two_events() {
    let shop = Shop::new();
    let report = shop
        .take("a.csv", "event_id,ts,event,user_id,value\ne1,2025-01-02,buy,u,5\ne1,2025-01-02,buy,u,5\ne1,2025-01-01,buy,u,6\ne2,2025-01-01,buy,u,1\n")
        .unwrap();
    assert_eq!((report.stored, report.duplicates), (2, 1));
    assert_eq!(shop.rejects(), ["4 | event_id | e1 | another event has this id"]);
    assert_eq!(shop.events("value"), ["1.0", "5.0"]);
    // The same against what is stored.
    let report =
        shop.take("b.csv", "event_id,ts,event,user_id,value\ne1,2025-01-02,buy,u,5\ne2,2025-01-01,buy,u,9\n").unwrap();
    assert_eq!((report.stored, report.duplicates, report.rejected_total()), (0, 1, 1));
}

#[test]
fn rejects_hide_addresses() {
    let shop = Shop::new();
    shop.take("a.csv", "ts,event,email\n2025-01-01,ok,\nsoon,x,ada@example.com\n").unwrap();
    let raw: Vec<_> = shop.rows(Table::Rejects).iter().map(|row| row["raw"].clone()).collect();
    assert_eq!(raw, ["soon,x,…@…"]);
}

#[test]
fn files_without_events_say_what_is_missing() {
    let shop = Shop::new();
    let message = |name: &str, text: &str| shop.take(name, text).unwrap_err().to_string();
    let error = message("a.csv", "city,Created at\nRome,2025-01-01 10:00\n");
    assert!(error.contains("--map occurred_at=Created at") && error.contains("city"), "{error}");
    let error = message("b.csv", "ts,city\n2025-01-01,Rome\n");
    assert!(error.contains("what happened"), "{error}");
    let error = message("c.csv", "2025-01-01,page_view,u1\n2025-01-01,page_view,u2\n");
    assert!(error.contains("no header"), "{error}");
    let error = message("d.csv", "Date,Campaign ID,Cost\n2025-01-01,1,2.50\n");
    assert!(error.contains("advertising costs") && error.contains("source"), "{error}");
}
