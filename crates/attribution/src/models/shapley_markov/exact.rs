//! Every set is solved.
use super::game::Game;
use crate::models::count;
use crate::{Credit, sum::Sum};
use rayon::prelude::*;

/// Sets of more players would not fit in memory.
const PLAYERS_MAX: usize = 20;
/// Multiplications that a game may cost, minutes at most.
const COST_MAX: f64 = 1e12;

/// How many players can be afforded.
pub(super) fn most(game: &Game<'_>) -> usize {
    let affordable = (COST_MAX / (count(game.chain.states()).powi(3) / 3.0 + 100.0)).log2().max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 40")]
    PLAYERS_MAX.min(affordable as usize)
}

/// The value of each player.
pub(super) fn values(game: &Game<'_>) -> Vec<Credit> {
    let n = game.players.len();
    let short = covered(game);
    let worth = (0..1_usize << n).into_par_iter().map(|set| {
        let long = game.worth(|player| set >> player & 1 == 1);
        Credit { conversions: long.conversions + short[set].conversions, value: long.value + short[set].value }
    });
    let worth: Vec<Credit> = worth.collect();
    // A set of s others is met with the chance s! (n − s − 1)! / n!.
    let mut chance = vec![1.0 / count(n.max(1)); n];
    (1..n).for_each(|s| chance[s] = chance[s - 1] * count(s) / count(n - s));
    let value = |player: usize| {
        let (mut conversions, mut value) = (Sum::default(), Sum::default());
        for set in (0..1_usize << n).filter(|set| set >> player & 1 == 0) {
            let (with, without) = (worth[set | 1 << player], worth[set]);
            let chance = chance[set.count_ones() as usize];
            conversions.add(chance * (with.conversions - without.conversions));
            value.add(chance * (with.value - without.value));
        }
        Credit { conversions: conversions.get(), value: value.get() }
    };
    (0..n).map(value).collect()
}

/// By set: what paths shorter than a state bring to it.
fn covered(game: &Game<'_>) -> Vec<Credit> {
    let n = game.players.len();
    let mut short = vec![Credit::default(); 1 << n];
    for (set, credit) in &game.short {
        let earned = &mut short[set.iter().fold(0, |set, player| set | 1 << player)];
        earned.conversions += credit.conversions;
        earned.value += credit.value;
    }
    for player in 0..n {
        for set in (0..1 << n).filter(|set| set >> player & 1 == 1) {
            let without = short[set ^ (1 << player)];
            short[set].conversions += without.conversions;
            short[set].value += without.value;
        }
    }
    short
}
