//! Medians of durations, exact.
use safar_model::Micros;

/// Durations whose median is asked for once they are all known. Eight bytes each.
#[derive(Clone, Debug, Default)]
pub(super) struct Median(Vec<Micros>);

impl Median {
    pub fn add(&mut self, micros: Micros) {
        self.0.push(micros);
    }

    /// In seconds; of an even number the mean of the two in the middle. `None` where there is none.
    pub fn seconds(&mut self) -> Option<f64> {
        let middle = self.0.len() / 2;
        let even = self.0.len().is_multiple_of(2);
        if self.0.is_empty() {
            return None;
        }
        let (below, at, _) = self.0.select_nth_unstable(middle);
        let at = *at as f64;
        let lower = if even { below.iter().max().map_or(at, |below| *below as f64) } else { at };
        Some((lower + at) / 2.0 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_or_the_mean_of_the_two_in_the_middle() {
        let of = |numbers: &[i64]| Median(numbers.iter().map(|number| number * 1_000_000).collect()).seconds();
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some(7.0));
        assert_eq!(of(&[9, 1, 5]), Some(5.0));
        assert_eq!(of(&[9, 1, 5, 6]), Some(5.5));
    }
}
