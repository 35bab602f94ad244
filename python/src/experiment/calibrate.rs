//! Credits scaled to what experiments found.
use super::lift::LiftEstimate;
use crate::{
    attribution::{Attribution, UNATTRIBUTED},
    diagnostics::named,
    frame::{Table, numbers, texts},
    names::place,
    paths::OneOrMore,
    record::record,
};
use indexmap::IndexMap;
use pyo3::{exceptions::PyValueError, prelude::*};
use safar_attribution::{
    Credit,
    experiment::{self, Standing, ValueFrom},
};

/// What an experiment found about a channel, or about several that were held out together.
///
/// `conversions` is what it found over the treated arm, such as `Outcome.conversions.total`, and `value` the same of value;
/// where that is left out, value is scaled as conversions are. `credited` is what the same model gives over the paths of the
/// treated arm's people; where it is left out, the credits that are calibrated are about exactly these.
///
/// >>> import safar
/// >>> safar.Measured("Ads", safar.LiftEstimate(3.0, 1.0, 5.0, 1.0)).channels
/// ['Ads']
#[pyclass(frozen, module = "safar", skip_from_py_object)]
pub struct Measured {
    channels: Vec<String>,
    conversions: LiftEstimate,
    value: Option<LiftEstimate>,
    credited: Option<Py<Attribution>>,
}

#[pymethods]
impl Measured {
    #[new]
    #[pyo3(signature = (channels, conversions, value=None, *, credited=None))]
    fn new(
        channels: OneOrMore,
        conversions: PyRef<'_, LiftEstimate>,
        value: Option<PyRef<'_, LiftEstimate>>,
        credited: Option<Py<Attribution>>,
    ) -> Self {
        let value = value.map(|value| value.clone());
        Self { channels: channels.all(), conversions: conversions.clone(), value, credited }
    }

    /// The channels that were held out.
    #[getter]
    fn channels(&self) -> Vec<String> {
        self.channels.clone()
    }

    /// Incremental conversions over the treated arm.
    #[getter]
    fn conversions(&self) -> LiftEstimate {
        self.conversions.clone()
    }

    /// Incremental value over the treated arm.
    #[getter]
    fn value(&self) -> Option<LiftEstimate> {
        self.value.clone()
    }

    /// What the same model gives over the treated arm.
    #[getter]
    fn credited(&self, py: Python<'_>) -> Option<Py<Attribution>> {
        self.credited.as_ref().map(|credited| credited.clone_ref(py))
    }

    fn __repr__(&self) -> String {
        let experiment::Estimate { value, low, high, .. } = self.conversions.estimate();
        format!("<safar.Measured: {}, {value:?} conversions, {low:?} to {high:?}>", self.channels.join(", "))
    }
}

record! {
    /// What a channel earned after calibration.
    CalibratedCredit {
        /// In conversions; negative where the experiment finds that the channel does harm.
        conversions: f64,
        /// In the currency of the paths.
        value: f64,
        /// `calibrated` by an experiment, or `association`: as the model says, not calibrated.
        standing: &'static str,
        /// The conversions with the interval of the experiment; `None` where it is association.
        conversions_estimate: Option<LiftEstimate>,
        /// The value with the interval of the experiment; `None` where it is association.
        value_estimate: Option<LiftEstimate>,
    }
}

record! {
    /// What one experiment did to credits.
    Calibration {
        /// The channels.
        channels: Vec<String>,
        /// Conversions found by the experiment for each one that the model credits.
        factor: LiftEstimate,
        /// The same of value.
        value_factor: LiftEstimate,
        /// Where the factor of value comes from: the `value` that was measured, or the `conversions`.
        value_from: &'static str,
        /// Conversions that went from these channels to nobody; negative where they came from nobody.
        returned_conversions: f64,
        /// The same of value.
        returned_value: f64,
    }
}

record! {
    /// Credits after calibration. They and what is unattributed sum to the conversions and the value, as before. Made by
    /// `calibrate`.
    Calibrated {
        /// The model and all its settings, as spelled.
        model: String,
        /// By channel.
        credits: IndexMap<String, CalibratedCredit>,
        /// Conversions that belong to no channel: those that did before, and what the experiments took from channels.
        /// Negative where they find more than the model left over.
        unattributed_conversions: LiftEstimate,
        /// The same of value.
        unattributed_value: LiftEstimate,
        /// One for each experiment, in the order given.
        calibrations: Vec<Calibration>,
        /// A row for each channel, and one for what is `(unattributed)`: `model`, `channel`, `conversions`,
        /// `calibrated_conversions`, their ends `low` and `high`, and `standing`.
        table: Table,
    }
}

