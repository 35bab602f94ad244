use super::{ByPlace, by_place};

/// All to the first touch.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"first".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [100.0, 0.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct First;

impl ByPlace for First {
    fn fill(&self, shares: &mut [f64]) {
        shares[0] = 1.0;
    }
}
by_place!(First);
