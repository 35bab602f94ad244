//! The trade between finding converters and alarming others.
use super::{Predictions, platt::Scored};
use crate::sum::Sum;
use serde::{Deserialize, Serialize};

/// What comes of calling everybody a converter whose probability is at least `threshold`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// A probability of the predictions; ∞ at the first point, which calls nobody.
    pub threshold: f64,
    /// The part of the converters that is called.
    pub found: f64,
    /// The part of the others that is called.
    pub alarmed: f64,
}

impl Predictions {
    /// The ROC curve from (0, 0) to (1, 1): one point for each distinct probability, none left out. The area under it
    /// is [`Score::auc`](super::Score::auc).
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// let predictions = Predictions::make(&"linear".parse().unwrap(), &earlier, &later, &channels).unwrap();
    /// let points: Vec<_> = predictions.roc().iter().map(|point| point.found).collect();
    /// assert_eq!((points.len(), points[0], points[2]), (3, 0.0, 1.0));
    /// assert!((points[1] - 30.0 / 35.0).abs() < 1e-12); // who is called by Mail alone
    /// ```
    #[must_use]
    pub fn roc(&self) -> Vec<RocPoint> {
        let groups = self.ascending();
        let all = totals(&groups);
        let mut points = vec![RocPoint { threshold: f64::INFINITY, found: 0.0, alarmed: 0.0 }];
        let (mut found, mut alarmed) = (Sum::default(), Sum::default());
        for group in groups.iter().rev() {
            found.add(group.conversions);
            alarmed.add(group.nulls);
            let point = RocPoint { threshold: group.score, found: found.get() / all.0, alarmed: alarmed.get() / all.1 };
            points.push(point);
        }
        points
    }
}

/// Of groups in ascending order: the chance that a converter stands above another, ties counting half.
pub(super) fn area(groups: &[Scored]) -> f64 {
    let all = totals(groups);
    let (mut below, mut area) = (Sum::default(), Sum::default());
    for group in groups {
        area.add(group.conversions / all.0 * (below.get() + group.nulls / 2.0) / all.1);
        below.add(group.nulls);
    }
    area.get()
}

fn totals(groups: &[Scored]) -> (f64, f64) {
    let of = |of: fn(&Scored) -> f64| crate::sum::sum(groups.iter().map(of));
    (of(|group| group.conversions), of(|group| group.nulls))
}
