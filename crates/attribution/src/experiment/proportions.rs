//! Proportions, and the difference and the ratio of two.
use super::{
    Estimate,
    distribution::{normal_quantile, normal_two_sided},
};

/// Wilson's score interval (1927) of a proportion: `hits` out of `people` at a two-sided `level`. From 0 to 1 where
/// nobody was asked.
///
/// ```
/// // Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3.
/// let (low, high) = safar_attribution::experiment::wilson(81.0, 263.0, 0.95);
/// assert_eq!((format!("{low:.4}"), format!("{high:.4}")), ("0.2553".to_string(), "0.3662".to_string()));
/// ```
#[must_use]
pub fn wilson(hits: f64, people: f64, level: f64) -> (f64, f64) {
    if people <= 0.0 {
        return (0.0, 1.0);
    }
    let z = normal_quantile(0.5 + level / 2.0);
    let (p, zz) = (hits / people, z * z / people);
    let centre = p + zz / 2.0;
    let reach = z * (p * (1.0 - p) / people + zz / (4.0 * people)).max(0.0).sqrt();
    // At the ends of the scale the limits are exactly 0 and 1; rounding may say otherwise.
    let low = if hits <= 0.0 { 0.0 } else { ((centre - reach) / (1.0 + zz)).max(0.0) };
    let high = if hits >= people { 1.0 } else { ((centre + reach) / (1.0 + zz)).min(1.0) };
    (low, high)
}

/// Hits out of people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proportion {
    pub hits: f64,
    pub people: f64,
}

impl Proportion {
    pub(crate) fn rate(self) -> f64 {
        self.hits / self.people
    }

    /// Of the rate.
    fn variance(self) -> f64 {
        self.rate() * (1.0 - self.rate()) / self.people
    }
}

/// Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10.
pub(super) fn difference(treated: Proportion, control: Proportion, level: f64) -> Estimate {
    let (p, q) = (treated.rate(), control.rate());
    let (p_low, p_high) = wilson(treated.hits, treated.people, level);
    let (q_low, q_high) = wilson(control.hits, control.people, level);
    let value = p - q;
    Estimate {
        value,
        low: value - libm::hypot(p - p_low, q_high - q),
        high: value + libm::hypot(p_high - p, q - q_low),
        error: (treated.variance() + control.variance()).sqrt(),
    }
}

/// The ratio less 1: Katz, Baptista, Azen, Pike (1978), "Obtaining confidence intervals for the risk ratio in cohort
/// studies", method C. `None` where the control has no hits. Without hits among the treated the ratio is 0 and the
/// upper end unknown (∞): the logarithm says nothing there.
pub(super) fn ratio(treated: Proportion, control: Proportion, level: f64) -> Option<Estimate> {
    if control.hits <= 0.0 {
        return None;
    }
    let ratio = treated.rate() / control.rate();
    if ratio == 0.0 {
        return Some(Estimate { value: -1.0, low: -1.0, high: f64::INFINITY, error: f64::INFINITY });
    }
    let part = |arm: Proportion| 1.0 / arm.hits - 1.0 / arm.people;
    let error = (part(treated) + part(control)).max(0.0).sqrt();
    let reach = libm::exp(normal_quantile(0.5 + level / 2.0) * error);
    Some(Estimate { value: ratio - 1.0, low: ratio / reach - 1.0, high: ratio * reach - 1.0, error: ratio * error })
}

/// Two-sided p of equal proportions, by the pooled score test: χ² of the two-by-two table without correction.
/// `None` where everybody or nobody converted.
pub(crate) fn p_of_no_difference(treated: Proportion, control: Proportion) -> Option<f64> {
    let pooled = (treated.hits + control.hits) / (treated.people + control.people);
    let variance = pooled * (1.0 - pooled) * (1.0 / treated.people + 1.0 / control.people);
    (variance > 0.0).then(|| normal_two_sided((treated.rate() - control.rate()) / variance.sqrt()))
}

/// The smallest count that the two-by-two table would hold if both arms converted alike.
pub(super) fn smallest_expected(treated: Proportion, control: Proportion) -> f64 {
    let pooled = (treated.hits + control.hits) / (treated.people + control.people);
    treated.people.min(control.people) * pooled.min(1.0 - pooled)
}
