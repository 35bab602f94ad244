//! Everything this crate promises: published cases, reference results on real data, laws.
mod agreement;
mod calibrate;
mod docs;
mod experiment;
mod fuzz;
mod goldens;
mod hazard;
mod laws;
mod logistic;
mod made;
mod markov;
mod portable;
mod presets;
mod reader;
mod reference;
mod shapley;
mod spec;
mod uncertainty;
mod validation;
mod worked;

use std::path::PathBuf;

/// Where the shared reference material lies; `None` (and a word about it) where it is absent.
fn shared(file: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("SAFAR_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = root.join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}
