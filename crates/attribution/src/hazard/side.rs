//! Models of cause beside models of paths: the same spelling, the same result.
use super::{
    HazardSettings,
    credit::credits,
    fit::{Learned, learn},
};
use crate::{Attribution, AttributionModel, Diagnostics, Error, FittedModel, ModelSpec, Result};
use safar_model::{Paths, Timelines};

/// Credits conversions of whole timelines, in the form in which other models give theirs: what no touch caused is unattributed.
///
/// # Errors
/// A model of paths; a channel without a name.
pub fn attribute_timelines(model: &ModelSpec, timelines: &Timelines, names: &[String]) -> Result<Attribution> {
    Ok(result(model, learn(&settings_of(model)?, timelines, names)?))
}

/// What was learned, in the form in which other models give theirs.
pub(super) fn result(model: &ModelSpec, learned: Learned<'_>) -> Attribution {
    let (credits, unattributed) = credits(&learned.crowd, &learned.params, learned.end);
    let diagnostics = Diagnostics { hazard: Some(Box::new(learned.diagnostics)), ..Diagnostics::default() };
    Attribution { model: model.clone(), credits, unattributed, diagnostics }
}

/// The settings that a model spells.
pub(super) fn settings_of(model: &ModelSpec) -> Result<HazardSettings> {
    match *model {
        ModelSpec::Hazard { rounds } => Ok(HazardSettings { rounds: rounds as usize, ..HazardSettings::plain() }),
        ModelSpec::IntentHazard { levels, moods, rounds } => Ok(HazardSettings {
            levels: levels as usize,
            moods: moods as usize,
            rounds: rounds as usize,
            ..HazardSettings::default()
        }),
        _ => Err(Error::NeedsPaths { model: model.name() }),
    }
}

/// Stands where a model of paths is asked for, and says what is missing.
pub(crate) struct OfTimelines {
    pub model: &'static str,
}

impl AttributionModel for OfTimelines {
    fn fit(&self, _: &Paths, _: &[String]) -> Result<Box<dyn FittedModel>> {
        Err(Error::NeedsTimelines { model: self.model })
    }
}
