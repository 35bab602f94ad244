//! How far models differ on the same paths.
//!
//! Compared are shares of credit: what a channel has over what all channels have together by the same model. What is
//! left unattributed is told beside them, as it says how much a model credits at all, not to whom. Credits of models
//! that overlap (participation) sum to more than the conversions; their shares are compared and marked.
//! Shares within 1e-10 of each other count as equal where channels are ranked: that is rounding.
mod correlation;

use crate::{Attribution, Credit, ModelSpec, sum::sum, uncertainty::Measure};
use correlation::{kendall, spearman};
use thiserror::Error;

/// Parts of all credit that are closer than this differ by rounding, not by the model or by chance.
pub(crate) const ROUNDING: f64 = 1e-10;

/// How models differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// The compared models, in the order they were given.
    pub models: Vec<Compared>,
    /// Each model against each later one.
    pub pairs: Vec<Pair>,
    /// By channel index.
    pub spreads: Vec<Spread>,
}

/// One of the compared models.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Which.
    pub model: ModelSpec,
    /// By channel index: its part of all channels' credit. They sum to 1; where a model gives negative credit, some
    /// are below 0 or above 1.
    pub shares: Vec<f64>,
    /// What it gives to no channel, in the measure compared.
    pub unattributed: f64,
    /// Its credits sum to more than the conversions on purpose, so its shares are parts of a sum with repeats.
    pub overlapping: bool,
}

/// Two models.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Index of the one.
    pub a: usize,
    /// Index of the other, higher.
    pub b: usize,
    /// Total variation distance, ½ Σ |share by a − share by b|: the part of all credit that moves to other channels
    /// from a to b. 0 to 1 where no credit is negative (Levin, Peres: Markov Chains and Mixing Times, 2017, § 4.1).
    pub distance: f64,
    /// Spearman's ρ: the correlation of the ranks of channels, −1 to 1, ties at the mean of their ranks (Spearman
    /// 1904). `None` where either model holds all channels equal.
    pub spearman: Option<f64>,
    /// Kendall's τ-b: pairs of channels in the same order less those in the other, ties taken out (Kendall 1945).
    /// `None` where either model holds all channels equal.
    pub kendall: Option<f64>,
}

/// How far the models differ about one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Index of the channel.
    pub channel: usize,
    /// The lowest share that a model gives it.
    pub low: f64,
    /// Index of the first model that gives so little.
    pub low_model: usize,
    /// The highest share.
    pub high: f64,
    /// Index of the first model that gives so much.
    pub high_model: usize,
}

impl Spread {
    /// Between the highest and the lowest share, in percentage points.
    ///
    /// ```
    /// use safar_attribution::Spread;
    /// let spread = Spread { channel: 0, low: 0.25, low_model: 1, high: 0.5, high_model: 0 };
    /// assert_eq!(spread.points(), 25.0);
    /// ```
    #[must_use]
    pub fn points(&self) -> f64 {
        (self.high - self.low) * 100.0
    }
}

/// Why models could not be compared.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum AgreementError {
    /// Nothing to compare.
    #[error("{got} models were given; give 2 or more")]
    TooFew {
        /// As given.
        got: usize,
    },
    /// Results about other channels.
    #[error("{model} has {got} channels, {first} has {want}; compare results on the same paths")]
    OtherChannels {
        /// Which model.
        model: ModelSpec,
        /// How many channels it has.
        got: usize,
        /// The first model.
        first: ModelSpec,
        /// How many channels that has.
        want: usize,
    },
    /// Parts of nothing.
    #[error("the credits of {model} sum to {got}, which cannot be shared out; compare where something was earned")]
    NothingEarned {
        /// Which model.
        model: ModelSpec,
        /// What its credits sum to.
        got: f64,
    },
}

