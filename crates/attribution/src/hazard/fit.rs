//! Rounds of learning.
use super::{
    HazardDiagnostics, HazardSettings, Role, begin,
    expect::Crowd,
    maximise::{maximise, trust},
    newton::{Round, Slope},
    params::Params,
    scan::{Clock, days},
};
use crate::{Error, Result, Stop, WEIGHT_MAX};
use safar_model::{DAY_US, Micros, Timelines};

/// Steps of time in the whole observation where none is set, if they are at least [`SHORTEST`] days, ...
const CUTS: f64 = 30.0;
const SHORTEST: f64 = 1.0;
/// ... and up to so many of that length. Over a year a thirtieth is twelve days, in which nobody's mind stands still; each
/// step costs time, so that of longer observations steps are longer.
const CUTS_MOST: f64 = 120.0;

/// A person has at most so many steps, so that they fit in memory.
const STEPS_MAX: f64 = 10_000.0;
/// Rounds rest when one adds less than this to the log-likelihood, for each conversion; Newton's steps go on from there.
const REST: f64 = 2e-4;
/// Steps grow by this as long as they help, up to the most.
const LONGER: f64 = 1.25;
const LONGEST: f64 = 12.0;
/// No parameter goes further in a round than this beyond where expectation and maximisation lead; logs for rates.
const REACH: f64 = 1.0;
/// Rounds after which the trust in touches is weighed again.
const WEIGH: [usize; 3] = [4, 9, 14];
/// Learning begins on a part of the people, about as large as this where there are more.
const PART: usize = 6_000;
/// Most of Newton's steps with one slope; of a part of the people fewer, since it is only a beginning.
const LEAPS: usize = 12;
const LEAPS_OF_PART: usize = 5;
/// Learning is over when no parameter has further to go than this, logs for rates, or when a step changes the log-likelihood
/// by less than that: a tenth of what chance does.
const NEAR: f64 = 1e-3;
const LEVEL: f64 = 0.05;
/// Newton's steps are given up where they lose more log-likelihood than this. They may lose a little: what is believed
/// beforehand is not in it.
const LOSS: f64 = 5.0;

/// What was learned, and of whom.
pub(super) struct Learned<'a> {
    pub(super) crowd: Crowd<'a>,
    pub(super) params: Params,
    pub(super) diagnostics: HazardDiagnostics,
    /// Where the parameters are.
    pub(super) slope: Slope,
    /// The end of the data, where what would have come later anyway is wanted.
    pub(super) end: Option<Micros>,
}

/// Learns from `timelines`.
pub(super) fn learn<'a>(
    settings: &HazardSettings,
    timelines: &'a Timelines,
    names: &[String],
    stop: &Stop,
) -> Result<Learned<'a>> {
    settings.check()?;
    let channels = timelines.channel_count();
    if channels > names.len() {
        return Err(Error::UnnamedChannel { channel: channels - 1, names: names.len() });
    }
    let (start, end) = timelines.span().unwrap_or_default();
    // A minute at least, so that an observation of no length is one step.
    let span = days(start, end).max(1.0 / 1_440.0);
    let step = settings.step.map_or_else(|| step_of(span), |step| step as f64 / DAY_US as f64);
    if span / step > STEPS_MAX {
        let got = settings.step.unwrap_or_default();
        let allowed = format!("at least a {STEPS_MAX}th of the whole observation of {span:.1} days");
        return Err(Error::BadSetting { setting: "step", got: format!("{got} µs"), allowed });
    }
    for (person, line) in timelines.iter().enumerate() {
        if let Some(&got) = line.values.iter().find(|value| value.abs() > WEIGHT_MAX) {
            return Err(Error::BadValue { person, got });
        }
    }
    let clock = Clock { step, start, season: span / settings.seasons as f64 };
    let set = |channel: usize| settings.roles.get(channel).copied().flatten();
    let roles = names.iter().enumerate().map(|(channel, name)| set(channel).unwrap_or_else(|| Role::of_name(name)));
    let params = begin::begin(settings, timelines, roles.collect(), span, clock, stop)?;
    let crowd = Crowd { timelines, clock, stride: 1, weights: None };
    let (params, slope, diagnostics) = fit(settings, crowd, params, stop)?;
    Ok(Learned { crowd, params, diagnostics, slope, end: settings.anyway.then_some(end) })
}

