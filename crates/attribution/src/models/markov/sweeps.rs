//! Large chains: Gauss–Seidel sweeps, sped up by BiCGSTAB (van der Vorst 1992), until only rounding changes.
//!
//! All channels share the flows; only the states at which q is fixed to 1 differ. Several channels side by side share
//! the walk over the flows, which costs most.
use super::{Lost, chain::Chain, reduced::Reduced};
use crate::{Solver, sum::Sum};
use rayon::prelude::*;
use std::ops::Range;

/// Channels side by side: as many numbers as fill a cache line.
const LANES: usize = 8;
/// One number for each of these channels.
type Lane = [f64; LANES];
const ZERO: Lane = [0.0; LANES];

/// The same, half as wide: what corrections are made of.
type Half = [f32; LANES];
const NIL: Half = [0.0; LANES];

/// Remaining relative error at which a block is done.
const TOLERANCE: f64 = 1e-13;
/// A relative change of this size is rounding.
const NOISE: f64 = 4e-16;
/// Sweeps before the first acceleration, between accelerations that fail, and at most.
const SWEEPS_FIRST: usize = 6;
const SWEEPS_STALLED: usize = 50;
const SWEEPS_MAX: usize = 100_000;
/// Steps of one acceleration at most, and how far the square of the residual falls in it: corrections have 24 bits.
const STEPS_MAX: usize = 40;
const FALL_SQUARED: f64 = 1e-11;

/// What each channel's removal loses.
pub(super) fn lost(chain: &mut Chain<'_>, order: usize) -> (Vec<Lost>, Solver) {
    let reduced = Reduced::new(chain, order);
    chain.forget_flows();
    let chain = &*chain;
    let blocks: Vec<_> = (0..chain.channels).step_by(LANES).collect();
    let solved: Vec<_> = blocks.into_par_iter().map(|first| Block::new(chain, &reduced, first).solve(chain)).collect();
    let sweeps = solved.iter().map(|(_, sweeps, _)| *sweeps).max().unwrap_or(0);
    let residual = solved.iter().map(|(_, _, residual)| *residual).fold(0.0, f64::max);
    let lost = solved.into_iter().flat_map(|(lost, ..)| lost).take(chain.channels).collect();
    (lost, Solver::Iterative { sweeps, residual })
}

/// Eight channels and the whole chain.
struct Block<'a> {
    graph: &'a Reduced,
    first: usize,
    /// By node, one bit for each channel that it holds.
    held: Vec<u8>,
    sweeps: usize,
}

impl<'a> Block<'a> {
    fn new(chain: &Chain<'_>, graph: &'a Reduced, first: usize) -> Self {
        let held = graph.states.iter().map(|state| held(chain, *state as usize, first)).collect();
        Self { graph, first, held, sweeps: 0 }
    }

    fn solve(mut self, chain: &Chain<'_>) -> ([Lost; LANES], usize, f64) {
        let nodes = self.held.len();
        let mut q: Vec<Lane> =
            self.held.iter().map(|held| std::array::from_fn(|lane| f64::from(held >> lane & 1))).collect();
        self.sweep(0..self.graph.core.start, &mut q);
        let residual = self.settle(&mut q);
        self.sweep(self.graph.core.end..nodes, &mut q);
        let mut sums = [(Sum::default(), Sum::default()); LANES];
        for ((state, end), node) in chain.ends.iter().zip(&self.graph.ends) {
            let own = held(chain, *state as usize, self.first);
            for (lane, (conversions, value)) in sums.iter_mut().enumerate() {
                let q = if own >> lane & 1 == 1 { 1.0 } else { q[*node as usize][lane] };
                conversions.add(end.conversions * q);
                value.add(end.value * q);
            }
        }
        let lost = sums.map(|(conversions, value)| Lost { conversions: conversions.get(), value: value.get() });
        (lost, self.sweeps, residual)
    }

    /// Finds q on the core; returns an estimate of the remaining relative error.
    fn settle(&mut self, q: &mut [Lane]) -> f64 {
        let core = self.graph.core.clone();
        if core.is_empty() {
            return 0.0;
        }
        let mut change = vec![NIL; core.len()];
        (1..SWEEPS_FIRST).for_each(|_| self.sweep(core.clone(), q));
        let mut before = self.sweep_measured(q, &mut change);
        let mut swept = true;
        // What one sweep leaves of the slowest part of the error.
        let mut slowest: f64 = 0.0;
        loop {
            let now = self.sweep_measured(q, &mut change);
            let fall = now / before;
            if swept && fall < 1.0 && now > NOISE {
                slowest = slowest.max(fall);
            }
            let error = now / (1.0 - slowest);
            if now <= NOISE || error <= TOLERANCE || self.sweeps >= SWEEPS_MAX {
                return error;
            }
            if swept || fall < 0.5 {
                self.accelerate(q, &mut change);
                (before, swept) = (now, false);
            } else {
                (0..SWEEPS_STALLED).for_each(|_| self.sweep(core.clone(), q));
                before = self.sweep_measured(q, &mut change);
                swept = true;
            }
        }
    }

    /// Sets every node to the mean of its inflow.
    fn sweep(&mut self, nodes: Range<usize>, q: &mut [Lane]) {
        self.sweeps += 1;
        for node in nodes {
            q[node] = self.next(node, q);
        }
    }

