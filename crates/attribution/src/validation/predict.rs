//! What a model learned on earlier paths says about later ones.
use super::{
    Class, ValidationError,
    platt::{Platt, Scored},
};
use crate::{Credit, FittedModel, ModelSpec, attribute::check, attribute::in_chunks};
use safar_model::{PathRef, Paths};
use serde::{Deserialize, Serialize};

/// Where probabilities come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum Source {
    /// The conversion rate of the earlier paths, whatever the path: the floor.
    BaseRate,
    /// The model says them itself ([`FittedModel::probability`]).
    Model {
        /// Later people on paths of which it said nothing; they got the base rate.
        unsaid: f64,
    },
    /// From its credits, in the same way for every model that says none. A channel's credit for each of its touches
    /// on the earlier paths, r, counts as the chance that one touch converts; a path scores 1 − Π (1 − r) over its
    /// touches; a rising logistic curve fitted to the earlier paths turns scores into probabilities.
    Credits {
        /// The curve.
        platt: Platt,
        /// Channels whose r was below 0 or above 1 and counted as 0 or 1.
        limited: usize,
    },
}

/// The chance to convert that a model gives to each later path, and what came of it.
#[derive(Clone, Debug)]
pub struct Predictions {
    pub(super) paths: Vec<Scored>,
    /// The conversion rate of the earlier paths.
    pub(super) base: f64,
    /// How much the model learned.
    pub class: Class,
    /// Where the probabilities come from.
    pub source: Source,
    /// Later people whose probability was so near to 0 or 1 that it was moved to 10⁻¹² away from it, since a sure
    /// prediction that fails costs endlessly.
    pub moved: f64,
}

/// No probability is nearer to 0 or 1.
const EDGE: f64 = 1e-12;

impl Predictions {
    /// Fits `model` to the `earlier` paths and asks it about the `later` ones.
    ///
    /// # Errors
    /// Paths that the model refuses; no conversions, or nothing else, among the earlier or the later paths.
    pub fn make(
        model: &ModelSpec,
        earlier: &Paths,
        later: &Paths,
        channels: &[String],
    ) -> Result<Self, ValidationError> {
        let base = both(earlier, later, channels)?;
        let fitted = model.build().fit(earlier, channels)?;
        let class = Class::of(model.name(), &fitted.diagnostics());
        Ok(Self { class, ..Self::of_fitted(fitted.as_ref(), base, earlier, later, channels.len()) })
    }

    /// Of a model fitted to the `earlier` paths.
    pub(super) fn of_fitted(
        fitted: &dyn FittedModel,
        base: f64,
        earlier: &Paths,
        later: &Paths,
        channels: usize,
    ) -> Self {
        let says = earlier.iter().all(|path| fitted.probability(path).is_some());
        if says {
            let mut unsaid = 0.0;
            let mut predictions = Self::of(later, base, |path| {
                fitted.probability(path).unwrap_or_else(|| {
                    unsaid += path.conversions + path.nulls;
                    base
                })
            });
            predictions.source = Source::Model { unsaid };
            return predictions;
        }
        let (chances, limited) = chances(fitted, earlier, channels);
        let score = |path: PathRef<'_>| -> f64 {
            -path.channels.iter().map(|channel| chances[channel.0 as usize]).sum::<f64>().exp_m1()
        };
        let scored =
            |path: PathRef<'_>| Scored { score: score(path), conversions: path.conversions, nulls: path.nulls };
        let platt = Platt::fit(&earlier.iter().map(scored).collect::<Vec<_>>());
        let mut predictions = Self::of(later, base, |path| platt.probability(score(path)));
        predictions.source = Source::Credits { platt, limited };
        predictions
    }

    /// The floor: everybody converts at the rate of the `earlier` paths.
    ///
    /// # Errors
    /// As [`Predictions::make`].
    pub fn base_rate(earlier: &Paths, later: &Paths, channels: &[String]) -> Result<Self, ValidationError> {
        let base = both(earlier, later, channels)?;
        Ok(Self::of(later, base, |_| base))
    }

    fn of(later: &Paths, base: f64, mut probability: impl FnMut(PathRef<'_>) -> f64) -> Self {
        let mut moved = 0.0;
        let paths = later.iter().map(|path| {
            let said = probability(path);
            let score = said.clamp(EDGE, 1.0 - EDGE);
            if score != said {
                moved += path.conversions + path.nulls;
            }
            Scored { score, conversions: path.conversions, nulls: path.nulls }
        });
        let paths = paths.collect();
        Self { paths, base, class: Class::Rule, source: Source::BaseRate, moved }
    }

    /// The probability of each later path, in their order.
    pub fn probabilities(&self) -> impl ExactSizeIterator<Item = f64> {
        self.paths.iter().map(|path| path.score)
    }

    /// By probability, ascending; equal probabilities together.
    pub(super) fn ascending(&self) -> Vec<Scored> {
        let mut sorted = self.paths.clone();
        sorted.retain(|path| path.conversions + path.nulls > 0.0);
        // Stable, so that sums are taken in the same order on every machine.
        sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
        sorted.dedup_by(|next, kept| {
            let same = next.score == kept.score;
            if same {
                kept.conversions += next.conversions;
                kept.nulls += next.nulls;
            }
            same
        });
        sorted
    }
}

/// Checks both periods. Returns the conversion rate of the earlier one.
pub(super) fn both(earlier: &Paths, later: &Paths, channels: &[String]) -> Result<f64, ValidationError> {
    let mut rate = 0.0;
    for (which, paths) in [("later", later), ("earlier", earlier)] {
        check(paths, channels.len())?;
        let conversions = crate::sum::sum(paths.iter().map(|path| path.conversions));
        let nulls = crate::sum::sum(paths.iter().map(|path| path.nulls));
        if conversions <= 0.0 || nulls <= 0.0 {
            return Err(ValidationError::OneOutcome { which, conversions, nulls });
        }
        rate = conversions / (conversions + nulls);
    }
    Ok(rate)
}

/// By channel: ln(1 − r), where r is its credit for each touch on `paths`; 0 for a channel that they never touch. And
/// how many r were out of range.
fn chances(fitted: &dyn FittedModel, paths: &Paths, channels: usize) -> (Vec<f64>, usize) {
    let parts = in_chunks(paths, |range| {
        let mut touches = vec![0.0; channels];
        for path in range.map(|index| paths.get(index)) {
            path.channels.iter().for_each(|channel| touches[channel.0 as usize] += path.conversions + path.nulls);
        }
        touches
    });
    let mut touches = vec![0.0; channels];
    for part in parts {
        touches.iter_mut().zip(part).for_each(|(all, part)| *all += part);
    }
    let mut limited = 0;
    let chance = |(Credit { conversions, .. }, touches): (Credit, f64)| {
        let rate = if touches > 0.0 { conversions / touches } else { 0.0 };
        // A credit of every touch, up to rounding, is no credit out of range.
        limited += usize::from(!(-1e-9..=1.0 + 1e-9).contains(&rate));
        (-rate.clamp(0.0, 1.0)).ln_1p()
    };
    let chances = fitted.credits(paths, channels).into_iter().zip(touches).map(chance).collect();
    (chances, limited)
}
