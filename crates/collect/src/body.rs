//! Bodies: decompressed within a limit, read as JSON with the damage that real clients do repaired.
use crate::{Refusal, Request, limits, reason};
use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use serde_json::Value;
use std::{borrow::Cow, io::Read};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Base64 of either alphabet, padded or not; a blank is a `+` that a form took for one.
pub(crate) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let plain = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).map(|byte| match byte {
        b'+' | b' ' => b'-',
        b'/' => b'_',
        other => other,
    });
    BASE64.decode(plain.collect::<Vec<u8>>()).ok()
}

/// As [`base64_bytes`], of a text.
pub(crate) fn base64_text(text: &str) -> Option<String> {
    String::from_utf8(base64_bytes(text)?).ok()
}

/// The body of a request, decompressed. Some clients compress without saying so, some proxies decompress and leave the
/// header, so the first bytes decide.
pub(crate) fn of<'a>(request: &Request<'a>) -> Result<Cow<'a, [u8]>, Refusal> {
    if request.body.len() > limits::BODY || request.query.len() > limits::QUERY {
        return Err(Refusal::TooLarge);
    }
    let coding = request.header("content-encoding").unwrap_or_default();
    let looks_plain = || matches!(request.body.trim_ascii_start(), [] | [b'{' | b'[', ..]);
    if coding.eq_ignore_ascii_case("deflate") && !looks_plain() {
        return match bounded(ZlibDecoder::new(request.body)) {
            Err(Refusal::Damaged) => bounded(DeflateDecoder::new(request.body)),
            other => other,
        }
        .map(Cow::Owned);
    }
    if !coding.is_empty() && !["gzip", "x-gzip", "identity"].iter().any(|known| coding.eq_ignore_ascii_case(known)) {
        return if looks_plain() {
            Ok(Cow::Borrowed(request.body))
        } else {
            Err(Refusal::Unreadable(reason::BODY_ENCODING))
        };
    }
    gunzip(request.body)
}

/// Bytes, decompressed where they begin as gzip does.
pub(crate) fn gunzip(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bounded(MultiGzDecoder::new(bytes)).map(Cow::Owned)
    } else {
        Ok(Cow::Borrowed(bytes))
    }
}

fn bounded(reader: impl Read) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    reader.take(limits::BODY as u64 + 1).read_to_end(&mut out).map_err(|_| Refusal::Damaged)?;
    if out.len() > limits::BODY { Err(Refusal::Bomb) } else { Ok(out) }
}

/// Reads JSON. Where that fails, bytes that are no UTF-8 and halves of surrogate pairs (JavaScript cuts texts between them)
/// become U+FFFD, and it is tried again: half a letter is no reason to lose a batch.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, Refusal> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // All at once is quicker than text by text.
    if let Some(value) = std::str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str(text).ok()) {
        return Ok(value);
    }
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_str(&without_halves(&text)).map_err(|_| Refusal::Unreadable(reason::BODY_NO_JSON))
}

/// The text with `\ud800` … `\udfff` that have no other half replaced by `\ufffd`.
fn without_halves(text: &str) -> String {
    let code = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let length = match code(at) {
            Some(0xd800..=0xdbff) if matches!(code(at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                out.push_str("\\ufffd");
                at += 6;
                continue;
            }
            // An escaped backslash must not lend its second half to the letter after it.
            _ if text.as_bytes()[at] == b'\\' => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            _ => text[at..].chars().next().map_or(1, char::len_utf8),
        };
        out.push_str(&text[at..at + length]);
        at += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_bodies_are_bounded() {
        assert_eq!(gunzip(&zipped(b"{}")).unwrap().as_ref(), b"{}");
        assert_eq!(gunzip(&zipped(&vec![b' '; limits::BODY])).unwrap().len(), limits::BODY);
        assert_eq!(gunzip(&zipped(&vec![b' '; limits::BODY + 1])), Err(Refusal::Bomb));
        let whole = zipped(b"{\"a\":1}");
        assert_eq!(gunzip(&whole[..whole.len() - 3]), Err(Refusal::Damaged));
        let two = [zipped(b"{\"a\":"), zipped(b"1}")].concat();
        assert_eq!(gunzip(&two).unwrap().as_ref(), b"{\"a\":1}");
    }

    #[test]
    fn half_a_letter_is_no_reason_to_lose_a_batch() {
        let read = |bytes: &[u8]| json(bytes).unwrap()["a"].as_str().unwrap().to_owned();
        assert_eq!(read(br#"{"a":"x\ud83d"}"#), "x\u{fffd}");
        assert_eq!(read(br#"{"a":"\ud83d\ude00\ude00"}"#), "\u{1f600}\u{fffd}");
        assert_eq!(read(br#"{"a":"\\ud83d\ud83d"}"#), "\\ud83d\u{fffd}");
        assert_eq!(read(b"\xef\xbb\xbf{\"a\":\"\xff\"}"), "\u{fffd}");
        assert!(json(b"{").is_err());
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched_for_halves(text in r#"(\\u[dD][89a-fA-F]..|\\|.|😀){0,12}"#) {
            let out = without_halves(&text);
            prop_assert_eq!(without_halves(&out), out);
        }

        #[test]
        fn base64_of_either_alphabet_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            for engine in [&base64::prelude::BASE64_STANDARD, &base64::prelude::BASE64_STANDARD_NO_PAD, &base64::prelude::BASE64_URL_SAFE_NO_PAD] {
                let text = engine.encode(&bytes);
                prop_assert_eq!(base64_bytes(&text), Some(bytes.clone()));
            }
        }
    }
}
