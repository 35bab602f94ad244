//! A workspace in a temporary folder, and the program to run in it.
use assert_cmd::Command;
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// A temporary folder, with a workspace `shop` where it is asked for.
#[derive(Debug)]
pub struct Shop {
    /// The folder; it goes with the value.
    pub folder: TempDir,
    program: PathBuf,
}

impl Shop {
    /// An empty folder.
    ///
    /// # Panics
    /// This and everything below when the program does not do what the test expects.
    pub fn empty(program: PathBuf) -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), program }
    }

    /// An empty workspace.
    pub fn new(program: PathBuf) -> Self {
        let shop = Self::empty(program);
        shop.safar(&["init", "shop", "--sample"]).assert().success();
        shop
    }

    /// A workspace with simulated events, built.
    pub fn with_sample(program: PathBuf) -> Self {
        let shop = Self::new(program);
        shop.simulate(300, 1, "events.csv");
        shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
        shop.safar(&["-C", "shop", "build"]).assert().success();
        shop
    }

    /// Writes simulated events.
    pub fn simulate(&self, people: u32, seed: u64, file: &str) {
        self.safar(&[
            "simulate",
            "--people",
            &people.to_string(),
            "--days",
            "60",
            "--seed",
            &seed.to_string(),
            "--out",
            file,
        ])
        .assert()
        .success();
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("the folder can be used");
    }

    /// The program with these words, in the folder.
    #[must_use]
    pub fn safar(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder.path()).env("NO_COLOR", "1").env_remove("SAFAR_WORKSPACE").args(words);
        command
    }

    /// Standard output of a command that succeeds.
    pub fn output(&self, words: &[&str]) -> String {
        String::from_utf8(self.safar(words).assert().success().get_output().stdout.clone())
            .expect("the folder can be used")
    }

    /// Standard error of a command that fails.
    pub fn failure(&self, words: &[&str]) -> String {
        let assert = self.safar(words).assert().failure();
        let text = String::from_utf8(assert.get_output().stderr.clone()).expect("the folder can be used");
        text.replace(
            &self.folder.path().canonicalize().expect("the folder can be used").display().to_string(),
            "FOLDER",
        )
    }

    /// What `safar sql` answers, as CSV without its header.
    pub fn sql(&self, query: &str) -> String {
        let text = self.output(&["-C", "shop", "sql", query, "--format", "csv"]);
        text.split_once('\n').map_or(String::new(), |(_, rows)| rows.trim_end().to_owned())
    }
}
