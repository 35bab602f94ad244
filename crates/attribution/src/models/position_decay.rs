use super::{ByPlace, by_place, count};

/// Touch i of n weighs i: the share is i / (n (n + 1) / 2).
#[derive(Clone, Copy, Debug)]
pub struct PositionDecay;

impl ByPlace for PositionDecay {
    fn fill(&self, shares: &mut [f64]) {
        let n = count(shares.len());
        let sum = n * (n + 1.0) / 2.0;
        for (index, share) in shares.iter_mut().enumerate() {
            *share = count(index + 1) / sum;
        }
    }
}
by_place!(PositionDecay);
