//! From paths to a chain of windows with counted transitions.
//!
//! The chain is kept backwards, as flows into each state. Counts make that direction exact without solving
//! anything: the flow through a state is the number of times its window was seen. So what is asked of the solvers
//! is not a chance to convert but, for each state, the part q of its flow that came past a removed channel:
//! q = 1 where the state holds the channel, else the mean of q over the inflow, and 0 at START. A removed channel
//! loses Σ conversions(s) q(s). Every term is non-negative, so nothing cancels and small effects keep their digits.
use super::{
    Lost,
    inflows::{Inflow, Inflows},
    ranks::Ranks,
    transitions::Transitions,
};
use crate::{Credit, Result, Stop, sum::Sum};
use hashbrown::HashMap;
use safar_model::{ChannelId, PathRef, Paths};
use std::ops::Range;

pub(in crate::models) struct Chain<'a> {
    pub(in crate::models) channels: usize,
    /// Flows into state s from other states are `starts[s]..starts[s + 1]` of `sources` and `flows`.
    pub(in crate::models) starts: Vec<u32>,
    pub(in crate::models) sources: Vec<u32>,
    pub(in crate::models) flows: Vec<f64>,
    /// States that are entered from START, ascending, and by how much.
    pub(in crate::models) entries: Vec<(u32, f64)>,
    /// States in which paths end, with what ended there.
    pub(in crate::models) ends: Vec<(u32, End)>,
    windows: Windows<'a>,
    /// What paths shorter than the order lose with each channel: each is a state of its own, met once.
    pub(in crate::models) short: Vec<Lost>,
    /// Those paths and what ended there, and the path with no touch where there is one.
    pub(in crate::models) short_ends: Vec<(&'a [ChannelId], End)>,
    /// Conversions and value of all paths with a touch and a count above 0.
    pub(in crate::models) seen: Credit,
    /// Conversions and losses of the same paths.
    pub(in crate::models) people: f64,
}

/// What ends in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::models) struct End {
    pub(in crate::models) conversions: f64,
    pub(in crate::models) value: f64,
    pub(in crate::models) nulls: f64,
}

impl End {
    pub(super) fn of(path: &PathRef<'_>) -> Self {
        Self { conversions: path.conversions, value: path.value, nulls: path.nulls }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.conversions += other.conversions;
        self.value += other.value;
        self.nulls += other.nulls;
    }
}

/// Which channels a state holds.
enum Windows<'a> {
    /// Channels in groups of `bits` bits, the oldest highest.
    Packed { keys: Vec<u64>, bits: u32, order: usize },
    /// Where the window begins among all touches.
    Seen { touches: &'a [ChannelId], at: Vec<usize>, order: usize },
}

impl<'a> Chain<'a> {
    pub(in crate::models) fn count(paths: &'a Paths, channels: usize, order: usize, stop: &Stop) -> Result<Self> {
        let mut chain = Self {
            channels,
            starts: vec![],
            sources: vec![],
            flows: vec![],
            entries: vec![],
            ends: vec![],
            windows: Windows::Seen { touches: &[], at: vec![], order },
            short: vec![],
            short_ends: vec![],
            seen: Credit::default(),
            people: 0.0,
        };
        chain.count_totals(paths, order, stop)?;
        // One code more than channels, for START; and room for the window and the touch before it in 64 bits.
        let bits = usize::BITS - channels.leading_zeros();
        if (order + 1).saturating_mul(bits as usize) <= 64 {
            chain.count_packed(paths, order, bits, stop)?;
        } else {
            chain.count_seen(paths, order, stop)?;
        }
        Ok(chain)
    }

    /// Lets go of flows, once they stand elsewhere, and of all states but `states` and those in which paths end, which are
    /// numbered anew: these are most of the memory.
    pub(super) fn forget(&mut self, states: &mut [u32]) {
        (self.starts, self.sources, self.flows, self.entries) = Default::default();
        let ends = self.ends.iter().map(|(state, _)| *state);
        let kept = Ranks::new(self.states(), states.iter().copied().chain(ends));
        let mut state = 0;
        let mut is_kept = || {
            state += 1;
            kept.holds(state - 1)
        };
        match &mut self.windows {
            Windows::Packed { keys, .. } => {
                keys.retain(|_| is_kept());
                keys.shrink_to_fit();
            }
            Windows::Seen { at, .. } => {
                at.retain(|_| is_kept());
                at.shrink_to_fit();
            }
        }
        states.iter_mut().for_each(|state| *state = kept.place(*state));
        self.ends.iter_mut().for_each(|(state, _)| *state = kept.place(*state));
    }

