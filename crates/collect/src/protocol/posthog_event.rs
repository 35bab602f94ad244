//! One event of PostHog.
//!
//! **Identity.** `distinct_id` is a device until the person is known, then the person.
//!
//! | event | `user_id` | `anonymous_id` |
//! |---|---|---|
//! | `$identify` | `distinct_id` | `$anon_distinct_id`, else `$device_id` |
//! | `$create_alias` | the new id | the old id |
//! | `$groupidentify` of a server | – | – (its `distinct_id` stands for the group) |
//! | others with `$user_id` | `$user_id` | `$device_id` |
//! | others of a browser | `distinct_id` unless it is `$device_id` | `$device_id` |
//! | others of a server | `distinct_id`, unless it says that there is no profile | – |
//!
//! `$create_alias` has two orders: `posthog-node` puts the new id in `distinct_id` and the old one in `alias`; Python and
//! the browser put the old id in `distinct_id`. The old id of a known person is no device; it stays in `$previous_id`.
//!
//! **Tags.** `utm_*` and click ids of the browser's client stick to a device through later visits, so where there is a page
//! they stay properties, and the page's own address speaks for the visit.
use crate::{
    Collected, Request, Terms, clock, commerce,
    consent::Consent,
    ids,
    json::{Object, take, take_first, take_object, take_text, text, written},
    reason,
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::Value;

/// What holds for all events of a request.
pub(super) struct Sending<'a> {
    pub request: &'a Request<'a>,
    pub terms: &'a Terms<'a>,
    pub sent: Option<Value>,
}

/// Reads one event.
pub(super) fn event(sending: &Sending<'_>, event: Value) -> Result<Collected, (&'static str, String)> {
    let Value::Object(mut told) = event else { return Err((reason::NO_EVENT_OBJECT, event.to_string())) };
    let says = |value: Option<&Value>| value.and_then(text).is_some();
    let inserted = told.get("properties").and_then(|properties| properties.get("$insert_id"));
    // What is asked for only where a name or an id is missing.
    let whole = says(told.get("event")) && (says(told.get("uuid")) || says(inserted));
    let content = if whole { String::new() } else { written(&told) };
    let Some(name) = take_text(&mut told, "event") else { return Err((reason::EVENT_UNNAMED, content)) };
    let mut properties = take_object(&mut told, "properties");
    properties.remove("token");
    let received = sending.request.received_at;
    let (original, offset) = (told.remove("timestamp"), told.remove("offset"));
    let stated = original.as_ref().and_then(clock::read);
    let sent = sending.sent.as_ref().and_then(clock::read);
    let sent = sent.filter(|_| properties.get("$ignore_sent_at") != Some(&Value::Bool(true)));
    let time = match offset.as_ref().and_then(Value::as_f64) {
        Some(waited) => clock::correct(received, Some(received.saturating_sub((waited.max(0.0) * 1e3) as i64)), None),
        None => clock::correct(received, stated, sent),
    };
    let (name, interaction) = match name.as_str() {
        "$pageview" => ("page_view", Interaction::Visit),
        "$screen" => ("screen_view", Interaction::Visit),
        "$identify" => ("identify", Interaction::None),
        "$create_alias" => ("alias", Interaction::None),
        "$groupidentify" => ("group", Interaction::None),
        other => (other, Interaction::None),
    };
    let mut event = Collected::new("posthog", name, interaction, time);
    let own = take_text(&mut told, "uuid").or_else(|| properties.get("$insert_id").and_then(text));
    event.set(
        "event_id",
        own.unwrap_or_else(|| ids::made("posthog", &[&content], stated.is_none().then_some(received))),
    );
    event.keep_clock(original, sending.sent.clone());
    if let Some(offset) = offset {
        event.keep("$offset", offset);
    }

    let people = People::take(&mut told, &mut properties);
    people.tell(sending, name, &mut properties, &mut event);
    page(&mut properties, &mut event);
    commerce::take_order(&mut properties, &mut event);
    let mut traits = take_object(&mut properties, "$set");
    traits.extend(take_object(&mut told, "$set"));
    commerce::take_contact(&mut traits, &mut event);
    event.keep("$traits", Value::Object(traits));
    let mut once = take_object(&mut properties, "$set_once");
    once.extend(take_object(&mut told, "$set_once"));
    once.retain(|_, value| !value.is_null());
    event.keep("$traits_once", Value::Object(once));
    event.keep("$group_traits", Value::Object(take_object(&mut properties, "$group_set")));
    let group = (take_text(&mut properties, "$group_type"), take_text(&mut properties, "$group_key"));
    if let (Some(kind), Some(id)) = group {
        properties.insert("$groups".to_owned(), Value::Object([(kind, id.into())].into_iter().collect()));
    }

    let mut consent = Consent::of(sending.request);
    if properties.get("$process_person_profile") == Some(&Value::Bool(false)) {
        properties.remove("$process_person_profile");
        consent.say("person_profile", false);
    }
    consent.tell(&mut event);
    let stated = Stated {
        agent: take_first(&mut properties, &["$raw_user_agent", "$useragent"]),
        address: take(&mut properties, "$ip", |value| value.as_str()?.trim().parse().ok()),
        language: take_text(&mut properties, "$browser_language"),
        hints: None,
    };
    visitor::describe(sending.request, &mut event, stated);
    for (member, name) in [("$lib", "$library"), ("$lib_version", "$library_version")] {
        event.keep(name, take_text(&mut properties, member));
    }
    let pairs = [("$screen_width", "$screen_height", "$screen"), ("$viewport_width", "$viewport_height", "$viewport")];
    for (width, height, name) in pairs {
        if let (Some(across), Some(down)) =
            (properties.get(width).and_then(text), properties.get(height).and_then(text))
        {
            event.keep(name, format!("{across}x{down}"));
            properties.remove(width);
            properties.remove(height);
        }
    }
    event.keep_all(properties);
    for (name, value) in told {
        if !crate::json::says_nothing(&value) {
            event.rest(&name, value);
        }
    }
    Ok(event.done())
}

