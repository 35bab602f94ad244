//! Addresses of visitors: used whole, kept cut.
use std::net::IpAddr;

/// An address without its last part: a network of 256 addresses (IPv4 /24) or of one customer (IPv6 /48).
#[must_use]
pub fn cut(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4((u32::from(four) & 0xffff_ff00).into()),
        IpAddr::V6(six) => IpAddr::V6((u128::from(six) >> 80 << 80).into()),
    }
}

/// An address as programs write it: alone, the first of a list (`X-Forwarded-For`), with a port or in brackets.
#[must_use]
pub fn read(text: &str) -> Option<IpAddr> {
    let first = text.split(',').next().unwrap_or_default().trim().trim_matches('"');
    if let Ok(address) = first.parse() {
        return Some(address);
    }
    first
        .parse::<std::net::SocketAddr>()
        .ok()
        .map(|socket| socket.ip())
        .or_else(|| first.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

/// Whether a member of this name holds the address of a visitor, whoever spells it: `ip`, `$ip`, `clientIp`, `remote_addr` …
#[must_use]
pub fn is_named(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect();
    plain.ends_with("ip")
        || plain.starts_with("ip")
        || ["ipaddr", "remoteaddr", "forwardedfor"].iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_last_part() {
        for (whole, part) in [
            ("203.0.113.7", "203.0.113.0"),
            ("::ffff:203.0.113.7", "203.0.113.0"),
            ("2001:db8:1:2::3", "2001:db8:1::"),
            ("203.0.113.7:5000", "203.0.113.0"),
            ("[2001:db8:1:2::3]:80", "2001:db8:1::"),
            ("[2001:db8:1:2::3]", "2001:db8:1::"),
            ("203.0.113.7, 10.0.0.1", "203.0.113.0"),
        ] {
            assert_eq!(cut(read(whole).unwrap()).to_string(), part, "{whole}");
        }
        assert_eq!(read("1.2.3"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn names_of_addresses_are_known() {
        for (name, fits) in [
            ("ip", true),
            ("$ip", true),
            ("clientIp", true),
            ("REMOTE_ADDR", true),
            ("ipAddress", true),
            ("x-forwarded-for", true),
            ("version", false),
            ("build", false),
        ] {
            assert_eq!(is_named(name), fits, "{name}");
        }
    }
}
