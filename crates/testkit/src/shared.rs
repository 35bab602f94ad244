//! Real data outside the checkout.
use std::{
    env,
    path::{Path, PathBuf},
};

/// A file or folder of real data: below the folder that `SAFAR_SHARED` names, or `shared` beside the checkout. Says that the
/// test is skipped where it is absent.
#[must_use]
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let found = env::var_os("SAFAR_SHARED").map_or_else(beside, PathBuf::from).join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is absent", found.display());
    None
}
