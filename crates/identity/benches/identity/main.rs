//! `cargo bench -p safar-identity --bench identity -- CASE …`: what `cargo xtask bench identity` runs. One line of JSON an
//! answer.
//!
//! * `generate LINKS FILE` writes links, a line each: two namespaces, two identifiers, the second, the event, by tabs.
//! * `links FILE` adds and resolves them, and asks; `updates FILE` adds more to them.
//! * `crowd PEOPLE` finds people whose truth is known. `matches FILE` finds matches in a CSV file with the truth in `entity`.
mod ceiling;
mod crowd;
mod links;
mod matches;

use serde_json::Value;
use std::{error::Error, fs, path::Path, time::Instant};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["generate", links, file] => links::generate(links.parse()?, Path::new(file)),
        ["links", file] => links::whole(Path::new(file)),
        ["updates", file] => links::updates(Path::new(file)),
        ["crowd", people] => crowd::find(people.parse()?),
        ["matches", file] => matches::find_in(Path::new(file)),
        _ => Err("name a case: generate LINKS FILE, links FILE, updates FILE, crowd PEOPLE, matches FILE".into()),
    }
}

/// CPU seconds of the whole process where Linux tells them, and seconds on the clock.
struct Watch(f64, Instant);

impl Watch {
    fn start() -> Self {
        Self(cpu(), Instant::now())
    }

    /// Adds both since the start.
    fn add(&self, to: &mut [f64; 2]) {
        to[0] += cpu() - self.0;
        to[1] += self.1.elapsed().as_secs_f64();
    }

    /// Both since the start, as [`told`].
    fn read(&self) -> Value {
        let mut used = [0.0; 2];
        self.add(&mut used);
        told(used)
    }
}

/// CPU and wall seconds as a JSON object, with the most memory the process ever held.
fn told([cpu_s, wall_s]: [f64; 2]) -> Value {
    serde_json::json!({ "cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb() })
}

/// Nanoseconds that the scheduler gave to each thread, as seconds.
fn cpu() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let told = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    told.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e9
}

fn peak_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// Prints an answer: `told` with all of `more`.
#[expect(clippy::print_stdout, reason = "a report")]
fn tell(case: &str, watch: Value, more: Value) {
    let mut line = serde_json::json!({ "case": case });
    for object in [watch, more] {
        if let (Some(line), Value::Object(object)) = (line.as_object_mut(), object) {
            line.extend(object);
        }
    }
    println!("{line}");
}
