//! Simulated markets through the front door: what `safar simulate` writes is imported and built like anybody's events, and the
//! program says of it what the libraries say of the same journeys.
use crate::{Shop, shop};
use safar_attribution::{
    ModelSpec, attribute,
    experiment::{Geo, Settings, geo_hold_out, geo_plan},
    hazard::attribute_timelines,
};
use safar_model::{Micros, Paths, PathsBuilder, TimelineRef, Timelines};
use safar_simulate::causal::{CHANNELS, Observed, scenario};
use std::collections::BTreeMap;

/// As `safar simulate` begins: 2026-01-01.
const START: Micros = 1_767_225_600_000_000;

/// The channels by their own names, windows that hold the whole month, and visits that are not joined to one another.
const SETTINGS: &str = r#"
[workspace]
name = "market"

[sessions]
idle_minutes = 1
cut_on_new_campaign = true

[windows]
click_days = 60
view_days = 60

[channels]
rules = [
    { channel = "display", when = { campaign = "autumn" } },
    { channel = "social", when = { campaign = "story" } },
    { channel = "search_generic", when = { campaign = "generic" } },
    { channel = "search_brand", when = { campaign = "brand" } },
    { channel = "email", when = { campaign = "weekly" } },
    { channel = "retargeting", when = { campaign = "retargeting" } },
    { channel = "direct", when = { medium = "(none)" } },
]

[[experiments]]
name = "retargeting"
channels = ["retargeting"]
event = "experiment"
property = "arm"
treated = "shown"
control = "held_out"
treated_share = 0.7
"#;

