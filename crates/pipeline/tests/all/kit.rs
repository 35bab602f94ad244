//! A workspace in a temporary folder: imports, builds, builds that are cut off.
use arrow::util::display::{ArrayFormatter, FormatOptions};
use safar_ingest::{ImportOptions, ImportReport, Rules, Silent, import};
use safar_pipeline::{BuildReport, Workspace, build, report};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// Numbers that look random (Knuth's constants).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    pub fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len() as u64) as usize]
    }
}

pub struct Shop {
    pub folder: TempDir,
}

impl Shop {
    pub async fn new() -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        Workspace::init(&shop.root(), true).await.unwrap();
        shop
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    /// As the next process finds it.
    pub async fn open(&self) -> Workspace {
        Workspace::open(&self.root()).await.unwrap()
    }

    /// Puts text in the place of other text in safar.toml.
    pub fn set(&self, before: &str, after: &str) {
        let path = self.root().join("safar.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(before), "{before}");
        fs::write(path, text.replacen(before, after, 1)).unwrap();
    }

    /// Writes safar.toml anew.
    pub fn settle(&self, settings: &str) {
        fs::write(self.root().join("safar.toml"), settings).unwrap();
    }

    /// Stores the rows of a table; how many.
    pub async fn import(&self, name: &str, csv: &str) -> u64 {
        let done = self.bring(name, csv).await;
        assert_eq!(done.rejected_total(), 0, "{done:?}");
        done.stored
    }

    /// Stores the rows of a table that are events.
    pub async fn bring(&self, name: &str, csv: &str) -> ImportReport {
        let path = self.folder.path().join(name);
        fs::write(&path, csv).unwrap();
        let workspace = self.open().await;
        let lock = workspace.store().lock().unwrap();
        let (settings, enricher) = (workspace.import_settings(), workspace.enricher().unwrap());
        let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
        let inputs = [path.display().to_string()];
        import(workspace.store(), &lock, rules, &inputs, &ImportOptions::default(), &Silent).await.unwrap()
    }

    pub async fn build(&self, full: bool) -> BuildReport {
        build(&self.open().await, full, &|_| {}).await.unwrap()
    }

    /// A build that ends where it says that it comes to `step`; whether it came there.
    pub fn cut_build(&self, step: &'static str) -> bool {
        let root = self.root();
        let run = move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let workspace = Workspace::open(&root).await.unwrap();
                build(&workspace, false, &|said| assert!(said.to_string() != step, "cut off")).await.unwrap();
            });
        };
        std::thread::spawn(run).join().is_err()
    }

    /// The rows of a query, cells parted by `|`.
    pub async fn sql(&self, query: &str) -> Vec<String> {
        let session = report::session(&self.open().await).await.unwrap();
        let options = FormatOptions::default().with_null("-");
        let mut rows = vec![];
        for batch in session.sql(query).await.unwrap().collect().await.unwrap() {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
                .collect();
            rows.extend(
                (0..batch.num_rows()).map(|row| {
                    columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|")
                }),
            );
        }
        rows
    }

    /// Every row of the derived tables, in a fixed order.
    pub async fn derived(&self) -> Vec<Vec<String>> {
        let mut tables = vec![];
        for table in ["person_events", "sessions", "touchpoints", "conversions", "paths", "credits"] {
            let mut rows = self.sql(&format!("select * from {table}")).await;
            rows.sort();
            tables.push(rows);
        }
        let mut people = self.sql("select namespace, identifier, person_id, valid_from, valid_to from persons").await;
        people.sort();
        tables.push(people);
        tables
    }

    /// Models whose credits are not all conversions and all value, but the one that gives more on purpose.
    pub async fn unbalanced(&self) -> Vec<String> {
        self.sql(
            "select goal, model, conversions, value, c, v from (select goal, model, sum(conversions) as conversions, sum(value) as value from credits group by 1, 2) \
             join (select goal as g, sum(conversions) as c, sum(value) as v from paths group by 1) on g = goal \
             where model <> 'participation' and (abs(conversions - c) > 1e-6 or abs(value - v) > 1e-6) order by 1, 2",
        )
        .await
    }

    /// That a full build changes no row.
    pub async fn is_as_built_from_scratch(&self, what: &str) {
        assert_eq!(self.unbalanced().await, Vec::<String>::new(), "{what}");
        let partly = self.derived().await;
        self.build(true).await;
        let whole = self.derived().await;
        for (partly, whole) in partly.iter().zip(&whole) {
            assert_eq!(partly, whole, "{what}");
        }
    }
}
