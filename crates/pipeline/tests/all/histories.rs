//! Whatever happened before: what builds leave is a function of events, links and settings.
use crate::kit::{Dice, Shop};

const HEAD: &str =
    "event_id,name,occurred_at,anonymous_id,user_id,crm_id,page_url,interaction,channel,order_id,value,currency";
const STEPS: [&str; 4] = ["orders", "journeys", "credits", "small files"];

/// One event of few people, devices and orders, each at a time of its own.
fn event(dice: &mut Dice, number: u64) -> String {
    let at =
        format!("2026-0{}-{:02}T{:02}:{:02}:00Z", 3 + dice.below(3), 1 + dice.below(9), dice.below(24), number % 60);
    let who = match dice.below(8) {
        0..=2 => format!("d{},,", dice.below(5)),
        3 => format!(",u{},", dice.below(4)),
        4 => format!(",,c{}", dice.below(3)),
        5 => format!("d{},u{},", dice.below(5), dice.below(4)),
        6 => format!(",u{},c{}", dice.below(4), dice.below(3)),
        _ => ",,".to_owned(),
    };
    let visit = dice.one_of(&[
        "google&utm_medium=cpc",
        "goog&utm_medium=cpc",
        "bob&utm_medium=influencer",
        "news&utm_medium=email",
    ]);
    let order = format!("o{}", dice.below(4));
    match dice.below(8) {
        0..=2 => format!("e{number},page_view,{at},{who},https://shop.example/?utm_source={visit},,,,,"),
        3 => format!("e{number},page_view,{at},{who},https://shop.example/,,,,,"),
        4 => format!("e{number},store_visit,{at},{who},,store,{},,,", dice.one_of(&["Own", "Direct"])),
        5 => format!("e{number},refund,{at},{who},,none,,{order},{},EUR", 1 + dice.below(2)),
        _ => format!("e{number},purchase,{at},{who},,none,,{order},{},EUR", 10 + dice.below(3)),
    }
}

fn settings(dice: &mut Dice) -> String {
    let zone = dice.one_of(&["UTC", "Asia/Tehran"]);
    let preset = dice.one_of(&["ga4", "universal-analytics"]);
    let goals = dice.one_of(&[
        "",
        "[[goals]]\nname = \"big\"\nevents = [\"purchase\"]\nrefunds = [\"refund\"]\ncount = \"once-per-session\"\n",
    ]);
    let rules = dice.one_of(&[
        "",
        "{ channel = \"Own\", when = { source = \"(direct)\" } }",
        "{ channel = \"Influencer\", when = { medium = \"influencer\" } }",
    ]);
    let aliases = dice.one_of(&["", "[channels.aliases]\ngoogle = [\"goog\"]\n"]);
    let identity =
        dice.one_of(&["", "[identity.namespaces.crm]\nunique = false\n", "[identity.namespaces.user]\nlimit = 2\n"]);
    let models = dice.one_of(&["\"linear\", \"last_non_direct\"", "\"last_non_direct\", \"markov\", \"time_decay\""]);
    format!(
        "[workspace]\ntime_zone = \"{zone}\"\n[sessions]\npreset = \"{preset}\"\n{goals}[channels]\nrules = [{rules}]\n{aliases}{identity}[attribution]\nmodels = [{models}]\n"
    )
}

/// Imports and changes of settings, with builds between them, some of which are cut off.
#[tokio::test(flavor = "multi_thread")]
async fn builds_forget_the_way() {
    for seed in 1..=2 {
        let (shop, again, mut dice) = (Shop::new().await, Shop::new().await, Dice(seed));
        let (mut files, mut number) = (vec![], 0);
        for part in 0..6 {
            shop.settle(&settings(&mut dice));
            let rows: Vec<String> = (0..[25, 4, 1, 6, 2, 3][part])
                .map(|_| {
                    number += 1;
                    event(&mut dice, number)
                })
                .collect();
            let file = (format!("{part}.csv"), format!("{HEAD}\n{}\n", rows.join("\n")));
            shop.import(&file.0, &file.1).await;
            files.push(file);
            match dice.below(3) {
                0 => drop(shop.build(false).await),
                1 => drop(shop.cut_build(STEPS[dice.below(4) as usize])),
                _ => {}
            }
        }
        let last = settings(&mut dice);
        shop.settle(&last);
        shop.build(false).await;
        let said = shop.build(false).await.reasons;
        assert!(said.is_empty(), "seed {seed}: {said:?}");
        let left = shop.derived().await;
        again.settle(&last);
        for (name, rows) in files.iter().rev() {
            again.import(name, rows).await;
        }
        again.build(false).await;
        for (left, straight) in left.iter().zip(again.derived().await) {
            assert_eq!(*left, straight, "seed {seed}");
        }
        shop.is_as_built_from_scratch(&format!("seed {seed}")).await;
    }
}

/// A device goes from hand to hand in the order of time, whichever file told of it first and whatever names its owners.
#[tokio::test(flavor = "multi_thread")]
async fn late_logins_stand_between_those_that_were_known() {
    let head = "event_id,name,occurred_at,anonymous_id,user_id,email";
    let known = ["n1,login,2026-01-02T10:00:00Z,d,ann,", "n3,login,2026-01-20T10:00:00Z,d,ann,"];
    for late in ["n2,login,2026-01-05T10:00:00Z,d,bob,", "n2,login,2026-01-05T10:00:00Z,d,,bob@x.example"] {
        let (shop, once) = (Shop::new().await, Shop::new().await);
        for (name, rows) in [("known.csv", known.join("\n")), ("late.csv", late.to_owned())] {
            shop.import(name, &format!("{head}\n{rows}\n")).await;
            shop.build(false).await;
        }
        once.import("all.csv", &format!("{head}\n{late}\n{}\n", known.join("\n"))).await;
        once.build(false).await;
        let owners = "select valid_from, person_id from persons where namespace = 'anonymous' order by 1";
        let told = shop.sql(owners).await;
        assert_eq!(told, once.sql(owners).await);
        // It came back to Ann, so that it is shared: half an hour around each login, and the rest between.
        assert_eq!(told.len(), 7, "{told:?}");
    }
}
