//! Bytes of a segment: its header, its records, and finding the next whole record after a damaged one.
use crc32fast::Hasher;
use safar_model::Micros;

/// The longest payload of a record, in bytes: a request of the largest size with its headers.
pub const RECORD: usize = 8 << 20;

const NAME: &[u8; 8] = b"SAFARLG1";
const MARK: [u8; 4] = [0xa5, b'S', b'R', 0x5a];
pub(super) const HEADER: usize = 28;
pub(super) const HEAD: usize = 16;

/// What nobody outside knows of a segment.
pub(super) type Salt = [u8; 8];

fn crc(salt: &Salt, bytes: &[u8]) -> [u8; 4] {
    let mut hasher = Hasher::new();
    hasher.update(salt);
    hasher.update(bytes);
    hasher.finalize().to_le_bytes()
}

/// The header of a segment.
pub(super) fn header(salt: &Salt, made_at: Micros) -> [u8; HEADER] {
    let mut out = [0; HEADER];
    out[..8].copy_from_slice(NAME);
    out[8..16].copy_from_slice(salt);
    out[16..24].copy_from_slice(&made_at.to_le_bytes());
    let sum = crc(salt, &out[..24]);
    out[24..].copy_from_slice(&sum);
    out
}

/// The salt and the time of a header, where it is whole.
pub(super) fn read_header(bytes: &[u8]) -> Option<(Salt, Micros)> {
    let header = bytes.get(..HEADER)?;
    let salt: Salt = header[8..16].try_into().ok()?;
    let made_at = Micros::from_le_bytes(header[16..24].try_into().ok()?);
    (header[..8] == *NAME && header[24..] == crc(&salt, &header[..24])).then_some((salt, made_at))
}

/// What stands before a payload, which is at most [`RECORD`] bytes long.
pub(super) fn head(salt: &Salt, payload: &[u8]) -> [u8; HEAD] {
    let length = (payload.len() as u32).to_le_bytes();
    let mut out = [0; HEAD];
    out[..4].copy_from_slice(&MARK);
    out[4..8].copy_from_slice(&length);
    out[8..12].copy_from_slice(&crc(salt, &length));
    out[12..].copy_from_slice(&crc(salt, payload));
    out
}

/// A part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A whole record.
    Record {
        /// Where it begins, in bytes from the beginning of the segment.
        at: usize,
        /// What was appended.
        payload: &'a [u8],
    },
    /// Bytes that are no record, before a whole one: the disk damaged what was safe.
    Damaged {
        /// Where they begin.
        at: usize,
        /// As they are.
        bytes: &'a [u8],
    },
    /// Bytes at the end that are no record: the writer was stopped while it wrote. Nothing there was acknowledged, unless
    /// the disk damaged it.
    Torn {
        /// Where they begin.
        at: usize,
        /// As they are.
        bytes: &'a [u8],
    },
}

impl Entry<'_> {
    /// Where it begins, in bytes from the beginning of the segment.
    #[must_use]
    pub fn at(self) -> usize {
        let (Self::Record { at, .. } | Self::Damaged { at, .. } | Self::Torn { at, .. }) = self;
        at
    }
}

/// The payload of the record that begins at a place, if a whole one does.
pub(super) fn record<'a>(salt: &Salt, bytes: &'a [u8], at: usize) -> Option<&'a [u8]> {
    let head = bytes.get(at..at + HEAD)?;
    let length: [u8; 4] = head[4..8].try_into().ok()?;
    if head[..4] != MARK || head[8..12] != crc(salt, &length) {
        return None;
    }
    let payload = bytes.get(at + HEAD..at + HEAD + u32::from_le_bytes(length) as usize)?;
    (head[12..] == crc(salt, payload)).then_some(payload)
}

