//! Funnels: how far each person got through a list of steps.
use crate::Error;
use safar_model::Micros;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// How many steps a funnel may have.
pub const STEPS_MOST: usize = 16;

/// In which order steps must come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// One after the other; other events may lie between.
    #[default]
    Ordered,
    /// One right after the other: no other event of the person lies between.
    Strict,
    /// Any order: step k is reached with the k-th different step.
    Any,
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ordered" => Ok(Self::Ordered),
            "strict" => Ok(Self::Strict),
            "any" => Ok(Self::Any),
            _ => Err(format!("`{text}` is no order of steps; use ordered, strict or any")),
        }
    }
}

/// One event, as a funnel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Micros,
    /// A bit for each step that it can be, the first step's the lowest.
    pub steps: u32,
    /// It ends every attempt under way, and is no step.
    pub excluded: bool,
}

/// How a person reached one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which event did it.
    pub act: usize,
    /// Time since the step before; `None`: the person entered here.
    pub since: Option<Micros>,
}

/// A list of steps and what it takes to go through it.
///
/// An *attempt* starts with a step and goes on to the next as long as no more than the window has passed since its start. An
/// event is one step of an attempt only: a step that stands twice needs two events. In a closed funnel attempts start with the
/// first step, and a person gets as far as the farthest attempt; times are those of the first attempt that got so far. In an
/// open funnel attempts start with any step (an event starts them at the first step that it can be), and a person reaches each
/// step that any attempt has. Of attempts at the same step the one that started last goes on. With steps in any order, step k
/// is the k-th different one within a window, and there is nothing to enter later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funnel {
    steps: usize,
    order: Order,
    open: bool,
    window_us: Micros,
}

/// The acts of an attempt, the first `len` of them.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    start: Micros,
    acts: [usize; STEPS_MOST],
    len: usize,
}

impl Attempt {
    fn begin(act: usize, at: Micros) -> Self {
        let mut acts = [0; STEPS_MOST];
        acts[0] = act;
        Self { start: at, acts, len: 1 }
    }

    fn and(mut self, act: usize) -> Self {
        self.acts[self.len] = act;
        self.len += 1;
        self
    }

    fn last(&self) -> usize {
        self.acts[self.len - 1]
    }
}

/// The attempts under way, by the step they have reached.
type Attempts = [Option<Attempt>; STEPS_MOST];

impl Funnel {
    /// A funnel of so many steps; `window_us` is the longest time from an attempt's start to its end.
    ///
    /// # Errors
    /// When there is no step or more than [`STEPS_MOST`], or the window is not positive.
    pub fn new(steps: usize, order: Order, open: bool, window_us: Micros) -> Result<Self, Error> {
        if steps == 0 || steps > STEPS_MOST || window_us <= 0 {
            return Err(Error::Funnel { steps, most: STEPS_MOST });
        }
        Ok(Self { steps, order, open, window_us })
    }

    /// How one person, whose events these are, reached each step; `None` where it was not reached. Events come in the order of
    /// time, those of one instant in the order in which they were told.
    #[must_use]
    pub fn of(&self, acts: &[Act]) -> Vec<Option<Reached>> {
        let mut reached = vec![None; self.steps];
        match (self.order, self.open) {
            (Order::Any, _) => crate::anyorder::reach(self.steps, self.window_us, acts, &mut reached),
            (_, false) => self.closed(acts, &mut reached),
            (_, true) => self.open(acts, &mut reached),
        }
        reached
    }

    fn closed(&self, acts: &[Act], reached: &mut [Option<Reached>]) {
        let mut under_way: Attempts = [None; STEPS_MOST];
        let mut best: Option<Attempt> = None;
        for (index, act) in acts.iter().enumerate() {
            self.next(
                &mut under_way,
                index,
                act,
                |step| step == 0,
                |_, attempt| {
                    if best.is_none_or(|best| best.len < attempt.len) {
                        best = Some(*attempt);
                    }
                },
            );
        }
        let Some(best) = best else { return };
        for (step, place) in reached.iter_mut().enumerate().take(best.len) {
            let act = best.acts[step];
            *place = Some(Reached { act, since: (step > 0).then(|| acts[act].at - acts[best.acts[step - 1]].at) });
        }
    }

    fn open(&self, acts: &[Act], reached: &mut [Option<Reached>]) {
        let mut under_way: Attempts = [None; STEPS_MOST];
        for (index, act) in acts.iter().enumerate() {
            let lowest = act.steps.trailing_zeros() as usize;
            self.next(
                &mut under_way,
                index,
                act,
                |step| step == lowest,
                |step, attempt| {
                    let before = attempt.len.checked_sub(2).map(|before| attempt.acts[before]);
                    let since = before.map(|before| act.at - acts[before].at);
                    // Having come from the step before says more than having entered here.
                    let better = reached[step].is_none_or(|known: Reached| known.since.is_none() && since.is_some());
                    if better {
                        reached[step] = Some(Reached { act: index, since });
                    }
                },
            );
        }
    }

    /// Takes every attempt on by one event; `found` is told of each step reached.
    fn next(
        &self,
        under_way: &mut Attempts,
        index: usize,
        act: &Act,
        may_start: impl Fn(usize) -> bool,
        mut found: impl FnMut(usize, &Attempt),
    ) {
        if act.excluded {
            *under_way = [None; STEPS_MOST];
            return;
        }
        // From the last step to the first, so that an event takes an attempt one step on.
        for step in (0..self.steps).rev() {
            let before = step.checked_sub(1).and_then(|before| under_way[before]);
            let is_step = act.steps & (1 << step) != 0;
            let longer = before.filter(|attempt| {
                is_step
                    && act.at - attempt.start <= self.window_us
                    && (self.order == Order::Ordered || attempt.last() + 1 == index)
            });
            if let Some(attempt) = longer.map(|attempt| attempt.and(index)) {
                found(step, &attempt);
                self.keep(&mut under_way[step], attempt);
            }
            if is_step && may_start(step) {
                let attempt = Attempt::begin(index, act.at);
                found(step, &attempt);
                self.keep(&mut under_way[step], attempt);
            }
        }
    }

    /// Of two attempts at one step the one that started later can go on longer; in strict order only the newest can go on.
    fn keep(&self, place: &mut Option<Attempt>, attempt: Attempt) {
        let newer = match self.order {
            Order::Ordered => place.is_none_or(|known| known.start < attempt.start),
            _ => place.is_none_or(|known| known.last() < attempt.last() || known.start < attempt.start),
        };
        if newer {
            *place = Some(attempt);
        }
    }
}
