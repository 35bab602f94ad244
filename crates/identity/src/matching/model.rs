//! Levels to bits of evidence.
use super::{
    Comparison, Similarity,
    compare::{Comparer, MISSING, Pattern, level},
};

/// A fitted model: what each level of each comparison says.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The probability that two random records are one person.
    pub prior: f64,
    /// By comparison.
    pub comparisons: Vec<(Comparison, Vec<LevelWeights>)>,
}

/// What a level says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelWeights {
    /// The similarity; `None` is the level of values that are not alike.
    pub similarity: Option<Similarity>,
    /// Its probability among pairs of one person.
    pub m: f64,
    /// Its probability among pairs of two people.
    pub u: f64,
}

impl LevelWeights {
    /// log₂(m / u): bits for (above 0) or against (below 0) one person.
    #[must_use]
    pub fn bits(&self) -> f64 {
        (self.m / self.u).log2()
    }
}

/// What one field of a pair says.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The field.
    pub field: String,
    /// How alike the values are: a similarity, `different`, or `missing`.
    pub level: String,
    /// Bits for (above 0) or against (below 0) one person; 0 where a value is missing.
    pub bits: f64,
    /// The first record's value, as compared.
    pub a: Option<String>,
    /// The second record's value.
    pub b: Option<String>,
}

/// The probability of these log-odds.
pub(super) fn probability(bits: f64) -> f64 {
    1.0 / (1.0 + (-bits).exp2())
}

impl Model {
    /// log₂ of the odds that two random records are one person.
    #[must_use]
    pub fn prior_bits(&self) -> f64 {
        (self.prior / (1.0 - self.prior)).log2()
    }

    /// The bits of one comparison on a level. Equal values that are weighed by frequency have the share of their value
    /// in the place of `u`.
    fn bits(&self, place: usize, level: usize, frequency: impl FnOnce() -> Option<f64>) -> f64 {
        let (comparison, levels) = &self.comparisons[place];
        let Some(weights) = levels.get(level) else { return 0.0 };
        let rare = weights.similarity == Some(Similarity::Exact) && comparison.by_frequency;
        let frequency = if rare { frequency() } else { None };
        frequency.map_or_else(|| weights.bits(), |frequency| (weights.m / frequency).log2())
    }

    /// The log-odds, in bits, that the records of a pair are one person.
    pub(super) fn weigh(&self, comparer: &Comparer<'_>, pattern: Pattern, a: u32, b: u32) -> f64 {
        let of = |place| self.bits(place, level(pattern, place), || comparer.frequency(place, a, b));
        self.prior_bits() + (0..self.comparisons.len()).map(of).sum::<f64>()
    }

    /// What each field of a pair says.
    pub(super) fn evidence(&self, comparer: &Comparer<'_>, pattern: Pattern, a: u32, b: u32) -> Vec<Evidence> {
        let of = |(place, (comparison, levels)): (usize, &(Comparison, Vec<LevelWeights>))| {
            let level = level(pattern, place);
            let column = comparer.column(place);
            let text = |record| column.value(record).map(|value| column.text(value).to_owned());
            Evidence {
                field: comparison.field.clone(),
                level: match levels.get(level).map(|weights| weights.similarity) {
                    _ if level == MISSING => "missing".to_owned(),
                    Some(Some(similarity)) => similarity.to_string(),
                    _ => "different".to_owned(),
                },
                bits: self.bits(place, level, || comparer.frequency(place, a, b)),
                a: text(a),
                b: text(b),
            }
        };
        self.comparisons.iter().enumerate().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Month of birth: records of one person agree in 95 % of cases, those of two people in one of twelve. The example
    /// and its weights, 3.51 and −4.20, are those of Blakely and Salmond ("Probabilistic record linkage and a method to
    /// calculate the positive predictive value", International Journal of Epidemiology 31, 2002).
    #[test]
    fn month_of_birth_weighs_as_published() {
        let u = 1.0 / 12.0;
        let same = LevelWeights { similarity: Some(Similarity::Exact), m: 0.95, u };
        let other = LevelWeights { similarity: None, m: 0.05, u: 1.0 - u };
        assert!((same.bits() - 3.51).abs() < 0.005 && (other.bits() + 4.20).abs() < 0.005);
    }

    #[test]
    fn bits_add_up_to_the_posterior() {
        // One in a hundred pairs is one person, and the evidence is 99 times as likely among those: even odds.
        let model = Model { prior: 0.01, comparisons: Vec::new() };
        let certain = LevelWeights { similarity: None, m: 0.99, u: 0.01 };
        assert!((probability(model.prior_bits() + certain.bits()) - 0.5).abs() < 1e-12);
    }
}
