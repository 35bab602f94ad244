//! From causes to credit.
use super::{
    Role,
    expect::{CHUNK, Crowd},
    later::Later,
    params::Params,
    pass::Pass,
    scan::days,
    sums::Seen,
};
use crate::{
    Credit, Result, Stop,
    sum::{Sum, sum},
};
use rayon::prelude::*;
use safar_model::Micros;

/// Conversions and value by channel, and what is left, of the outcomes that are [counted](safar_model::Timelines::count_only) and with the
/// money that belongs to none. Where the `end` of the data is given, what would have come until
/// then anyway is taken back.
pub(super) fn credits(
    crowd: &Crowd<'_>,
    params: &Params,
    end: Option<Micros>,
    stop: &Stop,
) -> Result<(Vec<Credit>, Credit)> {
    let rates = params.state_rates();
    let chunks = crowd.len().div_ceil(CHUNK);
    let parts: Vec<Vec<[Sum; 2]>> = (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let people = chunk * CHUNK..((chunk + 1) * CHUNK).min(crowd.len());
            credits_of(crowd, people, params, &rates, end, stop)
        })
        .collect::<Result<_>>()?;
    // The last one is of all that is to be shared out.
    let mut sums = vec![[Sum::default(); 2]; params.channels + 1];
    for part in parts {
        for (sums, part) in sums.iter_mut().zip(part) {
            sums.iter_mut().zip(part).for_each(|(sum, part)| sum.merge(part));
        }
    }
    let credit = |[conversions, value]: [Sum; 2]| Credit { conversions: conversions.get(), value: value.get() };
    let mut credits: Vec<Credit> = sums.into_iter().map(credit).collect();
    let all = credits.pop().unwrap_or_default();
    let baseline = Credit {
        conversions: all.conversions - sum(credits.iter().map(|credit| credit.conversions)),
        value: all.value - sum(credits.iter().map(|credit| credit.value)),
    };
    Ok((credits, baseline))
}

fn credits_of(
    crowd: &Crowd<'_>,
    people: std::ops::Range<usize>,
    params: &Params,
    rates: &[f64],
    end: Option<Micros>,
    stop: &Stop,
) -> Result<Vec<[Sum; 2]>> {
    let channels = params.channels;
    let mut sums = vec![[Sum::default(); 2]; channels + 1];
    let mut seen = Seen::new(channels, params.seasons);
    let mut pass = Pass::new(params, rates, false);
    let mut later = Later::new(params, rates, crowd.clock.step);
    let mut shares = vec![0.0; channels];
    for person in people {
        stop.check()?;
        let (line, weight) = crowd.get(person);
        let place = person * crowd.stride;
        sums[channels][1].add(weight * crowd.timelines.loose(place));
        let first = crowd.timelines.outcome_range(place).start;
        if line.outcomes.is_empty() || weight == 0.0 {
            continue;
        }
        pass.scan.read((line, weight), crowd.clock, params, &mut seen, true);
        pass.forwards();
        for (index, (&at, &value)) in line.outcomes.iter().zip(line.values).enumerate() {
            if !crowd.timelines.is_counted(first + index) {
                continue;
            }
            sums[channels][0].add(weight);
            sums[channels][1].add(weight * value);
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
                    sum[0].add(weight * share);
                    sum[1].add(weight * share * value);
                }
            }
        }
    }
    Ok(sums)
}
