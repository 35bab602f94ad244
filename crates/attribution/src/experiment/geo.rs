//! Hold-outs of regions.
use super::{
    Estimate, ExperimentError, Lift, Method, Settings, Warning,
    permute::{Assignments, Design, Test},
    power,
};
use crate::{Stop, sum::sum};
use serde::{Deserialize, Serialize};

/// One region: a city, a postal area, a market.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Geo {
    /// Whether chance put it in the treated arm.
    pub treated: bool,
    /// Everybody who lives there; its weight.
    pub people: f64,
    /// During the experiment.
    pub conversions: f64,
    /// During the experiment, in one currency.
    pub value: f64,
    /// Conversions before the experiment; for all regions or for none.
    pub before: Option<f64>,
}

/// What a hold-out of regions found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeoOutcome {
    /// Conversions.
    pub conversions: Lift,
    /// Value, in the currency of the input.
    pub value: Lift,
    /// How many regions are treated.
    pub treated: usize,
    /// How many are not.
    pub control: usize,
    /// Whether conversions from before the experiment were taken into account.
    pub adjusted: bool,
    /// Which other assignments the result was held against.
    pub assignments: Assignments,
    /// What to know first; empty where nothing is in the way.
    pub warnings: Vec<Warning>,
    /// With what it was evaluated.
    pub settings: Settings,
}

/// Compares treated regions with the others, by intent to treat. Assignment is taken to be at random with a fixed
/// number of treated regions (not in pairs or strata).
///
/// The lift is the coefficient of treatment in the regression of the rate per person on treatment, and on the rate
/// before where it is given, each region weighing as many people as it has (Vaver and Koehler 2011, "Measuring ad
/// effectiveness using geo experiments"); without figures from before it is the difference between the rates of the
/// two arms. Its p-value asks how many of all assignments would have given a coefficient as significant, if the
/// treatment did nothing; the interval holds the lifts per person that such a test does not refuse (Rosenbaum 2002).
/// Up to 20,000 assignments are all looked at; beyond, [`Settings::draws`] of them are drawn, and the assignment that
/// took place counts as one more (Phipson and Smyth 2010).
///
/// The relative lift compares with what the treated regions would have had without the lift. Its interval follows
/// from the interval of the lift, since what the treated regions did have is known.
///
/// # Errors
/// Numbers that no region can have; fewer than 2 regions in an arm, or 3 of both beyond the numbers that are
/// estimated; figures from before for some regions only, or ones that separate the arms; settings out of range.
///
/// ```
/// use safar_attribution::experiment::{Assignments, Geo, Settings, geo_hold_out};
/// let region = |treated: bool, conversions: f64| Geo {
///     treated,
///     people: 1_000.0,
///     conversions,
///     value: 10.0 * conversions,
///     before: None,
/// };
/// let treated = [61.0, 58.0, 64.0, 60.0].map(|conversions| region(true, conversions));
/// let control = [50.0, 47.0, 52.0, 51.0].map(|conversions| region(false, conversions));
/// let found = geo_hold_out(&[treated, control].concat(), &Settings::default()).unwrap();
/// assert!((found.conversions.absolute.value - 0.01075).abs() < 1e-12); // a person
/// // Of the 70 ways to choose four of eight regions only this one and its mirror image are as extreme.
/// assert_eq!(found.assignments, Assignments::All(70));
/// assert!((found.conversions.p.unwrap() - 2.0 / 70.0).abs() < 1e-9);
/// ```
pub fn geo_hold_out(geos: &[Geo], settings: &Settings) -> Result<GeoOutcome, ExperimentError> {
    geo_hold_out_until(geos, settings, &Stop::default())
}