fn page(properties: &mut Object, event: &mut Collected) {
    for (member, column) in [("$current_url", "page_url"), ("title", "page_title"), ("$referrer", "referrer")] {
        if let Some(told) = take_text(properties, member).filter(|told| told != "$direct") {
            event.set(column, told);
        }
    }
    if let Some(screen) = take_text(properties, "$screen_name") {
        event.set_if_none("page_title", screen);
    }
    if event.get("page_url").is_none() {
        let tags: Vec<String> = properties.keys().filter(|name| name.starts_with("utm_")).cloned().collect();
        for tag in tags {
            let told = take_text(properties, &tag);
            event.set(tag, told);
        }
    }
}

/// The identifiers that an event names.
struct People {
    distinct: Option<String>,
    device: Option<String>,
    user: Option<String>,
}

impl People {
    fn take(told: &mut Object, properties: &mut Object) -> Self {
        let inner = take_text(properties, "distinct_id");
        Self {
            distinct: take_first(told, &["distinct_id", "$distinct_id"]).or(inner),
            device: take_text(properties, "$device_id"),
            user: take_text(properties, "$user_id"),
        }
    }

    fn tell(self, sending: &Sending<'_>, name: &str, properties: &mut Object, event: &mut Collected) {
        let Self { distinct, device, user } = self;
        if distinct.as_deref() == Some("$posthog_cookieless") {
            event.set("anonymous_id", ids::visitor(sending.request, sending.terms, "posthog", None, None));
            return;
        }
        match name {
            "identify" => {
                event.set("user_id", distinct);
                event.set("anonymous_id", take_text(properties, "$anon_distinct_id").or(device));
            }
            "alias" => {
                let alias = take_text(properties, "alias");
                let from_node = properties.get("$lib").and_then(Value::as_str) == Some("posthog-node");
                let (new, old) = if from_node { (distinct, alias) } else { (alias, distinct) };
                if old == user && old.is_some() {
                    event.keep("$previous_id", old);
                    event.set("anonymous_id", device);
                } else {
                    event.set("anonymous_id", old);
                }
                event.set("user_id", new);
            }
            "group" if device.is_none() && distinct.as_deref().is_some_and(|id| id.starts_with('$')) => {}
            _ => {
                let says_no = |name: &str| properties.get(name) == Some(&Value::Bool(false));
                let unknown = says_no("$process_person_profile") || says_no("$is_identified");
                let is_device = distinct.is_some() && (distinct == device || (unknown && user.is_none()));
                event.set("anonymous_id", device.or_else(|| distinct.clone().filter(|_| is_device)));
                event.set("user_id", user.or_else(|| distinct.clone().filter(|_| !is_device)));
                let named = ["anonymous_id", "user_id"].map(|column| event.get(column).and_then(Value::as_str));
                if !named.contains(&distinct.as_deref()) {
                    event.keep("$distinct_id", distinct);
                }
            }
        }
    }
}
