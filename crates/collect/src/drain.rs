//! From the log to the tables: sealed segments are decoded, handed on, and put away once they are safe there.
//!
//! A part that was handed on is handed on again where the process ends before its segment is put away. [`Part::key`] names it
//! for ever, so that whoever takes it can tell; `event_id` tells events that a client sent twice. Where a part ends depends on
//! how large its events are, and so on the settings and the version of the program. It is therefore noted beside the segment
//! before the part is handed on, and holds from then on.
use crate::{
    Reader,
    http::Collector,
    log::{Entry, LogError, Segment},
    reader::is_blank,
    reason,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use safar_model::Micros;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, future::Future, ops::Range, sync::Arc, time::Duration};

/// Lines of about this many bytes make a part; the events of one request are never divided.
const PART: usize = 16 << 20;
/// The first pause after a failure; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Where events go.
pub trait Publish: Send {
    /// Takes a part and returns once it is safe. A part may come again, of the same records and the same [`Part::key`], and
    /// must then change nothing.
    fn publish(&mut self, part: Part) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// Why a part is not safe; it is handed on again later.
pub type PublishError = Box<dyn std::error::Error + Send + Sync>;

/// Some of what a segment holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// [`crate::log::Log::identity`].
    pub log: String,
    /// The segment's number.
    pub segment: u64,
    /// From 0 within the segment.
    pub number: u32,
    /// Where its records lie in the segment.
    pub bytes: Range<usize>,
    /// Events as lines of JSON ([`crate::Collected::to_line`]), each with its line break, by the name of their source.
    pub lines: BTreeMap<String, String>,
    /// What is no event.
    pub letters: Vec<DeadLetter>,
    /// Where records begin that hold what their visitors refused to be kept. They are not kept beside the tables.
    pub withheld: Vec<usize>,
    /// Where records begin whose events are told nowhere but in the tables: they were erased, or their visitors were known by a
    /// secret of the day that is forgotten.
    pub untold: Vec<usize>,
    /// When the last of the records came, microseconds UTC.
    pub received_at: Option<Micros>,
}

impl Part {
    /// What names it for ever: the log, the segment, and the place of its records in it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{:06}/{}-{}", self.log, self.segment, self.bytes.start, self.bytes.end)
    }
}

/// What could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where its record begins in the segment, in bytes.
    pub at: usize,
    /// Its source, as far as it is known.
    pub source: String,
    /// When it came, microseconds UTC, as far as that is known.
    pub received_at: Option<Micros>,
    /// Why.
    pub reason: String,
    /// As it came.
    pub raw: Raw,
}

/// What a dead letter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// One member of a batch, at a place from 0; the others are events.
    Member(usize, String),
    /// A request ([`crate::Stored`]). [`Reader::request`] reads it again.
    Request(Vec<u8>),
    /// Bytes of a damaged segment.
    Bytes(Vec<u8>),
}

impl DeadLetter {
    /// One line of JSON; bytes are in base64.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut out = Map::new();
        out.insert("at".to_owned(), self.at.into());
        out.insert("source".to_owned(), self.source.as_str().into());
        out.insert("received_at".to_owned(), self.received_at.map(crate::clock::show).into());
        out.insert("reason".to_owned(), self.reason.as_str().into());
        let (name, raw) = match &self.raw {
            Raw::Member(place, text) => {
                out.insert("place".to_owned(), (*place).into());
                ("member", text.clone())
            }
            Raw::Request(bytes) => ("request", BASE64_STANDARD.encode(bytes)),
            Raw::Bytes(bytes) => ("bytes", BASE64_STANDARD.encode(bytes)),
        };
        out.insert(name.to_owned(), raw.into());
        Value::Object(out).to_string()
    }

    /// Reads what [`DeadLetter::to_line`] wrote; `None` for other texts.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        let Value::Object(mut members) = serde_json::from_str(line).ok()? else { return None };
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            _ => None,
        };
        let whole = |value: &Value| usize::try_from(value.as_u64()?).ok();
        let bytes = |value: Value| BASE64_STANDARD.decode(text(value)?).ok();
        let raw = match (members.remove("member"), members.remove("request"), members.remove("bytes")) {
            (Some(member), None, None) => Raw::Member(whole(members.get("place")?)?, text(member)?),
            (None, Some(request), None) => Raw::Request(bytes(request)?),
            (None, None, Some(damaged)) => Raw::Bytes(bytes(damaged)?),
            _ => return None,
        };
        Some(Self {
            at: whole(members.get("at")?)?,
            source: text(members.remove("source")?)?,
            received_at: members.get("received_at").and_then(crate::clock::read),
            reason: text(members.remove("reason")?)?,
            raw,
        })
    }
}

