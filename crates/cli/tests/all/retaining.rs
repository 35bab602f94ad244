//! `safar retain`: what is older than the limits goes from every file, and what was derived from it follows.
use crate::{erasure::found_of, shop};
use jiff::{Timestamp, ToSpan};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

fn days_ago(days: i64) -> Timestamp {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    now - (24 * days).hours()
}

/// As if it had been written so many days ago.
fn age(path: &Path, days: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
}

#[test]
fn what_is_too_old_goes() {
    let shop = shop();
    let (old, new) = (days_ago(400), days_ago(10));
    shop.write(
        "till.csv",
        format!(
            "event_id,time,event,anonymous_id,user_id,order_id,value\n\
             o-1,{old},visit,only-old-device,only-old-user,,\n\
             o-2,{old},purchase,,only-old-user,only-old-order,50\n\
             b-1,{old},purchase,both-device,both-user,b-order-1,20\n\
             b-2,{new},purchase,,both-user,b-order-2,30\n\
             n-1,{new},visit,new-device,new-user,,\n\
             x-1,never,visit,,bad-row,,\n"
        ),
    );
    shop.safar(&["-C", "shop", "import", "till.csv"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    let said = |words: &[&str]| {
        let all = [&["-C", "shop", "retain"][..], words].concat();
        String::from_utf8(shop.safar(&all).assert().success().get_output().stderr.clone()).unwrap()
    };
    assert!(said(&[]).contains("sets no limit"));
    let settings = shop.path("shop/safar.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let limits = "\n[privacy]\nkeep_events = \"1 year\"\nkeep_rejects = \"90 days\"\nkeep_requests = \"7 days\"\nkeep_dropped = \"30 days\"\n";
    let text = text.replace("\n[import]\n", "\n[import]\ndrop = \"inbox\"\n");
    fs::write(&settings, text + limits).unwrap();
    let dropped = |name: &str| shop.path("shop/inbox").join(name);
    for (name, days) in [("done/old.csv", 31), ("done/new.csv", 29), ("failed/old.csv.txt", 31), ("waits.csv", 31)] {
        fs::create_dir_all(dropped(name).parent().unwrap()).unwrap();
        fs::write(dropped(name), "a\n").unwrap();
        age(&dropped(name), days);
    }
    let rejects = fs::read_dir(shop.path("shop/rejects")).unwrap().next().unwrap().unwrap().path();
    age(&rejects, 91);
    let kept = shop.path("shop/collect/published");
    fs::create_dir_all(&kept).unwrap();
    for (name, days) in [("000001.log", 8), ("000002.log", 6)] {
        fs::write(kept.join(name), "damaged").unwrap();
        age(&kept.join(name), days);
    }

    let gone = vec!["only-old".to_owned()];
    assert!(found_of(&shop, &gone).len() > 3);
    let events = || shop.sql("SELECT event_id FROM events ORDER BY 1");
    assert!(said(&["--dry-run"]).contains("would go"));
    assert_eq!(events(), "b-1\nb-2\nn-1\no-1\no-2", "a dry run changes nothing");
    let done = said(&[]);
    for line in ["3 events", "1 links", "1 files of rejects", "1 files of kept requests", "2 files of the drop folder"]
    {
        assert!(done.contains(line), "{line}: {done}");
    }
    assert_eq!(events(), "b-2\nn-1");
    assert_eq!(found_of(&shop, &gone), BTreeSet::new());
    assert!(!rejects.exists() && !kept.join("000001.log").exists() && kept.join("000002.log").exists());
    let there = ["done/old.csv", "done/new.csv", "failed/old.csv.txt", "waits.csv"].map(|name| dropped(name).exists());
    assert_eq!(there, [false, true, false, true]);
    assert_eq!(shop.sql("SELECT count(*) FROM rejects"), "1", "it was rejected today");
    assert_eq!(shop.sql("SELECT order_id FROM conversions"), "b-order-2");
    assert_eq!(
        shop.sql("SELECT count(*) FROM identity_links WHERE id_b = 'both-user'"),
        "1",
        "the user is still there"
    );
    let derived = || {
        ["person_events", "sessions", "touchpoints", "conversions", "paths", "credits"].map(|table| {
            let mut rows: Vec<String> =
                shop.sql(&format!("SELECT * FROM {table}")).lines().map(str::to_owned).collect();
            rows.sort();
            rows
        })
    };
    let now = derived();
    shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
    assert_eq!(now, derived());
    assert!(said(&[]).contains("nothing is older"));
    assert!(shop.output(&["-C", "shop", "audit", "--format", "csv"]).contains(",retain,"));
}
