//! From paths to a chain of windows with counted transitions.
//!
//! The chain is kept backwards, as flows into each state. Counts make that direction exact without solving
//! anything: the flow through a state is the number of times its window was seen. So what is asked of the solvers
//! is not a chance to convert but, for each state, the part q of its flow that came past a removed channel:
//! q = 1 where the state holds the channel, else the mean of q over the inflow, and 0 at START. A removed channel
//! loses Σ conversions(s) q(s). Every term is non-negative, so nothing cancels and small effects keep their digits.
use super::Lost;
use crate::{Credit, sum::Sum};
use hashbrown::HashMap;
use safar_model::{ChannelId, PathRef, Paths};
use std::ops::Range;

pub(in crate::models) struct Chain<'a> {
    pub(in crate::models) channels: usize,
    /// Flows into state s from other states are `starts[s]..starts[s + 1]` of `sources` and `flows`.
    pub(in crate::models) starts: Vec<u32>,
    pub(in crate::models) sources: Vec<u32>,
    pub(in crate::models) flows: Vec<f64>,
    /// Flow from START into each state.
    pub(in crate::models) entries: Vec<f64>,
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
    fn of(path: &PathRef<'_>) -> Self {
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

/// A transition into a state: its key sorts by target first.
#[derive(Clone, Copy, Default)]
struct Inflow {
    key: u64,
    flow: f64,
}

impl<'a> Chain<'a> {
    pub(in crate::models) fn count(paths: &'a Paths, channels: usize, order: usize) -> Self {
        let mut chain = Self {
            channels,
            starts: vec![0],
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
        chain.count_totals(paths, order);
        // One code more than channels, for START; and room for the window and the touch before it in 64 bits.
        let bits = usize::BITS - channels.leading_zeros();
        if (order + 1).saturating_mul(bits as usize) <= 64 {
            chain.count_packed(paths, order, bits);
        } else {
            chain.count_seen(paths, order);
        }
        chain
    }

    /// Lets go of the flows, which are most of the memory, once they stand elsewhere.
    pub(in crate::models) fn forget_flows(&mut self) {
        (self.starts, self.sources, self.flows, self.entries) = (vec![0], vec![], vec![], vec![]);
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

    fn count_totals(&mut self, paths: &'a Paths, order: usize) {
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
    }

    /// Windows as numbers: sorting them brings equal transitions together and gives the states an order in which the
    /// sources of neighbours are neighbours (all windows `?bcd` lead to `bcd?`).
    fn count_packed(&mut self, paths: &Paths, order: usize, bits: u32) {
        let long = || {
            let counted = |path: &PathRef<'_>| path.conversions + path.nulls > 0.0;
            paths.iter().filter(move |path| path.channels.len() >= order && counted(path))
        };
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        let width = order as u32 * bits;
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        let start = self.channels as u64;
        let roll = |key: u64, channel: ChannelId| (key << bits | u64::from(channel.0)) & mask;
        let mut inflows = Inflows::with_bits(width + bits, paths.touchpoints());
        for path in long() {
            let flow = path.conversions + path.nulls;
            let mut key = path.channels[..order].iter().fold(0, |key, channel| roll(key, *channel));
            inflows.add(key << bits | start, flow);
            for (channel, before) in path.channels[order..].iter().zip(path.channels) {
                key = roll(key, *channel);
                inflows.add(key << bits | u64::from(before.0), flow);
            }
        }
        let inflows = inflows.finish();
        let mut keys: Vec<u64> = inflows.iter().map(|inflow| inflow.key >> bits).collect();
        keys.dedup();
        // The sources of ascending targets that share the touch before ascend too: one cursor for each such touch.
        let top = width - bits;
        let mut cursors: Vec<usize> = (0..start).map(|first| keys.partition_point(|key| *key < first << top)).collect();
        self.entries.reserve_exact(keys.len());
        self.sources.reserve_exact(inflows.len());
        self.flows.reserve_exact(inflows.len());
        let mut last = None;
        for Inflow { key, flow } in inflows {
            let (target, before) = (key >> bits, key & ((1 << bits) - 1));
            if last != Some(target) {
                self.open_state();
                last = Some(target);
            }
            if before == start {
                self.add_entry(flow);
                continue;
            }
            let source = before << top | target >> bits;
            #[expect(clippy::cast_possible_truncation, reason = "below the number of channels")]
            let cursor = &mut cursors[before as usize];
            while keys[*cursor] < source {
                *cursor += 1;
            }
            let source = *cursor;
            self.add_inflow(source, flow);
        }
        self.close_states();
        let index = KeyIndex::new(&keys, width);
        let ends = long().map(|path| {
            let key = path.channels[path.channels.len() - order..].iter().fold(0, |key, channel| roll(key, *channel));
            (index.find(&keys, key), End::of(&path))
        });
        self.ends = sum_ends(keys.len(), ends);
        self.windows = Windows::Packed { keys, bits, order };
    }

    /// Windows too long for one number: numbered by what they are made of, a window of one touch less and a touch.
    fn count_seen(&mut self, paths: &'a Paths, order: usize) {
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
            let flow = path.conversions + path.nulls;
            let mut source = 0;
            for id in &ids[span.start + order - 1..span.end] {
                inflows.add(u64::from(*id) << 32 | source, flow);
                source = u64::from(*id) + 1;
            }
        }
        for Inflow { key, flow } in inflows.finish() {
            if (key >> 32) as usize == self.entries.len() {
                self.open_state();
            }
            match (key & u64::from(u32::MAX)) as usize {
                0 => self.add_entry(flow),
                source => self.add_inflow(source - 1, flow),
            }
        }
        self.close_states();
        let ends = long().map(|(span, path)| (ids[span.end - 1] as usize, End::of(&path)));
        self.ends = sum_ends(at.len(), ends);
        self.windows = Windows::Seen { touches, at, order };
    }

    fn open_state(&mut self) {
        if !self.entries.is_empty() {
            #[expect(clippy::cast_possible_truncation, reason = "fewer transitions than 2^32")]
            self.starts.push(self.sources.len() as u32);
        }
        self.entries.push(0.0);
    }

    fn add_entry(&mut self, flow: f64) {
        if let Some(entry) = self.entries.last_mut() {
            *entry += flow;
        }
    }

    /// A flow from a state into itself changes no mean and is left out.
    fn add_inflow(&mut self, source: usize, flow: f64) {
        if source + 1 != self.entries.len() {
            #[expect(clippy::cast_possible_truncation, reason = "fewer states than 2^32")]
            self.sources.push(source as u32);
            self.flows.push(flow);
        }
    }

    fn close_states(&mut self) {
        if !self.entries.is_empty() {
            #[expect(clippy::cast_possible_truncation, reason = "fewer transitions than 2^32")]
            self.starts.push(self.sources.len() as u32);
        }
    }
}

/// What ends in each state, summed; states where nothing ends are left out.
fn sum_ends(states: usize, ends: impl Iterator<Item = (usize, End)>) -> Vec<(u32, End)> {
    let mut sums = vec![End::default(); states];
    ends.for_each(|(state, end)| sums[state].add(end));
    (0_u32..).zip(sums).filter(|(_, end)| *end != End::default()).collect()
}

/// Flows by key: in a table where keys are small, else sorted.
enum Inflows {
    Table(Vec<f64>),
    List { list: Vec<Inflow>, bits: u32 },
}

/// Keys below 2^22 are a table of 32 MB at most.
const TABLE_BITS: u32 = 22;

impl Inflows {
    fn with_bits(bits: u32, at_most: usize) -> Self {
        if bits <= TABLE_BITS && 1 << bits <= at_most.saturating_mul(16) {
            Self::Table(vec![0.0; 1 << bits])
        } else {
            Self::List { list: Vec::new(), bits }
        }
    }

    #[inline]
    fn add(&mut self, key: u64, flow: f64) {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "below 2^22")]
            Self::Table(table) => table[key as usize] += flow,
            Self::List { list, .. } => list.push(Inflow { key, flow }),
        }
    }

    /// Ascending by key, each key once.
    fn finish(self) -> Vec<Inflow> {
        match self {
            Self::Table(table) => {
                let flows = (0..).zip(table).filter(|(_, flow)| *flow != 0.0);
                flows.map(|(key, flow)| Inflow { key, flow }).collect()
            }
            Self::List { list, bits } => {
                let mut list = sort(list, bits);
                list.dedup_by(|next, kept| {
                    let same = next.key == kept.key;
                    if same {
                        kept.flow += next.flow;
                    }
                    same
                });
                list
            }
        }
    }
}

/// Sorts by key, least significant digit first; equal keys stay in order. Keys are below 2^bits.
fn sort(mut list: Vec<Inflow>, bits: u32) -> Vec<Inflow> {
    const DIGIT: u32 = 11;
    if list.len() < 1 << DIGIT {
        list.sort_by_key(|inflow| inflow.key);
        return list;
    }
    let mut other = vec![Inflow::default(); list.len()];
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit = |inflow: &Inflow| (inflow.key >> shift & ((1 << DIGIT) - 1)) as usize;
        let mut places = [0_usize; 1 << DIGIT];
        list.iter().for_each(|inflow| places[digit(inflow)] += 1);
        if places.contains(&list.len()) {
            continue;
        }
        let mut before = 0;
        for place in &mut places {
            before += std::mem::replace(place, before);
        }
        for inflow in &list {
            let place = &mut places[digit(inflow)];
            other[*place] = *inflow;
            *place += 1;
        }
        std::mem::swap(&mut list, &mut other);
    }
    list
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
