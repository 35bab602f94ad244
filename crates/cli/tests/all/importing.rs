//! `safar import` as people use it: from a pipe, as a rehearsal, with saved mappings; and what it says it did.
use crate::{Shop, shop};
use std::fs;

const EVENTS: &str = "ts,event,cookie_id,user_id,value\n\
    2026-10-01T10:00:00Z,page_view,c1,u1,\n\
    2026-10-01T10:05:00Z,purchase,c1,u1,100\n\
    2026-10-01T10:05:00Z,purchase,c1,u1,100\n\
    2026-10-02T09:00:00Z,page_view,c2,,\n\
    soon,page_view,c2,,\n\
    2026-10-03T09:00:00Z,purchase,c2,null,twelve\n";

/// Standard output and standard error of an import that succeeds; `pipe` is its standard input.
fn import(shop: &Shop, words: &[&str], pipe: &str) -> (String, String) {
    let words = [&["-C", "shop", "import"], words].concat();
    let assert = shop.safar(&words).write_stdin(pipe).assert().success();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&assert.get_output().stdout), text(&assert.get_output().stderr))
}

/// Adds to safar.toml.
fn append(shop: &Shop, settings: &str) {
    let path = shop.path("shop/safar.toml");
    fs::write(&path, format!("{}\n{settings}", fs::read_to_string(&path).unwrap())).unwrap();
}

