//! The committed description of the JSON API says what the decoders do.
use crate::sent::{Sent, told};
use safar_collect::{OPENAPI, Protocol, Refusal, limits, route};
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

#[test]
fn every_call_is_described_and_every_description_is_a_call() {
    let document = document();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in &paths {
        assert_eq!(route("POST", path), Some(Protocol::Segment), "{path}");
    }
    for call in ["track", "page", "screen", "identify", "group", "alias", "batch"] {
        assert!(paths.contains(&&format!("/v1/{call}")), "{call}");
    }
}

#[test]
fn every_example_is_taken_and_gives_the_same_events_alone_and_in_a_batch() {
    let document = document();
    let (mut alone, mut together) = (vec![], vec![]);
    for (path, item) in document["paths"].as_object().unwrap() {
        let example = &item["post"]["requestBody"]["content"]["application/json"]["example"];
        let decoded = Sent::json(path, example).at(crate::sent::NOW).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(decoded.rejects.is_empty() && decoded.reply.status == 200, "{path}");
        let answer: Value = serde_json::from_slice(&decoded.reply.body).unwrap();
        assert_eq!(answer, document["components"]["responses"]["Safe"]["content"]["application/json"]["example"]);
        let events =
            decoded.events.iter().map(|event| [told(event, "event_id"), told(event, "name"), told(event, "user_id")]);
        if path == "/v1/batch" {
            together.extend(events)
        } else {
            alone.extend(events)
        }
        let known = &document["components"]["schemas"];
        for name in item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .take(1)
        {
            for (member, _) in example.as_object().unwrap() {
                assert!(known[name]["properties"].get(member).is_some(), "{path}: {member} is not described");
            }
        }
    }
    alone.sort();
    together.sort();
    assert_eq!(alone, together);
    assert_eq!(alone.len(), 6);
}

#[test]
fn every_answer_is_described() {
    let document = document();
    let refusals =
        [Refusal::Unreadable(""), Refusal::TooLarge, Refusal::Unauthorised, Refusal::TooMany(1), Refusal::Busy(1)];
    for (path, item) in document["paths"].as_object().unwrap() {
        for refusal in refusals {
            let status = refusal.reply().status.to_string();
            let described =
                item["post"]["responses"][&status]["$ref"].as_str().unwrap_or_else(|| panic!("{path} {status}"));
            let described = document.pointer(described.trim_start_matches('#')).unwrap();
            let comes_back = refusal.reply().headers.iter().any(|(name, _)| *name == "retry-after");
            assert_eq!(described["headers"]["Retry-After"].is_object(), comes_back, "{path} {status}");
        }
    }
    assert_eq!(document["components"]["schemas"]["Batch"]["properties"]["batch"]["maxItems"], limits::EVENTS);
}

#[test]
fn every_reference_leads_somewhere() {
    fn visit(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
                }
                members.values().for_each(|member| visit(member, document));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, document)),
            _ => {}
        }
    }
    let document = document();
    visit(&document, &document);
}
