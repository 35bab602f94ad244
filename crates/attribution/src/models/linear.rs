use super::{ByPlace, by_place, count};

/// The same share to each touch.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"linear".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [25.0; 4]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Linear;

impl ByPlace for Linear {
    fn fill(&self, shares: &mut [f64]) {
        shares.fill(1.0 / count(shares.len()));
    }
}
by_place!(Linear);
