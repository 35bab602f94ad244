//! Are the arms as large as they were meant to be?
use super::{Arm, distribution::normal_two_sided};
use serde::{Deserialize, Serialize};

/// A test of the sizes of the arms: χ² with one degree of freedom (Fabijan et al. 2019, "Diagnosing sample ratio
/// mismatch in online controlled experiments").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mismatch {
    /// The part of all people that is treated.
    pub treated_share: f64,
    /// The part that was meant to be.
    pub designed: f64,
    /// Pearson's χ².
    pub chi_squared: f64,
    /// Chance of sizes at least as far off.
    pub p: f64,
}

/// Below this, the arms do not count as randomised (Kohavi, Tang, Xu 2020, "Trustworthy online controlled
/// experiments", chapter 21).
pub(super) const SUSPECT: f64 = 0.001;

pub(super) fn test(treated: &Arm, control: &Arm, designed: f64) -> Mismatch {
    let people = treated.people + control.people;
    let off = treated.people - designed * people;
    let chi_squared = off * off / (people * designed * (1.0 - designed));
    let p = normal_two_sided(chi_squared.sqrt());
    Mismatch { treated_share: treated.people / people, designed, chi_squared, p }
}
