//! What several models give.
use crate::{attribution::Attribution, credit::Credit, diagnostics::Diagnostics, frame};
use indexmap::IndexMap;
use pyo3::{
    exceptions::{PyIndexError, PyKeyError},
    prelude::*,
    types::{PyCapsule, PyIterator, PyList},
};
use safar_attribution::ModelSpec;

/// The credits that several models give, in the order of the models.
#[pyclass(frozen, sequence, module = "safar", skip_from_py_object)]
pub struct Report {
    models: Vec<Py<Attribution>>,
    refused: IndexMap<String, String>,
}

impl Report {
    /// Of these, in their order, and why others are left out.
    pub fn new(models: Vec<Py<Attribution>>, refused: IndexMap<String, String>) -> Self {
        Self { models, refused }
    }

    /// What the models gave.
    pub fn given(&self) -> Vec<safar_attribution::Attribution> {
        self.models.iter().map(|model| model.get().given().clone()).collect()
    }

    /// The names of the channels; none where there is no model.
    pub fn channels(&self) -> Vec<String> {
        self.models.first().map(|model| model.get().channels().to_vec()).unwrap_or_default()
    }

    fn by_model<T>(&self, what: fn(&Attribution) -> T) -> IndexMap<String, T> {
        self.models.iter().map(|model| (model.get().model(), what(model.get()))).collect()
    }
}

#[pymethods]
impl Report {
    /// The models and all their settings, as spelled.
    #[getter]
    fn models(&self) -> Vec<String> {
        self.models.iter().map(|model| model.get().model()).collect()
    }

    /// Which models of `all` are left out, and why; empty where models were named.
    #[getter]
    fn refused(&self) -> IndexMap<String, String> {
        self.refused.clone()
    }

    /// By model and channel: what it earned.
    #[getter]
    fn credits(&self) -> IndexMap<String, IndexMap<String, Credit>> {
        self.by_model(Attribution::credits)
    }

    /// By model: conversions and value of the paths with no touch, and what the model cannot share.
    #[getter]
    fn unattributed(&self) -> IndexMap<String, Credit> {
        self.by_model(Attribution::unattributed)
    }

    /// By model: what it says about itself.
    #[getter]
    fn diagnostics(&self) -> IndexMap<String, Diagnostics> {
        self.by_model(Attribution::diagnostics)
    }

    /// A `pyarrow.Table` with the columns `model`, `channel`, `conversions` and `value`: for each model a row for each
    /// channel, and one for what is `(unattributed)`. It shares its memory with this object.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_arrow(slf)
    }

    /// A `pandas.DataFrame` with the columns of `to_arrow`. Needs pyarrow.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_pandas(slf)
    }

    /// A `polars.DataFrame` with the columns of `to_arrow`.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_polars(slf)
    }

    /// The Arrow PyCapsule interface, for every other library.
    #[pyo3(signature = (requested_schema=None))]
    #[expect(unused_variables, reason = "a wish that the interface allows to leave open")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        frame::stream(py, self.models.iter().map(|model| model.get().batch().clone()).collect())
    }

    fn __len__(&self) -> usize {
        self.models.len()
    }

    /// By place, or by the spelling of the model; settings that are left out have their defaults.
    fn __getitem__(&self, py: Python<'_>, key: Key) -> PyResult<Py<Attribution>> {
        let found = match &key {
            Key::Place(place) => {
                let place = if *place < 0 { place.checked_add_unsigned(self.models.len()) } else { Some(*place) };
                place.and_then(|place| usize::try_from(place).ok()).and_then(|place| self.models.get(place))
            }
            Key::Model(spelling) => {
                let spec = spelling.parse::<ModelSpec>().map_err(|error| PyKeyError::new_err(error.to_string()))?;
                self.models.iter().find(|model| *model.get().spec() == spec)
            }
        };
        found.map(|model| model.clone_ref(py)).ok_or_else(|| match key {
            Key::Place(place) => PyIndexError::new_err(format!("no model {place} among {}", self.models.len())),
            Key::Model(spelling) => PyKeyError::new_err(format!("no `{spelling}` among {}", self.models().join(", "))),
        })
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.models.iter().map(|model| model.clone_ref(py)))?.try_iter()
    }

    fn __repr__(&self) -> String {
        let refused: Vec<_> = self.refused.keys().map(String::as_str).collect();
        let refused = if refused.is_empty() { String::new() } else { format!("; refused: {}", refused.join(", ")) };
        format!("<safar.Report: {}{refused}>", self.models().join(", "))
    }
}

/// Which of several models.
#[derive(FromPyObject)]
enum Key {
    #[pyo3(annotation = "int")]
    Place(isize),
    #[pyo3(annotation = "str")]
    Model(String),
}
