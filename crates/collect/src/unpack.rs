//! What is packed in bytes, in the ways in which clients pack: for finding a person in requests that are kept.
use crate::{Stored, body, limits};
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// How deep packing is undone: a gzip body that holds base64 of JSON with escapes in a query has four layers.
const DEPTH: u32 = 4;
/// Shorter runs of letters are words, not base64.
const SHORTEST: usize = 12;

/// The most bytes that are looked at for one call. What unpacks to more is made to be a burden.
const MOST: usize = 64 << 20;

/// Whether `found` holds for bytes, or for anything packed in them: a stored request's body, gzip, base64 of either alphabet,
/// percent signs, escapes of JSON, one within the other. Where more than 64 MB come out, it is taken to hold.
pub fn unpacked(bytes: &[u8], found: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    let mut search = Search { found, left: MOST };
    if let Some(stored) = Stored::decode(bytes)
        && let Ok(body) = body::of(&stored.request())
        && search.within(&body, DEPTH)
    {
        return true;
    }
    search.within(bytes, DEPTH)
}

struct Search<'a> {
    found: &'a mut dyn FnMut(&[u8]) -> bool,
    /// Bytes that may still be looked at.
    left: usize,
}

impl Search<'_> {
    fn within(&mut self, bytes: &[u8], depth: u32) -> bool {
        let Some(left) = self.left.checked_sub(bytes.len()) else { return true };
        self.left = left;
        if (self.found)(bytes) {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else { return false };
        let zipped = memchr::memmem::find_iter(bytes, b"\x1f\x8b\x08").map(|at| gunzipped(&bytes[at..]));
        zipped.filter(|inner| !inner.is_empty()).any(|inner| self.within(&inner, depth))
            || plain(bytes).is_some_and(|inner| self.within(&inner, depth))
            || runs(bytes).any(|run| body::base64_bytes(run).is_some_and(|inner| self.within(&inner, depth)))
    }
}

/// As much as can be decompressed.
fn gunzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    // What follows the end of the packed bytes is an error that does not matter here.
    let _ = MultiGzDecoder::new(bytes).take(limits::BODY as u64).read_to_end(&mut out);
    out
}

/// Bytes without their percent signs and JSON escapes; `None` where there are none.
fn plain(bytes: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr2(b'%', b'\\', bytes)?;
    let hex = |at: usize, digits: usize| {
        let text = std::str::from_utf8(bytes.get(at..at + digits)?).ok()?;
        u32::from_str_radix(text, 16).ok()
    };
    let (mut out, mut at, mut changed) = (Vec::with_capacity(bytes.len()), 0, false);
    while let Some(byte) = bytes.get(at) {
        let (taken, length) = match (byte, bytes.get(at + 1)) {
            (b'%', _) => (hex(at + 1, 2), 3),
            (b'\\', Some(b'u')) => (hex(at + 2, 4), 6),
            (b'\\', Some(b'x')) => (hex(at + 2, 2), 4),
            (b'\\', Some(sign @ (b'/' | b'"' | b'\\'))) => (Some(u32::from(*sign)), 2),
            _ => (None, 1),
        };
        match taken
            .and_then(|code| if length == 3 { u8::try_from(code).ok().map(Ok) } else { char::from_u32(code).map(Err) })
        {
            Some(Ok(byte)) => out.push(byte),
            Some(Err(letter)) => out.extend(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {
                out.push(*byte);
                at += 1;
                continue;
            }
        }
        at += length;
        changed = true;
    }
    changed.then_some(out)
}

/// Runs of letters that may be base64, whole and in the parts between slashes and equals signs.
fn runs(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    let texts = bytes.split(move |byte| !letter(byte)).filter(|run| run.len() >= SHORTEST);
    let texts = texts.filter_map(|run| std::str::from_utf8(run).ok());
    texts.flat_map(|run| {
        let parts = run.split(['/', '=']).filter(move |part| part.len() >= SHORTEST && part.len() < run.len());
        std::iter::once(run.trim_matches('=')).chain(parts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;
    use base64::{Engine, prelude::*};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn holds(bytes: &[u8]) -> bool {
        unpacked(bytes, &mut |bytes| memchr::memmem::find(bytes, b"ada@x.example").is_some())
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(vec![], Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn it_is_found_however_it_is_packed() {
        let text = br#"{"email":"ada@x.example","n":1}"#.as_slice();
        let base64 = BASE64_STANDARD.encode(text);
        let safe = BASE64_URL_SAFE_NO_PAD.encode(text);
        for packed in [
            text.to_vec(),
            b"u=%61da%40x.example&b".to_vec(),
            br#"{"e":"ada\u0040x.example"}"#.to_vec(),
            base64.clone().into_bytes(),
            format!("GET /i/{safe}?x").into_bytes(),
            format!("data={base64}&v=1").into_bytes(),
            zipped(text),
            [b"before".as_slice(), &zipped(base64.as_bytes()), b"after"].concat(),
            zipped(format!("data={}", base64.replace('=', "%3D")).as_bytes()),
        ] {
            assert!(holds(&packed), "{}", String::from_utf8_lossy(&packed));
        }
        assert!(!holds(b"nobody@x.example"));
        assert!(!holds(&[0xff, b'%', 0xfe, b'\\']));
    }

    #[test]
    fn a_burden_is_taken_for_found() {
        let packed = zipped(&[b' '; 10_000]);
        let found = |left: usize| Search { found: &mut |_| false, left }.within(&packed, DEPTH);
        assert!(found(10_000) && !found(11_000));
    }

    #[test]
    fn it_is_found_in_a_stored_request() {
        let mut deflated = flate2::write::ZlibEncoder::new(vec![], Compression::best());
        deflated.write_all(br#"{"userId":"ada@x.example"}"#).unwrap();
        let body = deflated.finish().unwrap();
        let headers: [(&str, &[u8]); 1] = [("content-encoding", b"deflate")];
        let request = Request {
            method: "POST",
            path: "/v1/track",
            query: "",
            headers: &headers,
            body: &body,
            remote: None,
            https: true,
            received_at: 0,
        };
        assert!(holds(&Stored::encode(&request, "web", false)));
    }
}
