//! Some of the states, and the place of each among them.

/// A bit for each state, and how many are set before each word of bits.
pub(super) struct Ranks(Vec<(u64, u32)>);

impl Ranks {
    pub(super) fn new(states: usize, some: impl Iterator<Item = u32>) -> Self {
        let mut words = vec![(0_u64, 0_u32); states.div_ceil(64)];
        some.for_each(|state| words[state as usize / 64].0 |= 1 << (state % 64));
        let mut before = 0;
        for (bits, count) in &mut words {
            *count = before;
            before += bits.count_ones();
        }
        Self(words)
    }

    pub(super) fn holds(&self, state: usize) -> bool {
        self.0[state / 64].0 >> (state % 64) & 1 == 1
    }

    /// The place of a state that is among them.
    #[inline]
    pub(super) fn place(&self, state: u32) -> u32 {
        let (bits, before) = self.0[state as usize / 64];
        before + (bits & ((1 << (state % 64)) - 1)).count_ones()
    }
}
