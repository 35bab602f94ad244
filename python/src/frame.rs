//! Tables for other libraries, handed over by the Arrow PyCapsule interface: they share the memory.
use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, Fields};
use pyo3::{
    exceptions::{PyImportError, PyModuleNotFoundError},
    prelude::*,
    types::PyCapsule,
};
use pyo3_arrow::ffi::{ArrayIterator, to_stream_pycapsule};
use std::sync::Arc;

/// The stream of `batches`, which are of one kind.
///
/// # Errors
/// Where they cannot be cast to `requested_schema`.
pub fn stream<'py>(
    py: Python<'py>,
    batches: Vec<RecordBatch>,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let fields = batches.first().map_or_else(Fields::empty, |batch| batch.schema().fields().clone());
    let field = Arc::new(Field::new("", DataType::Struct(fields), false));
    let arrays: Vec<_> = batches.into_iter().map(|batch| Ok(Arc::new(StructArray::from(batch)) as ArrayRef)).collect();
    Ok(to_stream_pycapsule(py, Box::new(ArrayIterator::new(arrays, field)), requested_schema)?)
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
