//! Markets with names.
use super::{
    ADS,
    process::{Clicks, Devices, HoldOut, Intent, Process, Season},
};

/// A market with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Short and unique.
    pub name: &'static str,
    /// What is special about it.
    pub about: &'static str,
    /// Its parameters.
    pub process: Process,
}

/// The six markets on which attribution models are compared.
///
/// ```
/// let names: Vec<_> = safar_simulate::causal::standard().iter().map(|market| &market.name[..2]).collect();
/// assert_eq!(names, ["S0", "S1", "S2", "S3", "S4", "S5"]);
/// ```
#[must_use]
pub fn standard() -> Vec<Scenario> {
    let by_chance = Process::default();
    let confounded =
        Process { rate_by_intent: [0.0, 0.2, 0.7, 1.0, 0.2, 0.4], direct_by_intent: 0.9, ..by_chance.clone() };
    let retargeted = Process {
        after_visit: [0.0, 0.0, 0.0, 0.0, 0.0, 2.5],
        effect: [0.006, 0.012, 0.03, 0.002, 0.01, 0.001],
        ..confounded.clone()
    };
    let upstream = Process {
        lifts_direct: [0.5, 0.4, 0.0, 0.0, 0.0, 0.0],
        lifts_brand: [0.9, 0.6, 0.0, 0.0, 0.0, 0.0],
        direct_by_intent: 0.3,
        rate_by_intent: [0.0, 0.0, 0.3, 0.5, 0.0, 0.2],
        ..by_chance.clone()
    };
    let idle = Process { effect: [0.0; ADS], after_visit: [0.0, 0.0, 0.0, 0.0, 0.0, 2.0], ..confounded.clone() };
    let saturated =
        Process { saturation: Some(6.0), effect: [0.012, 0.02, 0.05, 0.03, 0.02, 0.02], ..by_chance.clone() };
    let scenario = |name, about, process| Scenario { name, about, process };
    vec![
        scenario("S0_random_exposure", "touches come by chance", by_chance),
        scenario("S1_intent_confounded", "people who will buy anyway search, visit and are shown more", confounded),
        scenario("S2_retargeting_and_intent", "and visitors are followed by advertising that does little", retargeted),
        scenario("S3_upstream_display_drives_brand_and_direct", "display makes people search and visit", upstream),
        scenario("S4_null_ads_confounded", "as S2, but advertising does nothing", idle),
        scenario("S5_saturation_interaction", "the more advertising, the less each piece does", saturated),
    ]
}

/// Other markets: other noise, other lengths and rates than those of [`standard`], and what real data adds.
///
/// ```
/// assert!(safar_simulate::causal::further().iter().all(|market| market.name.starts_with('X')));
/// ```
#[must_use]
pub fn further() -> Vec<Scenario> {
    let [_, confounded, retargeted, upstream, idle, _] =
        standard().try_into().map(|all: [Scenario; 6]| all.map(|one| one.process)).unwrap_or_default();
    let scenario = |name, about, process| Scenario { name, about, process };
    vec![
        scenario(
            "X1_cross_device",
            "as S1; of people with two devices, two in five are never recognised",
            Process { devices: Some(Devices { linked: 0.6, second: 0.4 }), ..confounded.clone() },
        ),
        scenario(
            "X2_view_through",
            "as S1; display and social are many impressions, rarely clicked",
            Process {
                rate: [0.5, 0.3, 0.03, 0.03, 0.04, 0.15],
                effect: [0.0012, 0.0024, 0.03, 0.015, 0.01, 0.008],
                clicks: Some(Clicks { chance: [0.02, 0.02, 0.0, 0.0, 0.0, 0.02], by_intent: 0.5, stock: 3.0 }),
                ..confounded.clone()
            },
        ),
        scenario(
            "X3_season",
            "as S1; touches and purchases rise and fall together",
            Process { season: Some(Season { height: 0.7, days: 30.0 }), ..confounded.clone() },
        ),
        scenario(
            "X4_hold_out",
            "as S2; three people in ten are never retargeted, by lot",
            Process { hold_out: Some(HoldOut { channel: 5, share: 0.3 }), ..retargeted.clone() },
        ),
        scenario(
            "X5_episodes",
            "as S1; intent comes in sudden episodes",
            Process {
                intent: Intent::Episodes { lasting: 0.7, begins: 0.015, ends: 0.1, height: 2.0 },
                base: -6.0,
                ..confounded.clone()
            },
        ),
        scenario(
            "X6_lurches",
            "as S2; intent moves in rare large pushes",
            Process { intent: Intent::Lurches { keeps: 0.95, push: 0.3 }, ..retargeted },
        ),
        scenario(
            "X7_long_and_sparse",
            "S1 and S3 together over 60 days, with half the touches and other effects",
            Process {
                steps: 120,
                base: -6.3,
                effect: [0.01, 0.004, 0.02, 0.03, 0.006, 0.004],
                fading: [0.15, 0.5, 0.9, 0.4, 0.3, 0.7],
                rate: [0.06, 0.03, 0.012, 0.015, 0.02, 0.06],
                lifts_direct: [0.3, 0.6, 0.0, 0.0, 0.0, 0.0],
                lifts_brand: [0.7, 0.3, 0.0, 0.0, 0.0, 0.0],
                ..confounded
            },
        ),
        scenario(
            "X8_idle_upstream",
            "as S4; display makes people search and visit all the same",
            Process { lifts_direct: upstream.lifts_direct, lifts_brand: upstream.lifts_brand, ..idle },
        ),
    ]
}

/// The scenario of that name, in any case, or of that name's part before the first `_` (`S1`).
///
/// ```
/// use safar_simulate::causal::scenario;
/// assert_eq!(scenario("s4").unwrap().name, "S4_null_ads_confounded");
/// assert_eq!(scenario("S99"), None);
/// ```
#[must_use]
pub fn scenario(name: &str) -> Option<Scenario> {
    let short = |full: &str| full.split('_').next().unwrap_or(full).to_owned();
    let mut all = standard();
    all.extend(further());
    all.into_iter().find(|one| one.name.eq_ignore_ascii_case(name) || short(one.name).eq_ignore_ascii_case(name))
}