#[test]
fn the_summary_tells_what_is_in_the_tables() {
    let shop = shop();
    shop.write("events.csv", EVENTS);
    let (_, said) = import(&shop, &["events.csv"], "");
    for line in [
        "events.csv: 6 rows of CSV, 3 stored, 2 rejected",
        ": 3 new events, 1 already there, 2 rejected; 2 identity links",
        "warning: 1 rejected: not a time that exists",
        "warning: 1 rejected: not a number",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(shop.sql("select count(*), sum(value) from events"), "3,100.0");
    assert_eq!(shop.sql("select count(*) from identity_links"), "2");
    assert_eq!(shop.sql("select line, \"column\", value from rejects order by line"), "6,ts,soon\n7,value,twelve");
    let files: Vec<_> = fs::read_dir(shop.path("shop/rejects")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(fs::read_to_string(&files[0]).unwrap().lines().count(), 3, "a header and two rows");
    let (_, said) = import(&shop, &["events.csv"], "");
    assert!(said.contains(": 0 new events, 4 already there, 2 rejected; 0 identity links"), "{said}");
    assert_eq!(shop.sql("select count(*) from events"), "3");
    assert_eq!(shop.sql("select count(*) from rejects"), "2");
}

#[test]
fn standard_input_is_a_file_like_others() {
    let shop = shop();
    let (_, said) = import(&shop, &["-"], EVENTS);
    assert!(said.contains("-: 6 rows of CSV, 3 stored, 2 rejected"), "{said}");
    assert_eq!(shop.sql("select distinct origin from events"), "-");
    // The same from a file, and as JSON from a pipe, is there already.
    shop.write("events.csv", EVENTS);
    assert!(import(&shop, &["events.csv"], "").1.contains(": 0 new events, 4 already there"));
    let json = r#"{"ts":"2026-10-02T09:00:00Z","event":"page_view","cookie_id":"c2"}"#;
    assert!(import(&shop, &["-"], json).1.contains("-: 1 rows of NDJSON, 0 stored"));
    // Exports are known for what they are here, too: costs are costs, and no events.
    let (_, said) = import(&shop, &["-"], "date,source,medium,campaign,cost\n2026-10-01,radio,audio,Autumn,250\n");
    assert!(said.contains("-: read as advertising costs") && said.contains(" 0 stored, 1 costs"), "{said}");
    assert_eq!(shop.sql("select origin, sum(cost) from costs group by 1"), "-,250.0");
    // Beside files, with what the command says of all of them.
    shop.write("more.csv", "when,who\n2026-10-04,c3\n");
    let words = ["more.csv", "-", "--map", "occurred_at=when", "--map", "anonymous_id=who", "--set", "name=visit"];
    let (_, said) = import(&shop, &words, "when;who\n2026-10-05;c4\n2026-10-06;c4\n");
    assert!(
        said.contains("more.csv: 1 rows of CSV, 1 stored") && said.contains("-: 2 rows of CSV, 2 stored"),
        "{said}"
    );
    // Ready paths lead to the goal that the command names; an empty pipe is told.
    let (_, said) = import(&shop, &["-", "--set", "goal=agency"], "path;conversions\nA > B;3\n;1\n");
    assert!(said.contains("2 ready paths of the goal `agency`"), "{said}");
    assert_eq!(shop.sql("select goal, sum(conversions) from paths group by 1"), "agency,4.0");
    let empty = shop.safar(&["-C", "shop", "import", "-"]).write_stdin("").assert().failure();
    assert!(String::from_utf8_lossy(&empty.get_output().stderr).contains("- is empty"));
}

#[test]
fn a_rehearsal_shows_everything_and_stores_nothing() {
    let shop = shop();
    shop.write("events.csv", EVENTS);
    let (rows, said) = import(&shop, &["events.csv", "--dry-run"], "");
    for (column, becomes) in
        [("ts", "occurred_at"), ("event", "name"), ("cookie_id", "anonymous_id"), ("value", "value")]
    {
        let line = said.lines().find(|line| line.split_whitespace().next() == Some(column));
        assert!(
            line.is_some_and(|line| line.contains(becomes) && line.contains("well-known name")),
            "{column}: {said}"
        );
    }
    assert!(rows.contains("purchase") && rows.contains("100"), "{rows}");
    assert!(said.contains("line 6: ts \"soon\": not a time that exists"), "{said}");
    shop.write("agency.csv", "path;conversions\nA > B;3\n");
    let (_, said) = import(&shop, &["agency.csv", "--dry-run"], "");
    assert!(said.contains("under the goal `agency`"), "{said}");
    let (rows, _) = import(&shop, &["-", "--dry-run"], "ts,event\n2026-10-01,signup\n");
    assert!(rows.contains("signup"), "{rows}");
    assert_eq!(shop.sql("select count(*) from events"), "0");
    assert_eq!(shop.sql("select count(*) from paths"), "0");
    assert_eq!(shop.sql("select count(*) from rejects"), "0");
    assert!(!shop.path("shop/rejects").exists(), "nor is a file of rejects written");
}

const TILL: &str = "[[import.mappings]]\nname = \"till\"\nfiles = \"till-*.txt\"\ndelimiter = \";\"\ndecimal = \"comma\"\n\
    date_order = \"dmy\"\nzone = \"Europe/Berlin\"\n\
    columns = { occurred_at = \"Wann\", value = \"Betrag\", order_id = \"Bon\" }\n\
    constants = { name = \"purchase\", interaction = \"store\", source = \"shop floor\" }\n";

#[test]
fn saved_mappings_fit_by_file_name_or_are_named() {
    let shop = shop();
    append(&shop, TILL);
    let text = "Wann;Betrag;Bon\n01/07/2026 12:00;1.204,50;b-1\n";
    shop.write("till-7.txt", text);
    let (_, said) = import(&shop, &["till-7.txt", "--dry-run"], "");
    assert!(said.contains("mapping `till`"), "{said}");
    import(&shop, &["till-7.txt"], "");
    let all =
        "select name, value, order_id, interaction, source, cast(occurred_at as bigint) as at from events order by at";
    assert_eq!(shop.sql(all), "purchase,1204.5,b-1,store,shop floor,1782900000000000");
    // The same rows under another name, and from a pipe: the mapping must be named.
    shop.write("kasse.csv", text);
    assert!(shop.failure(&["-C", "shop", "import", "kasse.csv"]).contains("kasse.csv does not look like events"));
    for words in [["kasse.csv", "--mapping", "till"], ["-", "--mapping", "till"]] {
        assert!(import(&shop, &words, text).1.contains(": 0 new events, 1 already there"), "{words:?}");
    }
    let failure = shop.failure(&["-C", "shop", "import", "kasse.csv", "--mapping", "tull"]);
    assert!(failure.contains("`tull`") && failure.contains("[till]"), "{failure}");
    // What the command says wins.
    import(&shop, &["till-7.txt", "--zone", "UTC", "--set", "source=fair"], "");
    assert_eq!(
        shop.sql("select source, cast(occurred_at as bigint) from events where source = 'fair'"),
        "fair,1782907200000000"
    );
}

#[test]
fn ready_paths_give_what_their_file_gives() {
    let shop = shop();
    let paths = "path;total_conversions;total_conversion_value;total_null\nA > B > C;1;10;0\nA > B;0;0;1\nB > C;1;4;0\n;2;6;0\n";
    shop.write("agency.2026.csv", paths);
    import(&shop, &["agency.2026.csv"], "");
    let credit =
        |words: &[&str]| shop.output(&[words, &["--model", "linear", "--model", "first", "--format", "csv"]].concat());
    let imported = credit(&["-C", "shop", "attribute", "--goal", "agency.2026"]);
    let direct = credit(&["attribute", "--paths", "agency.2026.csv"]);
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&imported), lines(&direct));
    assert!(direct.contains("linear,(unattributed),2.0,6.0"), "{direct}");
    let failure = {
        shop.write("purchase.csv", paths);
        shop.failure(&["-C", "shop", "import", "purchase.csv"])
    };
    assert!(failure.contains("--set goal=NAME"), "{failure}");
}

