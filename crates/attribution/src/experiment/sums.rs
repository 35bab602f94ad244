//! What an arm of an experiment comes down to: counts, sums and sums of squares over its people.
use super::ExperimentError;
use serde::{Deserialize, Serialize};

/// One arm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Everybody whom chance put here, exposed or not, converted or not.
    pub people: f64,
    /// How many of them were exposed; `None` where unknown.
    pub exposed: Option<f64>,
    /// How many converted at least once.
    pub converters: f64,
    /// Conversions.
    pub conversions: Measure,
    /// Value, in one currency.
    pub value: Measure,
}

/// Sums of one measure over the people of an arm; whoever has none counts as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Σ y.
    pub sum: f64,
    /// Σ y².
    pub squares: f64,
    /// The same people before the experiment.
    pub before: Option<Before>,
}

/// Sums of a figure x that was fixed before the experiment began, such as each person's conversions in the weeks before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// Σ x.
    pub sum: f64,
    /// Σ x².
    pub squares: f64,
    /// Σ x y.
    pub product: f64,
}

/// Rounding that sums over many people may carry.
const SLACK: f64 = 1e-9;

impl Arm {
    pub(super) fn check(&self, of: &'static str) -> Result<(), ExperimentError> {
        let count = |what, got: f64, most: f64, allowed| {
            let fine = got.is_finite() && (0.0..=most).contains(&got);
            if fine { Ok(()) } else { Err(ExperimentError::BadNumber { of: of.into(), what, got, allowed }) }
        };
        count("people", self.people, f64::MAX, "0 or more")?;
        count("exposed", self.exposed.unwrap_or(0.0), self.people, "0 or more and at most the people")?;
        count("converters", self.converters, self.people, "0 or more and at most the people")?;
        if self.people < 2.0 {
            return Err(ExperimentError::TooFew { of, unit: "people", got: self.people, least: 2.0 });
        }
        self.conversions.check(self.people, of, "conversions")?;
        self.value.check(self.people, of, "value")
    }
}

impl Measure {
    fn check(&self, people: f64, of: &str, what: &'static str) -> Result<(), ExperimentError> {
        let before = self.before.unwrap_or_default();
        for got in [self.sum, self.squares, before.sum, before.squares, before.product] {
            if !got.is_finite() {
                return Err(ExperimentError::BadNumber { of: of.into(), what, got, allowed: "finite" });
            }
        }
        // Cauchy and Schwarz: (Σ y)² ≤ n Σ y², and the same for x and for the product around the means.
        let possible = |sum: f64, squares: f64| sum * sum <= people * squares * (1.0 + SLACK);
        let spread = |sum: f64, squares: f64| (squares - sum * sum / people).max(0.0) + SLACK * squares;
        let product = before.product - before.sum * self.sum / people;
        let fits =
            product * product <= spread(self.sum, self.squares) * spread(before.sum, before.squares) * (1.0 + SLACK);
        if possible(self.sum, self.squares) && possible(before.sum, before.squares) && fits {
            return Ok(());
        }
        Err(ExperimentError::Impossible { of: of.into(), what })
    }
}
