//! How often people count in resamples.
use crate::{philox::philox, poisson::Poisson};

/// Poisson draws of mean 1, one for each person and resample.
pub(crate) struct People {
    seed: u64,
    pub(super) poisson: Poisson,
}

impl People {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, poisson: Poisson::new() }
    }

    /// How often `person` counts in a resample.
    #[inline]
    pub(crate) fn times(&self, person: u64, replicate: u32) -> f64 {
        self.poisson.one(self.pair(person, replicate, 0)[0])
    }

    /// The pair of draws with that number.
    #[inline]
    pub(super) fn pair(&self, person: u64, replicate: u32, number: u64) -> [u64; 2] {
        philox(self.seed, [person, u64::from(replicate) << 32 | number])
    }
}
