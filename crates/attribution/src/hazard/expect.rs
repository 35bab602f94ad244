//! What the hidden states and causes of people probably were.
use super::{params::Params, pass::Pass, scan::Clock, sums::Sums};
use crate::{Result, Stop};
use rayon::prelude::*;
use safar_model::{TimelineRef, Timelines};

/// People in one unit of parallel work; fixed, so that sums do not depend on the number of threads.
pub(super) const CHUNK: usize = 512;

/// The people to learn from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd<'a> {
    pub(super) timelines: &'a Timelines,
    pub(super) clock: Clock,
    /// Of so many people one is looked at.
    pub(super) stride: usize,
    /// By person: how often one counts; once each where there are none.
    pub(super) weights: Option<&'a [f64]>,
}

impl Crowd<'_> {
    /// People looked at.
    pub(super) fn len(&self) -> usize {
        self.timelines.len().div_ceil(self.stride)
    }

    /// One of them, and how often that one counts.
    pub(super) fn get(&self, index: usize) -> (TimelineRef<'_>, f64) {
        let person = index * self.stride;
        (self.timelines.get(person), self.weights.map_or(1.0, |weights| weights[person]))
    }

    /// Goes over all of them. `weigh` asks for [`Sums::odd`] too.
    pub(super) fn expect(&self, params: &Params, weigh: bool, stop: &Stop) -> Result<Sums> {
        let chunks = self.len().div_ceil(CHUNK);
        let rates = params.state_rates();
        let parts: Vec<Sums> = (0..chunks)
            .into_par_iter()
            .map(|chunk| {
                let mut sums = Sums::new(params);
                let mut pass = Pass::new(params, &rates, weigh);
                for index in chunk * CHUNK..((chunk + 1) * CHUNK).min(self.len()) {
                    stop.check()?;
                    let (line, weight) = self.get(index);
                    if weight > 0.0 {
                        pass.scan.read((line, weight), self.clock, params, &mut sums.seen, false);
                        sums.outcomes += weight * line.outcomes.len() as f64;
                        sums.log += weight * pass.forwards();
                        pass.backwards(weight, &mut sums);
                    }
                }
                Ok(sums)
            })
            .collect::<Result<_>>()?;
        let mut sums = Sums::new(params);
        parts.iter().for_each(|part| sums.merge(part));
        sums.finish(params, &rates);
        Ok(sums)
    }
}
