//! A workspace's store in a temporary folder, and its tables as text.
use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use safar_enrich::{EnrichSettings, Enricher};
use safar_identity::IdentitySettings;
use safar_ingest::{Error, ImportOptions, ImportReport, ImportSettings, Preview, Rules, Silent, import, preview};
use safar_model::Table;
use safar_store::Store;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// 2026-01-01T00:00:00Z: when the tests take place.
pub const NOW: i64 = 1_767_225_600_000_000;

pub struct Shop {
    pub folder: TempDir,
    pub settings: ImportSettings,
    pub options: ImportOptions,
}

pub type Row = BTreeMap<String, String>;

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

impl Shop {
    pub fn new() -> Self {
        let options = ImportOptions { now: Some(NOW), threads: 2, ..ImportOptions::default() };
        Self { folder: tempfile::tempdir().expect("a folder"), settings: ImportSettings::default(), options }
    }

    /// A shop of the days in which the examples take place.
    pub fn lately() -> Self {
        let mut shop = Self::new();
        shop.options.now = Some(1_795_219_200_000_000); // 2026-11-21
        shop
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path.to_string_lossy().into_owned()
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn import(&self, files: &[&str]) -> Result<ImportReport, Error> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let enricher = Enricher::new(&EnrichSettings::default()).expect("settings");
        let identity = IdentitySettings::default();
        let rules = Rules { import: &self.settings, enricher: &enricher, identity: &identity };
        let report = block_on(async {
            let store = Store::create(&self.data()).await?;
            let lock = store.lock()?;
            import(&store, &lock, rules, &files, &self.options, &Silent).await
        })?;
        let rejected: u64 = report.rejected.values().sum();
        let kept = report.stored + report.paths + report.duplicates + report.costs;
        assert_eq!(report.rows, kept + report.left_out + report.erased + rejected, "{report:?}");
        Ok(report)
    }

    /// Imports text as a file of this name.
    pub fn take(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<ImportReport, Error> {
        let file = self.write(name, bytes);
        self.import(&[&file])
    }

    pub fn preview(&self, file: &str) -> Result<Vec<Preview>, Error> {
        let enricher = Enricher::new(&EnrichSettings::default()).expect("settings");
        let identity = IdentitySettings::default();
        let rules = Rules { import: &self.settings, enricher: &enricher, identity: &identity };
        preview(rules, &[file.to_owned()], &self.options, 5)
    }

    /// The batches of a table's files, without the partition column.
    pub fn batches(&self, table: Table) -> Vec<RecordBatch> {
        let files = block_on(async {
            let store = Store::open(&self.data()).await.expect("a store");
            let snapshot = store.snapshot().await.expect("a snapshot");
            store.files(&snapshot, table).await.expect("files")
        });
        let mut all = Vec::new();
        for file in files {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.path).expect("a file"));
            all.extend(reader.expect("Parquet").build().expect("Parquet").map(|batch| batch.expect("rows")));
        }
        all
    }

    /// Every row of a table, columns that are null left out, ordered by all columns' text.
    pub fn rows(&self, table: Table) -> Vec<Row> {
        let mut all: Vec<Row> = self.batches(table).iter().flat_map(text_rows).collect();
        all.sort();
        all
    }

    /// One column of `events` by time.
    pub fn events(&self, column: &str) -> Vec<String> {
        let mut rows = self.rows(Table::Events);
        rows.sort_by_key(|row| (row["occurred_at"].clone(), row["event_id"].clone()));
        rows.iter().map(|row| row.get(column).cloned().unwrap_or_default()).collect()
    }

    /// `line/column/value/reason` of every reject.
    pub fn rejects(&self) -> Vec<String> {
        let mut rows: Vec<_> = self.rows(Table::Rejects);
        rows.sort_by_key(|row| row["line"].parse::<i64>().expect("a number"));
        let get = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_else(|| "-".to_owned());
        rows.iter()
            .map(|row| ["line", "column", "value", "reason"].map(|column| get(row, column)).join(" | "))
            .collect()
    }
}

pub fn text_rows(batch: &RecordBatch) -> Vec<Row> {
    let options = FormatOptions::default();
    let schema = batch.schema();
    let mut rows = vec![Row::new(); batch.num_rows()];
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let format = ArrayFormatter::try_new(column, &options).expect("a format");
        for (at, row) in rows.iter_mut().enumerate().filter(|(at, _)| !column.is_null(*at)) {
            row.insert(field.name().clone(), format.value(at).to_string());
        }
    }
    rows
}

/// A file of `examples/imports`.
pub fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/imports").join(name);
    assert!(path.exists(), "{}", path.display());
    path.to_string_lossy().into_owned()
}

/// A file beside the checkout; `None` where it is absent.
pub fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("SAFAR_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file.to_string_lossy().into_owned());
    }
    let mut out = std::io::stderr().lock();
    std::io::Write::write_fmt(&mut out, format_args!("skipped: {} is absent\n", file.display()))
        .expect("standard error");
    None
}
