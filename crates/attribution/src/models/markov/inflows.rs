//! Transitions into states, counted.
use crate::{Result, Stop};

/// A transition into a state: its key sorts by target first.
#[derive(Clone, Copy, Default)]
pub(super) struct Inflow {
    pub(super) key: u64,
    pub(super) flow: f64,
}

/// Flows by key: in a table where keys are small, else sorted.
pub(super) enum Inflows {
    Table(Vec<f64>),
    List { list: Vec<Inflow>, bits: u32 },
}

/// Keys below 2^22 are a table of 32 MB at most.
pub(super) const TABLE_BITS: u32 = 22;

impl Inflows {
    pub(super) fn with_bits(bits: u32, at_most: usize) -> Self {
        if bits <= TABLE_BITS && 1 << bits <= at_most.saturating_mul(16) {
            Self::Table(vec![0.0; 1 << bits])
        } else {
            Self::List { list: Vec::with_capacity(at_most), bits }
        }
    }

    #[inline]
    pub(super) fn add(&mut self, key: u64, flow: f64) {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "below 2^22")]
            Self::Table(table) => table[key as usize] += flow,
            Self::List { list, .. } => list.push(Inflow { key, flow }),
        }
    }

    /// Ascending by key, each key once.
    pub(super) fn finish(self, stop: &Stop) -> Result<Vec<Inflow>> {
        Ok(match self {
            Self::Table(table) => {
                let flows = (0..).zip(table).filter(|(_, flow)| *flow != 0.0);
                flows.map(|(key, flow)| Inflow { key, flow }).collect()
            }
            Self::List { list, bits } => {
                let mut list = sort(list, bits, stop)?;
                list.dedup_by(|next, kept| {
                    let same = next.key == kept.key;
                    if same {
                        kept.flow += next.flow;
                    }
                    same
                });
                list
            }
        })
    }
}

/// Sorts by key, least significant digit first; equal keys stay in order. Keys are below 2^bits.
fn sort(mut list: Vec<Inflow>, bits: u32, stop: &Stop) -> Result<Vec<Inflow>> {
    const DIGIT: u32 = 11;
    if list.len() < 1 << DIGIT {
        list.sort_by_key(|inflow| inflow.key);
        return Ok(list);
    }
    let mut other = vec![Inflow::default(); list.len()];
    for shift in (0..bits).step_by(DIGIT as usize) {
        stop.check()?;
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
    Ok(list)
}
