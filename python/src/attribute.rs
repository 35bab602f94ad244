//! Runs models.
use crate::{
    attribution::Attribution,
    data::{Data, Given, refusal},
    frame::{Table, counts, numbers, texts},
    paths::{OneOrMore, Paths},
    report::Report,
    work,
};
use indexmap::IndexMap;
use pyo3::{
    exceptions::{PyUserWarning, PyValueError},
    prelude::*,
};
use safar_attribution::{Error, ModelSpec, SpecError, Stop, attribute_with_places};
use std::{ffi::CString, sync::Arc};

/// What `attribute` gives: one model's credits, or a report.
#[derive(IntoPyObject)]
pub enum Answer {
    One(Py<Attribution>),
    More(Py<Report>),
}

/// Shares the conversions of `paths`, or of timelines, among channels.
///
/// `model` is a spelling such as `linear` or `markov:order=2` (see `models`), which gives an `Attribution`; or a list
/// of spellings, or `all` for every model that needs no settings, which give a `Report`. After each model, `progress`
/// is called with the number of models that are done, the number of all, and the model that was done last.
///
/// Models of cause (`hazard`, `intent_hazard`) read `Timelines`, all others `Paths`.
///
/// All cores compute, and other Python threads run meanwhile. Ctrl-C, or an exception from `progress`, leaves at once:
/// the model that is under way ends within a moment, further ones are not begun.
///
/// Raises `ValueError` where a spelling is wrong, and where a model that is named cannot take paths like these. With
/// `all`, such a model takes nothing from the others: it is left out with a `UserWarning`, and `Report.refused` says why.
///
/// >>> import safar
/// >>> paths = safar.read_paths(b"path;conversions;value\nAds > Mail;2;50\nMail;1;10\n;1;5\n")
/// >>> linear = safar.attribute(paths, "linear")
/// >>> linear.credits["Mail"]
/// Credit(conversions=2.0, value=35.0)
/// >>> linear.unattributed
/// Credit(conversions=1.0, value=5.0)
/// >>> safar.attribute(paths, ["first", "markov"]).models
/// ['first', 'markov:order=1']
/// >>> safar.attribute(paths, "all").refused["hazard:rounds=60"]
/// 'hazard reads whole timelines of people, not paths; make them by safar.Timelines.from_arrow'
#[pyfunction]
#[pyo3(signature = (paths, model, *, progress=None))]
pub fn attribute(
    py: Python<'_>,
    paths: Given<'_>,
    model: OneOrMore,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Answer> {
    let data = Data::from(paths);
    let Asked { models, is_one, is_all } = Asked::of(model, || data.every())?;
    let (total, channels, what) = (models.len(), data.channels(), data.what());
    let fit = move |model: ModelSpec, stop: &Stop| {
        let given = data.attribute(&model, stop);
        (model, given)
    };
    let mut refused = IndexMap::new();
    let fitted = work::each(py, models, fit, |index, (model, given)| {
        let fitted = match given {
            Ok(given) => Some(Py::new(py, Attribution::new(given, channels.clone())?)?),
            Err(error) if is_all => {
                let why = refusal(&error);
                // That paths are no timelines is no news about these paths.
                if !matches!(error, Error::NeedsTimelines { .. }) {
                    warn(py, &format!("{model} cannot take these {what}: {why}"))?;
                }
                refused.insert(model.to_string(), why);
                None
            }
            Err(error) => return Err(PyValueError::new_err(refusal(&error))),
        };
        if let Some(progress) = &progress {
            progress.call1((index + 1, total, model.to_string()))?;
        }
        Ok(fitted)
    })?;
    let mut fitted: Vec<_> = fitted.into_iter().flatten().collect();
    Ok(match fitted.pop() {
        Some(only) if is_one => Answer::One(only),
        last => {
            fitted.extend(last);
            Answer::More(Py::new(py, Report::new(fitted, refused))?)
        }
    })
}

/// Credits by channel and place: a table with the columns `channel`, `place` (from 1, the first touch), `conversions` and
/// `value`, ascending by both. Places at which a channel never stands are left out.
///
/// With the model `shapley` these are the ordered Shapley values of Zhao, Mahboobi and Bagheri (2018).
///
/// Raises `ValueError` for models that do not give their credit touch by touch (Markov).
///
/// >>> import safar
/// >>> paths = safar.read_paths(b"path;conversions\nAds > Mail;8\nMail;4\n")
/// >>> table = safar.credits_by_place(paths, "shapley")
/// >>> [(row["channel"], row["place"], row["conversions"]) for row in table.to_dicts()]
/// [('Ads', 1, 4.0), ('Mail', 1, 4.0), ('Mail', 2, 4.0)]
#[pyfunction]
pub fn credits_by_place(py: Python<'_>, paths: &Bound<'_, Paths>, model: &str) -> PyResult<Table> {
    let (model, inner) = (parse(model)?, Arc::clone(&paths.get().inner));
    let channels = inner.1.clone();
    let places = work::once(py, move |stop| attribute_with_places(&model, &inner.0, &inner.1, stop))?;
    let (_, places) = places.map_err(|error| PyValueError::new_err(refusal(&error)))?;
    Table::new([
        ("channel", texts(places.iter().map(|place| &channels[place.channel]))),
        ("place", counts(places.iter().map(|place| place.place))),
        ("conversions", numbers(places.iter().map(|place| Some(place.credit.conversions)))),
        ("value", numbers(places.iter().map(|place| Some(place.credit.value)))),
    ])
}

/// The models that were asked for.
pub struct Asked {
    pub models: Vec<ModelSpec>,
    /// One was named, not a list of one.
    pub is_one: bool,
    /// None was named.
    pub is_all: bool,
}

impl Asked {
    /// # Errors
    /// A spelling that is wrong, a model that is named twice, or none.
    pub fn of(model: OneOrMore, every: impl FnOnce() -> Vec<ModelSpec>) -> PyResult<Self> {
        let is_all = matches!(&model, OneOrMore::One(all) if all.eq_ignore_ascii_case("all"));
        let is_one = !is_all && matches!(model, OneOrMore::One(_));
        let models = if is_all {
            every()
        } else {
            model.all().iter().map(|spelling| parse(spelling)).collect::<PyResult<Vec<_>>>()?
        };
        if models.is_empty() {
            return Err(PyValueError::new_err("no model is named; see safar.models()"));
        }
        if let Some((_, twice)) = models.iter().enumerate().find(|(index, model)| models[..*index].contains(model)) {
            return Err(PyValueError::new_err(format!("`{twice}` is listed twice; list each model once")));
        }
        Ok(Self { models, is_one, is_all })
    }
}

/// # Errors
/// A spelling that is wrong.
pub fn parse(spelling: &str) -> PyResult<ModelSpec> {
    spelling.parse().map_err(|error: SpecError| PyValueError::new_err(error.to_string()))
}

/// A `UserWarning` at the place of the call.
///
/// # Errors
/// Where warnings are errors.
pub fn warn(py: Python<'_>, text: &str) -> PyResult<()> {
    let text = CString::new(text.replace('\0', " "))?;
    PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)
}
