//! Reading a body: within the limits, within the memory there is, and to its end.
//!
//! A client that is cut off while it sends takes it for a lost connection and sends all of it again, for ever. So what is too
//! large is read to its end and thrown away as it comes, and the client hears the refusal.
use crate::{Refusal, limits};
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Beyond this a client is cut off all the same.
const DISCARD: usize = 256 << 20;
/// The longest pause within a body.
const PAUSE: Duration = Duration::from_secs(20);
/// The longest that a body may take.
const WHOLE: Duration = Duration::from_secs(120);
/// When to come back where there is no memory.
const LATER: u32 = 2;

/// A body and the memory that it holds.
#[derive(Debug)]
pub(super) struct Held {
    pub bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
}

/// Reads a body. `memory` has one permit a kilobyte.
pub(super) async fn read(body: Body, memory: &Arc<Semaphore>) -> Result<Held, Refusal> {
    tokio::time::timeout(WHOLE, within(body, memory)).await.unwrap_or(Err(BROKEN))
}

/// The client is gone or asleep; hardly anybody hears this.
const BROKEN: Refusal = Refusal::Busy(LATER);

async fn within(mut body: Body, memory: &Arc<Semaphore>) -> Result<Held, Refusal> {
    let mut held: Option<OwnedSemaphorePermit> = None;
    let (mut first, mut rest) = (Bytes::new(), Vec::new());
    let mut seen = 0;
    let mut refusal = None;
    loop {
        let frame = match tokio::time::timeout(PAUSE, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) | Err(_) => return Err(BROKEN),
        };
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen > DISCARD {
            return Err(Refusal::TooLarge);
        }
        if seen > limits::BODY {
            refusal = Some(Refusal::TooLarge);
        } else if refusal.is_none() {
            match Arc::clone(memory).try_acquire_many_owned(data.len().div_ceil(1_024) as u32) {
                Ok(more) => match &mut held {
                    Some(held) => held.merge(more),
                    None => held = Some(more),
                },
                Err(_) => refusal = Some(Refusal::Busy(LATER)),
            }
        }
        if refusal.is_some() {
            (first, rest, held) = (Bytes::new(), Vec::new(), None);
        } else if seen == data.len() {
            first = data; // most bodies come in one piece
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    match refusal {
        Some(refusal) => Err(refusal),
        None => Ok(Held { bytes: if rest.is_empty() { first } else { rest.into() }, _memory: held }),
    }
}
