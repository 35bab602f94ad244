//! Events to files.
use crate::{Shop, SimEvent};
use safar_model::{DAY_US, Micros};
use std::{
    fmt::Write as _,
    io::{self, Write},
};

/// Bytes that wait for a write.
const BUFFER: usize = 1 << 16;

/// The columns of both writers, in order; what is absent is empty in CSV and left out in NDJSON.
#[rustfmt::skip]
pub const COLUMNS: [&str; 16] = [
    "event_id", "name", "occurred_at", "anonymous_id", "user_id", "email", "phone", "page_url", "referrer",
    "interaction", "order_id", "value", "currency", "items", "consent", "properties",
];

/// The place of `value` in [`COLUMNS`], and of the first column that holds JSON.
const VALUE: usize = 11;
const JSON: usize = 13;

/// Writes a shop's events as CSV (UTF-8, comma, `"` doubled, `\n`) with a header line, and returns how many.
///
/// # Errors
/// When `out` cannot be written, or the shop cannot be ([`crate::ShopError`] inside).
pub fn write_csv(shop: &Shop, out: impl Write) -> io::Result<u64> {
    let mut events = events_of(shop)?;
    csv_rows(|event| events.next_into(event), out)
}

/// Writes events as [`write_csv`] does.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_events_csv(events: impl IntoIterator<Item = SimEvent>, out: impl Write) -> io::Result<u64> {
    csv_rows(one_by_one(events), out)
}

fn csv_rows(next: impl FnMut(&mut SimEvent) -> bool, out: impl Write) -> io::Result<u64> {
    write_rows(next, out, &(COLUMNS.join(",") + "\n"), |row, fields| {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                row.push(',');
            }
            // Only JSON holds commas or quotes.
            if at < JSON || field.is_empty() {
                row.push_str(field);
                continue;
            }
            row.push('"');
            for (part, text) in field.split('"').enumerate() {
                row.push_str(if part > 0 { "\"\"" } else { "" });
                row.push_str(text);
            }
            row.push('"');
        }
        row.push('\n');
    })
}

/// Writes a shop's events as one JSON object a line; `value` is a number, `items`, `consent` and `properties` are JSON
/// values, not text.
///
/// # Errors
/// As [`write_csv`].
pub fn write_ndjson(shop: &Shop, out: impl Write) -> io::Result<u64> {
    let mut events = events_of(shop)?;
    ndjson_rows(|event| events.next_into(event), out)
}

/// Writes events as [`write_ndjson`] does.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_events_ndjson(events: impl IntoIterator<Item = SimEvent>, out: impl Write) -> io::Result<u64> {
    ndjson_rows(one_by_one(events), out)
}

fn events_of(shop: &Shop) -> io::Result<crate::Events> {
    shop.events().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

fn one_by_one(events: impl IntoIterator<Item = SimEvent>) -> impl FnMut(&mut SimEvent) -> bool {
    let mut events = events.into_iter();
    move |event| events.next().map(|next| *event = next).is_some()
}

fn ndjson_rows(next: impl FnMut(&mut SimEvent) -> bool, out: impl Write) -> io::Result<u64> {
    write_rows(next, out, "", |row, fields| {
        let mut before = "{\"";
        for (at, (name, field)) in COLUMNS.iter().zip(fields).enumerate() {
            if field.is_empty() {
                continue;
            }
            row.push_str(before);
            row.push_str(name);
            // The texts of shops and markets hold nothing that JSON escapes.
            let is_text = at != VALUE && at < JSON;
            row.push_str(if is_text { "\":\"" } else { "\":" });
            row.push_str(field);
            row.push_str(if is_text { "\"" } else { "" });
            before = ",\"";
        }
        row.push_str("}\n");
    })
}

fn write_rows(
    mut next: impl FnMut(&mut SimEvent) -> bool,
    mut out: impl Write,
    header: &str,
    line: impl Fn(&mut String, &[&str; COLUMNS.len()]),
) -> io::Result<u64> {
    let mut event = SimEvent::default();
    let mut clock = Clock::default();
    let (mut time, mut value) = (String::new(), String::new());
    let mut rows = header.to_owned();
    let mut count = 0;
    while next(&mut event) {
        time.clear();
        clock.tell(event.occurred_at, &mut time);
        value.clear();
        if let Some(amount) = event.value {
            // Writing to a String cannot fail.
            let _ = write!(value, "{amount:.2}");
        }
        let fields = [
            &event.event_id,
            event.name,
            &time,
            &event.anonymous_id,
            &event.user_id,
            &event.email,
            &event.phone,
            &event.page_url,
            event.referrer,
            event.interaction,
            &event.order_id,
            &value,
            event.currency,
            &event.items,
            event.consent,
            &event.properties,
        ];
        line(&mut rows, &fields);
        count += 1;
        if rows.len() >= BUFFER {
            out.write_all(rows.as_bytes())?;
            rows.clear();
        }
    }
    out.write_all(rows.as_bytes())?;
    out.flush()?;
    Ok(count)
}

/// Tells instants as RFC 3339; the date is reckoned once a day.
#[derive(Default)]
struct Clock {
    day: Option<Micros>,
    date: String,
}

impl Clock {
    fn tell(&mut self, at: Micros, text: &mut String) {
        let (day, rest) = (at.div_euclid(DAY_US), at.rem_euclid(DAY_US));
        if self.day != Some(day) {
            self.day = Some(day);
            // `Shop::events` keeps instants within jiff's.
            self.date = jiff::Timestamp::from_microsecond(day * DAY_US)
                .map(|instant| instant.strftime("%Y-%m-%d").to_string())
                .unwrap_or_default();
        }
        text.push_str(&self.date);
        let ms = rest / 1_000;
        let parts =
            [('T', ms / 3_600_000, 2), (':', ms / 60_000 % 60, 2), (':', ms / 1_000 % 60, 2), ('.', ms % 1_000, 3)];
        for (mark, number, digits) in parts {
            text.push(mark);
            let decimals = [number / 100 % 10, number / 10 % 10, number % 10];
            text.extend(decimals[3 - digits..].iter().map(|&digit| char::from(b'0' + digit as u8)));
        }
        text.push('Z');
    }
}
