//! Reading a body: within the limits, within the memory there is, and to its end.
//!
//! A client that is cut off while it sends takes it for a lost connection and sends all of it again, for ever. So what is too
//! large is read to its end and thrown away as it comes, and the client hears the refusal.
use crate::{Refusal, limits};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::timeout;

/// Beyond this a client is cut off all the same.
const DISCARD: usize = 256 << 20;
/// The longest pause within a body.
const PAUSE: Duration = Duration::from_secs(20);
/// The longest that a body may take.
const WHOLE: Duration = Duration::from_secs(120);
/// When to come back where there is no memory.
const LATER: u32 = 2;
/// The client is gone or asleep; hardly anybody hears this.
const BROKEN: Refusal = Refusal::Busy(LATER);

/// Bytes that bodies may still take.
#[derive(Clone, Debug)]
pub(super) struct Memory(Arc<AtomicUsize>);

impl Memory {
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Whether there was room; then it is taken.
    fn take(&self, bytes: usize) -> bool {
        let less = |free: usize| free.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// A body and the memory that it holds.
#[derive(Debug)]
pub(super) struct Held {
    pub bytes: Bytes,
    _claim: Claim,
}

#[derive(Debug)]
struct Claim {
    memory: Memory,
    bytes: usize,
}

impl Claim {
    fn give_back(&mut self) {
        self.memory.0.fetch_add(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Reads a body. What came with the head, which most often is all of it, needs no clock.
pub(super) async fn read<B>(mut body: B, memory: &Memory) -> Result<Held, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut read = Read::new(memory);
    while !body.is_end_stream() {
        let frame = match poll_fn(|context| Poll::Ready(Pin::new(&mut body).poll_frame(context))).await {
            Poll::Ready(None) => break,
            Poll::Ready(Some(frame)) => frame,
            Poll::Pending => {
                timeout(WHOLE, slowly(&mut body, &mut read)).await.unwrap_or(Err(BROKEN))?;
                break;
            }
        };
        read.add(frame.map_err(|_| BROKEN)?)?;
    }
    read.done()
}

/// Reads the rest as it comes.
async fn slowly<B>(body: &mut B, read: &mut Read) -> Result<(), Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    loop {
        match timeout(PAUSE, body.frame()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(frame))) => read.add(frame)?,
            Ok(Some(Err(_))) | Err(_) => return Err(BROKEN),
        }
    }
}

/// A body while it is read.
struct Read {
    first: Bytes,
    rest: Vec<u8>,
    seen: usize,
    claim: Claim,
    refusal: Option<Refusal>,
}

impl Read {
    fn new(memory: &Memory) -> Self {
        let claim = Claim { memory: memory.clone(), bytes: 0 };
        Self { first: Bytes::new(), rest: Vec::new(), seen: 0, claim, refusal: None }
    }

    /// Takes a frame; fails where no more is to be read.
    fn add(&mut self, frame: hyper::body::Frame<Bytes>) -> Result<(), Refusal> {
        let Ok(data) = frame.into_data() else { return Ok(()) };
        self.seen += data.len();
        if self.seen > DISCARD {
            return Err(Refusal::TooLarge);
        }
        if self.seen > limits::BODY {
            self.refusal = Some(Refusal::TooLarge);
        } else if self.refusal.is_none() {
            if self.claim.memory.take(data.len()) {
                self.claim.bytes += data.len();
            } else {
                self.refusal = Some(Refusal::Busy(LATER));
            }
        }
        if self.refusal.is_some() {
            (self.first, self.rest) = (Bytes::new(), Vec::new());
            self.claim.give_back();
        } else if self.seen == data.len() {
            self.first = data; // most bodies come in one piece
        } else {
            if self.rest.is_empty() {
                self.rest.extend_from_slice(&self.first);
            }
            self.rest.extend_from_slice(&data);
        }
        Ok(())
    }

    fn done(self) -> Result<Held, Refusal> {
        match self.refusal {
            Some(refusal) => Err(refusal),
            None => {
                let bytes = if self.rest.is_empty() { self.first } else { self.rest.into() };
                Ok(Held { bytes, _claim: self.claim })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    #[tokio::test]
    async fn memory_is_given_back() {
        let memory = Memory::new(10);
        let held = read(Full::new(Bytes::from_static(b"sixteen")), &memory).await.unwrap();
        assert_eq!(
            (held.bytes.as_ref(), held._claim.bytes, memory.0.load(Ordering::Relaxed)),
            (b"sixteen".as_slice(), 7, 3)
        );
        let none = read(Full::new(Bytes::from_static(b"four")), &memory).await;
        assert_eq!(none.unwrap_err(), BROKEN);
        drop(held);
        assert_eq!(memory.0.load(Ordering::Relaxed), 10);
    }
}
