//! Funnels whose steps may come in any order: the most steps that different events of one window can be.
use crate::funnel::{Act, Reached, STEPS_MOST};
use safar_model::Micros;
use std::collections::BTreeMap;

/// Which step each event is taken for: a matching of events and steps, made larger event by event (Kuhn 1955).
#[derive(Clone, Debug)]
struct Matching {
    steps: usize,
    /// By step: the kind of the event that is taken for it.
    taken: [Option<u32>; STEPS_MOST],
    size: usize,
}

impl Matching {
    fn new(steps: usize) -> Self {
        Self { steps, taken: [None; STEPS_MOST], size: 0 }
    }

    /// Takes one more event that can be any of `kind`'s steps; whether that made the matching larger.
    fn add(&mut self, kind: u32) -> bool {
        let larger = self.place(kind, &mut 0);
        self.size += usize::from(larger);
        larger
    }

    fn place(&mut self, kind: u32, tried: &mut u32) -> bool {
        for step in 0..self.steps {
            let bit = 1 << step;
            if kind & bit == 0 || *tried & bit != 0 {
                continue;
            }
            *tried |= bit;
            let free = match self.taken[step] {
                None => true,
                Some(other) => self.place(other, tried),
            };
            if free {
                self.taken[step] = Some(kind);
                return true;
            }
        }
        false
    }
}

/// Fills `reached`: place k with the event that was the k-th different step in the first window that holds the most steps.
pub(crate) fn reach(steps: usize, window_us: Micros, acts: &[Act], reached: &mut [Option<Reached>]) {
    // Events in the window, by the steps they can be.
    let mut window: BTreeMap<u32, usize> = BTreeMap::new();
    let (mut start, mut best, mut found) = (0, 0, 0..0);
    for (end, act) in acts.iter().enumerate() {
        if act.excluded {
            window.clear();
            start = end + 1;
            continue;
        }
        if act.steps == 0 {
            continue;
        }
        while act.at - acts[start].at > window_us {
            forget(&mut window, acts[start].steps);
            start += 1;
        }
        let same = window.entry(act.steps).or_default();
        *same += 1;
        // More events of a kind than it has steps can be no further step.
        if *same <= act.steps.count_ones() as usize {
            let size = size(steps, &window);
            if size > best {
                (best, found) = (size, start..end + 1);
                if best == steps {
                    break;
                }
            }
        }
    }
    let mut matching = Matching::new(steps);
    let mut before = None;
    for (offset, act) in acts[found.clone()].iter().enumerate() {
        if act.steps != 0 && matching.add(act.steps) {
            let since = before.map(|before: Micros| act.at - before);
            reached[matching.size - 1] = Some(Reached { act: found.start + offset, since });
            before = Some(act.at);
        }
    }
}

fn forget(window: &mut BTreeMap<u32, usize>, kind: u32) {
    if let Some(count) = window.get_mut(&kind) {
        *count -= 1;
        if *count == 0 {
            window.remove(&kind);
        }
    }
}

/// How many steps the events of a window can be together.
fn size(steps: usize, window: &BTreeMap<u32, usize>) -> usize {
    let mut matching = Matching::new(steps);
    for (kind, count) in window {
        for _ in 0..(*count).min(kind.count_ones() as usize) {
            matching.add(*kind);
        }
    }
    matching.size
}
