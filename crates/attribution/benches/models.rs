//! Generates seeded path files and times models on them, for comparison with other tools.
//!
//! `cargo bench -p safar-attribution --bench models -- generate ROWS CHANNELS FILE [SEED]` writes distinct paths; `run FILE MODEL…` reads the
//! file anew for each model and prints one line of JSON a case: CPU and wall seconds, reading included, and what the
//! process has held at most so far, so run one model a process to compare memory. The clock of CPU time ticks in
//! hundredths: what takes less than half a second is done over and over, and the mean is printed.
#![allow(clippy::print_stdout, reason = "its results are its output")]
use safar_attribution::{ModelSpec, ReadOptions, attribute, read_paths};
use std::collections::HashSet;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["generate", rows, channels, file] => generate(rows.parse()?, channels.parse()?, file, 1),
        ["generate", rows, channels, file, seed] => generate(rows.parse()?, channels.parse()?, file, seed.parse()?),
        ["run", file, ref models @ ..] if !models.is_empty() => models.iter().try_for_each(|model| run(file, model)),
        _ => Err("usage: generate ROWS CHANNELS FILE [SEED] | run FILE MODEL…".into()),
    }
}

/// A small portable generator (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Distinct paths of geometric length (mean about 6, at most 40) over channels of falling popularity, where a touch
/// repeats the channel before it now and then.
fn generate(rows: usize, channels: usize, file: &str, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut random = Random(seed);
    let mut popularity: Vec<f64> = (1..=channels).map(|rank| 1.0 / (rank as f64).sqrt()).collect();
    for channel in 1..channels {
        popularity[channel] += popularity[channel - 1];
    }
    let pick = |random: &mut Random| {
        let at = random.unit() * popularity[channels - 1];
        popularity.partition_point(|up_to| *up_to <= at).min(channels - 1)
    };
    let mut seen = HashSet::with_capacity(rows);
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "path;total_conversions;total_conversion_value;total_null")?;
    let (mut path, mut text) = (vec![], String::new());
    while seen.len() < rows {
        path.clear();
        path.push(pick(&mut random));
        while path.len() < 40 && random.unit() < 0.83 {
            let repeat = random.unit() < 0.15;
            path.push(if repeat { path[path.len() - 1] } else { pick(&mut random) });
        }
        if !seen.insert(path.clone()) {
            continue;
        }
        text.clear();
        for channel in &path {
            text.push_str(if text.is_empty() { "" } else { " > " });
            text.push_str(&format!("channel_{channel:02}"));
        }
        let conversions = if random.unit() < 0.3 { 1 + random.next() % 5 } else { 0 };
        let value = conversions as f64 * (10.0 + (random.next() % 9000) as f64 / 100.0);
        writeln!(out, "{text};{conversions};{value:.2};{}", 1 + random.next() % 20)?;
    }
    Ok(out.flush()?)
}

/// Times a case: one model, or several joined by `+` that share one reading of the file.
fn run(file: &str, case: &str) -> Result<(), Box<dyn Error>> {
    let specs = case.split('+').map(str::parse).collect::<Result<Vec<ModelSpec>, _>>()?;
    let (wall, cpu) = (Instant::now(), cpu_s()?);
    let (mut times, mut read_wall, mut read_cpu) = (0.0, 0.0, 0.0);
    let (mut credited, mut notes) = (0.0, vec![]);
    while times == 0.0 || cpu_s()? - cpu < 0.5 {
        let (reading, cpu) = (Instant::now(), cpu_s()?);
        let (paths, channels) = read_paths(File::open(file)?, &ReadOptions::default())?;
        (read_wall, read_cpu) = (read_wall + reading.elapsed().as_secs_f64(), read_cpu + cpu_s()? - cpu);
        (credited, notes) = (0.0, vec![]);
        for spec in &specs {
            let result = attribute(spec, &paths, &channels)?;
            credited += result.credits.iter().map(|credit| credit.conversions).sum::<f64>();
            let markov = result.diagnostics.markov;
            notes.extend(markov.map(|markov| format!("{} states, {:?}", markov.states, markov.solver)));
        }
        times += 1.0;
    }
    println!(
        "{{\"case\":\"{case}\",\"cpu_s\":{:.4},\"wall_s\":{:.4},\"peak_mb\":{:.0},\"read_cpu_s\":{:.4},\
         \"read_wall_s\":{:.4},\"times\":{times},\"conversions\":{credited},\"note\":\"{}\"}}",
        (cpu_s()? - cpu) / times,
        wall.elapsed().as_secs_f64() / times,
        peak_mb()?,
        read_cpu / times,
        read_wall / times,
        notes.join("; "),
    );
    Ok(())
}

/// CPU seconds of this process, all threads (Linux: clock ticks are hundredths of a second).
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat[stat.rfind(')').ok_or("stat")? + 2..].split(' ').collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

fn peak_mb() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("VmHWM")?.parse::<f64>()? / 1024.0)
}
