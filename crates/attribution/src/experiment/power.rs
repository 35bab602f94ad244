//! How small a lift an experiment can find, and how large it has to be to find a wished one.
//!
//! The smallest lift that is found with a chance of `power` is (t₁ + t₂) standard errors, where t₁ belongs to the
//! two-sided level and t₂ to the power: 2.8 at 95 % and 80 % (Bloom 1995, "Minimum detectable effects").
use super::distribution::{normal_quantile, student_quantile};
use serde::{Deserialize, Serialize};

/// Of an estimate with `freedom` degrees of freedom, infinite for a large experiment. `None` where `error` is 0: who
/// has seen no variation cannot say.
pub(super) fn detectable(error: f64, freedom: f64, level: f64, power: f64) -> Option<f64> {
    let reach = student_quantile(0.5 + level / 2.0, freedom) + student_quantile(power, freedom);
    (error > 0.0 && error.is_finite()).then(|| (reach * error).max(0.0))
}

pub(super) fn times_larger(detectable: f64, wished: f64) -> Option<f64> {
    (wished != 0.0 && wished.is_finite()).then(|| (detectable / wished).powi(2))
}

/// An experiment in the planning, people as its units: how much a measure varies, and how people are divided.
///
/// ```
/// // Lewis and Rao (2015), "The unfavorable economics of measuring the returns to advertising": purchases have a
/// // standard deviation of $75 around a mean of $7; a campaign that pays brings $0.35 a person.
/// use safar_attribution::experiment::Design;
/// let design = Design { variances: [75.0 * 75.0; 2], treated_share: 0.5, level: 0.95, power: 0.8 };
/// assert_eq!(design.people(0.35).unwrap().ceil(), 1_441_631.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Of the measure from person to person, among the treated and in the control arm; of a rate p, p (1 − p). With
    /// figures from before the experiment, what these leave of it.
    pub variances: [f64; 2],
    /// The part of all people that is treated, above 0 and below 1.
    pub treated_share: f64,
    /// Of the intervals, above 0 and below 1.
    pub level: f64,
    /// Chance to find the lift, above 0 and below 1.
    pub power: f64,
}

impl Design {
    /// People in both arms together to find a true lift of `lift` per person; not rounded. `None` where the lift is 0
    /// or a setting is out of range.
    ///
    /// ```
    /// use safar_attribution::experiment::Design;
    /// let design = Design { variances: [0.05 * 0.95; 2], treated_share: 0.5, level: 0.95, power: 0.8 };
    /// // From 5 % to 6 %: about 7,500 in each arm.
    /// assert!((14_500.0..15_500.0).contains(&design.people(0.01).unwrap()));
    /// assert_eq!(design.people(0.0), None);
    /// ```
    #[must_use]
    pub fn people(&self, lift: f64) -> Option<f64> {
        times_larger(self.reach()?, lift)
    }

    /// The smallest true lift per person that `people` in both arms together find. `None` as above.
    ///
    /// ```
    /// use safar_attribution::experiment::Design;
    /// let design = Design { variances: [0.05 * 0.95; 2], treated_share: 0.5, level: 0.95, power: 0.8 };
    /// let people = design.people(0.01).unwrap();
    /// assert!((design.detectable(people).unwrap() - 0.01).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn detectable(&self, people: f64) -> Option<f64> {
        (people > 0.0).then_some(self.reach()? / people.sqrt())
    }

    /// The detectable lift with one person, so to speak.
    fn reach(&self) -> Option<f64> {
        let inside = |part: f64| part > 0.0 && part < 1.0;
        let fine = [self.treated_share, self.level, self.power].into_iter().all(inside);
        let [treated, control] = self.variances;
        let variance = treated / self.treated_share + control / (1.0 - self.treated_share);
        let reach = (normal_quantile(0.5 + self.level / 2.0) + normal_quantile(self.power)) * variance.sqrt();
        (fine && treated >= 0.0 && control >= 0.0 && reach.is_finite()).then_some(reach.max(0.0))
    }
}
