//! The shop is believable, its files are well-formed, and equal seeds give equal bytes.
use safar_model::{DAY_US, Interaction};
use safar_simulate::{
    COLUMNS, COST_COLUMNS, Crowd, STAGES, Shop, ShopError, SimEvent, write_costs_csv, write_csv, write_ndjson,
};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

const SHOP: Shop = Shop { people: 600, days: 60, seed: 7, start: 1_761_955_200_000_000 }; // 2025-11-01

fn events() -> Vec<SimEvent> {
    SHOP.events().expect("the shop can be").collect()
}

fn csv() -> Vec<u8> {
    let mut bytes = Vec::new();
    write_csv(&SHOP, &mut bytes).expect("memory takes bytes");
    bytes
}

#[test]
fn equal_seeds_give_equal_bytes_on_every_machine() {
    assert_eq!(csv(), csv());
    assert_eq!(format!("{:016x}", xxh3_64(&csv())), "60d0d9a43bbbc696");
    let mut ndjson = Vec::new();
    write_ndjson(&SHOP, &mut ndjson).expect("memory takes bytes");
    assert_eq!(format!("{:016x}", xxh3_64(&ndjson)), "87279e298eeb0150");
    let other: Vec<_> = Shop { seed: 8, ..SHOP }.events().expect("the shop can be").take(100).collect();
    assert_ne!(other, events()[..100]);
}

#[test]
fn events_are_unique_in_time_order_and_within_the_days() {
    let events = events();
    assert!(events.is_sorted_by_key(|event| event.occurred_at));
    let ids: BTreeSet<_> = events.iter().map(|event| &event.event_id).collect();
    assert_eq!(ids.len(), events.len());
    let end = SHOP.start + i64::from(SHOP.days) * DAY_US;
    assert!(events.iter().all(|event| (SHOP.start..end).contains(&event.occurred_at)));
    for event in &events {
        assert!(event.interaction.parse::<Interaction>().is_ok(), "{event:?}");
        let known = [&event.anonymous_id, &event.user_id, &event.email, &event.phone];
        assert!(known.iter().any(|id| !id.is_empty()), "{event:?}");
    }
}

#[test]
fn every_kind_of_touch_happens() {
    let events = events();
    let share = |what: &dyn Fn(&SimEvent) -> bool| events.iter().filter(|event| what(event)).count();
    let names: BTreeSet<_> = STAGES.iter().flat_map(|(_, names)| *names).copied().collect();
    assert_eq!(
        names,
        events.iter().map(|event| event.name).collect(),
        "every event is of a stage, and every stage shows"
    );
    for part in [
        "utm_source=google&utm_medium=cpc",
        "gclid=",
        "msclkid=",
        "fbclid=",
        "ttclid=",
        "dclid=",
        "utm_medium=paid_social",
        "utm_medium=email",
        "utm_medium=affiliate",
        "utm_medium=sms",
        "utm_medium=display",
        "utm_source=Facebook&",
        "utm_medium=referral&utm_campaign=invite",
        "utm_medium=push",
        "utm_medium=paid_video",
        "utm_medium=audio",
        "utm_medium=qr",
    ] {
        assert!(share(&|event| event.page_url.contains(part) && event.interaction == "click") > 0, "{part}");
    }
    for referrer in
        ["https://www.google.com/", "https://chatgpt.com/", "https://teablog.example/", "https://www.paypal.com/"]
    {
        let untagged = |event: &SimEvent| event.referrer.starts_with(referrer) && !event.page_url.contains('?');
        assert!(share(&untagged) > 0, "{referrer}");
    }
    for interaction in Interaction::ALL {
        assert!(share(&|event| event.interaction == interaction.to_string()) > 0, "{interaction}");
    }
}

#[test]
fn orders_add_up() {
    let events = events();
    let mut orders: BTreeMap<&str, Vec<&SimEvent>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.name == "purchase") {
        orders.entry(&event.order_id).or_default().push(event);
    }
    assert!(orders.values().any(|told| told.len() == 1), "some are told once");
    assert!(orders.values().any(|told| told.len() == 2), "some are told by browser and server");
    for told in orders.values() {
        assert!(told.len() <= 2);
        assert!(told.iter().all(|event| event.value == told[0].value && event.person == told[0].person));
        let items: serde_json::Value = serde_json::from_str(&told[0].items).expect("JSON");
        let items = items.as_array().expect("an array");
        let cents = items.iter().map(|item| {
            let number = |name: &str| item[name].as_f64().expect("a number");
            (number("price") * 100.0).round() * number("quantity")
        });
        assert_eq!(Some(cents.sum::<f64>() / 100.0), told[0].value);
        assert_eq!(told[0].currency, "EUR");
    }
    for refund in events.iter().filter(|event| event.name == "refund") {
        let order = orders.get(refund.order_id.as_str()).expect("a refund has an order")[0];
        assert!(refund.value > Some(0.0) && refund.value <= order.value);
        assert!(refund.occurred_at > order.occurred_at && refund.person == order.person);
    }
}

