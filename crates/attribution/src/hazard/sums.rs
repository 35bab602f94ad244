//! What is summed over people, to learn from.
use super::params::Params;

/// Sums over people.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub(super) seen: Seen,
    /// [kind × states + state]: touches, and last conversions without a cause.
    pub(super) touches: Vec<f64>,
    /// The same of exposure; known once all are summed, see [`Sums::finish`].
    pub(super) exposure: Vec<f64>,
    /// [(season × 2 + landed) × states + state]: days.
    pub(super) time: Vec<f64>,
    /// [lifted channel × states + state]: exposure that other channels' stock adds.
    pub(super) raised: Vec<f64>,
    /// By channel: conversions that it caused.
    pub(super) caused: Vec<f64>,
    /// By channel: mean age at that, times how many.
    pub(super) cause_age: Vec<f64>,
    /// [source × channels + target]: touches that a lift of 1 would bring about.
    pub(super) lift: Vec<f64>,
    /// By source: age-weighted touches that it should have brought about.
    pub(super) lift_age: Vec<f64>,
    /// By kind: squares of what was unexpected, step by step, and what was expected; where that is asked for.
    pub(super) odd: Vec<[f64; 2]>,
    /// [channel × seasons + season]: touches to be expected if all seasons were alike; last conversions without a cause.
    pub(super) season: Vec<f64>,
    /// [mood × moods + mood]: changes from step to step, as [`Sums::finish`] leaves them.
    pub(super) change: Vec<f64>,
    /// All conversions.
    pub(super) outcomes: f64,
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
            time: vec![0.0; params.seasons * 2 * states],
            raised: vec![0.0; params.lifted.len() * states],
            caused: vec![0.0; channels],
            cause_age: vec![0.0; channels],
            lift: vec![0.0; channels * channels],
            lift_age: vec![0.0; channels],
            odd: vec![[0.0; 2]; kinds],
            season: vec![0.0; (channels + 1) * params.seasons],
            change: vec![0.0; moods * moods],
            outcomes: 0.0,
            log: 0.0,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.seen.merge(&other.seen);
        for (mine, theirs) in [
            (&mut self.touches, &other.touches),
            (&mut self.time, &other.time),
            (&mut self.raised, &other.raised),
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
        self.outcomes += other.outcomes;
        self.log += other.log;
    }

    /// From days by state to exposure by kind, once all people are in: most of it is common to all kinds.
    pub(super) fn finish(&mut self, params: &Params, rates: &[f64]) {
        let (states, seasons) = (params.grid.len(), params.seasons);
        for channel in 0..=params.channels {
            for season in 0..seasons {
                let busy = params.season[channel * seasons + season];
                for landed in 0..2 {
                    let kind = params.kind.get(channel * 2 + landed).copied().unwrap_or(params.kinds);
                    let row = kind * states..(kind + 1) * states;
                    let place = (season * 2 + landed) * states;
                    let time = &self.time[place..place + states];
                    self.exposure[row.clone()].iter_mut().zip(time).for_each(|(sum, days)| *sum += busy * days);
                    self.season[channel * seasons + season] +=
                        time.iter().zip(&rates[row]).map(|(days, rate)| days * rate).sum::<f64>();
                }
            }
        }
        for (index, &channel) in params.lifted.iter().enumerate() {
            let raised = &self.raised[index * states..(index + 1) * states];
            let row = channel * states..(channel + 1) * states;
            self.exposure[row].iter_mut().zip(raised).for_each(|(sum, more)| *sum += more);
        }
        let change = params.grid.change(params.turn);
        self.change.iter_mut().zip(change).for_each(|(pairs, chance)| *pairs *= chance);
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
