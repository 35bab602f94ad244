//! Large chains: Gauss–Seidel sweeps, sped up by coarse corrections, until only rounding changes.
//!
//! Where a coarse correction does not help enough (the chain remembers for long what its newest touch does not tell),
//! BiCGSTAB (van der Vorst 1992) does, which needs several more numbers a node.
//!
//! All channels share the flows; only the states at which q is fixed to 1 differ. Several channels side by side, the
//! lanes, share the walk over the flows, which costs most.
use super::{Lost, chain::Chain, coarse::Coarse, reduced::Reduced};
use crate::{Result, Solver, Stop, sum::Sum};
use rayon::prelude::*;
use std::ops::Range;

/// Lanes of a chain of usual size: as many numbers as fill a cache line.
const WIDE: usize = 8;
/// Lanes of a chain of more nodes than this, so that a thread needs 64 MB for 2 million nodes.
const NARROW: usize = 4;
const WIDE_MAX: usize = 500_000;

/// One number for each lane.
type Lane<const LANES: usize> = [f64; LANES];
/// The same where it is stored: 4 lanes do not fall on two cache lines.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct Aligned<const LANES: usize>(pub(super) Lane<LANES>);

/// The same, half as wide: what BiCGSTAB is made of.
type Half<const LANES: usize> = [f32; LANES];

/// Remaining relative error at which a block is done.
const TOLERANCE: f64 = 1e-13;
/// A relative change of this size is rounding.
const NOISE: f64 = 4e-16;
/// Sweeps before the first acceleration, between accelerations that fail, and at most.
const SWEEPS_FIRST: usize = 6;
const SWEEPS_STALLED: usize = 50;
const SWEEPS_MAX: usize = 100_000;
/// What a round of coarse correction and sweeps must leave of the error at most, or BiCGSTAB takes over.
const COARSE_HELPS: f64 = 0.5;
/// Steps of one acceleration at most, and how far the square of the residual falls in it: its numbers have 24 bits.
const STEPS_MAX: usize = 40;
const FALL_SQUARED: f64 = 1e-11;

/// What each channel's removal loses.
pub(super) fn lost(chain: &mut Chain<'_>, order: usize, stop: &Stop) -> Result<(Vec<Lost>, Solver)> {
    let mut reduced = Reduced::new(chain, order, stop)?;
    chain.forget(&mut reduced.states);
    let is_large = reduced.states.len() > WIDE_MAX;
    if is_large { solve::<NARROW>(chain, &reduced, stop) } else { solve::<WIDE>(chain, &reduced, stop) }
}

pub(super) fn solve<const LANES: usize>(
    chain: &Chain<'_>,
    reduced: &Reduced,
    stop: &Stop,
) -> Result<(Vec<Lost>, Solver)> {
    let blocks: Vec<_> = (0..chain.channels).step_by(LANES).collect();
    let solve = |first| Block::<LANES>::new(chain, reduced, first, stop)?.solve(chain);
    let solved: Vec<_> = blocks.into_par_iter().map(solve).collect::<Result<_>>()?;
    let sweeps = solved.iter().map(|(_, sweeps, _)| *sweeps).max().unwrap_or(0);
    let residual = solved.iter().map(|(_, _, residual)| *residual).fold(0.0, f64::max);
    let lost = solved.into_iter().flat_map(|(lost, ..)| lost).take(chain.channels).collect();
    Ok((lost, Solver::Iterative { sweeps, residual }))
}

/// What was done last to bring the error down.
#[derive(Clone, Copy, PartialEq)]
enum Round {
    Sweeps,
    Coarse,
    Krylov,
}

/// A few channels and the whole chain.
struct Block<'a, const LANES: usize> {
    graph: &'a Reduced,
    first: usize,
    /// By node, one bit for each lane whose channel it holds.
    held: Vec<u8>,
    sweeps: usize,
    stop: &'a Stop,
}

impl<'a, const LANES: usize> Block<'a, LANES> {
    fn new(chain: &Chain<'_>, graph: &'a Reduced, first: usize, stop: &'a Stop) -> Result<Self> {
        let mut of = Vec::with_capacity(graph.states.len());
        let state = |node: usize| graph.states[node] as usize;
        stop.each(0..graph.states.len(), |node| of.push(held::<LANES>(chain, state(node), first)))?;
        Ok(Self { graph, first, held: of, sweeps: 0, stop })
    }

