//! Models of cause beside models of paths: the same spelling, the same result.
use super::{
    HazardSettings, Role,
    credit::credits,
    fit::{Learned, learn},
};
use crate::{Attribution, AttributionModel, Diagnostics, Error, FittedModel, ModelSpec, Result, Stop};
use safar_model::{Paths, Timelines};

/// Credits conversions of whole timelines, in the form in which other models give theirs: what no touch caused is unattributed.
///
/// # Errors
/// A model of paths; a channel without a name; a value past 1e100.
///
/// ```
/// use safar_attribution::hazard::attribute_timelines;
/// # use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
/// # let mut timelines = Timelines::default();
/// # for person in 0..400_i64 {
/// #     let shown = person % 2 == 0;
/// #     let buys = if shown { person % 4 == 0 } else { person % 20 == 1 };
/// #     let (soon, late) = (10 * DAY_US + 1 + person * 7_919 % 400 * DAY_US / 200, person * 104_729 % 400 * DAY_US / 20);
/// #     let until = if buys { if shown { soon } else { late } } else { 20 * DAY_US };
/// #     let (channels, times) = (&[ChannelId(0)][..usize::from(shown)], &[10 * DAY_US][..usize::from(shown)]);
/// #     let (outcomes, values) = (&[until][..usize::from(buys)], &[10.0][..usize::from(buys)]);
/// #     timelines.push(TimelineRef { from: 0, until, channels, times, outcomes, values }).unwrap();
/// # }
/// // 200 people were shown something on day 10 and 100 of them bought soon after; of 200 others 20 bought.
/// let result = attribute_timelines(&"hazard".parse().unwrap(), &timelines, &["Display".to_string()]).unwrap();
/// assert!((80.0..100.0).contains(&result.credits[0].conversions));
/// assert!((20.0..40.0).contains(&result.unattributed.conversions));
/// assert_eq!(result.diagnostics.hazard.unwrap().channels.len(), 1);
/// ```
pub fn attribute_timelines(model: &ModelSpec, timelines: &Timelines, names: &[String]) -> Result<Attribution> {
    attribute_timelines_with(model, timelines, names, &[], &Stop::default())
}

/// The same, until `stop` is asked for, with what some channels are told, by index; what is `None` or beyond the list is guessed
/// from the name ([`Role::of_name`]).
///
/// # Errors
/// As [`attribute_timelines`]; [`Error::Stopped`].
///
/// ```
/// use safar_attribution::{Stop, hazard::{Role, attribute_timelines_with}};
/// # use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
/// # let mut timelines = Timelines::default();
/// # for person in 0..60_i64 {
/// #     let (until, outcomes) = (DAY_US * (3 + person % 5), [DAY_US * (3 + person % 5)]);
/// #     let (outcomes, values) = (&outcomes[..usize::from(person % 3 == 0)], &[1.0][..usize::from(person % 3 == 0)]);
/// #     let line = TimelineRef { from: 0, until, channels: &[ChannelId(0)], times: &[DAY_US], outcomes, values };
/// #     timelines.push(line).unwrap();
/// # }
/// // Visits by a link on the shop's own boxes: people come by themselves.
/// let (model, names, roles) = ("hazard".parse().unwrap(), ["Boxes".to_string()], [Some(Role::Direct)]);
/// let result = attribute_timelines_with(&model, &timelines, &names, &roles, &Stop::default()).unwrap();
/// let about = &result.diagnostics.hazard.unwrap().channels[0];
/// assert_eq!((about.role, about.guessed), (Role::Direct, false));
/// assert_eq!(result.credits[0].conversions, 0.0); // direct visits earn nothing
/// ```
pub fn attribute_timelines_with(
    model: &ModelSpec,
    timelines: &Timelines,
    names: &[String],
    roles: &[Option<Role>],
    stop: &Stop,
) -> Result<Attribution> {
    result(model, learn(&settings_of(model, roles)?, timelines, names, stop)?, stop)
}

/// What was learned, in the form in which other models give theirs.
pub(super) fn result(model: &ModelSpec, learned: Learned<'_>, stop: &Stop) -> Result<Attribution> {
    let (credits, unattributed) = credits(&learned.crowd, &learned.params, learned.end, stop)?;
    let diagnostics = Diagnostics { hazard: Some(Box::new(learned.diagnostics)), ..Diagnostics::default() };
    Ok(Attribution { model: model.clone(), credits, unattributed, diagnostics })
}

/// The settings that a model spells.
pub(super) fn settings_of(model: &ModelSpec, roles: &[Option<Role>]) -> Result<HazardSettings> {
    let roles = roles.to_vec();
    match *model {
        ModelSpec::Hazard { rounds } => {
            Ok(HazardSettings { roles, rounds: rounds as usize, ..HazardSettings::plain() })
        }
        ModelSpec::IntentHazard { levels, moods, seasons, rounds } => Ok(HazardSettings {
            roles,
            levels: levels as usize,
            moods: moods as usize,
            seasons: seasons as usize,
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
    fn fit_until(&self, _: &Paths, _: &[String], _: &Stop) -> Result<Box<dyn FittedModel>> {
        Err(Error::NeedsTimelines { model: self.model })
    }
}