/// The step, in days, of an observation of `span` days where none is set.
fn step_of(span: f64) -> f64 {
    (span / CUTS).min((span / CUTS_MOST).max(SHORTEST))
}

/// Learns on a part of the people first, then on all.
fn fit(
    settings: &HazardSettings,
    crowd: Crowd<'_>,
    params: Params,
    stop: &Stop,
) -> Result<(Params, Slope, HazardDiagnostics)> {
    let stride = (crowd.timelines.len() / PART).max(1);
    let mut state = State::new(params);
    let part = Crowd { stride, ..crowd };
    state.climb(settings, part, stop)?;
    let mut slope = Slope::new(crowd, &state.params, stop)?;
    state.leap(part, &slope, if stride > 1 { LEAPS_OF_PART } else { LEAPS }, stop)?;
    if stride > 1 {
        state.rounds = 0;
        if settings.trust {
            let sums = crowd.expect(&state.params, true, stop)?;
            trust(&mut state.params, &sums);
        }
        state.leap(crowd, &slope, LEAPS, stop)?;
        if !state.converged {
            // The part led astray.
            state.climb(settings, crowd, stop)?;
            slope = Slope::new(crowd, &state.params, stop)?;
            state.leap(crowd, &slope, LEAPS, stop)?;
        }
    }
    let State { params, log, rounds, converged } = state;
    let learned = HazardDiagnostics {
        rounds,
        converged,
        log_likelihood: log,
        ..HazardDiagnostics::new(&params, crowd.clock.step, &settings.roles)
    };
    Ok((params, slope, learned))
}

/// How far learning is.
pub(super) struct State {
    pub(super) params: Params,
    /// Log-likelihood where that was last known.
    log: f64,
    /// Rounds on the last crowd.
    rounds: usize,
    converged: bool,
}

impl State {
    pub(super) fn new(params: Params) -> Self {
        Self { params, log: f64::NEG_INFINITY, rounds: 0, converged: false }
    }

    /// Expectation and maximisation (Dempster, Laird and Rubin 1977), with steps made longer while that helps (Salakhutdinov
    /// and Roweis 2003).
    fn climb(&mut self, settings: &HazardSettings, crowd: Crowd<'_>, stop: &Stop) -> Result<()> {
        let mut params = self.params.clone();
        let mut log = f64::NEG_INFINITY;
        let mut stride = 1.0;
        let mut safe = params.clone();
        let mut best = (f64::NEG_INFINITY, params.clone());
        for round in 0..settings.rounds {
            self.rounds = round + 1;
            let weigh = settings.trust && WEIGH.contains(&round);
            let sums = crowd.expect(&params, weigh, stop)?;
            if !sums.log.is_finite() || sums.log < log {
                // The step was too long: back to where plain maximisation led.
                params.clone_from(&safe);
                (stride, log) = (1.0, f64::NEG_INFINITY);
                continue;
            }
            let gain = sums.log - log;
            log = sums.log;
            if log > best.0 {
                best = (log, params.clone());
            }
            if gain < REST * sums.outcomes.max(1.0) * stride {
                break;
            }
            let before = params.list();
            maximise(&mut params, &sums);
            if weigh {
                trust(&mut params, &sums);
                // Other weights, other likelihoods: these cannot be compared.
                log = f64::NEG_INFINITY;
                best.0 = f64::NEG_INFINITY;
            }
            safe.clone_from(&params);
            let after = params.list();
            let far: Vec<f64> = before
                .iter()
                .zip(&after)
                .map(|(before, after)| {
                    let step = after - before;
                    let most = REACH.max(step.abs());
                    before + (stride * step).clamp(-most, most)
                })
                .collect();
            params.take(&far);
            stride = if round < 3 { 1.0 } else { (stride * LONGER).min(LONGEST) };
        }
        (self.log, self.params) = if best.0.is_finite() { best } else { (log, safe) };
        Ok(())
    }

