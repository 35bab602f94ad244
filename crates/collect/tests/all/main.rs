//! Everything this crate promises: real requests of real clients, what is refused, laws.
mod client;
mod crash;
mod fixtures;
mod guarded;
mod identity;
mod laws;
mod money;
mod openapi;
mod privacy;
mod refused;
mod replies;
mod sent;
mod served;
mod times;
mod wrapped;

use std::path::PathBuf;

/// Where the captured requests lie; `None` (and a word about it) where they are absent.
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
