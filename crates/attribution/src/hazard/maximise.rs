//! Better parameters from what probably was.
use super::{exp::exp, params::Params, sums::Sums};
use libm::log;

/// The mean age at which channels do something as a whole counts like so many touches and conversions of each channel.
const AGE_WEIGHT: f64 = 10.0;
/// Slopes are held back as if intent had been seen to do nothing so often.
const RIDGE: f64 = 1.0;
/// Moods are believed to be half as large as lasting intent, this firmly.
const MOOD: (f64, f64) = (0.5, 4.0);
/// Seasons are held back as if they had been seen to be alike in so many touches.
const SEASON_WEIGHT: f64 = 5.0;

/// Replaces the parameters by those that make what probably was most likely.
pub(super) fn maximise(params: &mut Params, sums: &Sums) {
    let ratio = regress(params, sums);
    if params.grid.moods.len() > 1 {
        spread(params, sums);
        turn(params, sums);
    }
    effects(params, sums);
    let channels = params.channels;
    for (target, ratio) in ratio.iter().enumerate().take(channels) {
        for &source in &params.sources[target] {
            let place = source * channels + target;
            // The target's rates have just changed by its ratio.
            let expected = ratio * sums.lift[place];
            if expected > 0.0 {
                params.lift[place] = sums.seen.lifted[place] / expected;
            }
        }
    }
    seasons(params, sums);
}

/// How much a touch of each kind tells, from how evenly they come: 1 ÷ dispersion, as in a quasi-Poisson likelihood (McCullagh
/// and Nelder 1989, 9.2). Advertising with a limit per day comes more evenly than by chance, pages of a visit less.
pub(super) fn trust(params: &mut Params, sums: &Sums) {
    for (trust, [odd, expected]) in params.trust.iter_mut().zip(&sums.odd) {
        *trust = ((expected + 10.0) / (odd + 10.0)).clamp(0.1, 4.0);
    }
}

/// Poisson regression of every kind of touch, and of conversions without a cause, on intent. By how much rates changed.
fn regress(params: &mut Params, sums: &Sums) -> Vec<f64> {
    let states = params.grid.len();
    let intents = params.grid.intents(params.spread);
    let mut ratio = vec![1.0; params.kinds + 1];
    for (kind, ratio) in ratio.iter_mut().enumerate() {
        let row = kind * states..(kind + 1) * states;
        let (touches, exposure) = (&sums.touches[row.clone()], &sums.exposure[row]);
        let (rate, slope) = match kind == params.kinds {
            true => (&mut params.base, &mut params.base_by_intent),
            false => (&mut params.rate[kind], &mut params.by_intent[kind]),
        };
        let mean =
            |slope: f64| exposure.iter().zip(&intents).map(|(exposure, z)| exposure * exp(slope * z)).sum::<f64>();
        let count: f64 = touches.iter().sum();
        let before = *rate * mean(*slope);
        if count <= 0.0 || before <= 0.0 {
            *rate = 0.0;
            continue;
        }
        *ratio = count / before;
        if states > 1 {
            *slope = best_slope(*slope, count, touches, exposure, &intents);
        }
        *rate = count / mean(*slope);
    }
    ratio
}

/// Newton's steps on the slope, the rate being whatever fits the count.
fn best_slope(mut slope: f64, count: f64, touches: &[f64], exposure: &[f64], intents: &[f64]) -> f64 {
    let pull: f64 = touches.iter().zip(intents).map(|(touches, intent)| touches * intent).sum();
    for _ in 0..5 {
        let mut moments = [0.0; 3];
        for (exposure, intent) in exposure.iter().zip(intents) {
            let weight = exposure * exp(slope * intent);
            moments[0] += weight;
            moments[1] += weight * intent;
            moments[2] += weight * intent * intent;
        }
        let mean = moments[1] / moments[0];
        let variance = (moments[2] / moments[0] - mean * mean).max(0.0);
        let step = (pull - count * mean - RIDGE * slope) / (count * variance + RIDGE);
        slope = (slope + step.clamp(-0.5, 0.5)).clamp(-5.0, 5.0);
    }
    slope
}

