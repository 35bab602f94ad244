//! Power is cut, two people write, a disk is no disk: nothing is lost, nothing is doubled.
use crate::{Shop, empty, journey_of_a_user::derived, shop};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

fn start(shop: &Shop, words: &[&str]) -> std::process::Child {
    Command::new(crate::program())
        .current_dir(shop.folder.path())
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn kill_during_import_loses_and_doubles_nothing() {
    let shop = shop();
    shop.simulate(400, 5, "events.csv");
    for delay in [5, 40, 90, 160, 260, 400] {
        let mut child = start(&shop, &["-C", "shop", "import", "events.csv"]);
        sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    let killed = shop.sql("select count(*), count(distinct event_id) from events");
    let links = shop.sql("select count(*) from identity_links");
    let calm = crate::shop();
    calm.simulate(400, 5, "events.csv");
    calm.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    assert_eq!(killed, calm.sql("select count(*), count(distinct event_id) from events"));
    assert_eq!(links, calm.sql("select count(*) from identity_links"));
}

#[test]
fn kill_during_build_is_made_good_by_the_next_build() {
    let shop = shop();
    shop.simulate(400, 5, "events.csv");
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    for delay in [20, 120, 300, 600, 1000] {
        let mut child = start(&shop, &["-C", "shop", "build", "--full"]);
        sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    shop.safar(&["-C", "shop", "build"]).assert().success();
    let counts = "select (select count(*) from sessions) as sessions, (select count(*) from touchpoints) as touchpoints, (select count(*) from conversions) as conversions, \
                  (select count(*) from paths) as paths, (select count(*) from credits) as credits, (select count(*) from persons) as persons";
    let killed = shop.sql(counts);
    shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
    assert_eq!(killed, shop.sql(counts));
}

/// Kills a build when it says that it comes to `step`, or some time later.
fn kill_at(shop: &Shop, step: &str, later: Duration) {
    let mut child = Command::new(crate::program())
        .current_dir(shop.folder.path())
        .args(["-C", "shop", "build", "--verbose"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    let came = said.map(Result::unwrap).any(|line| line == step);
    assert!(came, "{step}");
    sleep(later);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn kill_during_a_build_of_some_people_leaves_no_credit_behind() {
    let shop = shop();
    shop.simulate(200, 5, "events.csv");
    let text = std::fs::read_to_string(shop.path("events.csv")).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    // Every part has events of everyone, so that people and orders grow.
    let steps = ["journeys", "credits", "credits", "small files"];
    for (part, step) in ["people"].into_iter().chain(steps).enumerate() {
        let rows: Vec<&str> = rows.lines().skip(part).step_by(steps.len() + 1).collect();
        let file = format!("{part}.csv");
        shop.write(&file, format!("{head}\n{}\n", rows.join("\n")));
        // The import is cut off as well.
        let mut child = start(&shop, &["-C", "shop", "import", &file]);
        sleep(Duration::from_millis(100));
        child.kill().unwrap();
        child.wait().unwrap();
        shop.safar(&["-C", "shop", "import", &file]).assert().success();
        if part > 0 {
            kill_at(&shop, step, Duration::from_millis(if part == 3 { 30 } else { 0 }));
        }
        shop.safar(&["-C", "shop", "build"]).assert().success();
        let unbalanced = "select count(*) from (select model, sum(conversions) as conversions, sum(value) as value from credits group by 1), \
                          (select sum(conversions) as c, sum(value) as v from paths) where abs(conversions - c) > 1e-6 or abs(value - v) > 0.005";
        assert_eq!(shop.sql(unbalanced), "0", "{step}");
    }
    let partly = derived(&shop);
    shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
    assert_eq!(partly, derived(&shop));
}

#[test]
fn the_second_of_two_writers_is_told() {
    let shop = shop();
    let lock = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(shop.path("shop/data/.lock"))
        .unwrap();
    lock.lock().unwrap();
    shop.simulate(10, 1, "events.csv");
    for words in [["-C", "shop", "import", "events.csv"].as_slice(), &["-C", "shop", "build"]] {
        let said = shop.failure(words);
        assert!(said.contains("another process"), "{said}");
    }
    // Reading is free meanwhile.
    assert_eq!(shop.sql("select count(*) from events"), "0");
}

#[test]
fn a_file_in_the_place_of_a_folder_is_named() {
    let shop = empty();
    shop.write("shop", "I am a file");
    let said = shop.failure(&["init", "shop"]);
    assert!(said.contains("shop"), "{said}");
}
