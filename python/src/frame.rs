//! Tables for other libraries, handed over by the Arrow PyCapsule interface: they share the memory.
use arrow_array::{RecordBatch, RecordBatchIterator, ffi_stream::FFI_ArrowArrayStream};
use pyo3::{
    exceptions::{PyImportError, PyModuleNotFoundError},
    prelude::*,
    types::PyCapsule,
};

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
