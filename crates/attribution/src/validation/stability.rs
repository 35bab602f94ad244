//! Do shares move from week to week, and more than chance moves them?
use super::ValidationError;
use crate::{
    Attribution, ModelSpec, Stop, attribute::check, attribute_until, models::count, philox::philox, poisson::Poisson,
    sum::sum,
};
use rayon::prelude::*;
use safar_model::{PathRef, Paths, PathsBuilder};
use serde::{Deserialize, Serialize};

/// How chance is imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StabilitySettings {
    /// How many times all weeks are drawn anew, at least 19 so that a p-value of 5 % can be reached.
    pub replicates: usize,
    /// Of the draws.
    pub seed: u64,
}

impl Default for StabilitySettings {
    fn default() -> Self {
        Self { replicates: 99, seed: 1 }
    }
}

/// How a model's shares of conversions move. Shares are over the channels and sum to 1; distances are total variation,
/// half the sum of absolute differences: the part of the credit that changed hands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// By week, then by channel index.
    pub shares: Vec<Vec<f64>>,
    /// From each week to the next.
    pub distances: Vec<f64>,
    /// The same, as chance alone moves shares: the mean over the replicates.
    pub noise: Vec<f64>,
    /// Mean of `distances`.
    pub distance: f64,
    /// Mean of `noise`: the floor below which no model can be steadier on so few conversions.
    pub noise_floor: f64,
    /// Chance of a mean distance as large as this if nothing changed: the part of the replicates that reach it, the
    /// weeks themselves counting as one (Phipson and Smyth 2010).
    pub p: f64,
    /// By channel index.
    pub ranges: Vec<Range>,
    /// How chance was imitated.
    pub settings: StabilitySettings,
}

/// The smallest and the largest share of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// In its lowest week.
    pub low: f64,
    /// In its highest week.
    pub high: f64,
}

/// Fits `model` to each week by itself and compares its shares from week to week.
///
/// Noise: if nothing changed, each path of all weeks together comes up in each week in proportion to the week's
/// conversions (or people without), by a Poisson draw. Weeks are drawn so and fitted anew, replicate by replicate. A
/// drawn week in which nobody gets credit counts as a distance of 1 to its neighbours.
///
/// # Errors
/// Fewer than 2 weeks, or a week without credit; too few replicates; paths that the model refuses.
///
/// ```
/// use safar_attribution::validation::{StabilitySettings, stability};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let week = |a, b| {
/// #     let file = format!("path;conversions\nA;{a}\nB;{b}\n");
/// #     read_paths(file.as_bytes(), &ReadOptions::default()).unwrap()
/// # };
/// // Of 100 conversions, A has 50 in the first week, 52 in the second, 90 in the third.
/// let ([first, second, third], channels) = ([week(50, 50).0, week(52, 48).0, week(90, 10).0], week(1, 1).1);
/// let of = |weeks: &[_]| stability(&"last".parse().unwrap(), weeks, &channels, &StabilitySettings::default()).unwrap();
/// let still = of(&[first, second.clone()]);
/// assert!((still.distance - 0.02).abs() < 1e-12 && still.p > 0.5); // chance alone moves more
/// assert!(of(&[second, third]).p <= 0.05);
/// ```
pub fn stability(
    model: &ModelSpec,
    weeks: &[Paths],
    channels: &[String],
    settings: &StabilitySettings,
) -> Result<Stability, ValidationError> {
    stability_until(model, weeks, channels, settings, &Stop::default())
}

