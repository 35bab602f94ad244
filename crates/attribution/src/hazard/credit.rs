//! From causes to credit.
use super::{
    Role,
    exp::exp,
    expect::{CHUNK, Pass},
    params::Params,
    scan::{Clock, Seen, days},
};
use crate::sum::Sum;
use rayon::prelude::*;
use safar_model::{Micros, Timelines};

/// Nodes and weights of Gauss and Legendre on 0 to 1.
const NODES: [(f64, f64); 4] = [
    (0.069_431_844_202_973_7, 0.173_927_422_568_726_9),
    (0.330_009_478_207_571_9, 0.326_072_577_431_273_1),
    (0.669_990_521_792_428_1, 0.326_072_577_431_273_1),
    (0.930_568_155_797_026_3, 0.173_927_422_568_726_9),
];

/// Conversions and value by channel, before what nobody caused.
pub(super) fn credits(
    timelines: &Timelines,
    clock: Clock,
    params: &Params,
    end: Micros,
    anyway: bool,
) -> Vec<(Sum, Sum)> {
    let channels = params.channels;
    let chunks = timelines.len().div_ceil(CHUNK);
    let rates = params.state_rates();
    let parts: Vec<Vec<(Sum, Sum)>> = (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let mut sums = vec![(Sum::default(), Sum::default()); channels];
            let mut seen = Seen::new(channels, params.seasons);
            let mut pass = Pass::new(params, &rates);
            for person in chunk * CHUNK..((chunk + 1) * CHUNK).min(timelines.len()) {
                let line = timelines.get(person);
                if line.outcomes.is_empty() {
                    continue;
                }
                pass.scan.read(line, clock, params, &mut seen, true);
                pass.forwards();
                for (outcome, (&at, &value)) in line.outcomes.iter().zip(line.values).enumerate() {
                    let ended = anyway && outcome + 1 == line.outcomes.len() && at == line.until;
                    let rest = if ended { days(at, end) } else { 0.0 };
                    let shares = share(&mut pass, params, &rates, outcome, rest);
                    for (sum, share) in sums.iter_mut().zip(shares) {
                        sum.0.add(share);
                        sum.1.add(share * value);
                    }
                }
            }
            sums
        })
        .collect();
    let mut sums = vec![(Sum::default(), Sum::default()); channels];
    for part in parts {
        for (sum, part) in sums.iter_mut().zip(part) {
            sum.0.merge(part.0);
            sum.1.merge(part.1);
        }
    }
    sums
}

/// What each channel earns of one conversion.
fn share(pass: &mut Pass<'_>, params: &Params, rates: &[f64], outcome: usize, rest: f64) -> Vec<f64> {
    let channels = params.channels;
    let states = params.grid.len();
    let added: Vec<f64> = pass.scan.added[outcome * channels..(outcome + 1) * channels].to_vec();
    let total: f64 = added.iter().sum();
    let mut shares = vec![0.0; channels];
    if total <= 0.0 {
        return shares;
    }
    let earned: Vec<f64> =
        pass.scan.earned[outcome * channels * channels..(outcome + 1) * channels * channels].to_vec();
    let left: Vec<f64> = pass.scan.left[outcome * channels..(outcome + 1) * channels].to_vec();
    let bin = pass.scan.outcomes[outcome].bin;
    let season = params.season[channels * params.seasons + pass.scan.bins[bin].season];
    let landed = pass.scan.landed[outcome];
    let now = pass.states_at(outcome).to_vec();
    let base = &rates[params.kinds * states..];
    let own: f64 = now.iter().zip(base).map(|(now, base)| now * base * season).sum();
    let cause = total / (own + total);
    // What goes on after the conversion, had it not come.
    let mut keep = vec![1.0; channels];
    let mut gain = vec![0.0; channels * channels];
    if rest > 0.0 {
        keep.fill(0.0);
        for state in 0..states {
            later(params, rates, state, now[state], rest, &left, landed, &mut keep, &mut gain);
        }
    }
    for cause_of in 0..channels {
        let part = cause * added[cause_of] / total;
        if part == 0.0 {
            continue;
        }
        for channel in 0..channels {
            let origin = earned[cause_of * channels + channel] / added[cause_of];
            shares[channel] += part * (keep[cause_of] * origin + gain[cause_of * channels + channel]);
        }
    }
    for (share, role) in shares.iter_mut().zip(&params.roles) {
        if *role == Role::Direct {
            *share = 0.0;
        }
    }
    shares
}

/// Adds, for one state, the part of the credit that the cause keeps and what others gain: a conversion that would have come
/// later anyway was not caused. Shapley values by Owen's integral (1972).
#[expect(clippy::too_many_arguments, reason = "a prototype")]
fn later(
    params: &Params,
    rates: &[f64],
    state: usize,
    weight: f64,
    rest: f64,
    left: &[f64],
    landed: bool,
    keep: &mut [f64],
    gain: &mut [f64],
) {
    let channels = params.channels;
    let states = params.grid.len();
    let base = exp(-rates[params.kinds * states + state] * rest);
    let mut later = vec![0.0; channels];
    for channel in 0..channels {
        let fading = params.fading[channel];
        let part = (1.0 - exp(-fading * rest)) / fading;
        let rate = rates[params.kind[channel * 2 + usize::from(landed)] * states + state];
        let mut lift = 1.0;
        for source in 0..channels {
            let kind = params.kind[source * 2 + usize::from(landed)];
            let stock = rates[kind * states + state] / params.fading[source];
            lift += params.lift[source * channels + channel] * stock;
        }
        let hazard = params.effect[channel] * (left[channel] * part + rate * lift * (rest - part) / fading);
        later[channel] = 1.0 - exp(-hazard);
    }
    for (s, w) in NODES {
        let all: f64 = later.iter().map(|p| 1.0 - s * p).product::<f64>() * base * w * weight;
        for cause in 0..channels {
            let others = all / (1.0 - s * later[cause]);
            keep[cause] += others;
            for channel in (0..channels).filter(|channel| *channel != cause) {
                gain[cause * channels + channel] += (1.0 - s) * later[channel] * others / (1.0 - s * later[channel]);
            }
        }
    }
}
