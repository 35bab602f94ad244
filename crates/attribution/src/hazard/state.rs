//! The hidden states: lasting intent × passing mood.

/// A grid of intent. State `level × moods + mood` has intent `levels[level] + spread × moods[mood]`.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) levels: Vec<f64>,
    pub(super) moods: Vec<f64>,
    /// Of each level, before anything is seen.
    pub(super) weights: Vec<f64>,
    /// Of each mood, in the long run.
    pub(super) mood_weights: Vec<f64>,
}

impl Grid {
    pub(super) fn new(levels: usize, moods: usize) -> Self {
        let levels = levels.max(1);
        let at = |index: usize| {
            if levels == 1 { 0.0 } else { 2.7 * (2.0 * index as f64 / (levels - 1) as f64 - 1.0) }
        };
        let points: Vec<f64> = (0..levels).map(at).collect();
        let mut weights: Vec<f64> = points.iter().map(|x| super::exp::exp(-x * x / 2.0)).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        // The number of heads among `coins` coins, made to have mean 0 and variance 1 (Ehrenfest's chain).
        let coins = moods.max(1) - 1;
        let mut mood_weights = vec![1.0];
        for coin in 1..=coins {
            mood_weights.resize(coin + 1, 0.0);
            for index in (0..mood_weights.len()).rev() {
                let before = if index > 0 { mood_weights[index - 1] } else { 0.0 };
                mood_weights[index] = (mood_weights[index] + before) / 2.0;
            }
        }
        let moods = (0..=coins)
            .map(|heads| if coins == 0 { 0.0 } else { (2.0 * heads as f64 - coins as f64) / (coins as f64).sqrt() })
            .collect();
        Self { levels: points, moods, weights, mood_weights }
    }

    pub(super) fn len(&self) -> usize {
        self.levels.len() * self.moods.len()
    }

    /// The intent of every state.
    pub(super) fn intents(&self, spread: f64) -> Vec<f64> {
        self.levels.iter().flat_map(|level| self.moods.iter().map(move |mood| level + spread * mood)).collect()
    }

    /// Chances from mood (row) to mood in which each coin is turned with chance `turn`.
    pub(super) fn change(&self, turn: f64) -> Vec<f64> {
        let moods = self.moods.len();
        let coins = moods - 1;
        let mut table = vec![0.0; moods * moods];
        for heads in 0..moods {
            let mut row = vec![1.0];
            for coin in 0..coins {
                let head = if coin < heads { 1.0 - turn } else { turn };
                row.push(0.0);
                for index in (0..row.len()).rev() {
                    let before = if index > 0 { row[index - 1] } else { 0.0 };
                    row[index] = row[index] * (1.0 - head) + before * head;
                }
            }
            table[heads * moods..(heads + 1) * moods].copy_from_slice(&row);
        }
        table
    }
}

/// to[level, m'] = Σ_m from[level, m] · change[m, m'].
pub(super) fn step(from: &[f64], to: &mut [f64], change: &[f64], moods: usize) {
    match moods {
        1 => to.copy_from_slice(from),
        2 => step_of::<2>(from, to, change),
        3 => step_of::<3>(from, to, change),
        4 => step_of::<4>(from, to, change),
        5 => step_of::<5>(from, to, change),
        _ => {
            for (from, to) in from.chunks_exact(moods).zip(to.chunks_exact_mut(moods)) {
                to.fill(0.0);
                for (from, change) in from.iter().zip(change.chunks_exact(moods)) {
                    to.iter_mut().zip(change).for_each(|(to, change)| *to += from * change);
                }
            }
        }
    }
}

fn step_of<const MOODS: usize>(from: &[f64], to: &mut [f64], change: &[f64]) {
    let (change, _) = change.as_chunks::<MOODS>();
    let (from, _) = from.as_chunks::<MOODS>();
    let (to, _) = to.as_chunks_mut::<MOODS>();
    for (from, to) in from.iter().zip(to) {
        *to = [0.0; MOODS];
        for (from, change) in from.iter().zip(change) {
            to.iter_mut().zip(change).for_each(|(to, change)| *to += from * change);
        }
    }
}

