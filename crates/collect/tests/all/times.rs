//! Clients' clocks.
use crate::sent::{BROWSER, NOW, Sent, told};
use serde_json::json;

/// `NOW` as `occurred_at`, moved by some seconds.
fn at(seconds: i64) -> String {
    let stamp = jiff::Timestamp::from_microsecond(NOW + seconds * 1_000_000).unwrap();
    format!("{stamp:.6}")
}

fn time(sent: &Sent) -> String {
    told(&sent.event(), "occurred_at")
}

#[test]
fn the_time_between_event_and_sending_is_what_a_clock_measures_well() {
    // A clock that is a year ahead; the event waited for a minute.
    let (made, sent) = ("2027-11-21T00:00:00.000Z", "2027-11-21T00:01:00.000Z");
    let segment = json!({"type": "track", "event": "e", "timestamp": made, "sentAt": sent});
    assert_eq!(time(&Sent::json("/v1/t", &segment)), at(-60));
    let rudderstack = json!({"type": "track", "event": "e", "originalTimestamp": made, "sentAt": sent});
    assert_eq!(time(&Sent::json("/v1/track", &rudderstack)), at(-60));
    let jitsu = json!({"type": "track", "event": "e", "timestamp": made});
    assert_eq!(time(&Sent::json("/api/s/track", &jitsu)), at(0), "nothing happens later than its receipt");
    let snowplow = Sent::get("/i?e=pv&dtm=1826755200000&stm=1826755260000");
    assert_eq!(time(&snowplow), at(-60));
    let posthog = json!({"batch": [{"event": "e", "timestamp": made}], "sent_at": sent});
    assert_eq!(time(&Sent::json("/batch/", &posthog)), at(-60));
    let offset = json!({"event": "e", "offset": 60_000});
    assert_eq!(time(&Sent::json("/e/", &offset)), at(-60));
}

#[test]
fn a_stated_time_is_taken_as_it_is() {
    let told = "2026-03-01T10:00:00.123Z";
    let want = "2026-03-01T10:00:00.123000Z";
    let rudderstack = json!({"type": "track", "event": "e", "timestamp": told, "originalTimestamp": "2026-11-21T00:00:00Z", "sentAt": "2026-11-21T00:01:00Z"});
    assert_eq!(time(&Sent::json("/v1/track", &rudderstack)), want);
    let ignore = json!({"batch": [{"event": "e", "timestamp": told, "properties": {"$ignore_sent_at": true}}], "sent_at": "2026-11-21T00:01:00Z"});
    assert_eq!(time(&Sent::json("/batch/", &ignore)), want);
    assert_eq!(time(&Sent::get("/i?e=pv&ttm=1772359200123&dtm=1&stm=2")), want);
    let google = json!({"client_id": "c", "timestamp_micros": "1772359200123000", "events": [{"name": "e"}]});
    assert_eq!(time(&Sent::json("/mp/collect", &google)), want);
    let umami = json!({"type": "event", "payload": {"website": "w", "name": "e", "timestamp": 1_772_359_200}});
    assert_eq!(time(&Sent::json("/api/send", &umami)), "2026-03-01T10:00:00.000000Z");
}

#[test]
fn matomo_needs_a_token_for_times_older_than_a_day() {
    let old = "/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fa.example%2F&cdt=2026-03-01%2010%3A00%3A00";
    let decoded = Sent::get(old).at(NOW).unwrap();
    assert_eq!((decoded.events.len(), decoded.rejects.len()), (0, 1));
    assert!(decoded.rejects[0].reason.contains("token_auth"));
    let wrong = Sent::get(&format!("{old}&token_auth=guess")).at(NOW).unwrap();
    assert_eq!(wrong.events.len(), 0);
    let trusted = Sent::get(&format!("{old}&token_auth=TOKEN32TOKEN32TOKEN32TOKEN32TOKE&cip=192.0.2.77"));
    assert_eq!(time(&trusted), "2026-03-01T10:00:00.000000Z");
    assert_eq!(told(&trusted.event(), "$ip"), "192.0.2.0");
    let young = Sent::get("/matomo.php?idsite=1&rec=1&cdt=2026-11-21%2019%3A00%3A00&cip=192.0.2.77");
    assert_eq!(time(&young), at(-600));
    assert_eq!(told(&young.header("User-Agent", BROWSER).event(), "$ip"), "198.51.100.0");
    assert_eq!(time(&Sent::get("/matomo.php?idsite=1&rec=1&cdo=60")), at(-60));
}

#[test]
fn what_is_no_time_is_the_receipt() {
    for wrong in [json!("soon"), json!(true), json!({}), json!(1e300), json!(-5)] {
        let segment = json!({"type": "track", "event": "e", "timestamp": wrong, "sentAt": "2026-11-21T00:01:00Z"});
        assert_eq!(time(&Sent::json("/v1/t", &segment)), at(0), "{wrong}");
    }
}
