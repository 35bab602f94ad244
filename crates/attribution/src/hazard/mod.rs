//! Additive hazard with a hidden intent.
mod credit;
mod exp;
mod expect;
mod maximise;
mod params;
mod scan;
mod settings;
mod state;

pub use settings::{HazardSettings, Role};

use crate::Credit;
use crate::sum::sum;
use params::Params;
use safar_model::{DAY_US, Timelines};
use scan::{Clock, days};

/// Credits of every channel, and what nobody caused.
#[derive(Clone, Debug)]
pub struct HazardAttribution {
    /// By channel.
    pub credits: Vec<Credit>,
    /// Conversions without a cause.
    pub baseline: Credit,
    /// What was learned.
    pub learned: String,
}

/// Fits and credits.
#[must_use]
pub fn attribute_hazard(settings: &HazardSettings, timelines: &Timelines, names: &[String]) -> HazardAttribution {
    let channels = names.len();
    let (start, end) = timelines.span().unwrap_or((0, 1));
    let span = days(start, end);
    let clock = Clock {
        step: settings.step.map_or(span / 30.0, |step| step as f64 / DAY_US as f64),
        start,
        season: span / settings.seasons as f64,
    };
    let roles: Vec<Role> = (0..channels)
        .map(|c| settings.roles.get(c).copied().flatten().unwrap_or_else(|| Role::of_name(&names[c])))
        .collect();
    let mut params = begin(settings, timelines, roles, span, clock);
    let mut log = f64::NEG_INFINITY;
    let mut learned = String::new();
    // Steps of expectation and maximisation, made longer while that helps (Salakhutdinov and Roweis 2003).
    let mut stride = 1.0;
    let mut safe = params.clone();
    for round in 0..settings.rounds {
        let sums = expect::expect(timelines, clock, &params);
        if round % 10 == 0 || round + 1 == settings.rounds {
            learned += &format!("{round}: {:.2} ({:+.3}) x{stride:.1}; ", sums.log, sums.log - log);
        }
        if sums.log < log || !sums.log.is_finite() {
            params = safe.clone();
            stride = 1.0;
            log = f64::NEG_INFINITY;
            continue;
        }
        log = sums.log;
        let before = params.list();
        maximise::maximise(&mut params, &sums, settings.upstream);
        if settings.trust && matches!(round, 4 | 9 | 14) {
            maximise::trust(&mut params, &sums);
            log = f64::NEG_INFINITY;
        }
        safe = params.clone();
        let after = params.list();
        let far: Vec<f64> =
            before.iter().zip(&after).map(|(b, a)| b + (stride * (a - b)).clamp(-1.0_f64.max((a - b).abs()), 1.0_f64.max((a - b).abs()))).collect();
        params.take(&far);
        stride = if round < 3 { 1.0 } else { (stride * 1.25_f64).min(12.0) };
    }
    learned += &format!("{params:.3?}");
    let sums = credit::credits(timelines, clock, &params, end, settings.anyway);
    let credits: Vec<Credit> =
        sums.into_iter().map(|(c, v)| Credit { conversions: c.get(), value: v.get() }).collect();
    let value = sum(timelines.iter().flat_map(|line| line.values.iter().copied()));
    let baseline = Credit {
        conversions: timelines.outcomes() as f64 - sum(credits.iter().map(|c| c.conversions)),
        value: value - sum(credits.iter().map(|c| c.value)),
    };
    HazardAttribution { credits, baseline, learned }
}

/// Where to begin.
fn begin(settings: &HazardSettings, timelines: &Timelines, roles: Vec<Role>, span: f64, clock: Clock) -> Params {
    let channels = roles.len();
    let watched: f64 = timelines.iter().map(|line| days(line.from, line.until)).sum::<f64>().max(1e-9);
    let mut counts = vec![0.0; channels];
    for line in timelines.iter() {
        line.channels.iter().for_each(|channel| counts[channel.0 as usize] += 1.0);
    }
    let all: f64 = counts.iter().sum::<f64>().max(1.0);
    let outcomes = timelines.outcomes() as f64;
    let fading = 12.0 / span;
    // Rates before and after the first landing.
    let mut counted = vec![[0.0_f64; 2]; channels];
    let mut time = [0.0_f64; 2];
    for line in timelines.iter() {
        let mut landed = None;
        for (channel, at) in line.channels.iter().zip(line.times) {
            counted[channel.0 as usize][usize::from(landed.is_some())] += 1.0;
            if landed.is_none() && roles[channel.0 as usize].lands() {
                landed = Some(*at);
            }
        }
        let first = landed.unwrap_or(line.until);
        time[0] += days(line.from, first);
        time[1] += days(first, line.until);
    }
    let follows = |c: usize| settings.follow && roles[c] == Role::Push;
    let mut kind = vec![0; channels * 2];
    let mut rate: Vec<f64> = (0..channels)
        .map(|c| if follows(c) { counted[c][0].max(1.0) / time[0].max(1e-9) } else { counts[c] / watched })
        .collect();
    for c in 0..channels {
        kind[c * 2] = c;
        kind[c * 2 + 1] = c;
        if follows(c) {
            kind[c * 2 + 1] = rate.len();
            rate.push(counted[c][1].max(1.0) / time[1].max(1e-9));
        }
    }
    let kinds = rate.len();
    let slope = settings.levels > 1 || settings.moods > 1;
    let slope = settings.levels > 1;
    let by_intent = roles.iter().map(|role| match role {
        _ if !slope => 0.0,
        Role::Direct | Role::Pull => 0.5,
        Role::Reach | Role::Push => 0.1,
    });
    Params {
        channels,
        seasons: settings.seasons,
        rate,
        kinds,
        kind,
        trust: vec![1.0; kinds],
        by_intent: by_intent.chain(std::iter::repeat(0.1)).take(kinds).map(|x| if slope { x } else { 0.0 }).collect(),
        lift: {
            let mut lift = vec![0.0; channels * channels];
            for s in 0..channels {
                for t in 0..channels {
                    if settings.upstream && s != t && roles[s].lifts() && roles[t].is_lifted() {
                        lift[s * channels + t] = 0.2;
                    }
                }
            }
            lift
        },
        base: 0.4 * outcomes / watched,
        base_by_intent: if slope { 0.6 } else { 0.0 },
        effect: vec![0.5 * outcomes / all * fading; channels],
        fading: vec![fading; channels],
        season: vec![1.0; (channels + 1) * settings.seasons],
        spread: 0.5,
        turn: 0.5 * (1.0 - exp::exp(-clock.step * 6.0 / span)),
        grid: state::Grid::new(settings.levels, settings.moods),
        sources: (0..channels)
            .map(|t| (0..channels).filter(|&s| settings.upstream && s != t && roles[s].lifts() && roles[t].is_lifted()).collect())
            .collect(),
        roles,
    }
}
