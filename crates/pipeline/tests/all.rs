//! The corridor from events to credits, told in SQL: `tests/sql/*.slt` over the workspace made of `tests/sql/shop.csv`; and what
//! must hold of builds.
#[path = "all/credits.rs"]
mod credits;
#[path = "all/cut.rs"]
mod cut;
#[path = "all/histories.rs"]
mod histories;
#[path = "all/kit.rs"]
mod kit;
#[path = "all/partial.rs"]
mod partial;
#[path = "all/rules.rs"]
mod rules;

use safar_ingest::{ImportOptions, Rules, Silent, import};
use safar_pipeline::{Workspace, build};
use safar_testkit::run_logic_file;
use std::{fs, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/sql")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_logic_file_holds() {
    let root = tempfile::tempdir().unwrap();
    let workspace = Workspace::init(root.path().join("shop").as_path(), true).await.unwrap();
    let lock = workspace.store().lock().unwrap();
    let inputs = [folder().join("shop.csv").display().to_string()];
    let (settings, enricher) = (workspace.import_settings(), workspace.enricher().unwrap());
    let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
    let report = import(workspace.store(), &lock, rules, &inputs, &ImportOptions::default(), &Silent).await.unwrap();
    assert_eq!((report.stored, report.rejected_total()), (13, 0), "{report:?}");
    drop(lock);
    build(&workspace, false, &|_| {}).await.unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "slt"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let snapshot = workspace.store().snapshot().await.unwrap();
        let session = workspace.engine().unwrap().session(&snapshot).unwrap();
        run_logic_file(&session, &file).await.unwrap();
    }
}

/// Orders and refunds of several people, in two imports; the second build is of some people, and one of everyone says the same.
#[tokio::test(flavor = "multi_thread")]
async fn orders_hold_before_and_after_a_second_import() {
    let folder = folder().join("orders");
    let shop = kit::Shop::new().await;
    for part in ["first", "later"] {
        shop.import("events.csv", &fs::read_to_string(folder.join(format!("{part}.csv"))).unwrap()).await;
        for full in [false, true] {
            shop.build(full).await;
            let session = safar_pipeline::report::session(&shop.open().await).await.unwrap();
            run_logic_file(&session, &folder.join(format!("{part}.slt"))).await.unwrap();
        }
    }
}
