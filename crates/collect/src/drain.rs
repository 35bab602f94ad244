//! From the log to the tables: sealed segments are decoded, handed on, and put away once they are safe there.
//!
//! A part that was handed on is handed on again where the process ends before its segment is put away. [`Part::log`],
//! [`Part::segment`] and [`Part::number`] name a part for ever, so that whoever takes it can tell; `event_id` tells events that
//! a client sent twice.
use crate::{
    Decoded, Stored, decode,
    http::Collector,
    log::{Entry, LogError, Segment},
    route,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use safar_model::Micros;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

/// Lines of about this many bytes make a part; the events of one request are never divided.
const PART: usize = 16 << 20;
/// The first pause after a failure; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Where events go.
pub trait Publish: Send {
    /// Takes a part and returns once it is safe. A part may come again, equal byte for byte, and must then change nothing.
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
    /// Events as lines of JSON ([`crate::Collected::to_line`]), each with its line break, by the name of their source.
    pub lines: BTreeMap<String, String>,
    /// What is no event.
    pub letters: Vec<DeadLetter>,
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
    /// A request ([`Stored`]). To have it read again, append the bytes to a log ([`crate::log::Log::append`]).
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
        let (log, mut at, mut part_number) = (collector.clone(), Some(0), 0);
        let segment = blocking(move || log.log().read(number)).await??;
        let segment = Arc::new(segment);
        while let Some(from) = at {
            let (log, read) = (collector.clone(), Arc::clone(&segment));
            let (mut part, next) = blocking(move || part(&log, &read, from)).await?;
            at = next;
            if part.lines.is_empty() && part.letters.is_empty() {
                continue;
            }
            part = Part { segment: number, number: part_number, ..part };
            part_number += 1;
            publish.publish(part).await?;
        }
        let log = collector.clone();
        blocking(move || log.log().remove(number)).await??;
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PublishError> {
    Ok(tokio::task::spawn_blocking(work).await?)
}

/// What a segment holds, for example one that was published and is to be read again.
///
/// # Errors
/// When the segment cannot be read.
pub fn read(collector: &Collector, path: &std::path::Path) -> Result<Vec<Part>, LogError> {
    let segment = Segment::read(path)?;
    let (mut parts, mut at) = (Vec::new(), Some(0));
    while let Some(from) = at {
        let (part, next) = part(collector, &segment, from);
        parts.push(Part { number: parts.len() as u32, ..part });
        at = next;
    }
    Ok(parts)
}

/// One part from a place on, and where the next one begins.
fn part(collector: &Collector, segment: &Segment, from: usize) -> (Part, Option<usize>) {
    let mut part = Part { log: collector.log().identity().to_owned(), ..Part::default() };
    let mut bytes = 0;
    for entry in segment.entries_from(from) {
        let (at, unreadable, reason) = match entry {
            Entry::Record { at, .. } | Entry::Damaged { at, .. } | Entry::Torn { at, .. } if bytes >= PART => {
                return (part, Some(at));
            }
            Entry::Record { at, payload } => {
                bytes += record(collector, &mut part, at, payload);
                continue;
            }
            // Nothing was ever written there: the file had grown before its bytes came.
            Entry::Torn { bytes, .. } if bytes.iter().all(|byte| *byte == 0) => continue,
            Entry::Damaged { at, bytes } => (at, bytes, "the log is damaged here"),
            Entry::Torn { at, bytes } => (at, bytes, "the log breaks off here"),
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
    (part, None)
}

/// Adds the events of one record. Returns about how many bytes they take.
fn record(collector: &Collector, part: &mut Part, at: usize, payload: &[u8]) -> usize {
    let Some(stored) = Stored::decode(payload) else {
        let reason = "the record was written by another version".to_owned();
        let raw = Raw::Request(payload.to_vec());
        part.letters.push(DeadLetter { at, source: String::new(), received_at: None, reason, raw });
        return payload.len();
    };
    let mut letter = |source: &str, reason: String, raw: Raw| {
        let (source, received_at) = (source.to_owned(), Some(stored.received_at));
        part.letters.push(DeadLetter { at, source, received_at, reason, raw });
    };
    let whole = || Raw::Request(payload.to_vec());
    let Some(protocol) = route(stored.method, stored.path) else {
        letter(stored.source, "nobody's path".to_owned(), whole());
        return payload.len();
    };
    let decoded = collector.under(stored.received_at, |terms| decode(protocol, &stored.request(), terms));
    let named = |decoded: &Decoded| match stored.source {
        "" => collector.source_of(protocol, decoded), // it was refused, and is sent again
        name => Ok(name.to_owned()),
    };
    match decoded.and_then(|decoded| Ok((named(&decoded)?, decoded))) {
        Err(refusal) => {
            letter(stored.source, refusal.to_string(), whole());
            payload.len()
        }
        Ok((source, decoded)) => {
            let mut size = 0;
            for reject in decoded.rejects {
                size += reject.raw.len();
                letter(&source, reject.reason.to_owned(), Raw::Member(reject.place, reject.raw));
            }
            if !decoded.events.is_empty() {
                let lines = part.lines.entry(source).or_default();
                let before = lines.len();
                for event in decoded.events {
                    lines.push_str(&event.to_line());
                    lines.push('\n');
                }
                size += lines.len() - before;
            }
            size
        }
    }
}
