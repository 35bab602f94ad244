//! Whatever is sent: no panic, no event later than its receipt, the same bytes for the same request.
use crate::sent::{NOW, Sent};
use proptest::{collection::vec, prelude::*};
use safar_collect::{Collected, Decoded};
use serde_json::{Map, Value};

const TARGETS: [(&str, &str); 24] = [
    ("POST", "/v1/batch"),
    ("POST", "/v1/i"),
    ("GET", "/v1/projects//settings"),
    ("GET", "/sourceConfig/"),
    ("POST", "/com.snowplowanalytics.snowplow/tp2"),
    ("GET", "/i"),
    ("POST", "/e/"),
    ("GET", "/e/"),
    ("POST", "/batch/"),
    ("POST", "/i/v1/analytics/events"),
    ("POST", "/flags/"),
    ("GET", "/array//config"),
    ("GET", "/matomo.php"),
    ("POST", "/piwik.php"),
    ("POST", "/mp/collect"),
    ("POST", "/debug/mp/collect"),
    ("POST", "/g/collect"),
    ("POST", "/api/event"),
    ("POST", "/api/send"),
    ("POST", "/api/batch"),
    ("POST", "/api/s/page"),
    ("GET", "/pixel/email.gif"),
    ("GET", "/go"),
    ("POST", "/v1/p"),
];

/// Names that decoders look for.
const NAMES: &str = "batch type event messageId anonymousId userId previousId context properties traits groupId timestamp \
    originalTimestamp sentAt page url title referrer campaign source name library version ip userAgent userAgentData locale \
    screen width height device id consent consentManagement categoryPreferences allowedConsentIds data e eid dtm stm ttm co cx \
    ue_pr ue_px se_ac se_va tr_id tr_tt ti_id duid uid aid schema api_key uuid distinct_id $set $set_once $groups $ip \
    $device_id $user_id alias $lib $current_url $group_key $group_type $process_person_profile offset sent_at requests idsite \
    idgoal ec_id ec_items revenue cdt cdo cip r e_a uadata events params client_id timestamp_micros user_properties user_data \
    sha256_email_address value total currency items products order_id n d u p $ payload website hostname en _p _s pr1 ep.x \
    epn.value up.a gcs gcd npa writeKey email phone to sig $rest $unread $protocol integrations";

