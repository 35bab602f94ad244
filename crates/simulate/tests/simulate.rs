//! The shop is believable, its files are well-formed, and equal seeds give equal bytes.
use safar_model::{DAY_US, Interaction};
use safar_simulate::{COLUMNS, Crowd, Shop, ShopError, SimEvent, write_csv, write_ndjson};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

const SHOP: Shop = Shop { people: 600, days: 60, seed: 7, start: 1_780_272_000_000_000 };

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
    assert_eq!(format!("{:016x}", xxh3_64(&csv())), "ec6cea80e84a783c");
    let mut ndjson = Vec::new();
    write_ndjson(&SHOP, &mut ndjson).expect("memory takes bytes");
    assert_eq!(format!("{:016x}", xxh3_64(&ndjson)), "9013e02e606163da");
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
    for name in [
        "page_view",
        "view_item",
        "add_to_cart",
        "begin_checkout",
        "purchase",
        "refund",
        "login",
        "newsletter_sign_up",
        "email_sent",
        "email_open",
        "ad_impression",
        "call",
        "store_visit",
        "coupon",
    ] {
        assert!(share(&|event| event.name == name) > 0, "{name}");
    }
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
    ] {
        assert!(share(&|event| event.page_url.contains(part) && event.interaction == "click") > 0, "{part}");
    }
    for referrer in
        ["https://www.google.com/", "https://chatgpt.com/", "https://teablog.example/", "https://www.paypal.com/"]
    {
        let untagged = |event: &SimEvent| event.referrer.starts_with(referrer) && !event.page_url.contains('?');
        assert!(share(&untagged) > 0, "{referrer}");
    }
    for interaction in ["visit", "click", "impression", "email", "call", "store", "print", "none"] {
        assert!(share(&|event| event.interaction == interaction) > 0, "{interaction}");
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
    let shop = Shop { people: 3_000, ..SHOP };
    let (mut touched, mut orders) = (BTreeMap::new(), BTreeMap::new());
    let mut visits = [(0_u32, 0_u32); 2];
    let mut last_visit: BTreeMap<u32, usize> = BTreeMap::new();
    for event in shop.events().expect("the shop can be") {
        match event.name {
            "call" | "store_visit" => _ = touched.insert(event.person, event.occurred_at),
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
    assert!(rows[0][2].starts_with("2026-06-01T0") && rows[0][2].ends_with('Z'), "{}", &rows[0][2]);
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
    let crowd = Crowd { people: 300, days: 60, seed: 3 };
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
