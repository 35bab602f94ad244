//! The calls that Segment, RudderStack and Jitsu share: track, page, screen, identify, group, alias.
//!
//! - **Ids.** `messageId` is the event's id; resends repeat it. A message without one gets a hash of its content and its own
//!   time, or of its receipt where it has none.
//! - **Clock.** `received − (sentAt − originalTimestamp)`; Segment's `timestamp` is such an original time. A `timestamp`
//!   beside an `originalTimestamp` (RudderStack) is stated by the caller and taken as it is.
//! - **Identity.** Every message carries `anonymousId` and `userId` where the client knows them, so `identify` and `alias`
//!   are events of interaction `none` that bear both. In `alias`, `previousId` is the device where the message names no
//!   other one; beside an `anonymousId` of its own it is an earlier account and stays in `$previous_id`.
//! - **Money.** `Order Completed`, `Order Refunded` and all others: `order_id`, `revenue` or `total` or `value`,
//!   `currency`, `products`.
use crate::{
    Collected, Request, Terms, clock, commerce,
    consent::Consent,
    ids,
    json::{Object, take, take_first, take_object, take_text, written},
    reason,
    visitor::{self, Stated},
};
use safar_model::Interaction;
use serde_json::Value;

/// What holds for all messages of a request.
pub(super) struct Envelope<'a> {
    pub request: &'a Request<'a>,
    pub terms: &'a Terms<'a>,
    pub protocol: &'static str,
    /// The call that the path names, for messages that do not say it themselves.
    pub kind: Option<&'static str>,
    /// Of the batch or the request.
    pub sent_at: Option<Value>,
    /// Of the request's headers.
    pub anonymous_id: Option<String>,
    /// Of the batch; a message's own members win.
    pub context: Object,
}

/// The calls.
pub(super) const KINDS: [&str; 6] = ["track", "page", "screen", "identify", "group", "alias"];

