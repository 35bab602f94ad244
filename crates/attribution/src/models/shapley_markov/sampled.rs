//! Random orders of the players, and what each adds as it comes in.
use super::{ShapleyMarkov, game::Game, order::Solver};
use crate::models::count;
use crate::{Credit, Error, Result, Stop, random::Random};
use rayon::prelude::*;

/// Multiplications that the draws may cost, minutes at most.
const COST_MAX: f64 = 1e12;
/// Where no number of draws is given, there are fewer than [`ShapleyMarkov::SAMPLES`] rather than more than this, but so many
/// at least.
const COST_UNASKED: f64 = 1e11;
const SAMPLES_LEAST: f64 = 100.0;
/// Pairs in one unit of parallel work.
const CHUNK: usize = 16;

pub(super) struct Drawn {
    /// The mean of what each player adds.
    pub(super) values: Vec<Credit>,
    /// The standard error of that mean.
    pub(super) errors: Vec<Credit>,
    /// Orders drawn.
    pub(super) samples: u32,
}

/// Draws pairs of an order and its reverse until there are `samples` orders; where no number is given, as many as the time
/// allows.
pub(super) fn values(game: &Game<'_>, samples: Option<u32>, seed: u64, stop: &Stop) -> Result<Drawn> {
    let solver = Solver::new(game, stop)?;
    let cost = solver.cost(game);
    let samples = samples.unwrap_or_else(|| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 100 and 1,000")]
        let affordable = (COST_UNASKED / cost).clamp(SAMPLES_LEAST, f64::from(ShapleyMarkov::SAMPLES)) as u32;
        affordable
    });
    let pairs = samples.max(4).div_ceil(2);
    let asked = cost * 2.0 * f64::from(pairs);
    if asked > COST_MAX {
        // By elimination the cost grows with the third power of the states, by sweeps with the states.
        let part = if matches!(solver, Solver::Eliminates) { libm::cbrt(COST_MAX / asked) } else { COST_MAX / asked };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the states there are")]
        let most = (part * count(game.chain.states())) as usize;
        let way_out = "choose a lower order or fewer samples, or group rare channels first";
        return Err(Error::TooManyStates { model: "shapley_markov", most, got: game.chain.states(), way_out });
    }
    let pairs = pairs as usize;
    let chunks = (0..pairs.div_ceil(CHUNK)).into_par_iter().map(|chunk| {
        let mut moments = Moments::new(game.players.len());
        for at in chunk * CHUNK..((chunk + 1) * CHUNK).min(pairs) {
            moments.add(&pair(game, &solver, seed, at as u64, stop)?);
        }
        Ok(moments)
    });
    let chunks: Vec<_> = chunks.collect::<Result<_>>()?;
    let mut all = Moments::new(game.players.len());
    chunks.iter().for_each(|moments| all.merge(moments));
    #[expect(clippy::cast_possible_truncation, reason = "from a u32")]
    let samples = pairs as u32 * 2;
    Ok(Drawn { errors: all.errors(), values: all.means, samples })
}

/// What each player adds, mean over a random order and its reverse.
fn pair(game: &Game<'_>, solver: &Solver, seed: u64, at: u64, stop: &Stop) -> Result<Vec<Credit>> {
    let mut order: Vec<usize> = (0..game.players.len()).collect();
    Random::new(seed, at).shuffle(&mut order);
    let mut added = vec![Credit::default(); order.len()];
    walk(game, solver, &order, &mut added, stop)?;
    order.reverse();
    walk(game, solver, &order, &mut added, stop)?;
    for credit in &mut added {
        (credit.conversions, credit.value) = (credit.conversions / 2.0, credit.value / 2.0);
    }
    Ok(added)
}

/// Adds to `added` what each player adds to those before it.
fn walk(game: &Game<'_>, solver: &Solver, order: &[usize], added: &mut [Credit], stop: &Stop) -> Result<()> {
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, player)| place[*player] = at);
    let mut before = Credit::default();
    for (at, (player, lost)) in order.iter().zip(solver.lost(game, &place, stop)?).enumerate() {
        // All together lose nothing; that the sum is exact does not hang on rounding.
        let now = if at + 1 == order.len() {
            game.long
        } else {
            Credit { conversions: game.long.conversions - lost.conversions, value: game.long.value - lost.value }
        };
        added[*player].conversions += now.conversions - before.conversions;
        added[*player].value += now.value - before.value;
        before = now;
    }
    // A path shorter than a state is earned when the last of its players comes in.
    for (set, credit) in &game.short {
        if let Some(last) = set.iter().max_by_key(|player| place[**player]) {
            added[*last].conversions += credit.conversions;
            added[*last].value += credit.value;
        }
    }
    Ok(())
}

/// Means and sums of squared deviations (Welford 1962; merged as in Chan, Golub, LeVeque 1983).
struct Moments {
    pairs: f64,
    means: Vec<Credit>,
    squares: Vec<Credit>,
}

impl Moments {
    fn new(players: usize) -> Self {
        Self { pairs: 0.0, means: vec![Credit::default(); players], squares: vec![Credit::default(); players] }
    }

    fn add(&mut self, sample: &[Credit]) {
        self.merge(&Self { pairs: 1.0, means: sample.to_vec(), squares: vec![Credit::default(); sample.len()] });
    }

    fn merge(&mut self, other: &Self) {
        let pairs = self.pairs + other.pairs;
        for player in 0..self.means.len() {
            let (mean, square) = (&mut self.means[player], &mut self.squares[player]);
            let (by, add) = (other.means[player], other.squares[player]);
            let merge = |mean: &mut f64, square: &mut f64, by: f64, add: f64| {
                let apart = by - *mean;
                *mean += apart * other.pairs / pairs;
                *square += add + apart * apart * self.pairs * other.pairs / pairs;
            };
            merge(&mut mean.conversions, &mut square.conversions, by.conversions, add.conversions);
            merge(&mut mean.value, &mut square.value, by.value, add.value);
        }
        self.pairs = pairs;
    }

    fn errors(&self) -> Vec<Credit> {
        let error = |square: f64| (square / (self.pairs - 1.0) / self.pairs).sqrt();
        let errors = |square: &Credit| Credit { conversions: error(square.conversions), value: error(square.value) };
        self.squares.iter().map(errors).collect()
    }
}
