//! What a treatment changed.
use crate::record::record;
use pyo3::prelude::*;
use safar_attribution::experiment::{self, Method};

record! {
    /// An estimate of an experiment, its standard error, and its interval at the level asked for.
    LiftEstimate {
        /// The best single number.
        value: f64,
        /// Lower end; −∞ where the data exclude nothing below.
        low: f64,
        /// Upper end; ∞ where the data exclude nothing above.
        high: f64,
        /// Standard error.
        error: f64,
    }
    #[new]
    fn new(value: f64, low: f64, high: f64, error: f64) -> Self {
        Self { value, low, high, error }
    }
}

impl From<experiment::Estimate> for LiftEstimate {
    fn from(from: experiment::Estimate) -> Self {
        let experiment::Estimate { value, low, high, error } = from;
        Self { value, low, high, error }
    }
}

impl LiftEstimate {
    /// As the library takes it.
    pub fn estimate(&self) -> experiment::Estimate {
        experiment::Estimate { value: self.value, low: self.low, high: self.high, error: self.error }
    }
}

record! {
    /// What figures from before the experiment brought (CUPED: Deng, Xu, Kohavi, Walker 2013).
    Cuped {
        /// Each person counts y − slope × (x − mean x).
        slope: f64,
        /// Of y and x within arms, −1 to 1.
        correlation: f64,
        /// The part of the variance of y that is gone.
        removed: f64,
    }
}

/// What the treatment changed, in one measure.
#[pyclass(frozen, module = "safar", skip_from_py_object)]
#[derive(Clone)]
pub struct Lift(experiment::Lift);

impl From<experiment::Lift> for Lift {
    fn from(lift: experiment::Lift) -> Self {
        Self(lift)
    }
}

#[pymethods]
impl Lift {
    /// Per person of the treated arm, as counted.
    #[getter]
    fn treated(&self) -> f64 {
        self.0.treated
    }

    /// Per person of the control arm, as counted.
    #[getter]
    fn control(&self) -> f64 {
        self.0.control
    }

    /// Per person: what being assigned to the treatment adds.
    #[getter]
    fn absolute(&self) -> LiftEstimate {
        self.0.absolute.into()
    }

    /// The same over all people of the treated arm: incremental conversions, converters or value.
    #[getter]
    fn total(&self) -> LiftEstimate {
        self.0.total.into()
    }

    /// The same as a part of what would have been without treatment: 0.1 is 10 % more. `None` where nothing would have
    /// been.
    #[getter]
    fn relative(&self) -> Option<LiftEstimate> {
        self.0.relative.map(Into::into)
    }

    /// Two-sided, of no effect. `None` where the measure does not vary at all.
    #[getter]
    fn p(&self) -> Option<f64> {
        self.0.p
    }

    /// How it was found: `proportions` (Newcombe 1998), `means` (Welch 1947), `adjusted_means` (the same, adjusted for
    /// figures from before) or `permutation` (of regions).
    #[getter]
    fn method(&self) -> &'static str {
        match self.0.method {
            Method::Proportions => "proportions",
            Method::Means => "means",
            Method::AdjustedMeans => "adjusted_means",
            Method::Permutation => "permutation",
        }
    }

    /// What the figures from before the experiment brought, where they were given and vary.
    #[getter]
    fn adjusted(&self) -> Option<Cuped> {
        let cuped = self.0.adjusted?;
        Some(Cuped { slope: cuped.slope, correlation: cuped.correlation, removed: cuped.removed })
    }

    /// The smallest true lift per person that an experiment of this size finds with the power asked for. `None` where the
    /// measure does not vary.
    #[getter]
    fn detectable(&self) -> Option<f64> {
        self.0.detectable
    }

    /// `detectable` as a part of the mean of the control arm; `None` where that is 0 or less.
    #[getter]
    fn detectable_part(&self) -> Option<f64> {
        self.0.detectable_part()
    }

    /// How many times as many people (or regions) of the same kind it takes to find a true lift of `wished` per person;
    /// `None` where that cannot be told.
    ///
    /// >>> import safar
    /// >>> found = safar.hold_out(safar.Arm(1000, 60), safar.Arm(1000, 45)).converters
    /// >>> round(found.times_larger(found.detectable / 2), 9)
    /// 4.0
    fn times_larger(&self, wished: f64) -> Option<f64> {
        self.0.times_larger(wished)
    }

    fn __repr__(&self) -> String {
        let experiment::Lift { treated, control, absolute, p, .. } = &self.0;
        let p = p.map_or("None".into(), |p| format!("{p:?}"));
        format!(
            "<safar.Lift: {:?} a person ({treated:?} against {control:?}), {:?} to {:?}, p {p}>",
            absolute.value, absolute.low, absolute.high
        )
    }
}
