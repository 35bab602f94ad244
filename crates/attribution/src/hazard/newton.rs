//! Long steps towards the point where a round of learning changes nothing.
//!
//! Expectation and maximisation creeps where much is hidden. Its rounds are taken for a map whose fixed point is sought by
//! Newton's method with a slope worked out once, on a part of the people (Jamshidian and Jennrich 1997).
use super::{exp::exp, expect::Crowd, maximise::maximise, params::Params, sums::Sums};
use crate::{Result, Stop};

/// Numbers that cannot be negative stay above this, in their own unit, so that they can grow again.
const FLOOR: f64 = 1e-7;
/// How far parameters are moved to see what changes.
const NUDGE: f64 = 1e-4;
/// No parameter goes further in one step; logs for rates.
const REACH: f64 = 0.7;
/// A step is at most so many times that of expectation and maximisation: where nearly nothing can be known, the data shall not
/// lead far away.
const LONGEST: f64 = 40.0;
/// What has no log is taken for this.
const NOTHING: f64 = 1e-300;
/// People on whom the slope is worked out.
const PEOPLE: usize = 4_096;

/// How what a round changes depends on where it begins.
#[derive(Clone, Debug)]
pub(super) struct Slope {
    /// [change × size + parameter]
    table: Vec<f64>,
    /// What effects are counted in.
    unit: f64,
}

/// What a round led to.
pub(super) struct Round {
    pub(super) params: Params,
    pub(super) sums: Sums,
    change: Vec<f64>,
}

impl Round {
    /// One round from `params`.
    pub(super) fn new(crowd: &Crowd<'_>, params: &Params, stop: &Stop) -> Result<Self> {
        let sums = crowd.expect(params, false, stop)?;
        let mut next = params.clone();
        maximise(&mut next, &sums);
        let change = logs(&next).iter().zip(logs(params)).map(|(to, from)| to - from).collect();
        Ok(Self { params: next, sums, change })
    }
}

/// Where the lifts are that may be more than 0.
fn lifts(params: &Params) -> Vec<usize> {
    let of = |&target: &usize| params.sources[target].iter().map(move |source| source * params.channels + target);
    params.lifted.iter().flat_map(of).collect()
}

/// What is sought, such that the likelihood is nearly a parabola in it: logs of what is far from 0, but lifts and effects,
/// which may well be 0, as they are. Seasons are left out; plain rounds find them.
fn coordinates(params: &Params, unit: f64) -> Vec<f64> {
    let mut list = logs(params);
    let lifts = lifts(params).into_iter().map(|place| params.lift[place]);
    let effects = params.effect.iter().map(|effect| effect / unit);
    list.iter_mut().zip(lifts.chain(effects)).for_each(|(to, x)| *to = x);
    list
}

/// In the same order, all logs.
fn logs(params: &Params) -> Vec<f64> {
    let lifts = lifts(params).into_iter().map(|place| params.lift[place]);
    let positive = lifts.chain([&params.effect, &params.rate, &params.fading].into_iter().flatten().copied());
    let mut list: Vec<f64> = positive.chain([params.base]).map(|x| libm::log(x.max(NOTHING))).collect();
    if params.grid.len() > 1 {
        list.push(params.base_by_intent);
        list.extend(&params.by_intent);
    }
    if params.grid.moods.len() > 1 {
        list.extend([params.spread, libm::log(params.turn)]);
    }
    list
}

/// Takes what [`coordinates`] gave, somewhat changed.
fn place(params: &mut Params, list: &[f64], unit: f64) {
    let mut list = list.iter().copied();
    let mut next = || list.next().unwrap_or_default();
    for place in lifts(params) {
        params.lift[place] = next().max(0.0);
    }
    params.effect.iter_mut().for_each(|x| *x = unit * next().max(0.0));
    for x in params.rate.iter_mut().chain(&mut params.fading).chain([&mut params.base]) {
        let log = next();
        *x = if log < -600.0 { 0.0 } else { exp(log) };
    }
    if params.grid.len() > 1 {
        params.base_by_intent = next().clamp(-5.0, 5.0);
        params.by_intent.iter_mut().for_each(|x| *x = next().clamp(-5.0, 5.0));
    }
    if params.grid.moods.len() > 1 {
        params.spread = next().clamp(0.0, 3.0);
        params.turn = exp(next()).clamp(1e-4, 0.45);
    }
}

