use super::{ByPlace, by_place};

/// All to the first touch.
#[derive(Clone, Copy, Debug)]
pub struct First;

impl ByPlace for First {
    fn fill(&self, shares: &mut [f64]) {
        shares[0] = 1.0;
    }
}
by_place!(First);