/// Reads one message.
pub(super) fn message(envelope: &Envelope<'_>, message: Value) -> Result<Collected, (&'static str, String)> {
    let Value::Object(mut message) = message else { return Err((reason::NO_MESSAGE_OBJECT, message.to_string())) };
    let kind = match message.get("type").and_then(Value::as_str) {
        Some(stated) => KINDS.into_iter().find(|kind| kind.eq_ignore_ascii_case(stated)),
        None => envelope.kind,
    };
    let Some(kind) = kind else { return Err((reason::UNKNOWN_MESSAGE, written(&message))) };
    let sent = message.remove("sentAt").or_else(|| envelope.sent_at.clone());
    let id = take_text(&mut message, "messageId");
    // Without the time of sending, which a resend may renew.
    let content = if id.is_none() { written(&message) } else { String::new() };
    message.remove("type");
    for name in ["writeKey", "_metadata", "receivedAt"] {
        message.remove(name); // the key, and what vendors' servers add for themselves
    }
    let mut context = take_object(&mut message, "context");
    for (name, value) in &envelope.context {
        context.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    let mut properties = take_object(&mut message, "properties");

    let (original, told) = (message.remove("originalTimestamp"), message.remove("timestamp"));
    let received = envelope.request.received_at;
    let read = |value: &Option<Value>| value.as_ref().and_then(clock::read);
    let (original_time, told_time) = (read(&original), read(&told));
    let time = match (original_time, told_time) {
        (Some(_), Some(told)) => clock::correct(received, Some(told), None),
        (original, told) => clock::correct(received, original.or(told), read(&sent)),
    };

    let event_name = take_text(&mut message, "event");
    let (name, interaction) = match kind {
        "track" => (event_name.as_deref().unwrap_or("track"), Interaction::None),
        "page" => ("page_view", Interaction::Visit),
        "screen" => ("screen_view", Interaction::Visit),
        kind => (kind, Interaction::None),
    };
    let mut event = Collected::new(envelope.protocol, name, interaction, time);
    let own_time = original_time.or(told_time);
    event.set(
        "event_id",
        id.unwrap_or_else(|| ids::made(envelope.protocol, &[&content], own_time.is_none().then_some(received))),
    );
    match (original, told) {
        (Some(original), Some(told)) => {
            event.keep_clock(Some(original), sent);
            event.rest("timestamp", told);
        }
        (original, told) => event.keep_clock(original.or(told), sent),
    }

    let title = take_text(&mut message, "name");
    if matches!(kind, "page" | "screen") {
        page(&mut event, kind, title, &mut properties);
    } else if let Some(title) = title {
        event.keep("$name", title);
    }
    commerce::take_order(&mut properties, &mut event);
    people(envelope, kind, &mut message, &mut context, &mut event);
    around(envelope.request, &mut context, &mut event);
    if let Some(integrations) = message.remove("integrations")
        && integrations.as_object().is_none_or(|all| all.values().any(|on| *on != Value::Bool(true)))
    {
        message.insert("integrations".to_owned(), integrations);
    }
    event.keep_all(properties);
    for (name, value) in message {
        let empty = value.as_object().is_some_and(Object::is_empty);
        if !empty && !crate::json::says_nothing(&value) && event.property(&name) != Some(&value) {
            event.rest(&name, value);
        }
    }
    Ok(event.done())
}

/// Members that repeat a part of the address beside them.
const ADDRESS_PARTS: [&str; 4] = ["path", "search", "hash", "host"];

/// What a page or screen call says of the page itself.
fn page(event: &mut Collected, kind: &str, title: Option<String>, properties: &mut Object) {
    if kind == "page" {
        for (member, column) in [("url", "page_url"), ("title", "page_title"), ("referrer", "referrer")] {
            if let Some(text) = take_text(properties, member) {
                event.set(column, text);
            }
        }
        if event.get("page_url").is_some() {
            properties.retain(|name, _| !ADDRESS_PARTS.contains(&name.as_str()));
        }
    }
    properties.remove("name"); // a copy of the message's own
    if let Some(title) = title {
        event.set_if_none("page_title", title.clone());
        event.keep("$name", title);
    }
}

/// Who it was.
fn people(envelope: &Envelope<'_>, kind: &str, message: &mut Object, context: &mut Object, event: &mut Collected) {
    let user = take_text(message, "userId");
    let mut device = take_text(message, "anonymousId").or_else(|| envelope.anonymous_id.clone());
    if let Some(previous) = take_text(message, "previousId") {
        if device.is_none() && user.as_ref() != Some(&previous) {
            device = Some(previous);
        } else if device.as_ref() != Some(&previous) && user.as_ref() != Some(&previous) {
            event.keep("$previous_id", previous);
        }
    }
    if device.is_none()
        && let Some(Value::Object(described)) = context.get_mut("device")
    {
        device = take_text(described, "id");
    }
    if device.is_none() && user.is_none() {
        device = ids::visitor(envelope.request, envelope.terms, envelope.protocol, None, None);
    }
    event.set("user_id", user);
    event.set("anonymous_id", device);

    let mut traits = take_object(context, "traits");
    let told = take_object(message, "traits");
    if kind == "group" {
        event.keep("$group_traits", Value::Object(told));
    } else {
        traits.extend(told);
    }
    commerce::take_contact(&mut traits, event);
    event.keep("$traits", Value::Object(traits));
    let group = take_text(message, "groupId").or_else(|| take_text(context, "groupId"));
    if let Some(group) = group {
        event.keep("$groups", Value::Object([("group".to_owned(), group.into())].into_iter().collect()));
    }
}

/// What the context says about the visit.
fn around(request: &Request<'_>, context: &mut Object, event: &mut Collected) {
    let mut page = take_object(context, "page");
    for (member, column) in [("url", "page_url"), ("title", "page_title"), ("referrer", "referrer")] {
        if let Some(text) = take_text(&mut page, member) {
            event.set_if_none(column, text);
        }
    }
    if event.get("page_url").is_some() {
        page.retain(|name, _| !ADDRESS_PARTS.contains(&name.as_str()));
    }
    if !page.is_empty() {
        context.insert("page".to_owned(), Value::Object(page));
    }
    for (tag, value) in take_object(context, "campaign") {
        let column =
            if tag == "name" { "utm_campaign".to_owned() } else { format!("utm_{}", tag.to_ascii_lowercase()) };
        match crate::json::text(&value) {
            Some(text) => event.set(column, text),
            None => event.rest(&column, value),
        }
    }
    let mut library = take_object(context, "library");
    for (member, name) in [("name", "$library"), ("version", "$library_version")] {
        if let Some(text) = take_text(&mut library, member) {
            event.keep(name, text);
        }
    }
    if !library.is_empty() {
        context.insert("library".to_owned(), Value::Object(library));
    }
    for (member, name) in [("timezone", "$timezone"), ("sessionId", "$session_id")] {
        if let Some(text) = take_text(context, member) {
            event.keep(name, text);
        }
    }
    screen(context, event);
    let mut consent = Consent::of(request);
    consent.managed(context);
    consent.tell(event);
    let stated = Stated {
        agent: take_text(context, "userAgent"),
        address: take(context, "ip", |value| value.as_str()?.trim().parse().ok()),
        language: take_first(context, &["locale"]),
        hints: context.remove("userAgentData"),
    };
    visitor::describe(request, event, stated);
    event.keep("$context", Value::Object(std::mem::take(context)));
}

fn screen(context: &mut Object, event: &mut Collected) {
    let mut screen = take_object(context, "screen");
    for (width, height, name) in [("width", "height", "$screen"), ("innerWidth", "innerHeight", "$viewport")] {
        let pair = (screen.get(width).and_then(crate::json::text), screen.get(height).and_then(crate::json::text));
        if let (Some(across), Some(down)) = pair {
            event.keep(name, format!("{across}x{down}"));
            screen.remove(width);
            screen.remove(height);
        }
    }
    if !screen.is_empty() {
        context.insert("screen".to_owned(), Value::Object(screen));
    }
}
