//! `safar simulate`
use crate::{args::Simulate, output::number, printer::Printer};
use anyhow::{Context, Result};
use safar_simulate::{Shop, write_csv, write_ndjson};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

pub fn run(args: &Simulate, printer: Printer) -> Result<()> {
    let shop = Shop { people: args.people, days: args.days, seed: args.seed, ..Shop::default() };
    let is_ndjson = args
        .out
        .as_ref()
        .is_some_and(|path| path.extension().is_some_and(|ending| ending == "ndjson" || ending == "jsonl"));
    let write = |out: &mut dyn Write| if is_ndjson { write_ndjson(&shop, out) } else { write_csv(&shop, out) };
    let events = match &args.out {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
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
    Ok(())
}
