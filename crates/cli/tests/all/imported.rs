//! What people have: costs that reach the report of channels, and a folder whose files are taken.
use crate::{Shop, collected::Server, shop};
use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

fn example(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/imports").join(name).to_string_lossy().into_owned()
}

const EVENTS: &str = "occurred_at,name,user_id,page_url,value,currency,order_id\n\
    2026-10-01T10:00:00Z,page_view,u1,https://shop.example/?gclid=a,,,\n\
    2026-10-01T10:05:00Z,purchase,u1,,100,EUR,o1\n";

/// Sets a line of a section of safar.toml.
fn set(shop: &Shop, section: &str, line: &str) {
    let path = shop.path("shop/safar.toml");
    let text = fs::read_to_string(&path).unwrap();
    let head = format!("[{section}]");
    let at = text.find(&format!("\n{head}")).unwrap() + 1 + head.len();
    let end = at + text[at..].find('\n').unwrap();
    fs::write(path, format!("{}\n{line}{}", &text[..end], &text[end..])).unwrap();
}

#[test]
fn costs_become_cpa_and_roas_and_follow_the_rules() {
    let shop = shop();
    fs::write(shop.path("events.csv"), EVENTS).unwrap();
    shop.output(&["-C", "shop", "import", "events.csv"]);
    shop.output(&["-C", "shop", "build"]);
    let said = shop.safar(&["-C", "shop", "import", &example("google-ads.csv")]).assert().success();
    let said = String::from_utf8(said.get_output().stderr.clone()).unwrap();
    assert!(said.contains("google-ads.csv: read as Google Ads costs"), "{said}");
    assert!(said.contains("2 left out (rows of totals)"), "{said}");
    let report = shop.output(&["-C", "shop", "channels", "--format", "csv", "--model", "last"]);
    let mut lines = report.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let paid = lines.find(|line| line[0] == "Paid Search").expect("a row of Paid Search");
    let number = |name: &str| {
        let at = head.iter().position(|column| *column == name).unwrap_or_else(|| panic!("{name} of {head:?}"));
        paid[at].parse::<f64>().unwrap()
    };
    let near = |name: &str, expected: f64| assert!((number(name) - expected).abs() < 1e-9, "{name}: {}", number(name));
    near("cost", 172.45 + 165.10);
    near("credit last", 1.0);
    near("cpa last", 172.45 + 165.10);
    near("roas last", 100.0 / (172.45 + 165.10));
    let shopping = report.lines().find(|line| line.starts_with("Paid Shopping,")).expect("a campaign called Shopping");
    assert!(shopping.contains("1372.4"), "{shopping}");

    // Costs belong to the channel of the clicks that they pay for, also when the rules name it anew.
    let path = shop.path("shop/safar.toml");
    let rule = "\n[[channels.rules]]\nchannel = \"Search Ads\"\nwhen = { source = \"google\", medium = \"cpc\" }\n";
    fs::write(&path, fs::read_to_string(&path).unwrap() + rule).unwrap();
    shop.output(&["-C", "shop", "build"]);
    assert_eq!(shop.sql("select channel, count(*) from costs group by 1"), "Search Ads,3");
    assert_eq!(shop.sql("select channel from touchpoints"), "Search Ads");
}

fn wait_for(path: PathBuf) -> String {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
        sleep(Duration::from_millis(50));
    }
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_dropped_file_is_imported_once_whatever_happens_meanwhile() {
    let shop = shop();
    set(&shop, "import", "drop = \"inbox\"");
    set(&shop, "collect", "build_seconds = 1");
    let inbox = shop.path("shop/inbox");
    fs::create_dir_all(&inbox).unwrap();
    let drop_in = |from: &str, name: &str| fs::copy(example(from), inbox.join(name)).unwrap();
    drop_in("google-ads.csv", "costs.csv");
    drop_in("shopify-orders.csv", "orders.csv");
    drop_in("search-console-queries.csv", "queries.csv");
    fs::write(inbox.join("half.csv.part"), "still being").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere.csv", inbox.join("a link to nothing.csv")).unwrap();
    fs::create_dir(inbox.join("tables")).unwrap();
    for table in fs::read_dir(example("hubspot-tables")).unwrap().map(Result::unwrap) {
        fs::copy(table.path(), inbox.join("tables").join(table.file_name())).unwrap();
    }
    // Killed again and again while files wait, are read, are stored and are moved.
    for pause in [500, 3_100, 3_400, 3_700, 4_200] {
        let server = Server::start(&shop);
        sleep(Duration::from_millis(pause));
        server.kill();
    }
    let server = Server::start(&shop);
    for name in ["done/costs.csv", "done/orders.csv", "failed/queries.csv"] {
        wait_for(inbox.join(name));
    }
    let began = Instant::now();
    while !inbox.join("done/tables").exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "the folder of tables is not taken");
        sleep(Duration::from_millis(50));
    }
    let reason = wait_for(inbox.join("failed/queries.csv.txt"));
    assert!(reason.contains("no column Date") && reason.contains("Dates.csv"), "{reason}");
    // The same file again, under the same name: nothing is stored twice, and nothing is overwritten.
    drop_in("google-ads.csv", "costs.csv");
    wait_for(inbox.join("done/2-costs.csv"));
    // Ready paths become credits without further ado, and the doctor tells of the row that is none.
    fs::write(inbox.join("ways.csv"), "path;total_conversions\nEmail > Direct;2\nDirect;many\n").unwrap();
    wait_for(inbox.join("done/ways.csv"));
    let began = Instant::now();
    while shop.sql("select count(*) > 0 from credits where goal = 'ways'") != "true" {
        assert!(began.elapsed() < Duration::from_secs(60), "no credits of ready paths");
        sleep(Duration::from_millis(50));
    }
    let doctor = shop.safar(&["-C", "shop", "doctor"]).output().unwrap().stdout;
    let doctor = String::from_utf8(doctor).unwrap();
    assert!(doctor.contains("rejected rows") && doctor.contains("1 × not a number"), "{doctor}");
    assert!(server.stop().success());
    assert!(inbox.join("half.csv.part").exists(), "what is not finished is left alone");
    assert_eq!(shop.sql("select count(*), count(distinct event_id) from events"), "6,6");
    assert_eq!(shop.sql("select count(*), round(sum(cost), 2) from costs"), "3,1709.95");
    let names = "select name, count(*) from events group by 1 order by 1";
    assert_eq!(shop.sql(names), "contact_created,1\ndeal_created,1\ndeal_won,1\npurchase,2\nrefund,1");
}