    /// States of full length.
    pub(in crate::models) fn states(&self) -> usize {
        match &self.windows {
            Windows::Packed { keys, .. } => keys.len(),
            Windows::Seen { at, .. } => at.len(),
        }
    }

    /// The newest touch of `state`.
    pub(super) fn newest(&self, state: usize) -> usize {
        match &self.windows {
            #[expect(clippy::cast_possible_truncation, reason = "a channel's index is below 2^32")]
            Windows::Packed { keys, bits, .. } => (keys[state] & ((1 << bits) - 1)) as usize,
            Windows::Seen { touches, at, order } => touches[at[state] + order - 1].0 as usize,
        }
    }

    /// The flows into `state`, as places in `sources` and `flows`.
    #[inline]
    pub(in crate::models) fn inflows(&self, state: usize) -> Range<usize> {
        self.starts[state] as usize..self.starts[state + 1] as usize
    }

    /// The flow from START into `state`.
    pub(in crate::models) fn entry(&self, state: usize) -> f64 {
        let place = self.entries.binary_search_by_key(&state, |(entered, _)| *entered as usize);
        place.map_or(0.0, |place| self.entries[place].1)
    }

    /// All that flows into `state` but what it keeps.
    pub(in crate::models) fn inflow(&self, state: usize) -> f64 {
        self.flows[self.inflows(state)].iter().sum::<f64>() + self.entry(state)
    }

    /// Calls `f` with each channel that `state` holds, repeats included.
    #[inline]
    pub(in crate::models) fn holds(&self, state: usize, mut f: impl FnMut(usize)) {
        match &self.windows {
            Windows::Packed { keys, bits, order } => {
                let mask = (1 << bits) - 1;
                #[expect(clippy::cast_possible_truncation, reason = "a channel's index is below 2^32")]
                (0..*order).for_each(|place| f((keys[state] >> (place as u32 * bits) & mask) as usize));
            }
            Windows::Seen { touches, at, order } => {
                touches[at[state]..at[state] + order].iter().for_each(|channel| f(channel.0 as usize));
            }
        }
    }

    /// Calls `f` with the window of `state`, oldest touch first.
    pub(super) fn window(&self, state: usize, mut f: impl FnMut(ChannelId)) {
        match &self.windows {
            Windows::Packed { keys, bits, order } => {
                let mask = (1 << bits) - 1;
                #[expect(clippy::cast_possible_truncation, reason = "a channel's index is below 2^32")]
                (0..*order).rev().for_each(|place| f(ChannelId((keys[state] >> (place as u32 * bits) & mask) as u32)));
            }
            Windows::Seen { touches, at, order } => {
                touches[at[state]..at[state] + order].iter().for_each(|channel| f(*channel));
            }
        }
    }

