//! How sure credits are.
use crate::{
    attribution::Attribution,
    paths::Paths,
    resamples::{Resamples, Settings},
    work,
};
use pyo3::{exceptions::PyValueError, prelude::*};
use safar_attribution::{
    ModelSpec, SpecError,
    uncertainty::{self, Bootstrap},
};
use std::sync::Arc;

/// Asks `model` about `paths`, and about `replicates` resamples of the people who walked them: what credits would have
/// been, had chance sent other people of the same kind.
///
/// Each resample counts every person a random number of times, Poisson of mean 1 (the Poisson bootstrap). Every
/// conversion and every null counts as a person of their own, and the conversions of one path as worth the same: where
/// people come back, or conversions of one path differ in value, the true intervals are wider. The same `seed` gives
/// the same resamples on every machine and for every model, so those of two models may be compared one by one. `level`
/// is the part of the resamples that an interval spans.
///
/// All cores compute, and other Python threads run meanwhile. Ctrl-C leaves at once: the work runs to its end in the
/// background and is forgotten.
///
/// Raises `ValueError` where the spelling is wrong, a setting is out of range, or the model cannot take the paths.
///
/// >>> import safar
/// >>> paths = safar.read_paths(b"path;conversions\nAds > Mail;40\nMail;30\nAds;10\n")
/// >>> mail = safar.bootstrap(paths, "linear").estimates["Mail"].conversions
/// >>> mail.point
/// 50.0
/// >>> 34 < mail.low < 41 and 59 < mail.high < 66
/// True
#[pyfunction]
#[pyo3(signature = (paths, model, *, replicates=200, seed=1, level=0.95))]
pub fn bootstrap(
    py: Python<'_>,
    paths: &Bound<'_, Paths>,
    model: &str,
    replicates: u32,
    seed: u64,
    level: f64,
) -> PyResult<Resamples> {
    let failed = |error: String| PyValueError::new_err(error);
    let spec: ModelSpec = model.parse().map_err(|error: SpecError| failed(error.to_string()))?;
    let inner = Arc::clone(&paths.get().inner);
    let channels = inner.1.clone();
    let settings = Bootstrap { replicates, seed, level };
    let drawn = work::once(py, move || {
        let drawn = uncertainty::bootstrap(&spec, &inner.0, &inner.1, None, settings)?;
        let estimates = drawn.estimates();
        Ok::<_, uncertainty::BootstrapError>((drawn, estimates))
    })?;
    let (drawn, estimates) = drawn.map_err(|error| failed(error.to_string()))?;
    let point = Py::new(py, Attribution::new(drawn.point.clone(), channels.clone())?)?;
    Resamples::new(Settings { replicates, seed, level }, point, drawn, estimates, channels)
}
