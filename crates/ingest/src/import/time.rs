//! Time stamps as text or numbers → microseconds UTC. The only calendar arithmetic of the crate.
//!
//! Shapes: RFC 3339; `2025-02-10 01:44:00[.ffffff]`; a date alone (midnight); `20250210`; `20250210T014400Z`;
//! seconds, milliseconds, microseconds or nanoseconds since 1970 (told apart by their size, from 1973 on); `2025-2-10 1:44`,
//! `2025/02/10 1:44 PM`; `10/02/2025 14:30`, `2/10/2025 2:30 PM` once the order of day and month is known; RFC 2822;
//! `10 Feb 2025 14:30`, `10-Feb-2025`, `Mon, February 10th, 2025 at 2:30 PM`; each in Persian and Arabic digits, too. A time without an offset is local to
//! the stated zone: one that a clock change skipped moves forward by the gap, one that it repeats is the earlier.
use super::digits;
use jiff::tz::TimeZone;
use safar_model::Micros;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const SECOND: i64 = 1_000_000;
const DAY: i64 = safar_model::DAY_US;

/// Which of day and month comes first in dates such as `10/02/2025`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// Reads time stamps of one source.
#[derive(Debug)]
pub struct TimeReader {
    zone: TimeZone,
    utc: bool,
    order: Option<DateOrder>,
    /// The last local day without a clock change (upper half) and its offset from UTC in seconds (lower half): most rows
    /// need no look-up.
    memo: AtomicU64,
}

/// A day that never is.
const NO_DAY: u64 = (i32::MIN as u32 as u64) << 32;

impl Clone for TimeReader {
    fn clone(&self) -> Self {
        Self {
            zone: self.zone.clone(),
            utc: self.utc,
            order: self.order,
            memo: AtomicU64::new(self.memo.load(Relaxed)),
        }
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, or `None` where there is no such day.
fn days(year: i64, month: u32, day: u32) -> Option<i64> {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTHS.get(month.wrapping_sub(1) as usize)? + u32::from(leap && month == 2);
    if day == 0 || day > length || !(1..=9999).contains(&year) {
        return None;
    }
    // Years that start in March put the leap day last (Fliegel and Van Flandern 1968, with unsigned eras).
    let shifted = year - i64::from(month <= 2);
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Day, microseconds since midnight, and whether they are UTC, of the shape that programs write most:
/// `2025-02-10T01:44:00[.ffffff][Z]`, with a `T` or a blank. All of it is in its place, so it is read without searching;
/// `None` says nothing about other shapes.
#[inline]
fn usual(text: &[u8]) -> Option<(i64, i64, bool)> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let (fraction, utc) = match rest {
        [fraction @ .., b'Z'] => (fraction, true),
        fraction => (fraction, false),
    };
    let digit = |byte: u8| i64::from(byte.wrapping_sub(b'0'));
    let pair = |at: usize| {
        let (tens, ones) = (digit(head[at]), digit(head[at + 1]));
        if tens < 10 && ones < 10 { tens * 10 + ones } else { i64::from(u8::MAX) }
    };
    let signs = [head[4], head[7], head[13], head[16]];
    let (hundreds, years, month, day) = (pair(0), pair(2), pair(5), pair(8));
    let (hour, minute, second) = (pair(11), pair(14), pair(17));
    let exist = hundreds < 100 && years < 100 && hour < 24 && minute < 60 && second < 60;
    if signs != *b"--::" || !matches!(head[10], b'T' | b' ') || !exist {
        return None;
    }
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
            let value = digits.iter().fold(0, |value, byte| value * 10 + digit(*byte));
            value * 10i64.pow(6 - digits.len() as u32)
        }
        _ => return None,
    };
    let day = days(hundreds * 100 + years, month as u32, day as u32)?;
    Some((day, ((hour * 60 + minute) * 60 + second) * SECOND + micros, utc))
}

/// Reads at least one and at most `most` digits.
fn number(text: &mut &[u8], most: usize) -> Option<i64> {
    let length = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..length].iter().fold(0i64, |value, byte| value * 10 + i64::from(byte - b'0'));
    *text = &text[length..];
    (length > 0).then_some(value)
}