    fn count_totals(&mut self, paths: &'a Paths, order: usize, stop: &Stop) -> Result<()> {
        let mut short = vec![(Sum::default(), Sum::default()); self.channels];
        let mut short_ends = HashMap::<&[ChannelId], usize, foldhash::fast::FixedState>::default();
        let mut end_short = |path: &PathRef<'a>| {
            let at = *short_ends.entry(path.channels).or_insert_with(|| {
                self.short_ends.push((path.channels, End::default()));
                self.short_ends.len() - 1
            });
            self.short_ends[at].1.add(End::of(path));
        };
        let (mut conversions, mut value, mut people) = (Sum::default(), Sum::default(), Sum::default());
        for path in paths.iter().filter(|path| path.conversions + path.nulls > 0.0) {
            stop.check()?;
            if path.channels.is_empty() {
                end_short(&path);
                continue;
            }
            conversions.add(path.conversions);
            value.add(path.value);
            people.add(path.conversions);
            people.add(path.nulls);
            if path.channels.len() >= order {
                continue;
            }
            end_short(&path);
            for (place, channel) in path.channels.iter().enumerate() {
                if !path.channels[..place].contains(channel) {
                    let (conversions, value) = &mut short[channel.0 as usize];
                    conversions.add(path.conversions);
                    value.add(path.value);
                }
            }
        }
        self.seen = Credit { conversions: conversions.get(), value: value.get() };
        self.people = people.get();
        let lost = |(conversions, value): (Sum, Sum)| Lost { conversions: conversions.get(), value: value.get() };
        self.short = short.into_iter().map(lost).collect();
        Ok(())
    }

    /// Windows as numbers: sorting them brings equal transitions together and gives the states an order in which the
    /// sources of neighbours are neighbours (all windows `?bcd` lead to `bcd?`). Where there are many, a stretch of them
    /// is counted at a time, so that what is sorted stays small beside what is kept.
    fn count_packed(&mut self, paths: &Paths, order: usize, bits: u32, stop: &Stop) -> Result<()> {
        let start = self.channels as u64;
        let transitions = Transitions::new(paths, order, bits, start, stop);
        let top = transitions.width - bits;
        let source = |target: u64, before: u64| before << top | target >> bits;
        let stretches = transitions.stretches()?;
        // What grows step by step leaves holes behind; what is reserved and not used takes no memory.
        let most = transitions.different_most(stretches.iter().map(|(_, many)| many).sum());
        let mut keys = Vec::with_capacity(most);
        self.starts.reserve(most + 1);
        self.sources.reserve(most);
        self.flows.reserve(most);
        for stretch in stretches {
            for Inflow { key, flow } in transitions.counted(stretch)? {
                let (target, before) = (key >> bits, key & ((1 << bits) - 1));
                if keys.last() != Some(&target) {
                    self.next_state();
                    keys.push(target);
                }
                if before == start {
                    self.add_entry(flow);
                } else if source(target, before) != target {
                    #[expect(clippy::cast_possible_truncation, reason = "a channel's index is below 2^32")]
                    self.add_inflow(before as u32, flow);
                }
            }
        }
        self.next_state();
        // So far the sources are the touches before. Those of ascending targets that share one ascend too: a cursor for each.
        let mut cursors: Vec<usize> = (0..start).map(|first| keys.partition_point(|key| *key < first << top)).collect();
        for (target, bounds) in keys.iter().zip(self.starts.windows(2)) {
            stop.check()?;
            for before in &mut self.sources[bounds[0] as usize..bounds[1] as usize] {
                let (source, cursor) = (source(*target, u64::from(*before)), &mut cursors[*before as usize]);
                while keys[*cursor] < source {
                    *cursor += 1;
                }
                *before = state_id(*cursor);
            }
        }
        let index = KeyIndex::new(&keys, transitions.width);
        let ends = transitions.ends().map(|(window, end)| (index.find(&keys, window), end));
        self.ends = sum_ends(keys.len(), ends, stop)?;
        self.windows = Windows::Packed { keys, bits, order };
        Ok(())
    }

    /// Windows too long for one number: numbered by what they are made of, a window of one touch less and a touch.
    fn count_seen(&mut self, paths: &'a Paths, order: usize, stop: &Stop) -> Result<()> {
        let touches = paths.touches();
        let long = || {
            let mut end = 0;
            let spans = paths.iter().map(move |path| {
                end += path.channels.len();
                (end - path.channels.len()..end, path)
            });
            spans.filter(|(span, path)| span.len() >= order && path.conversions + path.nulls > 0.0)
        };
        let mut ids: Vec<u32> = touches.iter().map(|channel| channel.0).collect();
        let mut at = vec![];
        for length in 1..=order {
            let mut known = HashMap::<(u32, u32), u32, foldhash::fast::FixedState>::default();
            at.clear();
            for (span, _) in long() {
                stop.check()?;
                for place in (span.start + length - 1..span.end).rev() {
                    let shorter = if length == 1 { 0 } else { ids[place - 1] };
                    #[expect(clippy::cast_possible_truncation, reason = "fewer windows than 2^32")]
                    let next = known.len() as u32;
                    ids[place] = *known.entry((shorter, touches[place].0)).or_insert_with(|| {
                        at.push(place + 1 - length);
                        next
                    });
                }
            }
        }
        let mut inflows = Inflows::with_bits(64, touches.len());
        for (span, path) in long() {
            stop.check()?;
            let flow = path.conversions + path.nulls;
            let mut source = 0;
            for id in &ids[span.start + order - 1..span.end] {
                inflows.add(u64::from(*id) << 32 | source, flow);
                source = u64::from(*id) + 1;
            }
        }
        for Inflow { key, flow } in inflows.finish(stop)? {
            if (key >> 32) as usize == self.starts.len() {
                self.next_state();
            }
            match (key & u64::from(u32::MAX)) as usize {
                0 => self.add_entry(flow),
                // A flow from a state into itself changes no mean.
                source if source == self.starts.len() => {}
                source => self.add_inflow(state_id(source - 1), flow),
            }
        }
        self.next_state();
        let ends = long().map(|(span, path)| (ids[span.end - 1] as usize, End::of(&path)));
        self.ends = sum_ends(at.len(), ends, stop)?;
        self.windows = Windows::Seen { touches, at, order };
        Ok(())
    }

    /// Begins the first or the next state, or ends the last one.
    fn next_state(&mut self) {
        self.starts.push(state_id(self.sources.len()));
    }

    /// Into the state that was begun last.
    fn add_entry(&mut self, flow: f64) {
        self.entries.push((state_id(self.starts.len() - 1), flow));
    }

    fn add_inflow(&mut self, source: u32, flow: f64) {
        self.sources.push(source);
        self.flows.push(flow);
    }
}

