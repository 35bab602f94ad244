//! The workspace as it is now: opened again when safar.toml changes.
use super::{
    accounts::{digest, hex},
    problem::{Code, Problem},
};
use safar_pipeline::{SETTINGS_FILE, Workspace};
use safar_store::Snapshot;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Mutex;

/// A workspace, and which settings it was opened with.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The workspace.
    pub workspace: Workspace,
    /// Names the text of safar.toml.
    pub settings_version: String,
}

impl Opened {
    /// The workspace at what is published now, and the name of that version.
    pub async fn pinned(&self) -> Result<(Workspace, String), Problem> {
        let snapshot = self.workspace.store().snapshot().await?;
        let version = data_version(&snapshot);
        Ok((self.workspace.pinned(snapshot), version))
    }
}

/// Names the versions of all tables: when any of them changes, so does this.
fn data_version(snapshot: &Snapshot) -> String {
    let tables: Vec<String> =
        snapshot.versions().map(|(table, version)| format!("{}={version}", table.name())).collect();
    format!("{}-{}", snapshot.sequence(), &hex(&digest(&tables.join(",")))[..8])
}

/// Names a text of safar.toml.
pub fn settings_version(text: &str) -> String {
    hex(&digest(text))[..12].to_owned()
}

/// Opens the workspace when it is asked for, and again when its settings have changed.
#[derive(Debug)]
pub struct Current {
    root: PathBuf,
    opened: Mutex<Option<Arc<Opened>>>,
}

impl Current {
    /// Of the workspace in `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), opened: Mutex::default() }
    }

    /// The settings file.
    pub fn settings_file(&self) -> PathBuf {
        self.root.join(SETTINGS_FILE)
    }

    /// The text of the settings.
    pub async fn settings_text(&self) -> Result<String, Problem> {
        let path = self.settings_file();
        tokio::fs::read_to_string(&path)
            .await
            .map_err(|error| Problem::new(Code::BadSettings, format!("cannot read {SETTINGS_FILE}: {error}")))
    }

    /// The workspace.
    ///
    /// # Errors
    /// [`Code::BadSettings`] with the line when safar.toml was changed and is wrong.
    pub async fn get(&self) -> Result<Arc<Opened>, Problem> {
        let settings_version = settings_version(&self.settings_text().await?);
        let mut opened = self.opened.lock().await;
        if let Some(opened) = opened.as_ref().filter(|opened| opened.settings_version == settings_version) {
            return Ok(Arc::clone(opened));
        }
        let workspace = Workspace::open(&self.root).await?;
        Ok(Arc::clone(opened.insert(Arc::new(Opened { workspace, settings_version }))))
    }
}