fn two(text: &mut &[u8]) -> Option<i64> {
    match **text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', ref rest @ ..] => {
            *text = rest;
            Some(i64::from(a - b'0') * 10 + i64::from(b - b'0'))
        }
        _ => None,
    }
}

fn eat(text: &mut &[u8], byte: u8) -> bool {
    let found = text.first() == Some(&byte);
    if found {
        *text = &text[1..];
    }
    found
}

/// Microseconds since midnight from `HH:MM[:SS[.f…]]`, also in the basic form without colons; 60 seconds read as 59.999999.
fn clock(text: &mut &[u8], lenient: bool) -> Option<i64> {
    let mut hour = if lenient { number(text, 2)? } else { two(text)? };
    let colon = eat(text, b':');
    let minute = two(text)?;
    let mut micros = 0;
    let mut second = 0;
    if (colon && eat(text, b':')) || (!colon && text.first().is_some_and(u8::is_ascii_digit)) {
        second = two(text)?;
        if matches!(text.first(), Some(b'.' | b',')) && text.get(1).is_some_and(u8::is_ascii_digit) {
            *text = &text[1..];
            let mut unit = SECOND / 10;
            while let Some(byte @ b'0'..=b'9') = text.first().copied() {
                micros += i64::from(byte - b'0') * unit;
                unit /= 10;
                *text = &text[1..];
            }
        }
    }
    if lenient {
        let rest = text.trim_ascii_start();
        let (afternoon, skip) = match rest.get(..2).map(<[u8]>::to_ascii_uppercase).as_deref() {
            Some(b"AM") => (Some(false), 2),
            Some(b"PM") => (Some(true), 2),
            _ => (None, 0),
        };
        if let Some(afternoon) = afternoon {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if afternoon { 12 } else { 0 };
            *text = &rest[skip..];
        }
    }
    if second == 60 {
        (second, micros) = (59, SECOND - 1); // a leap second has no place in Unix time
    }
    (hour < 24 && minute < 60 && second < 60).then_some(((hour * 60 + minute) * 60 + second) * SECOND + micros)
}

/// `Z`, `UTC`, `+02`, `+0200`, `+02:00`, `GMT+2`: microseconds east of UTC. `None`: something else stands there.
fn offset(text: &mut &[u8]) -> Option<i64> {
    if let Some(rest) = text.strip_prefix(b"UTC").or_else(|| text.strip_prefix(b"GMT")) {
        *text = rest;
        if !matches!(rest, [b'+' | b'-', ..]) {
            return Some(0);
        }
    }
    let sign = match text.first()? {
        b'Z' | b'z' => {
            *text = &text[1..];
            return Some(0);
        }
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    *text = &text[1..];
    let hour = number(text, 2)?;
    let colon = eat(text, b':');
    let minute = if colon || text.first().is_some_and(u8::is_ascii_digit) { two(text)? } else { 0 };
    (hour < 24 && minute < 60).then_some(sign * (hour * 60 + minute) * 60 * SECOND)
}

/// Whether a text is a time of day and nothing else.
pub(crate) fn is_clock(text: &str) -> bool {
    let mut rest = text.as_bytes();
    text.contains(':') && clock(&mut rest, true).is_some() && rest.is_empty()
}

const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];
const WEEKDAYS: [&[u8]; 7] = [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// Whether a word is a name, or its first three letters or more.
fn abbreviates(word: &[u8], name: &[u8]) -> bool {
    word.len() >= 3 && name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn month_of(word: &[u8]) -> Option<u32> {
    MONTHS.iter().position(|name| abbreviates(word, name)).map(|at| at as u32 + 1)
}

/// The letters that a text begins with, if any, and what follows.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    (length > 0).then(|| text.split_at(length))
}

/// What follows the signs between the parts of a date.
fn between(text: &[u8]) -> &[u8] {
    let signs = text.iter().take_while(|byte| matches!(byte, b' ' | b',' | b'.' | b'-' | b'/')).count();
    &text[signs..]
}

/// A day of the month: `10`, `10th`.
fn of_month(text: &mut &[u8]) -> Option<i64> {
    let day = number(text, 2)?;
    let rest = *text;
    if let Some((b"st" | b"nd" | b"rd" | b"th", after)) = word(rest) {
        *text = after;
    }
    Some(day)
}

/// The two leading numbers of a date such as `10/02/2025`, where the text is one.
fn slashed(text: &[u8]) -> Option<(u32, u32, i64, u8, &[u8])> {
    let mut rest = text;
    let first = number(&mut rest, 2)?;
    let separator = *rest.first().filter(|byte| matches!(byte, b'/' | b'-' | b'.'))?;
    rest = &rest[1..];
    let second = number(&mut rest, 2)?;
    if !eat(&mut rest, separator) {
        return None;
    }
    let year = number(&mut rest, 4).filter(|year| *year >= 1000)?;
    Some((first as u32, second as u32, year, separator, rest))
}

/// What a sample says about the order of day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderSeen {
    /// No value has this shape.
    NotNeeded,
    /// Only one order makes every value a date.
    Only(DateOrder),
    /// Every value is a date both ways.
    Either,
}

