//! Rows that are no events: each is told with its line, column, value and reason, and counted.
use crate::support::Shop;
use safar_ingest::{DateOrder, Decimal, REASONS};
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
        "17 | - | - | not UTF-8: state `--encoding` (latin1 is that of Windows, too)",
    ];
    assert_eq!(shop.rejects(), expected);
    assert_eq!(report.rejected_total(), 15);
    assert_eq!(report.rejected["not a number"], 3);
    // Each has a code, so that other languages can say it.
    assert!(report.rejected.keys().all(|reason| REASONS.iter().any(|(_, text)| text == reason)));
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
fn a_given_id_is_one_event_whatever_the_day_and_whatever_is_corrected() {
    let shop = Shop::new();
    let head = "event_id,ts,event,user_id,value,currency,order_id,email\n";
    let row = |id: &str, time: &str, rest: &str| format!("{id},{time},buy,u,{rest}\n");
    let first = row("e1", "2025-01-02", "5,EUR,o-1,a@example.com") + &row("e2", "2025-03-01", "1,EUR,o-2,");
    assert_eq!(shop.take("a.csv", format!("{head}{first}")).unwrap().stored, 2);
    let again = |text: String| {
        let report = shop.take("b.csv", format!("{head}{text}")).unwrap();
        (report.stored, report.duplicates, report.rejected_total())
    };
    assert_eq!(again(first.clone()), (0, 2, 0), "the same is the same");
    for corrected in ["5,EUR,o-9,a@example.com", "5,USD,o-1,a@example.com", "5,EUR,o-1,b@example.com", "5,EUR,o-1,"] {
        assert_eq!(again(row("e1", "2025-01-02", corrected)), (0, 0, 1), "{corrected}");
    }
    // A file of another day does not overlap the stored one in time; the id is known all the same.
    assert_eq!(again(row("e1", "2025-06-01", "5,EUR,o-1,a@example.com")), (0, 0, 1));
    assert_eq!(
        again(row("e1", "2024-06-01", "5,EUR,o-1,a@example.com") + &row("e3", "2024-06-01", "5,EUR,,")),
        (1, 0, 1)
    );
    assert_eq!(shop.events("event_id"), ["e3", "e1", "e2"]);
    assert_eq!(shop.events("order_id"), ["", "o-1", "o-2"]);
}

#[test]
fn another_days_rejects_are_kept_too() {
    let shop = Shop::new();
    let day = |amount: &str, user: &str| format!("ts,event,user_id,value\n2025-01-01,buy,{user},{amount}\n");
    for text in [day("twelve", "u1"), day("twelve", "u2"), day("twelve", "u2"), day("twelve", "u1"), day("ten", "u1")] {
        assert_eq!(shop.take("export.csv", &text).unwrap().rejected_total(), 1);
    }
    let mut raw: Vec<_> = shop.rows(Table::Rejects).iter().map(|row| row["raw"].clone()).collect();
    raw.sort();
    assert_eq!(raw, ["2025-01-01,buy,u1,ten", "2025-01-01,buy,u1,twelve", "2025-01-01,buy,u2,twelve"]);
    // Of another file they are other rejects.
    shop.take("other.csv", day("twelve", "u1")).unwrap();
    assert_eq!(shop.rows(Table::Rejects).len(), 4);
}

