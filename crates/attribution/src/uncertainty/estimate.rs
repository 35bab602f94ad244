//! From the resamples of a number to what is said of it.
use crate::sum::sum;

/// A number and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// From the paths as they are.
    pub point: f64,
    /// Over the resamples; infinite where one of them is.
    pub mean: f64,
    /// Standard error: the standard deviation over the resamples, divisor n − 1; infinite where one of them is.
    pub error: f64,
    /// Lower end of the percentile interval.
    pub low: f64,
    /// Upper end; infinite where that many resamples are.
    pub high: f64,
    /// Resamples in which the number is not defined (a share of nothing); they are left out of all of the above.
    pub undefined: usize,
    /// There are too few resamples for the level: the interval's ends are the least and the greatest of them.
    pub at_extremes: bool,
}

impl Estimate {
    /// `None` where the point, or all resamples but one, are not defined, which is written as NaN.
    ///
    /// The interval is Efron's percentile interval between the quantiles (1 − level) / 2 and (1 + level) / 2. Quantile
    /// p of n sorted numbers is the one at place p (n + 1), between two places by straight line, and at most the
    /// ends (definition 6 of Hyndman and Fan 1996): one more number of the kind would fall below it with chance p.
    pub(super) fn new(point: f64, resamples: impl Iterator<Item = f64>, level: f64) -> Option<Self> {
        let all: Vec<f64> = resamples.collect();
        let mut sorted: Vec<f64> = all.iter().copied().filter(|x| !x.is_nan()).collect();
        if point.is_nan() || sorted.len() < 2 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer resamples than 2^53")]
        let n = sorted.len() as f64;
        let (mean, error) = if let Some(infinite) = sorted.iter().find(|x| x.is_infinite()) {
            (*infinite, f64::INFINITY)
        } else {
            let mean = sum(sorted.iter().copied()) / n;
            (mean, (sum(sorted.iter().map(|x| (x - mean) * (x - mean))) / (n - 1.0)).sqrt())
        };
        sorted.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Some(Self {
            point,
            mean,
            error,
            low: quantile(&sorted, tail * (n + 1.0)),
            high: quantile(&sorted, n + 1.0 - tail * (n + 1.0)),
            undefined: all.len() - sorted.len(),
            at_extremes: tail * (n + 1.0) < 1.0,
        })
    }
}

/// The number at a place, counted from 1.
fn quantile(sorted: &[f64], place: f64) -> f64 {
    let below = place.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place is within 0 and n + 1")]
    let (low, part) = (below as usize, place - below);
    let low_x = sorted[low.clamp(1, sorted.len()) - 1];
    let high_x = sorted[(low + 1).clamp(1, sorted.len()) - 1];
    // Two infinite neighbours have no line between them.
    if part == 0.0 || low_x == high_x { low_x } else { low_x + part * (high_x - low_x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_r_type_6() {
        // R: quantile(c(1, 2, 4, 8, 16, 32, 64), c(.1, .25, .5, .9), type = 6) gives 1 (the end), 2, 8, 64 (the end).
        let sorted: Vec<f64> = (0..7).map(|k| f64::from(1 << k)).collect();
        let at = |p: f64| quantile(&sorted, p * 8.0);
        assert_eq!((at(0.1), at(0.25), at(0.5), at(0.9)), (1.0, 2.0, 8.0, 64.0));
        assert_eq!(at(0.3), 2.0 + 0.4 * 2.0);
        assert_eq!(at(0.8), 32.0 + (0.8 * 8.0 - 6.0) * 32.0);
    }

    #[test]
    fn an_estimate_says_what_is_undefined_infinite_or_too_few() {
        let of = |resamples: &[f64], level| Estimate::new(5.0, resamples.iter().copied(), level);
        let plain = of(&[3.0, 1.0, 2.0], 0.5).unwrap();
        assert_eq!((plain.mean, plain.error, plain.low, plain.high), (2.0, 1.0, 1.0, 3.0));
        assert!(!plain.at_extremes && of(&[1.0, 2.0, 3.0], 0.95).unwrap().at_extremes);
        let some = of(&[f64::NAN, 1.0, 3.0], 0.5).unwrap();
        assert_eq!((some.undefined, some.mean), (1, 2.0));
        let infinite = of(&[1.0, 2.0, 3.0, f64::INFINITY, f64::INFINITY], 0.5).unwrap();
        assert_eq!((infinite.mean, infinite.low, infinite.high), (f64::INFINITY, 1.5, f64::INFINITY));
        assert_eq!(of(&[1.0, f64::NAN], 0.5), None);
        assert_eq!(Estimate::new(f64::NAN, [1.0, 2.0].into_iter(), 0.5), None);
    }
}
