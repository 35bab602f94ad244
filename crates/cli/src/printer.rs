//! The only place that writes to the terminal: results go to standard output, everything else to standard error.
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loudness {
    /// Errors only.
    Quiet,
    /// What was done, and progress.
    Normal,
    /// Also why.
    Verbose,
}

/// A line of standard error. Where nobody reads it any more, the work goes on all the same.
fn line(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes results, messages and progress.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    loudness: Loudness,
}

impl Printer {
    pub fn new(quiet: bool, verbose: bool) -> Self {
        let loudness = match (quiet, verbose) {
            (true, _) => Loudness::Quiet,
            (_, true) => Loudness::Verbose,
            _ => Loudness::Normal,
        };
        Self { loudness }
    }

    /// A line about what was done.
    pub fn say(self, message: impl Display) {
        if self.loudness >= Loudness::Normal {
            line(message);
        }
    }

    /// A line about why, for those who asked for it.
    pub fn detail(self, message: impl Display) {
        if self.loudness >= Loudness::Verbose {
            line(message);
        }
    }

    /// A line that must be seen even by those who asked for quiet.
    pub fn warn(self, message: impl Display) {
        line(format_args!("warning: {message}"));
    }

    /// Bytes of a result.
    pub fn result(self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Whether people watch standard error, so that a progress bar makes sense.
    pub fn shows_progress(self) -> bool {
        self.loudness >= Loudness::Normal && io::stderr().is_terminal()
    }

    /// A progress bar over `total` bytes, or over as many as come where the total is unknown; hidden where nobody watches.
    pub fn bar(self, name: &str, total: Option<u64>) -> ProgressBar {
        match total {
            Some(total) => {
                self.drawn(ProgressBar::new(total), name, "{prefix} {bar:30} {bytes}/{total_bytes} {msg} {eta}")
            }
            None => self.drawn(ProgressBar::new_spinner(), name, "{prefix} {spinner} {bytes} {msg}"),
        }
    }

    /// What turns for as long as work goes on that has no measure; hidden where nobody watches.
    pub fn spinner(self, name: &str) -> ProgressBar {
        let spinner = self.drawn(ProgressBar::new_spinner(), name, "{prefix} {spinner} {elapsed} {msg}");
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    fn drawn(self, bar: ProgressBar, name: &str, template: &str) -> ProgressBar {
        if !self.shows_progress() {
            return ProgressBar::hidden();
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        bar
    }
}
