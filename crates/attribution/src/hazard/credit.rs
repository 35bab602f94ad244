//! From causes to credit.
use super::{
    Role,
    expect::CHUNK,
    later::Later,
    params::Params,
    pass::Pass,
    scan::{Clock, days},
    sums::Seen,
};
use crate::{Credit, sum::Sum};
use rayon::prelude::*;
use safar_model::{Micros, Timelines};

/// Conversions and value by channel. Where the `end` of the data is given, what would have come until then anyway is taken
/// back.
pub(super) fn credits(timelines: &Timelines, clock: Clock, params: &Params, end: Option<Micros>) -> Vec<Credit> {
    let rates = params.state_rates();
    let chunks = timelines.len().div_ceil(CHUNK);
    let parts: Vec<Vec<[Sum; 2]>> = (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let people = chunk * CHUNK..((chunk + 1) * CHUNK).min(timelines.len());
            credits_of(timelines, people, clock, params, &rates, end)
        })
        .collect();
    let mut sums = vec![[Sum::default(); 2]; params.channels];
    for part in parts {
        for (sums, part) in sums.iter_mut().zip(part) {
            sums.iter_mut().zip(part).for_each(|(sum, part)| sum.merge(part));
        }
    }
    sums.into_iter().map(|[conversions, value]| Credit { conversions: conversions.get(), value: value.get() }).collect()
}

fn credits_of(
    timelines: &Timelines,
    people: std::ops::Range<usize>,
    clock: Clock,
    params: &Params,
    rates: &[f64],
    end: Option<Micros>,
) -> Vec<[Sum; 2]> {
    let channels = params.channels;
    let mut sums = vec![[Sum::default(); 2]; channels];
    let mut seen = Seen::new(channels, params.seasons);
    let mut pass = Pass::new(params, rates);
    let mut later = Later::new(channels);
    let mut shares = vec![0.0; channels];
    for line in people.map(|person| timelines.get(person)).filter(|line| !line.outcomes.is_empty()) {
        pass.scan.read(line, clock, params, &mut seen, true);
        pass.forwards();
        for (index, (&at, &value)) in line.outcomes.iter().zip(line.values).enumerate() {
            let left = index + 1 == line.outcomes.len() && at == line.until;
            let rest = end.filter(|_| left).map_or(0.0, |end| days(at, end));
            let cause = pass.cause(index);
            let outcome = &pass.scan.outcomes[index];
            later.reckon(params, rates, pass.states(), outcome, rest);
            shares.fill(0.0);
            for (by, added) in outcome.added.iter().enumerate().filter(|(_, added)| **added > 0.0) {
                for (channel, share) in shares.iter_mut().enumerate() {
                    let place = by * channels + channel;
                    *share += cause * (later.keep[by] * outcome.earned[place] + later.gain[place] * added);
                }
            }
            for ((share, role), sum) in shares.iter().zip(&params.roles).zip(&mut sums) {
                if *role != Role::Direct {
                    sum[0].add(*share);
                    sum[1].add(share * value);
                }
            }
        }
    }
    sums
}
