//! What channels earned, and what a model says of itself.
use indexmap::IndexMap;
use pyo3::prelude::*;
use safar_attribution::Solver;

/// What one channel (or nobody) earned.
#[pyclass(frozen, get_all, eq, module = "safar", skip_from_py_object)]
#[derive(Clone, Copy, PartialEq)]
pub struct Credit {
    /// In conversions.
    conversions: f64,
    /// In the currency of the paths; negative where refunds prevail.
    value: f64,
}

impl From<safar_attribution::Credit> for Credit {
    fn from(credit: safar_attribution::Credit) -> Self {
        Self { conversions: credit.conversions, value: credit.value }
    }
}

#[pymethods]
impl Credit {
    fn __repr__(&self) -> String {
        format!("Credit(conversions={:?}, value={:?})", self.conversions, self.value)
    }
}

/// What a model can say about itself beyond its credits.
#[pyclass(frozen, get_all, module = "safar", skip_from_py_object)]
#[derive(Clone)]
pub struct Diagnostics {
    /// The paths carry no times, so touches counted as one day apart and the last one as happening at the outcome.
    assumed_ages: bool,
    /// The credits sum to more than the conversions, on purpose (participation).
    overlapping: bool,
    /// By channel: what a model gives before it is scaled to conversions (Shao and Li); `None` for other models.
    raw: Option<IndexMap<String, f64>>,
    /// Of a Markov chain; `None` for other models.
    markov: Option<MarkovDiagnostics>,
}

impl Diagnostics {
    pub fn new(diagnostics: &safar_attribution::Diagnostics, channels: &[String]) -> Self {
        let by_channel = |numbers: &Vec<f64>| channels.iter().cloned().zip(numbers.iter().copied()).collect();
        Self {
            assumed_ages: diagnostics.assumed_ages,
            overlapping: diagnostics.overlapping,
            raw: diagnostics.raw.as_ref().map(by_channel),
            markov: diagnostics.markov.as_ref().map(|markov| {
                let (solver, sweeps, residual) = match markov.solver {
                    Solver::Direct => ("direct", None, None),
                    Solver::Iterative { sweeps, residual } => ("iterative", Some(sweeps), Some(residual)),
                };
                MarkovDiagnostics {
                    order: markov.order,
                    states: markov.states,
                    base: markov.base,
                    removal_effects: by_channel(&markov.removal_effects),
                    value_removal_effects: by_channel(&markov.value_removal_effects),
                    solver,
                    sweeps,
                    residual,
                }
            }),
        }
    }
}

#[pymethods]
impl Diagnostics {
    fn __repr__(&self) -> String {
        let Self { assumed_ages, overlapping, raw, markov } = self;
        let flag = |flag: &bool| if *flag { "True" } else { "False" };
        format!(
            "Diagnostics(assumed_ages={}, overlapping={}, raw={}, markov={})",
            flag(assumed_ages),
            flag(overlapping),
            if raw.is_some() { "{…}" } else { "None" },
            markov.as_ref().map_or("None".into(), MarkovDiagnostics::__repr__),
        )
    }
}

/// What a Markov chain says about itself.
#[pyclass(frozen, get_all, module = "safar", skip_from_py_object)]
#[derive(Clone)]
pub struct MarkovDiagnostics {
    /// How many touches a state remembers.
    order: u32,
    /// States of the chain, without start, conversion and loss.
    states: usize,
    /// Probability that a path with at least one touch converts.
    base: f64,
    /// By channel: the part of that probability that is lost when every state holding the channel leads to a loss.
    removal_effects: IndexMap<String, f64>,
    /// By channel: the same for expected value.
    value_removal_effects: IndexMap<String, f64>,
    /// How the linear systems were solved: `direct`, exact up to rounding, or `iterative`, by sweeps until rounding.
    solver: &'static str,
    /// The most sweeps that any channel took; `None` where the solver is direct.
    sweeps: Option<usize>,
    /// The largest estimate of the remaining relative error; `None` where the solver is direct.
    residual: Option<f64>,
}

#[pymethods]
impl MarkovDiagnostics {
    fn __repr__(&self) -> String {
        let Self { order, states, base, solver, .. } = self;
        format!("MarkovDiagnostics(order={order}, states={states}, base={base:?}, solver={solver:?})")
    }
}
