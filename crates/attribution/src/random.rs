//! Seeded draws that are the same on every machine: ChaCha8, one stream for each unit of work, whole numbers only.
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// Evenly from 0 to `count` − 1; `count` is at least 1.
    fn below(&mut self, count: usize) -> usize {
        // The highest 64 bits of the product: an unevenness of count / 2^64.
        #[expect(clippy::cast_possible_truncation, reason = "below count")]
        let below = ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize;
        below
    }

    /// Puts `items` into an even random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// How many of `people` toss heads. A part of a person goes to one side as a whole.
    ///
    /// Up to 2^20 people toss a coin each. Of more, the rest is halved: their luck would move the parts by less than
    /// a thousandth.
    pub(crate) fn half(&mut self, people: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^20")]
        let tossed = people.min(TOSSED).floor() as u32;
        let rest = people - f64::from(tossed);
        let mut heads = 0;
        for first in (0..tossed).step_by(64) {
            let coins = self.0.next_u64();
            heads += (coins >> (64 - (tossed - first).min(64))).count_ones();
        }
        let extra = if rest >= 1.0 {
            rest / 2.0
        } else if rest > 0.0 && self.0.next_u64() >> 63 == 1 {
            rest
        } else {
            0.0
        };
        f64::from(heads) + extra
    }

    /// Deals `people` to as many parts as `parts` has, a power of two: each person to one of them, evenly and on
    /// their own.
    pub(crate) fn deal(&mut self, people: f64, parts: &mut [f64]) {
        if people == 0.0 {
            parts.fill(0.0);
        } else if let [only] = parts {
            *only = people;
        } else {
            let heads = self.half(people);
            let (left, right) = parts.split_at_mut(parts.len() / 2);
            self.deal(heads, left);
            self.deal(people - heads, right);
        }
    }
}

const TOSSED: f64 = 1_048_576.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_dealt_evenly_and_nobody_is_lost() {
        let mut sums = [0.0; 8];
        for stream in 0..2000 {
            let mut parts = [0.0; 8];
            Random::new(7, stream).deal(100.0, &mut parts);
            assert_eq!(parts.iter().sum::<f64>(), 100.0);
            assert!(parts.iter().all(|part| part.fract() == 0.0));
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        // 200,000 people: each part is 25,000 with a standard deviation of 148.
        assert!(sums.iter().all(|sum| (sum - 25_000.0).abs() < 5.0 * 148.0), "{sums:?}");
        let mut parts = [0.0; 8];
        Random::new(7, 0).deal(1e100, &mut parts);
        assert!(parts.iter().all(|part| (part / 1.25e99 - 1.0).abs() < 1e-3));
        Random::new(7, 0).deal(0.25, &mut parts);
        assert_eq!(parts.iter().filter(|part| **part == 0.25).count(), 1);
    }

    /// The same seed gives the same numbers everywhere: a change here changes every sampled result.
    #[test]
    fn a_seed_names_its_draws() {
        let mut order: Vec<_> = (0..10).collect();
        Random::new(1, 2).shuffle(&mut order);
        assert_eq!(order, [9, 4, 1, 0, 7, 5, 3, 2, 6, 8]);
        assert_eq!([1.0, 64.0, 1000.0].map(|people| Random::new(1, 2).half(people)), [1.0, 34.0, 478.0]);
    }
}
