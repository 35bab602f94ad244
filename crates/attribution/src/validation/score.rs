//! How good predictions are.
use super::{Predictions, Source, platt::Scored, roc};
use crate::sum::{Sum, sum};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Scores over the later people on paths with a touch, each path weighing as many as walked it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Everybody on a path with a touch.
    pub people: f64,
    /// Those of them who converted.
    pub conversions: f64,
    /// People on paths without a touch, who play no part.
    pub untouched: f64,
    /// Mean of −ln(probability of what came): lower is better.
    pub log_loss: f64,
    /// Mean of (probability − outcome)² (Brier 1950): lower is better.
    pub brier: f64,
    /// Chance that somebody who converted had a higher probability than somebody who did not, ties counting half
    /// (Hanley and McNeil 1982): 0.5 is blind, 1 perfect. Exact, not sampled.
    pub auc: f64,
    /// What the rate of the earlier paths alone scores.
    pub base: Base,
    /// By how much the model's log-loss is below that of the base rate; negative where it is above.
    pub gain: Gap,
    /// Where the probabilities come from.
    pub source: Source,
    /// People whose probability was moved off 0 or 1 ([`Predictions::moved`]).
    pub moved: f64,
}

/// The floor: the same probability for everybody. Its AUC is 0.5.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Base {
    /// The conversion rate of the earlier paths.
    pub rate: f64,
    /// Of everybody at that rate.
    pub log_loss: f64,
    /// Of everybody at that rate.
    pub brier: f64,
}

/// By how much one log-loss is below another, person by person on the same people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.5} ± {:.5}", self.mean, self.error)
    }
}

impl Predictions {
    /// All scores.
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// let predictions = Predictions::make(&"linear".parse().unwrap(), &earlier, &later, &channels).unwrap();
    /// let score = predictions.score();
    /// assert!(score.log_loss < score.base.log_loss && score.gain.mean > 2.0 * score.gain.error);
    /// ```
    #[must_use]
    pub fn score(&self) -> Score {
        let conversions = sum(self.paths.iter().map(|path| path.conversions));
        let people = conversions + sum(self.paths.iter().map(|path| path.nulls));
        let mean = |of: fn(f64) -> [f64; 2], at: &dyn Fn(&Scored) -> f64| {
            let term = |path: &Scored| {
                let [yes, no] = of(at(path));
                path.conversions * yes + path.nulls * no
            };
            sum(self.paths.iter().map(term)) / people
        };
        let (own, base) = (|path: &Scored| path.score, |_: &Scored| self.base);
        let floor = self.paths.iter().map(|path| Scored { score: self.base, ..*path }).collect();
        Score {
            people,
            conversions,
            untouched: self.untouched,
            log_loss: mean(losses, &own),
            brier: mean(squares, &own),
            auc: roc::area(&self.ascending()),
            base: Base { rate: self.base, log_loss: mean(losses, &base), brier: mean(squares, &base) },
            gain: self.below(&Self { paths: floor, ..*self }),
            source: self.source,
            moved: self.moved,
        }
    }

    /// By how much the log-loss of these predictions is below that of `other` ones about the same later paths. Taken
    /// person by person, since all models miss the same surprises and only their differences tell them apart.
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// let predictions = Predictions::make(&"linear".parse().unwrap(), &earlier, &later, &channels).unwrap();
    /// let base = Predictions::base_rate(&earlier, &later, &channels).unwrap();
    /// assert!(predictions.below(&base).mean > 0.0);
    /// ```
    #[must_use]
    pub fn below(&self, other: &Self) -> Gap {
        let (mut people, mut first, mut second) = (Sum::default(), Sum::default(), Sum::default());
        for (own, other) in self.paths.iter().zip(&other.paths) {
            let (a, b) = (losses(own.score), losses(other.score));
            for (weight, gap) in [(own.conversions, b[0] - a[0]), (own.nulls, b[1] - a[1])] {
                people.add(weight);
                first.add(weight * gap);
                second.add(weight * gap * gap);
            }
        }
        let (people, first) = (people.get(), first.get());
        let mean = first / people;
        let variance = (second.get() - first * mean).max(0.0) / (people - 1.0).max(1.0);
        Gap { mean, error: (variance / people).sqrt() }
    }
}

/// −ln of the probability of converting, and of not converting.
fn losses(p: f64) -> [f64; 2] {
    [-libm::log(p), -libm::log1p(-p)]
}

/// (Probability − outcome)² of converting, and of not converting.
fn squares(p: f64) -> [f64; 2] {
    [(1.0 - p) * (1.0 - p), p * p]
}
