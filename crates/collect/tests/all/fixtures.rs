//! Requests captured from the clients themselves: every one is understood, and its events are those that were sent.
use crate::{
    sent::{NOW, Sent, told},
    shared,
};
use safar_collect::Collected;
use safar_enrich::{Told, Visitors, address};
use std::{collections::BTreeMap, fs};

/// Folder → file → request, preflights left out.
pub fn all() -> Option<BTreeMap<String, BTreeMap<String, Sent>>> {
    let mut clients = BTreeMap::<String, BTreeMap<String, Sent>>::new();
    for client in fs::read_dir(shared("fixtures/sdk")?).unwrap().map(|entry| entry.unwrap()) {
        for file in fs::read_dir(client.path()).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            if file.extension().is_some_and(|kind| kind == "http") && !name.contains("OPTIONS") {
                let client = client.file_name().to_string_lossy().into_owned();
                clients.entry(client).or_default().insert(name, Sent::captured(&fs::read(&file).unwrap()));
            }
        }
    }
    Some(clients)
}

fn short(text: &str) -> &str {
    text.get(..13).filter(|_| text.len() > 20).unwrap_or(text)
}

/// One line: what, when, who, where, what for.
fn line(event: &Collected) -> String {
    let page = told(event, "page_url");
    let page = page.split('?').next().unwrap_or_default();
    let items = event.get("items").and_then(|items| items.as_array()).map_or(0, Vec::len);
    let properties: serde_json::Value = serde_json::from_str(&event.to_line()).unwrap();
    let count = properties["properties"].as_object().map_or(0, serde_json::Map::len);
    let rest = event.property("$rest").and_then(|rest| rest.as_object());
    let rest: Vec<&String> = rest.into_iter().flat_map(|rest| rest.keys()).collect();
    let [id, device, user, email] = ["event_id", "anonymous_id", "user_id", "email"].map(|column| told(event, column));
    let order = ["order_id", "value", "currency"].map(|column| told(event, column)).join(" ");
    let tags = ["utm_source", "utm_medium", "utm_campaign"]
        .map(|column| event.get(column).and_then(|tag| tag.as_str()).unwrap_or("-"))
        .join("/");
    format!(
        "{} [{}] {} id={} device={} user={user} email={email} page={page} ref={} tags={tags} order={order} items={items} consent={} properties={count} rest={rest:?}",
        told(event, "name"),
        told(event, "interaction"),
        &told(event, "occurred_at")[..23],
        short(&id),
        short(&device),
        told(event, "referrer"),
        told(event, "consent"),
    )
}

#[test]
fn every_captured_request_gives_its_events() {
    let Some(clients) = all() else { return };
    let mut out = String::new();
    for (client, requests) in &clients {
        out.push_str(&format!("# {client}\n"));
        for (name, sent) in requests {
            let decoded = sent.at(NOW).unwrap_or_else(|error| panic!("{client}/{name}: {error}"));
            let reply = &decoded.reply;
            let key = decoded.key.as_deref().unwrap_or("-");
            out.push_str(&format!("{name}: {} key={key} secret={}\n", reply.status, decoded.secret.is_some()));
            for event in &decoded.events {
                out.push_str(&format!("  {}\n", line(event)));
            }
            for reject in &decoded.rejects {
                out.push_str(&format!("  rejected {}: {}\n", reject.place, reject.reason));
            }
        }
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("captured", out);
    });
}

/// The captures were made by a browser without a screen, which says so; agents and hints come through every client alike.
#[test]
fn captured_browsers_are_known_for_what_they_are() {
    let Some(clients) = all() else { return };
    let mut known = BTreeMap::<&str, usize>::new();
    for (client, requests) in clients.iter().filter(|(client, _)| client.contains("-browser")) {
        for (name, sent) in requests {
            for event in sent.at(NOW).unwrap().events {
                let text = |name: &str| event.property(name).and_then(|value| value.as_str()).unwrap_or_default();
                let told = Told {
                    agent: text("$user_agent"),
                    hints: event.property("$client_hints"),
                    address: address::read(text("$ip")),
                    language: text("$language"),
                };
                if told.agent.is_empty() && told.hints.is_none() {
                    continue;
                }
                let seen = Visitors::default().read(&told);
                let said = (seen.browser.as_deref(), seen.os, seen.device, seen.bot);
                assert_eq!(said, (Some("Chrome"), Some("Linux"), Some("bot"), true), "{client}/{name}: {told:?}");
                assert_eq!(seen.browser_version.as_deref(), Some("156"), "{client}/{name}: {told:?}");
                let english = seen.language.as_deref().is_some_and(|tag| tag == "en" || tag.starts_with("en-"));
                assert!(english, "{client}/{name}: {told:?}");
                *known.entry(client).or_default() += 1;
            }
        }
    }
    assert!(known.len() >= 10, "{known:?}");
}

#[test]
fn a_resend_is_the_same_event() {
    let Some(clients) = all() else { return };
    let mut met = 0;
    for (client, requests) in &clients {
        // These clients never resend; their protocols have neither ids nor times.
        if ["plausible", "umami"].iter().any(|known| client.starts_with(known)) {
            continue;
        }
        for (name, sent) in requests {
            let ids = |at: i64| -> Vec<String> {
                sent.at(at).unwrap().events.iter().map(|event| told(event, "event_id")).collect()
            };
            let (first, again) = (ids(NOW), ids(NOW + 7_000_000));
            let told_by_receipt = match (client.as_str(), name.as_str()) {
                // No time is stated, or no number of the page and the hit.
                ("ga4-measurement-protocol", "002-POST_mp_collect" | "003-POST_mp_collect") => true,
                ("ga4mp-browser" | "matomo-node", _) => true,
                _ => false,
            };
            if told_by_receipt {
                assert!(first.iter().all(|id| !again.contains(id)), "{client}/{name}");
            } else {
                assert_eq!(first, again, "{client}/{name}");
                met += first.len();
            }
        }
    }
    assert!(met > 80, "{met} events");
}

#[test]
fn no_secret_and_no_whole_address_is_kept() {
    let Some(clients) = all() else { return };
    for (client, requests) in &clients {
        for (name, sent) in requests {
            for event in sent.at(NOW).unwrap().events {
                let line = event.to_line();
                for secret in ["SECRET", "TOKEN32", "key:secret", "203.0.113.7", "198.51.100.23"] {
                    assert!(!line.contains(secret), "{client}/{name} keeps {secret}: {line}");
                }
            }
        }
    }
}
