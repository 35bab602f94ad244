//! How sure credits are.
use crate::{
    attribute::parse,
    attribution::Attribution,
    data::{Data, Given, refusal},
    resamples::{Resamples, Settings},
    work,
};
use pyo3::{exceptions::PyValueError, prelude::*};
use safar_attribution::uncertainty::{Bootstrap, BootstrapError, Watch};

/// Asks `model` about `paths`, or timelines, and about `replicates` resamples of the people who walked them: what credits
/// would have been, had chance sent other people of the same kind.
///
/// Each resample counts every person a random number of times, Poisson of mean 1 (the Poisson bootstrap): all paths of a
/// person alike, where the table that the paths are from has a column `person`, and timelines likewise. Without it each
/// timeline is a person, and of paths every conversion and every null, and the conversions of one path count as worth the
/// same: where people come back, or conversions of one path differ in value, the true intervals are wider, so name the
/// column.
/// The same `seed` gives the same resamples on every machine and for every model, so those of two models may be compared
/// one by one. `level` is the part of the resamples that an interval spans.
///
/// After each resample, `progress` is called with the number of resamples that are done, the number of all, and the model.
/// All cores compute, and other Python threads run meanwhile. Ctrl-C, or an exception from `progress`, leaves at once: the
/// fits that are under way end within a moment, and no further resamples are begun.
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
///
/// The same conversions, of ten people who had eight each:
///
/// >>> import pyarrow
/// >>> rows = [("Ads > Mail", 8)] * 5 + [("Mail", 8)] * 4 + [("Ads", 8)]
/// >>> table = pyarrow.table({
/// ...     "person": [f"person {row}" for row in range(10)],
/// ...     "path": [path for path, _ in rows], "conversions": [times for _, times in rows],
/// ... })
/// >>> again = safar.bootstrap(safar.Paths.from_arrow(table), "linear").estimates["Mail"].conversions
/// >>> again.error > 2 * mail.error
/// True
#[pyfunction]
#[pyo3(signature = (paths, model, *, replicates=200, seed=1, level=0.95, progress=None))]
pub fn bootstrap(
    py: Python<'_>,
    paths: Given<'_>,
    model: &str,
    replicates: u32,
    seed: u64,
    level: f64,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Resamples> {
    let (spec, data) = (parse(model)?, Data::from(paths));
    let (spelled, channels) = (spec.to_string(), data.channels());
    let settings = Bootstrap { replicates, seed, level };
    let draw = move |watch: Watch<'_>| {
        let drawn = data.bootstrap(&spec, settings, watch)?;
        let estimates = drawn.estimates();
        Ok::<_, BootstrapError>((drawn, estimates))
    };
    // Threads may tell one before the other; what is done only grows.
    let mut most = 0;
    let drawn = work::watched(py, draw, |done| {
        if let Some(progress) = progress.as_ref().filter(|_| done > most) {
            most = done;
            progress.call1((done, replicates, &spelled))?;
        }
        Ok(())
    })?;
    let (drawn, estimates) = drawn.map_err(|error| {
        PyValueError::new_err(match error {
            BootstrapError::Model(error) => refusal(&error),
            error => error.to_string(),
        })
    })?;
    let point = Py::new(py, Attribution::new(drawn.point.clone(), channels.clone())?)?;
    Resamples::new(Settings { replicates, seed, level }, point, drawn, estimates, channels)
}