    /// The same on the core, keeping each change. Returns the largest change of a lane over its size, both weighted
    /// by flow.
    fn sweep_measured(&mut self, q: &mut [Lane], change: &mut [Half]) -> f64 {
        self.sweeps += 1;
        let (mut changed, mut size) = (ZERO, ZERO);
        for (node, change) in self.graph.core.clone().zip(change) {
            let next = self.next(node, q);
            let total = self.graph.totals[node];
            for lane in 0..LANES {
                let by = next[lane] - q[node][lane];
                change[lane] = half(by);
                changed[lane] += total * by.abs();
                size[lane] += total * next[lane];
            }
            q[node] = next;
        }
        lanes(|lane| if size[lane] > 0.0 { changed[lane] / size[lane] } else { 0.0 }).into_iter().fold(0.0, f64::max)
    }

    #[inline(always)]
    fn next(&self, node: usize, q: &[Lane]) -> Lane {
        let edges = self.graph.starts[node] as usize..self.graph.starts[node + 1] as usize;
        let mut mean = ZERO;
        for (source, part) in self.graph.sources[edges.clone()].iter().zip(&self.graph.parts[edges]) {
            let from = &q[*source as usize];
            for lane in 0..LANES {
                mean[lane] += part * from[lane];
            }
        }
        set_held(&mut mean, self.held[node], 1.0);
        mean
    }

    /// `v` − (one sweep over the core from `v`, with 0 outside the core and where a channel is held).
    fn operator(&mut self, v: &[Half], out: &mut [Half]) {
        self.sweeps += 1;
        let Range { start, end } = self.graph.core;
        out.copy_from_slice(v);
        for node in start..end {
            let edges = self.graph.starts[node] as usize..self.graph.cores[node] as usize;
            let mut mean = NIL;
            for (source, part) in self.graph.sources[edges.clone()].iter().zip(&self.graph.parts[edges]) {
                let (from, part) = (&out[*source as usize - start], half(*part));
                for lane in 0..LANES {
                    mean[lane] += part * from[lane];
                }
            }
            set_held(&mut mean, self.held[node], 0.0);
            out[node - start] = mean;
        }
        for (out, v) in out.iter_mut().zip(v) {
            for lane in 0..LANES {
                out[lane] = v[lane] - out[lane];
            }
        }
    }

    /// Adds to q what makes the next sweep change nothing, by BiCGSTAB in each lane on its own; `change` is what the
    /// last sweep changed. A lane that breaks down stays where it was.
    fn accelerate(&mut self, q: &mut [Lane], change: &mut [Half]) {
        let core = self.graph.core.clone();
        let q = &mut q[core.clone()];
        let weights = &self.graph.totals[core];
        let dot = |a: &[Half], b: &[Half]| {
            let mut sums = ZERO;
            for ((a, b), weight) in a.iter().zip(b).zip(weights) {
                for lane in 0..LANES {
                    sums[lane] += weight * f64::from(a[lane] * b[lane]);
                }
            }
            sums
        };
        // What the next sweep would change is the linear sweep of what the last one changed.
        let mut v = vec![NIL; q.len()];
        self.operator(change, &mut v);
        let r = change;
        add(r, &v, [-1.0; LANES]);
        let shadow = r.to_vec();
        let mut p = r.to_vec();
        let mut t = vec![NIL; q.len()];
        let mut rho = dot(&shadow, r);
        let start = rho;
        let mut live = start.map(|size| size > 0.0);
        for _ in 0..STEPS_MAX {
            self.operator(&p, &mut v);
            let shadow_v = dot(&shadow, &v);
            let alpha = lanes(|lane| guarded(&mut live[lane], rho[lane] / shadow_v[lane]));
            add(r, &v, alpha.map(|alpha| -half(alpha)));
            self.operator(r, &mut t);
            let (tr, tt) = (dot(&t, r), dot(&t, &t));
            let omega = lanes(|lane| if tt[lane] > 0.0 { guarded(&mut live[lane], tr[lane] / tt[lane]) } else { 0.0 });
            for (((q, p), r), t) in q.iter_mut().zip(&p).zip(&mut *r).zip(&t) {
                for lane in 0..LANES {
                    q[lane] += alpha[lane] * f64::from(p[lane]) + omega[lane] * f64::from(r[lane]);
                    r[lane] -= half(omega[lane]) * t[lane];
                }
            }
            let size = dot(r, r);
            (0..LANES).for_each(|lane| live[lane] &= size[lane] > FALL_SQUARED * start[lane]);
            if live.iter().all(|live| !live) {
                break;
            }
            let next = dot(&shadow, r);
            let beta = lanes(|lane| guarded(&mut live[lane], next[lane] / rho[lane] * (alpha[lane] / omega[lane])));
            rho = next;
            let (beta, omega) = (beta.map(half), omega.map(half));
            for ((p, r), v) in p.iter_mut().zip(&*r).zip(&v) {
                for lane in 0..LANES {
                    p[lane] = r[lane] + beta[lane] * (p[lane] - omega[lane] * v[lane]);
                }
            }
        }
    }
}

/// Which of the block's channels a state holds.
fn held(chain: &Chain<'_>, state: usize, first: usize) -> u8 {
    let mut held = 0;
    chain.holds(state, |channel| {
        if (first..first + LANES).contains(&channel) {
            held |= 1 << (channel - first);
        }
    });
    held
}

#[inline(always)]
fn set_held<T>(mean: &mut [T; LANES], held: u8, value: T)
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

fn lanes(f: impl FnMut(usize) -> f64) -> Lane {
    std::array::from_fn(f)
}

/// A step of a lane that is still live, else 0; a step that is no number ends the lane.
fn guarded(live: &mut bool, step: f64) -> f64 {
    *live &= step.is_finite();
    if *live { step } else { 0.0 }
}

fn add(to: &mut [Half], from: &[Half], times: Half) {
    for (to, from) in to.iter_mut().zip(from) {
        for lane in 0..LANES {
            to[lane] += times[lane] * from[lane];
        }
    }
}
