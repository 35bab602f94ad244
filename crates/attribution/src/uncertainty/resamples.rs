//! The result: all resamples, and what they say of each number.
use super::{Bootstrap, Estimate};
use crate::{Attribution, Credit};

/// What credit is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Conversions.
    Conversions,
    /// Value.
    Value,
}

impl Measure {
    /// This part of a credit.
    ///
    /// ```
    /// use safar_attribution::{Credit, uncertainty::Measure};
    /// assert_eq!(Measure::Value.of(&Credit { conversions: 2.0, value: 30.0 }), 30.0);
    /// ```
    #[must_use]
    pub fn of(self, credit: &Credit) -> f64 {
        match self {
            Self::Conversions => credit.conversions,
            Self::Value => credit.value,
        }
    }
}

/// Credits of every channel in every resample.
///
/// A credit list holds one credit for each channel by index, and then what is unattributed. Costs are taken as known:
/// intervals of a cost per conversion or a return on cost show the chance in conversions and value alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Resamples {
    /// How they were drawn.
    pub settings: Bootstrap,
    /// The model's answer to the paths as they are.
    pub point: Attribution,
    /// The credits of `point` as a credit list.
    base: Vec<Credit>,
    /// Credit lists, resample after resample.
    rows: Vec<Credit>,
}

/// What is said of one channel, or of what is unattributed.
///
/// A share is the part of what all channels have together with the unattributed rest: all conversions, but for models
/// whose credits overlap. It is not defined where that is 0 or less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreditEstimates {
    /// Conversions.
    pub conversions: Option<Estimate>,
    /// Value.
    pub value: Option<Estimate>,
    /// Share of conversions, 0 to 1 where no credit is negative.
    pub conversion_share: Option<Estimate>,
    /// Share of value; below 0 for refunds.
    pub value_share: Option<Estimate>,
}

impl Resamples {
    pub(crate) fn new(settings: Bootstrap, point: Attribution, rows: Vec<Credit>) -> Self {
        let base = point.credits.iter().copied().chain([point.unattributed]).collect();
        Self { settings, point, base, rows }
    }

    /// The credit list of the paths as they are.
    pub(super) fn base(&self) -> &[Credit] {
        &self.base
    }

    /// How many channels.
    ///
    /// ```
    /// use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let drawn = bootstrap(&"last".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
    /// assert_eq!(drawn.channels(), 2);
    /// ```
    #[must_use]
    pub fn channels(&self) -> usize {
        self.point.credits.len()
    }

    /// The credit list of each resample.
    ///
    /// ```
    /// use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let drawn = bootstrap(&"last".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
    /// assert_eq!(drawn.replicates().len(), 200);
    /// // A, B and what is unattributed.
    /// assert!(drawn.replicates().all(|credits| credits.len() == 3));
    /// ```
    pub fn replicates(&self) -> impl ExactSizeIterator<Item = &[Credit]> {
        self.rows.chunks_exact(self.base.len())
    }

    /// What the resamples say of any number made from a credit list: of a group of channels, of a difference between
    /// two. NaN stands for a number that is not defined.
    ///
    /// `None` where it is not defined on the paths as they are, or in all resamples but one.
    ///
    /// ```
    /// use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let drawn = bootstrap(&"last".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
    /// // By how much B is ahead of A.
    /// let ahead = drawn.estimate(|credits| credits[1].conversions - credits[0].conversions).unwrap();
    /// assert!(ahead.point == 10.0 && ahead.low > 0.0);
    /// ```
    pub fn estimate(&self, of: impl Fn(&[Credit]) -> f64) -> Option<Estimate> {
        Estimate::new(of(&self.base), self.replicates().map(&of), self.settings.level)
    }

    /// What is said of each channel by index, and then of what is unattributed.
    ///
    /// ```
    /// use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let drawn = bootstrap(&"last".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
    /// let b = drawn.estimates()[1].conversion_share.unwrap();
    /// assert!((b.point - 12.0 / 14.0).abs() < 1e-12 && b.high <= 1.0);
    /// ```
    #[must_use]
    pub fn estimates(&self) -> Vec<CreditEstimates> {
        let totals = |measure: Measure| -> Vec<f64> {
            let rows = std::iter::once(self.base.as_slice()).chain(self.replicates());
            rows.map(|row| crate::sum::sum(row.iter().map(|credit| measure.of(credit)))).collect()
        };
        let totals = [Measure::Conversions, Measure::Value].map(|measure| (measure, totals(measure)));
        let of = |index: usize| {
            let [conversions, value] = totals.each_ref().map(|(measure, totals)| {
                let amounts = |row: &[Credit]| measure.of(&row[index]);
                let shares = self.replicates().zip(&totals[1..]).map(|(row, total)| share(amounts(row), *total));
                let point = share(amounts(&self.base), totals[0]);
                (self.estimate(amounts), Estimate::new(point, shares, self.settings.level))
            });
            CreditEstimates {
                conversions: conversions.0,
                value: value.0,
                conversion_share: conversions.1,
                value_share: value.1,
            }
        };
        (0..self.base.len()).map(of).collect()
    }

    /// `cost` over the conversions of a channel: cost per acquisition. Infinite in resamples without a conversion;
    /// `None` for a channel that is not there, and where nothing was paid for nothing.
    ///
    /// ```
    /// use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let drawn = bootstrap(&"last".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
    /// assert_eq!(drawn.cost_per_conversion(1, 60.0).unwrap().point, 5.0);
    /// ```
    #[must_use]
    pub fn cost_per_conversion(&self, channel: usize, cost: f64) -> Option<Estimate> {
        (channel < self.channels()).then_some(())?;
        self.estimate(|row| match row[channel].conversions.max(0.0) {
            0.0 if cost == 0.0 => f64::NAN,
            conversions => cost / conversions,
        })
    }

    /// The value of a channel over `cost`: return on ad spend. `None` for a channel that is not there or cost nothing.
    ///
    /// ```
    /// use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let drawn = bootstrap(&"last".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
    /// assert_eq!(drawn.return_on_cost(1, 70.0).unwrap().point, 2.0);
    /// ```
    #[must_use]
    pub fn return_on_cost(&self, channel: usize, cost: f64) -> Option<Estimate> {
        (channel < self.channels() && cost != 0.0).then_some(())?;
        self.estimate(|row| row[channel].value / cost)
    }
}

fn share(amount: f64, total: f64) -> f64 {
    if total > 0.0 { amount / total } else { f64::NAN }
}
