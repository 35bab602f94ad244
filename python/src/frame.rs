//! Tables for other libraries, handed over by the Arrow PyCapsule interface: they share the memory.
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchIterator, StringArray,
    cast::AsArray,
    ffi_stream::FFI_ArrowArrayStream,
    types::{Float64Type, Int64Type},
};
use arrow_schema::DataType;
use pyo3::{
    exceptions::{PyImportError, PyModuleNotFoundError, PyRuntimeError},
    prelude::*,
    types::{PyCapsule, PyDict},
};
use std::sync::Arc;

/// Named columns of a result: for pyarrow, polars and pandas, which share its memory, or as dictionaries.
#[pyclass(frozen, module = "safar", skip_from_py_object)]
#[derive(Clone)]
pub struct Table {
    batch: RecordBatch,
}

impl Table {
    /// Of columns of the same length.
    ///
    /// # Errors
    /// Where Arrow cannot hold them.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, ArrayRef)>) -> PyResult<Self> {
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns);
        Ok(Self { batch: batch.map_err(|error| PyRuntimeError::new_err(error.to_string()))? })
    }
}

/// A column of text.
pub fn texts<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// A column of numbers.
pub fn numbers(numbers: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(numbers.collect::<Float64Array>())
}

/// A column of counts.
pub fn counts(counts: impl Iterator<Item = usize>) -> ArrayRef {
    Arc::new(counts.map(|count| i64::try_from(count).ok()).collect::<Int64Array>())
}

#[pymethods]
impl Table {
    /// The names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The rows, as a dictionary each; `None` where there is no number.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let rows: Vec<_> = (0..self.batch.num_rows()).map(|_| PyDict::new(py)).collect();
        for (field, column) in self.batch.schema().fields().iter().zip(self.batch.columns()) {
            for (at, row) in rows.iter().enumerate() {
                match column.data_type() {
                    _ if column.is_null(at) => row.set_item(field.name(), py.None())?,
                    DataType::Float64 => row.set_item(field.name(), column.as_primitive::<Float64Type>().value(at))?,
                    DataType::Int64 => row.set_item(field.name(), column.as_primitive::<Int64Type>().value(at))?,
                    _ => row.set_item(field.name(), column.as_string::<i32>().value(at))?,
                }
            }
        }
        Ok(rows)
    }

    /// A `pyarrow.Table`.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_arrow(slf)
    }

    /// A `pandas.DataFrame`. Needs pyarrow.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_pandas(slf)
    }

    /// A `polars.DataFrame`.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_polars(slf)
    }

    /// The Arrow PyCapsule interface, for every other library.
    #[pyo3(signature = (requested_schema=None))]
    #[expect(unused_variables, reason = "a wish that the interface allows to leave open")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        stream(py, vec![self.batch.clone()])
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("<safar.Table: {} rows of {}>", self.batch.num_rows(), self.columns().join(", "))
    }
}

/// The stream of `batches`, which have the same columns: what `__arrow_c_stream__` returns.
///
/// # Errors
/// Where Python has no memory for the capsule.
pub fn stream(py: Python<'_>, batches: Vec<RecordBatch>) -> PyResult<Bound<'_, PyCapsule>> {
    let schema = batches.first().map(RecordBatch::schema).unwrap_or_else(|| arrow_schema::Schema::empty().into());
    let batches = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), c"arrow_array_stream")
}

/// A `pyarrow.Table` of an object that has `__arrow_c_stream__`.
///
/// # Errors
/// `ImportError` where pyarrow is absent.
pub fn to_arrow<'py>(table: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    library(table.py(), "pyarrow")?.call_method1("table", (table,))
}

/// A `pandas.DataFrame`, by way of pyarrow.
///
/// # Errors
/// `ImportError` where pandas or pyarrow is absent.
pub fn to_pandas<'py>(table: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    library(table.py(), "pandas")?;
    to_arrow(table)?.call_method0("to_pandas")
}

/// A `polars.DataFrame`.
///
/// # Errors
/// `ImportError` where polars is absent.
pub fn to_polars<'py>(table: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    library(table.py(), "polars")?.call_method1("DataFrame", (table,))
}

fn library<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(name).map_err(|error| {
        if error.is_instance_of::<PyModuleNotFoundError>(py) {
            PyImportError::new_err(format!("{name} is not installed; install it: pip install {name}"))
        } else {
            error
        }
    })
}
