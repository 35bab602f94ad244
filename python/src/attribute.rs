//! Runs models.
use crate::{
    attribution::Attribution,
    paths::{OneOrMore, Paths},
    report::Report,
    work,
};
use pyo3::{exceptions::PyValueError, prelude::*};
use safar_attribution::{ModelSpec, SpecError};
use std::sync::Arc;

/// What `attribute` gives: one model's credits, or a report.
#[derive(IntoPyObject)]
pub enum Given {
    One(Py<Attribution>),
    More(Py<Report>),
}

/// Shares the conversions of `paths` among channels.
///
/// `model` is a spelling such as `linear` or `markov:order=2` (see `models`), which gives an `Attribution`; or a list
/// of spellings, or `all` for every model that needs no settings, which give a `Report`. After each model, `progress`
/// is called with the number of models that are done, the number of all, and the model that was done last.
///
/// All cores compute, and other Python threads run meanwhile. Ctrl-C, or an exception from `progress`, leaves at once:
/// the model that is under way runs to its end in the background and is forgotten, further ones are not begun.
///
/// Raises `ValueError` where a spelling is wrong, and where a model cannot take paths like these: with `all`, too, as
/// no model is left out in silence.
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
#[pyfunction]
#[pyo3(signature = (paths, model, *, progress=None))]
pub fn attribute(
    py: Python<'_>,
    paths: &Bound<'_, Paths>,
    model: OneOrMore,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Given> {
    let (specs, is_one) = match model {
        OneOrMore::One(all) if all.eq_ignore_ascii_case("all") => (every(), false),
        one_or_more => {
            let is_one = matches!(one_or_more, OneOrMore::One(_));
            (one_or_more.all().iter().map(|spelling| parse(spelling)).collect::<PyResult<_>>()?, is_one)
        }
    };
    if specs.is_empty() {
        return Err(PyValueError::new_err("no model is named; see safar.models()"));
    }
    if let Some((_, twice)) = specs.iter().enumerate().find(|(index, spec)| specs[..*index].contains(spec)) {
        return Err(PyValueError::new_err(format!("`{twice}` is listed twice; list each model once")));
    }
    let total = specs.len();
    let inner = Arc::clone(&paths.get().inner);
    let channels = inner.1.clone();
    let fit = move |spec: ModelSpec| safar_attribution::attribute(&spec, &inner.0, &inner.1);
    let mut models = work::each(py, specs, fit, |index, result| {
        let given = result.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let model = Py::new(py, Attribution::new(given, channels.clone())?)?;
        if let Some(progress) = &progress {
            progress.call1((index + 1, total, model.get().model()))?;
        }
        Ok(model)
    })?;
    Ok(match models.pop() {
        Some(only) if is_one => Given::One(only),
        last => {
            models.extend(last);
            Given::More(Py::new(py, Report::new(models))?)
        }
    })
}

fn parse(spelling: &str) -> PyResult<ModelSpec> {
    spelling.parse().map_err(|error: SpecError| PyValueError::new_err(error.to_string()))
}

/// Every model whose name alone is enough.
fn every() -> Vec<ModelSpec> {
    safar_attribution::all_models()
}
