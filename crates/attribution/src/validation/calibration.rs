//! Do people convert as often as predicted?
use super::Predictions;
use crate::{experiment::wilson, models::count, sum::Sum};
use serde::{Deserialize, Serialize};

/// People of similar probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many.
    pub people: f64,
    /// How many of them converted.
    pub conversions: f64,
    /// The lowest probability among them.
    pub from: f64,
    /// The highest.
    pub to: f64,
    /// Mean of their probabilities.
    pub predicted: f64,
    /// The part that converted.
    pub observed: f64,
    /// Lower end of Wilson's interval of it.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Deciles.
const BINS: usize = 10;

impl Predictions {
    /// Tenths of the people by probability, ascending, with intervals at `level`. People of equal probability stay
    /// together, in the tenth that holds the middle one of them; tenths without people are left out.
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// let predictions = Predictions::make(&"linear".parse().unwrap(), &earlier, &later, &channels).unwrap();
    /// let bins = predictions.calibration(0.95);
    /// assert_eq!((bins.len(), bins[0].observed, bins[1].observed), (2, 0.05, 0.3));
    /// assert!(bins[1].low < 0.3 && bins[1].high > 0.3);
    /// ```
    #[must_use]
    pub fn calibration(&self, level: f64) -> Vec<Bin> {
        let groups = self.ascending();
        let people = crate::sum::sum(groups.iter().map(|group| group.conversions + group.nulls));
        let mut bins: Vec<Option<(Bin, [Sum; 3])>> = vec![None; BINS];
        let mut before = Sum::default();
        for group in groups {
            let weight = group.conversions + group.nulls;
            let middle = (before.get() + weight / 2.0) / people;
            before.add(weight);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 10")]
            let bin = ((middle * count(BINS)) as usize).min(BINS - 1);
            let from = Bin {
                people: 0.0,
                conversions: 0.0,
                from: group.score,
                to: group.score,
                predicted: 0.0,
                observed: 0.0,
                low: 0.0,
                high: 0.0,
            };
            let (bin, sums) = bins[bin].get_or_insert((from, [Sum::default(); 3]));
            bin.to = group.score;
            sums[0].add(weight);
            sums[1].add(group.conversions);
            sums[2].add(weight * group.score);
        }
        let finish = |(bin, sums): (Bin, [Sum; 3])| {
            let [people, conversions, predicted] = sums.map(Sum::get);
            let (low, high) = wilson(conversions, people, level);
            Bin { people, conversions, predicted: predicted / people, observed: conversions / people, low, high, ..bin }
        };
        bins.into_iter().flatten().map(finish).collect()
    }
}
