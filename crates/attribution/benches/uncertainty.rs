//! Times a bootstrap against as many plain fits, on a file of paths.
//!
//! `cargo bench -p safar-attribution --bench uncertainty -- FILE REPLICATES MODEL…` prints one line of JSON a model:
//! wall and CPU seconds of that many plain fits one after the other, of one bootstrap, and their ratios. Reading is
//! left out. `cargo bench -p safar-attribution --bench models -- generate …` writes such a file.
#![allow(clippy::print_stdout, reason = "its results are its output")]
use safar_attribution::uncertainty::{Bootstrap, bootstrap};
use safar_attribution::{ModelSpec, ReadOptions, attribute, read_paths};
use std::error::Error;
use std::fs::File;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [file, replicates, models @ ..] = &arguments[..] else {
        return Err("usage: FILE REPLICATES MODEL…".into());
    };
    let settings = Bootstrap { replicates: replicates.parse()?, ..Bootstrap::default() };
    let (paths, channels) = read_paths(File::open(file)?, &ReadOptions::default())?;
    for name in models {
        let model: ModelSpec = name.parse()?;
        let (wall, cpu) = (Instant::now(), cpu_s()?);
        for _ in 0..settings.replicates {
            std::hint::black_box(attribute(&model, &paths, &channels)?);
        }
        let (fits_wall, fits_cpu) = (wall.elapsed().as_secs_f64(), cpu_s()? - cpu);
        let (wall, cpu) = (Instant::now(), cpu_s()?);
        let resamples = bootstrap(&model, &paths, &channels, None, settings)?;
        let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_s()? - cpu);
        let first = resamples.estimates()[0].conversions.ok_or("no estimate")?;
        println!(
            "{{\"model\":\"{model}\",\"paths\":{},\"replicates\":{replicates},\"fits_wall_s\":{fits_wall:.3},\
             \"fits_cpu_s\":{fits_cpu:.2},\"wall_s\":{wall:.3},\"cpu_s\":{cpu:.2},\"wall_ratio\":{:.3},\
             \"cpu_ratio\":{:.3},\"first\":[{},{},{}]}}",
            paths.len(),
            wall / fits_wall,
            cpu / fits_cpu,
            first.low,
            first.point,
            first.high,
        );
    }
    Ok(())
}

/// CPU seconds of this process, all threads (Linux: clock ticks are hundredths of a second).
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat[stat.rfind(')').ok_or("stat")? + 2..].split(' ').collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