/// Compares the credits that several models give to the same channels for the same paths.
///
/// # Errors
/// Fewer than 2 results; results of different numbers of channels; credits that sum to 0 or less.
///
/// ```
/// use safar_attribution::{agreement, attribute, uncertainty::Measure};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;value\nA > B;8;80\nB;4;60\n;1;5\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// // `A > B` with 8 conversions, `B` with 4.
/// let results = ["first", "last"].map(|model| attribute(&model.parse().unwrap(), &paths, &channels).unwrap());
/// let pair = agreement(&results, Measure::Conversions).unwrap().pairs[0];
/// assert!((pair.distance - 8.0 / 12.0).abs() < 1e-12); // what A has by the one is B's by the other
/// assert_eq!(pair.kendall, Some(-1.0));
/// ```
pub fn agreement(results: &[Attribution], measure: Measure) -> Result<Agreement, AgreementError> {
    let [first, _, ..] = results else { return Err(AgreementError::TooFew { got: results.len() }) };
    let models: Vec<Compared> =
        results.iter().map(|result| compared(result, first, measure)).collect::<Result<_, _>>()?;
    let pair = |a: usize, b: usize| {
        let (x, y) = (&models[a].shares, &models[b].shares);
        let distance = 0.5 * sum(x.iter().zip(y).map(|(x, y)| (x - y).abs()));
        Pair { a, b, distance, spearman: spearman(x, y), kendall: kendall(x, y) }
    };
    let pairs = (0..models.len()).flat_map(|a| (a + 1..models.len()).map(move |b| (a, b)));
    let pairs = pairs.map(|(a, b)| pair(a, b)).collect();
    let spread = |channel: usize| {
        let start = models[0].shares[channel];
        let mut spread = Spread { channel, low: start, low_model: 0, high: start, high_model: 0 };
        for (index, share) in models.iter().map(|model| model.shares[channel]).enumerate() {
            if share < spread.low {
                (spread.low, spread.low_model) = (share, index);
            }
            if share > spread.high {
                (spread.high, spread.high_model) = (share, index);
            }
        }
        spread
    };
    let spreads = (0..first.credits.len()).map(spread).collect();
    Ok(Agreement { models, pairs, spreads })
}

impl Agreement {
    /// The channel about which the models differ most, the first of them where several do: "models differ by up to
    /// 12 points on Display". `None` where there is no channel.
    ///
    /// ```
    /// use safar_attribution::{agreement, attribute, uncertainty::Measure};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let results = ["first", "last", "linear"].map(|model| attribute(&model.parse().unwrap(), &paths, &channels).unwrap());
    /// let compared = agreement(&results, Measure::Conversions).unwrap();
    /// let widest = compared.widest().unwrap();
    /// // A has 10 of 14 by first touch and 2 by last touch.
    /// assert_eq!((widest.channel, widest.high_model, widest.low_model), (0, 0, 1));
    /// assert!((widest.points() - 100.0 * 8.0 / 14.0).abs() < 1e-9);
    /// ```
    #[must_use]
    pub fn widest(&self) -> Option<&Spread> {
        self.spreads.iter().rev().max_by(|a, b| a.points().total_cmp(&b.points()))
    }
}

fn compared(result: &Attribution, first: &Attribution, measure: Measure) -> Result<Compared, AgreementError> {
    let model = result.model.clone();
    if result.credits.len() != first.credits.len() {
        let (got, want) = (result.credits.len(), first.credits.len());
        return Err(AgreementError::OtherChannels { model, got, first: first.model.clone(), want });
    }
    let of = |credit: &Credit| measure.of(credit);
    let all = sum(result.credits.iter().map(of));
    let size = sum(result.credits.iter().map(|credit| of(credit).abs()));
    if all <= 1e-12 * size {
        return Err(AgreementError::NothingEarned { model, got: all });
    }
    Ok(Compared {
        model,
        shares: result.credits.iter().map(|credit| of(credit) / all).collect(),
        unattributed: of(&result.unattributed),
        overlapping: result.diagnostics.overlapping,
    })
}
