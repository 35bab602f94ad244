//! `safar erase`, proved on the bytes: after it, nothing in any file of the workspace holds what was planted, however it is packed.
use crate::{
    Shop,
    collected::{Server, collecting, post, send, until},
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use flate2::{Compression, write::GzEncoder};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use safar_identity::{IdentitySettings, normalise};
use safar_model::key_of;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

const DEVICE: &str = "planted-device-7f3a";
const USER: &str = "planted-ada-9c1e";
const EMAIL: &str = "Planted.Ada@mail.example";
const PHONE: &str = "+49 1512 555918267";
const CRM: &str = "planted-crm-0042";

fn stored(namespace: &str, raw: &str) -> String {
    normalise(namespace, raw, &IdentitySettings::default()).id().unwrap().into_owned()
}

/// Whatever tells of the planted person: identifiers as people write them and as they are stored, and the keys made of them.
fn planted() -> Vec<String> {
    let ids = [("anonymous", DEVICE), ("user", USER), ("email", EMAIL), ("phone", PHONE), ("crm", CRM)];
    let mut all: Vec<String> = vec!["491512555918267".to_owned(), "planted".to_owned()];
    for (namespace, raw) in ids {
        let id = stored(namespace, raw);
        all.push(key_of(namespace, &id).to_string());
        all.extend([raw.to_ascii_lowercase(), id]);
    }
    all
}

/// Whether bytes hold anything planted, plainly or packed.
fn holds(bytes: &[u8], planted: &[String]) -> bool {
    let keys: Vec<[u8; 8]> = planted
        .iter()
        .filter_map(|text| text.parse::<i64>().ok())
        .filter(|key| *key > 1 << 40)
        .map(i64::to_le_bytes)
        .collect();
    if bytes.windows(8).any(|window| keys.iter().any(|key| window == key)) {
        return true;
    }
    safar_collect::unpacked(bytes, &mut |bytes| {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        planted.iter().any(|needle| text.contains(needle.as_str()))
    })
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Every value of a Parquet file as text, one column of a row a line.
fn values(path: &Path) -> String {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let options = FormatOptions::default();
    let mut text = String::new();
    for batch in reader {
        let batch = batch.unwrap();
        for column in batch.columns() {
            let format = ArrayFormatter::try_new(column, &options).unwrap();
            for row in 0..batch.num_rows() {
                text.push_str(&format.value(row).to_string());
                text.push('\n');
            }
        }
    }
    text
}

/// The files of the workspace that hold anything planted, in their bytes, names, or, for Parquet, in what a reader reads.
fn found(shop: &Shop) -> BTreeSet<String> {
    found_of(shop, &planted())
}

/// As [`found`], of any texts in lower case.
pub fn found_of(shop: &Shop, planted: &[String]) -> BTreeSet<String> {
    let root = shop.path("shop");
    let mut all = vec![];
    files(&root, &mut all);
    let mut found = BTreeSet::new();
    for path in all {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        let parquet = name.ends_with(".parquet");
        if holds(&fs::read(&path).unwrap(), planted)
            || holds(name.as_bytes(), planted)
            || parquet && holds(values(&path).as_bytes(), planted)
        {
            found.insert(name);
        }
    }
    found
}

/// Where something of a person is kept.
const PLACES: [&str; 16] = [
    "data/events/_delta_log",
    "data/events",
    "data/identity_links",
    "data/persons",
    "data/person_events",
    "data/sessions",
    "data/touchpoints",
    "data/conversions",
    "data/paths",
    "data/credits",
    "data/rejects",
    "rejects/",
    "collect/published",
    "inbox/done",
    "inbox/failed",
    "customers.csv",
];

/// What kind of file a name is of: how many there are of each.
fn kinds(found: &BTreeSet<String>) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for name in found {
        let kind = PLACES.into_iter().find(|place| name.starts_with(place)).unwrap_or("elsewhere");
        *kinds.entry(kind).or_insert(0) += 1;
    }
    kinds
}

fn zipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const MATCHING: &str = "[identity.matching]\nfile = \"customers.csv\"\nnamespace = \"crm\"\nidentifier = \"id\"\n\
    [identity.matching.model]\ncomparisons = [\"name: exact\"]\nblocks = [\"born\"]\n";

/// Files as the drop folder keeps them, and the list of customers.
fn bring(shop: &Shop) {
    for folder in ["done", "failed", "done/tables"] {
        fs::create_dir_all(shop.path("shop/inbox").join(folder)).unwrap();
    }
    let others = "o-9,2026-01-14T10:00:00Z,visit,,somebody-else,,,,,,,\"over two\nlines\"\n";
    let line = |user: &str| format!("{{\"user_id\":\"{user}\",\"name\":\"visit\"}}\n");
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(format!("name\n{EMAIL}\n").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let contents = [
        ("done/till.csv", format!("{}{others}", till()).into_bytes()),
        ("done/tables/events.ndjson", format!("{}{}", line(USER), line("somebody-else")).into_bytes()),
        ("done/till.csv.gz", zipped(&till())),
        ("done/wide.txt", utf16),
        ("done/planted-ada-9c1e.csv", b"a,b\n1,2\n".to_vec()),
        ("failed/all.json", format!("[{{\"user_id\":\"{USER}\"}}]").into_bytes()),
        ("failed/broken.csv", format!("when,who\nnever,{PHONE}\n").into_bytes()),
        ("failed/broken.csv.txt", format!("line 2: `{PHONE}` is no time\n").into_bytes()),
        ("../customers.csv", format!("id,name,born\n{CRM},Ada,1980-01-01\n18,Bob,1981-02-02\n").into_bytes()),
    ];
    for (name, bytes) in contents {
        fs::write(shop.path("shop/inbox").join(name), bytes).unwrap();
    }
}

/// A shop of simulated people, the planted one among them in every way there is.
fn planted_shop() -> Shop {
    let shop = collecting("");
    let settings = shop.path("shop/safar.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let text = text.replace("\n[import]\n", "\n[import]\nkeep_contact_details = true\ndrop = \"inbox\"\n");
    fs::write(&settings, format!("{text}\n{MATCHING}")).unwrap();
    bring(&shop);
    shop.simulate(30, 1, "events.csv");
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    shop.write("till.csv", till());
    shop.safar(&["-C", "shop", "import", "till.csv"]).assert().success();

    let server = Server::start(&shop);
    let track = format!(
        r#"{{"batch":[{{"type":"track","event":"Viewed","messageId":"m-1","anonymousId":"{DEVICE}","properties":{{"by":"{USER}"}}}},
        {{"type":"track","event":"Viewed","messageId":"m-2","userId":"somebody-else"}}]}}"#
    );
    let body = zipped(&track);
    let head = format!("POST /v1/batch HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", body.len());
    assert_eq!(send(server.address, &[head.as_bytes(), &body].concat()), Some(200));
    let identify = format!(r#"{{"userId":"{USER}","messageId":"m-3","traits":{{"email":"{EMAIL}"}}}}"#);
    assert_eq!(post(server.address, "/v1/identify", &identify), Some(200));
    let broken = format!(r#"{{"batch":[{{"userId":"{USER}","traits":{{"phone":"{PHONE}"}}"#);
    assert_eq!(post(server.address, "/v1/batch", &broken), Some(400));
    until(&shop, "SELECT count(*) FROM events WHERE event_id IN ('m-1', 'm-2', 'm-3')", "3");
    until(&shop, "SELECT count(*) > 0 FROM rejects WHERE origin LIKE 'collect/%'", "true");
    assert!(server.stop().success());
    shop.safar(&["-C", "shop", "build"]).assert().success();
    shop
}

/// Rows of a till: events, a refund that names only the order, somebody else's note, and two rows that cannot be read.
fn till() -> String {
    let page = format!("https://shop.example/hello?mail={}&n=1", EMAIL.replace('@', "%40"));
    format!(
        "event_id,time,event,anonymous_id,user_id,email,phone,crm_id,page_url,order_id,value,note\n\
         p-1,2026-01-10T10:00:00Z,page_view,{DEVICE},,,,,{page},,,\n\
         p-2,2026-01-11T10:00:00Z,log_in,{DEVICE},{USER},,,,,,,hello\n\
         p-8,2026-01-11T11:00:00Z,sign_up,,{USER},{EMAIL},,,,,,\n\
         p-3,2026-01-12T10:00:00Z,purchase,,{USER},,{PHONE},{CRM},,planted-order-5511,90,\n\
         p-4,2026-01-13T10:00:00Z,refund,,,,,,,planted-order-5511,40,\n\
         p-5,2026-01-14T10:00:00Z,call,,agent-7,,,,,,,\"{EMAIL} called, from {PHONE}\"\n\
         p-6,yesterday,purchase,,{USER},,,,,,10,\n\
         p-7,tomorrow,purchase,,,{EMAIL},{PHONE},,,,10,\n"
    )
}

#[test]
fn nothing_of_a_person_is_left_in_any_byte() {
    let shop = planted_shop();
    let before = found(&shop);
    let seen = kinds(&before);
    for place in PLACES {
        assert!(seen.contains_key(place), "the search finds what was planted in {place}: {before:?}");
    }
    let count = |table: &str| shop.sql(&format!("SELECT count(*) FROM {table}")).parse::<i64>().unwrap();
    let events = count("events");

    let dry = shop.safar(&["-C", "shop", "erase", "--email", EMAIL, "--dry-run"]).assert().success();
    let dry = String::from_utf8(dry.get_output().stderr.clone()).unwrap();
    assert_eq!(found(&shop), before, "a dry run changes nothing");
    assert!(shop.failure(&["-C", "shop", "erase", "--email", EMAIL]).contains("--yes"));
    let done = shop.safar(&["-C", "shop", "erase", "--email", EMAIL, "--yes"]).assert().success();
    let done = String::from_utf8(done.get_output().stderr.clone()).unwrap();

    assert_eq!(found(&shop), BTreeSet::new(), "{done}");
    assert_eq!(events - count("events"), 7, "p-1 to p-4, p-8, m-1 and m-3: {done}");
    for line in [
        "1 people with 5 identifiers",
        "events",
        "rejects",
        "rows of reject files",
        "mentions in rows of others",
        "rows of files that were brought",
        "4 files that were brought, whole",
    ] {
        assert!(dry.contains(line) && done.contains(line), "{line}: {dry}{done}");
    }
    let note = shop.sql("SELECT properties FROM events WHERE event_id = 'p-5'");
    assert!(note.contains("(erased)"), "{note}");
    assert_eq!(shop.sql("SELECT count(*) FROM events WHERE event_id = 'm-2'"), "1", "who was in the same batch stays");
    let left = |name: &str| fs::read_to_string(shop.path("shop").join(name)).unwrap();
    let till = left("inbox/done/till.csv");
    assert!(till.starts_with("event_id,") && till.ends_with(",somebody-else,,,,,,,\"over two\nlines\"\n"), "{till}");
    assert_eq!(left("inbox/done/tables/events.ndjson"), "{\"user_id\":\"somebody-else\",\"name\":\"visit\"}\n");
    assert_eq!(left("customers.csv"), "id,name,born\n18,Bob,1981-02-02\n");

    // Deleting what is derived and building it again gives the same.
    let derived = || -> Vec<String> {
        ["persons", "person_events", "sessions", "touchpoints", "conversions", "paths", "credits"]
            .iter()
            .map(|table| {
                let columns =
                    if *table == "persons" { "namespace, identifier, person_id, valid_from, valid_to" } else { "*" };
                let mut rows: Vec<String> =
                    shop.sql(&format!("SELECT {columns} FROM {table}")).lines().map(str::to_owned).collect();
                rows.sort();
                rows.join("\n")
            })
            .collect()
    };
    let now = derived();
    shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
    assert!(now == derived(), "the tables are a function of the events that are left");

    // The same file again.
    let again = shop.safar(&["-C", "shop", "import", "till.csv"]).assert().success();
    let again = String::from_utf8(again.get_output().stderr.clone()).unwrap();
    assert!(again.contains("5 rows are of people who were erased"), "{again}");
    shop.safar(&["-C", "shop", "build"]).assert().success();
    assert_eq!(found(&shop), BTreeSet::new(), "{again}");

    let audit = shop.output(&["-C", "shop", "audit", "--format", "json"]);
    assert!(audit.contains("\"erase\"") && !holds(audit.as_bytes(), &planted()), "{audit}");
    let nobody = shop.safar(&["-C", "shop", "erase", "--id", "user=nobody-at-all", "--yes"]).assert().success();
    assert!(String::from_utf8_lossy(&nobody.get_output().stderr).contains("nothing was found"));
}

#[test]
fn what_cannot_be_taken_out_is_told() {
    let shop = crate::shop();
    shop.write("till.csv", till());
    shop.safar(&["-C", "shop", "import", "till.csv"]).assert().success();
    let settings = shop.path("shop/safar.toml");
    let text = fs::read_to_string(&settings).unwrap().replace("\n[import]\n", "\n[import]\ndrop = \"inbox\"\n");
    fs::write(&settings, format!("{text}\n{}", MATCHING.replace("customers.csv", "../customers.csv"))).unwrap();
    fs::create_dir_all(shop.path("shop/inbox/done")).unwrap();
    let list = format!("id,name,born\n{CRM},Ada,1980-01-01\n");
    shop.write("customers.csv", &list);
    shop.write("shop/inbox/new.csv", format!("email\n{EMAIL}\n"));
    shop.write("shop/inbox/done/book.xlsx", "PK\u{3}\u{4} and so on");
    let done = shop.safar(&["-C", "shop", "erase", "--email", EMAIL, "--yes"]).assert().success();
    let told = String::from_utf8(done.get_output().stderr.clone()).unwrap();
    for said in ["new.csv waits to be imported", "is outside of the workspace", "book.xlsx cannot be looked through"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert_eq!(fs::read_to_string(shop.path("customers.csv")).unwrap(), list);
    assert_eq!(found(&shop), BTreeSet::from(["inbox/new.csv".to_owned()]));
}

#[test]
fn a_person_is_erased_while_the_collector_runs() {
    let shop = collecting("[[collect.sources]]\nname = \"web\"\nkeys = [\"k\"]\n");
    shop.simulate(20, 1, "events.csv");
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    let server = Server::start(&shop);
    let track = |key: &str, message: &str, user: &str| {
        let track = format!(r#"{{"writeKey":"{key}","userId":"{user}","event":"Viewed","messageId":"{message}"}}"#);
        post(server.address, "/v1/track", &track)
    };
    for (message, user) in [("r-1", USER), ("r-2", "somebody-else")] {
        assert_eq!(track("k", message, user), Some(200));
    }
    // Who is turned away may name anybody; what the collector says of it does not.
    assert_eq!(track(EMAIL, "r-0", USER), Some(401));
    assert_eq!(post(server.address, &format!("/users/{USER}/track"), "{}"), Some(404));
    let status = || fs::read_to_string(shop.path("shop/collect/status.json")).unwrap_or_default();
    let began = Instant::now();
    while !(status().contains("(email)") && status().contains("/…/track")) {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", status());
        sleep(Duration::from_millis(100));
    }
    // Not yet in the tables: erasing waits for it.
    shop.safar(&["-C", "shop", "erase", "--id", &format!("user={USER}"), "--yes"]).assert().success();
    assert_eq!(shop.sql("SELECT event_id FROM events WHERE event_id LIKE 'r-_'"), "r-2");
    assert_eq!(found(&shop), BTreeSet::new());
    // Who comes back is somebody new.
    assert_eq!(track("k", "r-3", USER), Some(200));
    until(&shop, "SELECT count(*) FROM events WHERE event_id = 'r-3'", "1");
    assert!(server.stop().success());
    assert!(!status().contains("(email)") && !status().contains("/…"), "nobody needs it any more: {}", status());
}

#[test]
fn everything_of_a_person_is_handed_out() {
    let shop = planted_shop();
    shop.safar(&["-C", "shop", "export", "--email", EMAIL, "--out", "ada"]).assert().success();
    let read = |name: &str| fs::read_to_string(shop.path(&format!("ada/{name}"))).unwrap();
    let ids: BTreeSet<String> = ["p-1", "p-2", "p-3", "p-4", "p-8", "m-1", "m-3"].map(str::to_owned).into();
    let events: BTreeSet<String> = read("events.ndjson")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(events, ids);
    for (part, least) in [
        ("identifiers", 5),
        ("identity_links", 3),
        ("persons", 5),
        ("person_events", 1),
        ("sessions", 1),
        ("touchpoints", 1),
        ("conversions", 1),
        ("paths", 1),
        ("credits", 1),
        ("rejects", 3),
        ("reject_files", 2),
        ("files", 10),
        ("requests", 3),
    ] {
        let rows = read(&format!("{part}.ndjson")).lines().count();
        assert!(rows >= least, "{part}: {rows} rows");
    }
    let everything: String = fs::read_dir(shop.path("ada"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!everything.contains("somebody-else"), "nothing of others");
    assert!(read("summary.md").contains("| events | 7 |"), "{}", read("summary.md"));
    assert!(shop.failure(&["-C", "shop", "export", "--email", EMAIL, "--out", "ada"]).contains("there already"));
    shop.safar(&["-C", "shop", "export", "--id", &format!("user={USER}"), "--out", "ada.json"]).assert().success();
    let one: serde_json::Value = serde_json::from_str(&fs::read_to_string(shop.path("ada.json")).unwrap()).unwrap();
    assert_eq!(one["events"].as_array().unwrap().len(), 7);
}

#[test]
fn what_a_device_did_for_its_next_owner_stays() {
    let shop = crate::shop();
    shop.write(
        "device.csv",
        "event_id,time,event,anonymous_id,user_id\n\
         d-1,2026-01-01T10:00:00Z,visit,tablet-of-two,\n\
         d-2,2026-01-01T11:00:00Z,log_in,tablet-of-two,planted-first-owner\n\
         d-3,2026-02-01T10:00:00Z,visit,tablet-of-two,\n\
         d-4,2026-04-01T10:00:00Z,log_in,tablet-of-two,second-owner\n\
         d-5,2026-04-02T10:00:00Z,visit,tablet-of-two,\n",
    );
    shop.safar(&["-C", "shop", "import", "device.csv"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    let both = shop.failure(&["-C", "shop", "erase", "--id", "anonymous=tablet-of-two", "--yes"]);
    assert!(both.contains("belonged to 2 people"), "{both}");
    shop.safar(&["-C", "shop", "erase", "--id", "user=planted-first-owner", "--yes"]).assert().success();
    let events = || shop.sql("SELECT event_id FROM events ORDER BY 1");
    assert_eq!(events(), "d-4\nd-5");
    assert_eq!(found(&shop), BTreeSet::new());
    let again = shop.safar(&["-C", "shop", "import", "device.csv"]).assert().success();
    let again = String::from_utf8(again.get_output().stderr.clone()).unwrap();
    assert!(again.contains("3 rows are of people who were erased"), "{again}");
    assert_eq!(events(), "d-4\nd-5");
}
