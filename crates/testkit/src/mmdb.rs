//! A file of countries in MaxMind's format, written by its specification (<https://maxmind.github.io/MaxMind-DB/>).
use std::net::IpAddr;

/// A number with its type: what follows a type of 7 or more is a second byte.
fn control(kind: u8, size: usize) -> Vec<u8> {
    assert!(size < 29, "this writer knows small sizes only");
    if kind <= 7 { vec![kind << 5 | size as u8] } else { vec![size as u8, kind - 7] }
}

fn text(text: &str) -> Vec<u8> {
    [control(2, text.len()), text.as_bytes().to_vec()].concat()
}

/// Types 5 (16 bits), 6 (32 bits) and 9 (64 bits); leading zeros are left out.
fn number(kind: u8, number: u64) -> Vec<u8> {
    let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    [control(kind, bytes.len()), bytes].concat()
}

/// A file of networks (address, bits) and the ISO codes of their countries; a network within another one comes after it.
///
/// # Panics
/// When an address is none, or a text is longer than 28 bytes.
#[must_use]
pub fn database(kind: &str, networks: &[(&str, u32, &str)]) -> Vec<u8> {
    // 0: nothing is there yet; else a node's number + 1, or minus a record's number − 1.
    let mut nodes: Vec<[i64; 2]> = vec![[0; 2]];
    for (place, (network, bits, _)) in networks.iter().enumerate() {
        let (address, before) = match network.parse().unwrap() {
            IpAddr::V4(four) => (u128::from(u32::from(four)), 96),
            IpAddr::V6(six) => (u128::from(six), 0),
        };
        let (mut node, depth) = (0, before + bits);
        for bit in 0..depth {
            let side = (address >> (127 - bit) & 1) as usize;
            if bit + 1 == depth {
                nodes[node][side] = -1 - place as i64;
            } else if nodes[node][side] <= 0 {
                // A network within one that has a country keeps it on its other side.
                let around = nodes[node][side];
                nodes.push([around; 2]);
                nodes[node][side] = nodes.len() as i64;
                node = nodes.len() - 1;
            } else {
                node = nodes[node][side] as usize - 1;
            }
        }
    }
    let (mut data, mut offsets) = (Vec::new(), Vec::new());
    for (_, _, code) in networks {
        offsets.push(data.len());
        data.extend(object(&[("country", object(&[("iso_code", text(code))]))]));
    }
    let mut file = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match record {
            0 => nodes.len(),
            1.. => *record as usize - 1,
            _ => nodes.len() + 16 + offsets[(-1 - record) as usize],
        };
        file.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    file.extend(object(&[
        ("binary_format_major_version", number(5, 2)),
        ("binary_format_minor_version", number(5, 0)),
        ("build_epoch", number(9, 1_767_225_600)),
        ("database_type", text(kind)),
        ("description", object(&[])),
        ("ip_version", number(5, 6)),
        ("languages", control(11, 0)),
        ("node_count", number(6, nodes.len() as u64)),
        ("record_size", number(5, 24)),
    ]));
    file
}

fn object(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let inner = members.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
    control(7, members.len()).into_iter().chain(inner).collect()
}
