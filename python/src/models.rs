//! What there is to choose from.
use crate::attribute::parse;
use pyo3::prelude::*;
use safar_attribution::{MODELS, PRESETS};

/// One setting of a model, with its default.
#[pyclass(frozen, get_all, module = "safar", skip_from_py_object)]
#[derive(Clone)]
pub struct SettingInfo {
    /// As spelled.
    name: &'static str,
    /// What it is when it is left out; empty where it has no default of its own.
    default: &'static str,
    /// In one line.
    meaning: &'static str,
}

#[pymethods]
impl SettingInfo {
    fn __repr__(&self) -> String {
        format!("SettingInfo(name={:?}, default={:?}, meaning={:?})", self.name, self.default, self.meaning)
    }
}

/// One model and its settings.
#[pyclass(frozen, get_all, module = "safar", skip_from_py_object)]
#[derive(Clone)]
pub struct ModelInfo {
    /// As spelled.
    name: &'static str,
    /// In one line.
    meaning: &'static str,
    /// What can be set.
    settings: Vec<SettingInfo>,
}

#[pymethods]
impl ModelInfo {
    fn __repr__(&self) -> String {
        let settings: Vec<_> = self.settings.iter().map(|setting| setting.name).collect();
        format!("ModelInfo(name={:?}, meaning={:?}, settings=[{}])", self.name, self.meaning, settings.join(", "))
    }
}

/// A named choice of settings.
#[pyclass(frozen, get_all, module = "safar", skip_from_py_object)]
#[derive(Clone)]
pub struct PresetInfo {
    /// As spelled in place of a model; it takes no settings.
    name: &'static str,
    /// The model and settings that it stands for.
    spec: &'static str,
    /// Where the weights come from.
    source: &'static str,
}

#[pymethods]
impl PresetInfo {
    fn __repr__(&self) -> String {
        format!("PresetInfo(name={:?}, spec={:?}, source={:?})", self.name, self.spec, self.source)
    }
}

/// Every model, with its settings and what they mean, in the order of the documentation.
///
/// A model is spelled by its name, or with settings: `name:setting=value,setting=value`.
///
/// >>> import safar
/// >>> [model.name for model in safar.models()][:4]
/// ['first', 'last', 'last_non_direct', 'linear']
/// >>> markov = next(model for model in safar.models() if model.name == "markov")
/// >>> markov.settings[0].name, markov.settings[0].default
/// ('order', '1')
#[pyfunction]
pub fn models() -> Vec<ModelInfo> {
    let setting = |info: &safar_attribution::SettingInfo| SettingInfo {
        name: info.name,
        default: info.default,
        meaning: info.meaning,
    };
    let model = |info: &safar_attribution::ModelInfo| ModelInfo {
        name: info.name,
        meaning: info.meaning,
        settings: info.settings.iter().map(setting).collect(),
    };
    MODELS.iter().map(model).collect()
}

/// Every preset: a name in place of a model, for settings that a vendor made common.
///
/// >>> import safar
/// >>> safar.presets()[0].spec
/// 'position:first=0.4,last=0.4'
#[pyfunction]
pub fn presets() -> Vec<PresetInfo> {
    PRESETS.iter().map(|info| PresetInfo { name: info.name, spec: info.spec, source: info.source }).collect()
}

/// What each touch of a path of `touches` touches gets of a conversion by a rule, first touch first; `None` for models
/// that learn from data.
///
/// The touches are of different channels, none of them direct, and one day apart, the last one at the outcome. The weights
/// sum to 1, except those of participation, which are all 1.
///
/// Raises `ValueError` where the spelling is wrong.
///
/// >>> import safar
/// >>> safar.weights("amplitude_j", 4)
/// [0.1, 0.1, 0.2, 0.6]
/// >>> {preset.name: safar.weights(preset.name, 2) for preset in safar.presets()}["adobe_j"]
/// [0.25, 0.75]
/// >>> safar.weights("markov", 4) is None
/// True
#[pyfunction]
pub fn weights(model: &str, touches: u16) -> PyResult<Option<Vec<f64>>> {
    Ok(parse(model)?.weights(touches))
}
