use super::{ByPlace, by_place, count};

/// Fixed shares for the ends, the rest shared equally by the touches between (U-shaped; Google's position-based
/// model has 40 % for each end). One touch: 1. Two touches: the ends renormalised to sum to 1.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"position:first=0.4,last=0.4".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [40.0, 10.0, 10.0, 40.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Share of the first touch, 0 to 1.
    pub first: f64,
    /// Share of the last touch, 0 to 1; with `first` above 0 and at most 1.
    pub last: f64,
}

impl ByPlace for Position {
    fn fill(&self, shares: &mut [f64]) {
        let Self { first, last } = *self;
        match shares {
            [only] => *only = 1.0,
            [a, b] => (*a, *b) = (first / (first + last), last / (first + last)),
            [a, middle @ .., b] => {
                (*a, *b) = (first, last);
                let each = (1.0 - first - last).max(0.0) / count(middle.len());
                middle.fill(each);
            }
            [] => {}
        }
    }
}
by_place!(Position);