/// One step backwards, into `to`; adds to `pairs`, [mood × moods + mood], what came before times what came after times
/// `weight`: with the chances of change multiplied in, the chances of all changes of mood.
pub(super) fn step_back(
    (before, weight): (&[f64], f64),
    after: &[f64],
    to: &mut [f64],
    change: &[f64],
    pairs: &mut [f64],
    moods: usize,
) {
    match moods {
        2 => back_of::<2>((before, weight), after, to, change, pairs),
        3 => back_of::<3>((before, weight), after, to, change, pairs),
        4 => back_of::<4>((before, weight), after, to, change, pairs),
        5 => back_of::<5>((before, weight), after, to, change, pairs),
        _ => {
            let levels = before.chunks_exact(moods).zip(after.chunks_exact(moods)).zip(to.chunks_exact_mut(moods));
            for ((before, after), to) in levels {
                let rows = change.chunks_exact(moods).zip(pairs.chunks_exact_mut(moods));
                for ((before, to), (change, pairs)) in before.iter().zip(to).zip(rows) {
                    *to = 0.0;
                    for ((after, change), pairs) in after.iter().zip(change).zip(pairs) {
                        *to += change * after;
                        *pairs += before * weight * after;
                    }
                }
            }
        }
    }
}

fn back_of<const MOODS: usize>(
    (before, weight): (&[f64], f64),
    after: &[f64],
    to: &mut [f64],
    change: &[f64],
    pairs: &mut [f64],
) {
    let (change, _) = change.as_chunks::<MOODS>();
    let (before, _) = before.as_chunks::<MOODS>();
    let (after, _) = after.as_chunks::<MOODS>();
    let (to, _) = to.as_chunks_mut::<MOODS>();
    let mut met = [[0.0; MOODS]; MOODS];
    for ((before, after), to) in before.iter().zip(after).zip(to) {
        for mood in 0..MOODS {
            let mut sum = 0.0;
            for next in 0..MOODS {
                sum += change[mood][next] * after[next];
                met[mood][next] += before[mood] * after[next];
            }
            to[mood] = sum;
        }
    }
    let (pairs, _) = pairs.as_chunks_mut::<MOODS>();
    for (pairs, met) in pairs.iter_mut().zip(met) {
        pairs.iter_mut().zip(met).for_each(|(pair, met)| *pair += weight * met);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intent_has_mean_0_and_variance_1() {
        let grid = Grid::new(9, 4);
        for (points, weights) in [(&grid.levels, &grid.weights), (&grid.moods, &grid.mood_weights)] {
            let moment = |power| points.iter().zip(weights).map(|(x, w)| w * x.powi(power)).sum::<f64>();
            assert!((moment(0) - 1.0).abs() < 1e-12 && moment(1).abs() < 1e-12);
            assert!((moment(2) - 1.0).abs() < 0.05, "{}", moment(2));
        }
        assert_eq!(Grid::new(1, 1).intents(1.0), [0.0]);
    }

    #[test]
    fn moods_keep_their_long_run_and_forget_at_one_speed() {
        for moods in [2, 3, 4, 5, 6] {
            let grid = Grid::new(2, moods);
            let (turn, weights) = (0.1, &grid.mood_weights);
            let table = grid.change(turn);
            let from: Vec<f64> = [weights.clone(), weights.clone()].concat();
            let mut to = vec![0.0; 2 * moods];
            step(&from, &mut to, &table, moods);
            from.iter().zip(&to).for_each(|(from, to)| assert!((from - to).abs() < 1e-12));
            // The mean of what comes next is 1 − 2 · turn of what is.
            let mut back = vec![0.0; 2 * moods];
            let next = [grid.moods.clone(), grid.moods.clone()].concat();
            let mut pairs = vec![0.0; moods * moods];
            step_back((&from, 0.5), &next, &mut back, &table, &mut pairs, moods);
            back.iter().zip(&next).for_each(|(mean, mood)| assert!((mean - 0.8 * mood).abs() < 1e-12));
            // Two levels of half the weight.
            for (place, pair) in pairs.iter().enumerate() {
                assert!((pair - weights[place / moods] * grid.moods[place % moods]).abs() < 1e-12);
            }
        }
    }
}
