//! Results with named fields, which show them.
use pyo3::prelude::*;

/// A class whose attributes can be read and not changed, and whose representation shows them; methods of its own may
/// follow.
macro_rules! record {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)+ }
        $($methods:tt)*
    ) => {
        $(#[$about])*
        #[pyo3::pyclass(frozen, get_all, module = "safar", skip_from_py_object)]
        #[derive(Clone)]
        pub struct $name { $($(#[$doc])* pub $field: $type,)+ }

        #[pyo3::pymethods]
        impl $name {
            fn __repr__(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<String> {
                $crate::record::show(slf, stringify!($name), &[$(stringify!($field)),+])
            }

            $($methods)*
        }
    };
}
pub(crate) use record;

/// `Name(field=value, …)`.
pub fn show(record: &Bound<'_, PyAny>, name: &str, fields: &[&str]) -> PyResult<String> {
    let shown = fields.iter().map(|field| Ok(format!("{field}={}", record.getattr(*field)?.repr()?)));
    Ok(format!("{name}({})", shown.collect::<PyResult<Vec<_>>>()?.join(", ")))
}
