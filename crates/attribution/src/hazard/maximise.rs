//! Better parameters from what probably was.
use super::{exp::exp, params::Params, sums::Sums};

/// The mean age of causes of all channels counts like so many conversions of each.
const AGE_WEIGHT: f64 = 10.0;
/// Slopes are held back as if intent had been seen to be 0 so often.
const RIDGE: f64 = 1.0;

/// Replaces the parameters by those that make the expectation most likely.
pub(super) fn maximise(params: &mut Params, sums: &Sums, upstream: bool) {
    let (channels, kinds, seasons) = (params.channels, params.kinds, params.seasons);
    let states = params.grid.len();
    let intents = params.grid.intents(params.spread);
    // By how much all rates of a channel change.
    let mut ratio = vec![1.0; kinds + 1];
    for channel in 0..=kinds {
        let row = channel * states..(channel + 1) * states;
        let (rate, slope) = if channel == kinds {
            (&mut params.base, &mut params.base_by_intent)
        } else {
            (&mut params.rate[channel], &mut params.by_intent[channel])
        };
        let old: f64 = sums.exposure[row.clone()]
            .iter()
            .zip(&intents)
            .map(|(exposure, z)| exposure * *rate * exp(*slope * z))
            .sum();
        ratio[channel] = sums.touches[row.clone()].iter().sum::<f64>() / old.max(1e-300);
        fit(rate, slope, &sums.touches[row.clone()], &sums.exposure[row], &intents);
    }
    if params.grid.moods.len() > 1 {
        spread(params, sums, &intents);
        turn(params, sums);
    }
    let mean = |sum: &[f64]| sum.iter().sum::<f64>();
    let all_ages = mean(&sums.cause_age) + mean(&sums.seen.age);
    let all_causes = mean(&sums.caused) + mean(&sums.seen.lifted);
    for channel in 0..channels {
        let stock = sums.seen.stock[channel];
        if stock <= 0.0 {
            continue;
        }
        let effect = sums.caused[channel] / stock;
        let lifted: f64 = sums.seen.lifted[channel * channels..(channel + 1) * channels].iter().sum();
        let seen = sums.cause_age[channel] + sums.seen.age[channel];
        let expected = effect * sums.seen.aged[channel] + sums.lift_age[channel];
        if all_causes > 0.0 && all_ages > 0.0 {
            // Towards the age at which channels do something as a whole.
            let (age, causes) = (all_ages / all_causes, sums.caused[channel] + lifted);
            let expected = expected + AGE_WEIGHT / params.fading[channel];
            let _ = causes;
            let step = (expected / (seen + AGE_WEIGHT * age)).clamp(0.5, 2.0);
            params.fading[channel] *= step;
        }
        params.effect[channel] = effect;
    }
    for channel in 0..channels {
        for source in 0..channels {
            let place = source * channels + channel;
            if upstream && params.may_lift(source, channel) && sums.lift[place] > 0.0 {
                params.lift[place] = sums.seen.lifted[place] / (ratio[channel] * sums.lift[place]);
            }
        }
    }
    if seasons > 1 {
        for channel in 0..=channels {
            let row = channel * seasons..(channel + 1) * seasons;
            let (seen, expected) = (&sums.seen.season[row.clone()], &sums.season[row.clone()]);
            let level = mean(seen) / mean(expected).max(1e-300);
            let mut factors: Vec<f64> =
                seen.iter().zip(expected).map(|(seen, expected)| (seen + 5.0 * level) / (expected + 5.0)).collect();
            // The mean is the rate's matter.
            let weighted: f64 = factors.iter().zip(expected).map(|(factor, expected)| factor * expected).sum();
            let scale = mean(expected) / weighted.max(1e-300);
            factors.iter_mut().for_each(|factor| *factor *= scale);
            params.season[row].copy_from_slice(&factors);
        }
    }
}

/// Poisson regression of touches on intent, by Newton's steps on the slope.
fn fit(rate: &mut f64, slope: &mut f64, touches: &[f64], exposure: &[f64], intents: &[f64]) {
    let count: f64 = touches.iter().sum();
    if count <= 0.0 {
        *rate = 0.0;
        return;
    }
    let pull: f64 = touches.iter().zip(intents).map(|(touches, intent)| touches * intent).sum();
    for _ in 0..5 {
        let mut moments = [0.0; 3];
        for (exposure, intent) in exposure.iter().zip(intents) {
            let weight = exposure * exp(*slope * intent);
            moments[0] += weight;
            moments[1] += weight * intent;
            moments[2] += weight * intent * intent;
        }
        let mean = moments[1] / moments[0];
        let variance = (moments[2] / moments[0] - mean * mean).max(0.0);
        let step = (pull - count * mean - RIDGE * *slope) / (count * variance + RIDGE);
        *slope = (*slope + step.clamp(-0.5, 0.5)).clamp(-5.0, 5.0);
    }
    let sum: f64 = exposure.iter().zip(intents).map(|(exposure, intent)| exposure * exp(*slope * intent)).sum();
    *rate = count / sum;
}

/// How far moods lie apart: one Newton step.
fn spread(params: &mut Params, sums: &Sums, intents: &[f64]) {
    let states = params.grid.len();
    let moods = params.grid.moods.len();
    let (mut slope, mut curve) = (0.0, 0.0);
    for channel in 0..=params.kinds {
        let trust = params.trust.get(channel).copied().unwrap_or(1.0);
        let (rate, by_intent) = if channel == params.kinds {
            (params.base, params.base_by_intent)
        } else {
            (params.rate[channel], params.by_intent[channel])
        };
        for state in 0..states {
            let mood = params.grid.moods[state % moods];
            let place = channel * states + state;
            let expected = sums.exposure[place] * rate * exp(by_intent * intents[state]);
            slope += trust * by_intent * mood * (sums.touches[place] - expected);
            curve += trust * by_intent * by_intent * mood * mood * expected;
        }
    }
    // A weak belief that moods matter half as much as what lasts.
    let step = (slope - 4.0 * (params.spread - 0.5)) / (curve + 4.0);
    params.spread = (params.spread + step.clamp(-0.2, 0.2)).clamp(0.0, 3.0);
}

/// How often moods change: one Newton step on the log.
fn turn(params: &mut Params, sums: &Sums) {
    let log = |turn: f64| -> f64 {
        let table = params.grid.change(turn.min(0.499));
        sums.change.iter().zip(&table).map(|(count, chance)| count * chance.max(1e-300).ln()).sum()
    };
    const STEP: f64 = 0.01;
    let [low, middle, high] = [-STEP, 0.0, STEP].map(|step| log(params.turn * exp(step)));
    let (slope, curve) = ((high - low) / (2.0 * STEP), (high + low - 2.0 * middle) / (STEP * STEP));
    let step = if curve < 0.0 { -slope / curve } else { slope.signum() * 0.1 };
    params.turn = (params.turn * exp(step.clamp(-0.3, 0.3))).clamp(1e-4, 0.45);
}

/// How much a touch of each kind tells, from how evenly they come.
pub(super) fn trust(params: &mut Params, sums: &Sums) {
    for (trust, [odd, expected]) in params.trust.iter_mut().zip(&sums.odd) {
        *trust = ((expected + 10.0) / (odd + 10.0)).clamp(0.1, 4.0);
    }
}
