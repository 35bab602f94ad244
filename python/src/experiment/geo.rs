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
    let wanted = Wanted { given: treated, usual: &["treated"], needed: true };
    let geos = regions(table, Some(wanted), people, conversions, value, before)?;
    let settings = Settings { level, power, seed, draws, treated_share: None };
    let found = work::once(table.py(), move |stop| experiment::geo_hold_out_until(&geos, &settings, stop))?;
    let found = found.map_err(failed)?;
    let (assignments, exact) = told(found.assignments);
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

record! {
    /// What a hold-out of regions could find. Made by `geo_plan`.
    GeoPlan {
        /// Of conversions.
        conversions: GeoPower,
        /// Of value, in the currency of the table.
        value: GeoPower,
        /// How many regions there are.
        regions: usize,
        /// How many of them would be treated.
        treated: usize,
        /// Whether conversions from before were taken into account.
        adjusted: bool,
        /// How many assignments were tried.
        assignments: u32,
        /// Whether these are all there are; otherwise they were drawn.
        exact: bool,
    }
}

record! {
    /// What a hold-out of regions could find of one measure.
    GeoPower {
        /// Per person, of all regions.
        mean: f64,
        /// How large a lift per person assignments by chance find where there is none.
        error: f64,
        /// The smallest true lift per person that is found with the power asked for; `None` where the regions do not differ.
        detectable: Option<f64>,
    }

    /// `detectable` as a part of the mean; `None` where that is 0 or less.
    #[getter]
    fn detectable_part(&self) -> Option<f64> {
        self.power().detectable_part()
    }

    /// How many times as many regions of the same kind it takes to find a true lift of `wished` per person; `None` where
    /// that cannot be told.
    fn times_larger(&self, wished: f64) -> Option<f64> {
        self.power().times_larger(wished)
    }
}

impl GeoPower {
    fn power(&self) -> experiment::GeoPower {
        experiment::GeoPower { mean: self.mean, error: self.error, detectable: self.detectable }
    }
}

impl From<experiment::GeoPower> for GeoPower {
    fn from(power: experiment::GeoPower) -> Self {
        let experiment::GeoPower { mean, error, detectable } = power;
        Self { mean, error, detectable }
    }
}

/// Plans a hold-out that treats `treated` of the regions in a table, one region a row, as `geo_hold_out` would evaluate it.
///
/// The columns are those of `geo_hold_out`, of a time in which no region was held out and as long as the experiment would be.
/// Each assignment that chance could make is tried on that time: what it finds is noise, since no region was treated
/// (Vaver and Koehler 2011, section 5). Ctrl-C leaves at once.
///
/// Raises `ValueError` for numbers that no region can have, and for too few regions.
///
/// >>> import safar
/// >>> import pyarrow
/// >>> regions = pyarrow.table({"people": [1000] * 8, "conversions": [48, 51, 50, 53, 47, 52, 49, 50]})
/// >>> plan = safar.geo_plan(regions, 4)
/// >>> 0.05 < plan.conversions.detectable_part < 0.1  # a tenth more would be found
/// True
/// >>> plan.conversions.times_larger(0.01 * plan.conversions.mean) > 25  # a hundredth takes many more regions
/// True
#[pyfunction]
#[pyo3(signature = (
    table, treated, people=None, conversions=None, value=None, before=None, *,
    level=0.95, power=0.8, seed=1, draws=9_999
))]
#[expect(clippy::too_many_arguments, reason = "by name in Python")]
pub fn geo_plan(
    table: &Bound<'_, PyAny>,
    treated: usize,
    people: Option<&str>,
    conversions: Option<&str>,
    value: Option<&str>,
    before: Option<&str>,
    level: f64,
    power: f64,
    seed: u64,
    draws: u32,
) -> PyResult<GeoPlan> {
    let geos = regions(table, None, people, conversions, value, before)?;
    let settings = Settings { level, power, seed, draws, treated_share: None };
    let plan = work::once(table.py(), move |stop| experiment::geo_plan_until(&geos, treated, &settings, stop))?;
    let plan = plan.map_err(failed)?;
    let (assignments, exact) = told(plan.assignments);
    Ok(GeoPlan {
        conversions: plan.conversions.into(),
        value: plan.value.into(),
        regions: plan.regions,
        treated: plan.treated,
        adjusted: plan.adjusted,
        assignments,
        exact,
    })
}

/// Reads regions, one a row; none is treated where no column says so.
fn regions(
    table: &Bound<'_, PyAny>,
    treated: Option<Wanted<'_>>,
    people: Option<&str>,
    conversions: Option<&str>,
    value: Option<&str>,
    before: Option<&str>,
) -> PyResult<Vec<Geo>> {
    let wanted = [
        treated.unwrap_or(Wanted { given: None, usual: &[], needed: false }),
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
    Ok(geos)
}

/// How many, and whether these are all.
fn told(assignments: Assignments) -> (u32, bool) {
    match assignments {
        Assignments::All(all) => (all, true),
        Assignments::Drawn(drawn) => (drawn, false),
    }
}