/// The market imported and built, and what was seen of it.
fn market(name: &str, people: u32, seed: u64) -> (Shop, Observed) {
    let shop = shop();
    shop.write("shop/safar.toml", SETTINGS);
    let (people_text, seed_text) = (people.to_string(), seed.to_string());
    let simulate = ["simulate", "--scenario", name, "--people", &people_text, "--seed", &seed_text];
    shop.safar(&[&simulate[..], &["--out", "events.ndjson"]].concat()).assert().success();
    shop.safar(&["-C", "shop", "import", "events.ndjson"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    (shop, scenario(name).unwrap().process.observe(people, seed, START))
}

/// The timelines as the workspace sees them: to the millisecond, of people of whom there is anything to see, all of them watched
/// from the first to the last moment of the data.
fn imported(seen: &Timelines) -> Timelines {
    let whole = |times: &[Micros]| times.iter().map(|time| time / 1_000 * 1_000).collect::<Vec<_>>();
    let lines = || seen.iter().filter(|line| !line.times.is_empty() || !line.outcomes.is_empty());
    let moments = || lines().flat_map(|line| [whole(line.times), whole(line.outcomes)].concat());
    let (from, until) = (moments().min().unwrap(), moments().max().unwrap());
    let mut timelines = Timelines::default();
    for line in lines() {
        let (times, outcomes) = (whole(line.times), whole(line.outcomes));
        timelines.push(TimelineRef { from, until, times: &times, outcomes: &outcomes, ..line }).unwrap();
    }
    timelines
}

/// The paths of those of whom there is anything to see.
fn touched(paths: &Paths) -> Paths {
    let mut kept = PathsBuilder::default();
    paths.iter().filter(|path| !path.channels.is_empty() || path.conversions > 0.0).for_each(|path| {
        let nulls = if path.channels.is_empty() { 0.0 } else { path.nulls };
        kept.push(safar_model::PathRef { nulls, ..path });
    });
    kept.finish()
}

/// By model and channel: conversions.
fn told(csv: &str, models: &[&str]) -> BTreeMap<(String, String), f64> {
    let mut found = BTreeMap::new();
    for line in csv.lines().skip(1) {
        // Spelled models may hold commas, and then quotes: the last three cells are plain.
        let cells: Vec<&str> = line.rsplitn(4, ',').collect();
        let model = models.iter().find(|model| cells[3].trim_matches('"').starts_with(**model)).unwrap();
        found.insert(((*model).to_owned(), cells[2].to_owned()), cells[1].parse().unwrap());
    }
    found
}

#[test]
fn events_of_a_market_are_credited_as_its_journeys_are() {
    let (shop, seen) = market("S1", 1_200, 7);
    let models = ["first", "last", "linear", "position", "markov", "shapley", "hazard", "intent_hazard"];
    let mut words = vec!["-C", "shop", "attribute", "--format", "csv"];
    models.iter().for_each(|model| words.extend(["--model", model]));
    let told = told(&shop.output(&words), &models);
    let (names, lines) = (CHANNELS.map(String::from), imported(&seen.timelines));
    let paths = touched(&safar_truth::paths_of(&seen.timelines));
    for name in models {
        let model: ModelSpec = name.parse().unwrap();
        let direct = match model.is_causal() {
            true => attribute_timelines(&model, &lines, &names).unwrap(),
            false => attribute(&model, &paths, &names).unwrap(),
        };
        // What is learned by iteration, from people in another order, ends a little elsewhere.
        let most = if model.is_causal() { 1e-3 } else { 1e-9 };
        for (channel, credit) in names.iter().zip(&direct.credits) {
            let got = told.get(&(name.to_owned(), channel.clone())).copied().unwrap_or_default();
            let want = credit.conversions;
            assert!((got - want).abs() <= most * want.max(1.0), "{name} {channel}: {got}, not {want}");
        }
    }
}

#[test]
fn a_hold_out_of_a_market_is_read_from_its_events() {
    let (shop, seen) = market("X4", 1_500, 7);
    let lifts = shop.output(&["-C", "shop", "experiment", "retargeting", "--format", "csv"]);
    let row = lifts.lines().find(|line| line.starts_with("converters,")).unwrap();
    let cells: Vec<f64> = row.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
    let rate = |held_out: bool| {
        let arm = || seen.timelines.iter().zip(&seen.held_out).filter(|(_, held)| **held == held_out);
        arm().filter(|(line, _)| !line.outcomes.is_empty()).count() as f64 / arm().count() as f64
    };
    assert!((cells[0] - rate(false)).abs() < 1e-12 && (cells[1] - rate(true)).abs() < 1e-12, "{lifts}");
    // What retargeting really caused is beside the events, and inside of the interval.
    let truth: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(shop.path("events.ndjson.truth.json")).unwrap()).unwrap();
    let caused = truth["removal"][5].as_f64().unwrap();
    assert!(cells[3] <= caused && caused <= cells[4], "{caused}: {lifts}");
}

/// In each of eight cities 100 people come in February; then half of the cities see Display, and people convert as told. Later ten
/// more come to Opole, of whom one converts.
fn cities(shop: &Shop) -> Vec<Geo> {
    let conversions = [("Opole", 14), ("Lublin", 12), ("Radom", 15), ("Kielce", 13), ("Gdynia", 10), ("Sopot", 9)];
    let conversions = [&conversions[..], &[("Gniezno", 11), ("Malbork", 10)]].concat();
    let mut rows =
        String::from("event_id,name,occurred_at,user_id,utm_source,utm_medium,order_id,value,currency,city\n");
    let mut geos = vec![];
    for (city, (name, count)) in conversions.into_iter().enumerate() {
        let (treated, more) = (city < 4, if city == 0 { 10 } else { 0 });
        for person in 0..100 + more {
            let id = format!("{name}-{person}");
            let day = if person < 100 { "2026-02-20" } else { "2026-03-05" };
            rows += &format!("a{id},page_view,{day}T08:00:00Z,{id},news,email,,,,{name}\n");
            if treated && person < 100 {
                rows += &format!("b{id},page_view,2026-03-06T08:00:00Z,{id},dv360,display,,,,{name}\n");
            }
            // A purchase does not say where; the person's city is known.
            if person < count || person == 100 {
                rows += &format!("c{id},purchase,2026-03-10T08:00:00Z,{id},,,o{id},10,EUR,\n");
            }
            // As many as there are cities bought before.
            if person == 50 {
                rows += &format!("d{id},purchase,2026-02-22T08:00:00Z,{id},,,p{id},10,EUR,\n");
            }
        }
        let conversions = f64::from(count) + if more > 0 { 1.0 } else { 0.0 };
        geos.push(Geo { treated, people: 100.0, conversions, value: 10.0 * conversions, before: None });
    }
    shop.write("events.csv", rows);
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let experiment = "\n[[experiments]]\nname = \"cities\"\nchannels = [\"Display\"]\nunit = \"region\"\nproperty = \"city\"\n\
                      treated = [\"Opole\", \"Lublin\", \"Radom\", \"Kielce\"]\n\
                      control = [\"Gdynia\", \"Sopot\", \"Gniezno\", \"Malbork\"]\nfrom = \"2026-03-01\"\n";
    shop.write("shop/safar.toml", settings + experiment);
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    geos
}

#[test]
fn a_hold_out_of_regions_is_read_from_events_and_calibrates_credits() {
    let shop = shop();
    let geos = cities(&shop);
    let found = geo_hold_out(&geos, &Settings::default()).unwrap().conversions;
    let lifts = shop.output(&["-C", "shop", "experiment", "cities", "--format", "csv"]);
    let row = lifts.lines().find(|line| line.starts_with("conversions,")).unwrap();
    let cells: Vec<f64> = row.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
    let want = [found.treated, found.control, found.total.value, found.total.low, found.total.high];
    for (got, want) in cells.iter().zip(want) {
        assert!((got - want).abs() < 1e-9, "{got} instead of {want}: {lifts}");
    }
    // 55 of 400 against 40: 15 more, and as few of the 70 ways to choose four cities as there can be say so.
    assert!((cells[2] - 15.0).abs() < 1e-9 && (cells[8] - found.p.unwrap()).abs() < 1e-12, "{lifts}");
    assert!(
        (cells[8] - 2.0 / 70.0).abs() < 1e-9 && (cells[9] - found.detectable_part().unwrap()).abs() < 1e-9,
        "{lifts}"
    );
    let calibrated =
        shop.output(&["-C", "shop", "experiment", "cities", "--model", "linear", "--calibrated", "--format", "csv"]);
    let line = calibrated.lines().find(|line| line.starts_with("linear,Display,")).unwrap();
    let cells: Vec<&str> = line.split(',').collect();
    assert!((cells[3].parse::<f64>().unwrap() - 15.0).abs() < 1e-9 && cells[6] == "calibrated", "{calibrated}");
    // People of a city in which nobody was before cannot be compared.
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    shop.write("shop/safar.toml", settings.replace("\"Gdynia\"", "\"Atlantis\""));
    let error = shop.failure(&["-C", "shop", "experiment", "cities"]);
    assert!(error.contains("nobody was seen in `Atlantis` before"), "{error}");
}

#[test]
fn a_plan_says_how_many_people_or_regions_a_lift_takes() {
    let shop = shop();
    let geos = cities(&shop);
    let plan = ["-C", "shop", "experiment", "--plan", "0.2", "--from", "2026-03-01", "--format", "csv"];
    let cells = |csv: &str, measure: &str| -> Vec<String> {
        let row = csv.lines().find(|line| line.starts_with(measure)).unwrap_or_else(|| panic!("{csv}"));
        row.split(',').map(str::to_owned).collect()
    };
    let number = |cell: &str| cell.parse::<f64>().unwrap();
    let of_regions = shop.output(&[&plan[..], &["--region", "city"]].concat());
    let row = cells(&of_regions, "conversions,");
    let want = geo_plan(&geos, 4, &Settings::default()).unwrap().conversions;
    assert_eq!(row[1..3], ["regions", "8"]);
    assert!((number(&row[4]) - want.detectable_part().unwrap()).abs() < 1e-9, "{of_regions}");
    let times = want.times_larger(0.2 * want.mean).unwrap();
    assert!((number(&row[6]) - (8.0 * times).ceil()).abs() < 0.5, "{of_regions}");
    // 95 of the people who were seen in March bought; the textbook's sample size for a rise by a fifth.
    let of_people = shop.output(&plan);
    let row = cells(&of_people, "converters,");
    let (people, rate) = (number(&row[2]), number(&row[3]));
    assert_eq!(row[1], "people");
    assert!((people * rate - 95.0).abs() < 1e-6, "{of_people}");
    let textbook = 4.0 * (1.959_964 + 0.841_621_f64).powi(2) * rate * (1.0 - rate) / (0.2 * rate).powi(2);
    assert!((number(&row[6]) / textbook - 1.0).abs() < 0.01, "{textbook}: {of_people}");
    assert!((number(&row[4]) - 0.2 * (textbook / people).sqrt()).abs() < 0.01, "{of_people}");
    let error = shop.failure(&["-C", "shop", "experiment", "--plan", "0"]);
    assert!(error.contains("a lift of 0 cannot be planned for"), "{error}");
}
