//! How sure the credits are: resamples of people, fits that begin where the plain one ended.
use super::{
    credit::credits,
    expect::Crowd,
    fit::{Learned, State, learn},
    side::{result, settings_of},
};
use crate::{
    Credit, ModelSpec,
    uncertainty::{Bootstrap, BootstrapError, People, Resamples},
};
use rayon::prelude::*;
use safar_model::Timelines;

/// Rounds of a resample at most.
const ROUNDS: usize = 8;

/// Asks a model of cause about `timelines` and about resamples of the people, as [`bootstrap`](crate::uncertainty::bootstrap)
/// does a model of paths. `people` are their ids; where none are given each timeline is a person of its own. A person is drawn
/// alike here and there, so resamples can be compared one by one.
///
/// Every resample is learned anew, from where the plain fit ended, with Newton's steps; how much touches tell of intent is
/// taken as known, and so is what was set. A resample has come to rest when the plain fit would have, or after eight rounds.
///
/// # Errors
/// As [`attribute_timelines`](super::attribute_timelines); settings out of range; ids that are not one for each timeline.
pub fn bootstrap_timelines(
    model: &ModelSpec,
    timelines: &Timelines,
    people: Option<&[u64]>,
    names: &[String],
    settings: Bootstrap,
) -> Result<Resamples, BootstrapError> {
    settings.check(names.len())?;
    if let Some(got) = people.map(<[u64]>::len).filter(|got| *got != timelines.len()) {
        return Err(BootstrapError::People { got, timelines: timelines.len() });
    }
    let learned = learn(&settings_of(model)?, timelines, names)?;
    let draws = People::new(settings.seed);
    let rows: Vec<Vec<Credit>> = (0..settings.replicates)
        .into_par_iter()
        .map(|replicate| {
            let id = |index: usize| people.map_or(index as u64, |people| people[index]);
            let weights: Vec<f64> = (0..timelines.len()).map(|index| draws.times(id(index), replicate)).collect();
            resample(&learned, &weights)
        })
        .collect();
    Ok(Resamples::new(settings, result(model, learned), rows.concat()))
}

/// The credits of one resample, and what is left.
fn resample(learned: &Learned<'_>, weights: &[f64]) -> Vec<Credit> {
    let crowd = Crowd { weights: Some(weights), ..learned.crowd };
    let mut state = State::new(learned.params.clone());
    state.leap(crowd, &learned.slope, ROUNDS);
    let (mut credits, rest) = credits(&crowd, &state.params, learned.end);
    credits.push(rest);
    credits
}
