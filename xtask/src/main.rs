//! One-command tasks: `cargo xtask demo`, `test`, `ui`, `lint`, `bench`, `docs`, `sdks`.
mod bench;
mod demo;
mod run;
mod sdks;
mod serving;
mod test;
mod ui;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask TASK

  demo               build Safar, make a workspace with two years of a sample shop, print the attribution report
  test [WORDS…]      everything: formatting, Rust tests, readers in Python, the Python package, the API and SQL as other programs
                     meet them, screens in Chromium; WORDS narrow the Rust tests
  ui                 build the screens, which the program holds
  lint               clippy over the whole workspace, warnings are errors
  docs [--check]     write docs/reference from the program itself, or check that it is up to date
  bench journeys     paths from 20 M events, beside chDB, DuckDB and Polars
  bench attribution  every model on up to 1 M paths, beside other packages; --rows, --channels, --cases, --limit SECONDS,
                     --no-peers, --out FOLDER for the CSV and the plot
  bench identity     people from 10 M links, updates, people of known truth, probable matches, beside SciPy, networkx and Splink;
                     --links, --people, --no-peers
  bench import       rows a second from CSV
  bench serve        people who ask for reports while events arrive; --users, --seconds, --rate, --people, --days
  bench collect      durable requests a second, beside a server that stores nothing
  sdks [WORDS…]      real SDKs against a running collector: every event once in the tables; WORDS narrow
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["demo"] => demo::demo(),
        ["test", rest @ ..] => test::test(rest),
        ["ui"] => ui::build(),
        ["lint"] => test::lint(),
        ["docs"] => test::docs(false),
        ["docs", "--check"] => test::docs(true),
        ["sdks", rest @ ..] => sdks::sdks(rest),
        ["bench", rest @ ..] => bench::bench(rest),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
