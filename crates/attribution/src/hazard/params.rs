//! What is learned.
use super::{Role, exp::exp, state::Grid};

/// The parameters of the model; rates are per day. Tables are by source or kind, then channel.
#[derive(Clone, Debug)]
pub(super) struct Params {
    pub(super) channels: usize,
    pub(super) seasons: usize,
    /// Kinds of touch: one for each channel, and another for those that follow people, after their first landing.
    pub(super) kinds: usize,
    /// [channel × 2 + landed]: the kind.
    pub(super) kind: Vec<usize>,
    /// By kind: how much a touch tells of intent, for one of a process without memory. Touches that come in bursts tell less.
    pub(super) trust: Vec<f64>,
    /// By kind: rate of touches at intent 0.
    pub(super) rate: Vec<f64>,
    /// How their log grows with intent.
    pub(super) by_intent: Vec<f64>,
    /// [source × channels + target]: by how much a unit of the source's stock multiplies them, over 1.
    pub(super) lift: Vec<f64>,
    /// Rate of conversion at intent 0 without any touch.
    pub(super) base: f64,
    /// How its log grows with intent.
    pub(super) base_by_intent: f64,
    /// What a unit of stock adds to the rate of conversion.
    pub(super) effect: Vec<f64>,
    /// How fast stock fades.
    pub(super) fading: Vec<f64>,
    /// [channel × seasons + season]; the last channel stands for conversions.
    pub(super) season: Vec<f64>,
    /// How far moods lie apart.
    pub(super) spread: f64,
    /// Chance, each step, that a coin of the mood is turned.
    pub(super) turn: f64,
    pub(super) grid: Grid,
    pub(super) roles: Vec<Role>,
    /// By target: its possible sources.
    pub(super) sources: Vec<Vec<usize>>,
    /// The targets that have sources; each is of one kind, landed or not.
    pub(super) lifted: Vec<usize>,
}

impl Params {
    /// All that is learned as one list, in which sums make sense: logs of what is positive.
    pub(super) fn list(&self) -> Vec<f64> {
        let logs = [&self.rate, &self.lift, &self.effect, &self.fading, &self.season];
        let mut list: Vec<f64> = logs.into_iter().flatten().map(|x| libm::log(x.max(1e-12))).collect();
        list.extend([libm::log(self.base.max(1e-12)), self.base_by_intent, self.spread, libm::log(self.turn)]);
        list.extend(&self.by_intent);
        list
    }

    /// Takes what [`Params::list`] gave, somewhat changed.
    pub(super) fn take(&mut self, list: &[f64]) {
        let mut list = list.iter().copied();
        let logs = [&mut self.rate, &mut self.lift, &mut self.effect, &mut self.fading, &mut self.season];
        for x in logs.into_iter().flatten() {
            let log = list.next().unwrap_or_default();
            *x = if log < -27.0 { 0.0 } else { exp(log.min(50.0)) };
        }
        let mut next = || list.next().unwrap_or_default();
        self.base = exp(next());
        self.base_by_intent = next();
        self.spread = next().clamp(0.0, 3.0);
        self.turn = exp(next()).min(0.5);
        self.by_intent.iter_mut().for_each(|x| *x = next().clamp(-5.0, 5.0));
    }

    /// [kind × states + state]: rates of touches without what changes in time; then of conversions.
    pub(super) fn state_rates(&self) -> Vec<f64> {
        let intents = self.grid.intents(self.spread);
        let rows = (0..self.kinds).map(|c| (self.rate[c], self.by_intent[c]));
        rows.chain([(self.base, self.base_by_intent)])
            .flat_map(|(rate, slope)| intents.iter().map(move |z| rate * exp(slope * z)))
            .collect()
    }

    /// By how much a channel's touches are more frequent after the first landing, at intent 0.
    pub(super) fn after(&self, channel: usize) -> f64 {
        let [before, after] = [0, 1].map(|landed| self.rate[self.kind[channel * 2 + landed]]);
        if before > 0.0 { after / before } else { 1.0 }
    }
}
