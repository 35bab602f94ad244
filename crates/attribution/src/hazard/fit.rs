//! Rounds of learning.
use super::{
    HazardDiagnostics, HazardSettings,
    expect::expect,
    maximise::{maximise, trust},
    params::Params,
    scan::Clock,
};
use safar_model::Timelines;

/// Learning rests when a round adds less than this to the log-likelihood, for each conversion.
const REST: f64 = 2e-5;
/// Steps grow by this as long as they help, up to the most.
const LONGER: f64 = 1.25;
const LONGEST: f64 = 12.0;
/// No parameter goes further in a round than this beyond where expectation and maximisation lead; logs for rates.
const REACH: f64 = 1.0;
/// Rounds after which the trust in touches is weighed again.
const WEIGH: [usize; 3] = [4, 9, 14];

/// Learns by expectation and maximisation (Dempster, Laird and Rubin 1977), with steps made longer while that helps
/// (Salakhutdinov and Roweis 2003).
pub(super) fn fit(
    settings: &HazardSettings,
    timelines: &Timelines,
    clock: Clock,
    mut params: Params,
) -> (Params, HazardDiagnostics) {
    let enough = REST * (timelines.outcomes() as f64).max(1.0);
    let mut log = f64::NEG_INFINITY;
    let mut stride = 1.0;
    let mut safe = params.clone();
    let mut best = (f64::NEG_INFINITY, params.clone());
    let (mut rounds, mut converged) = (0, false);
    for round in 0..settings.rounds {
        rounds = round + 1;
        let sums = expect(timelines, clock, &params);
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
        if gain < enough * stride {
            converged = true;
            break;
        }
        let before = params.list();
        maximise(&mut params, &sums);
        if settings.trust && WEIGH.contains(&round) {
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
    let (log_likelihood, params) = if best.0.is_finite() { best } else { (log, safe) };
    let learned =
        HazardDiagnostics { rounds, converged, log_likelihood, ..HazardDiagnostics::new(&params, clock.step) };
    (params, learned)
}
