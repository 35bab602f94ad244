//! Random numbers by their number: Philox2x64-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy as
//! 1, 2, 3; SC 2011). No state, so a draw is the same whoever asks for it, and when. A stream cipher such as ChaCha
//! gives that too, but in blocks of 64 bytes, where a resample needs 16 here and 16 there.

const MULTIPLIER: u64 = 0xd2b7_4407_b1ce_6e93;
const WEYL: u64 = 0x9e37_79b9_7f4a_7c15;

/// Two even draws of 64 bits, the pair number `counter` of those that belong to `key`.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low half of the product is meant")]
pub(crate) fn philox(key: u64, counter: [u64; 2]) -> [u64; 2] {
    let ([mut left, mut right], mut key) = (counter, key);
    for _ in 0..10 {
        let product = u128::from(left) * u128::from(MULTIPLIER);
        (left, right) = ((product >> 64) as u64 ^ key ^ right, product as u64);
        key = key.wrapping_add(WEYL);
    }
    [left, right]
}

#[cfg(test)]
mod tests {
    use super::philox;

    #[test]
    fn known_answers_of_random123_are_met() {
        assert_eq!(philox(0, [0, 0]), [0xca00_a045_9843_d731, 0x66c2_4222_c9a8_45b5]);
        assert_eq!(philox(u64::MAX, [u64::MAX; 2]), [0x65b0_21d6_0cd8_310f, 0x4d02_f322_2f86_df20]);
        let pi = (0xa409_3822_299f_31d0, [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344]);
        assert_eq!(philox(pi.0, pi.1), [0x0a5e_742c_2997_341c, 0xb0f8_83d3_8000_de5d]);
    }
}
