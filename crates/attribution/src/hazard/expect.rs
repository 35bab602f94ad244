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
    /// By level of lasting intent: people.
    pub(super) level: Vec<f64>,
    /// [mood × moods + mood]: changes from step to step.
    pub(super) change: Vec<f64>,
    /// Of everything seen.
    pub(super) log: f64,
}

impl Sums {
    fn new(params: &Params) -> Self {
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
            (&mut self.season, &other.season),
            (&mut self.level, &other.level),
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
    /// The same, of touches times their trust.
    trusted: Vec<f64>,
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
            trusted: {
                let mut trusted = rates.to_vec();
                for (row, trust) in trusted.chunks_exact_mut(grid.len()).zip(&params.trust) {
                    row.iter_mut().for_each(|rate| *rate *= trust);
                }
                trusted
            },
            intents: grid.intents(params.spread),
            change: grid.change(params.turn),
            first,
            forward: vec![],
            likely: vec![],
            backward: vec![0.0; grid.len()],
            next: vec![0.0; grid.len()],
        }
    }

    /// The log-likelihood of the person.
    pub(super) fn forwards(&mut self) -> f64 {
        let (states, channels, kinds) = (self.intents.len(), self.params.channels, self.params.kinds);
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
            let exposure = &self.scan.exposure[bin * (kinds + 1)..(bin + 1) * (kinds + 1)];
            for (rates, exposure) in self.trusted.chunks_exact(states).zip(exposure) {
                likely.iter_mut().zip(rates).for_each(|(likely, rate)| *likely -= rate * exposure);
            }
            likely.iter_mut().for_each(|likely| *likely = exp(*likely));
            let season = self.params.season[channels * self.params.seasons + head.season];
            while outcome < head.outcomes {
                let added: f64 = self.scan.added[outcome * channels..(outcome + 1) * channels].iter().sum();
                let base = &self.rates[kinds * states..];
                likely.iter_mut().zip(base).for_each(|(likely, base)| *likely *= base * season + added);
                outcome += 1;
            }
            let (before, rest) = self.forward.split_at_mut(bin * states);
            let forward = &mut rest[..states];
            if bin == 0 {
                forward.copy_from_slice(&self.first);
            } else {
                step(&before[(bin - 1) * states..], forward, &self.change, moods);
            }
            forward.iter_mut().zip(likely.iter()).for_each(|(forward, likely)| *forward *= likely);
            let chance = total(forward).max(f64::MIN_POSITIVE);
            let part = 1.0 / chance;
            forward.iter_mut().for_each(|forward| *forward *= part);
            likely.iter_mut().for_each(|likely| *likely *= part);
            log += chance.ln();
        }
        log
    }

    /// Adds up what the states and causes probably were.
    fn backwards(&mut self, sums: &mut Sums) {
        let states = self.intents.len();
        let params = self.params;
        let moods = params.grid.moods.len();
        self.backward.fill(1.0);
        for bin in (0..self.scan.bins.len()).rev() {
            let forward = &self.forward[bin * states..(bin + 1) * states];
            // What the states were, in `next`.
            self.next.iter_mut().zip(forward).zip(&self.backward).for_each(|((now, f), b)| *now = f * b);
            let part = 1.0 / total(&self.next);
            self.next.iter_mut().for_each(|now| *now *= part);
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
                step_back(before, &self.backward, &mut self.next, &self.change, &mut sums.change, moods);
                std::mem::swap(&mut self.backward, &mut self.next);
            }
        }
    }

    fn outcomes_of(&mut self, bin: usize, sums: &mut Sums) {
        let (states, channels, kinds) = (self.intents.len(), self.params.channels, self.params.kinds);
        let seasons = self.params.seasons;
        let head = &self.scan.bins[bin];
        let start = if bin == 0 { 0 } else { self.scan.bins[bin - 1].outcomes };
        let season = self.params.season[channels * seasons + head.season];
        let base = &self.rates[kinds * states..];
        for outcome in start..head.outcomes {
            let row = outcome * channels..(outcome + 1) * channels;
            let added: f64 = self.scan.added[row.clone()].iter().sum();
            let mut rest = 0.0;
            for state in 0..states {
                let own = base[state] * season;
                let share = self.next[state] * own / (own + added);
                sums.touches[kinds * states + state] += share;
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
        let (states, channels, kinds) = (self.intents.len(), self.params.channels, self.params.kinds);
        let params = self.params;
        let head = &self.scan.bins[bin];
        let exposures = &self.scan.exposure[bin * (kinds + 1)..(bin + 1) * (kinds + 1)];
        let touches = &self.scan.touches[bin * kinds..(bin + 1) * kinds];
        // The rate of each kind, whatever the state was.
        let rate_of = |kind: usize| dot(&self.next, &self.rates[kind * states..(kind + 1) * states]);
        for (kind, &exposure) in exposures.iter().enumerate().filter(|(_, exposure)| **exposure > 0.0) {
            let row = kind * states..(kind + 1) * states;
            sums.exposure[row.clone()].iter_mut().zip(&self.next).for_each(|(sum, now)| *sum += now * exposure);
            if kind < kinds && touches[kind] > 0.0 {
                let touches = touches[kind];
                sums.touches[row].iter_mut().zip(&self.next).for_each(|(sum, now)| *sum += now * touches);
            }
        }
        for channel in 0..=channels {
            let season = params.season[channel * params.seasons + head.season];
            let expected = &mut sums.season[channel * params.seasons + head.season];
            if channel == channels {
                *expected += rate_of(kinds) * exposures[kinds] / season;
                break;
            }
            for landed in 0..2 {
                let kind = params.kind[channel * 2 + landed];
                if landed == 1 && kind == channel {
                    break;
                }
                let rate = rate_of(kind);
                let mean = rate * exposures[kind];
                *expected += mean / season;
                let off = touches[kind] - mean;
                sums.odd[kind][0] += off * off;
                sums.odd[kind][1] += mean;
                for &source in &params.sources[channel] {
                    let place = bin * 2 * channels + source;
                    let [stock, aged] = [&self.scan.stock, &self.scan.aged].map(|of| of[place] + of[place + channels]);
                    let lift = params.lift[source * channels + channel];
                    sums.lift[source * channels + channel] += rate * season * stock;
                    sums.lift_age[source] += rate * season * lift * aged;
                }
            }
        }
    }

    /// The chance of each state in the step of an outcome, had the outcome a cause: given all before it.
    pub(super) fn states_at(&mut self, outcome: usize) -> &[f64] {
        let (states, channels, kinds) = (self.intents.len(), self.params.channels, self.params.kinds);
        let bin = self.scan.outcomes[outcome].bin;
        let head = &self.scan.bins[bin];
        let start = if bin == 0 { 0 } else { self.scan.bins[bin - 1].outcomes };
        let season = self.params.season[channels * self.params.seasons + head.season];
        self.next.copy_from_slice(&self.forward[bin * states..(bin + 1) * states]);
        // The outcome itself told about the state only if it had no cause.
        let last = start.max(head.outcomes.saturating_sub(1));
        let added: f64 = self.scan.added[last * channels..(last + 1) * channels].iter().sum();
        let base = &self.rates[kinds * states..];
        self.next.iter_mut().zip(base).for_each(|(now, base)| *now /= base * season + added);
        let sum: f64 = self.next.iter().sum();
        self.next.iter_mut().for_each(|now| *now /= sum);
        &self.next
    }
}

/// The sum of products, four at a time.
#[inline]
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let (left4, left_rest) = left.as_chunks::<4>();
    let (right4, right_rest) = right.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (left, right) in left4.iter().zip(right4) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The sum, four at a time.
#[inline]
fn total(of: &[f64]) -> f64 {
    let (fours, rest) = of.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for four in fours {
        sums.iter_mut().zip(four).for_each(|(sum, x)| *sum += x);
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest.iter().sum::<f64>()
}

/// to[level, m'] = Σ_m from[level, m] · change[m, m'].
fn step(from: &[f64], to: &mut [f64], change: &[f64], moods: usize) {
    match moods {
        1 => to.copy_from_slice(from),
        2 => step_of::<2>(from, to, change),
        3 => step_of::<3>(from, to, change),
        4 => step_of::<4>(from, to, change),
        5 => step_of::<5>(from, to, change),
        _ => {
            for (from, to) in from.chunks_exact(moods).zip(to.chunks_exact_mut(moods)) {
                to.fill(0.0);
                for (from, change) in from.iter().zip(change.chunks_exact(moods)) {
                    to.iter_mut().zip(change).for_each(|(to, change)| *to += from * change);
                }
            }
        }
    }
}

fn step_of<const MOODS: usize>(from: &[f64], to: &mut [f64], change: &[f64]) {
    let (change, _) = change.as_chunks::<MOODS>();
    let (from, _) = from.as_chunks::<MOODS>();
    let (to, _) = to.as_chunks_mut::<MOODS>();
    for (from, to) in from.iter().zip(to) {
        *to = [0.0; MOODS];
        for (from, change) in from.iter().zip(change) {
            to.iter_mut().zip(change).for_each(|(to, change)| *to += from * change);
        }
    }
}

/// One step backwards, into `to`; adds the chances of all changes of mood to `changes`.
fn step_back(before: &[f64], after: &[f64], to: &mut [f64], change: &[f64], changes: &mut [f64], moods: usize) {
    let levels = before.chunks_exact(moods).zip(after.chunks_exact(moods)).zip(to.chunks_exact_mut(moods));
    for ((before, after), to) in levels {
        let rows = change.chunks_exact(moods).zip(changes.chunks_exact_mut(moods));
        for ((before, to), (change, changes)) in before.iter().zip(to).zip(rows) {
            *to = 0.0;
            for ((after, change), changes) in after.iter().zip(change).zip(changes) {
                *to += change * after;
                *changes += before * change * after;
            }
        }
    }
}
