//! Paths as Python holds them.
use crate::{frame, table, work};
use arrow_array::{
    ArrayRef, DictionaryArray, DurationMicrosecondArray, Float64Array, Int32Array, LargeListArray, RecordBatch,
    StringArray, UInt64Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use pyo3::{
    exceptions::{PyOverflowError, PyRuntimeError, PyValueError},
    prelude::*,
    types::{PyCapsule, PyType},
};
use safar_attribution::{Transform, transform_until};
use std::sync::Arc;

/// Weighted paths: the touches that came before an outcome, oldest first, with how many conversions each path
/// brought, what they were worth, and how many people walked it without converting.
///
/// Made by `read_paths` from a file, by `Paths.from_arrow` from a table, or by `transform` from other paths. It cannot
/// be changed, and threads may share it.
#[pyclass(frozen, eq, module = "safar", skip_from_py_object)]
#[derive(Clone, PartialEq)]
pub struct Paths {
    /// The paths, and the names of their channels.
    pub inner: Arc<(safar_model::Paths, Vec<String>)>,
    /// Whose each path is, where that is known.
    pub persons: Option<Arc<Vec<u64>>>,
}

impl Paths {
    pub fn new(paths: safar_model::Paths, channels: Vec<String>) -> Self {
        Self { inner: Arc::new((paths, channels)), persons: None }
    }
}

#[pymethods]
impl Paths {
    /// Reads paths from a table, one path a row: a pyarrow, polars or pandas one, or anything else that has
    /// `__arrow_c_stream__`.
    ///
    /// `path` names the column of touches, oldest first: lists of channel names, which are taken as they are, or text
    /// in which `sep` stands between the names and spaces around them do not count. An empty list or text is a
    /// conversion that no touch came before. `conversions`, `value` and `nulls` name the columns of numbers, `ages`
    /// that of lists with the time from each touch to the outcome: durations, or whole microseconds. A column that is
    /// not named is looked for as `path`, `total_conversions` (or `conversions`), `total_conversion_value`
    /// (`conversion_value`, `value`), `total_null` (`null`, `nulls`), `ages` and `person`; the last four may be absent.
    ///
    /// `person` names the column that says whose a path is, by whole numbers or text: `bootstrap` then draws people, with
    /// all of their paths. Without it every conversion and every null is a person of its own.
    ///
    /// The columns are read where they lie, without a copy of them; pandas itself copies columns of lists and, unless
    /// they are Arrow's, of text when it hands them over.
    ///
    /// Raises `ValueError` with the row, the column and the value that cannot be read: no row is ever skipped.
    ///
    /// >>> import safar
    /// >>> import pyarrow
    /// >>> table = pyarrow.table({"path": [["Ads", "Mail"], ["Mail"]], "conversions": [2, 1]})
    /// >>> safar.Paths.from_arrow(table).channels
    /// ['Ads', 'Mail']
    #[classmethod]
    #[pyo3(signature = (
        table, path=None, conversions=None, value=None, nulls=None, ages=None, person=None, *, sep=">"
    ))]
    #[expect(clippy::too_many_arguments, reason = "by name in Python")]
    fn from_arrow(
        _: &Bound<'_, PyType>,
        table: &Bound<'_, PyAny>,
        path: Option<String>,
        conversions: Option<String>,
        value: Option<String>,
        nulls: Option<String>,
        ages: Option<String>,
        person: Option<String>,
        sep: &str,
    ) -> PyResult<Self> {
        check_separator(sep)?;
        let names = table::ColumnNames { path, conversions, value, nulls, ages, person };
        let table::Read { paths, channels, persons } = table::read(table, &names, sep)?;
        Ok(Self { persons: persons.map(Arc::new), ..Self::new(paths, channels) })
    }

    /// The names of the channels, in the order in which they first appear.
    #[getter]
    fn channels(&self) -> Vec<String> {
        self.inner.1.clone()
    }

    /// How many touches all paths have together.
    #[getter]
    fn touchpoints(&self) -> usize {
        self.inner.0.touchpoints()
    }

    /// Whether every touch carries its age. Where it does not, models of time count touches as one day apart.
    #[getter]
    fn has_ages(&self) -> bool {
        self.inner.0.has_ages()
    }

    /// Whether it is known whose each path is.
    #[getter]
    fn has_persons(&self) -> bool {
        self.persons.is_some()
    }

    /// The paths as a `pyarrow.Table`: `path` as lists of names, `total_conversions`, `total_conversion_value`,
    /// `total_null`, and, where they are known, `ages` and `person` (a number, which stands for a text). A copy of the
    /// paths.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_arrow(slf)
    }

    /// The paths as a `pandas.DataFrame`, with the columns of `to_arrow`. Needs pyarrow.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_pandas(slf)
    }

    /// The paths as a `polars.DataFrame`, with the columns of `to_arrow`.
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
        let persons = self.persons.as_deref().map(Vec::as_slice);
        let batch = py.detach(|| batch(&self.inner.0, &self.inner.1, persons))?;
        frame::stream(py, vec![batch])
    }

    fn __len__(&self) -> usize {
        self.inner.0.len()
    }

    fn __repr__(&self) -> String {
        let (paths, channels) = &*self.inner;
        format!(
            "<safar.Paths: {} paths, {} touchpoints, {} channels>",
            paths.len(),
            paths.touchpoints(),
            channels.len()
        )
    }
}

