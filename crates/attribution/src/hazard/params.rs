//! What is learned.
use super::{exp::exp, settings::Role, state::Grid};

/// The parameters of the model; rates are per day. Tables are by source or kind, then channel.
#[derive(Clone, Debug)]
pub(super) struct Params {
    pub(super) channels: usize,
    pub(super) seasons: usize,
    /// Rate of touches at intent 0.
    pub(super) rate: Vec<f64>,
    /// How their log grows with intent.
    pub(super) by_intent: Vec<f64>,
    /// By how much they are multiplied after the first landing.
    pub(super) after: Vec<f64>,
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
}

impl Params {
    /// Whether the source's stock may lift the target.
    pub(super) fn may_lift(&self, source: usize, target: usize) -> bool {
        source != target && self.roles[source].lifts() && self.roles[target].is_lifted()
    }

    /// [channel × states + state]: rates of touches without what changes in time; then of conversions.
    pub(super) fn state_rates(&self) -> Vec<f64> {
        let intents = self.grid.intents(self.spread);
        let rows = (0..self.channels).map(|c| (self.rate[c], self.by_intent[c]));
        rows.chain([(self.base, self.base_by_intent)])
            .flat_map(|(rate, slope)| intents.iter().map(move |z| rate * exp(slope * z)))
            .collect()
    }
}
