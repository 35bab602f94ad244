use super::{ByPlace, by_place};

/// All to the last touch, direct included.
#[derive(Clone, Copy, Debug)]
pub struct Last;

impl ByPlace for Last {
    fn fill(&self, shares: &mut [f64]) {
        shares[shares.len() - 1] = 1.0;
    }
}
by_place!(Last);
