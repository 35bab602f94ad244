//! `cargo xtask demo`: from nothing to an attribution report and the screens of a shop of two years.
use crate::{
    run::{Outcome, Steps, cargo, command, root, run, target},
    ui,
};
use std::fs;

pub fn demo() -> Outcome {
    let mut steps = Steps::default();
    steps.step("build the screens", ui::build)?;
    steps.step("build the program", || run(cargo().args(["build", "--workspace", "--bins"])))?;
    let safar = target().join("debug/safar");
    let folder = root().join("target/demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut safar_step = |words: &[&str]| {
        let name = format!("safar {}", words.join(" "));
        steps.step(&name, || run(command(&safar).current_dir(&folder).args(words)))
    };
    safar_step(&["init", "shop", "--sample"])?;
    let shop = ["--people", "800", "--days", "730", "--start", "2024-11-22", "--seed", "1"];
    safar_step(&[&["simulate"], &shop[..], &["--out", "events.csv", "--costs", "costs.csv"]].concat())?;
    safar_step(&["--workspace", "shop", "import", "events.csv"])?;
    safar_step(&["--workspace", "shop", "import", "costs.csv"])?;
    safar_step(&["--workspace", "shop", "build"])?;
    safar_step(&["--workspace", "shop", "paths", "--limit", "10"])?;
    safar_step(&["--workspace", "shop", "attribute"])?;
    safar_step(&["--workspace", "shop", "channels"])?;
    steps.print();
    let shop = folder.join("shop");
    eprintln!("\nThe workspace is {}; `safar --help` says what else it can answer.", shop.display());
    eprintln!("To see it in a browser: {} -C {} serve", safar.display(), shop.display());
    eprintln!(
        "It prints an address and a code: make the first account there, and follow the first steps on the overview."
    );
    eprintln!("Real data stand beside it in a workspace of their own: {} init mine", safar.display());
    Ok(())
}
