//! How often records of one person, and of two, fall on each level.
//!
//! Random pairs are nearly all of two people: their levels give `u`, less the share of one-person pairs among them.
//! Pairs of one block are a mixture in which one-person pairs are frequent: expectation–maximisation (Dempster, Laird
//! and Rubin 1977; for linkage, Winkler 1988) finds `m` there from the comparisons that the block's own fields do not
//! decide, with `u` held. Each comparison's `m` is the mean over all rules that can tell it, by expected pairs. The prior
//! is the expected number of one-person pairs, each pair counted under its first rule with that rule's own share of them,
//! as a part of all pairs: pairs that no rule brings together are taken as of two people.
use super::{
    Comparison, LevelWeights, MatchSettings, Model, Records, Similarity,
    compare::{Comparer, MISSING, Pattern, count, level},
};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use rayon::prelude::*;

/// Rounds of the whole estimate, and steps of one maximisation, at the most.
const ROUNDS: usize = 20;
const STEPS: usize = 500;
/// Where an estimate stands still.
const STILL: f64 = 1e-6;
/// Added to what was counted on each level: a level that was never seen is rare, not impossible.
const UNSEEN: f64 = 0.5;
/// The share of one-person pairs in a block before anything is known.
const FIRST_SHARE: f64 = 0.2;
/// How probable the strongest level is among pairs of one person before anything is known.
const FIRST_AGREEMENT: f64 = 0.9;
/// Random pairs drawn by one task: a seed each, so that threads do not matter.
const DRAWS: u64 = 1 << 14;

/// A number for each level of each comparison.
type Levels = Vec<Vec<f64>>;

/// Counted patterns of pairs.
type Patterns = Vec<(Pattern, u64)>;

/// The pairs of a rule, and which comparisons they can tell.
struct Training {
    patterns: Patterns,
    /// Those that no rule before brings together.
    new: Patterns,
    tells: Vec<bool>,
    /// How many of `patterns`, and of `new`, are one person's.
    shares: [f64; 2],
}

/// Fits the model to pairs, each as pattern and rules.
pub(super) fn fit(
    records: &Records,
    comparer: &Comparer<'_>,
    pairs: &[(Pattern, u32)],
    settings: &MatchSettings,
) -> Model {
    let comparisons = &settings.comparisons;
    let random = random(records, comparer, settings);
    let mut training: Vec<Training> = settings
        .blocks
        .iter()
        .enumerate()
        .map(|(rule, block)| Training {
            patterns: count(pairs.iter().filter(|pair| pair.1 >> rule & 1 == 1).map(|pair| pair.0)),
            new: count(pairs.iter().filter(|pair| pair.1.trailing_zeros() as usize == rule).map(|pair| pair.0)),
            tells: comparisons.iter().map(|comparison| !block.reads(&comparison.field)).collect(),
            shares: [FIRST_SHARE; 2],
        })
        .collect();
    let of_records = records.len() as f64 * (records.len() as f64 - 1.0) / 2.0;
    let (mut m, mut u, mut prior) = (first(comparisons), random.clone(), 0.0);
    for _ in 0..ROUNDS {
        let mut told: Levels = comparisons.iter().map(|comparison| vec![UNSEEN; comparison.levels.len() + 1]).collect();
        for training in &mut training {
            training.learn(&m, &u, &mut told);
        }
        let before = std::mem::replace(&mut m, told.into_iter().map(shares).collect());
        let one_person: f64 = training.iter_mut().map(|training| training.one_person(&m, &u)).sum();
        prior = (one_person / of_records).clamp(f64::MIN_POSITIVE, 1.0 - 1e-9);
        u = of_two(&random, &m, prior, f64::from(settings.random_pairs).min(of_records));
        if farthest(&before, &m) < STILL {
            break;
        }
    }
    let weights = comparisons.iter().zip(m.iter().zip(&u)).map(|(comparison, (m, u))| {
        let similarities = comparison.levels.iter().map(|&similarity| Some(similarity)).chain([None]);
        let levels = similarities.zip(m.iter().zip(u)).map(|(similarity, (&m, &u))| LevelWeights { similarity, m, u });
        (comparison.clone(), levels.collect())
    });
    Model { prior, comparisons: weights.collect() }
}

/// The share of each level among random pairs.
fn random(records: &Records, comparer: &Comparer<'_>, settings: &MatchSettings) -> Levels {
    let len = records.len() as u64;
    let all = len * len.saturating_sub(1) / 2;
    let counts = if all <= u64::from(settings.random_pairs) {
        let of_one = |a: u32| count((a + 1..len as u32).map(move |b| comparer.pattern(a, b)));
        (0..len as u32).into_par_iter().map(of_one).collect::<Vec<_>>()
    } else {
        let draws = u64::from(settings.random_pairs);
        let draw = |task: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
            rng.set_stream(task);
            let mut below = |most: u64| ((u128::from(rng.next_u64()) * u128::from(most)) >> 64) as u32;
            count((task * DRAWS..draws.min((task + 1) * DRAWS)).map(|_| {
                let (a, b) = (below(len), below(len - 1));
                comparer.pattern(a, b + u32::from(b >= a))
            }))
        };
        (0..draws.div_ceil(DRAWS)).into_par_iter().map(draw).collect()
    };
    let mut levels: Levels =
        settings.comparisons.iter().map(|comparison| vec![0.0; comparison.levels.len() + 1]).collect();
    for (pattern, pairs) in counts.into_iter().flatten() {
        for (comparison, levels) in levels.iter_mut().enumerate() {
            let level = level(pattern, comparison);
            if level != MISSING {
                levels[level] += pairs as f64;
            }
        }
    }
    let mut found = Vec::new();
    for (place, (comparison, levels)) in settings.comparisons.iter().zip(levels).enumerate() {
        let mut levels = shares(levels.into_iter().map(|pairs| pairs + UNSEEN).collect());
        // That two values are equal need not be drawn: it is known from how many records have each.
        if let (Some(Similarity::Exact), Some(equal)) =
            (comparison.levels.first(), comparer.column(place).agreement().filter(|&equal| equal < 1.0))
        {
            let rest = 1.0 - levels[0];
            levels[0] = equal;
            levels[1..].iter_mut().for_each(|share| *share *= (1.0 - equal) / rest);
        }
        found.push(levels);
    }
    found
}

