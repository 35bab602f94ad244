//! How paths end: the odds between a conversion and a loss, out of the state in which a path ended.
use super::chain::{Chain, End};
use crate::{Result, Stop};
use hashbrown::HashMap;
use safar_model::ChannelId;
use std::sync::OnceLock;

/// What ended in each state of a chain; the table to look states up in is made when it is first asked for.
pub(super) struct Exits {
    order: usize,
    /// The windows of all states in which paths end, one after another.
    touches: Vec<ChannelId>,
    /// The end of each window in `touches`, and what ended there.
    ends: Vec<(usize, End)>,
    contexts: OnceLock<Contexts>,
}

type Table = HashMap<Vec<ChannelId>, End, foldhash::fast::FixedState>;

#[derive(Default)]
struct Contexts {
    /// Of paths with a touch.
    all: End,
    /// By the last touches of a path, up to as many as the order.
    recent: Table,
    /// By whole paths shorter than the order.
    whole: Table,
}

impl Exits {
    pub(super) fn new(chain: &Chain<'_>, order: usize, stop: &Stop) -> Result<Self> {
        let mut exits = Self { order, touches: vec![], ends: vec![], contexts: OnceLock::new() };
        for (state, end) in &chain.ends {
            stop.check()?;
            chain.window(*state as usize, |channel| exits.touches.push(channel));
            exits.ends.push((exits.touches.len(), *end));
        }
        for (path, end) in &chain.short_ends {
            exits.touches.extend_from_slice(path);
            exits.ends.push((exits.touches.len(), *end));
        }
        Ok(exits)
    }

    fn contexts(&self) -> Contexts {
        let mut contexts = Contexts::default();
        let mut start = 0;
        for (until, end) in &self.ends {
            let window = &self.touches[start..*until];
            start = *until;
            if !window.is_empty() {
                contexts.all.add(*end);
            }
            for first in 0..window.len() {
                contexts.recent.entry_ref(&window[first..]).or_default().add(*end);
            }
            if window.len() < self.order {
                contexts.whole.entry_ref(window).or_default().add(*end);
            }
        }
        contexts
    }

    /// The chance that a path that ended as `path` did ended in a conversion.
    pub(super) fn probability(&self, path: &[ChannelId]) -> f64 {
        let contexts = self.contexts.get_or_init(|| self.contexts());
        let mut chance = towards(0.5, contexts.all.conversions, contexts.all.nulls);
        for first in (path.len().saturating_sub(self.order)..path.len()).rev() {
            // Where a context was never seen, no longer one was.
            let Some(seen) = contexts.recent.get(&path[first..]) else { return chance };
            chance = towards(chance, seen.conversions, seen.nulls);
        }
        let whole = if path.len() < self.order { contexts.whole.get(path) } else { None };
        whole.map_or(chance, |seen| towards(chance, seen.conversions, seen.nulls))
    }
}

/// The rate of conversions in a context, drawn towards what the shorter context says with the weight of one person.
/// Never quite 0 or 1, so that its logarithm is a number.
pub(super) fn towards(shorter: f64, conversions: f64, nulls: f64) -> f64 {
    ((conversions + shorter) / (conversions + nulls + 1.0)).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0)
}