/// Whom the shop reaches doubles in its first year, December is busier than summer, and weekends than Wednesdays.
#[test]
fn years_grow_and_have_seasons() {
    let shop = Shop { people: 900, days: 730, seed: 3, start: 1_730_419_200_000_000 }; // 2024-11-01
    let mut visits = vec![0_u32; shop.days as usize];
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut reached = [0, 0];
    for event in shop.events().expect("the shop can be") {
        let day = ((event.occurred_at - shop.start) / DAY_US) as usize;
        visits[day] += u32::from(event.name == "page_view");
        seen.insert(event.person);
        reached[usize::from(day >= 365)] = seen.len();
    }
    let sum = |from: usize, to: usize| f64::from(visits[from..to].iter().sum::<u32>()) / (to - from) as f64;
    assert!(sum(365, 730) > 1.3 * sum(0, 365), "{} {}", sum(0, 365), sum(365, 730));
    assert!((500..750).contains(&reached[0]) && reached[1] > 800, "{reached:?}");
    // From day 395 on it is December 2025; July 2026 begins on day 607.
    assert!(sum(395, 420) > 1.3 * sum(607, 638), "{} {}", sum(395, 420), sum(607, 638));
    let weekday = |wanted: usize| visits.iter().skip((wanted + 7 - 5) % 7).step_by(7).sum::<u32>(); // it began on a Friday
    assert!(f64::from(weekday(0)) > 1.1 * f64::from(weekday(3)), "{} {}", weekday(0), weekday(3));
}

/// Who comes for what, how often, and through which door, is as planted.
#[test]
fn personas_differ_as_planted() {
    let shop = Shop { people: 2_500, days: 365, seed: 5, start: 1_735_689_600_000_000 }; // 2025-01-01
    #[derive(Default)]
    struct Kind {
        people: BTreeSet<u32>,
        deals: u32,
        assistants: u32,
        visits: u32,
        orders: BTreeMap<String, (u32, f64)>,
        december: u32,
        refunds: u32,
    }
    let (mut kinds, mut of): (BTreeMap<String, Kind>, BTreeMap<u32, String>) = Default::default();
    for event in shop.events().expect("the shop can be") {
        if !event.properties.is_empty() {
            let properties: serde_json::Value = serde_json::from_str(&event.properties).expect("JSON");
            if let Some(word) = properties["persona"].as_str() {
                assert_eq!(of.entry(event.person).or_insert_with(|| word.to_owned()), word, "nobody changes");
            }
        }
        let Some(kind) = of.get(&event.person).map(|word| kinds.entry(word.clone()).or_default()) else { continue };
        kind.people.insert(event.person);
        match event.name {
            "page_view" if event.interaction == "click" || !event.referrer.is_empty() => {
                kind.visits += 1;
                kind.deals += u32::from(event.page_url.contains("utm_medium=affiliate"));
                kind.assistants +=
                    u32::from(event.referrer.contains("chatgpt") || event.referrer.contains("perplexity"));
            }
            "purchase" => {
                let is_new =
                    kind.orders.insert(event.order_id, (event.person, event.value.expect("a value"))).is_none();
                kind.december += u32::from(is_new && event.occurred_at >= shop.start + 334 * DAY_US);
            }
            "refund" => kind.refunds += 1,
            _ => {}
        }
    }
    assert_eq!(kinds.keys().collect::<Vec<_>>(), ["deal_hunter", "gift_buyer", "loyal", "researcher"]);
    let share = |word: &str, of: &dyn Fn(&Kind) -> f64| of(&kinds[word]);
    let most = |of: &dyn Fn(&Kind) -> f64| {
        kinds.iter().max_by(|a, b| of(a.1).total_cmp(&of(b.1))).map(|(word, _)| word.as_str()).expect("four kinds")
    };
    let again = |kind: &Kind| {
        let mut orders: BTreeMap<u32, u32> = BTreeMap::new();
        kind.orders.values().for_each(|(person, _)| *orders.entry(*person).or_default() += 1);
        orders.values().filter(|orders| **orders > 1).count() as f64 / orders.len() as f64
    };
    let worth = |kind: &Kind| kind.orders.values().map(|(_, value)| value).sum::<f64>() / kind.orders.len() as f64;
    assert_eq!(most(&|kind| f64::from(kind.deals) / f64::from(kind.visits)), "deal_hunter");
    assert_eq!(most(&|kind| f64::from(kind.assistants) / f64::from(kind.visits)), "researcher");
    assert_eq!(most(&|kind| f64::from(kind.december) / kind.orders.len() as f64), "gift_buyer");
    assert_eq!(most(&again), "loyal");
    assert_eq!(most(&|kind| f64::from(kind.refunds) / kind.orders.len() as f64), "deal_hunter");
    assert_eq!(most(&|kind| kind.people.len() as f64), "researcher");
    let repeats: Vec<_> = kinds
        .iter()
        .map(|(word, kind)| (word.as_str(), again(kind), kind.orders.len(), worth(kind), kind.people.len()))
        .collect();
    assert!(share("loyal", &again) > 1.5 * share("gift_buyer", &again), "{repeats:?}");
    assert!(
        kinds.values().all(|kind| (20.0..80.0).contains(&worth(kind))),
        "{:?}",
        kinds.values().map(worth).collect::<Vec<_>>()
    );
}

