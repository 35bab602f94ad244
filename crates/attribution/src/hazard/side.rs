//! Models of cause beside models of paths: the same spelling, the same result.
use super::{HazardAttribution, HazardSettings, attribute_hazard};
use crate::{Attribution, AttributionModel, Diagnostics, Error, FittedModel, ModelSpec, Result};
use safar_model::{Paths, Timelines};

/// Credits conversions of whole timelines, in the form in which other models give theirs: what no touch caused is unattributed.
///
/// # Errors
/// A model of paths; a channel without a name.
pub fn attribute_timelines(model: &ModelSpec, timelines: &Timelines, names: &[String]) -> Result<Attribution> {
    let settings = match *model {
        ModelSpec::Hazard { rounds } => HazardSettings { rounds: rounds as usize, ..HazardSettings::plain() },
        ModelSpec::IntentHazard { levels, moods, rounds } => HazardSettings {
            levels: levels as usize,
            moods: moods as usize,
            rounds: rounds as usize,
            ..HazardSettings::default()
        },
        _ => return Err(Error::NeedsPaths { model: model.name() }),
    };
    let HazardAttribution { credits, baseline, diagnostics, .. } = attribute_hazard(&settings, timelines, names)?;
    let diagnostics = Diagnostics { hazard: Some(Box::new(diagnostics)), ..Diagnostics::default() };
    Ok(Attribution { model: model.clone(), credits, unattributed: baseline, diagnostics })
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