/// Hands on every segment that is sealed, oldest first, until `stop` is done; then those that are sealed by then. What
/// cannot be handed on is tried again, and stays in the log when it stops.
pub async fn drain(collector: Collector, mut publish: impl Publish, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let (mut stopping, mut pause) = (false, PAUSE);
    loop {
        let current = collector.log().current();
        let done = all(&collector, &mut publish).await;
        if let Err(error) = &done {
            tracing::error!(%error, again_in = ?pause, "events cannot be published");
        }
        if stopping {
            return;
        }
        let wait = async {
            match &done {
                Ok(()) => collector.log().changed(current).await,
                Err(_) => tokio::time::sleep(pause).await,
            }
        };
        tokio::select! {
            () = &mut stop => stopping = true,
            () = wait => {}
        }
        pause = if done.is_ok() { PAUSE } else { LONGEST.min(pause * 2) };
    }
}

/// Hands on what is sealed now.
async fn all(collector: &Collector, publish: &mut impl Publish) -> Result<(), PublishError> {
    for number in collector.log().sealed()? {
        let log = collector.clone();
        let read = move || Ok::<_, LogError>((Arc::new(log.log().read(number)?), log.log().parts(number)?));
        let (segment, mut ends) = blocking(read).await??;
        let (mut from, mut place, mut withheld) = (0, 0, vec![]);
        while from < segment.end() {
            let until = ends.get(place).copied().filter(|end| *end > from);
            let (log, read) = (collector.clone(), Arc::clone(&segment));
            let mut part = blocking(move || part(log.reader(), &read, from, until, false)).await?;
            from = part.bytes.end;
            withheld.append(&mut part.withheld);
            // Only the rest of a segment may hold nothing.
            if part.lines.is_empty() && part.letters.is_empty() {
                continue;
            }
            if until.is_none() {
                ends.truncate(place);
                ends.push(from);
                let (log, ends) = (collector.clone(), ends.clone());
                blocking(move || log.log().set_parts(number, &ends)).await??;
            }
            let log = collector.log().identity().to_owned();
            publish.publish(Part { log, segment: number, number: place as u32, ..part }).await?;
            place += 1;
        }
        let log = collector.clone();
        blocking(move || log.log().put_away(number, &withheld)).await??;
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PublishError> {
    Ok(tokio::task::spawn_blocking(work).await?)
}

/// What a published segment holds, read again. Its parts name neither the log nor the segment.
///
/// # Errors
/// When the segment cannot be read.
pub fn read(reader: &Reader, path: &std::path::Path) -> Result<Vec<Part>, LogError> {
    let segment = Segment::read(path)?;
    let (mut parts, mut from) = (Vec::new(), 0);
    while from < segment.end() {
        let part = part(reader, &segment, from, None, true);
        from = part.bytes.end;
        parts.push(Part { number: parts.len() as u32, ..part });
    }
    Ok(parts)
}

/// One part from a place on: until another one where that is known, else of about [`PART`] bytes. `again`: it was read before,
/// when the secrets of its day were known.
fn part(reader: &Reader, segment: &Segment, from: usize, until: Option<usize>, again: bool) -> Part {
    let mut part = Part { bytes: from..segment.end(), ..Part::default() };
    let mut bytes = 0;
    for entry in segment.entries_from(from) {
        let at = entry.at();
        if until.map_or(bytes >= PART, |until| at >= until) {
            part.bytes.end = at;
            break;
        }
        let (unreadable, reason) = match entry {
            Entry::Record { payload, .. } if again && reader.was_of_its_day(payload) => {
                part.untold.push(at);
                continue;
            }
            Entry::Record { payload, .. } => {
                bytes += reader.record(&mut part, at, payload);
                continue;
            }
            // It was erased since.
            Entry::Damaged { bytes, .. } if again && is_blank(bytes) => {
                part.untold.push(at);
                continue;
            }
            // Nothing was ever written there: the file had grown before its bytes came.
            Entry::Torn { bytes, .. } if is_blank(bytes) => continue,
            Entry::Damaged { bytes, .. } => (bytes, reason::LOG_DAMAGED),
            Entry::Torn { bytes, .. } => (bytes, reason::LOG_BREAKS_OFF),
        };
        bytes += unreadable.len();
        part.letters.push(DeadLetter {
            at,
            source: String::new(),
            received_at: None,
            reason: reason.to_owned(),
            raw: Raw::Bytes(unreadable.to_vec()),
        });
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn a_letter_is_read_as_it_was_written(at: u32, source in ".{0,5}", reason in ".{0,9}", received in proptest::option::of(1_000_000_000_000_000_i64..2_000_000_000_000_000), place: u16, text in ".{0,9}", bytes in vec(any::<u8>(), 0..9), kind in 0..3) {
            let raw = match kind {
                0 => Raw::Member(place.into(), text),
                1 => Raw::Request(bytes),
                _ => Raw::Bytes(bytes),
            };
            let letter = DeadLetter { at: at as usize, source, received_at: received, reason, raw };
            prop_assert_eq!(DeadLetter::from_line(&letter.to_line()), Some(letter));
        }

        #[test]
        fn other_lines_are_no_letters(line in ".{0,40}") {
            prop_assert_eq!(DeadLetter::from_line(&line), None);
            prop_assert_eq!(DeadLetter::from_line(&format!("{{\"member\":\"{line}\"}}")), None);
        }
    }
}
