//! Sums of money that come out as if they had been added by hand.

/// A sum with what rounding took from it (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub fn add(&mut self, number: f64) {
        let sum = self.sum + number;
        self.lost += if self.sum.abs() >= number.abs() { (self.sum - sum) + number } else { (number - sum) + self.sum };
        self.sum = sum;
    }

    pub fn get(self) -> f64 {
        self.sum + self.lost
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<T: IntoIterator<Item = f64>>(numbers: T) -> Self {
        let mut sum = Self::default();
        numbers.into_iter().for_each(|number| sum.add(number));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn cents_stay_cents() {
        let cents = std::iter::repeat_n(0.01, 4_201_101);
        assert!(cents.clone().sum::<f64>() != 42_011.01);
        assert_eq!(cents.collect::<Sum>().get(), 42_011.01);
        assert_eq!([1e100, 1.0, -1e100].into_iter().collect::<Sum>().get(), 1.0);
    }
}
