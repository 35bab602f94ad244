//! What would have come later anyway.
use super::{exp::exp, params::Params, scan::Outcome};

/// Nodes and weights of Gauss and Legendre on 0 to 1.
const NODES: [(f64, f64); 4] = [
    (0.069_431_844_202_973_7, 0.173_927_422_568_726_9),
    (0.330_009_478_207_571_9, 0.326_072_577_431_273_1),
    (0.669_990_521_792_428_1, 0.326_072_577_431_273_1),
    (0.930_568_155_797_026_3, 0.173_927_422_568_726_9),
];

/// A conversion that a channel caused might have come later without it, by the baseline or by another channel. Then the
/// channel only made it earlier.
#[derive(Debug)]
pub(super) struct Later {
    /// By cause: the part that it keeps.
    pub(super) keep: Vec<f64>,
    /// [cause × channels + channel]: the part that another channel gains.
    pub(super) gain: Vec<f64>,
    chance: Vec<f64>,
    /// How fast passing intent is forgotten, a day.
    forgets: f64,
    /// By state: the rate of conversion without any touch once passing intent is forgotten.
    forgotten: Vec<f64>,
}

impl Later {
    /// `step` is the length of a step in days.
    pub(super) fn new(params: &Params, rates: &[f64], step: f64) -> Self {
        let channels = params.channels;
        let (moods, weights) = (params.grid.moods.len(), &params.grid.mood_weights);
        let base = &rates[params.kinds * params.grid.len()..];
        let mean = |level: &[f64]| level.iter().zip(weights).map(|(rate, weight)| rate * weight).sum::<f64>();
        Self {
            keep: vec![1.0; channels],
            gain: vec![0.0; channels * channels],
            chance: vec![0.0; channels],
            forgets: -libm::log(1.0 - 2.0 * params.turn) / step,
            forgotten: base.chunks_exact(moods).flat_map(|level| std::iter::repeat_n(mean(level), moods)).collect(),
        }
    }

    /// Reckons for one conversion with `rest` days to come, of a person in states as likely as `states`. Shapley values by
    /// Owen's integral (1972) of the game in which a set of channels is worth the chance of any conversion; the touches to
    /// come, and what passing intent comes to, are taken at their mean.
    pub(super) fn reckon(&mut self, params: &Params, rates: &[f64], states: &[f64], outcome: &Outcome, rest: f64) {
        self.keep.fill(1.0);
        self.gain.fill(0.0);
        if rest > 0.0 {
            self.keep.fill(0.0);
            for (state, weight) in states.iter().enumerate() {
                self.add(params, rates, (state, *weight), outcome, rest);
            }
        }
    }

    fn add(&mut self, params: &Params, rates: &[f64], (state, weight): (usize, f64), outcome: &Outcome, rest: f64) {
        let channels = params.channels;
        let rate = |kind: usize| rates[kind * params.grid.len() + state];
        let kind = |channel: usize| params.kind[channel * 2 + usize::from(outcome.landed)];
        for channel in 0..channels {
            let fading = params.fading[channel];
            let part = (1.0 - exp(-fading * rest)) / fading;
            let lift = params.sources[channel]
                .iter()
                .map(|&source| params.lift[source * channels + channel] * rate(kind(source)) / params.fading[source]);
            let coming = rate(kind(channel)) * (1.0 + lift.sum::<f64>()) * (rest - part) / fading;
            self.chance[channel] = 1.0 - exp(-params.effect[channel] * (outcome.stock[channel] * part + coming));
        }
        let remembered = (1.0 - exp(-self.forgets * rest)) / self.forgets;
        let (now, then) = (rate(params.kinds), self.forgotten[state]);
        let without = weight * exp(-(now * remembered + then * (rest - remembered)));
        for (node, measure) in NODES {
            // Each channel is there with chance `node`; the product is the chance that nothing comes.
            let none: f64 = self.chance.iter().map(|chance| 1.0 - node * chance).product::<f64>() * without * measure;
            for cause in 0..channels {
                let others = none / (1.0 - node * self.chance[cause]);
                self.keep[cause] += others;
                for channel in (0..channels).filter(|channel| *channel != cause) {
                    let chance = self.chance[channel];
                    self.gain[cause * channels + channel] += (1.0 - node) * chance * others / (1.0 - node * chance);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hazard::{Role, state::Grid};

    /// Three channels; nothing lifts, nothing follows; one state.
    fn params() -> Params {
        Params {
            channels: 3,
            kinds: 3,
            kind: vec![0, 0, 1, 1, 2, 2],
            seasons: 1,
            trust: vec![1.0; 3],
            rate: vec![0.3, 0.1, 0.0],
            by_intent: vec![0.0; 3],
            lift: vec![0.0; 9],
            sources: vec![vec![]; 3],
            lifted: vec![],
            base: 0.01,
            base_by_intent: 0.0,
            effect: vec![0.1, 0.2, 0.3],
            fading: vec![0.5, 0.25, 1.0],
            season: vec![1.0; 4],
            spread: 1.0,
            turn: 0.1,
            grid: Grid::new(1, 1),
            roles: vec![Role::Push; 3],
        }
    }

    fn outcome() -> Outcome {
        let stock = vec![1.5, 0.0, 0.4];
        Outcome { bin: 0, landed: false, added: vec![0.0; 3], ages: vec![0.0; 3], stock, earned: vec![] }
    }

    #[test]
    fn a_conversion_at_the_end_is_kept_whole() {
        let params = params();
        let mut later = Later::new(&params, &params.state_rates(), 1.0);
        later.reckon(&params, &params.state_rates(), &[1.0], &outcome(), 0.0);
        assert_eq!((later.keep, later.gain), (vec![1.0; 3], vec![0.0; 9]));
    }

    #[test]
    fn shapley_values_are_those_of_all_sets() {
        let (params, rest) = (params(), 4.0);
        let mut later = Later::new(&params, &params.state_rates(), 1.0);
        later.reckon(&params, &params.state_rates(), &[1.0], &outcome(), rest);
        let hazard = |channel: usize| {
            let fading = params.fading[channel];
            let part = (1.0 - (-fading * rest).exp()) / fading;
            params.effect[channel] * (outcome().stock[channel] * part + params.rate[channel] * (rest - part) / fading)
        };
        for cause in 0..3 {
            let worth = |set: usize| {
                let hazards = (0..3).filter(|channel| set & (1 << channel) != 0).map(hazard).sum::<f64>();
                if set & (1 << cause) != 0 { 1.0 } else { 1.0 - (-0.01 * rest - hazards).exp() }
            };
            for channel in 0..3 {
                let value: f64 = (0..8_usize)
                    .filter(|set| set & (1 << channel) == 0)
                    .map(|set| {
                        [1.0 / 3.0, 1.0 / 6.0, 1.0 / 3.0][set.count_ones() as usize]
                            * (worth(set | 1 << channel) - worth(set))
                    })
                    .sum();
                let got = if channel == cause { later.keep[cause] } else { later.gain[cause * 3 + channel] };
                assert!((got - value).abs() < 1e-12, "{cause} {channel}: {got} instead of {value}");
            }
        }
    }
}
