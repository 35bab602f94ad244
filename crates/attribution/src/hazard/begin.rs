//! Where learning begins: counts, and the belief that half of what follows touches is their doing.
use super::{
    HazardSettings, Role,
    exp::exp,
    params::Params,
    scan::{Clock, days},
    state::Grid,
};
use crate::{Result, Stop};
use safar_model::Timelines;

/// Stock fades first this many times within the whole observation.
const FADES: f64 = 12.0;

/// Touches and time before and after people's first landing.
struct Counts {
    touches: Vec<[f64; 2]>,
    days: [f64; 2],
}

fn count(timelines: &Timelines, roles: &[Role], stop: &Stop) -> Result<Counts> {
    let mut counts = Counts { touches: vec![[0.0; 2]; roles.len()], days: [0.0; 2] };
    for line in timelines.iter() {
        stop.check()?;
        let mut landed = None;
        for (channel, at) in line.channels.iter().zip(line.times) {
            let channel = channel.0 as usize;
            counts.touches[channel][usize::from(landed.is_some())] += 1.0;
            if landed.is_none() && roles[channel].lands() {
                landed = Some(*at);
            }
        }
        let first = landed.unwrap_or(line.until);
        counts.days[0] += days(line.from, first);
        counts.days[1] += days(first, line.until);
    }
    counts.days.iter_mut().for_each(|days| *days = days.max(1e-9));
    Ok(counts)
}

/// The first parameters. `span` is the whole observation, in days.
pub(super) fn begin(
    settings: &HazardSettings,
    timelines: &Timelines,
    roles: Vec<Role>,
    span: f64,
    clock: Clock,
    stop: &Stop,
) -> Result<Params> {
    let channels = roles.len();
    let counts = count(timelines, &roles, stop)?;
    let watched = counts.days[0] + counts.days[1];
    let all = |channel: usize| counts.touches[channel].iter().sum::<f64>();
    let follows = |channel: usize| settings.follow && roles[channel] == Role::Push;
    let mut kind: Vec<usize> = (0..channels).flat_map(|channel| [channel; 2]).collect();
    let mut rate: Vec<f64> = (0..channels)
        .map(|channel| match follows(channel) {
            true => counts.touches[channel][0] / counts.days[0],
            false => all(channel) / watched,
        })
        .collect();
    for channel in (0..channels).filter(|channel| follows(*channel)) {
        kind[channel * 2 + 1] = rate.len();
        rate.push(counts.touches[channel][1] / counts.days[1]);
    }
    let kinds = rate.len();
    let is_hidden = settings.levels > 1 || settings.moods > 1;
    let slope = |kind: usize| match roles.get(kind) {
        _ if !is_hidden => 0.0,
        Some(Role::Direct | Role::Pull) => 0.5,
        _ => 0.1,
    };
    let sources: Vec<Vec<usize>> = (0..channels)
        .map(|target| {
            let lifted = settings.upstream && roles[target].is_lifted();
            (0..channels).filter(|&source| lifted && source != target && roles[source].lifts()).collect()
        })
        .collect();
    let mut lift = vec![0.0; channels * channels];
    for (target, sources) in sources.iter().enumerate() {
        sources.iter().for_each(|source| lift[source * channels + target] = 0.2);
    }
    let outcomes = timelines.outcomes() as f64;
    let touches = (timelines.touchpoints() as f64).max(1.0);
    let fading = FADES / span;
    Ok(Params {
        channels,
        kinds,
        kind,
        seasons: settings.seasons,
        by_intent: (0..kinds).map(slope).collect(),
        trust: vec![1.0; kinds],
        rate,
        lift,
        lifted: (0..channels).filter(|target| !sources[*target].is_empty()).collect(),
        sources,
        base: 0.4 * outcomes / watched,
        base_by_intent: if is_hidden { 0.6 } else { 0.0 },
        effect: vec![0.5 * outcomes / touches * fading; channels],
        fading: vec![fading; channels],
        season: vec![1.0; (channels + 1) * settings.seasons],
        spread: if settings.levels > 1 { 0.5 } else { 1.0 },
        turn: 0.5 * (1.0 - exp(-clock.step * FADES / 2.0 / span)),
        grid: Grid::new(settings.levels, settings.moods),
        roles,
    })
}