/// One experiment or several.
#[derive(FromPyObject)]
pub enum Experiments<'py> {
    #[pyo3(annotation = "Measured")]
    One(Bound<'py, Measured>),
    #[pyo3(annotation = "list[Measured]")]
    More(Vec<Bound<'py, Measured>>),
}

/// Scales the credits of the channels under experiment so that, over the experiment's treated arm, they sum to the
/// incremental conversions that it found; the difference goes to or comes from nobody. Channels without an experiment keep
/// their credit: it is association.
///
/// Raises `KeyError` for a channel that is not there; `ValueError` for one that is in two experiments, for a model whose
/// credits overlap (participation) or that gives the channels nothing, and where `credited` is of another model.
///
/// >>> import safar
/// >>> paths = safar.read_paths(b"path;conversions;value\nAds > Mail;8;80\nMail;4;60\nAds;2;10\n")
/// >>> linear = safar.attribute(paths, "linear")
/// >>> linear.credits["Ads"].conversions
/// 6.0
/// >>> found = safar.Measured("Ads", safar.LiftEstimate(3.0, 1.0, 5.0, 1.0))  # a hold-out found 3 to be due to Ads
/// >>> calibrated = safar.calibrate(linear, found)
/// >>> calibrated.credits["Ads"].conversions, calibrated.unattributed_conversions.value
/// (3.0, 3.0)
/// >>> calibrated.credits["Mail"].standing
/// 'association'
#[pyfunction]
pub fn calibrate(attribution: &Bound<'_, Attribution>, experiments: Experiments<'_>) -> PyResult<Calibrated> {
    let experiments = match experiments {
        Experiments::One(one) => vec![one],
        Experiments::More(more) => more,
    };
    let (given, names) = (attribution.get().given(), attribution.get().channels());
    let mut taken: Vec<&str> = vec![];
    let mut measured = vec![];
    for one in &experiments {
        let one = one.get();
        for name in &one.channels {
            if taken.contains(&name.as_str()) {
                let twice = format!("`{name}` is in more than one experiment, or twice in one; keep one of them");
                return Err(PyValueError::new_err(twice));
            }
            taken.push(name);
        }
        measured.push(experiment::Measured {
            channels: one.channels.iter().map(|name| place(name, names)).collect::<PyResult<_>>()?,
            conversions: one.conversions.estimate(),
            value: one.value.as_ref().map(LiftEstimate::estimate),
            credited: one.credited.as_ref().map(|over| credited(over.get(), given, &one.channels)).transpose()?,
        });
    }
    let found = experiment::calibrate(given, &measured).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(Calibrated {
        table: table(given, names, &found)?,
        model: given.model.to_string(),
        credits: named(names, found.credits.iter().map(credit)),
        unattributed_conversions: found.unattributed_conversions.into(),
        unattributed_value: found.unattributed_value.into(),
        calibrations: experiments.iter().zip(&found.calibrations).map(|(one, done)| calibration(one, done)).collect(),
    })
}

/// What `over` gives the channels together.
fn credited(over: &Attribution, given: &safar_attribution::Attribution, channels: &[String]) -> PyResult<Credit> {
    if over.given().model != given.model {
        let (over, model) = (&over.given().model, &given.model);
        let why = format!("`credited` is by {over}, the credits are by {model}; fit the same model to the treated arm");
        return Err(PyValueError::new_err(why));
    }
    let mut sum = Credit::default();
    for (credit, _) in over.given().credits.iter().zip(over.channels()).filter(|(_, name)| channels.contains(name)) {
        sum.conversions += credit.conversions;
        sum.value += credit.value;
    }
    Ok(sum)
}

fn credit(from: &experiment::CalibratedCredit) -> CalibratedCredit {
    let (standing, estimates) = match from.standing {
        Standing::Calibrated { conversions, value, .. } => ("calibrated", Some((conversions, value))),
        Standing::Association => ("association", None),
    };
    CalibratedCredit {
        conversions: from.conversions,
        value: from.value,
        standing,
        conversions_estimate: estimates.map(|(conversions, _)| conversions.into()),
        value_estimate: estimates.map(|(_, value)| value.into()),
    }
}

fn calibration(measured: &Bound<'_, Measured>, done: &experiment::Calibration) -> Calibration {
    Calibration {
        channels: measured.get().channels(),
        factor: done.factor.into(),
        value_factor: done.value_factor.into(),
        value_from: match done.value_from {
            ValueFrom::Value => "value",
            ValueFrom::Conversions => "conversions",
        },
        returned_conversions: done.returned_conversions,
        returned_value: done.returned_value,
    }
}

/// The columns are those of `safar experiment --calibrated`.
fn table(given: &safar_attribution::Attribution, names: &[String], found: &experiment::Calibrated) -> PyResult<Table> {
    let rest = found.unattributed_conversions;
    let rows = || {
        let channels = found.credits.iter().map(|credit| match credit.standing {
            Standing::Calibrated { conversions, .. } => (credit.conversions, Some(conversions)),
            Standing::Association => (credit.conversions, None),
        });
        channels.chain([(rest.value, Some(rest))])
    };
    let before = given.credits.iter().chain([&given.unattributed]);
    let model = given.model.to_string();
    Table::new([
        ("model", texts(rows().map(|_| &model))),
        ("channel", texts(names.iter().map(String::as_str).chain([UNATTRIBUTED]))),
        ("conversions", numbers(before.map(|credit| Some(credit.conversions)))),
        ("calibrated_conversions", numbers(rows().map(|(after, _)| Some(after)))),
        ("low", numbers(rows().map(|(_, interval)| interval.map(|interval| interval.low)))),
        ("high", numbers(rows().map(|(_, interval)| interval.map(|interval| interval.high)))),
        ("standing", texts(rows().map(|(_, of)| if of.is_some() { "calibrated" } else { "association" }))),
    ])
}
