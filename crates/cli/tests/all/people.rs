//! Who is one person, why, and what people decide about it.
use crate::{Shop, shop};
use std::collections::BTreeMap;

const HEAD: &str = "event_id,name,occurred_at,anonymous_id,user_id,email,utm_source,utm_medium,order_id,value,currency";

/// Ada and Ben: each came by an advertisement on a device of theirs, and both wrote the same address once.
fn two_people() -> Shop {
    let shop = shop();
    let rows = [
        "e1,page_view,2026-03-01T10:00:00Z,tablet,,,google,cpc,,,",
        "e2,purchase,2026-03-01T11:00:00Z,tablet,ada,,,,o1,40,EUR",
        "e3,page_view,2026-03-02T10:00:00Z,laptop,,,newsletter,email,,,",
        "e4,sign_up,2026-03-02T10:10:00Z,laptop,,home@example.com,,,,,",
        "e5,purchase,2026-03-03T11:00:00Z,,ada,home@example.com,,,o2,60,EUR",
        "e7,page_view,2026-03-03T20:00:00Z,laptop,,,facebook,paid_social,,,",
        "e6,purchase,2026-03-04T11:00:00Z,,ben,home@example.com,,,o3,20,EUR",
    ];
    shop.write("events.csv", format!("{HEAD}\n{}\n", rows.join("\n")));
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    shop.safar(&["-C", "shop", "build"]).assert().success();
    shop
}

fn said(shop: &Shop, words: &[&str]) -> String {
    let done = shop.safar(words).assert().success();
    String::from_utf8(done.get_output().stderr.clone()).unwrap()
}

fn build(shop: &Shop) -> String {
    said(shop, &["-C", "shop", "build"])
}

/// Person ids of a condition over `persons`, one a line.
fn people(shop: &Shop, condition: &str) -> String {
    shop.sql(&format!("select distinct person_id from persons where {condition} order by 1"))
}

/// What clients say when somebody signs in: a device, a user and an address in one event.
#[test]
fn who_says_two_names_at_once_is_one_person() {
    let shop = shop();
    let rows = [
        "e1,page_view,2026-03-01T10:00:00Z,phone,,,google,cpc,,,",
        "e2,identify,2026-03-01T10:01:00Z,phone,ada,ada@example.com,,,,,",
        "e3,page_view,2026-03-02T10:00:00Z,phone,ada,ada@example.com,,,,,",
        "e4,purchase,2026-03-03T10:00:00Z,,,ada@example.com,,,o1,40,EUR",
        "e5,page_view,2026-03-04T10:00:00Z,phone,ben,ben@example.com,,,,,",
        "e6,purchase,2026-03-05T10:00:00Z,,,ben@example.com,,,o2,10,EUR",
    ];
    shop.write("events.csv", format!("{HEAD}\n{}\n", rows.join("\n")));
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    build(&shop);
    let names = "select count(distinct person_id), count(*) from persons where namespace in ('user', 'email')";
    assert_eq!(shop.sql(names), "2,4", "two people with two names each, though they shared a device");
    let bought = "select count(*) from conversions c join paths p on c.conversion_id = p.conversion_id where p.length > 0 and c.value = 40";
    assert_eq!(shop.sql(bought), "1", "Ada's order follows the click on her phone");
}

#[test]
fn why_shows_the_links_or_what_forbids_them() {
    let shop = two_people();
    let why = |one: &str, other: &str| {
        let words = ["-C", "shop", "people", "why", one, other, "--format", "csv"];
        (shop.output(&words), said(&shop, &words))
    };
    let (rows, notes) = why("user:ada", "anonymous:laptop");
    assert_eq!(rows.lines().count(), 3, "{rows}");
    assert!(rows.contains("event") && notes.contains("are one person"), "{rows}{notes}");
    let (rows, notes) = why("user:ada", "user:ben");
    assert_eq!(rows.lines().count(), 2, "{rows}");
    assert!(notes.contains("are two people") && notes.contains("a person has at most 1 user"), "{notes}");
    let conflicts = shop.output(&["-C", "shop", "people", "conflicts", "--format", "csv"]);
    let link = conflicts.lines().nth(1).unwrap_or_default();
    assert_eq!(conflicts.lines().count(), 2, "{conflicts}");
    assert!(link.starts_with("user:ben,email:") && link.contains("e6,a person has at most 1 user,"), "{link}");
    let in_sql = "select c.id_a, c.ns_b, c.event_id, c.rule, p.person_id = c.person_a, c.person_a = c.person_b, count(*) over () \
                  from identity_conflicts c join persons p on p.namespace = c.ns_a and p.identifier = c.id_a";
    assert_eq!(shop.sql(in_sql), "ben,email,e6,a person has at most 1 user,true,false,1");
    let error = shop.failure(&["-C", "shop", "people", "why", "ada", "user:ben"]);
    assert!(error.contains("write NAMESPACE:VALUE"), "{error}");
}

