use super::{ByPlace, by_place};

/// All to the last touch, direct included.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"last".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [0.0, 0.0, 0.0, 100.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Last;

impl ByPlace for Last {
    fn fill(&self, shares: &mut [f64]) {
        shares[shares.len() - 1] = 1.0;
    }
}
by_place!(Last);
