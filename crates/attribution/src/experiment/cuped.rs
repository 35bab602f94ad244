//! Less noise from what was known before: CUPED.
use super::{Measure, means::Mean};
use serde::{Deserialize, Serialize};

/// What figures from before the experiment brought: Deng, Xu, Kohavi, Walker (2013), "Improving the sensitivity of
/// online controlled experiments by utilizing pre-experiment data".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cuped {
    /// Each person counts y − slope × (x − mean x). The slope is the one within arms, so that the lift is exactly the
    /// coefficient of the arm in the regression of y on arm and x.
    pub slope: f64,
    /// Of y and x within arms, −1 to 1.
    pub correlation: f64,
    /// The part of the variance of y that is gone: the square of the correlation.
    pub removed: f64,
}

/// Sums around the means of one arm.
struct Spread {
    xx: f64,
    xy: f64,
    yy: f64,
}

fn spread(people: f64, measure: &Measure) -> Option<Spread> {
    let before = measure.before?;
    Some(Spread {
        xx: (before.squares - before.sum * before.sum / people).max(0.0),
        xy: before.product - before.sum * measure.sum / people,
        yy: (measure.squares - measure.sum * measure.sum / people).max(0.0),
    })
}

/// The adjusted means of both arms; `None` where no figures are given or one of the two does not vary.
pub(super) fn adjust(people: [f64; 2], measures: [&Measure; 2]) -> Option<([Mean; 2], Cuped)> {
    let [a, b] = [spread(people[0], measures[0])?, spread(people[1], measures[1])?];
    let (xx, xy, yy) = (a.xx + b.xx, a.xy + b.xy, a.yy + b.yy);
    if xx <= 0.0 || yy <= 0.0 {
        return None;
    }
    let slope = xy / xx;
    let before = measures.map(|measure| measure.before.unwrap_or_default().sum);
    let centre = (before[0] + before[1]) / (people[0] + people[1]);
    let mean = |arm: usize, spread: &Spread| Mean {
        people: people[arm],
        mean: measures[arm].sum / people[arm] - slope * (before[arm] / people[arm] - centre),
        variance: (spread.yy - 2.0 * slope * spread.xy + slope * slope * spread.xx).max(0.0)
            / (people[arm] - 1.0)
            / people[arm],
    };
    let correlation = (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0);
    Some(([mean(0, &a), mean(1, &b)], Cuped { slope, correlation, removed: correlation * correlation }))
}
