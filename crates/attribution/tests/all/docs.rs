//! Whatever a user calls has an example, which the documentation tests run.
use std::{fs, path::Path};

#[test]
fn every_public_function_has_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = root.join("../model/src");
    let mut functions = functions(&root.join("src"));
    functions.extend(["path.rs", "timeline.rs"].iter().flat_map(|file| of_file(&model.join(file))));
    let without: Vec<_> = functions.iter().filter(|(_, has_example)| !has_example).map(|(name, _)| name).collect();
    assert!(without.is_empty(), "without an example: {without:#?}");
    assert!(functions.len() >= 60, "only {} functions were found", functions.len());
}

fn functions(folder: &Path) -> Vec<(String, bool)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { functions(&path) } else { of_file(&path) }).collect()
}

/// Its public functions, and whether the comment above each holds an example.
fn of_file(file: &Path) -> Vec<(String, bool)> {
    let (mut found, mut has_example) = (vec![], false);
    for line in fs::read_to_string(file).unwrap().lines().map(str::trim) {
        if line.starts_with("pub fn ") || line.starts_with("pub const fn ") {
            found.push((format!("{}: {line}", file.display()), has_example));
        }
        // Attributes stand between the comment and the function.
        has_example = (has_example && (line.starts_with("///") || line.starts_with("#["))) || line == "/// ```";
    }
    found
}
