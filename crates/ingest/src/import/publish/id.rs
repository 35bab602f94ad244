//! Which event an id is of: made ids are hashes of what the event says, given ones are hashed.

use xxhash_rust::xxh3::xxh3_128;

/// Fingerprints are hashes already.
#[derive(Default)]
pub(super) struct Take64(u64);

impl std::hash::Hasher for Take64 {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(eight);
        }
    }
    fn write_u128(&mut self, value: u128) {
        self.0 ^= value as u64 ^ (value >> 64) as u64;
    }
}

/// 32 hexadecimal digits are the number they write, so that made ids equal their hash; other ids are hashed.
pub(super) fn fingerprint(event_id: &str) -> u128 {
    let hex = event_id.len() == 32 && event_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    hex.then(|| u128::from_str_radix(event_id, 16).ok()).flatten().unwrap_or_else(|| xxh3_128(event_id.as_bytes()))
}

/// The id that is made of a hash.
pub(super) fn hex(hash: u128) -> [u8; 32] {
    const PAIRS: [[u8; 2]; 256] = {
        let digits = b"0123456789abcdef";
        let mut pairs = [[0; 2]; 256];
        let mut byte = 0;
        while byte < 256 {
            pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
            byte += 1;
        }
        pairs
    };
    let mut out = [0; 32];
    for (pair, byte) in out.chunks_exact_mut(2).zip(hash.to_be_bytes()) {
        pair.copy_from_slice(&PAIRS[usize::from(byte)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_are_their_hash() {
        for hash in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677] {
            assert_eq!(fingerprint(std::str::from_utf8(&hex(hash)).unwrap()), hash);
        }
        assert_ne!(fingerprint("order-1"), fingerprint("order-2"));
    }
}