#[test]
fn settings_of_imports_are_checked_with_file_and_line() {
    let shop = shop();
    let mapping =
        |lines: &str| format!("[workspace]\nname = \"shop\"\n\n[[import.mappings]]\nname = \"till\"\n{lines}\n");
    let experiment = |name: &str, control: &str| {
        format!(
            "[[experiments]]\nname = \"{name}\"\nchannels = [\"Display\"]\nevent = \"e\"\nproperty = \"p\"\ntreated = \"yes\"\n\
             control = \"{control}\"\n"
        )
    };
    for (settings, line, reason) in [
        ("[import]\nzone = \"Mars\"\n".to_owned(), 2, "`Mars` is no time zone"),
        ("[import]\ndefault_currency = \"euro\"\n".to_owned(), 2, "`euro` is no currency code"),
        (mapping("files = \"till-[.csv\""), 6, "is no glob"),
        (mapping("columns = { shoe = \"Size\" }"), 6, "`shoe` is no field of an event"),
        (mapping("constants = { shoe = \"44\" }"), 6, "`shoe` is no field of an event"),
        (mapping("zone = \"Venus\""), 6, "`Venus` is no time zone"),
        (mapping("[[import.mappings]]\nname = \"till\""), 5, "`till` is no name of a mapping"),
        ("[attribution]\nmodels = [\"first\", \"last\", \"first\"]\n".to_owned(), 2, "`first` stands twice"),
        (experiment("", "no"), 2, "`name` of an experiment is empty"),
        (experiment("hold-out", "yes"), 6, "`yes` is both"),
        (experiment("hold-out", "no").repeat(2), 2, "`hold-out` is the name of two experiments"),
        (experiment("hold-out", "no") + "treated_share = 1.5\n", 8, "`1.5` cannot be the treated_share"),
        (experiment("hold-out", "no") + "from = \"2026-03-01\"\n", 2, "`hold-out` has a day `from`"),
        (
            experiment("cities", "no") + "unit = \"region\"\n",
            2,
            "`cities` is of regions and does not say when it began",
        ),
        (
            experiment("cities", "no") + "unit = \"region\"\nfrom = \"2026-03-01\"\nuntil = \"2026-03-01\"\n",
            2,
            "`cities` ends before",
        ),
    ] {
        shop.write("shop/safar.toml", &settings);
        let failure = shop.failure(&["-C", "shop", "build"]);
        assert!(failure.contains(&format!("safar.toml:{line}:")) && failure.contains(reason), "{settings}{failure}");
    }
}
