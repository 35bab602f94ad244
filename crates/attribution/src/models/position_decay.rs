use super::{ByPlace, by_place, count};

/// Touch i of n weighs i: the share is i / (n (n + 1) / 2).
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"position_decay".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [10.0, 20.0, 30.0, 40.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PositionDecay;

impl ByPlace for PositionDecay {
    fn fill(&self, shares: &mut [f64]) {
        let n = count(shares.len());
        let sum = n * (n + 1.0) / 2.0;
        for (index, share) in shares.iter_mut().enumerate() {
            *share = count(index + 1) / sum;
        }
    }
}
by_place!(PositionDecay);