#[test]
fn one_decimal_sign_a_column() {
    let shop = Shop::new();
    shop.take("comma.csv", "ts;event;value\n2025-01-01;buy;1.204\n2025-01-02;buy;12,50 €\n").unwrap();
    assert_eq!(shop.events("value"), ["1204.0", "12.5"]);
    // Behind the sample of the first thousand rows somebody writes otherwise.
    let mut text = String::from("ts;event;value\n");
    for row in 0..1_200 {
        text += &format!("2025-02-01;buy {row};{}\n", if row == 1_100 { "12.50" } else { "12,50" });
    }
    let report = shop.take("otherwise.csv", &text).unwrap();
    assert_eq!((report.stored, report.rejected_total()), (1_199, 1));
    let otherwise = "another decimal sign than in the rest of its column: state `decimal`, or write one sign";
    assert_eq!(shop.rejects(), [format!("1102 | value | 12.50 | {otherwise}")]);
    // Both signs in the sample: what is sure is read, what is not is rejected.
    let both = Shop::new();
    both.take("both.csv", "ts;event;value\n2025-01-01;a;12,50\n2025-01-02;b;12.50\n2025-01-03;c;1.204\n").unwrap();
    assert_eq!(both.events("value"), ["12.5", "12.5"]);
    assert!(both.rejects()[0].contains("both signs: state `decimal`"), "{:?}", both.rejects());
    // What is stated wins; JSON's own numbers have a point whatever is stated.
    let mut stated = Shop::new();
    stated.options.decimal = Some(Decimal::Point);
    stated.take("a.csv", "ts;event;value\n2025-01-01;a;1.204\n2025-01-02;b;12,50\n").unwrap();
    assert_eq!((stated.events("value"), stated.rejects().len()), (vec!["1.204".to_owned()], 1));
    let mut json = Shop::new();
    json.options.decimal = Some(Decimal::Comma);
    json.take("a.ndjson", "{\"ts\":\"2025-01-01\",\"event\":\"a\",\"value\":1.204}\n{\"ts\":\"2025-01-02\",\"event\":\"a\",\"value\":\"1.204\"}\n").unwrap();
    assert_eq!(json.events("value"), ["1.204", "1204.0"]);
}

#[test]
fn the_currency_beside_an_amount() {
    let mut shop = Shop::new();
    shop.settings.default_currency = Some("EUR".into());
    let report = shop
        .take(
            "a.csv",
            "ts,event,value,currency\n\
             2025-01-01,own,12,\n\
             2025-01-02,code,12 USD,\n\
             2025-01-03,sign,12 €,\n\
             2025-01-04,row,$12,cad\n\
             2025-01-05,same,12 GBP,£\n\
             2025-01-06,other,12,BTC\n\
             2025-01-07,words,12abc,\n\
             2025-01-08,mass,12 kg,\n\
             2025-01-09,part,12%,\n\
             2025-01-10,open,$12,\n\
             2025-01-11,two,12 USD,EUR\n",
        )
        .unwrap();
    assert_eq!((report.stored, report.rejected_total()), (6, 5));
    assert_eq!(shop.events("currency"), ["EUR", "USD", "EUR", "CAD", "GBP", "BTC"]);
    let beside = "what stands beside the number is no currency";
    let expected = [
        format!("8 | value | 12abc | {beside}"),
        format!("9 | value | 12 kg | {beside}"),
        format!("10 | value | 12% | {beside}"),
        "11 | value | $12 | the sign beside the amount may be several currencies: state `--set currency=…`".into(),
        "12 | value | 12 USD | the amount is told in another currency than its row".into(),
    ];
    assert_eq!(shop.rejects(), expected);
    // What stands beside the number is a part of what happened.
    let shop = Shop::new();
    let row = |value: &str| format!("ts,event,user_id,value\n2025-01-01,buy,u,{value}\n");
    assert_eq!(shop.take("b.csv", row("12 USD")).unwrap().stored, 1);
    assert_eq!(shop.take("c.csv", row("12 EUR")).unwrap().stored, 1);
    assert_eq!(shop.take("d.csv", row("USD 12")).unwrap().stored, 0);
}

#[test]
fn numbers_that_are_no_times() {
    let shop = Shop::new();
    let text = "ts,event\n1735689600,seconds\n45658,spreadsheet\n45658.5,spreadsheet\n2025,year\n0,nothing\n";
    let report = shop.take("a.csv", text).unwrap();
    assert_eq!((report.stored, report.rejected_total(), report.rejected.len()), (1, 4, 1));
    assert!(shop.rejects()[0].contains("spreadsheets"), "{:?}", shop.rejects());
}

#[test]
fn placeholders_name_no_order() {
    let shop = Shop::new();
    let text =
        "ts,event,order_id\n2025-01-01,purchase,(not set)\n2025-01-02,purchase,undefined\n2025-01-03,purchase,7\n";
    let report = shop.take("a.csv", text).unwrap();
    assert_eq!((report.stored, report.identifiers_blocked), (3, 2));
    assert_eq!(shop.events("order_id"), ["", "", "7"]);
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
