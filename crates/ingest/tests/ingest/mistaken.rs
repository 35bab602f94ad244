//! Files that are not what they are said to be: each example as every other kind.
use crate::support::{Shop, example};
use safar_enrich::{EnrichSettings, Enricher};
use safar_identity::IdentitySettings;
use safar_ingest::{ImportOptions, ImportSettings, Preview, Rules, preview};
use std::{fs, path::Path};

/// The names that `--as` takes, by its own message.
fn kinds() -> Vec<String> {
    let mut shop = Shop::lately();
    shop.options.shape = Some("nothing".into());
    let error = shop.take("a.csv", "ts,event\n2026-10-01,visit\n").unwrap_err().to_string();
    let (_, names) = error.split_once("use one of ").unwrap();
    names.split(", ").map(str::to_owned).collect()
}

/// Every file among the examples.
fn examples() -> Vec<String> {
    let mut found = vec![];
    let mut folders = vec![Path::new(&example("costs.csv")).parent().unwrap().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path.to_string_lossy().into_owned()) }
        }
    }
    found.sort();
    found
}

/// The first rows, or a message that names the file and a way out.
fn shown(rules: Rules<'_>, file: &str, kind: Option<&str>) -> Option<Preview> {
    let options = ImportOptions { shape: kind.map(str::to_owned), threads: 1, ..Shop::lately().options };
    match preview(rules, &[file.to_owned()], &options, 5) {
        Ok(mut previews) => previews.pop(),
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains(file) && said.len() > file.len() + 40, "{file} as {kind:?}: {said}");
            None
        }
    }
}

#[test]
fn every_example_is_read_as_every_kind_or_refused_with_a_reason() {
    let (kinds, examples) = (kinds(), examples());
    assert!(kinds.len() > 40 && examples.len() > 40, "{} kinds, {} examples", kinds.len(), examples.len());
    let (settings, identity) = (ImportSettings::default(), IdentitySettings::default());
    let enricher = Enricher::new(&EnrichSettings::default()).unwrap();
    let rules = Rules { import: &settings, enricher: &enricher, identity: &identity };
    for file in &examples {
        let own = shown(rules, file, None).and_then(|preview| preview.read_as);
        for kind in &kinds {
            let Some(preview) = shown(rules, file, Some(kind)) else { continue };
            let twins = |kind: &str| matches!(kind, "meta-ads-table" | "microsoft-ads-table"); // they have the same columns
            let told = preview.events.num_rows() + preview.costs.num_rows();
            assert!(
                told == 0 || preview.read_as == own || kind == "events" || twins(kind),
                "{file}, which is {own:?}, as {kind}: {told} rows"
            );
        }
    }
}