fn name() -> impl Strategy<Value = String> {
    let names: Vec<String> = NAMES.split_whitespace().map(str::to_owned).collect();
    prop_oneof![9 => prop::sample::select(names), 1 => ".{0,6}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::from(1e308)),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "track",
            "identify",
            "alias",
            "group",
            "page",
            "ue",
            "se",
            "pv",
            "tr",
            "purchase",
            "$identify",
            "$create_alias",
            "2026-11-21T18:59:42.828Z",
            "9999999999999",
            "-1",
            "{}",
            "[",
            "{\"data\":{\"schema\":\"a/b\",\"data\":{}}}",
            "198.51.100.1",
            "\u{0}",
            "~~~",
            "idé~p",
            "1e999",
            "/x?y",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((name(), inner), 0..7).prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn lines(events: &[Collected]) -> Vec<String> {
    events.iter().map(Collected::to_line).collect()
}

/// What holds for any request that is taken.
fn check(sent: &Sent) -> Result<(), TestCaseError> {
    let Ok(Decoded { events, reply, .. }) = sent.at(NOW) else { return Ok(()) };
    prop_assert!((200..400).contains(&reply.status));
    prop_assert_eq!(lines(&sent.at(NOW).unwrap().events), lines(&events));
    for event in &events {
        let line = event.to_line();
        prop_assert!(!line.contains('\n'));
        let read: Value = serde_json::from_str(&line).unwrap();
        for column in ["name", "event_id", "interaction", "occurred_at"] {
            prop_assert!(read[column].as_str().is_some_and(|text| !text.trim().is_empty()), "{}: {}", column, line);
        }
        prop_assert!(read["properties"].is_object());
        let time: jiff::Timestamp = read["occurred_at"].as_str().unwrap().parse().unwrap();
        prop_assert!((0..=NOW).contains(&time.as_microsecond()), "{}", line);
        let amount = event.get("value").map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        prop_assert!(
            amount.is_none_or(|text| text.trim().parse::<f64>().is_ok_and(|value| value.abs() <= 1e12)),
            "{}",
            line
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_bytes(at in 0..TARGETS.len(), query in ".{0,60}", body in vec(any::<u8>(), 0..200), zipped: bool, header in vec(any::<u8>(), 0..20)) {
        let (method, path) = TARGETS[at];
        let mut sent = Sent { method: method.into(), path: path.into(), query, body, headers: vec![] };
        if zipped {
            sent.body.splice(..0, [0x1f, 0x8b, 8, 0]);
        }
        for name in ["Authorization", "aNonymousId", "sentat", "X-Write-Key", "USER-AGENT", "content-encoding", "host"] {
            sent.headers.push((name.into(), header.clone()));
        }
        check(&sent)?;
    }

    #[test]
    fn any_json(at in 0..TARGETS.len(), body in value(), members in vec((name(), value()), 0..12)) {
        let (method, path) = TARGETS[at];
        let members: Map<String, Value> = members.into_iter().collect();
        for body in [body, Value::Object(members.clone()), Value::from(vec![members.clone()])] {
            check(&Sent { method: method.into(), ..Sent::json(path, &body) })?;
        }
        for list in ["batch", "data", "events", "requests", "payload"] {
            let mut whole = members.clone();
            let inner = Value::Object(members.clone());
            whole.insert(list.into(), if list == "payload" { inner } else { Value::from(vec![inner]) });
            check(&Sent { method: method.into(), ..Sent::json(path, &Value::Object(whole)) })?;
        }
    }

    #[test]
    fn any_parameters(at in 0..TARGETS.len(), told in vec((name(), value()), 0..16)) {
        let (method, path) = TARGETS[at];
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &told {
            form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        let form = form.finish();
        check(&Sent { method: method.into(), path: path.into(), query: form.clone(), ..Sent::default() })?;
        check(&Sent { method: method.into(), path: path.into(), body: form.into_bytes(), ..Sent::default() })?;
    }
}

proptest! {
    #[test]
    fn numbers_stay_as_they_are(number in any::<f64>(), whole: u64, negative: i64) {
        let properties = serde_json::json!({"a": number, "b": whole, "c": negative});
        let body = serde_json::json!({"type": "track", "event": "e", "properties": properties});
        let event = Sent::json("/v1/t", &body).event();
        for (name, value) in properties.as_object().unwrap() {
            // Whole numbers exactly; others to the last bits, which serde_json's quick reading may miss.
            let kept = event.property(name);
            match value.as_f64().filter(|_| value.is_f64()) {
                Some(told) => {
                    let kept = kept.and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN);
                    prop_assert!((kept - told).abs() <= 1e-15 * told.abs() || kept == told, "{} {}", kept, told);
                }
                None => prop_assert_eq!(kept.map(ToString::to_string), (!value.is_null()).then(|| value.to_string())),
            }
        }
    }
}

/// Columns that decoders set are columns that the import knows.
#[test]
fn columns_are_those_of_the_import() {
    let known = include_str!("../../../ingest/src/import/field.rs");
    for column in [
        "event_id",
        "name",
        "occurred_at",
        "anonymous_id",
        "user_id",
        "email",
        "email_hash",
        "phone",
        "phone_hash",
        "crm_id",
        "page_url",
        "page_title",
        "referrer",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "click_id",
        "click_id_type",
        "source",
        "medium",
        "campaign",
        "channel",
        "interaction",
        "order_id",
        "value",
        "currency",
        "items",
        "consent",
        "properties",
    ] {
        assert!(known.contains(&format!(" \"{column}\" [")), "{column}");
    }
    // The import looks for columns among properties, where signs do not matter: none of our own names may pass for one.
    let documented = include_str!("../../src/collected.rs").lines().filter(|line| line.starts_with("//! | `$"));
    let names: Vec<&str> =
        documented.flat_map(|line| line.split('`').filter_map(|word| word.strip_prefix('$'))).collect();
    assert!(names.len() > 20);
    for name in names {
        assert!(!known.contains(&format!("\"properties.{name}\"")), "{name}");
    }
}
