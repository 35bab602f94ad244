//! Hold-outs of people.
use super::{
    Arm, Estimate, ExperimentError, Lift, Measure, Method, Mismatch, Settings, Warning, cuped,
    means::{self, Mean},
    power,
    proportions::{self, Proportion},
    ratio,
};
use serde::{Deserialize, Serialize};

/// What a hold-out of people found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// People who converted at least once.
    pub converters: Lift,
    /// Conversions.
    pub conversions: Lift,
    /// Value, in the currency of the input.
    pub value: Lift,
    /// Who was exposed.
    pub exposure: Exposure,
    /// Sizes of the arms, where the design is given.
    pub mismatch: Option<Mismatch>,
    /// What to know first; empty where nothing is in the way.
    pub warnings: Vec<Warning>,
    /// With what it was evaluated.
    pub settings: Settings,
}

/// The part of each arm that was exposed; `None` where unknown. For information: the lift is that of the assignment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Compliance, 0 to 1.
    pub treated: Option<f64>,
    /// 0 where the hold-out held.
    pub control: Option<f64>,
}

/// Compares a treated arm with a control arm, by intent to treat.
///
/// Where each measure's figures from before the experiment are given, conversions and value are adjusted for them
/// ([`Cuped`](super::Cuped)); converters never are.
///
/// # Errors
/// Numbers that no people can have; an arm of fewer than 2 people; figures from before for one arm only; settings out
/// of range.
///
/// ```
/// use safar_attribution::experiment::{Arm, Measure, Settings, hold_out};
/// let arm = |people, converters| Arm {
///     people,
///     exposed: None,
///     converters,
///     conversions: Measure { sum: converters, squares: converters, before: None },
///     value: Measure { sum: 20.0 * converters, squares: 400.0 * converters, before: None },
/// };
/// // 6 % of the treated convert, 4.5 % of the others: 1.5 points are due to the treatment, 27 conversions in 1,800 people.
/// let found = hold_out(&arm(1_800.0, 108.0), &arm(200.0, 9.0), &Settings::default()).unwrap();
/// assert!((found.converters.total.value - 27.0).abs() < 1e-9);
/// // With so few people chance alone does as much.
/// assert!(found.converters.absolute.low < 0.0 && found.converters.p.unwrap() > 0.05);
/// ```
pub fn hold_out(treated: &Arm, control: &Arm, settings: &Settings) -> Result<Outcome, ExperimentError> {
    settings.check()?;
    treated.check("treated arm")?;
    control.check("control arm")?;
    let part = |arm: &Arm| arm.exposed.map(|exposed| exposed / arm.people);
    let exposure = Exposure { treated: part(treated), control: part(control) };
    let mismatch = settings.treated_share.map(|designed| ratio::test(treated, control, designed));
    let arms = [treated, control].map(|arm| Proportion { hits: arm.converters, people: arm.people });
    let expected = proportions::smallest_expected(arms[0], arms[1]);
    let warnings = [
        mismatch.filter(|test| test.p < ratio::SUSPECT).map(|test| Warning::SampleRatioMismatch { p: test.p }),
        (expected < 5.0).then_some(Warning::FewConverters { expected }),
        exposure.control.filter(|share| *share > 0.0).map(|share| Warning::ControlExposed { share }),
    ];
    let people = [treated.people, control.people];
    Ok(Outcome {
        converters: of_converters(arms, settings),
        conversions: of_measure(people, [&treated.conversions, &control.conversions], "conversions", settings)?,
        value: of_measure(people, [&treated.value, &control.value], "value", settings)?,
        exposure,
        mismatch,
        warnings: warnings.into_iter().flatten().collect(),
        settings: *settings,
    })
}

fn of_converters([treated, control]: [Proportion; 2], settings: &Settings) -> Lift {
    let absolute = proportions::difference(treated, control, settings.level);
    Lift {
        treated: treated.rate(),
        control: control.rate(),
        absolute,
        total: absolute.times(treated.people),
        relative: proportions::ratio(treated, control, settings.level),
        p: proportions::p_of_no_difference(treated, control),
        method: Method::Proportions,
        adjusted: None,
        detectable: detectable(absolute, settings),
    }
}

fn of_measure(
    people: [f64; 2],
    measures: [&Measure; 2],
    what: &'static str,
    settings: &Settings,
) -> Result<Lift, ExperimentError> {
    if measures[0].before.is_some() != measures[1].before.is_some() {
        return Err(ExperimentError::PartlyBefore { what });
    }
    let plain = [0, 1].map(|arm| Mean::new(people[arm], measures[arm].sum, measures[arm].squares));
    let (arms, adjusted) = match cuped::adjust(people, measures) {
        Some((arms, cuped)) => (arms, Some(cuped)),
        None => (plain, None),
    };
    let (absolute, p) = means::difference(arms[0], arms[1], settings.level);
    Ok(Lift {
        treated: plain[0].mean,
        control: plain[1].mean,
        absolute,
        total: absolute.times(people[0]),
        relative: means::ratio(arms[0], arms[1], settings.level),
        p,
        method: if adjusted.is_some() { Method::AdjustedMeans } else { Method::Means },
        adjusted,
        detectable: detectable(absolute, settings),
    })
}

fn detectable(absolute: Estimate, settings: &Settings) -> Option<f64> {
    power::detectable(absolute.error, f64::INFINITY, settings.level, settings.power)
}
