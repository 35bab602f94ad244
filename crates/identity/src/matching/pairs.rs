//! Pairs of records that are probably one person.
use super::{
    Evidence, Grouping, MatchError, MatchSettings, Model, Records, Skipped,
    block::Blocks,
    compare::{Comparer, Pattern},
    estimate,
    model::probability,
};
use rayon::prelude::*;

/// Two records that may be one person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Number of the one record, the smaller one.
    pub a: u32,
    /// Number of the other record.
    pub b: u32,
    /// Log-odds that both are one person, in bits, the prior included.
    pub bits: f64,
    /// The probability that both are one person.
    pub probability: f64,
    pattern: Pattern,
}

/// What [`find`] found.
pub struct Matches<'a> {
    pub(super) records: &'a Records,
    comparer: Comparer<'a>,
    pub(super) grouping: Grouping,
    accept: f64,
    /// The fitted model.
    pub model: Model,
    /// Every pair at least as probable as `review` asks, most probable first.
    pub pairs: Vec<Pair>,
    /// How many pairs were compared.
    pub compared: u64,
    /// Blocks that were too large to look into.
    pub skipped: Vec<Skipped>,
}

/// Compares the pairs that the rules bring together, and scores them.
///
/// # Errors
/// When the settings cannot work, name fields that there are not, or bring too many pairs together, or none.
pub fn find<'a>(records: &'a Records, settings: &'a MatchSettings) -> Result<Matches<'a>, MatchError> {
    settings.check()?;
    let comparer = Comparer::new(records, &settings.comparisons)?;
    let blocks = Blocks::new(records, &settings.blocks, settings.block_records)?;
    let of_rules = blocks.pairs();
    let pairs: u64 = of_rules.iter().sum();
    if pairs > settings.pairs {
        let widest = (0..of_rules.len()).max_by_key(|&rule| of_rules[rule]).unwrap_or_default();
        return Err(MatchError::TooManyPairs {
            pairs,
            most: settings.pairs,
            rule: settings.blocks[widest].to_string(),
            of_rule: of_rules[widest],
        });
    }
    let compared: Vec<(u32, u32, u32, Pattern)> = blocks
        .each()
        .into_par_iter()
        .flat_map_iter(|(rule, block)| {
            let (blocks, comparer) = (&blocks, &comparer);
            let others = move |at: usize| block[at + 1..].iter().map(move |&b| (block[at], b));
            (0..block.len()).flat_map(others).filter_map(move |(a, b)| {
                let rules = blocks.rules(a, b);
                // A pair of several rules is compared in the first one.
                (rules.trailing_zeros() as usize == rule).then(|| (a, b, rules, comparer.pattern(a, b)))
            })
        })
        .collect();
    if compared.is_empty() {
        return Err(MatchError::NoPair);
    }
    let patterns: Vec<(Pattern, u32)> = compared.iter().map(|&(_, _, rules, pattern)| (pattern, rules)).collect();
    let model = estimate::fit(records, &comparer, &patterns, settings);
    drop(patterns);
    let score = |&(a, b, _, pattern): &(u32, u32, u32, Pattern)| {
        let bits = model.weigh(&comparer, pattern, a, b);
        Pair { a, b, bits, probability: probability(bits), pattern }
    };
    let mut pairs: Vec<Pair> =
        compared.par_iter().map(score).filter(|pair| pair.probability >= settings.review).collect();
    pairs.sort_unstable_by(|x, y| y.bits.total_cmp(&x.bits).then((x.a, x.b).cmp(&(y.a, y.b))));
    Ok(Matches {
        records,
        grouping: settings.groups,
        accept: settings.accept,
        compared: compared.len() as u64,
        skipped: blocks.skipped,
        comparer,
        model,
        pairs,
    })
}

impl Matches<'_> {
    /// The pairs that are links, most probable first.
    pub fn accepted(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().take_while(|pair| pair.probability >= self.accept)
    }

    /// The pairs that somebody should look at, most probable first.
    pub fn review(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().skip_while(|pair| pair.probability >= self.accept)
    }

    /// What each field of a pair says, in the order of the comparisons; with the prior
    /// ([`Model::prior_bits`]) the bits add up to those of the pair.
    #[must_use]
    pub fn evidence(&self, pair: &Pair) -> Vec<Evidence> {
        self.model.evidence(&self.comparer, pair.pattern, pair.a, pair.b)
    }
}