/// Each paid click is one of the events, each impression of a display campaign too, and nothing costs nothing.
#[test]
fn costs_are_those_of_the_clicks() {
    let mut clicks: BTreeMap<(i64, String), u64> = BTreeMap::new();
    let mut shown: BTreeMap<(i64, String), u64> = BTreeMap::new();
    for event in events() {
        let tag =
            |name: &str| event.page_url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
        let key = [tag("utm_source="), tag("utm_medium="), tag("utm_campaign=")].join("/").to_lowercase();
        let key = (
            event.occurred_at.div_euclid(DAY_US),
            if key.starts_with("newsletter/") { "newsletter/email/".to_owned() } else { key },
        );
        match (event.name, event.interaction) {
            ("page_view", "click") => *clicks.entry(key).or_default() += 1,
            ("ad_impression" | "text_message", _) => *shown.entry(key).or_default() += 1,
            _ => {}
        }
    }
    let costs = SHOP.costs().expect("the shop can be");
    let day = |cost: &safar_simulate::Cost| {
        let start = cost.day.to_zoned(jiff::tz::TimeZone::UTC).expect("a day").timestamp().as_microsecond();
        (start / DAY_US, [cost.source, cost.medium, cost.campaign].join("/"))
    };
    for cost in &costs {
        assert_eq!(clicks.get(&day(cost)).copied().unwrap_or(0), cost.clicks, "{cost:?}");
        if ["display", "paid_video", "sms"].contains(&cost.medium) {
            assert_eq!(shown.get(&day(cost)).copied().unwrap_or(0), cost.impressions, "{cost:?}");
        }
        assert!(cost.impressions > 0 || cost.clicks > 0);
    }
    let paid: BTreeSet<_> = costs.iter().map(|cost| [cost.source, cost.medium, cost.campaign].join("/")).collect();
    assert_eq!(paid.len(), 14, "{paid:?}");
    let total: u64 = costs.iter().map(|cost| cost.cents).sum();
    let sales = events().iter().filter(|event| event.name == "purchase").filter_map(|event| event.value).sum::<f64>();
    assert!(
        total > 0 && (total as f64) < 100.0 * sales,
        "the shop lives: {total} cents of costs, {sales} sold (told twice)"
    );
    let mut bytes = vec![];
    assert_eq!(write_costs_csv(&SHOP, &mut bytes).expect("memory takes bytes"), costs.len() as u64);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a header"), COST_COLUMNS.as_slice());
    assert_eq!(reader.records().count(), costs.len());
}

#[test]
fn people_have_devices_that_login_or_email_joins() {
    let events = events();
    let mut devices: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    let mut owners: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    let mut joined: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.anonymous_id.is_empty()) {
        devices.entry(event.person).or_default().insert(&event.anonymous_id);
        owners.entry(&event.anonymous_id).or_default().insert(event.person);
        if !event.email.is_empty() {
            joined.entry(event.person).or_default().insert(&event.anonymous_id);
        }
    }
    assert!(devices.values().any(|of_one| of_one.len() > 1));
    assert!(joined.values().any(|of_one| of_one.len() > 1));
    assert!(owners.values().all(|people| people.len() == 1), "no cookie is on two people's devices");
}

