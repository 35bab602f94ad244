//! What the hidden states and causes of all people probably were.
use super::{params::Params, pass::Pass, scan::Clock, sums::Sums};
use rayon::prelude::*;
use safar_model::Timelines;

/// People in one unit of parallel work; fixed, so that sums do not depend on the number of threads.
pub(super) const CHUNK: usize = 512;

/// Goes over all people.
pub(super) fn expect(timelines: &Timelines, clock: Clock, params: &Params) -> Sums {
    let chunks = timelines.len().div_ceil(CHUNK);
    let rates = params.state_rates();
    let parts: Vec<Sums> = (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let mut sums = Sums::new(params);
            let mut pass = Pass::new(params, &rates);
            for person in chunk * CHUNK..((chunk + 1) * CHUNK).min(timelines.len()) {
                pass.scan.read(timelines.get(person), clock, params, &mut sums.seen, false);
                sums.log += pass.forwards();
                pass.backwards(&mut sums);
            }
            sums
        })
        .collect();
    let mut sums = Sums::new(params);
    parts.iter().for_each(|part| sums.merge(part));
    sums
}
