//! How alike two values of a field are.
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A statement about two values of a field. In text: `exact`, `jaro_winkler 0.9`, `levenshtein 1`, `damerau 2`,
/// `days 31`, `within 0.5`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Similarity {
    /// They are the same text.
    Exact,
    /// Their Jaro–Winkler similarity (Winkler 1990: prefix weight 0.1, at most four characters, from a Jaro similarity
    /// of 0.7 on) is at least this, 0 to 1.
    JaroWinkler(f64),
    /// At most this many insertions, deletions and substitutions of characters make one the other (Levenshtein 1966).
    Levenshtein(u32),
    /// As `Levenshtein`, exchanges of two neighbours counted as one (Damerau 1964), without restriction on what is
    /// edited twice.
    Damerau(u32),
    /// Both are dates (`2026-11-22` or `20261122`), at most this many days apart.
    Days(u32),
    /// Both are numbers, at most this far apart.
    Within(f64),
}

/// The text is no similarity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no similarity; use exact, jaro_winkler 0.9, levenshtein 1, damerau 1, days 31 or within 0.5")]
pub struct UnknownSimilarity(pub String);

impl FromStr for Similarity {
    type Err = UnknownSimilarity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownSimilarity(text.trim().to_owned());
        let mut words = text.split_whitespace();
        let (name, number) = (words.next().ok_or_else(unknown)?, words.next());
        let whole = || number.and_then(|number| number.parse::<u32>().ok()).ok_or_else(unknown);
        let real = |most: f64| {
            let number = number.and_then(|number| number.parse::<f64>().ok());
            number.filter(|number| (0.0..=most).contains(number)).ok_or_else(unknown)
        };
        let similarity = match name {
            "exact" if number.is_none() => Self::Exact,
            "jaro_winkler" => Self::JaroWinkler(real(1.0)?),
            "levenshtein" => Self::Levenshtein(whole()?),
            "damerau" => Self::Damerau(whole()?),
            "days" => Self::Days(whole()?),
            "within" => Self::Within(real(f64::MAX)?),
            _ => return Err(unknown()),
        };
        if words.next().is_some() { Err(unknown()) } else { Ok(similarity) }
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.write_str("exact"),
            Self::JaroWinkler(least) => write!(f, "jaro_winkler {least}"),
            Self::Levenshtein(most) => write!(f, "levenshtein {most}"),
            Self::Damerau(most) => write!(f, "damerau {most}"),
            Self::Days(most) => write!(f, "days {most}"),
            Self::Within(most) => write!(f, "within {most}"),
        }
    }
}

impl TryFrom<String> for Similarity {
    type Error = UnknownSimilarity;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Similarity> for String {
    fn from(similarity: Similarity) -> Self {
        similarity.to_string()
    }
}

/// A value in each form that similarities read.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    text: &'a str,
    characters: usize,
    /// Which characters it has, by their last six bits.
    kinds: u64,
    /// Days since some day.
    day: Option<i64>,
    number: Option<f64>,
}

impl<'a> Value<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let date = text.parse::<Date>().ok();
        let epoch = Date::constant(1970, 1, 1);
        Self {
            text,
            characters: text.chars().count(),
            kinds: text.chars().fold(0, |kinds, character| kinds | 1 << (u32::from(character) & 63)),
            day: date.map(|date| date.duration_since(epoch).as_hours() / 24),
            number: text.parse::<f64>().ok().filter(|number| number.is_finite()),
        }
    }

    /// Whether this many edits may be enough; saves the costly count for most pairs. An edit changes the length by one at
    /// most, and takes away or brings at most one kind of character each.
    fn may_be_within(&self, other: &Self, edits: u32) -> bool {
        self.characters.abs_diff(other.characters) <= edits as usize
            && (self.kinds ^ other.kinds).count_ones() <= edits.saturating_mul(2)
    }
}

impl Similarity {
    /// Whether it holds between two values.
    pub(super) fn holds(self, a: &Value<'_>, b: &Value<'_>) -> bool {
        match self {
            Self::Exact => a.text == b.text,
            Self::JaroWinkler(least) => strsim::jaro_winkler(a.text, b.text) >= least,
            Self::Levenshtein(most) => a.may_be_within(b, most) && strsim::levenshtein(a.text, b.text) <= most as usize,
            Self::Damerau(most) => {
                a.may_be_within(b, most) && strsim::damerau_levenshtein(a.text, b.text) <= most as usize
            }
            Self::Days(most) => a.day.zip(b.day).is_some_and(|(a, b)| a.abs_diff(b) <= u64::from(most)),
            Self::Within(most) => a.number.zip(b.number).is_some_and(|(a, b)| (a - b).abs() <= most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(similarity: &str, a: &str, b: &str) -> bool {
        let similarity: Similarity = similarity.parse().expect("a similarity");
        assert_eq!(similarity.to_string().parse(), Ok(similarity));
        let (a, b) = (Value::new(a), Value::new(b));
        assert_eq!(similarity.holds(&a, &b), similarity.holds(&b, &a), "both ways");
        similarity.holds(&a, &b)
    }

    /// Winkler's examples in "Overview of Record Linkage and Current Research Directions" (US Census Bureau, 2006),
    /// table 6, which rounds to three digits.
    #[test]
    fn jaro_winkler_is_that_of_the_census_bureau() {
        for (a, b, published) in [
            ("shackleford", "shackelford", 0.982),
            ("dunningham", "cunnigham", 0.896),
            ("nichleson", "nichulson", 0.956),
        ] {
            assert!(holds(&format!("jaro_winkler {}", published - 0.0005), a, b), "{a} {b}");
            assert!(!holds(&format!("jaro_winkler {}", published + 0.0005), a, b), "{a} {b}");
        }
    }

    #[test]
    fn edits_are_counted() {
        // Levenshtein's usual example: kitten → sitten → sittin → sitting.
        assert!(holds("levenshtein 3", "kitten", "sitting") && !holds("levenshtein 2", "kitten", "sitting"));
        // An exchange is one edit for Damerau and two for Levenshtein.
        assert!(holds("damerau 1", "19850312", "19850321") && !holds("levenshtein 1", "19850312", "19850321"));
        // Unrestricted: ca → ac → abc.
        assert!(holds("damerau 2", "ca", "abc"));
    }

    proptest! {
        /// What saves the count never changes the answer.
        #[test]
        fn few_edits_are_always_counted(a in "[a-eé]{0,6}", b in "[a-eé]{0,6}", most in 0_u32..4) {
            let most_edits = most as usize;
            prop_assert_eq!(holds(&format!("levenshtein {most}"), &a, &b), strsim::levenshtein(&a, &b) <= most_edits);
            prop_assert_eq!(holds(&format!("damerau {most}"), &a, &b), strsim::damerau_levenshtein(&a, &b) <= most_edits);
        }
    }

    #[test]
    fn dates_and_numbers_are_read() {
        assert!(holds("days 1", "20240228", "2024-02-29") && !holds("days 1", "2024-02-28", "2024-03-01"));
        assert!(!holds("days 9999", "20241332", "20241301"), "no dates");
        assert!(
            holds("within 0.5", "12.5", "13") && !holds("within 0.5", "12.4", "13") && !holds("within 9", "x", "9")
        );
    }

    #[test]
    fn what_is_no_similarity_is_named() {
        for text in
            ["", "exactly", "exact 1", "jaro_winkler", "jaro_winkler 1.5", "levenshtein -1", "days 1 2", "within x"]
        {
            assert_eq!(text.parse::<Similarity>(), Err(UnknownSimilarity(text.to_owned())));
        }
    }
}
