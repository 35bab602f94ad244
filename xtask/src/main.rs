//! One-command tasks: `cargo xtask demo`, `test`, `lint`, `bench`, `docs`.
mod bench;
mod demo;
mod run;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask TASK

  demo               build Safar, make a workspace with sample data, print the attribution report
  test [WORDS…]      everything: formatting, Rust tests, readers in Python, the Python package; WORDS narrow the Rust tests
  lint               clippy over the whole workspace, warnings are errors
  docs [--check]     write docs/reference from the program itself, or check that it is up to date
  bench journeys     paths from 20 M events, beside chDB, DuckDB and Polars
  bench attribution  every model on up to 1 M paths, beside other packages; --rows, --channels, --cases, --limit SECONDS,
                     --no-peers, --out FOLDER for the CSV and the plot
  bench import       rows a second from CSV
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["demo"] => demo::demo(),
        ["test", rest @ ..] => test::test(rest),
        ["lint"] => test::lint(),
        ["docs"] => test::docs(false),
        ["docs", "--check"] => test::docs(true),
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
