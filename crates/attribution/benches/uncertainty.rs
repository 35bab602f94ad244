//! Times a bootstrap against as many plain fits, on a file of paths.
//!
//! `cargo bench -p safar-attribution --bench uncertainty -- FILE REPLICATES MODEL…` prints one line of JSON a model:
//! wall seconds of that many plain fits one after the other, of one bootstrap, their ratio, and what resampling costs
//! a fit. Reading is left out. `cargo bench -p safar-attribution --bench models -- generate …` writes such a file.
#![allow(clippy::print_stdout, reason = "its results are its output")]
use safar_attribution::uncertainty::{Bootstrap, bootstrap};
use safar_attribution::{ModelSpec, ReadOptions, attribute, read_paths};
use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [file, replicates, models @ ..] = &arguments[..] else {
        return Err("usage: FILE REPLICATES MODEL…".into());
    };
    let settings = Bootstrap { replicates: replicates.parse()?, ..Bootstrap::default() };
    let (paths, channels) = read_paths(BufReader::new(File::open(file)?), &ReadOptions::default())?;
    for name in models {
        let model: ModelSpec = name.parse()?;
        let start = Instant::now();
        for _ in 0..settings.replicates {
            std::hint::black_box(attribute(&model, &paths, &channels)?);
        }
        let fits = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let resamples = bootstrap(&model, &paths, &channels, None, settings)?;
        let wall = start.elapsed().as_secs_f64();
        let first = resamples.estimates()[0].conversions.ok_or("no estimate")?;
        println!(
            "{{\"model\":\"{model}\",\"paths\":{},\"replicates\":{replicates},\"fits_s\":{fits:.3},\
             \"bootstrap_s\":{wall:.3},\"ratio\":{:.3},\"first\":[{},{},{}]}}",
            paths.len(),
            wall / fits,
            first.low,
            first.point,
            first.high,
        );
    }
    Ok(())
}