#[test]
fn a_split_by_hand_survives_every_rebuild_and_can_be_taken_back() {
    let shop = two_people();
    let joined = people(&shop, "identifier in ('ada', 'laptop')");
    assert_eq!(joined.lines().count(), 1);
    let told =
        said(&shop, &["-C", "shop", "people", "split", "user:ada", "email:home@example.com", "--note", "her mother"]);
    assert!(told.contains("changes"), "{told}");
    let events = shop.sql("select count(*), min(user_id), max(anonymous_id) from events");
    assert!(build(&shop).contains("gained or lost identifiers"));
    assert_eq!(people(&shop, "identifier in ('ada', 'laptop')").lines().count(), 2);
    // Ben wrote the address, too, and nothing keeps it from him any more.
    assert_eq!(people(&shop, "identifier in ('ben', 'laptop')").lines().count(), 1);
    shop.safar(&["-C", "shop", "build", "--full"]).assert().success();
    assert_eq!(people(&shop, "identifier in ('ada', 'laptop')").lines().count(), 2);
    assert_eq!(
        shop.sql("select count(*), min(user_id), max(anonymous_id) from events"),
        events,
        "events stay as they are"
    );
    let notes = said(&shop, &["-C", "shop", "people", "why", "user:ada", "email:home@example.com"]);
    assert!(notes.contains("took them apart by hand"), "{notes}");
    let rows = shop.output(&["-C", "shop", "people", "why", "user:ada", "email:home@example.com", "--format", "csv"]);
    assert!(rows.contains("by hand: her mother"), "{rows}");

    let warned = said(&shop, &["-C", "shop", "people", "join", "user:ada", "email:home@example.com"]);
    assert!(warned.contains("stored"), "{warned}");
    build(&shop);
    assert_eq!(people(&shop, "identifier in ('ada', 'laptop')"), joined, "and the id is the old one");
}

#[test]
fn joining_two_accounts_is_stored_and_told_to_break_a_rule() {
    let shop = two_people();
    let told = said(&shop, &["-C", "shop", "people", "join", "user:ada", "user:ben"]);
    assert!(told.contains("they stay two people: a person has at most 1 user"), "{told}");
    let audit = shop.output(&["-C", "shop", "audit", "--format", "csv"]);
    for told in [",decision,", r#""conflict"":true"#, r#""decision"":""join"""#] {
        assert!(audit.contains(told), "{told}: {audit}");
    }
    let error = shop.failure(&["-C", "shop", "people", "join", "user:ada", "user:nobody"]);
    assert!(error.contains("nothing that is stored carries user `nobody`"), "{error}");
    let error = shop.failure(&["-C", "shop", "people", "split", "user:ada", "user:ben", "--from", "2026-01-01"]);
    assert!(error.contains("only a device"), "{error}");
}

#[test]
fn a_preview_is_what_the_build_then_makes_and_stores_nothing() {
    let shop = two_people();
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let free = settings.replacen("[identity]", "[identity]\n[identity.namespaces.user]\nunique = false\n", 1);
    shop.write("free.toml", &free);
    let snapshot = std::fs::read(shop.path("shop/data/snapshot.json")).unwrap();
    let preview = |show: &str| {
        let words = [
            "-C",
            "shop",
            "people",
            "preview",
            "--settings",
            "free.toml",
            "--show",
            show,
            "--model",
            "linear",
            "--format",
            "csv",
        ];
        (shop.output(&words), said(&shop, &words))
    };
    let (people, notes) = preview("people");
    assert!(people.contains("merged,2,1,"), "{people}");
    assert!(notes.contains("merged: 2 people would be 1"), "{notes}");
    let (credits, _) = preview("credits");
    assert_eq!(std::fs::read(shop.path("shop/data/snapshot.json")).unwrap(), snapshot, "nothing is stored");
    let some =
        |(channel, number): (&str, &str)| Some((channel.to_owned(), number.parse().ok()?)).filter(|row| row.1 != 0.0);
    let sum = |column: usize| -> BTreeMap<String, f64> {
        let cells = credits.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        cells.filter_map(|cells| some((cells[1], cells[column]))).collect()
    };
    let attributed = || -> BTreeMap<String, f64> {
        let report = shop.output(&["-C", "shop", "attribute", "--model", "linear", "--format", "csv"]);
        let cells = report.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        cells.filter_map(|cells| some((cells[1], cells[2]))).collect()
    };
    assert_eq!(sum(2), attributed());
    shop.write("shop/safar.toml", free);
    let own = shop.output(&["-C", "shop", "people", "preview", "--show", "people", "--format", "csv"]);
    assert_eq!(own, people, "the workspace's own file, before it is built");
    build(&shop);
    assert_eq!(sum(3), attributed(), "{credits}");
    assert_ne!(sum(2), sum(3), "the rules matter to credits: {credits}");
}