    fn solve(mut self, chain: &Chain<'_>) -> Result<([Lost; LANES], usize, f64)> {
        let nodes = self.held.len();
        let mut q: Vec<Aligned<LANES>> =
            self.held.iter().map(|held| Aligned(lanes(|lane| f64::from(held >> lane & 1)))).collect();
        self.sweep(0..self.graph.core.start, &mut q)?;
        let residual = self.settle(&mut q)?;
        self.sweep(self.graph.core.end..nodes, &mut q)?;
        let mut sums = [(Sum::default(), Sum::default()); LANES];
        for ((state, end), node) in chain.ends.iter().zip(&self.graph.ends) {
            self.stop.check()?;
            let own = held::<LANES>(chain, *state as usize, self.first);
            for (lane, (conversions, value)) in sums.iter_mut().enumerate() {
                let q = if own >> lane & 1 == 1 { 1.0 } else { q[*node as usize].0[lane] };
                conversions.add(end.conversions * q);
                value.add(end.value * q);
            }
        }
        let lost = sums.map(|(conversions, value)| Lost { conversions: conversions.get(), value: value.get() });
        Ok((lost, self.sweeps, residual))
    }

    /// Finds q on the core; returns an estimate of the remaining relative error.
    fn settle(&mut self, q: &mut [Aligned<LANES>]) -> Result<f64> {
        let core = self.graph.core.clone();
        if core.is_empty() {
            return Ok(0.0);
        }
        (1..SWEEPS_FIRST).try_for_each(|_| self.sweep(core.clone(), q))?;
        let mut before = self.sweep_measured(q, |_, _| {})?;
        let mut coarse = None;
        let mut last = Round::Sweeps;
        // What one sweep leaves of the slowest part of the error.
        let mut slowest: f64 = 0.0;
        loop {
            let now = self.sweep_measured(q, |_, _| {})?;
            let fall = now / before;
            if last == Round::Sweeps && fall < 1.0 && now > NOISE {
                slowest = slowest.max(fall);
            }
            let error = now / (1.0 - slowest);
            if now <= NOISE || error <= TOLERANCE || self.sweeps >= SWEEPS_MAX {
                return Ok(error);
            }
            before = now;
            last = match last {
                Round::Sweeps if coarse.is_none() => Round::Coarse,
                Round::Coarse if fall < COARSE_HELPS => Round::Coarse,
                Round::Krylov if fall >= 0.5 => Round::Sweeps,
                _ => Round::Krylov,
            };
            match last {
                Round::Coarse => {
                    let small = match &coarse {
                        Some(small) => small,
                        None => coarse.insert(Coarse::new(self.graph, &self.held, self.stop)?),
                    };
                    small.correct(self.graph, &self.held, q, |node, q| self.next(node, q), self.stop)?;
                    self.sweeps += 1;
                    self.sweep(core.clone(), q)?;
                }
                Round::Krylov => self.accelerate(q)?,
                Round::Sweeps => {
                    (0..SWEEPS_STALLED).try_for_each(|_| self.sweep(core.clone(), q))?;
                    before = self.sweep_measured(q, |_, _| {})?;
                }
            }
        }
    }

    /// Sets every node to the mean of its inflow.
    fn sweep(&mut self, nodes: Range<usize>, q: &mut [Aligned<LANES>]) -> Result<()> {
        self.sweeps += 1;
        self.stop.each(nodes, |node| q[node].0 = self.next(node, q))
    }

    /// The same on the core, telling `keep` each change. Returns the largest change of a lane over its size, both
    /// weighted by flow.
    fn sweep_measured(&mut self, q: &mut [Aligned<LANES>], mut keep: impl FnMut(usize, Lane<LANES>)) -> Result<f64> {
        self.sweeps += 1;
        let (mut changed, mut size) = ([0.0; LANES], [0.0; LANES]);
        self.stop.each(self.graph.core.clone(), |node| {
            let next = self.next(node, q);
            let total = self.graph.totals[node - self.graph.core.start];
            let by: Lane<LANES> = std::array::from_fn(|lane| next[lane] - q[node].0[lane]);
            keep(node, by);
            for lane in 0..LANES {
                changed[lane] += total * by[lane].abs();
                size[lane] += total * next[lane];
            }
            q[node].0 = next;
        })?;
        let parts = changed.into_iter().zip(size).filter(|(_, size)| *size > 0.0);
        Ok(parts.map(|(changed, size)| changed / size).fold(0.0, f64::max))
    }

    #[inline(always)]
    fn next(&self, node: usize, q: &[Aligned<LANES>]) -> Lane<LANES> {
        let edges = self.graph.inflows(node);
        let mut mean = [0.0; LANES];
        for (source, part) in self.graph.sources[edges.clone()].iter().zip(&self.graph.parts[edges]) {
            let from = &q[*source as usize].0;
            for lane in 0..LANES {
                mean[lane] += part * from[lane];
            }
        }
        set_held(&mut mean, self.held[node], 1.0);
        mean
    }

    /// `v` − (one sweep over the core from `v`, with 0 outside the core and where a channel is held).
    fn operator(&mut self, v: &[Half<LANES>], out: &mut [Half<LANES>]) -> Result<()> {
        self.sweeps += 1;
        let Range { start, end } = self.graph.core;
        out.copy_from_slice(v);
        self.stop.each(start..end, |node| {
            let edges = self.graph.core_inflows(node);
            let mut mean = [0.0; LANES];
            for (source, part) in self.graph.sources[edges.clone()].iter().zip(&self.graph.parts[edges]) {
                let (from, part) = (&out[*source as usize - start], half(*part));
                for lane in 0..LANES {
                    mean[lane] += part * from[lane];
                }
            }
            set_held(&mut mean, self.held[node], 0.0);
            out[node - start] = mean;
        })?;
        for (out, v) in out.iter_mut().zip(v) {
            for lane in 0..LANES {
                out[lane] = v[lane] - out[lane];
            }
        }
        Ok(())
    }

