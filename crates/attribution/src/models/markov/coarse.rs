//! A small chain that stands for the core: its states are groups of nodes, those of one newest touch.
//!
//! Sweeps soon settle how the nodes of a group differ; what is slow is the level of whole groups, which loops hand
//! round. So the error is taken to be one number a group, and those numbers are solved for exactly (aggregation, as in
//! Koury, McAllister and Stewart 1984, but additive): their residual, summed over each group by flow, is gone.
use super::{reduced::Reduced, sweeps::Aligned};
use crate::{Result, Stop};

pub(super) struct Coarse<const LANES: usize> {
    groups: usize,
    /// Of each pair of groups, lane by lane: the factors of elimination, unit lower and upper.
    matrix: Vec<[f64; LANES]>,
}

impl<const LANES: usize> Coarse<LANES> {
    /// `held` has, by node, one bit for each lane in which its q is fixed.
    pub(super) fn new(graph: &Reduced, held: &[u8], stop: &Stop) -> Result<Self> {
        let groups = graph.groups.iter().map(|group| usize::from(*group) + 1).max().unwrap_or(0);
        let mut coarse = Self { groups, matrix: vec![[0.0; LANES]; groups * groups] };
        let start = graph.core.start;
        for (node, (group, total)) in graph.core.clone().zip(graph.groups.iter().zip(&graph.totals)) {
            stop.check()?;
            let row = usize::from(*group) * groups;
            let on = &mut coarse.matrix[row + usize::from(*group)];
            add(on, free(held[node]), *total);
            for edge in graph.core_inflows(node) {
                let source = graph.sources[edge] as usize;
                let from = &mut coarse.matrix[row + usize::from(graph.groups[source - start])];
                add(from, free(held[node] | held[source]), -*total * graph.parts[edge]);
            }
        }
        coarse.factor();
        Ok(coarse)
    }

    /// Without pivots, as diagonals outweigh their columns. A group that has no free node in a lane, or from which
    /// rounding leaves nothing, gets no correction there.
    fn factor(&mut self) {
        let groups = self.groups;
        for pivot in 0..groups {
            let (above, below) = self.matrix.split_at_mut((pivot + 1) * groups);
            let from = &mut above[pivot * groups..];
            let size: [f64; LANES] = std::array::from_fn(|lane| from.iter().map(|x| x[lane].abs()).fold(0.0, f64::max));
            for (lane, size) in size.into_iter().enumerate() {
                if from[pivot][lane] <= 1e-12 * size {
                    from[pivot][lane] = f64::INFINITY;
                }
            }
            for to in below.chunks_exact_mut(groups) {
                let part: [f64; LANES] = std::array::from_fn(|lane| to[pivot][lane] / from[pivot][lane]);
                to[pivot] = part;
                for (to, from) in to[pivot + 1..].iter_mut().zip(&from[pivot + 1..]) {
                    (0..LANES).for_each(|lane| to[lane] -= part[lane] * from[lane]);
                }
            }
        }
    }

    /// From the residual of each group to its correction, in place.
    fn solve(&self, sums: &mut [[f64; LANES]]) {
        let groups = self.groups;
        for row in 0..groups {
            let (known, rest) = sums.split_at_mut(row);
            for (known, part) in known.iter().zip(&self.matrix[row * groups..]) {
                (0..LANES).for_each(|lane| rest[0][lane] -= part[lane] * known[lane]);
            }
        }
        for row in (0..groups).rev() {
            let (rest, known) = sums.split_at_mut(row + 1);
            let from = &self.matrix[row * groups..(row + 1) * groups];
            for (known, part) in known.iter().zip(&from[row + 1..]) {
                (0..LANES).for_each(|lane| rest[row][lane] -= part[lane] * known[lane]);
            }
            (0..LANES).for_each(|lane| rest[row][lane] /= from[row][lane]);
        }
    }

    /// Corrects `q`, where `next` tells what a node's inflow says its q is.
    pub(super) fn correct(
        &self,
        graph: &Reduced,
        held: &[u8],
        q: &mut [Aligned<LANES>],
        next: impl Fn(usize, &[Aligned<LANES>]) -> [f64; LANES],
        stop: &Stop,
    ) -> Result<()> {
        let mut sums = vec![[0.0; LANES]; self.groups];
        for (node, (group, total)) in graph.core.clone().zip(graph.groups.iter().zip(&graph.totals)) {
            stop.check()?;
            let (next, sum) = (next(node, q), &mut sums[usize::from(*group)]);
            (0..LANES).for_each(|lane| sum[lane] += total * (next[lane] - q[node].0[lane]));
        }
        self.solve(&mut sums);
        for (node, group) in graph.core.clone().zip(&graph.groups) {
            let (sum, free) = (&sums[usize::from(*group)], free::<LANES>(held[node]));
            (0..LANES).for_each(|lane| q[node].0[lane] += free[lane] * sum[lane]);
        }
        Ok(())
    }
}

/// 1 in the lanes that are not held.
#[inline]
fn free<const LANES: usize>(held: u8) -> [f64; LANES] {
    std::array::from_fn(|lane| f64::from(!held >> lane & 1))
}

#[inline]
fn add<const LANES: usize>(to: &mut [f64; LANES], free: [f64; LANES], flow: f64) {
    (0..LANES).for_each(|lane| to[lane] += free[lane] * flow);
}
