//! `safar simulate`
use crate::{args::Simulate, output::number, printer::Printer};
use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use safar_simulate::{
    Shop,
    causal::{Truth, market_events, scenario},
    write_costs_csv, write_csv, write_events_csv, write_events_ndjson, write_ndjson,
};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

/// When simulated markets begin: 2026-01-01.
const START: i64 = 1_767_225_600_000_000;

pub fn run(args: &Simulate, printer: Printer) -> Result<()> {
    if let (Some(name), Some(out)) = (&args.scenario, &args.out) {
        return market(name, out, args, printer);
    }
    let start = args.start.to_zoned(TimeZone::UTC).context("--start")?.timestamp().as_microsecond();
    let shop = Shop { people: args.people, days: args.days, seed: args.seed, start };
    let write = |out: &mut dyn Write| {
        if args.out.as_deref().is_some_and(is_ndjson) { write_ndjson(&shop, out) } else { write_csv(&shop, out) }
    };
    let events = match &args.out {
        Some(path) => {
            let mut out = BufWriter::with_capacity(1 << 20, create(path)?);
            write(&mut out)
                .and_then(|events| out.flush().map(|()| events))
                .with_context(|| format!("cannot write {}", path.display()))?
        }
        None => write(&mut BufWriter::new(io::stdout().lock()))?,
    };
    printer.say(format!(
        "wrote {} events of {} people over {} days, seed {}",
        number(events as f64, 0),
        number(f64::from(args.people), 0),
        args.days,
        args.seed
    ));
    if let Some(path) = &args.costs {
        let lines = write_costs_csv(&shop, BufWriter::new(create(path)?))
            .with_context(|| format!("cannot write {}", path.display()))?;
        printer.say(format!("wrote {} costs of its campaigns, by day, to {}", number(lines as f64, 0), path.display()));
    }
    Ok(())
}

/// The events of a market, and the truth beside them.
fn market(name: &str, out: &Path, args: &Simulate, printer: Printer) -> Result<()> {
    let market = scenario(name).with_context(|| format!("there is no market `{name}`; `safar validate` names them"))?;
    let seen = market.process.observe(args.people, args.seed, START);
    let events = market_events(&market.process, &seen);
    let truth = Truth::of(&market.process, args.people, args.seed);
    let beside = out.with_extension(match out.extension() {
        Some(ending) => format!("{}.truth.json", ending.to_string_lossy()),
        None => "truth.json".to_owned(),
    });
    let count = events.len();
    let mut file = BufWriter::with_capacity(1 << 20, create(out)?);
    let written =
        if is_ndjson(out) { write_events_ndjson(events, &mut file) } else { write_events_csv(events, &mut file) };
    written.and_then(|_| file.flush()).with_context(|| format!("cannot write {}", out.display()))?;
    serde_json::to_writer_pretty(create(&beside)?, &truth)
        .with_context(|| format!("cannot write {}", beside.display()))?;
    printer.say(format!(
        "wrote {} events of {} people in {} ({}), seed {}; what advertising really caused is in {}",
        number(count as f64, 0),
        number(f64::from(args.people), 0),
        market.name,
        market.about,
        args.seed,
        beside.display()
    ));
    Ok(())
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

fn is_ndjson(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "ndjson" || ending == "jsonl")
}