    /// Adds to q what makes the next sweep change nothing, by BiCGSTAB in each lane on its own. A lane that breaks down
    /// stays where it was.
    fn accelerate(&mut self, q: &mut [Aligned<LANES>]) -> Result<()> {
        let core = self.graph.core.clone();
        let nil: Half<LANES> = [0.0; LANES];
        let mut r = vec![nil; core.len()];
        self.sweep_measured(q, |node, by| r[node - core.start] = by.map(half))?;
        let q = &mut q[core];
        let weights = &self.graph.totals;
        let dot = |a: &[Half<LANES>], b: &[Half<LANES>]| {
            let mut sums = [0.0; LANES];
            for ((a, b), weight) in a.iter().zip(b).zip(weights) {
                for lane in 0..LANES {
                    sums[lane] += weight * f64::from(a[lane] * b[lane]);
                }
            }
            sums
        };
        // What the next sweep would change is the linear sweep of what the last one changed.
        let mut v = vec![nil; q.len()];
        self.operator(&r, &mut v)?;
        add(&mut r, &v, [-1.0; LANES]);
        let shadow = r.clone();
        let mut p = r.clone();
        let mut t = vec![nil; q.len()];
        let mut rho = dot(&shadow, &r);
        let start = rho;
        let mut live = start.map(|size| size > 0.0);
        for _ in 0..STEPS_MAX {
            self.operator(&p, &mut v)?;
            let shadow_v = dot(&shadow, &v);
            let alpha = lanes::<LANES>(|lane| guarded(&mut live[lane], rho[lane] / shadow_v[lane]));
            add(&mut r, &v, alpha.map(|alpha| -half(alpha)));
            self.operator(&r, &mut t)?;
            let (tr, tt) = (dot(&t, &r), dot(&t, &t));
            let omega =
                lanes::<LANES>(|lane| if tt[lane] > 0.0 { guarded(&mut live[lane], tr[lane] / tt[lane]) } else { 0.0 });
            for (((q, p), r), t) in q.iter_mut().zip(&p).zip(&mut r).zip(&t) {
                for lane in 0..LANES {
                    q.0[lane] += alpha[lane] * f64::from(p[lane]) + omega[lane] * f64::from(r[lane]);
                    r[lane] -= half(omega[lane]) * t[lane];
                }
            }
            let size = dot(&r, &r);
            (0..LANES).for_each(|lane| live[lane] &= size[lane] > FALL_SQUARED * start[lane]);
            if live.iter().all(|live| !live) {
                break;
            }
            let next = dot(&shadow, &r);
            let beta =
                lanes::<LANES>(|lane| guarded(&mut live[lane], next[lane] / rho[lane] * (alpha[lane] / omega[lane])));
            rho = next;
            let (beta, omega) = (beta.map(half), omega.map(half));
            for ((p, r), v) in p.iter_mut().zip(&r).zip(&v) {
                for lane in 0..LANES {
                    p[lane] = r[lane] + beta[lane] * (p[lane] - omega[lane] * v[lane]);
                }
            }
        }
        Ok(())
    }
}

/// Which of the block's channels a state holds.
fn held<const LANES: usize>(chain: &Chain<'_>, state: usize, first: usize) -> u8 {
    let mut held = 0;
    chain.holds(state, |channel| {
        if (first..first + LANES).contains(&channel) {
            held |= 1 << (channel - first);
        }
    });
    held
}

#[inline(always)]
fn set_held<T, const LANES: usize>(mean: &mut [T; LANES], held: u8, value: T)
where
    T: Copy,
{
    if held != 0 {
        for (lane, mean) in mean.iter_mut().enumerate() {
            if held >> lane & 1 == 1 {
                *mean = value;
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "corrections need few digits")]
fn half(x: f64) -> f32 {
    x as f32
}

fn lanes<const LANES: usize>(f: impl FnMut(usize) -> f64) -> Lane<LANES> {
    std::array::from_fn(f)
}

/// A step of a lane that is still live, else 0; a step that is no number ends the lane.
fn guarded(live: &mut bool, step: f64) -> f64 {
    *live &= step.is_finite();
    if *live { step } else { 0.0 }
}

fn add<const LANES: usize>(to: &mut [Half<LANES>], from: &[Half<LANES>], times: Half<LANES>) {
    for (to, from) in to.iter_mut().zip(from) {
        for lane in 0..LANES {
            to[lane] += times[lane] * from[lane];
        }
    }
}
