//! From a file of touches to a report, and what must hold on the way.
use crate::{Shop, shared, shop, with_sample};
use std::collections::BTreeMap;

#[test]
fn credits_and_unattributed_are_the_conversions_for_every_model() {
    let shop = with_sample();
    let totals = shop.sql("select sum(conversions), sum(value) from paths where goal = 'purchase'");
    let (conversions, value) = totals.split_once(',').unwrap();
    let (conversions, value): (f64, f64) = (conversions.parse().unwrap(), value.parse().unwrap());
    assert!(conversions > 10.0, "{conversions}");
    let report = shop.output(&["-C", "shop", "attribute", "--format", "csv"]);
    let mut sums: Vec<(String, f64, f64)> = vec![];
    for line in report.lines().skip(1) {
        let cells: Vec<&str> = line.rsplitn(3, ',').collect();
        let (model, _) = cells[2].rsplit_once(',').unwrap();
        match sums.iter_mut().find(|sum| sum.0 == model) {
            Some(sum) => {
                sum.1 += cells[1].parse::<f64>().unwrap();
                sum.2 += cells[0].parse::<f64>().unwrap();
            }
            None => sums.push((model.to_owned(), cells[1].parse().unwrap(), cells[0].parse().unwrap())),
        }
    }
    assert_eq!(sums.len(), 7);
    for (model, credited, worth) in sums {
        assert!((credited - conversions).abs() < 1e-6, "{model}: {credited} of {conversions}");
        assert!((worth - value).abs() < 0.005, "{model}: {worth} of {value}");
    }
    let by_model = shop.sql("select model, sum(conversions) from credits where goal = 'purchase' group by 1");
    assert_eq!(by_model.lines().count(), 7);
    for line in by_model.lines() {
        let credited: f64 = line.rsplit_once(',').unwrap().1.parse().unwrap();
        assert!((credited - conversions).abs() < 1e-6, "{line}");
    }
}

#[test]
fn importing_twice_stores_once_and_building_twice_rebuilds_nothing() {
    let shop = with_sample();
    let before = shop.sql("select count(*), count(distinct event_id) from events");
    let again = shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    let _ = again;
    assert_eq!(shop.sql("select count(*), count(distinct event_id) from events"), before);
    let build = shop.safar(&["-C", "shop", "build"]).assert().success();
    let said = String::from_utf8(build.get_output().stderr.clone()).unwrap();
    assert!(said.contains("nothing was rebuilt"), "{said}");
}

#[test]
fn a_refund_finds_its_order_even_when_the_order_is_imported_later() {
    let shop = shop();
    let head = "event_id,name,occurred_at,user_id,order_id,value,currency";
    shop.write("office.csv", format!("{head}\nr1,refund,2026-03-06T10:00:00Z,clerk,o1,5,EUR\n"));
    shop.write("till.csv", format!("{head}\np1,purchase,2026-03-02T10:00:00Z,ann,o1,50,EUR\n"));
    let value = "select order_id, gross_value, refunded_value, value from conversions order by gross_value";
    for (file, rows) in [("office.csv", "o1,0.0,5.0,-5.0"), ("till.csv", "o1,50.0,5.0,45.0")] {
        shop.safar(&["-C", "shop", "import", file]).assert().success();
        shop.safar(&["-C", "shop", "build"]).assert().success();
        assert_eq!(shop.sql(value), rows, "{file}");
    }
}

/// Every row of the derived tables, in a fixed order.
pub fn derived(shop: &Shop) -> Vec<String> {
    ["person_events", "sessions", "touchpoints", "conversions", "credits"]
        .iter()
        .map(|table| shop.sql(&format!("select * from {table} order by person_id, 1, 2, 3, 4, 5, 6, 7")))
        .chain([shop.sql("select person_id, occurred_at, goal, conversion_id, conversions, value, nulls, array_to_string(channels, '>') from paths order by 1, 2, 3, 4")])
        .chain([shop.sql("select namespace, identifier, person_id, valid_from, valid_to from persons order by 1, 2, 3, 4")])
        .collect()
}

