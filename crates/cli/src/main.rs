//! The `safar` command: parses, runs one command, prints its result or one error with the way out.
mod args;
mod commands;
mod output;
mod printer;

use args::{Cli, Command};
use clap::Parser;
use printer::Printer;
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = if cli.verbose { "safar=debug,warn" } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("SAFAR_LOG").unwrap_or_else(|_| level.into());
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false).without_time();
    log.with_ansi(io::stderr().is_terminal()).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that stops reading (`safar sql … | head`) is no error.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", in_words(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, each said once: many messages name their cause already.
fn in_words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{separator}{cause}");
        }
    }
    text
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let printer = Printer::new(cli.quiet, cli.verbose);
    let folder = cli.workspace.as_path();
    match &cli.command {
        Command::Init(args) => commands::init::run(args, printer).await,
        Command::Import(args) => commands::import::run(folder, args, printer).await,
        Command::Build(args) => commands::build::run(folder, args, printer).await,
        Command::Collect(args) => commands::collect::run(folder, args, printer).await,
        Command::Doctor => commands::doctor::run(folder, printer).await,
        Command::Attribute(args) => commands::attribute::run(folder, args, printer).await,
        Command::Overview(args) => commands::overview::run(folder, args, printer).await,
        Command::Channels(args) => commands::channels::run(folder, args, printer).await,
        Command::Paths(args) => commands::paths::run(folder, args, printer).await,
        Command::Flow(args) => commands::flow::run(folder, args, printer).await,
        Command::Explore(args) => commands::explore::run(folder, args, printer).await,
        Command::Funnel(args) => commands::funnel::run(folder, args, printer).await,
        Command::Obstacles(args) => commands::obstacles::run(folder, args, printer).await,
        Command::Compare(args) => commands::compare::run(folder, args, printer).await,
        Command::Retention(args) => commands::retention::run(folder, args, printer).await,
        Command::Sessions(args) => commands::sessions::run(folder, args, printer).await,
        Command::People(args) => commands::people::run(folder, args, printer).await,
        Command::Person(args) => commands::person::run(folder, args, printer).await,
        Command::Quality(args) => commands::quality::run(folder, args, printer).await,
        Command::Explain(args) => commands::explain::run(folder, args, printer).await,
        Command::Backtest(args) => commands::backtest::run(folder, args, printer).await,
        Command::Experiment(args) => commands::experiment::run(folder, args, printer).await,
        Command::Validate(args) => commands::validate::run(args, printer),
        Command::Export(args) => commands::export::run(folder, args, printer).await,
        Command::Erase(args) => commands::erase::run(folder, args, printer).await,
        Command::Retain(args) => commands::retain::run(folder, args, printer).await,
        Command::Audit(args) => commands::audit::run(folder, args, printer).await,
        Command::Sql(args) => commands::sql::run(folder, args, printer).await,
        Command::Serve(args) => commands::serve::run(folder, args, printer).await,
        Command::Simulate(args) => commands::simulate::run(args, printer),
        Command::Reference(args) => commands::reference::run(args, printer),
    }
}