/// Where `m` starts: the strongest level is usual, each weaker one is half as usual as the one before.
fn first(comparisons: &[Comparison]) -> Levels {
    let of = |comparison: &Comparison| {
        let rest: Vec<f64> =
            comparison.levels.iter().scan(1.0, |part, _| Some(std::mem::replace(part, *part / 2.0))).collect();
        let sum: f64 = rest.iter().sum();
        let weak = rest.into_iter().map(|part| part / sum * (1.0 - FIRST_AGREEMENT));
        std::iter::once(FIRST_AGREEMENT).chain(weak).collect()
    };
    comparisons.iter().map(of).collect()
}

fn shares(counts: Vec<f64>) -> Vec<f64> {
    let sum: f64 = counts.iter().sum();
    counts.into_iter().map(|count| count / sum).collect()
}

fn farthest(a: &Levels, b: &Levels) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The probability of one person, given a pattern and how many of the pairs are one person's.
fn posterior(pattern: Pattern, m: &Levels, u: &Levels, share: f64, tells: impl Fn(usize) -> bool) -> f64 {
    let mut odds = share / (1.0 - share);
    for (comparison, (m, u)) in m.iter().zip(u).enumerate() {
        let level = level(pattern, comparison);
        if level != MISSING && tells(comparison) {
            odds *= m[level] / u[level];
        }
    }
    if odds.is_infinite() { 1.0 } else { odds / (1.0 + odds) }
}

impl Training {
    /// Maximises the likelihood of the rule's pairs from `m` on, and adds the expected one-person pairs on each level
    /// that the rule can tell.
    fn learn(&mut self, m: &Levels, u: &Levels, told: &mut Levels) {
        let mut m = m.clone();
        let pairs = total(&self.patterns);
        if pairs == 0.0 {
            return;
        }
        for step in 0..STEPS {
            let mut levels: Levels = m.iter().map(|levels| vec![UNSEEN; levels.len()]).collect();
            let mut matches = 0.0;
            for &(pattern, pairs) in &self.patterns {
                let expected = posterior(pattern, &m, u, self.shares[0], |place| self.tells[place]) * pairs as f64;
                matches += expected;
                for (comparison, levels) in levels.iter_mut().enumerate() {
                    let level = level(pattern, comparison);
                    if level != MISSING {
                        levels[level] += expected;
                    }
                }
            }
            self.shares[0] = alive(matches / pairs);
            let next: Levels = levels.iter().cloned().map(shares).collect();
            let still = farthest(&m, &next) < STILL;
            m = next;
            if still || step + 1 == STEPS {
                for ((told, levels), _) in told.iter_mut().zip(&levels).zip(&self.tells).filter(|(_, tells)| **tells) {
                    told.iter_mut().zip(levels).for_each(|(told, expected)| *told += expected - UNSEEN);
                }
                return;
            }
        }
    }

    /// The expected number of one-person pairs that only this rule and later ones bring together.
    fn one_person(&mut self, m: &Levels, u: &Levels) -> f64 {
        let pairs = total(&self.new);
        for _ in 0..STEPS {
            let of = |&(pattern, pairs): &(Pattern, u64)| {
                posterior(pattern, m, u, self.shares[1], |place| self.tells[place]) * pairs as f64
            };
            let next = alive(self.new.iter().map(of).sum::<f64>() / pairs.max(1.0));
            let still = (next - self.shares[1]).abs() < STILL * next;
            self.shares[1] = next;
            if still {
                break;
            }
        }
        self.shares[1] * pairs
    }
}

/// A share at which neither kind of pair has died out, so that an estimate can recover from a bad start.
fn alive(share: f64) -> f64 {
    share.clamp(1e-9, 1.0 - 1e-9)
}

fn total(patterns: &Patterns) -> f64 {
    patterns.iter().map(|&(_, pairs)| pairs as f64).sum()
}

/// The shares of levels among pairs of two people, from those among all pairs; `pairs` were drawn.
fn of_two(random: &Levels, m: &Levels, prior: f64, pairs: f64) -> Levels {
    let least = UNSEEN / pairs.max(1.0);
    let of = |(random, m): (&Vec<f64>, &Vec<f64>)| {
        let rest = random.iter().zip(m).map(|(random, m)| (random - prior * m).max(least));
        shares(rest.collect())
    };
    random.iter().zip(m).map(of).collect()
}