/// Looks for values that are dates in one order only.
pub(crate) fn order_of<'a>(sample: impl IntoIterator<Item = &'a str>) -> OrderSeen {
    let (mut shaped, mut dmy, mut mdy) = (false, false, false);
    for text in sample {
        let latin = digits::latin(text, '.');
        let Some((first, second, _, separator, _)) = slashed(latin.as_deref().unwrap_or(text).trim().as_bytes()) else {
            continue;
        };
        if separator != b'.' {
            shaped = true;
            dmy |= first > 12;
            mdy |= second > 12;
        }
    }
    match (shaped, dmy, mdy) {
        (false, ..) => OrderSeen::NotNeeded,
        (_, true, false) => OrderSeen::Only(DateOrder::Dmy),
        (_, false, true) => OrderSeen::Only(DateOrder::Mdy),
        _ => OrderSeen::Either,
    }
}

impl TimeReader {
    /// A reader for local times of `zone`; `order` is needed only where dates such as `10/02/2025` occur.
    #[must_use]
    pub fn new(zone: TimeZone, order: Option<DateOrder>) -> Self {
        let utc = zone.iana_name().is_none_or(|name| name == "UTC" || name == "Etc/UTC")
            && zone.to_offset(jiff::Timestamp::UNIX_EPOCH).is_zero();
        Self { zone, utc, order, memo: AtomicU64::new(NO_DAY) }
    }

    /// Microseconds UTC, or `None` where the text is no time (or its day and month could be exchanged and the
    /// order is not known).
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Micros> {
        let bytes = text.as_bytes();
        if let Some((day, time, utc)) = usual(bytes) {
            return if utc { Some(day * DAY + time) } else { self.local(day, time) };
        }
        let read = self.dashed(bytes).or_else(|| self.read_other(text.trim()));
        read.or_else(|| self.read(&digits::latin(text, '.')?))
    }

    /// `2025-02-10`, and a time of day behind it, as programs write it.
    fn dashed(&self, text: &[u8]) -> Option<Micros> {
        let mut rest = text;
        let year = number(&mut rest, 4).filter(|_| rest.len() + 4 == text.len() && eat(&mut rest, b'-'))?;
        let month = two(&mut rest)?;
        if !eat(&mut rest, b'-') {
            return None;
        }
        let day = two(&mut rest)?;
        self.with_clock(days(year, month as u32, day as u32)?, rest, false)
    }

    fn with_clock(&self, day: i64, mut rest: &[u8], lenient: bool) -> Option<Micros> {
        if rest.is_empty() {
            return self.local(day, 0);
        }
        if !(eat(&mut rest, b'T') || eat(&mut rest, b' ') || eat(&mut rest, b't')) {
            return None;
        }
        if lenient {
            rest = rest.trim_ascii_start();
        }
        self.timed(day, rest, lenient)
    }

