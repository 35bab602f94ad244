//! Difference and ratio of two means.
use super::{
    Estimate,
    distribution::{normal_quantile, student_quantile, student_two_sided},
};

/// A mean as an estimate of what it would be over endless people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    pub people: f64,
    pub mean: f64,
    /// Of the mean: s² / n.
    pub variance: f64,
}

impl Mean {
    pub(super) fn new(people: f64, sum: f64, squares: f64) -> Self {
        let spread = (squares - sum * sum / people).max(0.0);
        Self { people, mean: sum / people, variance: spread / (people - 1.0) / people }
    }
}

/// Welch (1947), "The generalization of Student's problem when several different population variances are involved":
/// the difference, and p of no difference; no p where nothing varies.
pub(super) fn difference(treated: Mean, control: Mean, level: f64) -> (Estimate, Option<f64>) {
    let variance = treated.variance + control.variance;
    let (value, error) = (treated.mean - control.mean, variance.sqrt());
    if variance == 0.0 {
        return (Estimate { value, low: value, high: value, error }, None);
    }
    let part = |arm: Mean| (arm.variance / variance).powi(2) / (arm.people - 1.0);
    let freedom = 1.0 / (part(treated) + part(control));
    let reach = student_quantile(0.5 + level / 2.0, freedom) * error;
    let estimate = Estimate { value, low: value - reach, high: value + reach, error };
    (estimate, Some(student_two_sided(value / error, freedom)))
}

/// The ratio less 1, by the delta method (Deng, Knoblich, Lu 2018, "Applying the delta method in metric analytics",
/// equation 2 with independent arms). `None` where the control's mean is not positive.
pub(super) fn ratio(treated: Mean, control: Mean, level: f64) -> Option<Estimate> {
    if control.mean <= 0.0 {
        return None;
    }
    let ratio = treated.mean / control.mean;
    let error = (treated.variance + ratio * ratio * control.variance).sqrt() / control.mean;
    let reach = normal_quantile(0.5 + level / 2.0) * error;
    let value = ratio - 1.0;
    Some(Estimate { value, low: value - reach, high: value + reach, error })
}
