//! Running commands, and saying what each step took.
use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

pub type Outcome<T = ()> = Result<T, String>;

/// The checkout: the one that cargo runs this in, since checkouts may share one target folder.
pub fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().expect("xtask lies in the checkout").to_owned()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Where things that are costly to make are kept between runs: virtual environments, benchmark data.
pub fn cache() -> Outcome<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let folder = base.ok_or("HOME is not set")?.join("safar");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}

/// A command that runs in the checkout.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Cargo, as if it were called from the shell: what the outer cargo says of this package would make build scripts that look at
/// it (ring's) run again, and everything above them. What incremental builds keep costs a first build a fifth of the workspace's
/// time, so there is none of it unless it is asked for.
pub fn cargo() -> Command {
    let mut cargo = without_cargo(command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())));
    if env::var_os("CARGO_INCREMENTAL").is_none() {
        cargo.env("CARGO_INCREMENTAL", "0");
    }
    cargo
}

/// The same command without what the outer cargo says.
pub fn without_cargo(mut command: Command) -> Command {
    let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in env::vars_os() {
        if of_package.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs `command` to its end; an error where it cannot start or fails.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|e| format!("cannot start {}: {e}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", line(command))) }
}

/// Runs `command` and gives its standard output.
pub fn output(command: &mut Command) -> Outcome<Vec<u8>> {
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot start {}: {e}", command.get_program().display()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{} ended with {}", line(command), output.status))
    }
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Steps with their times, printed at the end.
#[derive(Default)]
pub struct Steps(Vec<(String, Duration)>);

impl Steps {
    pub fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        eprintln!("── {name}");
        let start = Instant::now();
        let done = work()?;
        self.0.push((name.to_owned(), start.elapsed()));
        Ok(done)
    }

    pub fn print(&self) {
        eprintln!("── what each step took");
        for (name, time) in &self.0 {
            eprintln!("{:>8.1} s  {name}", time.as_secs_f64());
        }
        let total: Duration = self.0.iter().map(|step| step.1).sum();
        eprintln!("{:>8.1} s  in all", total.as_secs_f64());
    }
}

/// The Python of a virtual environment that holds `packages`, made where it is missing.
pub fn python(name: &str, packages: &[&str]) -> Outcome<PathBuf> {
    let folder = cache()?.join(name);
    let python = folder.join("bin/python");
    let stamp = folder.join("packages.txt");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    run(command("python3").args(["-m", "venv"]).arg(&folder))?;
    run(command(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(python)
}
