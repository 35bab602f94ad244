use super::{ByPlace, by_place, count, normalise};
use crate::CustomWeights;

/// Weights by hand; see [`CustomWeights`].
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"custom:weights=1/2/3/4".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [10.0, 20.0, 30.0, 40.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Custom {
    /// Finite, not negative, not all 0.
    pub weights: CustomWeights,
}

impl ByPlace for Custom {
    fn fill(&self, shares: &mut [f64]) {
        match &self.weights {
            CustomWeights::Ends { first, middle, last } => match shares {
                [only] => *only = 1.0,
                [a, b] => (*a, *b) = (*first, *last),
                [a, inner @ .., b] => {
                    (*a, *b) = (*first, *last);
                    let each = middle / count(inner.len());
                    inner.fill(each);
                }
                [] => {}
            },
            CustomWeights::Places { weights, from_last: false } => {
                shares.iter_mut().zip(weights).for_each(|(share, weight)| *share = *weight);
            }
            CustomWeights::Places { weights, from_last: true } => {
                shares.iter_mut().rev().zip(weights).for_each(|(share, weight)| *share = *weight);
            }
        }
        normalise(shares);
    }
}
by_place!(Custom);
