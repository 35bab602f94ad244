//! A workspace: a folder with `safar.toml` and `data/`.
use crate::{Error, Result, Stop, report::Groups, settings::Settings};
use safar_engine::{Engine, EngineOptions};
use safar_enrich::{Countries, Enricher, Traffic, Visitors};
use safar_ingest::ImportSettings;
use safar_store::{Snapshot, Store};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The name of the settings file in a workspace.
pub const SETTINGS_FILE: &str = "safar.toml";

/// The commented settings that `safar init` writes.
pub const TEMPLATE: &str = include_str!("safar.toml");

/// An open workspace. Clones share what was read, and the memory and disk of their queries.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    settings: Settings,
    store: Store,
    engine: Arc<OnceLock<Engine>>,
    groups: Arc<Groups>,
    stop: Stop,
}

impl Workspace {
    /// Makes a workspace in `root`: the commented settings and empty tables.
    ///
    /// # Errors
    /// When the folder already is a workspace or cannot be written.
    /// `sample` fits the settings to the sample data of `safar simulate`.
    pub async fn init(root: &Path, sample: bool) -> Result<Self> {
        let settings = root.join(SETTINGS_FILE);
        if settings.exists() {
            return Err(Error::Exists { root: root.to_owned() });
        }
        fs::create_dir_all(root).map_err(|source| Error::io(root, source))?;
        let name = root
            .canonicalize()
            .ok()
            .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_default();
        let text = TEMPLATE.replace("name = \"shop\"", &format!("name = {}", toml::Value::String(name)));
        let text = if sample { text.replace("own_domains = []", "own_domains = [\"shop.example\"]") } else { text };
        fs::write(&settings, text).map_err(|source| Error::io(&settings, source))?;
        Store::create(&root.join("data")).await?;
        Self::open(root).await
    }

    /// Opens the workspace in `root`.
    ///
    /// # Errors
    /// When there is none, its settings are wrong, or its tables cannot be read.
    pub async fn open(root: &Path) -> Result<Self> {
        let settings = Settings::read(&root.join(SETTINGS_FILE))?;
        let store = Store::open(&root.join("data")).await?;
        Ok(Self {
            root: root.to_owned(),
            settings,
            store,
            engine: Arc::default(),
            groups: Arc::default(),
            stop: Stop::default(),
        })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What `safar.toml` says.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same workspace for reports that must all see `snapshot`, whatever is published meanwhile.
    #[must_use]
    pub fn pinned(&self, snapshot: Snapshot) -> Self {
        Self { store: self.store.pinned(snapshot), ..self.clone() }
    }

    /// The same workspace for a report or a build that ends early when `stop` is asked for: in the middle of a fit, and between two.
    #[must_use]
    pub fn until(&self, stop: Stop) -> Self {
        Self { stop, ..self.clone() }
    }

    /// What ends reports and builds early.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The tables.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// `[import]`, with the time zone and currency of the workspace where it names none.
    #[must_use]
    pub fn import_settings(&self) -> ImportSettings {
        let mut import = self.settings.import.clone();
        import.zone.get_or_insert_with(|| self.settings.workspace.time_zone.clone());
        import.default_currency.get_or_insert_with(|| self.settings.workspace.currency.clone());
        import
    }

    /// Sources and channels by the rules of `[channels]`, visitors by those of `[enrich]`.
    ///
    /// # Errors
    /// When a rule cannot be used, or the file of countries cannot be read.
    pub fn enricher(&self) -> Result<Enricher> {
        self.enricher_by(&self.settings)
    }

    /// The same by other settings.
    pub(crate) fn enricher_by(&self, settings: &Settings) -> Result<Enricher> {
        let countries = settings.enrich.country_database.as_ref().map(|name| self.countries(name)).transpose()?;
        Ok(Enricher::new(&settings.channels)?.with_visitors(Visitors::new(&settings.enrich, countries)))
    }

    fn countries(&self, name: &str) -> Result<Countries> {
        let path = self.root.join(name);
        let read = fs::read(&path).map_err(|error| error.to_string());
        read.and_then(|bytes| Countries::new(bytes).map_err(|error| error.to_string()))
            .map_err(|reason| Error::Countries { path, root: self.root.clone(), reason })
    }

    /// Which people conditions hold for, as reports found them.
    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The channel of a visit of which nothing is known: what models mean by `Direct`, whatever own rules call it.
    ///
    /// # Errors
    /// When a rule cannot be used.
    pub fn direct_channel(&self) -> Result<String> {
        let enricher = Enricher::new(&self.settings.channels)?;
        Ok(enricher.rules().decide(&Traffic::default()).0.to_owned())
    }

    /// The embedded query engine over the tables, with Safar's SQL functions; one for all clones, so that together they keep to
    /// its limit of memory, and footers of files are read once. Where `data` cannot be written, it spills to the system's folder
    /// for temporary files.
    ///
    /// # Errors
    /// When the engine cannot be made.
    pub fn engine(&self) -> Result<Engine> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine.clone());
        }
        let options = EngineOptions { spill_dir: self.store.dir().join(".tmp"), ..EngineOptions::default() };
        let engine = Engine::embedded(self.store.clone(), options, safar_journey::extensions())?;
        Ok(self.engine.get_or_init(|| engine).clone())
    }
}
