//! Pairs of records to patterns of levels.
use super::{Comparison, MatchError, Records, records::Column, similarity::Value};
use hashbrown::HashMap;

/// The level of a comparison where a value is missing.
pub(super) const MISSING: usize = 15;

/// The levels of all comparisons of one pair, four bits each, the first comparison lowest.
pub(super) type Pattern = u64;

/// The level of a comparison in a pattern.
pub(super) fn level(pattern: Pattern, comparison: usize) -> usize {
    (pattern >> (4 * comparison)) as usize & 15
}

/// Compares records.
pub(super) struct Comparer<'a> {
    fields: Vec<(&'a Column, &'a Comparison, Vec<Value<'a>>)>,
}

impl<'a> Comparer<'a> {
    /// # Errors
    /// When a comparison names a field that there is not.
    pub(super) fn new(records: &'a Records, comparisons: &'a [Comparison]) -> Result<Self, MatchError> {
        let field = |comparison: &'a Comparison| {
            let column = records.column(&comparison.field)?;
            Ok((column, comparison, column.texts().iter().map(|text| Value::new(text)).collect()))
        };
        Ok(Self { fields: comparisons.iter().map(field).collect::<Result<_, MatchError>>()? })
    }

    /// The level of one comparison: the first similarity that holds, their number where none does, or [`MISSING`].
    pub(super) fn level(&self, comparison: usize, a: u32, b: u32) -> usize {
        let (column, comparison, values) = &self.fields[comparison];
        let (Some(a), Some(b)) = (column.value(a), column.value(b)) else { return MISSING };
        let (a, b) = (&values[a as usize], &values[b as usize]);
        let holds = comparison.levels.iter().position(|similarity| similarity.holds(a, b));
        holds.unwrap_or(comparison.levels.len())
    }

    pub(super) fn pattern(&self, a: u32, b: u32) -> Pattern {
        (0..self.fields.len())
            .fold(0, |pattern, comparison| pattern | (self.level(comparison, a, b) as Pattern) << (4 * comparison))
    }

    /// The share of records that have the value both records share, where they do.
    pub(super) fn frequency(&self, comparison: usize, a: u32, b: u32) -> Option<f64> {
        let column = self.fields[comparison].0;
        let shared = column.value(a).filter(|&value| column.value(b) == Some(value));
        shared.map(|value| column.frequency(value))
    }

    pub(super) fn column(&self, comparison: usize) -> &Column {
        self.fields[comparison].0
    }
}

/// Counts patterns; ascending.
pub(super) fn count(patterns: impl Iterator<Item = Pattern>) -> Vec<(Pattern, u64)> {
    let mut counts: HashMap<Pattern, u64> = HashMap::new();
    for pattern in patterns {
        *counts.entry(pattern).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    counts
}