#[test]
fn a_preview_of_data_that_no_build_has_seen_is_refused() {
    let shop = two_people();
    shop.write("late.csv", format!("{HEAD}\ne9,page_view,2026-03-05T10:00:00Z,phone,ada,,,,,,\n"));
    shop.safar(&["-C", "shop", "import", "late.csv"]).assert().success();
    let error = shop.failure(&["-C", "shop", "people", "preview"]);
    assert!(error.contains("`safar build` first"), "{error}");
}

#[test]
fn values_blocked_later_leave_their_links_out_and_no_build_fails() {
    let shop = two_people();
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    shop.write("shop/safar.toml", settings.replacen("[identity]", "[identity]\nblocked = [\"tablet\"]", 1));
    let told = build(&shop);
    assert!(told.contains("1 links join nobody because `blocked`"), "{told}");
    assert_eq!(people(&shop, "identifier in ('ada', 'tablet')").lines().count(), 2);
}

#[test]
fn probable_matches_are_for_review_and_join_when_the_settings_allow_it() {
    let shop = shop();
    let names = ["Anna Berg", "Jonas Lind", "Maria Kovac", "Peter Stern", "Sofia Dorn", "Karim Hale"];
    let mut list = "customer,name,born,town\n".to_owned();
    let mut events = "event_id,name,occurred_at,crm_id,order_id,value,currency\n".to_owned();
    for number in 0..60 {
        let name = format!("{} {number}", names[number % 6]);
        let born = format!("19{:02}-0{}-1{}", 40 + number, number % 9 + 1, number % 7);
        for copy in ["a", "b"] {
            let name = if copy == "b" && number % 4 == 0 { name.replacen('a', "e", 1) } else { name.clone() };
            list += &format!("{number}{copy},{name},{born},{}\n", ["Hull", "York"][number % 2]);
            events += &format!("{number}{copy},purchase,2026-03-01T10:00:00Z,{number}{copy},{number}{copy},5,EUR\n");
        }
    }
    shop.write("shop/customers.csv", list);
    shop.write("events.csv", events);
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    build(&shop);
    let error = shop.failure(&["-C", "shop", "people", "match"]);
    assert!(error.contains("[identity.matching]"), "{error}");
    let template = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    let matching = |min: &str| {
        let identity = format!(
            "[identity]\nmin_confidence = {min}\n[identity.namespaces.crm]\nunique = false\n[identity.matching]\nfile = \"customers.csv\"\n\
             namespace = \"crm\"\nidentifier = \"customer\"\n[identity.matching.model]\n\
             comparisons = [\"name: exact, jaro_winkler 0.9\", \"born: exact\", \"town: exact\"]\nblocks = [\"born\", \"name\"]\naccept = 0.9\n"
        );
        shop.write("shop/safar.toml", template.replacen("[identity]", &identity, 1));
    };
    matching("1.0");
    let words = ["-C", "shop", "people", "match", "--show", "accepted", "--store", "--format", "csv", "--limit", "0"];
    let done = shop.safar(&words).assert().success();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (pairs, told) = (text(&done.get_output().stdout), text(&done.get_output().stderr));
    assert!(told.contains("stored 60 links") && told.contains("join nobody, and it is 1"), "{told}");
    assert_eq!(pairs.lines().count(), 61, "{pairs}");
    assert!(pairs.contains("born exact"), "{pairs}");
    build(&shop);
    assert_eq!(people(&shop, "namespace = 'crm'").lines().count(), 120, "likely links join nobody by themselves");
    matching("0.9");
    build(&shop);
    assert_eq!(people(&shop, "namespace = 'crm'").lines().count(), 60);
    let audit = shop.output(&["-C", "shop", "audit", "--format", "csv"]);
    assert!(audit.contains(r#",matches,"{""links"":60}""#), "{audit}");
    let model = shop.output(&["-C", "shop", "people", "match", "--show", "model", "--format", "csv"]);
    assert!(model.starts_with("field,level,m,u,bits\nname,exact,"), "{model}");
    // What somebody decided is not asked again.
    shop.safar(&["-C", "shop", "people", "split", "crm:0a", "crm:0b"]).assert().success();
    let words = ["-C", "shop", "people", "match", "--show", "accepted", "--format", "csv", "--limit", "0"];
    assert_eq!(shop.output(&words).lines().count(), 60);
    assert!(said(&shop, &words).contains("1 pairs are left out"));
    let settings = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    assert!(!said(&shop, &words).contains("is unique"));
    shop.write("shop/safar.toml", settings.replace("unique = false", "unique = true"));
    assert!(said(&shop, &words).contains("[identity.namespaces.crm] is unique"), "no two of them could be one person");
}
