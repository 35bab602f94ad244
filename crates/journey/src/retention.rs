//! Retention: of the people who came for the first time in one period, who came in later ones.
use std::collections::BTreeMap;

/// Counts people by the period of their first coming and how many periods after it they came; each once a period.
///
/// ```
/// let mut cohorts = safar_journey::retention::Cohorts::default();
/// // Person 1 came in periods 0 and 2 (twice), person 2 in period 0.
/// for (person, period) in [(1, 0), (1, 2), (1, 2), (2, 0)] {
///     cohorts.see(person, period);
/// }
/// assert_eq!((cohorts.people(0, 0), cohorts.people(0, 1), cohorts.people(0, 2)), (2, 0, 1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cohorts {
    found: BTreeMap<(usize, usize), u64>,
    /// Person, first period, last period seen.
    now: Option<(i64, usize, usize)>,
}

impl Cohorts {
    /// Sees somebody come. All of a person's comings follow each other, in the order of time.
    pub fn see(&mut self, person: i64, period: usize) {
        let first = match self.now {
            Some((same, _, last)) if same == person && last == period => return,
            Some((same, first, _)) if same == person => first,
            _ => period,
        };
        self.now = Some((person, first, period));
        *self.found.entry((first, period.saturating_sub(first))).or_default() += 1;
    }

    /// How many people came first in period `cohort` and again `after` periods later; after 0 all of the cohort.
    #[must_use]
    pub fn people(&self, cohort: usize, after: usize) -> u64 {
        self.found.get(&(cohort, after)).copied().unwrap_or(0)
    }
}
