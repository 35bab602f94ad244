//! The screens: built for the program to hold, and tested.
use crate::run::{Outcome, Steps, command, root, run, target};
use std::process::Command;

fn npm() -> Command {
    let mut npm = command("npm");
    npm.current_dir(root().join("ui"));
    npm
}

/// Installs what the screens are built with, where the lock file changed, and builds them into `ui/dist`.
pub fn build() -> Outcome {
    let (lock, installed) = (root().join("ui/package-lock.json"), root().join("ui/node_modules/.package-lock.json"));
    let changed = |path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    if changed(&installed).is_none_or(|installed| changed(&lock).is_some_and(|lock| lock > installed)) {
        run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    }
    run(npm().args(["run", "build"]))
}

/// Everything that can be said of the screens: types, components, catalogues, the size of the first view, and what a browser
/// sees of a stand-in server and of the program.
pub fn test() -> Outcome {
    let mut steps = Steps::default();
    for (name, script) in [
        ("types of the screens", "check"),
        ("components and catalogues", "test"),
        ("size of the first view", "size"),
        ("screens in Chromium", "e2e"),
    ] {
        steps.step(name, || run(npm().args(["run", script])))?;
    }
    let safar = target().join("debug/safar");
    steps.step("screens of the program in Chromium", || run(npm().args(["run", "real"]).env("SAFAR_PROGRAM", &safar)))
}