    /// A time of day, and perhaps an offset.
    fn timed(&self, day: i64, mut rest: &[u8], lenient: bool) -> Option<Micros> {
        let time = clock(&mut rest, lenient)?;
        if rest.is_empty() {
            return self.local(day, time);
        }
        eat(&mut rest, b' ');
        let east = offset(&mut rest)?;
        // RFC 9557 and JavaScript name the zone in brackets after the offset, which has already said everything.
        let named = matches!(rest, [] | [b'[', .., b']'] | [b' ', b'(', .., b')']);
        named.then_some(day * DAY + time - east)
    }

    fn read_other(&self, text: &str) -> Option<Micros> {
        // Browsers put a narrow blank before AM and PM.
        let plain = (!text.is_ascii()).then(|| text.replace(['\u{202f}', '\u{a0}'], " "));
        let text = plain.as_deref().unwrap_or(text);
        let bytes = text.as_bytes();
        if bytes.len() >= 8 && bytes.iter().take(8).all(u8::is_ascii_digit) {
            let rest = &bytes[8..];
            if rest.is_empty() || rest[0] == b'T' || (rest.len() == 6 && rest.iter().all(u8::is_ascii_digit)) {
                let (mut year, mut month, mut day) = (&bytes[..4], &bytes[4..6], &bytes[6..8]);
                let year = number(&mut year, 4)?;
                if (1900..2100).contains(&year)
                    && let Some(day) = days(year, two(&mut month)? as u32, two(&mut day)? as u32)
                {
                    let mut rest = rest;
                    return if rest.len() == 6 && rest[0] != b'T' {
                        self.local(day, clock(&mut rest, false)?)
                    } else {
                        self.with_clock(day, rest, false)
                    };
                }
            }
        }
        if bytes.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')) {
            if let Ok(number) = text.parse::<i64>() {
                return from_epoch(number);
            }
            if let (None, Ok(seconds)) = (slashed(bytes), text.parse::<f64>()) {
                return if seconds.abs() < SMALLEST as f64 {
                    None
                } else if seconds.abs() < 1e11 {
                    Some((seconds * 1e6).round() as i64)
                } else if seconds.fract() == 0.0 && seconds.abs() < 9e18 {
                    from_epoch(seconds as i64)
                } else {
                    from_epoch(seconds.trunc() as i64)
                };
            }
        }
        if let Some((first, second, year, separator, rest)) = slashed(bytes) {
            let order = if separator == b'.' { DateOrder::Dmy } else { self.order? };
            let (day, month) = match order {
                DateOrder::Dmy => (first, second),
                DateOrder::Mdy => (second, first),
            };
            let rest = rest.strip_prefix(b",").unwrap_or(rest);
            return self.with_clock(days(year, month, day)?, rest, true);
        }
        let mut rest = bytes;
        if let Some(year) = number(&mut rest, 4).filter(|year| *year >= 1000) {
            let separator = *rest.first().filter(|byte| matches!(byte, b'/' | b'-' | b'.'))?;
            rest = &rest[1..];
            let month = number(&mut rest, 2)?;
            if !eat(&mut rest, separator) {
                return None;
            }
            let day = number(&mut rest, 2)?;
            return self.with_clock(days(year, month as u32, day as u32)?, rest, true);
        }
        let mail = || jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_microsecond());
        mail().or_else(|| self.named(bytes))
    }

    /// A date whose month has its English name: `10 Feb 2025`, `Feb 10, 2025`, `10-Feb-2025`, perhaps after a day of the week, and
    /// before a time of day.
    fn named(&self, text: &[u8]) -> Option<Micros> {
        let mut rest = text;
        if let Some(after) =
            word(rest).and_then(|(name, after)| WEEKDAYS.iter().any(|day| abbreviates(name, day)).then_some(after))
        {
            rest = between(after);
        }
        let (day, month) = match word(rest) {
            Some((name, after)) => {
                rest = between(after);
                (of_month(&mut rest)?, month_of(name)?)
            }
            None => {
                let day = of_month(&mut rest)?;
                let (name, after) = word(between(rest))?;
                rest = after;
                (day, month_of(name)?)
            }
        };
        let before = rest;
        rest = between(rest);
        let year = number(&mut rest, 4).filter(|year| *year >= 1000 && rest.len() < before.len() - 4)?;
        let day = days(year, month, day as u32)?;
        let after = rest.trim_ascii_start();
        let after = after.strip_prefix(b",").unwrap_or(after).trim_ascii_start();
        let after = after.strip_prefix(b"at ").unwrap_or(after).trim_ascii_start();
        match after {
            [] => self.local(day, 0),
            [b'0'..=b'9', ..] if after.len() < rest.len() => self.timed(day, after, true),
            _ => None,
        }
    }

    /// A local day and time of day as UTC.
    fn local(&self, day: i64, time: i64) -> Option<Micros> {
        if self.utc {
            return Some(day * DAY + time);
        }
        let memo = self.memo.load(Relaxed);
        if i64::from((memo >> 32) as i32) == day {
            return Some(day * DAY + time - i64::from(memo as i32) * SECOND);
        }
        let exact = |time: i64| {
            let date = jiff::civil::Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(day)).ok()?;
            let clock = jiff::civil::Time::midnight();
            let civil = date.to_datetime(clock).checked_add(jiff::SignedDuration::from_micros(time)).ok()?;
            Some(self.zone.to_ambiguous_zoned(civil).compatible().ok()?.timestamp().as_microsecond())
        };
        let (start, end) = (exact(0)?, exact(DAY - 1)?);
        let next = self.zone.following(jiff::Timestamp::from_microsecond(start - DAY).ok()?).next();
        let quiet = next.is_none_or(|change| change.timestamp().as_microsecond() > end + DAY);
        if quiet && end - start == DAY - 1 {
            let east = (day * DAY - start) / SECOND;
            self.memo.store(((day as i32 as u32 as u64) << 32) | u64::from(east as i32 as u32), Relaxed);
        }
        exact(time)
    }
}

