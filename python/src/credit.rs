//! What channels earned.
use pyo3::prelude::*;

/// What one channel (or nobody) earned.
#[pyclass(frozen, get_all, eq, module = "safar", skip_from_py_object)]
#[derive(Clone, Copy, PartialEq)]
pub struct Credit {
    /// In conversions.
    conversions: f64,
    /// In the currency of the paths; negative where refunds prevail.
    value: f64,
}

impl From<safar_attribution::Credit> for Credit {
    fn from(credit: safar_attribution::Credit) -> Self {
        Self { conversions: credit.conversions, value: credit.value }
    }
}

#[pymethods]
impl Credit {
    fn __repr__(&self) -> String {
        format!("Credit(conversions={:?}, value={:?})", self.conversions, self.value)
    }
}
