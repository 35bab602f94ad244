//! Small chains: elimination in the manner of Grassmann, Taksar and Heyman (1985), which never subtracts.
use super::{Lost, chain::Chain};
use crate::{Result, Stop, sum::sum};

/// Whether eliminating costs less than sweeping (or so little that it does not matter).
pub(in crate::models) fn pays(chain: &Chain<'_>) -> bool {
    let states = chain.states();
    states <= 64 || states * states <= 150 * (chain.sources.len() / states + 2)
}

/// Matrices of more states would fill memory (128 MB each) and take minutes.
pub(in crate::models) const STATES_MAX: usize = 4096;

/// What is lost when every state that holds a channel for which `removed` is true leads to a loss, paths shorter than
/// a state aside. Costs states³ / 3.
pub(in crate::models) fn lost(chain: &Chain<'_>, removed: impl Fn(usize) -> bool, stop: &Stop) -> Result<Lost> {
    let all = chain.states();
    let mut kept = vec![];
    let mut place = vec![usize::MAX; all];
    for (state, place) in place.iter_mut().enumerate() {
        let mut held = false;
        chain.holds(state, |channel| held |= removed(channel));
        if !held {
            *place = kept.len();
            kept.push(state);
        }
    }
    let n = kept.len();
    // Backwards from each kept state: to kept states, to START (came clean), to removed states (came past).
    let (mut back, mut clean, mut past) = (vec![0.0; n * n], vec![0.0; n], vec![0.0; n]);
    for (row, state) in kept.iter().enumerate() {
        clean[row] = chain.entry(*state);
        for edge in chain.inflows(*state) {
            match place[chain.sources[edge] as usize] {
                usize::MAX => past[row] += chain.flows[edge],
                column => back[row * n + column] += chain.flows[edge],
            }
        }
    }
    let mut totals = vec![0.0; n];
    for last in (0..n).rev() {
        stop.check()?;
        let (rows, from) = back.split_at_mut(last * n);
        let from = &from[..last];
        let total = sum(from.iter().copied()) + clean[last] + past[last];
        totals[last] = total;
        for (row, to) in rows.chunks_exact_mut(n).enumerate() {
            if to[last] == 0.0 {
                continue;
            }
            let part = to[last] / total;
            to[..last].iter_mut().zip(from).for_each(|(to, from)| *to += part * from);
            clean[row] += part * clean[last];
            past[row] += part * past[last];
        }
    }
    let mut q = vec![1.0; all];
    for (row, state) in kept.iter().enumerate() {
        let known = kept[..row].iter().zip(&back[row * n..]).map(|(state, back)| back * q[*state]);
        q[*state] = (sum(known) + past[row]) / totals[row];
    }
    Ok(Lost {
        conversions: sum(chain.ends.iter().map(|(state, end)| end.conversions * q[*state as usize])),
        value: sum(chain.ends.iter().map(|(state, end)| end.value * q[*state as usize])),
    })
}