/// Smaller numbers (until March 1973, read as seconds) are years, day numbers of spreadsheets, or 0 for nothing.
const SMALLEST: u64 = 100_000_000;

/// Microseconds from a count since 1970 whose unit shows in its size: seconds below 10¹¹, then milliseconds below
/// 10¹⁴, microseconds below 10¹⁷, nanoseconds.
pub(crate) fn from_epoch(number: i64) -> Option<Micros> {
    let size = number.unsigned_abs();
    if size < SMALLEST {
        None
    } else if size < 100_000_000_000 {
        number.checked_mul(SECOND)
    } else if size < 100_000_000_000_000 {
        number.checked_mul(1000)
    } else if size < 100_000_000_000_000_000 {
        Some(number)
    } else {
        Some(number.div_euclid(1000))
    }
}

/// `2025-02-10T01:44:00.000000Z`, for messages and canonical text.
pub(crate) fn show(time: Micros) -> String {
    jiff::Timestamp::from_microsecond(time).map_or_else(|_| time.to_string(), |stamp| stamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc() -> TimeReader {
        TimeReader::new(TimeZone::UTC, None)
    }

    fn zone(name: &str) -> TimeReader {
        TimeReader::new(TimeZone::get(name).unwrap(), None)
    }

    #[rstest::rstest]
    #[case("2025-02-10T01:44:00Z", 1_739_151_840_000_000)]
    #[case("2025-02-10 01:44:00", 1_739_151_840_000_000)]
    #[case("2025-02-10 01:44", 1_739_151_840_000_000)]
    #[case("۲۰۲۵-۰۲-۱۰ ۰۱:۴۴", 1_739_151_840_000_000)]
    #[case("١٠.٠٢.٢٠٢٥ ٠١:٤٤", 1_739_151_840_000_000)]
    #[case("2025-02-10T03:44:00+02:00", 1_739_151_840_000_000)]
    #[case("2025-02-10 03:44:00 +0200", 1_739_151_840_000_000)]
    #[case("2025-02-10T01:44:00.000000999Z", 1_739_151_840_000_000)]
    #[case("2025-02-10 01:44:00.5 UTC", 1_739_151_840_500_000)]
    #[case("20250210T014400Z", 1_739_151_840_000_000)]
    #[case("20250210014400", 1_739_151_840_000_000)]
    #[case("2025/2/10 1:44", 1_739_151_840_000_000)]
    #[case("10.02.2025 01:44", 1_739_151_840_000_000)]
    #[case("1739151840", 1_739_151_840_000_000)]
    #[case("1739151840.5", 1_739_151_840_500_000)]
    #[case("1739151840000", 1_739_151_840_000_000)]
    #[case("1739151840000000", 1_739_151_840_000_000)]
    #[case("1739151840000000000", 1_739_151_840_000_000)]
    #[case("1.73915184e9", 1_739_151_840_000_000)]
    #[case("2025-02-10", 1_739_145_600_000_000)]
    #[case("20250210", 1_739_145_600_000_000)]
    #[case("Mon, 10 Feb 2025 01:44:00 GMT", 1_739_151_840_000_000)]
    #[case("2025-02-10T01:44:00Z[UTC]", 1_739_151_840_000_000)]
    #[case("2025-02-10 1:44", 1_739_151_840_000_000)]
    #[case("2025-02-10 1:44 AM", 1_739_151_840_000_000)]
    #[case("2025-02-10 01:44:00 am", 1_739_151_840_000_000)]
    #[case("2025-2-10 1:44", 1_739_151_840_000_000)]
    #[case("2025-02-10 3:44 +02:00", 1_739_151_840_000_000)]
    #[case("2025-02-10 1:44:00.5", 1_739_151_840_500_000)]
    #[case("2025-2-10", 1_739_145_600_000_000)]
    #[case("2025.02.10", 1_739_145_600_000_000)]
    #[case("10 Feb 2025", 1_739_145_600_000_000)]
    #[case("10-FEB-2025", 1_739_145_600_000_000)]
    #[case("Feb 10, 2025", 1_739_145_600_000_000)]
    #[case("Monday, February 10th, 2025", 1_739_145_600_000_000)]
    #[case("10 Feb 2025 01:44", 1_739_151_840_000_000)]
    #[case("10 Feb 2025 01:44:00 UTC", 1_739_151_840_000_000)]
    #[case("Feb 10, 2025, 1:44 AM", 1_739_151_840_000_000)]
    #[case("Feb 10, 2025, 1:44:00\u{202f}AM", 1_739_151_840_000_000)]
    #[case("February 10, 2025 at 1:44 AM", 1_739_151_840_000_000)]
    #[case("Mon Feb 10 2025 01:44:00", 1_739_151_840_000_000)]
    #[case("10 Feb 2025 03:44 +02:00", 1_739_151_840_000_000)]
    #[case("Mon Feb 10 2025 03:44:00 GMT+0200 (Eastern European Standard Time)", 1_739_151_840_000_000)]
    #[case("2025-02-10 03:44:00 GMT+2", 1_739_151_840_000_000)]
    fn shapes(#[case] text: &str, #[case] expected: i64) {
        assert_eq!(utc().read(text), Some(expected), "{text}");
    }

    #[rstest::rstest]
    #[case("")]
    #[case("2025-02-30")]
    #[case("2025-13-01")]
    #[case("2025-02-10T25:00:00Z")]
    #[case("2025-02-10T01:44:00+99:00")]
    #[case("2025-02-10 nonsense")]
    #[case("2025-02-10 01:44:00 UTC+")]
    #[case("2025-02-10 01:44:00 CET")] // several zones have that name
    #[case("10/02/2025")] // the order is not known
    #[case("yesterday")]
    #[case("NaN")]
    #[case("0000-00-00 00:00:00")]
    #[case("2025-02x10")]
    #[case("2025-02/10")]
    #[case("2025-02-10 13:44 PM")]
    #[case("2025-2-30")]
    #[case("30 Feb 2025")]
    #[case("10 Fe 2025")]
    #[case("10 Febr1 2025")]
    #[case("Feb 10")]
    #[case("Feb 2025")]
    #[case("10 Feb 25")]
    #[case("Feb 102025")]
    #[case("Mon 10 2025")]
    #[case("Feb 10, 202511:30")]
    #[case("May")]
    #[case("0")]
    #[case("-1")]
    #[case("2025")]
    #[case("45698")] // the day number of 10 February 2025 in spreadsheets
    #[case("45698.0722")]
    fn no_times(#[case] text: &str) {
        assert_eq!(utc().read(text), None, "{text}");
    }

    #[test]
    fn times_of_day() {
        assert!(["14:30", "2:30 PM", "2:30:15am", "00:00:00.5"].into_iter().all(is_clock));
        assert!(!["1430", "25:00", "2025-02-10", "14:30 +02:00", "", "PM"].into_iter().any(is_clock));
    }

    #[test]
    fn day_and_month_by_stated_order() {
        let day = |order, text| TimeReader::new(TimeZone::UTC, Some(order)).read(text);
        assert_eq!(day(DateOrder::Dmy, "10/02/2025 14:30"), utc().read("2025-02-10 14:30:00"));
        assert_eq!(day(DateOrder::Mdy, "2/10/2025 2:30 PM"), utc().read("2025-02-10 14:30:00"));
        assert_eq!(day(DateOrder::Mdy, "2/10/2025 12:00 AM"), utc().read("2025-02-10"));
        assert_eq!(day(DateOrder::Mdy, "13/10/2025"), None);
        assert_eq!(order_of(["1/2/2025", "13/2/2025"]), OrderSeen::Only(DateOrder::Dmy));
        assert_eq!(order_of(["1/2/2025", "1/13/2025"]), OrderSeen::Only(DateOrder::Mdy));
        assert_eq!(order_of(["1/2/2025"]), OrderSeen::Either);
        assert_eq!(order_of(["13/2/2025", "2/13/2025"]), OrderSeen::Either);
        assert_eq!(order_of(["2025-02-01", "1.2.2025"]), OrderSeen::NotNeeded);
    }

    #[test]
    fn clock_changes() {
        let warsaw = zone("Europe/Warsaw");
        // 2025-03-30 02:30 was skipped: an hour later. 2025-10-26 02:30 came twice: the earlier (summer time).
        assert_eq!(warsaw.read("2025-03-30 02:30:00"), utc().read("2025-03-30T01:30:00Z"));
        assert_eq!(warsaw.read("2025-03-30 01:30:00"), utc().read("2025-03-30T00:30:00Z"));
        assert_eq!(warsaw.read("2025-03-30 03:30:00"), utc().read("2025-03-30T01:30:00Z"));
        assert_eq!(warsaw.read("2025-10-26 02:30:00"), utc().read("2025-10-26T00:30:00Z"));
        assert_eq!(warsaw.read("2025-10-26 03:30:00"), utc().read("2025-10-26T02:30:00Z"));
        assert_eq!(warsaw.read("2025-07-01T00:00:00Z"), utc().read("2025-07-01"));
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(time in -2_000_000_000_000_000i64..4_000_000_000_000_000) {
            let stamp = jiff::Timestamp::from_microsecond(time).unwrap();
            prop_assert_eq!(utc().read(&stamp.to_string()), Some(time));
            for name in ["Europe/Warsaw", "America/New_York", "Asia/Tehran", "Australia/Lord_Howe"] {
                let reader = zone(name);
                let civil = stamp.to_zoned(TimeZone::UTC).datetime();
                let expected = TimeZone::get(name).unwrap().to_ambiguous_zoned(civil).compatible().unwrap().timestamp();
                let text = civil.strftime("%Y-%m-%d %H:%M:%S%.f").to_string();
                // Twice: the second answer comes from the memo.
                prop_assert_eq!(reader.read(&text), Some(expected.as_microsecond()), "{} {}", name, text);
                prop_assert_eq!(reader.read(&text), Some(expected.as_microsecond()));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = TimeReader::new(TimeZone::get("Asia/Tehran").unwrap(), Some(DateOrder::Dmy)).read(&text);
        }
    }
}
