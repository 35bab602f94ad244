use super::{ByPlace, by_place, count};

/// Amplitude's J: 60 % to the last touch, 20 % to the one before, 20 % shared by the rest, so 10/10/20/60 on four
/// touches; 30/70 on two; 1 on one. (Adobe's J is another: see the preset `adobe_j`.)
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"amplitude_j".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [10.0, 10.0, 20.0, 60.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AmplitudeJ;

impl ByPlace for AmplitudeJ {
    fn fill(&self, shares: &mut [f64]) {
        match shares {
            [only] => *only = 1.0,
            [a, b] => (*a, *b) = (0.3, 0.7),
            [rest @ .., a, b] => {
                (*a, *b) = (0.2, 0.6);
                let each = 0.2 / count(rest.len());
                rest.fill(each);
            }
            [] => {}
        }
    }
}
by_place!(AmplitudeJ);
