//! Clients' clocks: reading their times, and putting them right by our own clock.
//!
//! A client says when something happened (`original`) and when it sent it (`sent`), both by its own clock. What its clock
//! measures well is the time between the two, so the event happened at `received − (sent − original)` by ours (Segment,
//! RudderStack and Snowplow do the same; Snowplow calls it the derived time stamp). Without `sent` the original time is
//! taken as it is. No event is later than its receipt.
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use safar_model::Micros;
use serde_json::Value;

/// Earlier times are broken clocks, not history: 1970-01-01.
const EARLIEST: Micros = 0;

/// Reads a time: RFC 3339, a local form without offset (read as UTC), or seconds, milliseconds, microseconds or nanoseconds
/// since 1970, told apart by their size, as number or text.
pub(crate) fn read(value: &Value) -> Option<Micros> {
    match value {
        Value::String(text) => read_text(text),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => of_whole(whole),
            None => of_seconds(number.as_f64()?),
        },
        _ => None,
    }
}

/// As [`read`], of a text.
pub(crate) fn read_text(text: &str) -> Option<Micros> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return of_whole(whole);
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_microsecond());
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return TimeZone::UTC.to_timestamp(local).ok().map(Timestamp::as_microsecond);
    }
    text.parse::<f64>().ok().and_then(of_seconds)
}

fn of_whole(number: i64) -> Option<Micros> {
    match number.unsigned_abs() {
        0..100_000_000_000 => number.checked_mul(1_000_000),
        100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000),
        100_000_000_000_000..100_000_000_000_000_000 => Some(number),
        _ => Some(number / 1_000),
    }
}

/// With a fraction: seconds or milliseconds.
fn of_seconds(number: f64) -> Option<Micros> {
    let scale = if number.abs() < 1e11 { 1e6 } else { 1e3 };
    let micros = (number * scale).round();
    (micros.abs() < 1e17).then_some(micros as Micros)
}

/// When it happened by our clock. An original time of zero or less was never set, and one after its own sending, or a result
/// before 1970, comes from a broken clock: then the receipt is all that is known.
pub(crate) fn correct(received: Micros, original: Option<Micros>, sent: Option<Micros>) -> Micros {
    let Some(original) = original.filter(|original| *original > EARLIEST) else { return received };
    let time = match sent {
        Some(sent) => received.saturating_sub(sent.saturating_sub(original).max(0)),
        None => original.min(received),
    };
    if time <= EARLIEST { received } else { time }
}

/// RFC 3339, UTC, six digits of a second.
pub(crate) fn show(time: Micros) -> String {
    let stamp = Timestamp::from_microsecond(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{stamp:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_clients_write_them() {
        let want = Some(1_795_287_582_828_000);
        for text in [
            "2026-11-21T18:59:42.828Z",
            "2026-11-21T18:59:42.828+00:00",
            "2026-11-21T19:59:42.828+01:00",
            "2026-11-21 18:59:42.828",
            "1795287582828",
            "1795287582828000",
            "1795287582828000000",
            "1795287582.828",
        ] {
            assert_eq!(read_text(text), want, "{text}");
        }
        assert_eq!(read(&Value::from(1_795_287_582_828_i64)), want);
        assert_eq!(read(&Value::from(1_795_287_582.828)), want);
        for text in ["", "soon", "NaN", "inf", "1e300", "2026-13-01", "99999999999999999999"] {
            assert_eq!(read_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_wrong_clock_is_put_right_and_none_runs_ahead() {
        let (received, minute) = (1_795_287_582_000_000, 60_000_000);
        let by = |original, sent| correct(received, original, sent) - received;
        // A clock that is a day ahead, and an event that waited for a minute.
        assert_eq!(by(Some(received + 1_440 * minute), Some(received + 1_441 * minute)), -minute);
        assert_eq!(by(Some(received - minute), None), -minute);
        assert_eq!(by(Some(received + minute), None), 0);
        assert_eq!(by(Some(received), Some(received - minute)), 0);
        assert_eq!(by(None, Some(received)), 0);
        assert_eq!(by(Some(i64::MIN), Some(i64::MAX)), 0);
        assert_eq!(show(1_795_287_582_828_000), "2026-11-21T18:59:42.828000Z");
    }
}
