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
    /// [lifted channel × states]: rates times trust.
    raised: Vec<f64>,
    /// [(season × 2 + landed) × states]: rate at which anything happens if nothing lifts it, touches times their trust.
    quiet: Vec<f64>,
    intents: Vec<f64>,
    change: Vec<f64>,
    first: Vec<f64>,
    /// Whether to sum up how odd the numbers of touches are.
    weigh: bool,
    /// [bin × states]: chance of each state after its step, given all until then.
    forward: Vec<f64>,
    /// [bin × states]: how likely the step is in each state; scaled so that the step's chance is 1.
    likely: Vec<f64>,
    backward: Vec<f64>,
    next: Vec<f64>,
    /// Touches of one step by kind.
    counts: Vec<f64>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(params: &'a Params, rates: &'a [f64], weigh: bool) -> Self {
        let grid = &params.grid;
        let states = grid.len();
        let first =
            grid.weights.iter().flat_map(|level| grid.mood_weights.iter().map(move |mood| level * mood)).collect();
        let row = |kind: usize| rates[kind * states..(kind + 1) * states].iter();
        let trusted = |kind: usize| row(kind).map(move |rate| rate * params.trust[kind]);
        let mut quiet = vec![0.0; params.seasons * 2 * states];
        for (place, quiet) in quiet.chunks_exact_mut(states).enumerate() {
            let (season, landed) = (place / 2, place % 2);
            for channel in 0..params.channels {
                let busy = params.season[channel * params.seasons + season];
                let kind = params.kind[channel * 2 + landed];
                quiet.iter_mut().zip(trusted(kind)).for_each(|(sum, rate)| *sum += busy * rate);
            }
            let busy = params.season[params.channels * params.seasons + season];
            quiet.iter_mut().zip(row(params.kinds)).for_each(|(sum, rate)| *sum += busy * rate);
        }
        Self {
            scan: Scan::default(),
            params,
            rates,
            raised: params.lifted.iter().flat_map(|&channel| trusted(channel)).collect(),
            quiet,
            intents: grid.intents(params.spread),
            change: grid.change(params.turn),
            first,
            weigh,
            forward: vec![],
            likely: vec![],
            backward: vec![0.0; states],
            next: vec![0.0; states],
            counts: vec![0.0; params.kinds],
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
        // Chances multiplied, as long as they are numbers; logs are slow.
        let mut product = 1.0;
        let mut outcome = 0;
        for bin in 0..bins {
            let head = &self.scan.bins[bin];
            let likely = &mut self.likely[bin * states..(bin + 1) * states];
            likely.iter_mut().zip(&self.intents).for_each(|(likely, intent)| *likely = head.pull * intent);
            for (landed, days) in head.days.into_iter().enumerate().filter(|(_, days)| *days > 0.0) {
                let place = (head.season * 2 + landed) * states;
                subtract(likely, days, &self.quiet[place..place + states]);
            }
            let lifted = self.params.lifted.len();
            for (index, raised) in self.scan.raised[bin * lifted..(bin + 1) * lifted].iter().enumerate() {
                if *raised > 0.0 {
                    subtract(likely, *raised, &self.raised[index * states..(index + 1) * states]);
                }
            }
            let most = greatest(likely);
            likely.iter_mut().for_each(|likely| {
                let chance = exp(*likely - most);
                *likely = if chance > LEAST { chance } else { LEAST };
            });
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
            if (1e-100..=1e100).contains(&chance) {
                product *= chance;
                if !(1e-100..=1e100).contains(&product) {
                    log += libm::log(product);
                    product = 1.0;
                }
            } else {
                log += libm::log(chance);
            }
        }
        log + libm::log(product)
    }

    /// Adds up what the states and causes probably were, as often as `weight` says.
    pub(super) fn backwards(&mut self, weight: f64, sums: &mut Sums) {
        let states = self.intents.len();
        let params = self.params;
        let moods = params.grid.moods.len();
        self.backward.fill(1.0);
        for bin in (0..self.scan.bins.len()).rev() {
            let forward = &self.forward[bin * states..(bin + 1) * states];
            // What the states were, times the weight, in `next`.
            self.next.iter_mut().zip(forward).zip(&self.backward).for_each(|((now, f), b)| *now = f * b);
            let part = weight / total(&self.next);
            self.next.iter_mut().for_each(|now| *now *= part);
            self.outcomes_of(bin, weight, sums);
            self.touches_of(bin, sums);
            if self.weigh {
                self.oddness_of(bin, weight, sums);
            }
            if bin == 0 {
                break;
            }
            let likely = &self.likely[bin * states..(bin + 1) * states];
            self.backward.iter_mut().zip(likely).for_each(|(backward, likely)| {
                let chance = *backward * likely;
                *backward = if chance < MOST { chance } else { MOST };
            });
            if moods > 1 {
                let before = &self.forward[(bin - 1) * states..bin * states];
                let to = &mut self.next;
                step_back((before, weight), &self.backward, to, &self.change, &mut sums.change, moods);
                std::mem::swap(&mut self.backward, &mut self.next);
            }
        }
    }

    fn outcomes_of(&mut self, bin: usize, weight: f64, sums: &mut Sums) {
        let (states, channels, kinds) = (self.intents.len(), self.params.channels, self.params.kinds);
        let seasons = self.params.seasons;
        let head = &self.scan.bins[bin];
        let start = if bin == 0 { 0 } else { self.scan.bins[bin - 1].outcomes };
        let season = self.params.season[channels * seasons + head.season];
        let base = &self.rates[kinds * states..];
        for outcome in &self.scan.outcomes[start..head.outcomes] {
            let added: f64 = outcome.added.iter().sum();
            let mut rest = 0.0;
            let uncaused = &mut sums.touches[kinds * states..(kinds + 1) * states];
            for ((sum, now), base) in uncaused.iter_mut().zip(&self.next).zip(base) {
                let own = base * season;
                // No rate at all is where nothing was learned of a cause.
                let share = if added > 0.0 { now * own / (own + added) } else { *now };
                *sum += share;
                rest += share;
            }
            sums.seen.season[channels * seasons + head.season] += rest;
            if added > 0.0 {
                for (channel, (by, age)) in outcome.added.iter().zip(&outcome.ages).enumerate() {
                    let share = (weight - rest) * by / added;
                    sums.caused[channel] += share;
                    sums.cause_age[channel] += share * age;
                }
            }
        }
    }

    fn touches_of(&mut self, bin: usize, sums: &mut Sums) {
        let (states, channels) = (self.intents.len(), self.params.channels);
        let params = self.params;
        let head = &self.scan.bins[bin];
        for (landed, days) in head.days.into_iter().enumerate().filter(|(_, days)| *days > 0.0) {
            let place = (head.season * 2 + landed) * states;
            add(&mut sums.time[place..place + states], days, &self.next);
        }
        let start = if bin == 0 { 0 } else { self.scan.bins[bin - 1].touches };
        for kind in &self.scan.touches[start..head.touches] {
            add(&mut sums.touches[kind * states..(kind + 1) * states], 1.0, &self.next);
        }
        for (index, &target) in params.lifted.iter().enumerate() {
            let raised = self.scan.raised[bin * params.lifted.len() + index];
            let stock = &self.scan.stock[bin * channels..(bin + 1) * channels];
            if !params.sources[target].iter().any(|source| stock[*source] > 0.0) {
                continue;
            }
            add(&mut sums.raised[index * states..(index + 1) * states], raised, &self.next);
            let rate = dot(&self.next, &self.rates[target * states..(target + 1) * states]);
            sums.season[target * params.seasons + head.season] +=
                rate * raised / params.season[target * params.seasons + head.season];
            let busy = rate * params.season[target * params.seasons + head.season];
            for &source in &params.sources[target] {
                let place = source * channels + target;
                sums.lift[place] += busy * stock[source];
                sums.lift_age[source] += busy * params.lift[place] * self.scan.aged[bin * channels + source];
            }
        }
    }

    /// By how much the numbers of touches in a step are off what was to be expected.
    fn oddness_of(&mut self, bin: usize, weight: f64, sums: &mut Sums) {
        let (states, params) = (self.intents.len(), self.params);
        let head = &self.scan.bins[bin];
        self.counts.fill(0.0);
        let start = if bin == 0 { 0 } else { self.scan.bins[bin - 1].touches };
        self.scan.touches[start..head.touches].iter().for_each(|kind| self.counts[*kind] += 1.0);
        for channel in 0..params.channels {
            let season = params.season[channel * params.seasons + head.season];
            let [before, after] = [params.kind[channel * 2], params.kind[channel * 2 + 1]];
            let days = if before == after { [head.days[0] + head.days[1], 0.0] } else { head.days };
            for (kind, days) in [before, after].into_iter().zip(days).filter(|(_, days)| *days > 0.0) {
                let lifted = params.lifted.iter().position(|target| *target == channel);
                let raised = lifted.map_or(0.0, |index| self.scan.raised[bin * params.lifted.len() + index]);
                let rate = dot(&self.next, &self.rates[kind * states..(kind + 1) * states]);
                // Of one person, not of the weight.
                let mean = rate / weight * (season * days + raised);
                let off = self.counts[kind] - mean;
                sums.odd[kind][0] += weight * off * off;
                sums.odd[kind][1] += weight * mean;
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

/// Takes `times` × `what` away, item by item.
#[inline]
fn subtract(from: &mut [f64], times: f64, what: &[f64]) {
    from.iter_mut().zip(what).for_each(|(from, what)| *from -= times * what);
}

/// Adds `times` × `what`, item by item.
#[inline]
fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += times * what);
}

/// The greatest, four at a time.
#[inline]
fn greatest(of: &[f64]) -> f64 {
    let most = |most: f64, x: f64| if x > most { x } else { most };
    let (fours, rest) = of.as_chunks::<4>();
    let mut found = [f64::NEG_INFINITY; 4];
    for four in fours {
        found.iter_mut().zip(four).for_each(|(found, x)| *found = most(*found, *x));
    }
    found.iter().chain(rest).copied().fold(f64::NEG_INFINITY, most)
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
