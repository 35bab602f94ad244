//! Transitions between windows that fit into a number.
use super::{
    chain::End,
    inflows::{Inflow, Inflows, TABLE_BITS},
};
use crate::{Result, Stop};
use safar_model::{ChannelId, PathRef, Paths};
use std::ops::RangeInclusive;

/// Those of all paths with a whole window and a count above 0.
pub(super) struct Transitions<'a> {
    paths: &'a Paths,
    stop: &'a Stop,
    order: usize,
    /// Of a channel: a window holds the oldest highest.
    bits: u32,
    /// Of a window.
    pub(super) width: u32,
    mask: u64,
    /// Stands for START where a channel stands otherwise.
    pub(super) start: u64,
}

/// Transitions that are sorted at once, where more than that are not many times as many.
const STRETCH: usize = 1 << 20;
const STRETCHES: usize = 8;
/// Stretches end where the highest bits of a window change.
const STRETCH_BITS: u32 = 14;

impl<'a> Transitions<'a> {
    pub(super) fn new(paths: &'a Paths, order: usize, bits: u32, start: u64, stop: &'a Stop) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        let width = order as u32 * bits;
        Self { paths, stop, order, bits, width, mask: u64::MAX.checked_shr(64 - width).unwrap_or(0), start }
    }

    fn long(&self) -> impl Iterator<Item = PathRef<'a>> {
        let order = self.order;
        let counted = |path: &PathRef<'_>| path.conversions + path.nulls > 0.0;
        self.paths.iter().filter(move |path| path.channels.len() >= order && counted(path))
    }

    #[inline]
    fn roll(&self, key: u64, channel: ChannelId) -> u64 {
        (key << self.bits | u64::from(channel.0)) & self.mask
    }

    fn window(&self, channels: &[ChannelId]) -> u64 {
        channels.iter().fold(0, |key, channel| self.roll(key, *channel))
    }

    /// Calls `with` for each transition: the window it leads to, the touch before that window or `start`, and its flow.
    #[inline]
    fn each(&self, mut with: impl FnMut(u64, u64, f64)) -> Result<()> {
        for path in self.long() {
            self.stop.check()?;
            let flow = path.conversions + path.nulls;
            let mut key = self.window(&path.channels[..self.order]);
            with(key, self.start, flow);
            for (channel, before) in path.channels[self.order..].iter().zip(path.channels) {
                key = self.roll(key, *channel);
                with(key, u64::from(before.0), flow);
            }
        }
        Ok(())
    }

    /// The windows in which paths end, and what ends there.
    pub(super) fn ends(&self) -> impl Iterator<Item = (u64, End)> {
        self.long().map(|path| (self.window(&path.channels[path.channels.len() - self.order..]), End::of(&path)))
    }

    /// How many different ones `many` can be at most.
    pub(super) fn different_most(&self, many: usize) -> usize {
        1_usize.checked_shl(self.width + self.bits).map_or(many, |all| all.min(many))
    }

    /// Those that lead to a stretch of windows, counted; keys are the window and then the touch before it, ascending.
    pub(super) fn counted(&self, (stretch, many): (RangeInclusive<u64>, usize)) -> Result<Vec<Inflow>> {
        let mut inflows = Inflows::with_bits(self.width + self.bits, many);
        self.each(|target, before, flow| {
            if stretch.contains(&target) {
                inflows.add(target << self.bits | before, flow);
            }
        })?;
        inflows.finish(self.stop)
    }

    /// Cuts the windows into stretches, ascending, with how many transitions lead to each at most.
    pub(super) fn stretches(&self) -> Result<Vec<(RangeInclusive<u64>, usize)>> {
        let touches = self.paths.touchpoints();
        if self.width + self.bits <= TABLE_BITS || touches <= STRETCH {
            return Ok(vec![(0..=u64::MAX, touches)]);
        }
        let shift = self.width.saturating_sub(STRETCH_BITS);
        let mut counts = vec![0; 1 << (self.width - shift)];
        #[expect(clippy::cast_possible_truncation, reason = "below 2^14")]
        self.each(|target, _, _| counts[(target >> shift) as usize] += 1)?;
        let most = STRETCH.max(counts.iter().sum::<usize>().div_ceil(STRETCHES));
        let (mut stretches, mut first, mut many) = (vec![], 0, 0);
        for (slot, count) in (0..).zip(counts) {
            if many > 0 && many + count > most {
                let next: u64 = slot << shift;
                stretches.push((first..=next - 1, many));
                (first, many) = (next, 0);
            }
            many += count;
        }
        stretches.push((first..=u64::MAX, many));
        Ok(stretches)
    }
}
