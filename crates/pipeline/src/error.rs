//! What can go wrong between a workspace and its user.
use crate::settings::SettingsError;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Shorthand.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `safar init` would overwrite.
    #[error("{} already is a workspace\n  hint: choose another folder, or use it with `--workspace {}`", root.display(), root.display())]
    Exists {
        /// Where.
        root: PathBuf,
    },
    /// The operating system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `safar.toml` cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A channel rule cannot be used.
    #[error("safar.toml, [channels]: {0}")]
    Rules(#[from] safar_enrich::RuleError),
    /// The file of countries cannot be used.
    #[error("safar.toml, [enrich] country_database: {}: {reason}\n  hint: name a file in MaxMind's format, such as GeoLite2-Country.mmdb, as seen from {}; without the setting countries stay unknown", path.display(), root.display())]
    Countries {
        /// Which file.
        path: PathBuf,
        /// The workspace's folder.
        root: PathBuf,
        /// Why.
        reason: String,
    },
    /// The tables.
    #[error(transparent)]
    Store(#[from] safar_store::Error),
    /// A query.
    #[error(transparent)]
    Engine(#[from] safar_engine::Error),
    /// Reading files.
    #[error(transparent)]
    Ingest(#[from] safar_ingest::Error),
    /// Sessions, touchpoints, conversions, paths.
    #[error(transparent)]
    Journey(#[from] safar_journey::Error),
    /// A model.
    #[error(transparent)]
    Attribution(#[from] safar_attribution::Error),
    /// Intervals.
    #[error(transparent)]
    Bootstrap(#[from] safar_attribution::uncertainty::BootstrapError),
    /// A model on later paths.
    #[error(transparent)]
    Validation(#[from] safar_attribution::validation::ValidationError),
    /// A hold-out.
    #[error(transparent)]
    Experiment(#[from] safar_attribution::experiment::ExperimentError),
    /// Credits that do not go with an experiment.
    #[error(transparent)]
    Calibration(#[from] safar_attribution::experiment::CalibrationError),
    /// The query engine, while running.
    #[error("the query failed: {0}")]
    DataFusion(#[from] datafusion::error::DataFusionError),
    /// Columns of unexpected shape.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// A goal that is not there.
    #[error("there is no goal `{goal}`; there are {}", known.join(", "))]
    NoGoal {
        /// What was asked for.
        goal: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Nothing was built yet.
    #[error("there are no paths yet\n  hint: `safar import FILES` brings events, `safar build` makes paths of them")]
    NoPaths,
    /// A person who is not there.
    #[error("there is no person {id}\n  hint: `safar people --search TEXT` finds people by their identifiers")]
    NoPerson {
        /// The number asked for.
        id: i64,
    },
    /// Nothing that models could be tested on.
    #[error(
        "there are no paths with times and touches to test on; ready paths have no times\n  hint: import events or touches"
    )]
    NothingToTest,
    /// A request that does not fit the data.
    #[error("{0}")]
    Request(String),
}

impl Error {
    /// The same again, for each who meets it.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Attribution(error) => error.clone().into(),
            other => Self::Request(other.to_string()),
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
