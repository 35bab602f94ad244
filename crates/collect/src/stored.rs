//! A request as the log keeps it, so that its events can be read, and read again.
//!
//! # Format
//! One byte 1, the time of receipt (µs UTC, 8 bytes), one byte of flags (1: TLS, 2: an IPv4 address follows, 4: an IPv6
//! one), the address (4 or 16 bytes), then source, method, path, query, the number of headers, each one's name and value,
//! body: texts and bytes with their length before them. Integers are little-endian, lengths and numbers of 4 bytes.
use crate::Request;
use safar_enrich::address;
use safar_model::Micros;
use std::net::IpAddr;

/// The headers that decoders read; others are not kept.
const HEADERS: [&str; 16] = [
    "accept-language",
    "anonymousid",
    "authorization",
    "content-encoding",
    "content-type",
    "dnt",
    "host",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-model",
    "sec-ch-ua-platform",
    "sec-gpc",
    "sentat",
    "sp-anonymous",
    "user-agent",
];
const ALSO: [&str; 2] = ["x-umami-cache", "x-write-key"];
const VERSION: u8 = 1;

/// A request from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The name of the source that it was taken for; empty where it was refused and is kept for its reason alone.
    pub source: &'a str,
    /// `GET`, `POST` …
    pub method: &'a str,
    /// Without the query.
    pub path: &'a str,
    /// Without its question mark.
    pub query: &'a str,
    /// Those headers that decoders read.
    pub headers: Vec<(&'a str, &'a [u8])>,
    /// As sent.
    pub body: &'a [u8],
    /// Who sent it, as far as the settings let it be kept.
    pub remote: Option<IpAddr>,
    /// Whether the client spoke TLS.
    pub https: bool,
    /// Microseconds UTC.
    pub received_at: Micros,
}

impl<'a> Stored<'a> {
    /// The bytes for the log. `whole_address`: the sender's address is kept as it is, not cut to /24 or /48.
    #[must_use]
    pub fn encode(request: &Request<'_>, source: &str, whole_address: bool) -> Vec<u8> {
        let headers: Vec<_> = request
            .headers
            .iter()
            .filter(|(name, _)| HEADERS.iter().chain(&ALSO).any(|known| known.eq_ignore_ascii_case(name)))
            .collect();
        let texts = [source, request.method, request.path, request.query];
        let lengths = headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum::<usize>();
        let room = 64 + texts.iter().map(|text| text.len()).sum::<usize>() + lengths + request.body.len();
        let mut out = Vec::with_capacity(room);
        out.push(VERSION);
        out.extend_from_slice(&request.received_at.to_le_bytes());
        let address =
            request.remote.map(|whole| if whole_address { whole.to_canonical() } else { address::cut(whole) });
        out.push(u8::from(request.https) | address.map_or(0, |address| if address.is_ipv4() { 2 } else { 4 }));
        match address {
            Some(IpAddr::V4(four)) => out.extend_from_slice(&four.octets()),
            Some(IpAddr::V6(six)) => out.extend_from_slice(&six.octets()),
            None => {}
        }
        let mut put = |bytes: &[u8]| {
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        texts.iter().for_each(|text| put(text.as_bytes()));
        put(&(headers.len() as u32).to_le_bytes());
        for (name, value) in headers {
            put(name.as_bytes());
            put(value);
        }
        put(request.body);
        out
    }

    /// Reads what [`Stored::encode`] wrote; `None` for other bytes.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Cursor(bytes);
        let [VERSION] = from.take(1)? else { return None };
        let received_at = Micros::from_le_bytes(from.take(8)?.try_into().ok()?);
        let [flags] = *from.take(1)? else { return None };
        let remote = match flags & 6 {
            0 => None,
            2 => Some(IpAddr::from(<[u8; 4]>::try_from(from.take(4)?).ok()?)),
            4 => Some(IpAddr::from(<[u8; 16]>::try_from(from.take(16)?).ok()?)),
            _ => return None,
        };
        let [source, method, path, query] = [from.text()?, from.text()?, from.text()?, from.text()?];
        let count = u32::from_le_bytes(from.bytes()?.try_into().ok()?);
        let headers = (0..count).map(|_| Some((from.text()?, from.bytes()?))).collect::<Option<_>>()?;
        let body = from.bytes()?;
        let https = flags & 1 != 0;
        from.0.is_empty().then_some(Self { source, method, path, query, headers, body, remote, https, received_at })
    }

    /// As a decoder reads it.
    #[must_use]
    pub fn request(&'a self) -> Request<'a> {
        Request {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &self.headers,
            body: self.body,
            remote: self.remote,
            https: self.https,
            received_at: self.received_at,
        }
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.take(4)?.try_into().ok()?);
        self.take(length as usize)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn what_is_stored_is_read(texts in [".{0,9}", ".{0,9}", ".{0,9}", ".{0,9}"], body in vec(any::<u8>(), 0..40), value in vec(any::<u8>(), 0..9), remote: Option<IpAddr>, https: bool, received_at: i64) {
            let [source, method, path, query] = &texts;
            let headers = [("Cookie", b"never".as_slice()), ("USER-Agent", &value), ("dnt", b"1")];
            let request = Request { method, path, query, headers: &headers, body: &body, remote, https, received_at };
            let bytes = Stored::encode(&request, source, true);
            let stored = Stored::decode(&bytes).unwrap();
            prop_assert_eq!(&stored, &Stored { source, method, path, query, headers: headers[1..].to_vec(), body: &body, remote: remote.map(|address| address.to_canonical()), https, received_at });
            for end in 0..bytes.len() {
                prop_assert_eq!(Stored::decode(&bytes[..end]), None);
            }
            let cut = Stored::encode(&request, source, false);
            prop_assert_eq!(Stored::decode(&cut).unwrap().remote, remote.map(address::cut));
        }

        #[test]
        fn any_bytes_are_read_or_not(mut bytes in vec(any::<u8>(), 0..90)) {
            bytes.insert(0, VERSION);
            let _ = Stored::decode(&bytes);
        }
    }
}
