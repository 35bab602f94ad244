use super::{ByPlace, by_place, count};

/// The same share to each touch.
#[derive(Clone, Copy, Debug)]
pub struct Linear;

impl ByPlace for Linear {
    fn fill(&self, shares: &mut [f64]) {
        shares.fill(1.0 / count(shares.len()));
    }
}
by_place!(Linear);
