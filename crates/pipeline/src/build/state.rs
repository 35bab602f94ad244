//! What the last build was made from: `data/build.json`.
use super::{Scope, journeys::TABLES};
use crate::{Error, Result, Workspace, report::by_own_rules};
use safar_journey::SharedOrders;
use safar_model::{Table, table::READY_PATHS_BUCKET};
use safar_store::{DataFile, Snapshot};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{ErrorKind, Write},
    path::PathBuf,
};

/// Goes up where the same events make other journeys than before.
const JOURNEYS: u32 = 1;

/// More people than this are not named one by one.
const NAMED_MOST: usize = 100_000;

/// Whose rows a build, or an erasure, began to change and perhaps did not finish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Begun {
    /// Anybody's.
    Everyone,
    /// Theirs.
    People(BTreeSet<i64>),
}

/// What a build was made from. Two equal states need no build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Version of the program.
    pub program: String,
    /// The columns of the tables that journeys are.
    pub tables: BTreeMap<Table, Vec<String>>,
    /// Sessions, goals, windows, time zone, currency.
    pub journeys: serde_json::Value,
    /// Identity settings.
    pub identity: serde_json::Value,
    /// How many links were stored.
    #[serde(default)]
    pub links: u64,
    /// Models, as spelled, with the channels that own rules have them take for direct.
    pub models: Vec<String>,
    /// Files of `events`, by their names in the log.
    pub event_files: BTreeSet<String>,
    /// The version of what makes journeys of events.
    #[serde(default)]
    pub made_by: u32,
    /// Orders and refunds that several people told of.
    #[serde(default)]
    pub shared_orders: SharedOrders,
    /// Files of imported ready paths.
    #[serde(default)]
    pub ready_paths: BTreeSet<String>,
    /// Which version of the map of people this is, from 1.
    pub people_version: i64,
    /// Whether events were taken out since the last time that identifiers were looked for in all of them.
    #[serde(default)]
    pub rows_removed: bool,
    /// What is under way; none where a build was finished. Tables may then be those of this state, of the next one, or journeys of
    /// the next and credits of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.root().join("data").join("build.json")
}

fn columns(table: Table) -> Vec<String> {
    table.schema().fields().iter().map(|field| field.name().clone()).collect()
}

impl State {
    /// What `workspace` asks for now, before its files are known.
    pub fn of(workspace: &Workspace) -> Result<Self> {
        let settings = workspace.settings();
        let json = |value: serde_json::Result<serde_json::Value>| {
            value.map_err(|e| Error::Request(format!("settings cannot be kept: {e}")))
        };
        let models = settings.attribution.models.iter().map(|model| Ok(by_own_rules(workspace, model)?.to_string()));
        Ok(Self {
            tables: TABLES.map(|table| (table, columns(table))).into(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            journeys: json(serde_json::to_value(settings.journey_rules()))?,
            identity: json(serde_json::to_value(&settings.identity))?,
            links: 0,
            models: models.collect::<Result<_>>()?,
            event_files: BTreeSet::new(),
            made_by: JOURNEYS,
            shared_orders: SharedOrders::new(),
            ready_paths: BTreeSet::new(),
            people_version: 1,
            rows_removed: false,
            begun: None,
        })
    }

    /// Takes down that rows of `scope` are about to change, before they do: a build that follows a run that was cut off makes them
    /// anew.
    pub fn begin(&mut self, workspace: &Workspace, scope: &Scope) -> Result<()> {
        self.begun = Some(match (scope, self.begun.take()) {
            (Scope::Only(people), before) if !matches!(before, Some(Begun::Everyone)) => {
                let before = match before {
                    Some(Begun::People(people)) => people,
                    _ => BTreeSet::new(),
                };
                let all: BTreeSet<i64> = before.into_iter().chain(people.iter().copied()).collect();
                if all.len() > NAMED_MOST { Begun::Everyone } else { Begun::People(all) }
            }
            _ => Begun::Everyone,
        });
        self.write(workspace)
    }

    /// Files of ready paths in a snapshot.
    pub async fn ready_paths(workspace: &Workspace, snapshot: &Snapshot) -> Result<BTreeSet<String>> {
        let files = workspace.store().files(snapshot, Table::Paths).await?.into_iter();
        Ok(files.filter(|file| file.bucket == Some(READY_PATHS_BUCKET)).map(|file| file.name).collect())
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
