//! What is summed over people, to learn from.
use super::params::Params;

/// Sums over people.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub(super) seen: Seen,
    /// [kind × states + state]: touches, and last conversions without a cause.
    pub(super) touches: Vec<f64>,
    /// The same of exposure.
    pub(super) exposure: Vec<f64>,
    /// By channel: conversions that it caused.
    pub(super) caused: Vec<f64>,
    /// By channel: mean age at that, times how many.
    pub(super) cause_age: Vec<f64>,
    /// [source × channels + target]: touches that a lift of 1 would bring about.
    pub(super) lift: Vec<f64>,
    /// By source: age-weighted touches that it should have brought about.
    pub(super) lift_age: Vec<f64>,
    /// By kind: squares of what was unexpected, step by step, and what was expected.
    pub(super) odd: Vec<[f64; 2]>,
    /// [channel × seasons + season]: touches to be expected if all seasons were alike; last conversions without a cause.
    pub(super) season: Vec<f64>,
    /// [mood × moods + mood]: changes from step to step.
    pub(super) change: Vec<f64>,
    /// Of everything seen.
    pub(super) log: f64,
}

impl Sums {
    pub(super) fn new(params: &Params) -> Self {
        let (channels, kinds, states) = (params.channels, params.kinds, params.grid.len());
        let moods = params.grid.moods.len();
        Self {
            seen: Seen::new(channels, params.seasons),
            touches: vec![0.0; (kinds + 1) * states],
            exposure: vec![0.0; (kinds + 1) * states],
            caused: vec![0.0; channels],
            cause_age: vec![0.0; channels],
            lift: vec![0.0; channels * channels],
            lift_age: vec![0.0; channels],
            odd: vec![[0.0; 2]; kinds],
            season: vec![0.0; (channels + 1) * params.seasons],
            change: vec![0.0; moods * moods],
            log: 0.0,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.seen.merge(&other.seen);
        for (mine, theirs) in [
            (&mut self.touches, &other.touches),
            (&mut self.exposure, &other.exposure),
            (&mut self.caused, &other.caused),
            (&mut self.cause_age, &other.cause_age),
            (&mut self.lift, &other.lift),
            (&mut self.lift_age, &other.lift_age),
            (&mut self.season, &other.season),
            (&mut self.change, &other.change),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        for (mine, theirs) in self.odd.iter_mut().zip(&other.odd) {
            mine[0] += theirs[0];
            mine[1] += theirs[1];
        }
        self.log += other.log;
    }
}

/// What is summed over people without regard to hidden states.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// [source × channels + target]: touches brought about.
    pub(super) lifted: Vec<f64>,
    /// By source: the age at which its touches brought about others, times how many.
    pub(super) age: Vec<f64>,
    /// [channel × seasons + season]: touches, and last conversions without a cause.
    pub(super) season: Vec<f64>,
    /// By channel: stock, integrated over time.
    pub(super) stock: Vec<f64>,
    /// By channel: age-weighted stock, integrated over time.
    pub(super) aged: Vec<f64>,
}

impl Seen {
    pub(super) fn new(channels: usize, seasons: usize) -> Self {
        Self {
            lifted: vec![0.0; channels * channels],
            age: vec![0.0; channels],
            season: vec![0.0; (channels + 1) * seasons],
            stock: vec![0.0; channels],
            aged: vec![0.0; channels],
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.lifted, &other.lifted),
            (&mut self.age, &other.age),
            (&mut self.season, &other.season),
            (&mut self.stock, &other.stock),
            (&mut self.aged, &other.aged),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
    }
}
