//! Hold-outs of regions.
use super::{failed, lift::Lift, sentences, table};
use crate::{
    frame::Table,
    record::record,
    table::{Numbers, Wanted, numbers_of},
    work,
};
use pyo3::prelude::*;
use safar_attribution::experiment::{self, Assignments, Geo, Settings};

record! {
    /// What a hold-out of regions found. Made by `geo_hold_out`.
    GeoOutcome {
        /// Conversions.
        conversions: Lift,
        /// Value, in the currency of the table.
        value: Lift,
        /// How many regions are treated.
        treated: usize,
        /// How many are not.
        control: usize,
        /// Whether conversions from before the experiment were taken into account.
        adjusted: bool,
        /// How many other assignments the result was held against.
        assignments: u32,
        /// Whether these are all there are, so that p is exact; otherwise they were drawn.
        exact: bool,
        /// What to know before believing it, in sentences; empty where nothing is in the way.
        warnings: Vec<String>,
        /// A row for each measure, as `Outcome.lifts` has them.
        lifts: Table,
    }
}

/// Compares treated regions with the others, by intent to treat, from a table with one region a row: a pyarrow, polars or
/// pandas one, or anything else that has `__arrow_c_stream__`.
///
/// `treated` names the column that says whether chance put the region in the treated arm, `people` that of everybody who
/// lives there, `conversions` and `value` those of the time of the experiment, `before` that of the conversions of a time
/// before. A column that is not named is looked for under these names; `value` and `before` may be absent.
///
/// The lift is the coefficient of treatment in the regression of the rate per person on treatment, and on the rate before,
/// each region weighing as many people as it has. Its p and its interval come from other assignments that chance could
/// have made: all of them up to 20,000, otherwise `draws`, by `seed`. Ctrl-C leaves at once.
///
/// Raises `ValueError` for numbers that no region can have, and for too few regions.
///
/// >>> import safar
/// >>> import pyarrow
/// >>> regions = pyarrow.table({
/// ...     "treated": [True] * 4 + [False] * 4, "people": [1000] * 8,
/// ...     "conversions": [61, 58, 64, 60, 50, 47, 52, 51],
/// ... })
/// >>> found = safar.geo_hold_out(regions)
/// >>> round(found.conversions.absolute.value, 5), found.assignments, found.exact
/// (0.01075, 70, True)
/// >>> round(found.conversions.p, 4)  # this one and its mirror image, of 70
/// 0.0286
#[pyfunction]
#[pyo3(signature = (
    table, treated=None, people=None, conversions=None, value=None, before=None, *,
    level=0.95, power=0.8, seed=1, draws=9_999
))]
#[expect(clippy::too_many_arguments, reason = "by name in Python")]
pub fn geo_hold_out(
    table: &Bound<'_, PyAny>,
    treated: Option<&str>,
    people: Option<&str>,
    conversions: Option<&str>,
    value: Option<&str>,
    before: Option<&str>,
    level: f64,
    power: f64,
    seed: u64,
    draws: u32,
) -> PyResult<GeoOutcome> {
    let wanted = [
        Wanted { given: treated, usual: &["treated"], needed: true },
        Wanted { given: people, usual: &["people"], needed: true },
        Wanted { given: conversions, usual: &["conversions"], needed: true },
        Wanted { given: value, usual: &["value"], needed: false },
        Wanted { given: before, usual: &["before"], needed: false },
    ];
    let mut geos = vec![];
    numbers_of(table, wanted, |[treated, people, conversions, value, before], row| {
        let count = |numbers: &Option<Numbers>| numbers.as_ref().map(|numbers| numbers.count_or_none(row)).transpose();
        geos.push(Geo {
            treated: treated.as_ref().map_or(Ok(false), |treated| treated.truth(row))?,
            people: count(people)?.unwrap_or(0.0),
            conversions: count(conversions)?.unwrap_or(0.0),
            value: value.as_ref().map_or(Ok(0.0), |value| value.value(row))?,
            before: count(before)?,
        });
        Ok(())
    })?;
    let settings = Settings { level, power, seed, draws, treated_share: None };
    let found = work::once(table.py(), move || experiment::geo_hold_out(&geos, &settings))?.map_err(failed)?;
    let (assignments, exact) = match found.assignments {
        Assignments::All(all) => (all, true),
        Assignments::Drawn(drawn) => (drawn, false),
    };
    Ok(GeoOutcome {
        lifts: self::table(&[("conversions", &found.conversions), ("value", &found.value)])?,
        conversions: found.conversions.into(),
        value: found.value.into(),
        treated: found.treated,
        control: found.control,
        adjusted: found.adjusted,
        assignments,
        exact,
        warnings: sentences(&found.warnings),
    })
}