    /// Newton's steps with that slope, taken back where they do not help.
    pub(super) fn leap(&mut self, crowd: Crowd<'_>, slope: &Slope, most: usize, stop: &Stop) -> Result<()> {
        let mut params = self.params.clone();
        let mut log = f64::NEG_INFINITY;
        (self.log, self.converged) = (log, false);
        for _ in 0..most {
            let round = Round::new(&crowd, &params, stop)?;
            let gain = round.sums.log - log;
            log = round.sums.log;
            if !log.is_finite() || log < self.log - LOSS {
                break;
            }
            if log > self.log {
                (self.log, self.params) = (log, params.clone());
            }
            self.rounds += 1;
            let here = params.clone();
            let far = slope.step(&round, &mut params, stop)?;
            self.converged = far < NEAR || gain.abs() < LEVEL;
            if !self.converged {
                continue;
            }
            // A point of rest, even where what is believed beforehand holds it a little below the most likely one; or one step
            // on, where the likelihood is level and there is still some way to go. What is kept was looked at.
            let ahead = if far < NEAR { f64::NEG_INFINITY } else { crowd.expect(&params, false, stop)?.log };
            if ahead >= self.log - LOSS {
                (self.log, self.params) = (ahead, params);
            } else if far < NEAR {
                (self.log, self.params) = (log, here);
            }
            break;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safar_model::{ChannelId, TimelineRef};

    /// People shown something on one of several days, of whom some buy soon after, and others who buy by chance.
    fn market(people: i64) -> Timelines {
        let mut lines = Timelines::default();
        for person in 0..people {
            let shown = (person % 9) * DAY_US;
            let outcome = match person % 15 {
                0 | 4 | 8 => Some(shown + 1 + (person * 7_919 % 100) * DAY_US / 60),
                1 | 7 => Some((person * 104_729 % 400) * DAY_US / 20),
                _ => None,
            };
            let until = outcome.unwrap_or(20 * DAY_US);
            let both = [(ChannelId(0), shown), (ChannelId((person % 3) as u32), shown + DAY_US / 3)];
            let (channels, times): (Vec<_>, Vec<_>) =
                both.into_iter().filter(|(_, at)| person % 4 != 3 && *at <= until).unzip();
            let (outcomes, values) = (&[until][..usize::from(outcome.is_some())], &[1.0]);
            let values = &values[..outcomes.len()];
            let line = TimelineRef { from: 0, until, channels: &channels, times: &times, outcomes, values };
            lines.push(line).unwrap();
        }
        lines
    }

    #[test]
    fn steps_are_a_day_where_that_is_affordable() {
        let steps = [6.0, 30.0, 60.0, 120.0, 365.0].map(step_of);
        assert_eq!(steps, [0.2, 1.0, 1.0, 1.0, 365.0 / 120.0]);
    }

    /// Whatever ended the learning, the likelihood told is that of the parameters kept.
    #[test]
    fn what_is_kept_was_looked_at() {
        let names = ["Display", "Search", "Mail"].map(String::from);
        let (mut by_level, stop) = (0, Stop::default());
        for (people, levels, moods) in [(300, 1, 1), (300, 3, 1), (300, 3, 2), (900, 3, 1), (900, 5, 2)] {
            for settings in [HazardSettings::plain(), HazardSettings::default()] {
                let settings = HazardSettings { levels, moods, rounds: 15, ..settings };
                let lines = market(people);
                let learned = learn(&settings, &lines, &names, &stop).unwrap();
                let told = learned.diagnostics.log_likelihood;
                assert_eq!(
                    learned.crowd.expect(&learned.params, false, &stop).unwrap().log,
                    told,
                    "{people} {levels} {moods}"
                );
                let round = Round::new(&learned.crowd, &learned.params, &stop).unwrap();
                let far = learned.slope.step(&round, &mut learned.params.clone(), &stop).unwrap();
                by_level += usize::from(learned.diagnostics.converged && far >= NEAR);
            }
        }
        assert!(by_level > 0, "no fit rested while a parameter still had far to go");
    }
}
