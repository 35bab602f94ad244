//! Randomised hold-outs: of people, of regions, planned, and used to calibrate credits.
pub mod arm;
pub mod calibrate;
pub mod design;
pub mod geo;
pub mod lift;

use crate::{
    frame::{Table, numbers, texts},
    record::record,
};
use arm::Arm;
use indexmap::IndexMap;
use lift::Lift;
use pyo3::{exceptions::PyValueError, prelude::*};
use safar_attribution::experiment::{self, ExperimentError, Settings, Warning};

record! {
    /// What a hold-out of people found. Made by `hold_out`.
    Outcome {
        /// People who converted at least once.
        converters: Lift,
        /// Conversions.
        conversions: Lift,
        /// Value, in the currency of the arms.
        value: Lift,
        /// The part of the `treated` and of the `control` arm that was exposed; `None` where unknown. For information: the
        /// lift is that of the assignment.
        exposure: IndexMap<&'static str, Option<f64>>,
        /// Whether the arms are as large as they were meant to be; `None` where `treated_share` is not given.
        mismatch: Option<Mismatch>,
        /// What to know before believing it, in sentences; empty where nothing is in the way.
        warnings: Vec<String>,
        /// A row for each measure: `measure`, `treated_mean`, `control_mean`, `incremental` with its ends, `relative_lift`
        /// with its ends, `p`, and `detectable_lift` as a part of the control arm's mean.
        lifts: Table,
    }
}

record! {
    /// A test of the sizes of the arms: χ² with one degree of freedom (Fabijan et al. 2019).
    Mismatch {
        /// The part of all people that is treated.
        treated_share: f64,
        /// The part that was meant to be.
        designed: f64,
        /// Pearson's χ².
        chi_squared: f64,
        /// Chance of sizes at least as far off.
        p: f64,
    }
}

/// Compares a treated arm with a control arm of people, by intent to treat: everybody counts in the arm that chance put
/// them in, whether or not they were exposed.
///
/// Intervals are at `level`; `power` is the chance to find the lift that is called detectable. `treated_share` is the
/// part of all people that was meant to be treated: where it is given, the sizes of the arms are tested. Where the arms
/// have figures from before the experiment, conversions and value are adjusted for them (CUPED).
///
/// Raises `ValueError` for numbers that no people can have, and for an arm of fewer than 2 people.
///
/// >>> import safar
/// >>> found = safar.hold_out(safar.Arm(9000, 540), safar.Arm(1000, 45))
/// >>> round(found.converters.total.value)  # of the 540: 6 % converted, and 4.5 % of those who were held out
/// 135
/// >>> found.converters.absolute.low < 0.003 and found.converters.p > 0.05  # chance alone may do as much
/// True
#[pyfunction]
#[pyo3(signature = (treated, control, *, level=0.95, power=0.8, treated_share=None))]
pub fn hold_out(
    treated: &Bound<'_, Arm>,
    control: &Bound<'_, Arm>,
    level: f64,
    power: f64,
    treated_share: Option<f64>,
) -> PyResult<Outcome> {
    let settings = Settings { level, power, treated_share, ..Settings::default() };
    let found = experiment::hold_out(&treated.get().sums(), &control.get().sums(), &settings).map_err(failed)?;
    let lifts = [("converters", &found.converters), ("conversions", &found.conversions), ("value", &found.value)];
    Ok(Outcome {
        lifts: table(&lifts)?,
        converters: found.converters.into(),
        conversions: found.conversions.into(),
        value: found.value.into(),
        exposure: [("treated", found.exposure.treated), ("control", found.exposure.control)].into(),
        mismatch: found.mismatch.map(|test| Mismatch {
            treated_share: test.treated_share,
            designed: test.designed,
            chi_squared: test.chi_squared,
            p: test.p,
        }),
        warnings: sentences(&found.warnings),
    })
}

/// The interval of a proportion by the score test (Wilson 1927): `hits` out of `people`, its lower and upper end at a
/// two-sided `level`. From 0 to 1 where nobody was asked.
///
/// Raises `ValueError` for hits that are not between 0 and `people`, and for a level that is not between 0 and 1.
///
/// >>> import safar
/// >>> low, high = safar.wilson(81, 263)
/// >>> round(low, 4), round(high, 4)
/// (0.2553, 0.3662)
#[pyfunction]
#[pyo3(signature = (hits, people, level=0.95))]
pub fn wilson(hits: f64, people: f64, level: f64) -> PyResult<(f64, f64)> {
    if !(people.is_finite() && (0.0..=people).contains(&hits)) {
        return Err(PyValueError::new_err(format!(
            "{hits} hits of {people}; give hits from 0 to the number of people"
        )));
    }
    is_part("level", level)?;
    Ok(experiment::wilson(hits, people, level))
}

/// Refuses what is not between 0 and 1.
fn is_part(what: &str, got: f64) -> PyResult<()> {
    if got > 0.0 && got < 1.0 {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("{what} is {got}; it must be above 0 and below 1")))
}

fn failed(error: ExperimentError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn sentences(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

/// The columns are those of `safar experiment`.
fn table(lifts: &[(&str, &experiment::Lift)]) -> PyResult<Table> {
    let of = |of: fn(&experiment::Lift) -> Option<f64>| numbers(lifts.iter().map(|(_, lift)| of(lift)));
    Table::new([
        ("measure", texts(lifts.iter().map(|(name, _)| *name))),
        ("treated_mean", of(|lift| Some(lift.treated))),
        ("control_mean", of(|lift| Some(lift.control))),
        ("incremental", of(|lift| Some(lift.total.value))),
        ("incremental_low", of(|lift| Some(lift.total.low))),
        ("incremental_high", of(|lift| Some(lift.total.high))),
        ("relative_lift", of(|lift| lift.relative.map(|lift| lift.value))),
        ("relative_lift_low", of(|lift| lift.relative.map(|lift| lift.low))),
        ("relative_lift_high", of(|lift| lift.relative.map(|lift| lift.high))),
        ("p", of(|lift| lift.p)),
        ("detectable_lift", of(experiment::Lift::detectable_part)),
    ])
}