/// The paths as one batch, under the names that path files use.
fn batch(paths: &safar_model::Paths, channels: &[String], persons: Option<&[u64]>) -> PyResult<RecordBatch> {
    let narrow = |channel: &safar_model::ChannelId| i32::try_from(channel.0);
    let keys = paths.touches().iter().map(narrow).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|_| PyOverflowError::new_err("Arrow tables name at most 2^31 channels"))?;
    let failed = |error: arrow_schema::ArrowError| PyRuntimeError::new_err(error.to_string());
    let names = Arc::new(StringArray::from_iter_values(channels));
    let touches: ArrayRef = Arc::new(DictionaryArray::try_new(Int32Array::from(keys), names).map_err(failed)?);
    let offsets = OffsetBuffer::<i64>::from_lengths(paths.iter().map(|path| path.channels.len()));
    let list = |values: ArrayRef| -> PyResult<ArrayRef> {
        let field = Arc::new(Field::new("item", values.data_type().clone(), true));
        Ok(Arc::new(LargeListArray::try_new(field, offsets.clone(), values, None).map_err(failed)?))
    };
    let numbers = |number: fn(safar_model::PathRef<'_>) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(paths.iter().map(number)))
    };
    let mut columns = vec![
        ("path", list(touches)?),
        ("total_conversions", numbers(|path| path.conversions)),
        ("total_conversion_value", numbers(|path| path.value)),
        ("total_null", numbers(|path| path.nulls)),
    ];
    if paths.has_ages() {
        let ages = paths.iter().flat_map(|path| path.ages.unwrap_or_default().iter().copied());
        columns.push(("ages", list(Arc::new(DurationMicrosecondArray::from_iter_values(ages)))?));
    }
    if let Some(persons) = persons {
        columns.push(("person", Arc::new(UInt64Array::from_iter_values(persons.iter().copied()))));
    }
    RecordBatch::try_from_iter(columns).map_err(failed)
}

/// # Errors
/// An empty separator.
pub fn check_separator(sep: &str) -> PyResult<()> {
    if sep.is_empty() {
        return Err(PyValueError::new_err(
            "`sep` is empty; name what stands between the channels of a path, such as >",
        ));
    }
    Ok(())
}

/// Changes paths before a model sees them: `exposure`, `unique`, `first`, `frequency`, `remove_direct:direct=NAME` or
/// `remove_last_direct:direct=NAME`; one, or several in their order. Counts and values stay as they are.
///
/// >>> import safar
/// >>> paths = safar.read_paths(b"path,conversions\nAds > Ads > Mail,1\n")
/// >>> safar.transform(paths, "exposure").touchpoints
/// 2
#[pyfunction]
pub fn transform(py: Python<'_>, paths: &Bound<'_, Paths>, steps: OneOrMore) -> PyResult<Paths> {
    let parse = |step: &String| step.parse::<Transform>();
    let steps = steps.all().iter().map(parse).collect::<Result<Vec<_>, _>>();
    let steps = steps.map_err(|error| PyValueError::new_err(error.to_string()))?;
    let inner = Arc::clone(&paths.get().inner);
    let changed = work::once(py, move |stop| transform_until(&steps, &inner.0, &inner.1, stop))?;
    let (changed, channels) = changed.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(Paths { persons: paths.get().persons.clone(), ..Paths::new(changed, channels) })
}

/// One spelling or several.
#[derive(FromPyObject)]
pub enum OneOrMore {
    #[pyo3(annotation = "str")]
    One(String),
    #[pyo3(annotation = "list[str]")]
    More(Vec<String>),
}

impl OneOrMore {
    /// In their order.
    pub fn all(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}