/// The same, until `stop` is asked for.
///
/// # Errors
/// As [`geo_hold_out`]; [`Error::Stopped`](crate::Error::Stopped).
///
/// ```
/// use safar_attribution::{Error, Stop, experiment::{Geo, Settings, geo_hold_out_until}};
/// # let region = |treated, conversions| Geo { treated, people: 1_000.0, conversions, value: 0.0, before: None };
/// # let geos = [region(true, 61.0), region(true, 58.0), region(false, 50.0), region(false, 47.0)];
/// let (settings, stop) = (Settings::default(), Stop::default());
/// assert!(geo_hold_out_until(&geos, &settings, &stop).is_ok());
/// stop.stop();
/// assert_eq!(geo_hold_out_until(&geos, &settings, &stop), Err(Error::Stopped.into()));
/// ```
pub fn geo_hold_out_until(geos: &[Geo], settings: &Settings, stop: &Stop) -> Result<GeoOutcome, ExperimentError> {
    settings.check()?;
    check(geos)?;
    let design = Design::new(geos)?;
    let rates = |of: fn(&Geo) -> f64| geos.iter().map(|geo| of(geo) / geo.people).collect::<Vec<_>>();
    let tests = [design.test(rates(|geo| geo.conversions)), design.test(rates(|geo| geo.value))];
    let (assignments, [conversions, value]) = design.permute(&tests, settings, stop)?;
    let treated = geos.iter().filter(|geo| geo.treated).count();
    let smallest_p = assignments.smallest_p(treated, geos.len() - treated);
    let warning = (smallest_p > settings.alpha() + 1e-9).then_some(Warning::TooFewAssignments { smallest_p });
    let lift = |test: &Test, (low, high, p), of: fn(&Geo) -> f64| {
        let rate = |treated: bool| {
            let arm = || geos.iter().filter(|geo| geo.treated == treated);
            sum(arm().map(of)) / sum(arm().map(|geo| geo.people))
        };
        let absolute = Estimate { value: test.lift, low, high, error: test.error };
        Lift {
            treated: rate(true),
            control: rate(false),
            absolute,
            total: absolute.times(sum(geos.iter().filter(|geo| geo.treated).map(|geo| geo.people))),
            relative: relative(rate(true), absolute),
            p,
            method: Method::Permutation,
            adjusted: None,
            detectable: power::detectable(test.error, design.freedom, settings.level, settings.power),
        }
    };
    Ok(GeoOutcome {
        conversions: lift(&tests[0], conversions, |geo| geo.conversions),
        value: lift(&tests[1], value, |geo| geo.value),
        treated,
        control: geos.len() - treated,
        adjusted: design.adjusted(),
        assignments,
        warnings: warning.into_iter().collect(),
        settings: *settings,
    })
}

/// `lift` as a part of `treated` − `lift`, what would have been.
fn relative(treated: f64, lift: Estimate) -> Option<Estimate> {
    let part = |lift: f64| match treated - lift {
        _ if lift == f64::NEG_INFINITY => -1.0,
        without if without > 0.0 => lift / without,
        _ => f64::INFINITY,
    };
    let without = treated - lift.value;
    (without > 0.0).then(|| Estimate {
        value: part(lift.value),
        low: part(lift.low),
        high: part(lift.high),
        error: lift.error * treated.abs() / (without * without),
    })
}

pub(super) fn check(geos: &[Geo]) -> Result<(), ExperimentError> {
    for (index, geo) in geos.iter().enumerate() {
        let bad = |what, got, allowed| {
            Err(ExperimentError::BadNumber { of: format!("region {}", index + 1), what, got, allowed })
        };
        let counts = [("conversions", geo.conversions), ("before", geo.before.unwrap_or(0.0))];
        if !(geo.people > 0.0 && geo.people.is_finite()) {
            return bad("people", geo.people, "above 0");
        }
        if let Some((what, got)) = counts.into_iter().find(|(_, got)| !(*got >= 0.0 && got.is_finite())) {
            return bad(what, got, "0 or more");
        }
        if !geo.value.is_finite() {
            return bad("value", geo.value, "finite");
        }
    }
    let before = geos.iter().filter(|geo| geo.before.is_some()).count();
    if before != 0 && before != geos.len() {
        return Err(ExperimentError::PartlyBefore { what: "regions" });
    }
    Ok(())
}
