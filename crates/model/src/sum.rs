//! Sums that do not lose cents: Neumaier's variant of Kahan's compensated sum (1974).

/// A running sum whose error does not grow with the number of terms: money comes out as if it had been added by hand, whatever
/// the order, unless terms nearly cancel each other.
///
/// ```
/// let cents: safar_model::sum::Sum = std::iter::repeat_n(0.01, 4_201_101).collect();
/// assert_eq!(cents.get(), 42_011.01);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// What was added, rounded at each step.
    pub rounded: f64,
    /// What rounding took from it.
    pub lost: f64,
}

impl Sum {
    /// Adds a term.
    #[inline]
    pub fn add(&mut self, x: f64) {
        let sum = self.rounded + x;
        self.lost += if self.rounded.abs() >= x.abs() { (self.rounded - sum) + x } else { (x - sum) + self.rounded };
        self.rounded = sum;
    }

    /// Adds the terms of another sum.
    pub fn merge(&mut self, other: Self) {
        self.add(other.rounded);
        self.lost += other.lost;
    }

    /// The sum. One that overflowed stays infinite instead of turning into a NaN.
    #[must_use]
    pub fn get(self) -> f64 {
        if self.rounded.is_finite() { self.rounded + self.lost } else { self.rounded }
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<T: IntoIterator<Item = f64>>(terms: T) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|x| sum.add(x));
        sum
    }
}

/// The compensated sum of `terms`.
pub fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    terms.into_iter().collect::<Sum>().get()
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn small_terms_survive_large_ones() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum([1e100, 1.0, -1e100]), 1.0);
    }

    #[test]
    fn cents_stay_cents() {
        let cents = std::iter::repeat_n(0.01, 4_201_101);
        assert!(cents.clone().sum::<f64>() != 42_011.01);
        assert_eq!(sum(cents), 42_011.01);
    }
}
