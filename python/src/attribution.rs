//! What one model gives.
use crate::{
    credit::Credit,
    diagnostics::{Diagnostics, named},
    frame,
};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use indexmap::IndexMap;
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyCapsule};
use safar_attribution::ModelSpec;
use std::sync::Arc;

/// The credits that one model gives.
///
/// The credits and what is `unattributed` sum to the conversions and the value of all paths, whatever the model but
/// participation.
#[pyclass(frozen, module = "safar", skip_from_py_object)]
pub struct Attribution {
    given: safar_attribution::Attribution,
    channels: Vec<String>,
    batch: RecordBatch,
}

impl Attribution {
    /// What the model gave, and the names of the channels.
    pub fn new(given: safar_attribution::Attribution, channels: Vec<String>) -> PyResult<Self> {
        let batch = table(&given, &channels).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok(Self { given, channels, batch })
    }

    /// What the model gave.
    pub fn given(&self) -> &safar_attribution::Attribution {
        &self.given
    }

    /// The names of the channels.
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// Which model.
    pub fn spec(&self) -> &ModelSpec {
        &self.given.model
    }

    /// The table of it.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }
}

/// Stands in tables where a channel's name stands otherwise.
pub const UNATTRIBUTED: &str = "(unattributed)";

fn table(given: &safar_attribution::Attribution, channels: &[String]) -> Result<RecordBatch, ArrowError> {
    let model = given.model.to_string();
    let rows = || given.credits.iter().chain([&given.unattributed]);
    let names = channels.iter().map(String::as_str).chain([UNATTRIBUTED]);
    RecordBatch::try_from_iter::<_, &str>([
        ("model", Arc::new(StringArray::from_iter_values(rows().map(|_| &model))) as ArrayRef),
        ("channel", Arc::new(StringArray::from_iter_values(names))),
        ("conversions", Arc::new(Float64Array::from_iter_values(rows().map(|credit| credit.conversions)))),
        ("value", Arc::new(Float64Array::from_iter_values(rows().map(|credit| credit.value)))),
    ])
}

#[pymethods]
impl Attribution {
    /// The model and all its settings, as spelled.
    #[getter]
    pub fn model(&self) -> String {
        self.given.model.to_string()
    }

    /// By channel: what it earned.
    #[getter]
    pub fn credits(&self) -> IndexMap<String, Credit> {
        named(&self.channels, self.given.credits.iter().map(|credit| Credit::from(*credit)))
    }

    /// Conversions and value of the paths with no touch, and what the model cannot share.
    #[getter]
    pub fn unattributed(&self) -> Credit {
        self.given.unattributed.into()
    }

    /// What the model says about itself.
    #[getter]
    pub fn diagnostics(&self) -> Diagnostics {
        Diagnostics::of(&self.given.diagnostics, &self.channels)
    }

    /// A `pyarrow.Table` with the columns `model`, `channel`, `conversions` and `value`: a row for each channel, and
    /// one for what is `(unattributed)`. It shares its memory with this object.
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
        frame::stream(py, vec![self.batch.clone()])
    }

    fn __repr__(&self) -> String {
        format!("<safar.Attribution: {}, {} channels>", self.given.model, self.channels.len())
    }
}
