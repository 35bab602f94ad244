//! How records are compared.
use super::{Blocking, Grouping, Similarity, UnknownSimilarity};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The most comparisons and the most levels of one, so that a pattern of levels fits one number.
pub(super) const COMPARISONS_MAX: usize = 16;
pub(super) const LEVELS_MAX: usize = 14;
/// The most rules of blocking.
const BLOCKS_MAX: usize = 32;

/// Which records are compared, how, and what is made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchSettings {
    /// The fields that are compared, each with its levels: `"surname: exact, jaro_winkler 0.9"`.
    pub comparisons: Vec<Comparison>,
    /// Pairs are compared that agree in the fields of one of these: `"surname"`, `"born+postcode:2"`.
    pub blocks: Vec<Blocking>,
    /// Pairs at least this probable are links.
    pub accept: f64,
    /// Pairs at least this probable, but not accepted, are for review.
    pub review: f64,
    /// What groups accepted pairs make.
    pub groups: Grouping,
    /// Blocks with more records are skipped, and reported.
    pub block_records: u32,
    /// The most pairs that are compared; more is an error.
    pub pairs: u64,
    /// Random pairs from which the chance of agreement is read; all pairs where there are no more.
    pub random_pairs: u32,
    /// Equal seeds draw equal random pairs.
    pub seed: u64,
}

impl Default for MatchSettings {
    fn default() -> Self {
        Self {
            comparisons: Vec::new(),
            blocks: Vec::new(),
            accept: 0.99,
            review: 0.5,
            groups: Grouping::Connected,
            block_records: 2_000,
            pairs: 20_000_000,
            random_pairs: 1_000_000,
            seed: 1,
        }
    }
}

/// A field and the levels on which two values of it fall: the first similarity that holds, or none of them. In text:
/// `surname: exact, jaro_winkler 0.9`; `town*: exact` weighs agreement by how rare the value is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Comparison {
    /// The field.
    pub field: String,
    /// Strongest first.
    pub levels: Vec<Similarity>,
    /// Whether equal values count by how frequent the value is (Winkler 1989; Splink's term frequency adjustment): the
    /// chance that two people share a value is then that value's own share of the records.
    pub by_frequency: bool,
}

/// What cannot be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MatchError {
    /// Nothing to compare.
    #[error("no field is compared; name at least one in `comparisons`, such as \"surname: exact, jaro_winkler 0.9\"")]
    NoComparison,
    /// Nothing to look at.
    #[error("no pair is looked at; name at least one rule in `blocks`, such as \"surname\"")]
    NoBlock,
    /// More than the crate can count.
    #[error("{0} {1} are too many; use at most {2}")]
    TooMany(usize, &'static str, usize),
    /// Twice the same field.
    #[error("`{0}` is compared twice; put all its levels into one comparison")]
    FieldTwice(String),
    /// No such field.
    #[error("there is no field `{field}`; the fields are {known}")]
    Field {
        /// As asked for.
        field: String,
        /// All there are.
        known: String,
    },
    /// A text that is no comparison.
    #[error("`{0}` is no comparison; write \"field: level, level\", such as \"surname: exact, jaro_winkler 0.9\"")]
    Comparison(String),
    /// A level that is no similarity.
    #[error(transparent)]
    Similarity(#[from] UnknownSimilarity),
    /// A text that is no rule of blocking.
    #[error(
        "`{0}` is no rule; write fields joined by +, with a number of characters where only the start counts: \"surname+postcode:2\""
    )]
    Blocking(String),
    /// Not a probability.
    #[error("{0} is {1}; use a number from 0 to 1")]
    Probability(&'static str, f64),
    /// The wrong way round.
    #[error("review is {review} and accept is {accept}; what is reviewed must be less probable than what is accepted")]
    Thresholds {
        /// The lower one, as given.
        review: f64,
        /// The upper one, as given.
        accept: f64,
    },
    /// A record does not fit the fields.
    #[error("the record `{identifier}` has {values} values for {fields} fields")]
    Values {
        /// The record's identifier.
        identifier: String,
        /// How many it has.
        values: usize,
        /// How many it needs.
        fields: usize,
    },
    /// More records than the crate can count.
    #[error("there are more than 4,294,967,294 records; match them in parts")]
    Full,
    /// A field in every rule.
    #[error(
        "`{0}` is part of every rule of `blocks`, so nothing tells how often one person's records agree in it; add a rule without it"
    )]
    Untrained(String),
    /// No pairs to learn from.
    #[error(
        "the rules of `blocks` bring no two records together that can be compared; use rules that agree more often"
    )]
    NoPair,
    /// More pairs than allowed.
    #[error(
        "the rules of `blocks` make {pairs} pairs, {most} are allowed; the widest rule is \"{rule}\" with {of_rule}: add a field to it, or raise `pairs`"
    )]
    TooManyPairs {
        /// How many there would be.
        pairs: u64,
        /// How many there may be.
        most: u64,
        /// The rule that makes the most.
        rule: String,
        /// How many it makes.
        of_rule: u64,
    },
}

impl MatchSettings {
    /// Whether the settings can work.
    ///
    /// # Errors
    /// The first one that cannot.
    pub fn check(&self) -> Result<(), MatchError> {
        if self.comparisons.is_empty() {
            return Err(MatchError::NoComparison);
        }
        if self.blocks.is_empty() {
            return Err(MatchError::NoBlock);
        }
        let levels = self.comparisons.iter().map(|comparison| comparison.levels.len()).max().unwrap_or(0);
        for (count, what, most) in [
            (self.comparisons.len(), "comparisons", COMPARISONS_MAX),
            (self.blocks.len(), "rules of `blocks`", BLOCKS_MAX),
            (levels, "levels of one comparison", LEVELS_MAX),
        ] {
            if count > most {
                return Err(MatchError::TooMany(count, what, most));
            }
        }
        for (at, comparison) in self.comparisons.iter().enumerate() {
            if self.comparisons[..at].iter().any(|before| before.field == comparison.field) {
                return Err(MatchError::FieldTwice(comparison.field.clone()));
            }
            if self.blocks.iter().all(|block| block.reads(&comparison.field)) {
                return Err(MatchError::Untrained(comparison.field.clone()));
            }
        }
        for (name, value) in [("accept", self.accept), ("review", self.review)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(MatchError::Probability(name, value));
            }
        }
        if self.review > self.accept {
            return Err(MatchError::Thresholds { review: self.review, accept: self.accept });
        }
        Ok(())
    }
}

impl FromStr for Comparison {
    type Err = MatchError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, levels) = text.split_once(':').ok_or_else(|| MatchError::Comparison(text.to_owned()))?;
        let field = field.trim();
        let (field, by_frequency) = field.strip_suffix('*').map_or((field, false), |field| (field.trim(), true));
        if field.is_empty() {
            return Err(MatchError::Comparison(text.to_owned()));
        }
        let levels = levels.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { field: field.to_owned(), levels, by_frequency })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels: Vec<String> = self.levels.iter().map(ToString::to_string).collect();
        write!(f, "{}{}: {}", self.field, if self.by_frequency { "*" } else { "" }, levels.join(", "))
    }
}

impl TryFrom<String> for Comparison {
    type Error = MatchError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Comparison> for String {
    fn from(comparison: Comparison) -> Self {
        comparison.to_string()
    }
}
