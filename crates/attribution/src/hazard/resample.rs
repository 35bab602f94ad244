//! How sure the credits are: resamples of people, fits that begin where the plain one ended.
use super::{
    Role,
    credit::credits,
    expect::Crowd,
    fit::{Learned, State, learn},
    side::{result, settings_of},
};
use crate::{
    Credit, ModelSpec, Result, Stop,
    uncertainty::{Bootstrap, BootstrapError, People, Resamples, Watch, Watched},
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
///
/// ```
/// use safar_attribution::{hazard::bootstrap_timelines, uncertainty::Bootstrap};
/// # use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
/// # let mut timelines = Timelines::default();
/// # for person in 0..200_i64 {
/// #     let shown = person % 2 == 0;
/// #     let buys = if shown { person % 4 == 0 } else { person % 20 == 1 };
/// #     let (soon, late) = (10 * DAY_US + 1 + person * 7_919 % 400 * DAY_US / 200, person * 104_729 % 400 * DAY_US / 20);
/// #     let until = if buys { if shown { soon } else { late } } else { 20 * DAY_US };
/// #     let (channels, times) = (&[ChannelId(0)][..usize::from(shown)], &[10 * DAY_US][..usize::from(shown)]);
/// #     let (outcomes, values) = (&[until][..usize::from(buys)], &[10.0][..usize::from(buys)]);
/// #     timelines.push(TimelineRef { from: 0, until, channels, times, outcomes, values }).unwrap();
/// # }
/// // 50 of 100 people who were shown something bought soon after, and 10 of 100 others.
/// let (model, names) = ("hazard".parse().unwrap(), ["Display".to_string()]);
/// let settings = Bootstrap { replicates: 20, ..Bootstrap::default() };
/// let resamples = bootstrap_timelines(&model, &timelines, None, &names, settings).unwrap();
/// let display = resamples.estimates()[0].conversions.unwrap();
/// assert!(display.low < display.point && display.point < display.high);
/// ```
pub fn bootstrap_timelines(
    model: &ModelSpec,
    timelines: &Timelines,
    people: Option<&[u64]>,
    names: &[String],
    settings: Bootstrap,
) -> Result<Resamples, BootstrapError> {
    let watch = Watch { stop: &Stop::default(), told: &|_| {} };
    bootstrap_timelines_with(model, timelines, people, names, &[], settings, watch)
}

/// The same, with what some channels are told, as [`attribute_timelines_with`](super::attribute_timelines_with), and with
/// somebody who hears how far the work is and may end it.
///
/// # Errors
/// As [`bootstrap_timelines`]; [`Error::Stopped`](crate::Error::Stopped).
///
/// ```
/// use safar_attribution::{Stop, hazard::{Role, bootstrap_timelines_with}, uncertainty::{Bootstrap, Watch}};
/// # use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
/// # let mut timelines = Timelines::default();
/// # for person in 0..60_i64 {
/// #     let (until, values) = (DAY_US * (3 + person % 5), &[1.0][..usize::from(person % 3 == 0)]);
/// #     let outcomes = &[until][..values.len()];
/// #     timelines.push(TimelineRef { from: 0, until, channels: &[ChannelId(0)], times: &[DAY_US], outcomes, values }).unwrap();
/// # }
/// let (model, names, roles) = ("hazard".parse().unwrap(), ["Boxes".to_string()], [Some(Role::Direct)]);
/// let settings = Bootstrap { replicates: 5, ..Bootstrap::default() };
/// let watch = Watch { stop: &Stop::default(), told: &|done| assert!(done <= 5) };
/// let drawn = bootstrap_timelines_with(&model, &timelines, None, &names, &roles, settings, watch).unwrap();
/// assert_eq!(drawn.estimates()[0].conversions.unwrap().high, 0.0); // direct visits earn nothing
/// ```
pub fn bootstrap_timelines_with(
    model: &ModelSpec,
    timelines: &Timelines,
    people: Option<&[u64]>,
    names: &[String],
    roles: &[Option<Role>],
    settings: Bootstrap,
    watch: Watch<'_>,
) -> Result<Resamples, BootstrapError> {
    settings.check(names.len())?;
    if let Some(got) = people.map(<[u64]>::len).filter(|got| *got != timelines.len()) {
        return Err(BootstrapError::People { got, timelines: timelines.len() });
    }
    let learned = learn(&settings_of(model, roles)?, timelines, names, watch.stop)?;
    let (draws, watched) = (People::new(settings.seed), Watched::new(watch));
    let rows: Vec<Vec<Credit>> = (0..settings.replicates)
        .into_par_iter()
        .map(|replicate| {
            watched.stop.check()?;
            let id = |index: usize| people.map_or(index as u64, |people| people[index]);
            let weights: Vec<f64> = (0..timelines.len()).map(|index| draws.times(id(index), replicate)).collect();
            let credits = resample(&learned, &weights, watched.stop)?;
            watched.tell();
            Ok(credits)
        })
        .collect::<Result<_>>()?;
    Ok(Resamples::new(settings, result(model, learned, watched.stop)?, rows.concat()))
}

/// The credits of one resample, and what is left.
fn resample(learned: &Learned<'_>, weights: &[f64], stop: &Stop) -> Result<Vec<Credit>> {
    let crowd = Crowd { weights: Some(weights), ..learned.crowd };
    let mut state = State::new(learned.params.clone());
    state.leap(crowd, &learned.slope, ROUNDS, stop)?;
    let (mut credits, rest) = credits(&crowd, &state.params, learned.end, stop)?;
    credits.push(rest);
    Ok(credits)
}
