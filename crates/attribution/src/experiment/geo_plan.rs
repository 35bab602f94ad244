//! What a hold-out of regions could find, from what happened in them without one.
use super::{
    ExperimentError, Geo, Settings,
    geo::check,
    permute::{Assignments, Design, Test},
    power,
};
use crate::{Stop, sum::sum};
use serde::{Deserialize, Serialize};

/// What a hold-out of so many of these regions could find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeoPlan {
    /// Conversions.
    pub conversions: GeoPower,
    /// Value, in the currency of the input.
    pub value: GeoPower,
    /// How many regions there are.
    pub regions: usize,
    /// How many of them would be treated.
    pub treated: usize,
    /// Whether conversions from before were taken into account.
    pub adjusted: bool,
    /// Which assignments were tried.
    pub assignments: Assignments,
    /// For which level and power.
    pub settings: Settings,
}

/// What could be found of one measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeoPower {
    /// Per person, of all regions.
    pub mean: f64,
    /// How large a lift per person assignments by chance find where there is none: the root of the mean square over them.
    pub error: f64,
    /// The smallest true lift per person that is found with the power asked for. `None` where the regions do not differ.
    pub detectable: Option<f64>,
}

impl GeoPower {
    /// [`GeoPower::detectable`] as a part of the mean; `None` where that is 0 or less.
    ///
    /// ```
    /// use safar_attribution::experiment::GeoPower;
    /// let power = GeoPower { mean: 0.05, error: 0.001, detectable: Some(0.004) };
    /// assert_eq!(power.detectable_part(), Some(0.08)); // 8 % more
    /// ```
    #[must_use]
    pub fn detectable_part(&self) -> Option<f64> {
        self.detectable.filter(|_| self.mean > 0.0).map(|least| least / self.mean)
    }

    /// How many times as many regions of the same kind it takes to find a true lift of `wished` per person. `None` where that
    /// cannot be told.
    ///
    /// ```
    /// use safar_attribution::experiment::GeoPower;
    /// let power = GeoPower { mean: 0.05, error: 0.001, detectable: Some(0.004) };
    /// assert_eq!(power.times_larger(0.002), Some(4.0)); // half the lift takes four times as many
    /// ```
    #[must_use]
    pub fn times_larger(&self, wished: f64) -> Option<f64> {
        self.detectable.and_then(|detectable| power::times_larger(detectable, wished))
    }
}

/// Plans a hold-out that treats `treated` of the regions and evaluates them as [`geo_hold_out`](super::geo_hold_out) does.
/// `geos` tell of a time in which none was held out, as long as the experiment would be; what they say of the arm is passed
/// over. Each assignment that chance could make is tried on that time: since no region was treated, what it finds is noise
/// (placebo tests; Vaver and Koehler 2011, section 5).
///
/// # Errors
/// As [`geo_hold_out`](super::geo_hold_out).
///
/// ```
/// use safar_attribution::experiment::{Geo, Settings, geo_plan};
/// let region = |conversions: f64| Geo {
///     treated: false,
///     people: 1_000.0,
///     conversions,
///     value: 10.0 * conversions,
///     before: None,
/// };
/// let geos = [48.0, 51.0, 50.0, 53.0, 47.0, 52.0, 49.0, 50.0].map(region);
/// let plan = geo_plan(&geos, 4, &Settings::default()).unwrap().conversions;
/// // Rates go from 4.7 to 5.3 %: a tenth more would be found, a hundredth more would not.
/// assert!((0.05..0.1).contains(&plan.detectable_part().unwrap()));
/// assert!(plan.times_larger(0.01 * plan.mean).unwrap() > 25.0);
/// ```
pub fn geo_plan(geos: &[Geo], treated: usize, settings: &Settings) -> Result<GeoPlan, ExperimentError> {
    geo_plan_until(geos, treated, settings, &Stop::default())
}

/// The same, until `stop` is asked for.
///
/// # Errors
/// As [`geo_plan`]; [`Error::Stopped`](crate::Error::Stopped).
///
/// ```
/// use safar_attribution::{Error, Stop, experiment::{Geo, Settings, geo_plan_until}};
/// # let region = |conversions| Geo { treated: false, people: 1_000.0, conversions, value: 0.0, before: None };
/// # let geos = [61.0, 58.0, 50.0, 47.0].map(region);
/// let (settings, stop) = (Settings::default(), Stop::default());
/// assert!(geo_plan_until(&geos, 2, &settings, &stop).is_ok());
/// stop.stop();
/// assert_eq!(geo_plan_until(&geos, 2, &settings, &stop), Err(Error::Stopped.into()));
/// ```
pub fn geo_plan_until(
    geos: &[Geo],
    treated: usize,
    settings: &Settings,
    stop: &Stop,
) -> Result<GeoPlan, ExperimentError> {
    settings.check()?;
    check(geos)?;
    // Which regions are treated first hardly matters: all assignments are tried, or many drawn ones.
    let geos: Vec<Geo> = geos.iter().enumerate().map(|(at, geo)| Geo { treated: at < treated, ..*geo }).collect();
    let design = Design::new(&geos)?;
    let rates = |of: fn(&Geo) -> f64| geos.iter().map(|geo| of(geo) / geo.people).collect::<Vec<_>>();
    let tests: [Test; 2] = [design.test(rates(|geo| geo.conversions)), design.test(rates(|geo| geo.value))];
    let (assignments, [conversions, value]) = design.chance(&tests, settings, stop)?;
    let people = sum(geos.iter().map(|geo| geo.people));
    let power = |error, of: fn(&Geo) -> f64| GeoPower {
        mean: sum(geos.iter().map(of)) / people,
        error,
        detectable: power::detectable(error, design.freedom, settings.level, settings.power),
    };
    Ok(GeoPlan {
        conversions: power(conversions, |geo| geo.conversions),
        value: power(value, |geo| geo.value),
        regions: geos.len(),
        treated,
        adjusted: design.adjusted(),
        assignments,
        settings: *settings,
    })
}
