//! Path building on 20 M events: Safar against what can be written by hand, on clustered and on arrival-order files.
//!
//! `cargo bench --workspace --bench journeys -- --dir DIR [--rows N] [--reps N] [--threads N]` makes the files in DIR when they
//! are not there, then runs every case in a process of its own (so that its peak memory is its own) and prints one line of
//! JSON for each: engine, case, layout, threads, cpu_s and wall_s (medians), peak_mb, checksum. `benches/peers.py` does the
//! same for ClickHouse, DuckDB and Polars on the same files; equal checksums are equal answers.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod ceiling;
mod events;
mod safar;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

/// Case and layout, in the order of the report. `once` is the operator where a conversion takes the touches before it, as the
/// aggregate has it; all others ask for the touches of every conversion.
const CASES: [(&str, &str); 8] = [
    ("operator", "clustered"),
    ("operator", "arrival"),
    ("once", "clustered"),
    ("once", "arrival"),
    ("aggregate", "clustered"),
    ("aggregate", "arrival"),
    ("ceiling", "clustered"),
    ("ceiling", "arrival"),
];

/// Short questions are asked again until this has passed: a shared machine is faster in one second than in the next.
const LEAST: Duration = Duration::from_secs(3);

/// What the command line says.
struct Options {
    dir: PathBuf,
    rows: usize,
    reps: usize,
    threads: usize,
    case: Option<(String, String)>,
}

fn options() -> Result<Options, Failure> {
    let mut options = Options {
        dir: std::env::temp_dir().join("safar-bench-journeys"),
        rows: 20_000_000,
        reps: 3,
        threads: 2,
        case: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--dir" => options.dir = value()?.into(),
            "--rows" => options.rows = value()?.parse()?,
            "--reps" => options.reps = value()?.parse()?,
            "--threads" => options.threads = value()?.parse()?,
            "--case" => options.case = Some((value()?, value()?)),
            "--bench" => {} // cargo adds it
            other => {
                return Err(
                    format!("{other} is unknown; use --dir, --rows, --reps, --threads, --case CASE LAYOUT").into()
                );
            }
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    match options.case.as_ref().map(|(case, layout)| (case.as_str(), layout.as_str())) {
        None => {
            let own = |case: &str, layout: &str| -> Result<(), Failure> {
                let status = Command::new(std::env::current_exe()?)
                    .arg("--dir")
                    .arg(&options.dir)
                    .args(["--rows", &options.rows.to_string(), "--reps", &options.reps.to_string()])
                    .args(["--threads", &options.threads.to_string(), "--case", case, layout])
                    .status()?;
                if status.success() { Ok(()) } else { Err(format!("case {case} {layout} failed: {status}").into()) }
            };
            if !events::are_there(&options.dir, options.rows) {
                own("generate", "both")?;
            }
            CASES.into_iter().try_for_each(|(case, layout)| own(case, layout))
        }
        Some(("generate", _)) => events::generate(&options.dir, options.rows),
        Some((case, layout)) => {
            let files = files(&options.dir.join(layout))?;
            let safar = safar::Safar::new(options.threads)?;
            let (mut runs, begun) = (vec![], Instant::now());
            while runs.len() < options.reps.max(1) || begun.elapsed() < LEAST {
                let (cpu, wall) = (cpu_s()?, Instant::now());
                let made = match case {
                    "operator" | "once" | "aggregate" => Made::Tables(safar.paths(&files, layout, case)?),
                    "ceiling" => Made::Sums(ceiling::paths(&files, layout, options.threads)?),
                    other => return Err(format!("{other} is no case").into()),
                };
                let (cpu, wall) = (cpu_s()? - cpu, wall.elapsed().as_secs_f64());
                let answer = match made {
                    Made::Tables(tables) => safar::answer(&tables)?,
                    Made::Sums(answer) => answer,
                };
                // Answers are not kept: a heap that grows by each of them would be timed as well.
                runs.push((cpu, wall, answer.checksum()));
            }
            let peak_mb = peak_mb()?;
            let checksum = &runs[0].2;
            if let Some(other) = runs.iter().map(|run| &run.2).find(|other| *other != checksum) {
                return Err(format!("runs differ: {checksum} and {other}").into());
            }
            let median = |pick: fn(&(f64, f64, String)) -> f64| {
                let mut times: Vec<_> = runs.iter().map(pick).collect();
                times.sort_by(f64::total_cmp);
                times[times.len() / 2]
            };
            println!(
                "{{\"engine\":\"{}\",\"case\":\"{case}\",\"layout\":\"{layout}\",\"threads\":{},\"cpu_s\":{:.3},\"wall_s\":{:.3},\"peak_mb\":{peak_mb},\"checksum\":\"{checksum}\"}}",
                if case == "ceiling" { "hand-written" } else { "safar" },
                options.threads,
                median(|run| run.0),
                median(|run| run.1),
            );
            Ok(())
        }
    }
}

/// What a case makes while the clock runs.
enum Made {
    Tables(Vec<arrow::array::RecordBatch>),
    Sums(Answer),
}

/// Weights by path, a letter for each touch.
#[derive(Default)]
struct Answer(Vec<(Vec<u8>, [f64; 3])>);

impl Answer {
    /// Paths, conversions, value, nulls, and a hash over all of it that ignores the order of rows.
    fn checksum(&self) -> String {
        let mut sums = [0.0; 3];
        let mut hash = 0u64;
        for (path, weights) in &self.0 {
            let [conversions, value, nulls] = *weights;
            (0..3).for_each(|index| sums[index] += weights[index]);
            let own = path
                .iter()
                .fold(0xcbf2_9ce4_8422_2325u64, |own, letter| (own ^ u64::from(*letter)).wrapping_mul(0x100_0000_01b3));
            let weight = (conversions as u64)
                .wrapping_mul(31)
                .wrapping_add(nulls as u64 * 17)
                .wrapping_add((value * 4.0) as u64);
            hash = hash.wrapping_add(own.wrapping_mul(weight.wrapping_add(1)));
        }
        format!("{}/{}/{}/{}/{hash:016x}", self.0.len(), sums[0], sums[1], sums[2])
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.sort();
    Ok(files)
}

/// CPU seconds of this process so far, from the kernel's books in hundredths.
fn cpu_s() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

/// Most memory that was resident at once, in megabytes.
fn peak_mb() -> Result<u64, Failure> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    Ok(line.split_whitespace().next().unwrap_or("0").parse::<u64>()? / 1024)
}