/// The same, until `stop` is asked for.
///
/// # Errors
/// As [`stability`]; [`Error::Stopped`](crate::Error::Stopped).
///
/// ```
/// use safar_attribution::{Stop, validation::{StabilitySettings, stability_until}};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions\nA;50\nB;50\n";
/// # let (week, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let (model, weeks, stop) = ("last".parse().unwrap(), [week.clone(), week], Stop::default());
/// let of = || stability_until(&model, &weeks, &channels, &StabilitySettings::default(), &stop);
/// assert_eq!(of().unwrap().distance, 0.0);
/// stop.stop();
/// assert!(of().is_err());
/// ```
pub fn stability_until(
    model: &ModelSpec,
    weeks: &[Paths],
    channels: &[String],
    settings: &StabilitySettings,
    stop: &Stop,
) -> Result<Stability, ValidationError> {
    if weeks.len() < 2 {
        return Err(ValidationError::TooFewWeeks { got: weeks.len() });
    }
    if settings.replicates < 19 {
        return Err(ValidationError::BadSetting { what: "replicates", got: settings.replicates, least: 19 });
    }
    weeks.iter().try_for_each(|week| check(week, channels.len()))?;
    let shares: Vec<_> = weeks
        .iter()
        .enumerate()
        .map(|(index, week)| {
            let shares = shares_of(&attribute_until(model, week, channels, stop)?);
            shares.ok_or(ValidationError::NothingCredited { week: index + 1 })
        })
        .collect::<Result<_, _>>()?;
    let distances: Vec<_> = shares.windows(2).map(|pair| distance(&pair[0], &pair[1])).collect();
    let (parts, draws) = (parts(weeks), Draws { poisson: Poisson::new(), seed: settings.seed });
    let count_of_weeks = weeks.len() as u64;
    let replicates: Vec<Vec<f64>> = (0..settings.replicates as u64)
        .into_par_iter()
        .map(|replicate| {
            let drawn: Vec<_> = (replicate * count_of_weeks..)
                .zip(&parts)
                .map(|(week, part)| {
                    let drawn = draws.week(weeks, *part, week, stop)?;
                    Ok(shares_of(&attribute_until(model, &drawn, channels, stop)?))
                })
                .collect::<crate::Result<_>>()?;
            let far = |pair: &[Option<Vec<f64>>]| match pair {
                [Some(a), Some(b)] => distance(a, b),
                _ => 1.0,
            };
            Ok(drawn.windows(2).map(far).collect())
        })
        .collect::<crate::Result<_>>()?;
    let mean = |of: &[f64]| sum(of.iter().copied()) / count(of.len());
    let noise: Vec<_> =
        (0..distances.len()).map(|pair| mean(&replicates.iter().map(|far| far[pair]).collect::<Vec<_>>())).collect();
    let far = mean(&distances);
    let reached = replicates.iter().filter(|replicate| mean(replicate) >= far * (1.0 - 1e-12)).count();
    let range = |channel: usize| {
        let of = || shares.iter().map(|shares| shares[channel]);
        Range { low: of().fold(f64::INFINITY, f64::min), high: of().fold(f64::NEG_INFINITY, f64::max) }
    };
    Ok(Stability {
        distance: far,
        noise_floor: mean(&noise),
        p: count(reached + 1) / count(settings.replicates + 1),
        ranges: (0..channels.len()).map(range).collect(),
        shares,
        distances,
        noise,
        settings: *settings,
    })
}

/// Credits over their sum; `None` where they have none.
fn shares_of(attribution: &Attribution) -> Option<Vec<f64>> {
    let all = sum(attribution.credits.iter().map(|credit| credit.conversions));
    (all > 0.0).then(|| attribution.credits.iter().map(|credit| credit.conversions / all).collect())
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    sum(a.iter().zip(b).map(|(a, b)| (a - b).abs())) / 2.0
}

/// By week: the part of all conversions and the part of all people without.
fn parts(weeks: &[Paths]) -> Vec<[f64; 2]> {
    let of = |week: &Paths, of: fn(PathRef<'_>) -> f64| sum(week.iter().map(of));
    let each: Vec<_> =
        weeks.iter().map(|week| [of(week, |path| path.conversions), of(week, |path| path.nulls)]).collect();
    let all = [0, 1].map(|which| sum(each.iter().map(|week| week[which])));
    let part = |week: [f64; 2], which: usize| if all[which] > 0.0 { week[which] / all[which] } else { 0.0 };
    each.into_iter().map(|week| [part(week, 0), part(week, 1)]).collect()
}

/// Counts of people by the number of the path, among those of all weeks, and of the drawn week.
struct Draws {
    poisson: Poisson,
    seed: u64,
}

impl Draws {
    /// A week as it could have been: parts of the paths of all weeks. Value plays no part and is left out.
    fn week(&self, weeks: &[Paths], [conversions, nulls]: [f64; 2], number: u64, stop: &Stop) -> crate::Result<Paths> {
        let mut drawn = PathsBuilder::default();
        for (index, path) in (0..).zip(weeks.iter().flat_map(Paths::iter)) {
            stop.check()?;
            // The pair number 0 is for draws that need one number; large means take pairs from 2 on.
            let pair = |of: u64| philox(self.seed, [index, number << 32 | of]);
            let [first, second] = pair(0);
            let conversions = self.poisson.draw(path.conversions * conversions, first, |attempt| pair(2 + 2 * attempt));
            let nulls = self.poisson.draw(path.nulls * nulls, second, |attempt| pair(3 + 2 * attempt));
            if conversions + nulls > 0.0 {
                drawn.push(PathRef { conversions, nulls, value: 0.0, ..path });
            }
        }
        Ok(drawn.finish())
    }
}
