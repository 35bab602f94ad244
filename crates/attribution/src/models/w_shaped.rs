use super::{ByPlace, by_place, count};

/// W-shaped: 30 % to the first touch, 30 % to the touch that made the lead, 30 % to the one that made the
/// opportunity, 10 % to the rest.
///
/// A path does not say which touch made the lead, so the middle touch stands for it (of two middle ones the earlier),
/// and the last touch before the outcome stands for the opportunity. One touch: 1. Two: one half each. Three: one
/// third each, as there is no rest to give 10 % to. From four on, the other touches share the 10 % equally.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"w_shaped".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [30.0, 30.0, 10.0, 30.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WShaped;

impl ByPlace for WShaped {
    fn fill(&self, shares: &mut [f64]) {
        let n = shares.len();
        if n <= 3 {
            shares.fill(1.0 / count(n));
            return;
        }
        shares.fill(0.1 / count(n - 3));
        for place in [0, (n - 1) / 2, n - 1] {
            shares[place] = 0.3;
        }
    }
}
by_place!(WShaped);
