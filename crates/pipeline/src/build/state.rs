//! What the last build was made from: `data/build.json`.
use super::journeys::TABLES;
use crate::{Error, Result, Workspace};
use safar_enrich::Enricher;
use safar_model::Table;
use safar_store::DataFile;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{ErrorKind, Write},
    path::PathBuf,
};

/// What a build was made from. Two equal states need no build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Version of the program.
    pub program: String,
    /// Fingerprint of channel rules and sources.
    pub enricher: u64,
    /// The columns of the tables that journeys are.
    pub tables: BTreeMap<Table, Vec<String>>,
    /// Sessions, goals, windows, time zone, currency.
    pub journeys: serde_json::Value,
    /// Identity settings.
    pub identity: serde_json::Value,
    /// Models, as spelled.
    pub models: Vec<String>,
    /// Files of `events`, by their names in the log.
    pub event_files: BTreeSet<String>,
    /// Orders whose refunds were told by other people's events, and what was given back.
    pub shared_refunds: BTreeMap<String, f64>,
    /// Which version of the map of people this is, from 1.
    pub people_version: i64,
    /// Whether events were taken out since the last time that identifiers were looked for in all of them.
    #[serde(default)]
    pub rows_removed: bool,
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.root().join("data").join("build.json")
}

fn columns(table: Table) -> Vec<String> {
    table.schema().fields().iter().map(|field| field.name().clone()).collect()
}

impl State {
    /// What `workspace` asks for now, before its files are known.
    pub fn of(workspace: &Workspace, enricher: &Enricher) -> Result<Self> {
        let settings = workspace.settings();
        let json = |value: serde_json::Result<serde_json::Value>| {
            value.map_err(|e| Error::Request(format!("settings cannot be kept: {e}")))
        };
        Ok(Self {
            tables: TABLES.map(|table| (table, columns(table))).into(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            enricher: enricher.fingerprint(),
            journeys: json(serde_json::to_value(settings.journey_rules()))?,
            identity: json(serde_json::to_value(&settings.identity))?,
            models: settings.attribution.models.iter().map(ToString::to_string).collect(),
            event_files: BTreeSet::new(),
            shared_refunds: BTreeMap::new(),
            people_version: 1,
            rows_removed: false,
        })
    }

    /// The state of the last build; `None`: there was none, or its record cannot be understood, so that everyone is rebuilt.
    pub fn read(workspace: &Workspace) -> Result<Option<Self>> {
        let path = path(workspace);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(&path, error)),
        }
    }

    /// Those of `files` that came since.
    pub fn fresh(&self, files: &[DataFile]) -> Vec<DataFile> {
        files.iter().filter(|file| !self.event_files.contains(&file.name)).cloned().collect()
    }

    /// Keeps the state: whole or not at all.
    pub fn write(&self, workspace: &Workspace) -> Result<()> {
        let path = path(workspace);
        let draft = path.with_extension("json.new");
        let bytes = serde_json::to_vec_pretty(self).map_err(|e| Error::Request(e.to_string()))?;
        let kept = File::create(&draft).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        kept.and_then(|()| fs::rename(&draft, &path)).map_err(|error| Error::io(&path, error))
    }
}