impl Slope {
    /// Around `params`.
    pub(super) fn new(crowd: Crowd<'_>, params: &Params, stop: &Stop) -> Result<Self> {
        let stride = crowd.timelines.len().div_ceil(PEOPLE).max(1);
        let crowd = Crowd { stride, ..crowd };
        let here = Round::new(&crowd, params, stop)?;
        let stock: f64 = here.sums.seen.stock.iter().sum();
        let unit = if stock > 0.0 && here.sums.outcomes > 0.0 { here.sums.outcomes / stock } else { 1.0 };
        let at = coordinates(params, unit);
        let size = at.len();
        let mut table = vec![0.0; size * size];
        for parameter in 0..size {
            let mut there = at.clone();
            there[parameter] += NUDGE;
            let mut moved = params.clone();
            place(&mut moved, &there, unit);
            let there = Round::new(&crowd, &moved, stop)?;
            for (change, (there, here)) in there.change.iter().zip(&here.change).enumerate() {
                table[change * size + parameter] = (there - here) / NUDGE;
            }
            table[parameter * size + parameter] -= 1.0 / LONGEST;
        }
        Ok(Self { table, unit })
    }

    /// Moves `params` to where nothing would change if the slope were the same everywhere. How far.
    pub(super) fn step(&self, round: &Round, params: &mut Params, stop: &Stop) -> Result<f64> {
        let at = coordinates(params, self.unit);
        let size = at.len();
        let bounded = lifts(params).len() + params.effect.len();
        // What comes to its bound stays there while the others find their place.
        let mut held: Vec<Option<f64>> = vec![None; size];
        let mut step = solve(&self.table, &round.change, &held, stop)?;
        for _ in 0..bounded {
            let below = (0..bounded).filter(|&index| held[index].is_none() && at[index] + step[index] < FLOOR);
            let below: Vec<usize> = below.collect();
            if below.is_empty() {
                break;
            }
            below.into_iter().for_each(|index| held[index] = Some((FLOOR - at[index]).min(0.0)));
            step = solve(&self.table, &round.change, &held, stop)?;
        }
        let far = step.iter().fold(0.0, |far: f64, step| far.max(step.abs()));
        let part = if far > REACH { REACH / far } else { 1.0 };
        params.season.clone_from(&round.params.season);
        let to: Vec<f64> = at.iter().zip(&step).map(|(at, step)| at + part * step).collect();
        place(params, &to, self.unit);
        Ok(far)
    }
}

/// The step that undoes all changes but those of parameters whose step is given. Parameters on which nothing depends stay.
fn solve(table: &[f64], change: &[f64], held: &[Option<f64>], stop: &Stop) -> Result<Vec<f64>> {
    let size = change.len();
    let free: Vec<usize> = (0..size).filter(|index| held[*index].is_none()).collect();
    let wide = free.len() + 1;
    let mut rows: Vec<Vec<f64>> = free
        .iter()
        .map(|&row| {
            let known: f64 = held
                .iter()
                .enumerate()
                .filter_map(|(column, step)| step.map(|step| step * table[row * size + column]))
                .sum();
            let of = |column: &usize| table[row * size + column];
            free.iter().map(of).chain([-change[row] - known]).collect()
        })
        .collect();
    // Gauss and Jordan, the greatest pivot of each column.
    let mut done = 0;
    let mut pivots = vec![];
    for column in 0..free.len() {
        stop.check()?;
        let size_of = |row: &usize| rows[*row][column].abs();
        let Some(pivot) = (done..free.len()).max_by(|a, b| size_of(a).total_cmp(&size_of(b))) else { break };
        if size_of(&pivot) < 1e-6 {
            continue;
        }
        rows.swap(done, pivot);
        let head = rows[done].clone();
        for (index, row) in rows.iter_mut().enumerate() {
            let times = row[column] / head[column];
            if index != done && times != 0.0 {
                row[column..wide].iter_mut().zip(&head[column..wide]).for_each(|(x, head)| *x -= times * head);
            }
        }
        pivots.push((column, done));
        done += 1;
    }
    let mut step: Vec<f64> = held.iter().map(|step| step.unwrap_or(0.0)).collect();
    for (column, row) in pivots {
        step[free[column]] = rows[row][free.len()] / rows[row][column];
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_undo_changes() {
        // Two equations in three unknowns, of which one does nothing: 2a + b = 5, a − b = 1.
        let table = [2.0, 1.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0];
        let solve = |held: &[_]| solve(&table, &[-5.0, -1.0, 0.0], held, &Stop::default()).unwrap();
        assert_eq!(solve(&[None; 3]), [2.0, 1.0, 0.0]);
        // With b held at 3, the first equation alone decides on a.
        assert_eq!(solve(&[None, Some(3.0), None]), [1.0, 3.0, 0.0]);
    }
}
