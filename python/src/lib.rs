//! Safar's attribution models for Python: the extension module behind the package `safar`.
//!
//! The models are `safar-attribution`; here is only what Python needs around them: tables without copies
//! ([`table`], [`frame`]), long work that listens for Ctrl-C ([`work`]), and classes ([`paths`], [`attribution`],
//! [`report`], [`resamples`]). The doc comments of what is exported are Python's docstrings; their examples are run by the tests.
mod attribute;
mod attribution;
mod bootstrap;
mod credit;
mod frame;
mod models;
mod names;
mod paths;
mod read;
mod report;
mod resamples;
mod table;
mod work;

/// What `safar/__init__.py` exports.
#[pyo3::pymodule]
mod _safar {
    #[pymodule_export]
    use crate::{
        attribute::attribute,
        attribution::Attribution,
        bootstrap::bootstrap,
        credit::{Credit, Diagnostics, MarkovDiagnostics},
        models::{ModelInfo, PresetInfo, SettingInfo, models, presets},
        paths::{Paths, transform},
        read::read_paths,
        report::Report,
        resamples::{CreditEstimates, Estimate, Ranks, Resamples},
    };
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
