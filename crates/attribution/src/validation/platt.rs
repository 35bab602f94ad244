//! From a score to a probability.
use crate::sum::sum;
use serde::{Deserialize, Serialize};

/// A rising logistic curve: probability = 1 / (1 + exp(−(intercept + slope × score))), slope 0 or more.
///
/// Platt (1999), "Probabilistic outputs for support vector machines", with his targets (N₊ + 1) / (N₊ + 2) and
/// 1 / (N₋ + 2) in place of 1 and 0, which keep the curve finite where scores separate the outcomes; solved by Newton's
/// method with halved steps (Lin, Lin, Weng 2007).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    /// Log-odds at score 0.
    pub intercept: f64,
    /// Log-odds for each unit of score; 0 where a higher score does not go along with more conversions.
    pub slope: f64,
}

/// One score with how many converted and how many did not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub score: f64,
    pub conversions: f64,
    pub nulls: f64,
}

impl Platt {
    /// The probability at `score`.
    ///
    /// ```
    /// use safar_attribution::validation::Platt;
    /// let curve = Platt { intercept: -2.0, slope: 4.0 };
    /// assert_eq!(curve.probability(0.5), 0.5);
    /// ```
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        logistic(self.intercept + self.slope * score)
    }

    /// Fits the curve. There must be people of both outcomes and all numbers finite.
    pub(super) fn fit(data: &[Scored]) -> Self {
        let converted = sum(data.iter().map(|row| row.conversions));
        let not = sum(data.iter().map(|row| row.nulls));
        let people = converted + not;
        let (high, low) = ((converted + 1.0) / (converted + 2.0), 1.0 / (not + 2.0));
        // On scores of mean 0 and variance 1 the two directions do not disturb each other much.
        let weight = |row: &Scored| row.conversions + row.nulls;
        let mean = sum(data.iter().map(|row| weight(row) * row.score)) / people;
        let variance = sum(data.iter().map(|row| weight(row) * (row.score - mean) * (row.score - mean))) / people;
        let deviation = variance.sqrt();
        let start = ((converted * high + not * low) / people).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
        let flat = Self { intercept: libm::log(start / (1.0 - start)), slope: 0.0 };
        if deviation <= 1e-12 * mean.abs() || deviation == 0.0 {
            return flat;
        }
        let rows: Vec<_> = data
            .iter()
            .map(|row| {
                let (a, b) = (row.conversions / people, row.nulls / people);
                ((row.score - mean) / deviation, a * high + b * low, a * (1.0 - high) + b * (1.0 - low))
            })
            .collect();
        let [intercept, slope] = newton(&rows, [flat.intercept, 0.0]);
        if slope <= 0.0 {
            return flat;
        }
        let slope = slope / deviation;
        Self { intercept: intercept - slope * mean, slope }
    }
}

/// Minimises Σ yes × −ln p(x) + no × −ln(1 − p(x)) over intercept and slope, which is convex. `rows`: (x, yes, no).
fn newton(rows: &[(f64, f64, f64)], start: [f64; 2]) -> [f64; 2] {
    let loss = |[a, b]: [f64; 2]| {
        sum(rows.iter().map(|(x, yes, no)| {
            let odds = a + b * x;
            // −ln p = ln(1 + e^−odds), without overflow.
            yes * softplus(-odds) + no * softplus(odds)
        }))
    };
    let (mut at, mut best) = (start, loss(start));
    for _ in 0..100 {
        let mut sums = [0.0; 5];
        for (x, yes, no) in rows {
            let p = logistic(at[0] + at[1] * x);
            let (slope, curve) = ((yes + no) * p - yes, (yes + no) * p * (1.0 - p));
            for (sum, term) in sums.iter_mut().zip([slope, slope * x, curve, curve * x, curve * x * x]) {
                *sum += term;
            }
        }
        let [g, h, aa, ab, bb] = sums;
        // A touch of damping, far below what any answer shows, keeps flat places solvable.
        let (aa, bb) = (aa + 1e-14, bb + 1e-14);
        let determinant = aa * bb - ab * ab;
        let step = [(bb * g - ab * h) / determinant, (aa * h - ab * g) / determinant];
        let mut length = 1.0;
        let next = loop {
            let next = [at[0] - length * step[0], at[1] - length * step[1]];
            let loss = loss(next);
            if loss < best {
                best = loss;
                break Some(next);
            }
            length /= 2.0;
            if length < 1e-12 {
                break None;
            }
        };
        // No step makes it better any more: rounding is reached.
        let Some(next) = next else { break };
        at = next;
    }
    at
}

fn logistic(odds: f64) -> f64 {
    if odds >= 0.0 {
        1.0 / (1.0 + libm::exp(-odds))
    } else {
        let odds = libm::exp(odds);
        odds / (1.0 + odds)
    }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(intercept: f64, slope: f64, scores: &[f64], people: f64) -> Vec<Scored> {
        let row = |score: &f64| {
            let p = logistic(intercept + slope * score);
            Scored { score: *score, conversions: people * p, nulls: people * (1.0 - p) }
        };
        scores.iter().map(row).collect()
    }

    #[test]
    fn known_coefficients_are_found_again() {
        for (intercept, slope, scores) in [
            (-3.0, 40.0, vec![0.0, 0.01, 0.02, 0.05, 0.1]),
            (-6.0, 0.5, vec![0.0, 1.0, 5.0, 9.0]),
            (1.0, 2000.0, vec![1e-4, 2e-4, 9e-4]),
        ] {
            let platt = Platt::fit(&expected(intercept, slope, &scores, 1e9));
            assert!((platt.intercept - intercept).abs() < 1e-5 * intercept.abs(), "{platt:?}");
            assert!((platt.slope - slope).abs() < 1e-5 * slope, "{platt:?}");
        }
    }

    #[test]
    fn a_falling_curve_is_flat() {
        let platt = Platt::fit(&expected(-1.0, -2.0, &[0.0, 0.5, 1.0], 1e6));
        assert_eq!(platt.slope, 0.0);
        let rate = [0.0, 0.5, 1.0].map(|score| logistic(-1.0 - 2.0 * score)).iter().sum::<f64>() / 3.0;
        assert!((platt.probability(123.0) - rate).abs() < 1e-5);
    }

    #[test]
    fn separated_scores_stay_finite() {
        let row = |score, conversions, nulls| Scored { score, conversions, nulls };
        let platt = Platt::fit(&[row(0.0, 0.0, 8.0), row(1.0, 8.0, 0.0)]);
        // On two scores the curve meets Platt's targets exactly: 1/10 and 9/10.
        assert!((platt.probability(0.0) - 0.1).abs() < 1e-6 && (platt.probability(1.0) - 0.9).abs() < 1e-6);
        assert_eq!(Platt::fit(&[row(2.0, 3.0, 9.0)]).slope, 0.0);
    }
}
