//! The parts of a URL that enrichment reads, found in one pass and mostly without allocation.
//!
//! A full parser normalises and validates what nobody asks about here, at several times the cost; it is used only
//! for host names with non-ASCII letters.
use memchr::{memchr, memchr2};
use std::{borrow::Cow, fmt::Write};

/// Slices of a URL. The fragment is left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// As written; empty where there is none.
    pub scheme: &'a str,
    /// In lower case and ASCII, without user, port and final dot; empty where there is none.
    pub host: Cow<'a, str>,
    /// As written, with its `/`.
    pub path: &'a str,
    /// As written, without its `?`; empty where there is none.
    pub query: &'a str,
}

/// Split a URL, absolute or relative. Never fails: what cannot be read as a host is no host.
pub(crate) fn split(url: &str) -> Parts<'_> {
    let url = url.trim();
    let url = &url[..memchr(b'#', url.as_bytes()).unwrap_or(url.len())];
    let (head, query) = match memchr(b'?', url.as_bytes()) {
        Some(at) => (&url[..at], &url[at + 1..]),
        None => (url, ""),
    };
    let (scheme, rest) = match memchr(b':', head.as_bytes()) {
        Some(at) if head[at..].starts_with("://") && is_scheme(&head[..at]) => (&head[..at], Some(&head[at + 3..])),
        _ => ("", head.strip_prefix("//")),
    };
    let authority_and_path = rest.unwrap_or(head);
    let cut = memchr2(b'/', b'\\', authority_and_path.as_bytes()).unwrap_or(authority_and_path.len());
    let (authority, path) = authority_and_path.split_at(cut);
    let host = host_of(authority);
    // `shop.example/sale` without a scheme is a host only if its ending is a real one; `index.html` is a path, and
    // `mailto:me@shop.example` is neither.
    if rest.is_none() && (icann_prefix(&host).is_none() || authority.contains('@')) {
        return Parts { scheme, host: Cow::Borrowed(""), path: head, query };
    }
    Parts { scheme, host, path, query }
}

fn is_scheme(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn host_of(authority: &str) -> Cow<'_, str> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|b| b.is_ascii_digit()) && (host.ends_with(']') || !host.contains(':')) =>
        {
            host
        }
        _ => host,
    };
    ascii_host(host.strip_suffix('.').unwrap_or(host))
}

/// A host in lower case and ASCII; empty where the text is no host.
pub(crate) fn ascii_host(host: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'[' | b']' | b':');
    if host.bytes().all(plain) {
        if host.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        }
    } else if host.len() > 1024 {
        Cow::Borrowed("") // No host is that long, and IDN tables are slow.
    } else {
        url::Host::parse(host).map_or(Cow::Borrowed(""), |host| Cow::Owned(host.to_string()))
    }
}

/// Whether a host is an address in numbers.
pub(crate) fn is_ip(host: &str) -> bool {
    host.starts_with('[')
        || host.rsplit('.').next().is_some_and(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_digit()))
}

/// What stands before the public suffix (`www.google` of `www.google.co.uk`); none for names under no suffix of ICANN's.
pub(crate) fn icann_prefix(host: &str) -> Option<&str> {
    if !host.contains('.') || is_ip(host) {
        return None;
    }
    let suffix = psl::suffix(host.as_bytes()).filter(|s| s.typ() == Some(psl::Type::Icann))?;
    host[..host.len() - suffix.as_bytes().len()].strip_suffix('.').filter(|prefix| !prefix.is_empty())
}

/// The part of a host that one owner registers (`example.co.uk` of `shop.example.co.uk`); the host itself where there
/// is none, as for addresses in numbers and names of one word.
pub(crate) fn registrable(host: &str) -> &str {
    if is_ip(host) { host } else { psl::domain_str(host).unwrap_or(host) }
}

/// The name and value pairs of a query, in order, neither decoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = query;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = memchr(b'&', rest.as_bytes()).unwrap_or(rest.len());
            let pair = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or("");
            if let Some(at) = memchr(b'=', pair.as_bytes()) {
                // Links copied out of HTML source keep the `amp;` of `&amp;`.
                return Some((pair[..at].strip_prefix("amp;").unwrap_or(&pair[..at]), &pair[at + 1..]));
            }
        }
        None
    })
}

/// Undo percent-encoding and `+`. Escapes that are no UTF-8 become U+FFFD; a `%` that starts no escape stays.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    memchr2(b'%', b'+', text.as_bytes()).map_or(Cow::Borrowed(text), |first| unescaped(text, first, b' '))
}

/// Undo percent-encoding as [`decode`] does, and leave `+` alone.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    memchr(b'%', text.as_bytes()).map_or(Cow::Borrowed(text), |first| unescaped(text, first, b'+'))
}

/// A text as a part of an address: letters, digits and `-._~()` as they are.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~()".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    out
}

/// `first`: where the first sign to undo stands; `plus`: what a plus sign means.
fn unescaped(text: &str, first: usize, plus: u8) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        let escape = || Some((hex(*bytes.get(at + 1)?)? << 4) | hex(*bytes.get(at + 2)?)?);
        match byte {
            b'+' => out.push(plus),
            b'%' => {
                if let Some(decoded) = escape() {
                    out.push(decoded);
                    at += 2;
                } else {
                    out.push(b'%');
                }
            }
            _ => out.push(byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_wherever_they_stand() {
        for (url, host, path) in [
            ("https://User:pw@WWW.Example.com:8443/a/b?c=d#e", "www.example.com", "/a/b"),
            ("//cdn.example.com/x", "cdn.example.com", "/x"),
            ("example.co.uk/sale", "example.co.uk", "/sale"),
            ("index.html?x=1", "", "index.html"),
            ("/only/a/path?utm_source=x", "", "/only/a/path"),
            ("?utm_source=x", "", ""),
            ("http://[2001:DB8::1]:80/", "[2001:db8::1]", "/"),
            ("http://192.168.0.1:3000", "192.168.0.1", ""),
            ("https://münchen.de./", "xn--mnchen-3ya.de", "/"),
            ("android-app://com.google.android.gm/", "com.google.android.gm", "/"),
            ("about:blank", "", "about:blank"),
            ("mailto:me@example.com", "", "mailto:me@example.com"),
            ("https://bad host/", "", "/"),
            ("http://localhost:8080/x", "localhost", "/x"),
            ("", "", ""),
        ] {
            let parts = split(url);
            assert_eq!((parts.host.as_ref(), parts.path), (host, path), "{url}");
        }
    }

    #[test]
    fn prefixes_need_a_real_suffix() {
        assert_eq!(icann_prefix("www.google.co.uk"), Some("www.google"));
        assert_eq!(icann_prefix("google.github.io"), None);
        assert_eq!(icann_prefix("co.uk"), None);
        assert_eq!(icann_prefix("10.0.0.1"), None);
        assert_eq!(registrable("a.shop.example.co.uk"), "example.co.uk");
        assert_eq!(registrable("a.b.github.io"), "b.github.io");
        assert_eq!(registrable("10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn values_are_decoded_and_never_lost() {
        for (text, value) in [
            ("plain", "plain"),
            ("a+b%20c", "a b c"),
            ("%C3%A9t%c3%a9", "été"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%FF", "\u{fffd}"),
            ("%+1", "% 1"),
        ] {
            assert_eq!(decode(text), value, "{text}");
        }
        assert_eq!(pairs("a=1&&b&amp;c=2=3&=4").collect::<Vec<_>>(), [("a", "1"), ("c", "2=3"), ("", "4")]);
    }
}
