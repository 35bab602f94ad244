//! How well people were found, where the truth is known.
use std::collections::BTreeMap;

/// Events told to belong together, against the truth.
///
/// Pairwise: of all pairs of events that were told to be one person's, how many are (precision); of all that are, how
/// many were told (recall). B-cubed (Bagga and Baldwin, "Entity-Based Cross-Document Coreferencing Using the Vector Space
/// Model", 1998): the same shares for each event's own group, averaged over events, so that large groups do not rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Pairwise precision; 1 where no pair was told.
    pub precision: f64,
    /// Pairwise recall; 1 where there is no pair.
    pub recall: f64,
    /// B-cubed precision.
    pub cubed_precision: f64,
    /// B-cubed recall.
    pub cubed_recall: f64,
}

impl Score {
    /// Compares, for each event, who it was told to be with who it is; `None` for no events.
    pub fn of(events: impl IntoIterator<Item = (i64, u32)>) -> Option<Self> {
        let (mut both, mut told, mut is) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut count = 0.0;
        for (person, truth) in events {
            *both.entry((person, truth)).or_insert(0.0) += 1.0;
            *told.entry(person).or_insert(0.0) += 1.0;
            *is.entry(truth).or_insert(0.0) += 1.0;
            count += 1.0;
        }
        let pairs = |n: f64| n * (n - 1.0) / 2.0;
        let together: f64 = both.values().copied().map(pairs).sum();
        let share = |of: f64| if of > 0.0 { together / of } else { 1.0 };
        let cubed =
            |of: &dyn Fn(&(i64, u32)) -> f64| both.iter().map(|(ends, n)| n * n / of(ends)).sum::<f64>() / count;
        (count > 0.0).then(|| Self {
            precision: share(told.values().copied().map(pairs).sum()),
            recall: share(is.values().copied().map(pairs).sum()),
            cubed_precision: cubed(&|ends| told[&ends.0]),
            cubed_recall: cubed(&|ends| is[&ends.1]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Score;

    /// Three events of one person, two of another; told as a group of two and a group of three that mixes both. Counted by
    /// hand: 2 of the 4 told pairs are true, and 2 of the 4 true pairs are told.
    #[test]
    fn shares_are_those_counted_by_hand() {
        let score = Score::of([(1, 0), (1, 0), (2, 0), (2, 1), (2, 1)]).expect("events");
        assert_eq!((score.precision, score.recall), (0.5, 0.5));
        // Precision by event: 1, 1, 1/3, 2/3, 2/3. Recall by event: 2/3, 2/3, 1/3, 1, 1.
        assert!(
            (score.cubed_precision - 11.0 / 15.0).abs() < 1e-12 && (score.cubed_recall - 11.0 / 15.0).abs() < 1e-12
        );
        assert_eq!(Score::of([]), None);
    }
}