/// A visit ends in an order more often when a call or a store visit came in the days before.
#[test]
fn touches_move_sales() {
    // In the quiet of summer, when occasions move nothing.
    let shop = Shop { people: 4_000, start: 1_780_272_000_000_000, ..SHOP };
    let (mut touched, mut orders) = (BTreeMap::new(), BTreeMap::new());
    let mut visits = [(0_u32, 0_u32); 2];
    let mut last_visit: BTreeMap<u32, usize> = BTreeMap::new();
    for event in shop.events().expect("the shop can be") {
        match event.name {
            "call" | "store_visit" if !event.properties.contains("service") => {
                _ = touched.insert(event.person, event.occurred_at)
            }
            "page_view" if event.referrer.starts_with("https://www.google") || event.page_url.contains("utm_") => {
                let lately = touched.get(&event.person).is_some_and(|&at| event.occurred_at - at < 4 * DAY_US);
                visits[usize::from(lately)].0 += 1;
                last_visit.insert(event.person, usize::from(lately));
            }
            "purchase" if orders.insert(event.order_id, ()).is_none() => {
                if let Some(lately) = last_visit.remove(&event.person) {
                    visits[lately].1 += 1;
                }
            }
            _ => {}
        }
    }
    let [others, touched] = visits.map(|(visits, orders)| f64::from(orders) / f64::from(visits));
    assert!(touched > 1.5 * others, "{visits:?}");
    assert!((0.01..0.2).contains(&others), "{visits:?}");
}

#[test]
fn files_are_well_formed_and_say_the_same() {
    let bytes = csv();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a header"), COLUMNS.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("every row has every column");
    let mut ndjson = Vec::new();
    assert_eq!(write_ndjson(&SHOP, &mut ndjson).expect("memory takes bytes"), rows.len() as u64);
    let text = String::from_utf8(ndjson).expect("UTF-8");
    for (row, line) in rows.iter().zip(text.lines()) {
        let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
        for (name, field) in COLUMNS.iter().zip(row) {
            match &object[name] {
                serde_json::Value::Null => assert_eq!(field, ""),
                serde_json::Value::String(text) => assert_eq!(field, text),
                value => assert_eq!(&serde_json::from_str::<serde_json::Value>(field).expect("JSON"), value),
            }
        }
    }
    assert!(rows[0][2].starts_with("2025-11-01T0") && rows[0][2].ends_with('Z'), "{}", &rows[0][2]);
}

#[test]
fn shops_that_cannot_be() {
    assert_eq!(Shop { start: 1, ..SHOP }.events().err(), Some(ShopError::Start(1)));
    assert_eq!(Shop { start: i64::MAX, ..SHOP }.events().err(), Some(ShopError::Start(i64::MAX)));
    assert_eq!(Shop { days: u32::MAX, ..SHOP }.events().err(), Some(ShopError::Days(u32::MAX)));
    assert_eq!(Shop { people: 0, ..SHOP }.events().map(Iterator::count), Ok(0));
}

#[test]
fn the_crowd_shares_and_hands_over() {
    let crowd = Crowd { people: 300, days: 60, seed: 3, careless: 0 };
    let seen = crowd.sightings();
    assert_eq!(seen, crowd.sightings());
    assert!(seen.is_sorted_by_key(|sighting| sighting.at));
    let mut users: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for sighting in &seen {
        if let Some(device) = &sighting.device {
            users.entry(device).or_default().insert(sighting.person);
        }
    }
    assert!(users.values().any(|people| people.len() > 1));
    assert!(seen.iter().any(|sighting| sighting.user.as_deref() == Some("null")));
    assert!(seen.iter().any(|sighting| sighting.crm.is_some()));
}

#[test]
fn a_crowds_customer_list_has_every_account_and_errors_from_the_till() {
    let crowd = Crowd { people: 2_000, days: 60, seed: 3, careless: 0 };
    let list = crowd.customers();
    assert_eq!(list, crowd.customers());
    assert!(list.sightings.is_sorted_by_key(|sighting| sighting.at));
    let mut records: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (id, entry) in &list.records {
        records.entry(entry.person).or_default().push(id);
    }
    assert!((500..640).contains(&records.values().filter(|of_one| of_one.len() == 2).count()), "27 % have two");
    let mut address = BTreeMap::new();
    let (mut given, mut wrong, mut tills) = (0, 0, BTreeSet::new());
    for sighting in &list.sightings {
        let own = format!("person{}@mail.example", sighting.person);
        let crm = sighting.crm.as_deref().expect("a record");
        match &sighting.email {
            Some(email) if crm.starts_with('a') => assert_eq!(email.to_lowercase(), own),
            Some(email) => {
                given += 1;
                wrong += u32::from(email.to_lowercase() != own);
                assert_eq!(address.insert(crm, email), None, "an address is given once");
            }
            None => {}
        }
        if crm.starts_with('s') {
            tills.insert(crm);
        }
    }
    let share = |part: u32, of: usize| f64::from(part) / of as f64;
    assert!((0.42..0.58).contains(&share(given, tills.len())), "{given} of {}", tills.len());
    assert!((0.12..0.28).contains(&share(wrong, given as usize)), "{wrong} of {given}");
}