/// What ends in each state, summed; states where nothing ends are left out.
fn sum_ends(states: usize, ends: impl Iterator<Item = (usize, End)>, stop: &Stop) -> Result<Vec<(u32, End)>> {
    const NONE: u32 = u32::MAX;
    let most = ends.size_hint().1.unwrap_or_default().min(states);
    let (mut places, mut sums) = (vec![NONE; states], Vec::with_capacity(most));
    for (state, end) in ends {
        stop.check()?;
        if places[state] == NONE {
            places[state] = state_id(sums.len());
            sums.push((state_id(state), End::default()));
        }
        sums[places[state] as usize].1.add(end);
    }
    sums.sort_unstable_by_key(|(state, _)| *state);
    Ok(sums)
}

/// States, and what there is once a state, are fewer than 2^32: each takes part in a path that is in memory.
#[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32")]
fn state_id(of: usize) -> u32 {
    of as u32
}

/// Finds sorted keys by their highest bits.
struct KeyIndex {
    first: Vec<u32>,
    shift: u32,
}

impl KeyIndex {
    fn new(keys: &[u64], width: u32) -> Self {
        let bits = (usize::BITS - keys.len().leading_zeros()).saturating_sub(2).min(width);
        let shift = width - bits;
        #[expect(clippy::cast_possible_truncation, reason = "fewer states than 2^32")]
        let mut first = vec![keys.len() as u32; (1 << bits) + 1];
        for (index, key) in (0_u32..).zip(keys) {
            let slot = &mut first[Self::slot(*key, shift)];
            *slot = index.min(*slot);
        }
        for slot in (0..1 << bits).rev() {
            first[slot] = first[slot].min(first[slot + 1]);
        }
        Self { first, shift }
    }

    #[expect(clippy::cast_possible_truncation, reason = "no more bits than an index of keys has")]
    fn slot(key: u64, shift: u32) -> usize {
        if shift >= 64 { 0 } else { (key >> shift) as usize }
    }

    /// The index of `key`, which is there.
    fn find(&self, keys: &[u64], key: u64) -> usize {
        let slot = Self::slot(key, self.shift);
        let (low, high) = (self.first[slot] as usize, self.first[slot + 1] as usize);
        low + keys[low..high].partition_point(|other| *other < key)
    }
}
