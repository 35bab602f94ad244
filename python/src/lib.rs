//! Safar's attribution models for Python: the extension module behind the package `safar`.
//!
//! The models are `safar-attribution`; here is only what Python needs around them: tables without copies
//! ([`table`], [`frame`]), long work that listens for Ctrl-C ([`work`]), and classes: what models read ([`paths`],
//! [`timelines`]), what they give ([`attribution`], [`report`], [`resamples`]), [`experiment`] and [`validation`]. The doc
//! comments of what is exported are Python's docstrings; their examples are run by the tests.
mod agreement;
mod attribute;
mod attribution;
mod bootstrap;
mod credit;
mod data;
mod diagnostics;
mod experiment;
mod frame;
mod models;
mod names;
mod paths;
mod read;
mod record;
mod report;
mod resamples;
mod table;
mod timelines;
mod validation;
mod work;

/// What `safar/__init__.py` exports.
#[pyo3::pymodule]
mod _safar {
    #[pymodule_export]
    use crate::{
        agreement::{Agreement, agreement},
        attribute::{attribute, credits_by_place},
        attribution::Attribution,
        bootstrap::bootstrap,
        credit::Credit,
        diagnostics::{
            ChannelDiagnostics, Diagnostics, HazardDiagnostics, LogisticDiagnostics, MarkovDiagnostics, OrderChoice,
            SampledDiagnostics,
        },
        experiment::{
            Mismatch, Outcome,
            arm::{Arm, Before, Measure},
            calibrate::{Calibrated, CalibratedCredit, Calibration, Measured, calibrate},
            design::Design,
            geo::{GeoOutcome, GeoPlan, GeoPower, geo_hold_out, geo_plan},
            hold_out,
            lift::{Cuped, Lift, LiftEstimate},
            wilson,
        },
        frame::Table,
        models::{ModelInfo, PresetInfo, SettingInfo, models, presets, weights},
        paths::{Paths, transform},
        read::read_paths,
        report::Report,
        resamples::{CreditEstimates, Estimate, Ranks, Resamples},
        timelines::Timelines,
        validation::{Backtest, Stability, backtest, stability},
    };
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
