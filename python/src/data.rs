//! What models read: paths or timelines.
use crate::{
    paths::Paths,
    timelines::{Lines, Timelines},
};
use pyo3::prelude::*;
use safar_attribution::{
    Attribution, Error, ModelSpec, Stop, all_models, attribute_until, causal_models,
    hazard::{attribute_timelines_with, bootstrap_timelines_with},
    uncertainty::{Bootstrap, BootstrapError, Record, Resamples, Watch, bootstrap_with},
};
use safar_model::PathRef;
use std::sync::Arc;

/// As Python gives it.
#[derive(FromPyObject)]
pub enum Given<'py> {
    #[pyo3(annotation = "Paths")]
    Paths(Bound<'py, Paths>),
    #[pyo3(annotation = "Timelines")]
    Timelines(Bound<'py, Timelines>),
}

/// As threads share it.
#[derive(Clone)]
pub enum Data {
    Paths(Paths),
    Timelines(Arc<Lines>),
}

impl From<Given<'_>> for Data {
    fn from(given: Given<'_>) -> Self {
        match given {
            Given::Paths(paths) => Self::Paths(paths.get().clone()),
            Given::Timelines(lines) => Self::Timelines(Arc::clone(&lines.get().inner)),
        }
    }
}

impl Data {
    /// What they are called.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Paths(_) => "paths",
            Self::Timelines(_) => "timelines",
        }
    }

    /// The names of the channels.
    pub fn channels(&self) -> Vec<String> {
        match self {
            Self::Paths(paths) => paths.inner.1.clone(),
            Self::Timelines(lines) => lines.channels.clone(),
        }
    }

    /// The models that `all` stands for. Models of cause are named with paths, too, to say what they need.
    pub fn every(&self) -> Vec<ModelSpec> {
        match self {
            Self::Paths(_) => [all_models(), causal_models()].concat(),
            Self::Timelines(_) => causal_models(),
        }
    }

    pub fn attribute(&self, model: &ModelSpec, stop: &Stop) -> Result<Attribution, Error> {
        match self {
            Self::Paths(paths) => attribute_until(model, &paths.inner.0, &paths.inner.1, stop),
            Self::Timelines(lines) => {
                attribute_timelines_with(model, &lines.lines, &lines.channels, &lines.roles, stop)
            }
        }
    }

    pub fn bootstrap(
        &self,
        model: &ModelSpec,
        settings: Bootstrap,
        watch: Watch<'_>,
    ) -> Result<Resamples, BootstrapError> {
        match self {
            Self::Paths(Paths { inner, persons }) => {
                let records = persons.as_ref().map(|persons| records(&inner.0, persons));
                bootstrap_with(model, &inner.0, &inner.1, records.as_deref(), settings, watch)
            }
            Self::Timelines(lines) => {
                let Lines { lines, channels, roles, persons } = &**lines;
                bootstrap_timelines_with(model, lines, persons.as_deref(), channels, roles, settings, watch)
            }
        }
    }
}

/// Each path whole, as its person's.
fn records(paths: &safar_model::Paths, persons: &[u64]) -> Vec<Record> {
    let record = |(path, (part, person)): (usize, (PathRef<'_>, &u64))| Record {
        path,
        person: *person,
        conversions: part.conversions,
        value: part.value,
        nulls: part.nulls,
    };
    paths.iter().zip(persons).enumerate().map(record).collect()
}

/// What a model says that cannot take what it was given, in the words of this package.
pub fn refusal(error: &Error) -> String {
    match error {
        Error::NeedsTimelines { model } => {
            format!("{model} reads whole timelines of people, not paths; make them by safar.Timelines.from_arrow")
        }
        error => error.to_string(),
    }
}