/// The parts of a segment from a place on; together they are all of its bytes.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    pub salt: Salt,
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        if at >= self.bytes.len() {
            return None;
        }
        if let Some(payload) = record(&self.salt, self.bytes, at) {
            self.at += HEAD + payload.len();
            return Some(Entry::Record { at, payload });
        }
        let marks = memchr::memmem::find_iter(&self.bytes[at + 1..], &MARK).map(|found| at + 1 + found);
        let next = marks.into_iter().find(|place| record(&self.salt, self.bytes, *place).is_some());
        self.at = next.unwrap_or(self.bytes.len());
        let bytes = &self.bytes[at..self.at];
        Some(if next.is_some() { Entry::Damaged { at, bytes } } else { Entry::Torn { at, bytes } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const SALT: Salt = *b"any salt";

    fn segment(payloads: &[Vec<u8>]) -> Vec<u8> {
        payloads.iter().flat_map(|payload| [head(&SALT, payload).as_slice(), payload].concat()).collect()
    }

    fn entries(bytes: &[u8]) -> Vec<Entry<'_>> {
        Entries { salt: SALT, bytes, at: 0 }.collect()
    }

    fn payloads<'a>(entries: &[Entry<'a>]) -> Vec<&'a [u8]> {
        let payload = |entry: &Entry<'a>| match entry {
            Entry::Record { payload, .. } => Some(*payload),
            _ => None,
        };
        entries.iter().filter_map(payload).collect()
    }

    #[test]
    fn headers_are_whole_or_nothing() {
        let whole = header(&SALT, -7);
        assert_eq!(read_header(&whole), Some((SALT, -7)));
        for at in 0..HEADER {
            let mut damaged = whole;
            damaged[at] ^= 1;
            assert_eq!(read_header(&damaged), None, "byte {at}");
            assert_eq!(read_header(&whole[..at]), None);
        }
    }

    #[test]
    fn a_record_in_a_payload_is_none() {
        let forged = segment(&[b"forged".to_vec()]);
        let other_salt = [head(b"unknown!", b"forged").as_slice(), b"forged"].concat();
        for (inner, count) in [(forged, 2), (other_salt, 1)] {
            let mut bytes = segment(&[inner, b"next".to_vec()]);
            bytes[0] ^= 1;
            assert_eq!(payloads(&entries(&bytes)).len(), count, "only who knows the salt can forge a record");
        }
    }

    proptest! {
        #[test]
        fn a_torn_tail_costs_what_was_torn_at_every_byte(payloads_in in vec(vec(any::<u8>(), 0..24), 0..6)) {
            let whole = segment(&payloads_in);
            for end in 0..=whole.len() {
                let found = entries(&whole[..end]);
                let mut length = 0;
                let expected: Vec<&[u8]> = payloads_in.iter().map(Vec::as_slice).take_while(|payload| {
                    length += HEAD + payload.len();
                    length <= end
                }).collect();
                let kept: usize = expected.iter().map(|payload| HEAD + payload.len()).sum();
                prop_assert_eq!(payloads(&found), expected);
                let torn = found.last().and_then(|entry| match entry { Entry::Torn { at, bytes } => Some((*at, bytes.len())), _ => None });
                prop_assert_eq!(torn, (kept < end).then_some((kept, end - kept)));
            }
        }

        #[test]
        fn a_damaged_byte_costs_one_record(payloads_in in vec(vec(any::<u8>(), 0..24), 1..6), at: prop::sample::Index, change in 1_u8..) {
            let mut bytes = segment(&payloads_in);
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            let mut end = 0;
            let hit = payloads_in.iter().position(|payload| { end += HEAD + payload.len(); at < end }).unwrap();
            let rest: Vec<&[u8]> = payloads_in.iter().enumerate().filter(|(place, _)| *place != hit).map(|(_, payload)| payload.as_slice()).collect();
            let found = entries(&bytes);
            prop_assert_eq!(payloads(&found), rest);
            let lost = found.iter().find_map(|entry| match entry {
                Entry::Damaged { bytes, .. } => Some((true, bytes.len())),
                Entry::Torn { bytes, .. } => Some((false, bytes.len())),
                Entry::Record { .. } => None,
            });
            prop_assert_eq!(lost, Some((hit + 1 < payloads_in.len(), HEAD + payloads_in[hit].len())));
        }

        #[test]
        fn any_bytes_are_read_and_none_is_lost(bytes in vec(any::<u8>(), 0..200)) {
            let total: usize = entries(&bytes).iter().map(|entry| match entry {
                Entry::Record { payload, .. } => HEAD + payload.len(),
                Entry::Damaged { bytes, .. } | Entry::Torn { bytes, .. } => bytes.len(),
            }).sum();
            prop_assert_eq!(total, bytes.len());
        }
    }
}