#[test]
fn late_events_rebuild_only_their_people_and_give_what_a_full_build_gives() {
    let shop = shop();
    shop.simulate(200, 3, "events.csv");
    let text = std::fs::read_to_string(shop.path("events.csv")).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let late = |index: usize| index % 40 == 7;
    let part = |keep: &dyn Fn(usize) -> bool| {
        let rows: Vec<&str> = rows.lines().enumerate().filter(|(index, _)| keep(*index)).map(|(_, row)| row).collect();
        format!("{head}\n{}\n", rows.join("\n"))
    };
    shop.write("first.csv", part(&|index| !late(index)));
    shop.write("late.csv", part(&|index| late(index)));
    shop.safar(&["-C", "shop", "import", "first.csv"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    shop.safar(&["-C", "shop", "import", "late.csv"]).assert().success();
    let build = shop.safar(&["-C", "shop", "build"]).assert().success();
    let said = String::from_utf8(build.get_output().stderr.clone()).unwrap();
    assert!(said.contains("new events of"), "{said}");
    let partly = derived(&shop);
    shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
    assert_eq!(partly, derived(&shop));
}

#[test]
fn every_event_stands_under_its_person_in_order_and_with_its_session() {
    let shop = with_sample();
    let both = "select (select count(*) from events where bot is not true) as told, (select count(*) from person_events) as placed";
    let counts = shop.sql(both);
    let (events, placed) = counts.split_once(',').unwrap();
    assert!(events == placed && events != "0", "{counts}");
    let numbered = "select count(*) from (select person_id, count(*) as n, min(step) as a, max(step) as b, count(distinct step) as d \
                    from person_events group by 1) where a <> 1 or b <> n or d <> n";
    assert_eq!(shop.sql(numbered), "0");
    let out_of_order = "select count(*) from (select occurred_at, lag(occurred_at) over (partition by person_id order by step) as before \
                        from person_events) where before > occurred_at";
    assert_eq!(shop.sql(out_of_order), "0");
    let strangers = "select count(*) from person_events p left join persons i on i.namespace = 'user' and i.identifier = p.user_id \
                     where p.user_id is not null and i.person_id is distinct from p.person_id";
    assert_eq!(shop.sql(strangers), "0");
    let of_others = "select count(*) from person_events e left join sessions s on s.session_id = e.session_id \
                     where e.session_id is not null and s.person_id is distinct from e.person_id";
    assert_eq!(shop.sql(of_others), "0");
}

#[test]
fn a_new_channel_rule_changes_the_past() {
    let shop = with_sample();
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let before: u64 = shop.sql("select count(*) from touchpoints where medium = 'email'").parse().unwrap();
    assert!(before > 0);
    shop.write(
        "shop/safar.toml",
        settings.replace(
            "[identity]",
            "[[channels.rules]]\nchannel = \"Letters\"\nwhen = { medium = \"email\" }\n\n[identity]",
        ),
    );
    let build = shop.safar(&["-C", "shop", "build"]).assert().success();
    let said = String::from_utf8(build.get_output().stderr.clone()).unwrap();
    assert!(said.contains("the channel rules changed"), "{said}");
    assert_eq!(shop.sql("select count(*) from touchpoints where channel = 'Letters'").parse::<u64>().unwrap(), before);
    assert_eq!(shop.sql("select count(*) from events where medium = 'email' and channel <> 'Letters'"), "0");
    let partly = derived(&shop);
    shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
    assert_eq!(partly, derived(&shop));
}

#[test]
fn one_cell_is_explained_down_to_its_touches() {
    let shop = with_sample();
    let report = shop.output(&["-C", "shop", "attribute", "--model", "linear", "--format", "csv"]);
    let cell = report.lines().nth(1).unwrap();
    let cells: Vec<&str> = cell.split(',').collect();
    let touches =
        shop.output(&["-C", "shop", "explain", "--model", "linear", cells[1], "--limit", "0", "--format", "csv"]);
    let header: Vec<&str> = touches.lines().next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let sum: f64 = touches
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|row| row[at("label")] == cells[1])
        .map(|row| row[at("credit_conversions")].parse::<f64>().unwrap())
        .sum();
    assert!((sum - cells[2].parse::<f64>().unwrap()).abs() < 1e-6, "{sum} of {cell}");
}

#[test]
fn every_format_and_every_dimension_answers() {
    let shop = with_sample();
    for by in ["channel", "source", "medium", "campaign", "content", "term"] {
        let report = shop.output(&["-C", "shop", "attribute", "--by", by, "--model", "last", "--format", "csv"]);
        assert!(report.starts_with(&format!("model,{by},conversions,value\n")), "{report}");
        assert!(report.contains("(unattributed)"));
    }
    for format in ["table", "csv", "json", "markdown"] {
        for command in [vec!["attribute"], vec!["paths"], vec!["sessions"], vec!["sql", "select * from paths limit 3"]]
        {
            let words: Vec<&str> = ["-C", "shop"].into_iter().chain(command).chain(["--format", format]).collect();
            assert!(!shop.output(&words).is_empty(), "{words:?}");
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&shop.output(&["-C", "shop", "sessions", "--format", "json"])).unwrap();
    assert!(json[0]["sessions"].as_u64().unwrap() > 0);
    let days = shop.output(&["-C", "shop", "sessions", "--by", "day", "--format", "csv"]);
    assert!(days.lines().count() > 20, "{days}");
}

/// Model and channel → conversions and value.
fn cells(csv: &str) -> BTreeMap<String, [f64; 2]> {
    let mut found = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.rsplitn(3, ',').collect();
        let numbers = [1, 0].map(|index: usize| cells[index].parse::<f64>().unwrap());
        // A channel that nothing was credited to may be absent from one of the two.
        if numbers != [0.0; 2] {
            found.insert(cells[2].to_owned(), numbers);
        }
    }
    found
}

/// The touches of a data set and its ready paths are one thing told twice: every touch counts whenever it was, a journey
/// ends at each conversion, and what follows the last one is a journey that has not ended.
fn touches_tell_what_paths_tell(name: &str) {
    let Some(folder) = shared(&format!("data/journeys/{name}")) else { return };
    let shop = shop();
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let windows = "click_days = 10000\nview_days = 10000\nnull_paths = \"journeys\"\n";
    let (head, rest) = settings.split_once("[windows]\n").unwrap();
    let rest = rest.split_once("[channels]").unwrap().1;
    shop.write("shop/safar.toml", format!("{head}[windows]\n{windows}[channels]{rest}"));
    shop.safar(&["-C", "shop", "import", folder.join("touchpoints.csv").to_str().unwrap()]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    let models = [
        "--model",
        "first",
        "--model",
        "last",
        "--model",
        "linear",
        "--model",
        "position",
        "--model",
        "markov:order=2",
    ];
    let words = |start: &[&'static str]| [start, models.as_slice(), &["--format", "csv"]].concat();
    let ours = cells(&shop.output(&words(&["-C", "shop", "attribute"])));
    let paths = folder.join("paths.csv");
    let mut told = words(&["attribute", "--paths"]);
    told.insert(2, paths.to_str().unwrap());
    let ready = cells(&shop.output(&told));
    assert_eq!(ours.keys().collect::<Vec<_>>(), ready.keys().collect::<Vec<_>>());
    for (cell, expected) in ready {
        for (got, expected) in ours[&cell].iter().zip(expected) {
            assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{name} {cell}: {got}, {expected}");
        }
    }
}

#[test]
fn touches_of_kaggle_mta_tell_what_its_paths_tell() {
    touches_tell_what_paths_tell("kaggle_mta");
}

#[test]
fn touches_of_july2018_tell_what_its_paths_tell() {
    touches_tell_what_paths_tell("july2018");
}

#[test]
fn touches_of_simple_shop_tell_what_its_paths_tell() {
    touches_tell_what_paths_tell("simple_shop");
}

/// 1,000 people who may see Display, of whom 120 convert, and 500 who are kept from it, of whom 40 convert.
fn hold_out(shop: &Shop) {
    let mut rows =
        String::from("event_id,name,occurred_at,user_id,utm_source,utm_medium,order_id,value,currency,display\n");
    for person in 0..1500 {
        let (arm, rate) = if person < 1000 { ("shown", 12) } else { ("held_out", 8) };
        rows += &format!("a{person},experiment_assigned,2026-03-01T08:00:00Z,p{person},,,,,,{arm}\n");
        if arm == "shown" && person % 10 < 6 {
            rows += &format!("v{person},page_view,2026-03-02T08:00:00Z,p{person},dv360,display,,,,\n");
        } else {
            rows += &format!("v{person},page_view,2026-03-02T08:00:00Z,p{person},news,email,,,,\n");
        }
        if person % 100 < rate {
            rows += &format!("c{person},purchase,2026-03-03T08:00:00Z,p{person},,,o{person},10,EUR,\n");
        }
    }
    shop.write("events.csv", rows);
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let experiment = "\n[[experiments]]\nname = \"display\"\nchannels = [\"Display\"]\nevent = \"experiment_assigned\"\n\
                      property = \"display\"\ntreated = \"shown\"\ncontrol = \"held_out\"\ntreated_share = 0.6667\n";
    shop.write("shop/safar.toml", settings + experiment);
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
}

#[test]
fn a_hold_out_tells_what_a_channel_adds_and_calibrates_its_credit() {
    let shop = shop();
    hold_out(&shop);
    let lifts = shop.output(&["-C", "shop", "experiment", "display", "--format", "csv"]);
    let conversions: Vec<&str> =
        lifts.lines().find(|line| line.starts_with("conversions,")).unwrap().split(',').collect();
    let number = |cell: &str| cell.parse::<f64>().unwrap();
    // 120 of 1,000 against 40 of 500: 4 points more, 40 conversions, half as many again.
    assert!((number(conversions[1]) - 0.12).abs() < 1e-12 && (number(conversions[2]) - 0.08).abs() < 1e-12, "{lifts}");
    assert!((number(conversions[3]) - 40.0).abs() < 1e-9 && (number(conversions[6]) - 0.5).abs() < 1e-9, "{lifts}");
    assert!(number(conversions[4]) < 40.0 && number(conversions[5]) > 40.0, "{lifts}");
    let calibrated =
        shop.output(&["-C", "shop", "experiment", "display", "--model", "linear", "--calibrated", "--format", "csv"]);
    let cell = |channel: &str, at: usize| {
        let line = calibrated.lines().find(|line| line.starts_with(&format!("linear,{channel},"))).unwrap();
        number(line.split(',').nth(at).unwrap())
    };
    assert!((cell("Display", 3) - 40.0).abs() < 1e-9, "{calibrated}");
    let sum = |at: usize| cell("Display", at) + cell("Email", at) + cell("(unattributed)", at);
    assert!((sum(2) - 160.0).abs() < 1e-9 && (sum(3) - 160.0).abs() < 1e-9, "{calibrated}");
    // A model of cause is summed over the treated people, too, and one that cannot is named beside the others.
    let both = ["-C", "shop", "experiment", "display", "--model", "hazard", "--model", "linear", "--calibrated"];
    let both = shop.output(&[&both[..], &["--format", "csv"]].concat());
    assert!(both.lines().any(|line| line.starts_with("linear,Display,")), "{both}");
    let hazard = |at: usize| -> f64 {
        let rows = both.lines().filter(|line| line.starts_with("hazard"));
        rows.map(|line| number(line.rsplitn(6, ',').nth(5 - at).unwrap())).sum()
    };
    assert!(hazard(1) == 0.0 || (hazard(1) - 160.0).abs() < 1e-6, "{both}");
    // Days select outcomes of both arms, as they do credits: nobody bought before the third.
    let early = shop.output(&["-C", "shop", "experiment", "display", "--from", "2026-03-04", "--format", "csv"]);
    assert!(early.lines().any(|line| line.starts_with("conversions,0.0,0.0,")), "{early}");
    let error = shop.failure(&["-C", "shop", "experiment", "search"]);
    assert!(error.contains("there is no experiment `search`; there are display"), "{error}");
}

#[test]
fn intervals_hold_the_credit_and_every_model_is_shown_beside_the_others() {
    let shop = with_sample();
    let csv = shop.output(&[
        "-C",
        "shop",
        "attribute",
        "--model",
        "all",
        "--intervals",
        "--resamples",
        "39",
        "--format",
        "csv",
    ]);
    let head = "model,channel,conversions,value,conversions_low,conversions_high,value_low,value_high,conversion_share,conversion_share_low,conversion_share_high,conversions_rank,conversions_rank_low,conversions_rank_high,conversions_above_next";
    assert_eq!(csv.lines().next(), Some(head));
    let mut models = std::collections::BTreeSet::new();
    for line in csv.lines().skip(1) {
        let mut cells: Vec<&str> = line.rsplitn(14, ',').collect();
        cells.reverse();
        models.insert(cells[0].rsplit_once(',').map_or(cells[0], |(model, _)| model).to_owned());
        let (low, high): (f64, f64) = (cells[3].parse().unwrap(), cells[4].parse().unwrap());
        assert!(low <= high, "{line}");
        let ranks: Vec<u32> = cells[10..13].iter().filter_map(|rank| rank.parse().ok()).collect();
        assert_eq!(ranks.len(), if line.contains("(unattributed)") { 0 } else { 3 }, "{line}");
        assert!(ranks.is_empty() || (ranks[0] > 0 && ranks[1] <= ranks[2]), "{line}");
    }
    assert!(models.len() >= 16, "{models:?}");
    let again = shop.output(&[
        "-C",
        "shop",
        "attribute",
        "--model",
        "all",
        "--intervals",
        "--resamples",
        "39",
        "--format",
        "csv",
    ]);
    assert_eq!(csv, again);
    let pairs = shop.output(&["-C", "shop", "attribute", "--agreement", "--format", "csv"]);
    assert_eq!(pairs.lines().count(), 1 + 7 * 6 / 2);
}

#[test]
fn transforms_and_roles_of_the_settings_are_used() {
    let shop = with_sample();
    let linear = |more: &[&str]| {
        shop.output(&[&["-C", "shop", "attribute", "--model", "linear", "--format", "csv"], more].concat())
    };
    let (plain, first) = (linear(&[]), linear(&["--transform", "first"]));
    assert_ne!(plain, first);
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let set = settings.replace(
        "[attribution]\n",
        "[attribution.roles]\n\"paid search\" = \"push\"\n\n[attribution]\ntransform = [\"first\"]\n",
    );
    shop.write("shop/safar.toml", &set);
    assert_eq!(linear(&[]), first);
    let said = |words: &[&str]| {
        let output = shop.safar(&[&["-C", "shop", "attribute"], words].concat()).assert().success();
        String::from_utf8(output.get_output().stderr.clone()).unwrap()
    };
    let hazard = said(&["--model", "hazard:rounds=5"]);
    assert!(hazard.contains("hazard:rounds=5: learning ") && hazard.contains(", steps of "), "{hazard}");
    assert!(hazard.contains("roles guessed from names: ") && hazard.contains("[attribution.roles]"), "{hazard}");
    assert!(!hazard.contains("Paid Search push") && !hazard.contains("Paid Search pull"), "{hazard}");
    let refused =
        shop.safar(&["-C", "shop", "attribute", "--model", "hazard", "--transform", "frequency"]).assert().failure();
    let why = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(why.contains("gives channels other names"), "{why}");
    shop.write("shop/safar.toml", set.replace("[\"first\"]", "[\"shuffle\"]"));
    assert!(shop.failure(&["-C", "shop", "attribute"]).contains("no transform `shuffle`"));
}

#[test]
fn what_campaigns_of_a_channel_earn_is_what_the_channel_earns() {
    let shop = with_sample();
    let credits = |words: &[&str]| -> Vec<(String, f64)> {
        let words = [&["-C", "shop", "attribute", "--model", "linear", "--format", "csv"], words].concat();
        let csv = shop.output(&words);
        let cells = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[1].to_owned(), cells[2].parse::<f64>().unwrap())
        };
        csv.lines().skip(1).map(cells).collect()
    };
    let sum = |rows: &[(String, f64)]| rows.iter().map(|row| row.1).sum::<f64>();
    let channels = credits(&[]);
    let paid = channels.iter().find(|row| row.0 == "Paid Search").unwrap().1;
    let mut campaigns = credits(&["--by", "campaign", "--within", "channel=Paid Search"]);
    assert!((sum(&campaigns) - sum(&channels)).abs() < 1e-6, "{campaigns:?}");
    campaigns.retain(|row| !row.0.starts_with("(elsewhere)") && !row.0.starts_with("(unattributed)"));
    assert!(campaigns.len() > 1 && (sum(&campaigns) - paid).abs() < 1e-6, "{campaigns:?} instead of {paid}");
    let wrong = shop.safar(&["-C", "shop", "attribute", "--within", "weather=rain"]).assert().failure();
    assert!(String::from_utf8_lossy(&wrong.get_output().stderr).contains("weather"));
}

#[test]
fn models_are_tested_on_later_paths_and_one_is_recommended_or_none() {
    let shop = with_sample();
    let scores = shop.output(&["-C", "shop", "backtest", "--model", "linear", "--model", "markov", "--format", "csv"]);
    assert_eq!(scores.lines().count(), 3, "{scores}");
    let said = shop.safar(&["-C", "shop", "backtest", "--model", "linear"]).assert().success();
    assert!(String::from_utf8_lossy(&said.get_output().stdout).contains("recommended: "));
    let bins =
        shop.output(&["-C", "shop", "backtest", "--model", "markov", "--show", "calibration", "--format", "csv"]);
    assert!(bins.lines().count() > 2, "{bins}");
    // Models of cause take part; how steady they are from week to week is not measured.
    let with_cause = ["-C", "shop", "backtest", "--model", "linear", "--model", "hazard", "--format", "csv"];
    let scores = shop.output(&with_cause);
    let hazard = scores.lines().find(|line| line.starts_with("hazard")).unwrap_or_else(|| panic!("{scores}"));
    let cells: Vec<&str> = hazard.rsplit(',').collect();
    assert!(cells[1..4].iter().all(|steadiness| steadiness.is_empty()), "{scores}");
    assert!(cells[4..10].iter().all(|score| score.parse::<f64>().is_ok_and(f64::is_finite)), "{scores}");
}
