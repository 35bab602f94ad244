//! What one person's hidden states and causes probably were: forwards and backwards over the steps (Baum et al. 1970).
use super::{
    exp::exp,
    params::Params,
    scan::Scan,
    state::{step, step_back},
    sums::Sums,
};

/// No state is less likely than this against the likeliest, in one step, and none more than that against what was known
/// before: numbers stay finite whatever the data.
const LEAST: f64 = 1e-200;
const MOST: f64 = 1e200;

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
        let first =
            grid.weights.iter().flat_map(|level| grid.mood_weights.iter().map(move |mood| level * mood)).collect();
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
            let most = likely.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            likely.iter_mut().for_each(|likely| *likely = exp(*likely - most).max(LEAST));
            log += most;
            let season = self.params.season[channels * self.params.seasons + head.season];
            while outcome < head.outcomes {
                let added: f64 = self.scan.outcomes[outcome].added.iter().sum();
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
    pub(super) fn backwards(&mut self, sums: &mut Sums) {
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
                break;
            }
            let likely = &self.likely[bin * states..(bin + 1) * states];
            self.backward
                .iter_mut()
                .zip(likely)
                .for_each(|(backward, likely)| *backward = (*backward * likely).min(MOST));
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
        for outcome in &self.scan.outcomes[start..head.outcomes] {
            let added: f64 = outcome.added.iter().sum();
            let mut rest = 0.0;
            for state in 0..states {
                let own = base[state] * season;
                // No rate at all is where nothing was learned of a cause.
                let share = if added > 0.0 { self.next[state] * own / (own + added) } else { self.next[state] };
                sums.touches[kinds * states + state] += share;
                rest += share;
            }
            sums.seen.season[channels * seasons + head.season] += rest;
            if added > 0.0 {
                for (channel, (by, age)) in outcome.added.iter().zip(&outcome.ages).enumerate() {
                    let share = (1.0 - rest) * by / added;
                    sums.caused[channel] += share;
                    sums.cause_age[channel] += share * age;
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
        for (kind, &exposure) in exposures.iter().enumerate() {
            let row = kind * states..(kind + 1) * states;
            if exposure > 0.0 {
                sums.exposure[row.clone()].iter_mut().zip(&self.next).for_each(|(sum, now)| *sum += now * exposure);
            }
            let touches = touches.get(kind).copied().unwrap_or(0.0);
            if touches > 0.0 {
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

    /// How likely it is that an outcome had a cause, divided by what all causes add to its rate; and makes
    /// [`Pass::states`] speak of it. Given all that came before it, in its step too.
    pub(super) fn cause(&mut self, outcome: usize) -> f64 {
        let (states, channels, kinds) = (self.intents.len(), self.params.channels, self.params.kinds);
        let outcome = &self.scan.outcomes[outcome];
        let head = &self.scan.bins[outcome.bin];
        let season = self.params.season[channels * self.params.seasons + head.season];
        let added: f64 = outcome.added.iter().sum();
        let base = &self.rates[kinds * states..];
        // The outcome itself tells of the state only if it had no cause.
        let forward = &self.forward[outcome.bin * states..(outcome.bin + 1) * states];
        for ((now, forward), base) in self.next.iter_mut().zip(forward).zip(base) {
            let rate = base * season + added;
            *now = if rate > 0.0 { forward / rate } else { 0.0 };
        }
        let part = 1.0 / total(&self.next).max(f64::MIN_POSITIVE);
        self.next.iter_mut().for_each(|now| *now *= part);
        let own = dot(&self.next, base) * season;
        if own + added > 0.0 { 1.0 / (own + added) } else { 0.0 }
    }

    /// How likely each state was at the outcome that [`Pass::cause`] was last asked for, if it had a cause.
    pub(super) fn states(&self) -> &[f64] {
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
