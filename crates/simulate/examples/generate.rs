//! `cargo run --release -p safar-simulate --example generate -- --people 2000 --days 90 --seed 1 --format csv > events.csv`
use safar_simulate::{Shop, write_csv, write_ndjson};
use std::{error::Error, io};

fn main() -> Result<(), Box<dyn Error>> {
    let mut shop = Shop::default();
    let mut format = "csv".to_owned();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--people" => shop.people = value.parse()?,
            "--days" => shop.days = value.parse()?,
            "--seed" => shop.seed = value.parse()?,
            "--format" => format = value,
            _ => return Err(format!("{word} is unknown; use --people, --days, --seed, --format").into()),
        }
    }
    let out = io::stdout().lock();
    let rows = match format.as_str() {
        "csv" => write_csv(&shop, out)?,
        "ndjson" => write_ndjson(&shop, out)?,
        _ => return Err(format!("--format {format} is unknown; use csv or ndjson").into()),
    };
    eprintln!("{rows} events");
    Ok(())
}
