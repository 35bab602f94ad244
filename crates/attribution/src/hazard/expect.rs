//! What the hidden states and causes probably were: forwards and backwards over each person's steps (Baum et al. 1970).
use super::{
    exp::exp,
    params::Params,
    scan::{Clock, Scan, Seen},
};
use rayon::prelude::*;
use safar_model::Timelines;

/// People in one unit of parallel work; fixed, so that sums do not depend on the number of threads.
pub(super) const CHUNK: usize = 512;

/// Sums over people.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub(super) seen: Seen,
    /// [channel × states + state]: touches, and last conversions without a cause.
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
    /// By channel: touches to be expected after the first landing if nobody were followed.
    pub(super) after: Vec<f64>,
    /// [channel × seasons + season]: touches to be expected if all seasons were alike; last conversions without a cause.
    pub(super) season: Vec<f64>,
    /// By level of lasting intent: people.
    pub(super) level: Vec<f64>,
    /// [mood × moods + mood]: changes from step to step.
    pub(super) change: Vec<f64>,
    /// Of everything seen.
    pub(super) log: f64,
}

impl Sums {
    fn new(params: &Params) -> Self {
        let (channels, states) = (params.channels, params.grid.len());
        let moods = params.grid.moods.len();
        Self {
            seen: Seen::new(channels, params.seasons),
            touches: vec![0.0; (channels + 1) * states],
            exposure: vec![0.0; (channels + 1) * states],
            caused: vec![0.0; channels],
            cause_age: vec![0.0; channels],
            lift: vec![0.0; channels * channels],
            lift_age: vec![0.0; channels],
            after: vec![0.0; channels],
            season: vec![0.0; (channels + 1) * params.seasons],
            level: vec![0.0; params.grid.levels.len()],
            change: vec![0.0; moods * moods],
            log: 0.0,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.seen.merge(&other.seen);
        for (mine, theirs) in [
            (&mut self.touches, &other.touches),
            (&mut self.exposure, &other.exposure),
            (&mut self.caused, &other.caused),
            (&mut self.cause_age, &other.cause_age),
            (&mut self.lift, &other.lift),
            (&mut self.lift_age, &other.lift_age),
            (&mut self.after, &other.after),
            (&mut self.season, &other.season),
            (&mut self.level, &other.level),
            (&mut self.change, &other.change),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        self.log += other.log;
    }
}

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

/// One person at a time, forwards and backwards.
pub(super) struct Pass<'a> {
    pub(super) scan: Scan,
    params: &'a Params,
    rates: &'a [f64],
    intents: Vec<f64>,
    change: Vec<f64>,
    first: Vec<f64>,
    /// [bin × states]: chance of each state after its step, given all until then.
    forward: Vec<f64>,
    /// [bin × states]: how likely the step is in each state; scaled so that the step's chance is 1.
    likely: Vec<f64>,
    backward: Vec<f64>,
    next: Vec<f64>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(params: &'a Params, rates: &'a [f64]) -> Self {
        let grid = &params.grid;
        let first = grid.weights.iter().flat_map(|level| grid.mood_weights.iter().map(move |mood| level * mood)).collect();
        Self {
            scan: Scan::default(),
            params,
            rates,
            intents: grid.intents(params.spread),
            change: grid.change(params.turn),
            first,
            forward: vec![],
            likely: vec![],
            backward: vec![0.0; grid.len()],
            next: vec![0.0; grid.len()],
        }
    }

    /// to[level, m'] = Σ_m from[level, m] · change[m, m'].
    fn step(from: &[f64], to: &mut [f64], change: &[f64], moods: usize) {
        if moods == 1 {
            to.copy_from_slice(from);
            return;
        }
        for (from, to) in from.chunks_exact(moods).zip(to.chunks_exact_mut(moods)) {
            for (mood, to) in to.iter_mut().enumerate() {
                *to = from.iter().enumerate().map(|(old, from)| from * change[old * moods + mood]).sum();
            }
        }
    }

    /// The log-likelihood of the person.
    pub(super) fn forwards(&mut self) -> f64 {
        let (states, channels) = (self.intents.len(), self.params.channels);
        let moods = self.params.grid.moods.len();
        let bins = self.scan.bins.len();
        self.forward.resize(bins * states, 0.0);
        self.likely.resize(bins * states, 0.0);
        let mut log = self.scan.log;
        let mut outcome = 0;
        for bin in 0..bins {
            let head = &self.scan.bins[bin];
            let likely = &mut self.likely[bin * states..(bin + 1) * states];
            likely.iter_mut().zip(&self.intents).for_each(|(likely, intent)| *likely = head.pull * intent);
            let exposure = &self.scan.exposure[bin * (channels + 1)..(bin + 1) * (channels + 1)];
            for (rates, exposure) in self.rates.chunks_exact(states).zip(exposure) {
                likely.iter_mut().zip(rates).for_each(|(likely, rate)| *likely -= rate * exposure);
            }
            likely.iter_mut().for_each(|likely| *likely = exp(*likely));
            let season = self.params.season[channels * self.params.seasons + head.season];
            while outcome < head.outcomes {
                let added: f64 = self.scan.added[outcome * channels..(outcome + 1) * channels].iter().sum();
                let base = &self.rates[channels * states..];
                likely.iter_mut().zip(base).for_each(|(likely, base)| *likely *= base * season + added);
                outcome += 1;
            }
            let (before, rest) = self.forward.split_at_mut(bin * states);
            let forward = &mut rest[..states];
            if bin == 0 {
                forward.copy_from_slice(&self.first);
            } else {
                Self::step(&before[(bin - 1) * states..], forward, &self.change, moods);
            }
            forward.iter_mut().zip(likely.iter()).for_each(|(forward, likely)| *forward *= likely);
            let chance = forward.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            forward.iter_mut().for_each(|forward| *forward /= chance);
            likely.iter_mut().for_each(|likely| *likely /= chance);
            log += chance.ln();
        }
        log
    }

    /// Adds up what the states and causes probably were.
    fn backwards(&mut self, sums: &mut Sums) {
        let (states, channels) = (self.intents.len(), self.params.channels);
        let params = self.params;
        let moods = params.grid.moods.len();
        self.backward.fill(1.0);
        for bin in (0..self.scan.bins.len()).rev() {
            let forward = &self.forward[bin * states..(bin + 1) * states];
            // What the states were, in `next`.
            self.next.iter_mut().zip(forward).zip(&self.backward).for_each(|((now, f), b)| *now = f * b);
            let sum: f64 = self.next.iter().sum();
            self.next.iter_mut().for_each(|now| *now /= sum);
            self.outcomes_of(bin, sums);
            self.touches_of(bin, sums);
            if bin == 0 {
                for (level, chances) in sums.level.iter_mut().zip(self.next.chunks_exact(moods)) {
                    *level += chances.iter().sum::<f64>();
                }
                break;
            }
            let likely = &self.likely[bin * states..(bin + 1) * states];
            self.backward.iter_mut().zip(likely).for_each(|(backward, likely)| *backward *= likely);
            let before = &self.forward[(bin - 1) * states..bin * states];
            if moods > 1 {
                let blocks = before.chunks_exact(moods).zip(self.backward.chunks_exact(moods));
                for (level, (before, after)) in blocks.enumerate() {
                    for old in 0..moods {
                        let mut sum = 0.0;
                        for new in 0..moods {
                            let part = self.change[old * moods + new] * after[new];
                            sums.change[old * moods + new] += before[old] * part;
                            sum += part;
                        }
                        self.next[level * moods + old] = sum;
                    }
                }
                std::mem::swap(&mut self.backward, &mut self.next);
            }
        }
        let _ = channels;
    }

    fn outcomes_of(&mut self, bin: usize, sums: &mut Sums) {
        let (states, channels) = (self.intents.len(), self.params.channels);
        let seasons = self.params.seasons;
        let head = &self.scan.bins[bin];
        let start = if bin == 0 { 0 } else { self.scan.bins[bin - 1].outcomes };
        let season = self.params.season[channels * seasons + head.season];
        let base = &self.rates[channels * states..];
        for outcome in start..head.outcomes {
            let row = outcome * channels..(outcome + 1) * channels;
            let added: f64 = self.scan.added[row.clone()].iter().sum();
            let mut rest = 0.0;
            for state in 0..states {
                let own = base[state] * season;
                let share = self.next[state] * own / (own + added);
                sums.touches[channels * states + state] += share;
                rest += share;
            }
            sums.seen.season[channels * seasons + head.season] += rest;
            if added > 0.0 {
                for (channel, place) in row.enumerate() {
                    let share = (1.0 - rest) * self.scan.added[place] / added;
                    sums.caused[channel] += share;
                    sums.cause_age[channel] += share * self.scan.ages[place];
                }
            }
        }
    }

    fn touches_of(&mut self, bin: usize, sums: &mut Sums) {
        let (states, channels) = (self.intents.len(), self.params.channels);
        let params = self.params;
        let head = &self.scan.bins[bin];
        for channel in 0..=channels {
            let exposure = self.scan.exposure[bin * (channels + 1) + channel];
            let row = channel * states..(channel + 1) * states;
            let mut rate = 0.0;
            for ((sum, now), own) in sums.exposure[row.clone()].iter_mut().zip(&self.next).zip(&self.rates[row.clone()]) {
                *sum += now * exposure;
                rate += now * own;
            }
            let season = params.season[channel * params.seasons + head.season];
            sums.season[channel * params.seasons + head.season] += rate * exposure / season;
            if channel == channels {
                break;
            }
            let touches = self.scan.touches[bin * channels + channel];
            if touches > 0.0 {
                sums.touches[row].iter_mut().zip(&self.next).for_each(|(sum, now)| *sum += now * touches);
            }
            let sources = &params.sources[channel];
            let rate = rate * season;
            let after = params.after[channel];
            sums.after[channel] += rate * head.days[1];
            for &source in sources {
                let early = self.scan.stock[bin * 2 * channels + source];
                let late = self.scan.stock[(bin * 2 + 1) * channels + source];
                let lift = params.lift[source * channels + channel];
                sums.after[channel] += rate * lift * late;
                sums.lift[source * channels + channel] += rate * (early + after * late);
                let early = self.scan.aged[bin * 2 * channels + source];
                let late = self.scan.aged[(bin * 2 + 1) * channels + source];
                sums.lift_age[source] += rate * lift * (early + after * late);
            }
        }
    }

    /// The chance of each state in the step of an outcome, had the outcome a cause: given all before it.
    pub(super) fn states_at(&mut self, outcome: usize) -> &[f64] {
        let (states, channels) = (self.intents.len(), self.params.channels);
        let bin = self.scan.outcomes[outcome].bin;
        let head = &self.scan.bins[bin];
        let start = if bin == 0 { 0 } else { self.scan.bins[bin - 1].outcomes };
        let season = self.params.season[channels * self.params.seasons + head.season];
        self.next.copy_from_slice(&self.forward[bin * states..(bin + 1) * states]);
        // The outcome itself told about the state only if it had no cause.
        let last = start.max(head.outcomes.saturating_sub(1));
        let added: f64 = self.scan.added[last * channels..(last + 1) * channels].iter().sum();
        let base = &self.rates[channels * states..];
        self.next.iter_mut().zip(base).for_each(|(now, base)| *now /= base * season + added);
        let sum: f64 = self.next.iter().sum();
        self.next.iter_mut().for_each(|now| *now /= sum);
        &self.next
    }
}