/// How far moods lie apart: one Newton step.
fn spread(params: &mut Params, sums: &Sums) {
    let (states, moods) = (params.grid.len(), params.grid.moods.len());
    let intents = params.grid.intents(params.spread);
    let (mut slope, mut curve) = (-MOOD.1 * (params.spread - MOOD.0), MOOD.1);
    for kind in 0..=params.kinds {
        let (rate, by_intent, trust) = match kind == params.kinds {
            true => (params.base, params.base_by_intent, 1.0),
            false => (params.rate[kind], params.by_intent[kind], params.trust[kind]),
        };
        for (state, intent) in intents.iter().enumerate() {
            let pull = by_intent * params.grid.moods[state % moods];
            let place = kind * states + state;
            let expected = sums.exposure[place] * rate * exp(by_intent * intent);
            slope += trust * pull * (sums.touches[place] - expected);
            curve += trust * pull * pull * expected;
        }
    }
    params.spread = (params.spread + (slope / curve).clamp(-0.2, 0.2)).clamp(0.0, 3.0);
}

/// How often moods change: one Newton step on the log.
fn turn(params: &mut Params, sums: &Sums) {
    const STEP: f64 = 0.01;
    let likely = |step: f64| -> f64 {
        let table = params.grid.change((params.turn * exp(step)).min(0.499));
        sums.change.iter().zip(&table).map(|(count, chance)| count * log(chance.max(1e-300))).sum()
    };
    let [low, middle, high] = [-STEP, 0.0, STEP].map(likely);
    let (slope, curve) = ((high - low) / (2.0 * STEP), (high + low - 2.0 * middle) / (STEP * STEP));
    let step = if curve < 0.0 { -slope / curve } else { slope.signum() * 0.1 };
    params.turn = (params.turn * exp(step.clamp(-0.3, 0.3))).clamp(1e-4, 0.45);
}

/// What touches add to the rate of conversion, and how fast it fades.
fn effects(params: &mut Params, sums: &Sums) {
    let channels = params.channels;
    let ages: f64 = sums.cause_age.iter().chain(&sums.seen.age).sum();
    let causes: f64 = sums.caused.iter().chain(&sums.seen.lifted).sum();
    for channel in (0..channels).filter(|channel| sums.seen.stock[*channel] > 0.0) {
        let effect = sums.caused[channel] / sums.seen.stock[channel];
        if ages > 0.0 {
            // Faster where causes are younger than they should be. Where nothing is censored this is one step of
            // maximisation; everything at rest, seen and expected ages are equal.
            let seen = sums.cause_age[channel] + sums.seen.age[channel] + AGE_WEIGHT * ages / causes;
            let expected =
                effect * sums.seen.aged[channel] + sums.lift_age[channel] + AGE_WEIGHT / params.fading[channel];
            params.fading[channel] *= (expected / seen).clamp(0.5, 2.0);
        }
        params.effect[channel] = effect;
    }
}

/// How busy each season is against the whole.
fn seasons(params: &mut Params, sums: &Sums) {
    if params.seasons == 1 {
        return;
    }
    for channel in 0..=params.channels {
        let row = channel * params.seasons..(channel + 1) * params.seasons;
        let (seen, expected) = (&sums.seen.season[row.clone()], &sums.season[row.clone()]);
        let all: f64 = expected.iter().sum();
        let level = seen.iter().sum::<f64>() / all;
        if !level.is_finite() || level <= 0.0 {
            continue;
        }
        let factor = |(seen, expected): (&f64, &f64)| (seen + SEASON_WEIGHT * level) / (expected + SEASON_WEIGHT);
        let factors: Vec<f64> = seen.iter().zip(expected).map(factor).collect();
        // The mean is the matter of the rate.
        let mean = factors.iter().zip(expected).map(|(factor, expected)| factor * expected).sum::<f64>() / all;
        params.season[row].iter_mut().zip(factors).for_each(|(season, factor)| *season = factor / mean);
    }
}
