//! Retention against asking each person.
use proptest::prelude::*;
use safar_journey::retention::Cohorts;
use std::collections::{BTreeMap, BTreeSet};

proptest! {
    #[test]
    fn everybody_is_in_one_cohort_and_once_in_each_period(mut comings in proptest::collection::vec((0_i64..8, 0_usize..6), 0..60)) {
        comings.sort_unstable();
        let mut cohorts = Cohorts::default();
        let mut people: BTreeMap<i64, BTreeSet<usize>> = BTreeMap::new();
        for (person, period) in comings {
            cohorts.see(person, period);
            people.entry(person).or_default().insert(period);
        }
        for cohort in 0..6 {
            for after in 0..6 {
                let came = people.values().filter(|periods| periods.first() == Some(&cohort) && periods.contains(&(cohort + after)));
                prop_assert_eq!(cohorts.people(cohort, after), came.count() as u64, "{} {}", cohort, after);
            }
        }
    }
}
